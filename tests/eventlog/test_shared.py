"""A log in a catalog that several machines share, tried on a SQL catalog: no lock between them, and nothing lost."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyiceberg.exceptions import CommitFailedException, CommitStateUnknownException, ForbiddenError

from tests.eventlog.logs import append, assert_whole, files_below, live_files, make_events
from tests.eventlog.writers import open_machine
from tests.eventlog.writing.test_outcome import Wire
from workbench.decode import DecodeContext
from workbench.decode.registry import load_registry
from workbench.errors import CommitUnknownError, ConfigError, StorageError
from workbench.eventlog import NativeLog
from workbench.eventlog.files import arrow_schema
from workbench.eventlog.index.published import COMMITS, index_location, publish_index, read_published
from workbench.eventlog.writing.outcome import Courtesy, Patience, UnlandedError
from workbench.sources import open_source

Machine = Callable[[str], NativeLog]


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    return tmp_path / "warehouse"


@pytest.fixture
def machine(tmp_path: Path, warehouse: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A maker of the log as a machine of that name opens it."""
    warehouse.mkdir()
    settings = {"TYPE": "sql", "URI": f"sqlite:///{tmp_path / 'catalog.db'}", "WAREHOUSE": f"file://{warehouse}"}
    for name, value in settings.items():
        monkeypatch.setenv(f"PYICEBERG_CATALOG__LAKE__{name}", value)
    return lambda name: open_machine(tmp_path / "machines" / name, "log")


def data_files(warehouse: Path) -> set[Path]:
    return {path for path in files_below(warehouse) if path.suffix == ".parquet"}


def test_machines_keep_one_order_and_each_a_memory_of_its_own(machine: Machine, tmp_path: Path) -> None:
    one, two = machine("one"), machine("two")
    for number in range(0, 40, 2):
        append(one, make_events(number, 2))
        assert append(two, make_events(number, 3)).appended_count == 1
        assert append(one, make_events(number + 1, 1)).duplicate_count == 1
    assert assert_whole(one).num_rows == 41
    assert len(list((tmp_path / "machines").glob("*/*/derived/index/mark"))) == 2
    assert all(finding.holds for finding in one.verify())


@pytest.mark.parametrize("lost", [ConnectionError("lost"), CommitStateUnknownException("bad gateway"), TimeoutError()])
def test_the_files_of_an_unknown_outcome_stay(machine: Machine, warehouse: Path, lost: Exception) -> None:
    log = machine("one")
    append(log, make_events(0, 1))
    Wire(log, [lost])
    assert append(log, make_events(1, 3)).positions.tolist() == [1, 2, 3]
    assert len(data_files(warehouse)) == 3
    assert_whole(log)


def test_a_request_that_lands_late_is_found_and_not_done_again(machine: Machine) -> None:
    log = machine("one")
    catalog: Any = log._store.tables.catalog
    commit, late = catalog.commit_table, list[tuple[Any, ...]]()

    def hold(*given: Any) -> Any:
        catalog.commit_table = arrive_first
        late.append(given)
        raise ConnectionError("held up on its way")

    def arrive_first(*given: Any) -> Any:
        catalog.commit_table = commit
        commit(*late.pop())
        return commit(*given)

    catalog.commit_table = hold
    written = append(log, make_events(0, 3))
    assert (written.positions.tolist(), written.appended_count) == ([0, 1, 2], 3)
    assert assert_whole(machine("two")).num_rows == 3


def test_an_overtaken_attempt_leaves_no_file_and_a_refused_login_no_doubt(machine: Machine, warehouse: Path) -> None:
    log = machine("one")
    append(log, make_events(0, 1))
    Wire(log, [CommitFailedException("overtaken")] * 3)
    append(log, make_events(1, 1))
    assert data_files(warehouse) == live_files(log)
    Wire(log, [ForbiddenError("not yours")])
    with pytest.raises(StorageError, match="the catalog forbids it to this login"):
        append(log, make_events(2, 1))
    assert assert_whole(log).num_rows == 2


def test_a_catalog_that_stays_silent_leaves_the_outcome_unknown(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = machine("one")
    monkeypatch.setattr("workbench.eventlog.writing.outcome.time.sleep", lambda _: None)
    wire = Wire(log, [CommitStateUnknownException("gateway")] * 20)
    with pytest.raises(CommitUnknownError, match="the catalog failed: gateway"):
        append(log, make_events(0, 2))
    wire.plan.clear()
    assert append(log, make_events(0, 2)).positions.tolist() == [0, 1]


@pytest.mark.parametrize("seed", range(6))
def test_losses_at_random_over_two_machines_double_nothing(machine: Machine, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - a seed repeats the faults
    logs = [machine("one"), machine("two")]
    wires = [Wire(log, []) for log in logs]
    receipts: dict[int, list[int]] = {}
    for number in range(6):
        which = chance.randrange(2)
        wires[which].plan = chance.choices(["before", "after", "whole"], k=chance.choice([1, 2, 3]))
        receipts[number] = append(logs[which], make_events(5 * number, 5)).positions.tolist()
    for number, positions in receipts.items():
        assert append(logs[number % 2], make_events(5 * number, 5)).positions.tolist() == positions
    assert assert_whole(machine("three")).num_rows == 30


def test_a_file_that_two_machines_take_in_is_taken_once_and_quarantined_once(machine: Machine, tmp_path: Path) -> None:
    path = tmp_path / "facts.jsonl"
    good = [
        f'{{"event_id":"e{n}","stream_id":"s","event_type":"Made","occurred_at":"2026-01-01T00:00:00Z","data":{{"n":{n}}}}}'
        for n in range(20)
    ]
    path.write_text("\n".join([*good, '{"event_id":"bad"}', "no json"]) + "\n", encoding="utf-8")
    context = DecodeContext(source_name="facts", registry=load_registry(None))
    logs = [machine("one"), machine("two")]
    catalog: Any = logs[0]._store.tables.catalog
    commit = catalog.commit_table

    def overtake(*given: Any) -> Any:
        catalog.commit_table = commit
        logs[1].ingest(open_source(path), context, path=path)
        return commit(*given)

    catalog.commit_table = overtake
    report = logs[0].ingest(open_source(path), context, path=path)
    assert (report.read, report.appended, report.duplicates, report.quarantined) == (22, 0, 20, 2)
    assert logs[1].quarantined_count() == 2
    assert logs[0]._store.tables.quarantine.scan().to_arrow().num_rows == 2
    assert assert_whole(logs[0]).num_rows == 20


def test_a_machine_publishes_what_it_knows_when_many_commits_were_made(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.eventlog.index.published.COMMITS", 4)
    one, two = machine("one"), machine("two")
    for number in range(3):
        append(one, make_events(number, 1))
    table = one._store.tables.events
    assert read_published(table) is None
    append(two, make_events(3, 1))
    published = read_published(table)
    assert published is not None
    assert published.mark.position == 3
    with one._store.writing() as (table, _):
        assert publish_index(table, one._store.index, limit=10) is None
    assert index_location(table).rpartition("/workbench-index/")[0] in table.location()
    assert not index_location(table).startswith(table.location())
    assert COMMITS == 256


def test_a_maintained_log_says_so_and_holds_the_same_events(machine: Machine, warehouse: Path) -> None:
    one, two = machine("one"), machine("two")
    for number in range(5):
        append(one, make_events(number * 3, 3))
    before = assert_whole(two)
    report = two.maintain()
    after = assert_whole(one)
    assert (report.merged_files, report.by_stream_position) == (5, 14)
    assert after.slice(0, 15).equals(before)
    assert after.column("event_type").to_pylist()[15:] == ["LogMaintained"]
    assert two.maintain().merged_files == 2
    assert data_files(warehouse) >= live_files(one)
    assert {figure.verdict for figure in one.figures()} <= {"good", "note"}


def test_who_waited_longest_asks_most_often_and_who_has_just_written_waits() -> None:
    courtesy = Courtesy()
    courtesy.note(500, 501, 0.5, overtaken=True)
    courtesy.note(503, 504, 0.5, overtaken=False)
    assert courtesy._pause == 0.5
    courtesy.note(504, 505, 0.5, overtaken=True)
    assert courtesy._pause == 0
    courtesy.note(508, 509, 0.5, overtaken=True)
    assert courtesy._pause == 1.5
    patience = Patience(is_shared=True)
    patience.begin()
    error = UnlandedError.__new__(UnlandedError)
    error.cause = CommitFailedException("overtaken")
    patience._overtaken = 30
    assert patience._pause(error) < 0.001


def test_a_catalog_is_opened_as_pyiceberg_is_configured_now(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine("one")
    monkeypatch.setenv("PYICEBERG_CATALOG__LAKE__TYPE", "unheard-of")
    with pytest.raises(ConfigError, match="PyIceberg knows no catalog 'lake'"):
        machine("two")


def test_an_inbox_that_two_machines_drain_at_once_is_taken_in_once(machine: Machine) -> None:
    one, two = machine("one"), machine("two")
    inbox = one._store.tables.inbox
    rows = {
        "event_id": ["p1", None, "p3"],
        "source": ["crm"] * 3,
        "stream_id": ["s"] * 3,
        "event_type": ["Made", "Made", None],
        "schema_version": [1] * 3,
        "occurred_at": [make_events(0, 1)[0].occurred_at] * 3,
        "data": ["{}"] * 3,
    }
    schema = pa.schema([field for field in arrow_schema(inbox) if field.name in rows])
    inbox.append(pa.table(rows, schema=schema))
    context = DecodeContext(source_name="events_inbox", registry=load_registry(None))
    catalog: Any = one._store.tables.catalog
    commit = catalog.commit_table

    def overtake(*given: Any) -> Any:
        catalog.commit_table = commit
        assert two.drain_inbox(context).appended == 2
        return commit(*given)

    catalog.commit_table = overtake
    report = one.drain_inbox(context)
    assert (report.read, report.appended, report.duplicates, report.quarantined) == (3, 0, 2, 1)
    assert one.drain_inbox(context).read == 0
    assert two.quarantined_count() == 1
    assert assert_whole(one).num_rows == 2
