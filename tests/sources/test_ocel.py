"""OCEL 2.0 in SQLite: nothing of a file is lost, and its objects' values over time come out of the events again."""

import gzip
import json
import sqlite3
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.published import RealLogs
from workbench.errors import SourceError
from workbench.replay.declaration import make_projection
from workbench.session import Session, connect
from workbench.sources.ocel import CHANGED, CREATED, OcelSource
from workbench.sources.ocel_tables import write_time

FIRST = "2026-03-01 10:00:00"
SCHEMA = """
    create table event(ocel_id, ocel_type); create table object(ocel_id, ocel_type);
    create table event_object(ocel_event_id, ocel_object_id, ocel_qualifier);
    create table object_object(ocel_source_id, ocel_target_id, ocel_qualifier);
    create table event_map_type(ocel_type, ocel_type_map); create table object_map_type(ocel_type, ocel_type_map);
    create table event_Pay(ocel_id, ocel_time, Amount); create table event_Ship(ocel_id, ocel_time);
    create table object_Order(ocel_id, ocel_time, ocel_changed_field, Price, "State ""of"" it");
    insert into event_map_type values ('Pay it', 'Pay'), ('Ship it', 'Ship');
    insert into object_map_type values ('Order', 'Order');
"""
ORDER = """insert into object values ('o1', 'Order');
           insert into object_Order values ('o1', '1970-01-01 01:00:00', null, 10, null);"""
PAID = """insert into event values ('e1', 'Pay it'); insert into event_Pay values ('e1', '2026-03-01 10:00:00', 2.50);
          insert into event_object values ('e1', 'o1', 'pays')"""
Row = dict[str, Any]


def write_log(folder: Path, *statements: str, schema: str = SCHEMA) -> Path:
    path = folder / "log.sqlite"
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as database:
        database.executescript(";".join([schema, *statements]))
        database.commit()
    return path


def read_rows(path: Path) -> list[Row]:
    rows = [row for chunk in OcelSource(path).chunks() for row in chunk.rows.to_pylist()]
    return [row | {name: json.loads(row[name] or "null") for name in ("data", "metadata")} for row in rows]


def test_an_event_keeps_its_id_its_type_its_attributes_and_its_objects_and_stands_in_the_first_ones_stream(
    tmp_path: Path,
) -> None:
    more = "; insert into event_object values ('e1', 'truck', 'carries'), ('e1', 'o2', null)"
    _, row = read_rows(write_log(tmp_path, ORDER, PAID + more))
    assert (row["event_id"], row["event_type"], row["stream_id"]) == ("e1", "Pay it", "o1")
    assert row["occurred_at"] == "2026-03-01T10:00:00Z"
    assert row["data"] == {
        "objects": [
            {"id": "o1", "type": "Order", "qualifier": "pays"},
            {"id": "truck", "type": None, "qualifier": "carries"},
            {"id": "o2", "type": None, "qualifier": None},
        ],
        "attributes": {"Amount": 2.5},
    }
    assert row["metadata"] == {"ocel": {"table": "event_Pay", "row": 1}}
    assert (row["offset"], row["line"]) == (1, 2)


def test_an_event_without_objects_is_a_stream_of_its_own(tmp_path: Path) -> None:
    event = "insert into event values ('e9', 'Ship it'); insert into event_Ship values ('e9', '2026-03-01T10:00:00Z')"
    (row,) = read_rows(write_log(tmp_path, event))
    assert (row["stream_id"], row["data"]) == ("event/e9", {"objects": [], "attributes": {}})


def test_initial_values_hold_from_the_first_event_of_their_object_and_not_from_1970(tmp_path: Path) -> None:
    relation = "insert into object_object values ('o1', 'o2', 'follows')"
    created, paid = read_rows(write_log(tmp_path, ORDER, PAID, relation))
    assert (created["event_id"], created["stream_id"], created["event_type"]) == ("object/o1", "o1", CREATED)
    assert created["occurred_at"] == "2026-03-01T10:00:00.000000Z"
    assert created["data"] == {
        "type": "Order",
        "attributes": {"Price": 10},
        "relations": [{"id": "o2", "type": None, "qualifier": "follows"}],
    }
    told = {"table": "object_Order", "row": 1, "time": "1970-01-01 01:00:00", "changed_field": None}
    assert created["metadata"] == {"ocel": told}
    assert paid["event_id"] == "e1"


@pytest.mark.parametrize(
    ("change", "since"),
    [("2026-02-01 00:00:00", "2026-02-01T00:00:00.000000Z"), ("2026-04-01 00:00:00", "2026-03-01T10:00:00.000000Z")],
)
def test_a_change_before_the_first_event_is_when_the_object_is_first_heard_of(
    tmp_path: Path, change: str, since: str
) -> None:
    row = f"insert into object_Order values ('o1', '{change}', 'Price', 11, null)"  # noqa: S608 - our own text
    rows = read_rows(write_log(tmp_path, ORDER, PAID, row))
    (created,) = (row for row in rows if row["event_type"] == CREATED)
    assert created["occurred_at"] == since
    assert rows.index(created) == 0


def test_an_object_that_nothing_happens_to_is_heard_of_with_the_first_event(tmp_path: Path) -> None:
    rows = read_rows(write_log(tmp_path, ORDER, PAID, "insert into object values ('o7', 'Order'), ('x', 'Unknown')"))
    found = {row["stream_id"]: row for row in rows if row["event_type"] == CREATED}
    assert found["o7"]["occurred_at"] == found["x"]["occurred_at"] == "2026-03-01T10:00:00.000000Z"
    assert found["x"]["data"] == {"type": "Unknown", "attributes": {}, "relations": []}


def test_initial_values_with_a_time_of_their_own_keep_it(tmp_path: Path) -> None:
    own = "update object_Order set ocel_time = '2026-01-15T12:00:00+02:00'"
    created = read_rows(write_log(tmp_path, ORDER, PAID, own))[0]
    assert created["occurred_at"] == "2026-01-15T12:00:00+02:00"


def test_each_later_row_is_a_change_and_one_to_nothing_says_null(tmp_path: Path) -> None:
    changes = f"""insert into object_Order values ('o1', '2026-03-02 00:00:00', 'Price', 11.5, null),
        ('o1', '2026-03-02 00:00:00', 'Price', 12, null), ('o1', '2026-03-03 00:00:00', 'State "of" it', null, null),
        ('o1', '{FIRST}', null, 13, 'all')"""  # noqa: S608 - our own text
    rows = read_rows(write_log(tmp_path, ORDER, PAID, changes))
    assert [(row["event_type"], row["event_id"], row["data"].get("attributes")) for row in rows] == [
        (CREATED, "object/o1", {"Price": 10}),
        ("Pay it", "e1", {"Amount": 2.5}),
        (CHANGED, "object/o1/2026-03-01T10:00:00Z/", {"Price": 13, 'State "of" it': "all"}),
        (CHANGED, "object/o1/2026-03-02T00:00:00Z/Price", {"Price": 11.5}),
        (CHANGED, "object/o1/2026-03-02T00:00:00Z/Price/2", {"Price": 12}),
        (CHANGED, 'object/o1/2026-03-03T00:00:00Z/State "of" it', {'State "of" it': None}),
    ]
    assert {row["stream_id"] for row in rows} == {"o1"}


def test_an_object_that_only_its_own_table_knows_is_kept(tmp_path: Path) -> None:
    rows = read_rows(
        write_log(tmp_path, "insert into object_Order values ('o3', '2026-03-01 10:00:00', null, 1, null)")
    )
    assert [(row["stream_id"], row["data"]["attributes"]) for row in rows] == [("o3", {"Price": 1})]


def test_values_that_json_does_not_have_become_text(tmp_path: Path) -> None:
    odd = 'update object_Order set Price = 9e999, "State ""of"" it" = x\'00ff\''
    created = read_rows(write_log(tmp_path, ORDER, PAID, odd))[0]
    assert created["data"]["attributes"] == {"Price": "inf", 'State "of" it': "AP8="}


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2026-03-01 10:00:00", "2026-03-01T10:00:00Z"),
        ("2026-03-01T10:00:00.25", "2026-03-01T10:00:00.25Z"),
        ("2026-03-01 10:00:00+0100", "2026-03-01T10:00:00+01:00"),
        ("2026-03-01T10:00:00Z", "2026-03-01T10:00:00Z"),
        ("1 March", "1 March"),
        (None, None),
        (1_772_359_200, "1772359200"),
    ],
)
def test_a_time_without_a_zone_is_utc(written: Any, read: str | None) -> None:
    assert write_time(written) == read


def test_what_cannot_be_an_event_is_quarantined_with_its_row(tmp_path: Path) -> None:
    broken = """insert into event values
            ('late', 'Pay it'), ('untyped', 'Sing'), ('soon', 'Ship it'), (null, 'Ship it');
        insert into event_Ship values ('nobody', '2026-03-01 10:00:00'), ('soon', 'tomorrow');
        insert into event_object values ('missing', 'o1', 'x');
        insert into object_object values ('missing', 'o1', 'x');
        insert into object_Order values (null, '2026-03-01 10:00:00', null, 5, null),
            ('o1', '2026-03-01 10:00:00', 'Price', cast(x'c328' as text), null)"""
    path = write_log(tmp_path, ORDER, PAID, broken)
    with connect(tmp_path / "log") as session:
        report = session.ingest(path)
        assert (report.read, report.appended, report.quarantined) == (11, 2, 9)
        waiting = session.quarantine()
        assert Counter(waiting["reason"].to_list()) == {"malformed_row": 6, "missing_attribute": 2, "malformed_time": 1}
        texts = "\n".join(waiting["raw"].to_list())
        assert all(f'"{word}"' in texts for word in ("missing", "nobody", "untyped", "late", "tomorrow"))


def test_a_log_without_any_time_has_objects_that_nobody_can_place(tmp_path: Path) -> None:
    (row,) = read_rows(write_log(tmp_path, ORDER))
    assert row["occurred_at"] is None


NOT_OCEL = [
    ("create table event(a)", "no table event_map_type|has no column ocel_id in the table event; it has a"),
    ("create table x(a)", "has no table event, so it is not OCEL 2.0"),
    (SCHEMA + "drop table event_Ship", "has no table event_Ship"),
    (
        SCHEMA + "drop table event_Ship; create view event_Ship as select 1 as ocel_id, 2 as ocel_time",
        "no table event_S",
    ),
    (
        SCHEMA + "alter table object_Order drop column ocel_changed_field",
        "no column ocel_changed_field in the table obj",
    ),
]


@pytest.mark.parametrize(("schema", "said"), NOT_OCEL)
def test_a_database_that_is_not_ocel_is_refused_with_what_it_lacks(tmp_path: Path, schema: str, said: str) -> None:
    with pytest.raises(SourceError, match=said):
        read_rows(write_log(tmp_path, schema=schema))


def test_a_file_that_is_no_database_or_truncated_or_damaged_is_refused(tmp_path: Path) -> None:
    path = write_log(tmp_path, ORDER, PAID)
    whole = path.read_bytes()
    for content, said in (
        (b"SQLite format 4", "is no SQLite database"),
        (whole[:-4096], "is truncated"),
        (whole[:4096] + bytes(len(whole) - 4096), "is damaged"),
        (whole[:64] + b"\xff" * 4000 + whole[4064:], "is damaged"),
        (gzip.compress(whole)[:-200], "is truncated"),
    ):
        path.write_bytes(content)
        with pytest.raises(SourceError, match=said):
            read_rows(path)


def test_a_file_is_left_as_it_is_and_what_was_unpacked_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_log(tmp_path, ORDER, PAID)
    whole = path.read_bytes()
    packed = tmp_path / "log.sqlite.gz"
    packed.write_bytes(gzip.compress(whole))
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    assert [row["event_id"] for row in read_rows(packed)] == [row["event_id"] for row in read_rows(path)]
    assert list(scratch.iterdir()) == []
    assert path.read_bytes() == whole
    assert {file.name for file in tmp_path.iterdir()} == {"log.sqlite", "log.sqlite.gz", "scratch"}


def test_a_long_file_comes_in_chunks_that_count_on(tmp_path: Path) -> None:
    many = """insert into event with recursive n(i) as (select 0 union all select i + 1 from n where i < 24999)
        select 'e' || i, 'Ship it' from n;
        insert into event_Ship select ocel_id, '2026-03-01 10:00:00' from event"""
    chunks = [chunk.rows for chunk in OcelSource(write_log(tmp_path, many)).chunks()]
    assert [rows.num_rows for rows in chunks] == [20_000, 5_000]
    assert [offset for rows in chunks for offset in rows["offset"].to_pylist()] == list(range(25_000))


# The published log of a container forwarder.


@pytest.fixture(scope="module")
def logistics(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    packed = shared_data / "ocel2-logistics" / "logistics.sqlite.gz"
    path = tmp_path_factory.mktemp("unpacked") / "logistics.sqlite"
    path.write_bytes(gzip.decompress(packed.read_bytes()))
    with closing(sqlite3.connect(path)) as database:
        yield database


@pytest.fixture(scope="module")
def session(real_logs: RealLogs, shared_data: Path) -> Iterator[Session]:
    folder, (report,) = real_logs.take("logistics")
    assert [report[name] for name in ("read", "appended", "duplicates", "quarantined")] == [11_117, 11_117, 0, 0]
    with connect(folder) as session:
        again = session.ingest(shared_data / "ocel2-logistics" / "logistics.sqlite.gz")
        assert (again.appended, again.duplicates) == (0, 11_117)
        yield session


def count(database: sqlite3.Connection, table: str) -> int:
    number: int = database.execute(f'select count(*) from "{table}"').fetchone()[0]  # noqa: S608 - the file's own names
    return number


@pytest.mark.data
def test_the_published_counts_come_out_of_the_log(session: Session, logistics: sqlite3.Connection) -> None:
    kinds = dict(session.sql("select event_type, count(*) as n from events group by 1").rows())
    created, changed = kinds.pop(CREATED), kinds.pop(CHANGED)
    assert (sum(kinds.values()), len(kinds), created) == (8_727, 13, 970)
    rows = {
        table: count(logistics, table)
        for (table,) in logistics.execute("select 'object_' || ocel_type_map from object_map_type")
    }
    assert (len(rows), rows["object_Container"], sum(rows.values())) == (7, 1_530, created + changed)
    events = session.events(limit=20_000)["data"].to_list()
    payloads = [json.loads(text) for text in events]
    assert sum(len(payload.get("objects", [])) for payload in payloads) == 16_738
    assert sum(len(payload.get("relations", [])) for payload in payloads) == 3_960


@pytest.mark.data
def test_every_relation_is_the_files(session: Session, logistics: sqlite3.Connection) -> None:
    frame = session.events(limit=20_000).select("event_id", "stream_id", "data")
    linked, related = set(), set()
    for event_id, stream_id, text in frame.rows():
        payload = json.loads(text)
        linked |= {(event_id, item["id"], item["qualifier"]) for item in payload.get("objects", [])}
        related |= {(stream_id, item["id"], item["qualifier"]) for item in payload.get("relations", [])}
    assert linked == set(logistics.execute("select * from event_object"))
    assert related == set(logistics.execute("select * from object_object"))


def read_moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


class Objects:
    """The object tables over time, read straight from the file and independently of the source."""

    def __init__(self, database: sqlite3.Connection) -> None:
        heard: dict[str, datetime] = {}
        for (table,) in database.execute("select 'event_' || ocel_type_map from event_map_type").fetchall():
            asked = f"""select r.ocel_object_id, min(t.ocel_time) from "{table}" t
                        join event_object r on r.ocel_event_id = t.ocel_id group by 1"""  # noqa: S608 - the file's own names
            for name, text in database.execute(asked):
                heard[name] = min(heard.get(name, datetime.max.replace(tzinfo=UTC)), read_moment(text))
        self.values: dict[tuple[str, str], list[tuple[datetime, Any]]] = {}
        self.heard: dict[str, datetime] = {}
        for (table,) in database.execute("select 'object_' || ocel_type_map from object_map_type").fetchall():
            cursor = database.execute(f'select * from "{table}" order by ocel_time')  # noqa: S608 - the file's own names
            fields = [column[0] for column in cursor.description]
            for name, text, changed, *values in cursor:
                at = heard[name] if changed is None else read_moment(text)
                self.heard[name] = min(self.heard.get(name, at), at)
                for field, value in zip(fields[3:], values, strict=True):
                    if value is not None:
                        self.values.setdefault((name, field), []).append((at, value))

    def at(self, moment: datetime) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {name: {} for name, since in self.heard.items() if since <= moment}
        for (name, field), steps in self.values.items():
            place = bisect_right([at for at, _ in steps], moment)
            if place:
                found[name][field] = steps[place - 1][1]
        return found


def fold(rows: Sequence[tuple[Any, ...]]) -> dict[str, dict[str, Any]]:
    objects: dict[str, dict[str, Any]] = {}
    for _, stream_id, text in sorted(rows):
        objects.setdefault(stream_id, {}).update(json.loads(text)["attributes"])
    return objects


def list_moments(expected: Objects) -> list[datetime]:
    """Moments over the whole log, and around the times of one container."""
    first, last = min(expected.heard.values()), max(at for steps in expected.values.values() for at, _ in steps)
    moments = [first - timedelta(microseconds=1), *(first + (last - first) * step / 11 for step in range(12))]
    moments += [at for at, _ in expected.values["cr2", "Status"]] + [expected.heard["cr2"] - timedelta(microseconds=1)]
    assert expected.at(moments[0]) == {}
    assert len(expected.at(last)) == 970
    return moments


@pytest.mark.data
def test_the_object_tables_over_time_are_what_the_events_up_to_then_say(
    session: Session, logistics: sqlite3.Connection
) -> None:
    expected = Objects(logistics)
    for moment in list_moments(expected):
        events = session.events(event_types=[CREATED, CHANGED], as_of=moment, limit=20_000)
        assert fold(events.select("position", "stream_id", "data").rows()) == expected.at(moment)


@pytest.mark.data
def test_the_object_tables_over_time_are_the_state_of_a_projection(
    session: Session, logistics: sqlite3.Connection
) -> None:
    kinds = [CREATED, CHANGED]
    objects = make_projection(
        {
            "name": "objects",
            "fields": {
                "type": {"rule": "last", "kind": "text", "event_types": kinds, "value": "data.type"},
                "attributes": {"rule": "merge", "kind": "json", "event_types": kinds, "value": "data.attributes"},
            },
        }
    )
    expected = Objects(logistics)
    for moment in list_moments(expected):
        states = session.state(objects, as_of=moment)
        found = dict(states.select("entity_id", "attributes").rows())
        known = {name: json.loads(text) for name, text in found.items() if text is not None}
        assert known == expected.at(moment)
    kinds_of = dict(session.state(objects).select("entity_id", "type").rows())
    listed = dict(logistics.execute("select ocel_id, ocel_type from object"))
    assert {name: kind for name, kind in kinds_of.items() if kind is not None} == listed
