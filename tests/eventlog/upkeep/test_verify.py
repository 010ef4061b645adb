"""Whatever is done to a log behind our back, verify finds it and says where."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyiceberg.table import Table

from tests.builders import START, build_event, build_events
from tests.eventlog.tables import open_catalog
from workbench import connect
from workbench.eventlog.files import arrow_schema, local_path
from workbench.eventlog.native import NativeLog
from workbench.eventlog.store import Store
from workbench.session import Session

Rows = list[dict[str, Any]]


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with connect(tmp_path / "bank") as opened:
        for number in range(4):
            opened.append(build_events(5, stream_id=f"account-{number % 2}", data={"n": number, "text": "Grüße 1.50"}))
        yield opened


def store(session: Session) -> Store:
    log = session._log
    assert isinstance(log, NativeLog)
    return log._store


def broken(session: Session) -> dict[str, str]:
    """The checks that do not hold, with what was seen."""
    findings = session.verify()
    assert findings.columns == ["check", "found", "detail", "holds"]
    assert (findings["holds"] == (findings["found"] == 0)).all()
    return dict(findings.filter(~pl.col("holds")).select("check", "detail").iter_rows())


def tamper(table: Table, change: Callable[[Rows], Rows], file: int = 0) -> None:
    """Rewrite one data file in place, as only someone at the storage could."""
    paths = sorted(Path(local_path(task.file.file_path)) for task in table.scan().plan_files())
    ordered = sorted(paths, key=lambda path: pq.read_table(path).column("position")[0].as_py())
    rows = change(pq.ParquetFile(ordered[file]).read().to_pylist())
    pq.write_table(pa.Table.from_pylist(rows, schema=arrow_schema(table)), ordered[file])


def test_a_log_in_order_holds_every_check(session: Session) -> None:
    assert broken(session) == {}
    assert session.verify()["check"].to_list() == [
        "foreign writes",
        "snapshots",
        "files",
        "positions",
        "head",
        "recorded_at",
        "digests",
        "index",
        "by stream",
        "complete",
        "keys",
        "stream versions",
    ]


def test_an_empty_log_is_in_order(tmp_path: Path) -> None:
    with connect(tmp_path / "new") as opened:
        assert broken(opened) == {}


def test_merging_and_adopting_leave_it_in_order(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.eventlog.upkeep.verify.ROWS_AT_ONCE", 3)
    session.maintain()
    for _ in range(20):
        session.append([build_event()])
    table = store(session).tables.events
    last = session.events(after=38).row(0, named=True)
    table.append(pa.Table.from_pylist([last | {"event_id": "f1", "position": 90}], schema=arrow_schema(table)))
    assert set(broken(session)) >= {"foreign writes", "positions", "digests", "head"}
    session.adopt()
    assert broken(session) == {}
    session.maintain()
    assert broken(session) == {}
    assert "1 adopted" in session.verify()["detail"][0]


def test_changed_content_is_found_by_its_digest(session: Session) -> None:
    def change(rows: Rows) -> Rows:
        return [row | {"data": '{"n":1,"text":"Gruß"}'} if row["position"] == 7 else row for row in rows]

    tamper(store(session).tables.events, change, file=1)
    assert broken(session) == {"digests": "content differs from its digest at position 7."}


def test_content_that_can_no_longer_be_read_is_found_too(session: Session) -> None:
    tamper(store(session).tables.events, lambda rows: [row | {"data": '{"n":'} for row in rows], file=1)
    assert broken(session) == {"digests": "content differs from its digest at position 5."}
    assert session.verify().filter(pl.col("check") == "digests")["found"].item() == 5


def test_content_changed_together_with_its_digest_is_found_by_head_and_index(session: Session) -> None:
    other = connect(store(session).folder.parent.parent / "other")
    with other:
        other.append(build_events(1, stream_id="account-0", data={"n": 99}))
        forged = {name: other.events().row(0, named=True)[name] for name in ("data", "metadata", "digest")}
        forged |= {name: other.events().row(0, named=True)[name] for name in ("event_id", "occurred_at")}
    tamper(store(session).tables.events, lambda rows: [rows[0] | forged, *rows[1:]])
    assert set(broken(session)) == {"head", "index"}


def test_a_lost_row_is_a_gap(session: Session) -> None:
    tamper(store(session).tables.events, lambda rows: rows[:2] + rows[3:], file=1)
    found = broken(session)
    assert found["positions"] == "broken at 8 after 6."
    assert "event count" in found["head"]
    assert "account-1" in found["stream versions"]


def test_a_row_that_stands_twice_is_found_by_its_key(session: Session) -> None:
    tamper(store(session).tables.events, lambda rows: [*rows[:4], rows[3] | {"position": 4}])
    found = broken(session)
    assert "keys" in found
    assert "position 4" in found["index"]


def test_recording_times_that_go_back_are_found(session: Session) -> None:
    early = datetime(2001, 1, 1, tzinfo=UTC)
    tamper(store(session).tables.events, lambda rows: [*rows[:2], rows[2] | {"recorded_at": early}, *rows[3:]], file=1)
    assert broken(session) == {"recorded_at": "goes back at position 7."}


def test_a_missing_file_is_named(session: Session) -> None:
    task = next(iter(store(session).tables.events.scan().plan_files()))
    path = Path(local_path(task.file.file_path))
    path.unlink()
    found = broken(session)
    assert path.name in found["files"]
    assert {"head", "keys"} <= found.keys()


def test_a_foreign_delete_is_found(session: Session) -> None:
    store(session).tables.events.delete("position = 19")
    found = broken(session)
    assert "removed" in found["foreign writes"]
    assert "snapshots" in found
    assert "position" in found["head"]


def test_a_damaged_index_is_found_and_mended_by_the_next_append(session: Session) -> None:
    mark = store(session).folder / "index" / "mark"
    mark.write_bytes(b"damaged")
    assert list(broken(session)) == ["index"]
    session.append([build_event()])
    assert broken(session) == {}


def test_an_index_that_is_not_there_or_behind_is_no_fault(session: Session) -> None:
    for path in (store(session).folder / "index").iterdir():
        path.unlink()
    assert broken(session) == {}
    assert "20 events behind" in session.verify().filter(pl.col("check") == "index")["detail"].item()


def test_a_layout_by_stream_that_differs_is_found(session: Session) -> None:
    session.maintain()
    tamper(store(session).tables.by_stream, lambda rows: rows[1:])
    assert "15 rows" in broken(session)["by stream"] or "rows where events has 20" in broken(session)["by stream"]


def test_verifying_changes_nothing(session: Session) -> None:
    folder = store(session).folder.parent
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    session.verify()
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()} == before


def test_doctor_says_how_the_log_stands(session: Session) -> None:
    figures = session.doctor()
    assert figures.columns == ["check", "verdict", "found", "remedy"]
    assert figures["check"].to_list() == ["Writers", "Proof", "Files", "Snapshots", "Clock", "By stream", "Inbox"]
    assert set(figures["verdict"]) == {"good"}
    inbox = store(session).tables.inbox
    inbox.append(pa.Table.from_pylist([{"event_id": "e1"}], schema=arrow_schema(inbox)))
    store(session).tables.events.delete("position = 1")
    bad = dict(session.doctor().filter(pl.col("verdict") != "good").select("check", "verdict").iter_rows())
    assert bad == {"Writers": "bad", "Inbox": "note"}


def test_doctor_notes_what_maintenance_and_the_clock_need(
    session: Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("workbench.eventlog.upkeep.figures.MANY_SMALL", 2)
    monkeypatch.setattr("workbench.eventlog.upkeep.figures.LAGGING", 0.0)
    ahead = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    with store(session).tables.events.transaction() as change:
        change.set_properties({"workbench.recorded-at": ahead})
    verdicts = dict(session.doctor().select("check", "verdict").iter_rows())
    assert {name for name, verdict in verdicts.items() if verdict == "note"} == {"Files", "By stream"}
    assert verdicts["Clock"] == "bad"
    (tmp_path / "bank" / "workbench.toml").write_text("[log]\nby_stream = false\n", encoding="utf-8")
    with connect(tmp_path / "bank") as other:
        assert "switched off" in other.doctor().filter(pl.col("check") == "By stream")["found"].item()


def test_a_mapped_log_is_verified_as_far_as_its_mapping_goes(tmp_path: Path) -> None:
    rows = pa.table(
        {
            "seq": pa.array([1, 2, 2, 4], pa.int64()),
            "id": ["a", "b", "b", None],
            "happened": pa.array([START] * 4, pa.timestamp("us", tz="UTC")),
            "stored": pa.array([START + timedelta(days=n) for n in (3, 2, 4, 5)], pa.timestamp("us", tz="UTC")),
        }
    )
    catalog = open_catalog(tmp_path)
    catalog.create_namespace("crm")
    catalog.create_table("crm.audit", rows.schema).append(rows)
    names = {"event_id": "id", "stream_id": "'s'", "event_type": "'t'", "occurred_at": "happened"}
    for extra, expected in (
        ({}, {"complete", "keys"}),
        ({"position": "seq", "recorded_at": "stored"}, {"complete", "keys", "positions", "recorded_at"}),
    ):
        mapping = "\n".join(f'{name} = "{expression}"' for name, expression in (names | extra).items())
        text = f'[log]\ntable = "crm.audit"\n[log.mapping]\n{mapping}\n'
        (tmp_path / "workbench.toml").write_text(text, encoding="utf-8")
        with connect(tmp_path) as session:
            assert set(broken(session)) == expected
            assert session.doctor().is_empty()
