"""The table of lifted payloads, and the log's names as tables, for an engine that reads the catalog itself."""

from pathlib import Path

import msgspec
import pyarrow as pa
import pytest

from tests.builders import build_event, declare_type
from tests.golden import load_cases, write_events, write_schemas
from workbench.config import load_settings
from workbench.decode.registry import load_registry
from workbench.errors import UnsupportedOnThisLogError
from workbench.event import Event
from workbench.eventlog import NativeLog, open_log
from workbench.eventlog.base import Log
from workbench.session import Session, connect

TYPE = declare_type("LoanRequested")


@pytest.fixture
def session(tmp_path: Path) -> Session:
    (tmp_path / "desk" / "schemas").mkdir(parents=True)
    (tmp_path / "desk" / "schemas" / "loan.toml").write_text(TYPE, encoding="utf-8")
    return connect(tmp_path / "desk")


def requests(count: int) -> list[Event]:
    """Requests of the three versions in turn, among deposits."""
    kinds = [("LoanRequested", 1), ("LoanRequested", 2), ("LoanRequested", 3), ("MoneyDeposited", 1)]
    return [
        build_event(event_type=kind, schema_version=version, data={"sum" if version == 1 else "amount": number})
        for number, (kind, version) in enumerate((kinds * count)[:count])
    ]


def native(session: Session) -> NativeLog:
    assert isinstance(session._log, NativeLog)
    return session._log


def read_lifted(session: Session) -> pa.Table:
    """Return the side table's rows as they stand."""
    rows: pa.Table = native(session)._store.tables.catalog.load_table("log_derived.events_lifted").scan().to_arrow()
    return rows.sort_by([("registry_hash", "ascending"), ("position", "ascending")])


def expect_lifted(session: Session) -> list[tuple[int, int, str]]:
    """Return what the embedded engine lifts: position, version and payload of each event that it changes."""
    text = (
        "select e.position, e.schema_version, e.data from events e join events_stored s on e.position = s.position "
        "where e.schema_version <> s.schema_version order by 1"
    )
    return session.sql(text).rows()


def rows_of(table: pa.Table) -> list[tuple[int, int, str]]:
    columns = (table.column(name).to_pylist() for name in ("position", "schema_version", "data"))
    return list(zip(*columns, strict=True))


def test_only_what_the_embedded_engine_lifts_is_kept(session: Session) -> None:
    for size in (9, 1, 3, 14):
        session.append(requests(size))
        native(session).lift(session.registry)
        assert rows_of(read_lifted(session)) == expect_lifted(session)


def test_it_is_made_once_for_each_head(session: Session) -> None:
    session.append(requests(6))
    for _ in range(3):
        native(session).lift(session.registry)
        open_log(session.settings).lift(session.registry)
    catalog = native(session)._store.tables.catalog
    assert len(catalog.load_table("log_derived.events_lifted").snapshots()) == 1


def test_events_that_need_no_lifting_only_move_it_on(session: Session) -> None:
    session.append(requests(4))
    native(session).lift(session.registry)
    before = read_lifted(session)
    session.append([build_event(event_type="MoneyDeposited") for _ in range(5)])
    native(session).lift(session.registry)
    assert read_lifted(session).equals(before)
    session.append(requests(4))
    native(session).lift(session.registry)
    assert rows_of(read_lifted(session)) == expect_lifted(session)


def test_two_registries_lift_side_by_side(session: Session, tmp_path: Path) -> None:
    session.append(requests(8))
    native(session).lift(session.registry)
    other = tmp_path / "other"
    other.mkdir()
    (other / "loan.toml").write_text(TYPE.replace("EUR", "CHF"), encoding="utf-8")
    registry = load_registry(other)
    native(session).lift(registry)
    kept = read_lifted(session)
    assert set(kept.column("registry_hash").to_pylist()) == {session.registry.hash, registry.hash}
    assert kept.num_rows == 2 * len(expect_lifted(session))


def test_what_others_left_in_it_is_made_anew(session: Session) -> None:
    session.append(requests(8))
    native(session).lift(session.registry)
    table = native(session)._store.tables.catalog.load_table("log_derived.events_lifted")
    table.append(table.scan().to_arrow())
    open_log(session.settings).lift(session.registry)
    assert rows_of(read_lifted(session)) == expect_lifted(session)


def tables_of(log: Log, streams: list[str] | None = None) -> list[tuple[str, str, bool, int | None]]:
    """Return namespace, name, whether a snapshot is named, and the cut of each part of `events_stored`."""
    parts = log.shapes(streams)["events_stored"].parts
    assert all(part.table is not None and not part.files for part in parts)
    return [
        (part.table.namespace, part.table.name, part.table.snapshot_id is not None, part.after)
        for part in parts
        if part.table is not None
    ]


def test_an_engine_that_reads_tables_is_given_their_snapshots(session: Session) -> None:
    log = open_log(msgspec.structs.replace(load_settings(session.settings.folder), engine="trino"))
    assert tables_of(log) == [("log", "events", False, None)]
    session.append(requests(8))
    assert tables_of(log, ["account-1"]) == [("log", "events", True, None)]
    session.maintain()
    session.append(requests(2))
    assert tables_of(log) == [("log", "events", True, None)]
    assert tables_of(log, ["account-1"]) == [
        ("log_derived", "events_by_stream", True, None),
        ("log", "events", True, 7),
    ]
    waiting = log.shapes()["quarantine"]
    assert [find().name for find in waiting.tables.values()] == ["quarantine"]


def test_a_mapped_log_has_no_place_for_lifted_payloads(session: Session) -> None:
    with pytest.raises(UnsupportedOnThisLogError, match="LoanRequested"):
        Log.lift(native(session), session.registry)


def test_what_a_python_step_fails_at_stands_there_as_it_was_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = load_cases("python")
    write_schemas(tmp_path / "log" / "schemas", cases)
    monkeypatch.setenv("WORKBENCH_PYTHON_STEPS", "true")
    with connect(tmp_path / "log") as session:
        session.ingest(write_events(tmp_path, cases))
        native(session).lift(session.registry)
        assert rows_of(read_lifted(session).select(["position", "schema_version", "data"])) == [
            (number, 1 if case.fails else 3, bytes(case.lifted).decode()) for number, case in enumerate(cases)
        ]
