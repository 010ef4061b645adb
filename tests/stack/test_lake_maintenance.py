"""Maintenance of a lake, by ourselves and by Trino: files change, and no answer does; each run is in the log."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from tests.eventlog.logs import append, assert_whole, make_events, read_events
from tests.stack.conftest import OpenLake
from workbench.errors import ForeignWriteError, LogBusyError
from workbench.eventlog import NativeLog
from workbench.eventlog.index.published import index_location, publish_index, read_published
from workbench.eventlog.layout import planned_files
from workbench.eventlog.upkeep.cluster import Cluster
from workbench.eventlog.upkeep.orphans import reached_files, remove_unreached
from workbench.eventlog.writing.lease import HOLDER, NAME, UNTIL, Lease, hold_lease
from workbench.session import Session

OpenMachine = Callable[[str], NativeLog]


def fill(session: Session, commits: int = 10) -> None:
    for number in range(commits):
        session.append(make_events(number * 5, 5))


def ask(session: Session, head: int) -> list[pl.DataFrame]:
    """Answers over the events up to a position: all, one stream's, and a count by type."""
    return [
        session.events().filter(pl.col("position") <= head),
        session.events(stream_ids="account-1").filter(pl.col("position") <= head),
        session.sql(
            "select event_type, count(*) as n from events where position <= :head group by 1 order by 1", {"head": head}
        ),
    ]


@pytest.mark.parametrize("engine", ["duckdb", "trino"])
def test_maintenance_changes_no_answer_and_leaves_an_event_of_itself(open_lake: OpenLake, engine: str) -> None:
    session = open_lake(engine=engine)
    fill(session)
    before = session.head()
    answers = ask(session, before.last)
    report = session.maintain()
    assert (report.merged_files, report.by_stream_position) == (9 if engine == "trino" else 10, before.last)
    for earlier, later in zip(answers, ask(session, before.last), strict=True):
        assert_frame_equal(earlier, later)
    run = session.events(stream_ids="workbench-maintenance")
    assert run.select("position", "event_type", "source").row(0) == (before.last + 1, "LogMaintained", "workbench")
    through = {"duckdb": "workbench", "trino": "trino"}[engine]
    assert msgspec.json.decode(run["data"][0]) == {"through": through, **msgspec.structs.asdict(report)}
    found = session.verify()
    assert found.filter(~pl.col("holds")).is_empty(), found
    assert session.append(make_events(0, 51)).appended_count == 1


def test_a_lake_is_maintained_by_one_at_a_time(open_log: OpenMachine) -> None:
    one, two = open_log("one"), open_log("two")
    append(one, make_events(0, 3))
    with hold_lease(one._store.tables) as lease:
        with pytest.raises(LogBusyError, match=f"{lease.holder} has been maintaining"):
            two.maintain()
        assert append(two, make_events(0, 4)).appended_count == 1
    assert two.maintain().by_stream_position == 3


def test_a_lease_that_ran_out_is_free_and_one_of_two_at_once_wins(open_log: OpenMachine) -> None:
    tables = open_log("one")._store.tables
    with hold_lease(tables):
        pass
    dead = tables.load(NAME, derived=True)
    ago = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
    with (
        dead.transaction() as transaction,
        transaction.update_snapshot(snapshot_properties={HOLDER: "dead", UNTIL: ago}).fast_append(),
    ):
        pass
    first, second = Lease(tables), Lease(tables)
    stale = tables.load(NAME, derived=True)
    first.take()
    with pytest.raises(LogBusyError, match="came first"):
        second._say(stale, datetime.now(UTC))
    with pytest.raises(LogBusyError, match=first.holder):
        second.take()
    first.give_back()
    second.take()


def test_only_old_files_that_nothing_reaches_are_removed(open_log: OpenMachine) -> None:
    log = open_log("one")
    for number in range(3):
        append(log, make_events(number, 1))
    table = log._store.tables.events
    stray = f"{table.location()}/data/stray.parquet"
    with table.io.new_output(stray).create(overwrite=True) as stream:
        stream.write(b"left by a writer that died")
    assert remove_unreached(table, 3600.0) == []
    assert remove_unreached(table, 0.0) == [26]
    assert not table.io.new_input(stray).exists()
    assert all(table.io.new_input(path).exists() for path in reached_files(table))
    assert log.maintain().removed_files == 0
    assert assert_whole(log).num_rows == 4


def test_files_are_merged_beside_writers_that_go_on(open_log: OpenMachine) -> None:
    one, two = open_log("one"), open_log("two")
    for number in range(6):
        append(one, make_events(number, 1))
    catalog = one._store.tables.catalog
    commit, started = catalog.commit_table, False

    def overtake(*given: Any, **named: Any) -> Any:
        nonlocal started
        if given[0].name()[-1] == "events" and not started:
            started = True
            append(two, make_events(6, 1))
        return commit(*given, **named)

    catalog.commit_table = overtake  # type: ignore[method-assign]  # another machine appends in between
    assert one.maintain().merged_files == 6
    assert [row["position"] for row in read_events(two).to_pylist()] == list(range(8))
    assert assert_whole(two).num_rows == 8


def test_a_new_machine_downloads_the_index_instead_of_reading_the_log(
    open_log: OpenMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = open_log("one"), open_log("two")
    for number in range(4):
        append(one, make_events(number * 50, 50))
    with one._store.writing() as (table, _):
        assert publish_index(table, one._store.index) == 199
        assert publish_index(table, one._store.index) is None
    append(one, make_events(200, 2))
    monkeypatch.setattr("workbench.eventlog.index.published.WORTH_FETCHING", 10)
    monkeypatch.setattr("workbench.eventlog.store.WORTH_FETCHING", 10)
    read: list[str] = []
    original = two._store.catch_up.__globals__["read_file"]

    def count(table: Any, path: str, *given: Any) -> Any:
        read.append(path)
        return original(table, path, *given)

    monkeypatch.setattr("workbench.eventlog.store.read_file", count)
    written = append(two, make_events(0, 203))
    assert (written.appended_count, written.duplicate_count, len(read)) == (1, 202, 1)
    assert assert_whole(two).num_rows == 203


@pytest.mark.parametrize("damage", ["mark", "run", "other log", "too far", "gone"])
def test_a_published_index_that_cannot_be_used_costs_time_alone(
    open_log: OpenMachine, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    one, two = open_log("one"), open_log("two")
    append(one, make_events(0, 100))
    with one._store.writing() as (table, _):
        publish_index(table, one._store.index)
    published = read_published(table)
    assert published is not None
    _spoil(table, published.mark.events[0], damage)
    monkeypatch.setattr("workbench.eventlog.index.published.WORTH_FETCHING", 10)
    monkeypatch.setattr("workbench.eventlog.store.WORTH_FETCHING", 10)
    assert append(two, make_events(0, 101)).appended_count == 1
    assert assert_whole(two).num_rows == 101


def _spoil(table: Any, run: str, damage: str) -> None:
    place = index_location(table)
    if damage == "gone":
        table.io.delete(f"{place}/{run}")
        return
    name = run if damage == "run" else "mark"
    with table.io.new_input(f"{place}/{name}").open() as stream:
        content = bytearray(stream.read())
    if damage == "other log":
        content = bytearray(content.replace(str(table.metadata.table_uuid).encode(), b"0" * 36))
    elif damage == "too far":
        content = bytearray(content.replace(b'"position":99', b'"position":98'))
    else:
        content[len(content) // 2] ^= 255
    with table.io.new_output(f"{place}/{name}").create(overwrite=True) as stream:
        stream.write(bytes(content))


def test_trino_rearranges_between_commits_and_only_what_it_changed_is_read(
    open_log: OpenMachine, trino_as: Callable[[str], Any]
) -> None:
    one, two = open_log("one"), open_log("two")
    for number in range(6):
        append(one, make_events(number * 10, 10))
    maintainer = trino_as("maintainer").cursor()
    namespace = one.settings.log.namespace
    optimize = f'alter table "{namespace}"."events" execute optimize'
    maintainer.execute(optimize)
    maintainer.fetchall()
    assert len(planned_files(one._store.tables.events)) == 1
    assert one.head().last == 59
    assert append(two, make_events(55, 10)).positions.tolist() == list(range(55, 65))
    append(one, make_events(65, 5))
    maintainer.execute(f"{optimize}(file_size_threshold => '1kB')")
    maintainer.fetchall()
    assert append(one, make_events(0, 71)).appended_count == 1
    assert assert_whole(two).num_rows == 71
    assert all(finding.holds for finding in one.verify())


def test_a_foreign_insert_is_refused_by_name_and_adopted_without_loss(
    open_lake: OpenLake, trino_as: Callable[[str], Any]
) -> None:
    session = open_lake()
    session.append(make_events(0, 3))
    namespace = session.settings.log.namespace
    admin = trino_as("admin").cursor()
    columns = "event_id, source, stream_id, event_type, schema_version, occurred_at, data"
    moved = (
        "position + 100, event_id || '-theirs', source, stream_id, stream_version + 100, event_type, schema_version, "
        "occurred_at, recorded_at, actor_id, actor_kind, correlation_id, causation_id, data, metadata, digest, null"
    )
    admin.execute(f'insert into "{namespace}"."events" select {moved} from "{namespace}"."events"')
    admin.fetchall()
    for refused in (
        session.head,
        session.maintain,
        lambda: session.append(make_events(3, 1)),
        lambda: next(session.tail()),
    ):
        with pytest.raises(ForeignWriteError, match="by admin"):
            refused()
    admin.execute(
        f'insert into "{namespace}"."events_inbox" ({columns}) '
        "values ('n1', 'crm', 'account-9', 'Opened', 1, timestamp '2026-01-01 00:00:00 UTC', '{\"a\":1}')"
    )
    admin.fetchall()
    report = session.adopt()
    assert (report.read, report.appended, report.quarantined) == (4, 4, 0)
    assert session.head().last == 6
    assert sorted(session.events(after=2)["event_id"]) == ["e0-theirs", "e1-theirs", "e2-theirs", "n1"]
    assert session.verify()["holds"].all()
    assert session.drain_inbox().read == 0


def test_what_producers_insert_while_it_is_drained_waits_for_the_next_time(
    open_lake: OpenLake, trino_as: Callable[[str], Any]
) -> None:
    session = open_lake()
    namespace = session.settings.log.namespace
    producer = trino_as("producer").cursor()

    def insert(start: int, count: int) -> None:
        rows = ", ".join(
            f"('p{number}', 'crm', 'account-{number % 2}', 'Opened', 1, timestamp '2026-01-01 00:00:00 UTC', '{{}}')"
            for number in range(start, start + count)
        )
        names = "event_id, source, stream_id, event_type, schema_version, occurred_at, data"
        producer.execute(f'insert into "{namespace}"."events_inbox" ({names}) values {rows}')
        producer.fetchall()

    insert(0, 3)
    catalog = session._log._store.tables.catalog  # type: ignore[attr-defined]  # the test's own log
    commit = catalog.commit_table
    came: list[bool] = []

    def insert_first(*given: Any, **named: Any) -> Any:
        if given[0].name()[-1] == "events_inbox" and not came:
            came.append(True)
            insert(3, 2)
        return commit(*given, **named)

    catalog.commit_table = insert_first
    assert session.drain_inbox().appended == 3
    assert session.drain_inbox().appended == 2
    assert session.drain_inbox().read == 0
    assert session.events()["event_id"].to_list() == [f"p{number}" for number in range(5)]


def test_doctor_tells_how_each_part_stands(open_lake: OpenLake) -> None:
    session = open_lake(engine="trino")
    fill(session, 3)
    figures = {row["check"]: row for row in session.doctor().iter_rows(named=True)}
    assert {"Catalog", "Object store", "Trino", "Clocks", "Index", "Versions", "Inbox", "By stream"} <= figures.keys()
    assert not [row for row in figures.values() if row["verdict"] == "bad"]
    assert "Trino 476" in figures["Versions"]["found"]
    assert "off Trino's" in figures["Clocks"]["found"]
    off = Cluster(lambda _: [(0.0,)], "lake")
    clocks = next(figure for figure in session._log.figures(cluster=off) if figure.check == "Clocks")
    assert clocks.verdict == "bad"
