"""A table that someone else writes, read under the log's names."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyiceberg.table import Table
from pyiceberg.typedef import Record
from pyiceberg.types import LongType

from tests.builders import START, build_event
from tests.eventlog.tables import delete_equal, delete_positions, open_catalog
from workbench import connect
from workbench.errors import (
    ConfigError,
    MappingError,
    ReadOnlyLogError,
    UnsupportedOnThisLogError,
)
from workbench.session import Session

AUDIT = pa.schema(
    [
        pa.field("seq", pa.int64()),
        pa.field("id", pa.string()),
        pa.field("Entity", pa.string()),
        pa.field("kind", pa.string()),
        pa.field("happened", pa.timestamp("us", tz="UTC")),
        pa.field("stored", pa.timestamp("us", tz="UTC")),
        pa.field("millis", pa.int64()),
        pa.field("local", pa.timestamp("us")),
        pa.field("who", pa.string()),
        pa.field("payload", pa.string()),
        pa.field("tags", pa.list_(pa.string())),
    ]
)
PLAIN = {"event_id": "id", "stream_id": "entity", "event_type": "kind", "occurred_at": "happened"}
WITH_POSITION = PLAIN | {"position": "seq", "recorded_at": "stored"}


def make_rows(start: int, size: int) -> pa.Table:
    """Rows whose time runs backwards in pairs, so that time and position give different orders."""
    numbers = range(start, start + size)
    times = [START + timedelta(minutes=number ^ 1) for number in numbers]
    return pa.table(
        {
            "seq": list(numbers),
            "id": [f"a{number}" for number in numbers],
            "Entity": [f"order-{number % 3}" for number in numbers],
            "kind": ["Opened" if number < 3 else "Changed" for number in numbers],
            "happened": times,
            "stored": [START + timedelta(hours=1, minutes=number) for number in numbers],
            "millis": [int(time.timestamp() * 1000) for time in times],
            "local": [time.replace(tzinfo=None) for time in times],
            "who": ["ann" if number % 2 else None for number in numbers],
            "payload": [f'{{"n":{number}}}' for number in numbers],
            "tags": [["x", "y"]] * size,
        },
        schema=AUDIT,
    )


@pytest.fixture
def table(tmp_path: Path) -> Table:
    """A table of six rows in two files."""
    catalog = open_catalog(tmp_path)
    catalog.create_namespace("crm")
    made = catalog.create_table("crm.audit", AUDIT)
    made.append(make_rows(0, 3))
    made.append(make_rows(3, 3))
    return made


def write_settings(folder: Path, mapping: Mapping[str, str], table: str | None = "crm.audit") -> None:
    lines = ["[log]", *([f'table = "{table}"'] if table else []), "[log.mapping]"]
    lines += [f"{name} = '''{expression}'''" for name, expression in mapping.items()]
    (folder / "workbench.toml").write_text("\n".join(lines), encoding="utf-8")


@pytest.fixture
def opened(tmp_path: Path, table: Table) -> Iterator["Opener"]:  # noqa: ARG001 - the table must be there
    """Sessions on the table, by mapping."""
    opener = Opener(tmp_path)
    yield opener
    opener.close()


class Opener:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sessions: list[Session] = []

    def __call__(self, mapping: Mapping[str, str]) -> Session:
        write_settings(self.folder, mapping)
        self.sessions.append(connect(self.folder))
        return self.sessions[-1]

    def close(self) -> None:
        for session in self.sessions:
            session.close()


def ids(session: Session, **filters: Any) -> list[str]:
    return session.events(**filters)["event_id"].to_list()


def test_with_a_position_column_events_stand_in_its_order(opened: Opener) -> None:
    session = opened(WITH_POSITION)
    assert ids(session) == ["a0", "a1", "a2", "a3", "a4", "a5"]
    assert ids(session, after=3) == ["a4", "a5"]


def test_without_one_they_stand_in_the_order_of_time_source_and_id(opened: Opener) -> None:
    session = opened(PLAIN)
    assert ids(session) == ["a1", "a0", "a3", "a2", "a5", "a4"]
    assert ids(session, limit=2) == ["a1", "a0"]


def test_the_head_is_that_of_the_table(opened: Opener, table: Table) -> None:
    head = opened(WITH_POSITION).head()
    assert (head.position, head.event_count) == (5, 6)
    assert head.recorded_at == START + timedelta(hours=1, minutes=5)
    assert head.snapshot_id == table.metadata.current_snapshot_id
    assert opened(PLAIN).head().position is None


def test_columns_not_mapped_are_null_but_for_source_and_schema_version(opened: Opener) -> None:
    events = opened(PLAIN).events()
    assert events["source"].unique().to_list() == ["crm.audit"]
    assert events["schema_version"].unique().to_list() == [1]
    unmapped = ["position", "stream_version", "recorded_at", "actor_id", "data", "metadata", "digest"]
    assert all(events[name].null_count() == 6 for name in unmapped)


def test_a_column_may_be_an_expression(opened: Opener) -> None:
    session = opened(
        PLAIN
        | {
            "occurred_at": "from_unixtime(millis / 1000.0)",
            "source": "'crm'  -- the only one",
            "actor_id": "upper(who)",
            "actor_kind": "case when who is null then 'system' else 'human' end",
            "data": "json_format(json_parse(payload))",
            "stream_id": "concat('crm/', \"Entity\")",
        }
    )
    first = session.events(limit=1).row(0, named=True)
    assert first["event_id"] == "a1"
    assert first["occurred_at"] == START
    assert first["stream_id"] == "crm/order-1"
    assert (first["actor_id"], first["actor_kind"], first["source"]) == ("ANN", "human", "crm")
    assert first["data"] == '{"n":1}'


def test_filters_and_sql_work_as_on_any_log(opened: Opener) -> None:
    session = opened(WITH_POSITION | {"data": "payload", "actor_id": "who"})
    assert ids(session, stream_ids="order-1", event_types="Changed") == ["a4"]
    assert ids(session, actor_ids=["ann"], text='"N":3') == ["a3"]
    assert ids(session, since=START + timedelta(minutes=2), until=START + timedelta(minutes=4)) == ["a2", "a3"]
    counts = session.sql("select event_type, count(*) as n from events group by event_type order by n desc, event_type")
    assert counts.rows() == [("Changed", 3), ("Opened", 3)]
    assert session.sql("select count(*) as n from events_stored").item() == 6
    assert session.sql("select cardinality(tags) as n from mapped_table limit 1").item() == 2


def test_rows_added_by_its_writers_are_seen_at_once(opened: Opener, table: Table) -> None:
    session = opened(WITH_POSITION)
    assert len(ids(session)) == 6
    table.append(make_rows(6, 2))
    assert ids(session, after=5) == ["a6", "a7"]
    assert session.head().position == 7


def test_rows_deleted_by_place_are_gone(opened: Opener, table: Table) -> None:
    session = opened(WITH_POSITION)
    first = min((task.file for task in table.scan().plan_files()), key=lambda file: file.lower_bounds[1])
    delete_positions(table, first.file_path, [0, 2])
    assert ids(session) == ["a1", "a3", "a4", "a5"]
    assert session.head().event_count == 4
    assert session.sql("select count(*) as n from events").item() == 4


def test_the_last_row_deleted_lowers_the_head(opened: Opener, table: Table) -> None:
    session = opened(WITH_POSITION)
    last = max((task.file for task in table.scan().plan_files()), key=lambda file: file.lower_bounds[1])
    delete_positions(table, last.file_path, [2])
    assert session.head().position == 4
    assert session.head().recorded_at == START + timedelta(hours=1, minutes=4)


def test_rows_deleted_by_equality_are_gone_and_later_ones_stay(opened: Opener, table: Table) -> None:
    session = opened(WITH_POSITION)
    delete_equal(table, kind=["Opened"], Entity=["order-1"])
    delete_equal(table, who=[None])
    table.append(make_rows(6, 2))
    assert ids(session) == ["a3", "a5", "a6", "a7"]
    assert session.head().event_count == 4


def test_an_equality_delete_by_a_column_dropped_since_is_refused(opened: Opener, table: Table) -> None:
    delete_equal(table, payload=['{"n":1}'])
    with table.update_schema() as update:
        update.delete_column("payload")
    session = opened(WITH_POSITION)
    with pytest.raises(UnsupportedOnThisLogError, match="deletes rows by columns it no longer has"):
        session.events()


def test_an_equality_delete_reaches_its_own_partition_alone(tmp_path: Path) -> None:
    catalog = open_catalog(tmp_path)
    catalog.create_namespace("crm")
    parted = catalog.create_table("crm.audit", AUDIT)
    with parted.update_spec() as update:
        update.add_identity("kind")
    parted.append(make_rows(0, 6))
    delete_equal(parted, Record("Changed"), Entity=["order-0", "order-2"])
    write_settings(tmp_path, WITH_POSITION)
    with connect(tmp_path) as session:
        assert ids(session) == ["a0", "a1", "a2", "a4"]
        assert session.head().position == 4


def test_a_table_of_the_first_format_is_read_too(tmp_path: Path) -> None:
    catalog = open_catalog(tmp_path)
    catalog.create_namespace("crm")
    old = catalog.create_table("crm.audit", AUDIT, properties={"format-version": "1"})
    old.append(make_rows(0, 3))
    write_settings(tmp_path, PLAIN)
    with connect(tmp_path) as session:
        assert ids(session) == ["a1", "a0", "a2"]
        with pytest.raises(UnsupportedOnThisLogError):
            session.events(known_at=START)


def test_columns_whose_names_differ_in_case_alone_cannot_be_mapped(tmp_path: Path) -> None:
    catalog = open_catalog(tmp_path)
    catalog.create_namespace("crm")
    rows = make_rows(0, 2).append_column("KIND", pa.array(["x", "y"]))
    catalog.create_table("crm.audit", rows.schema).append(rows)
    write_settings(tmp_path, PLAIN)
    with pytest.raises(MappingError, match="event_type = 'kind'"):
        connect(tmp_path)
    write_settings(tmp_path, PLAIN | {"event_type": "who"})
    with connect(tmp_path) as session:
        assert ids(session) == ["a1", "a0"]


def test_a_catalog_is_found_by_its_name(tmp_path: Path, table: Table) -> None:
    del table
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    write_settings(folder, WITH_POSITION)
    settings = folder / "workbench.toml"
    settings.write_text('catalog = "embedded"\n' + settings.read_text(encoding="utf-8"), encoding="utf-8")
    names = {"TYPE": "sql", "URI": f"sqlite:///{tmp_path / 'catalog.db'}", "WAREHOUSE": f"file://{tmp_path}"}
    environment = {**os.environ, **{f"PYICEBERG_CATALOG__EMBEDDED__{name}": value for name, value in names.items()}}
    asked = "import workbench\nwith workbench.connect('.') as s: print(s.events().height, s.head().position)"
    command = [sys.executable, "-c", asked]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["6", "5"]


def test_a_catalog_nobody_knows_is_named(tmp_path: Path) -> None:
    (tmp_path / "workbench.toml").write_text('catalog = "nobody"\n[log]\ntable = "a.b"\n', encoding="utf-8")
    text = (tmp_path / "workbench.toml").read_text(encoding="utf-8")
    mapping = "\n".join(f'{name} = "{column}"' for name, column in PLAIN.items())
    (tmp_path / "workbench.toml").write_text(f"{text}[log.mapping]\n{mapping}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="no catalog 'nobody'"):
        connect(tmp_path)


def test_a_renamed_column_is_found_in_files_of_both_names(opened: Opener, table: Table) -> None:
    with table.update_schema() as update:
        update.rename_column("kind", "what")
    table.append(make_rows(6, 1).rename_columns(["what" if name == "kind" else name for name in AUDIT.names]))
    session = opened(WITH_POSITION | {"event_type": "what"})
    assert session.events()["event_type"].to_list() == ["Opened"] * 3 + ["Changed"] * 4


def test_a_column_added_later_is_null_before(opened: Opener, table: Table) -> None:
    with table.update_schema() as update:
        update.add_column("tenant", LongType())
    rows = make_rows(6, 1).append_column("tenant", pa.array([7], pa.int64()))
    table.append(rows)
    session = opened(WITH_POSITION | {"correlation_id": "tenant"})
    assert session.events()["correlation_id"].to_list() == [None] * 6 + ["7"]
    assert ids(opened(WITH_POSITION), after=4) == ["a5", "a6"]


def test_known_at_resolves_by_recorded_at_where_it_is_mapped(opened: Opener) -> None:
    session = opened(WITH_POSITION)
    assert ids(session, known_at=START + timedelta(hours=1, minutes=2)) == ["a0", "a1", "a2"]
    assert ids(session, known_at=START) == []
    assert len(ids(session, known_at=START + timedelta(days=1))) == 6


def test_known_at_resolves_by_an_expression_too(opened: Opener) -> None:
    session = opened(WITH_POSITION | {"recorded_at": "stored + interval '1' hour"})
    assert session.head().recorded_at is None
    assert ids(session, known_at=START + timedelta(hours=2, minutes=2)) == ["a0", "a1", "a2"]
    assert ids(session, known_at=START) == []
    assert len(ids(session, known_at=START + timedelta(days=1))) == 6


def test_else_known_at_reads_the_snapshot_of_that_time(opened: Opener, table: Table) -> None:
    session = opened(PLAIN)
    first, second = (entry.timestamp_ms for entry in table.metadata.snapshot_log)
    assert ids(session, known_at=datetime.fromtimestamp((first - 1) / 1000, UTC)) == []
    assert len(ids(session, known_at=datetime.fromtimestamp(second / 1000, UTC))) == 6
    if first < second:
        assert ids(session, known_at=datetime.fromtimestamp(first / 1000, UTC)) == ["a1", "a0", "a2"]
    with pytest.raises(UnsupportedOnThisLogError, match="recorded_at"):
        session.resolve_known_at(START)


def test_known_at_before_the_oldest_kept_snapshot_says_why_it_cannot_be_told(opened: Opener, table: Table) -> None:
    session = opened(PLAIN)
    oldest = table.metadata.snapshot_log[0]
    table.append(make_rows(6, 1))
    table.maintenance.expire_snapshots().by_id(oldest.snapshot_id).commit()
    with pytest.raises(UnsupportedOnThisLogError, match="no longer kept"):
        session.events(known_at=datetime.fromtimestamp(oldest.timestamp_ms / 1000, UTC))


def test_known_at_in_a_gap_between_kept_snapshots_is_refused_too(opened: Opener, table: Table) -> None:
    session = opened(PLAIN)
    table.append(make_rows(6, 1))
    middle = table.metadata.snapshot_log[1]
    table.maintenance.expire_snapshots().by_id(middle.snapshot_id).commit()
    with pytest.raises(UnsupportedOnThisLogError, match="no longer kept"):
        session.events(known_at=datetime.fromtimestamp(middle.timestamp_ms / 1000, UTC))
    assert len(ids(session, known_at=START + timedelta(days=10_000))) == 7


def test_tail_without_positions_gives_what_was_added_by_snapshot(opened: Opener, table: Table) -> None:
    session = opened(PLAIN)
    batches = session.tail(follow=True, pause=0.0)
    assert next(batches)["event_id"].to_list() == ["a1", "a0", "a3", "a2", "a5", "a4"]
    table.append(make_rows(6, 1))
    table.append(make_rows(7, 1))
    assert next(batches)["event_id"].to_list() == ["a7", "a6"]
    seen = session.head().snapshot_id
    assert seen is not None
    assert list(session.tail(after=seen)) == []


def test_tail_refuses_when_rows_were_removed_in_between(opened: Opener, table: Table) -> None:
    session = opened(PLAIN)
    seen = session.head().snapshot_id
    assert seen is not None
    table.delete("id = 'a0'")
    with pytest.raises(UnsupportedOnThisLogError, match="changed or removed rows"):
        next(session.tail(after=seen))


def test_tail_refuses_when_its_snapshot_is_gone(opened: Opener) -> None:
    with pytest.raises(UnsupportedOnThisLogError, match="no longer kept"):
        next(opened(PLAIN).tail(after=12345))


def test_tail_with_positions_goes_by_position(opened: Opener, table: Table) -> None:
    session = opened(WITH_POSITION)
    batches = list(session.tail(after=2, batch=2))
    assert [batch["position"].to_list() for batch in batches] == [[3, 4], [5]]
    table.append(make_rows(6, 1))
    assert [batch["event_id"].to_list() for batch in session.tail(after=5)] == [["a6"]]


def test_an_empty_table_is_an_empty_log(tmp_path: Path) -> None:
    catalog = open_catalog(tmp_path)
    catalog.create_namespace("crm")
    catalog.create_table("crm.audit", AUDIT)
    for mapping in (PLAIN, WITH_POSITION):
        write_settings(tmp_path, mapping)
        with connect(tmp_path) as session:
            assert session.events().is_empty()
            assert session.head().event_count == 0
            assert list(session.tail()) == []


def test_nothing_can_be_added(opened: Opener, tmp_path: Path) -> None:
    session = opened(WITH_POSITION)
    (tmp_path / "more.jsonl").write_text("{}", encoding="utf-8")
    for attempt in (
        lambda: session.append([build_event()]),
        lambda: session.ingest(tmp_path / "more.jsonl", format="jsonlines"),
        session.retry_quarantine,
        session.quarantine,
        session.maintain,
    ):
        with pytest.raises(ReadOnlyLogError, match="mapped from a table that others write"):
            attempt()


def test_the_basis_names_the_snapshot(opened: Opener, table: Table) -> None:
    basis = opened(PLAIN).basis()
    assert (basis.position, basis.snapshot_id) == (None, table.metadata.current_snapshot_id)
    assert (basis.order, opened(WITH_POSITION).basis().order) == ("occurred", "position")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"event_id": "ident"}, "event_id = 'ident'.*ident.*columns are seq, id, entity"),
        ({"when": "happened"}, "'when', which is no column of the log"),
        ({"data": "payload ||"}, "data = 'payload ||' cannot be used"),
        ({"data": "tags"}, "data = 'tags' is of type array"),
        ({"occurred_at": "local"}, "occurred_at = 'local' is of type timestamp.*with_timezone"),
        ({"occurred_at": "millis"}, "occurred_at = 'millis' is of type bigint"),
        ({"position": "seq + 1"}, "position = 'seq \\+ 1' is no column.*plain integer column"),
        ({"position": "id"}, "position = 'id' is of type varchar"),
        ({"stream_version": "payload"}, "stream_version = 'payload' is of type varchar, not a whole number"),
        ({"data": "max(payload)"}, "more than one expression"),
        ({"data": "row_number() over ()"}, "more than one expression|cannot be used"),
        ({"data": "(select max(payload) from mapped_table)"}, "more than one expression"),
        ({"data": "payload) as x, (id"}, "more than one expression"),
        ({"data": "payload) as found from mapped_table where (true"}, "more than one expression|cannot be used"),
        ({"data": "random()"}, "random.*refused|random.*cannot be used"),
        ({"data": "read_text('/etc/passwd')"}, "read_text"),
    ],
)
def test_a_mapping_that_does_not_fit_is_refused_by_name(opened: Opener, changes: dict[str, str], message: str) -> None:
    with pytest.raises(MappingError, match=message):
        opened(PLAIN | changes)


def test_a_mapping_must_say_what_every_event_has(opened: Opener) -> None:
    with pytest.raises(MappingError, match="does not map stream_id, occurred_at"):
        opened({"event_id": "id", "event_type": "kind"})


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (None, "table = None names none"),
        ("audit", "table = 'audit' names none"),
        ("crm.other", "no table 'crm.other'.*crm.audit"),
        ("erp.audit", "no table 'erp.audit'.*no such namespace.*crm"),
    ],
)
def test_a_table_that_is_not_there_is_named(tmp_path: Path, table: Table, name: str | None, message: str) -> None:
    del table
    write_settings(tmp_path, PLAIN, table=name)
    with pytest.raises(ConfigError, match=message):
        connect(tmp_path)


def test_a_table_without_a_mapping_is_refused(tmp_path: Path) -> None:
    (tmp_path / "workbench.toml").write_text('[log]\ntable = "crm.audit"\n', encoding="utf-8")
    with pytest.raises(ConfigError, match=r"table = 'crm\.audit'.*does not say how to read"):
        connect(tmp_path)


def test_after_needs_positions(opened: Opener) -> None:
    with pytest.raises(UnsupportedOnThisLogError, match="after=3 is a position"):
        opened(PLAIN).events(after=3)


def test_payloads_of_older_versions_are_lifted(opened: Opener, tmp_path: Path) -> None:
    (tmp_path / "schemas").mkdir()
    lifted = """
        event_type = "Changed"
        current = 2
        [[hop]]
        from = 1
        to = 2
        steps = [{ rename = "n", to = "number" }]
    """
    (tmp_path / "schemas" / "changed.toml").write_text(lifted, encoding="utf-8")
    session = opened(WITH_POSITION | {"data": "payload"})
    assert session.events(after=4)["data"].to_list() == ['{"number":5}']
    assert session.sql("select data from events_stored where position = 5").item() == '{"n":5}'


def test_a_folder_without_a_catalog_is_left_as_it_is(tmp_path: Path) -> None:
    write_settings(tmp_path, PLAIN)
    with pytest.raises(ConfigError, match=r"there is no .*catalog\.db"):
        connect(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["workbench.toml"]
