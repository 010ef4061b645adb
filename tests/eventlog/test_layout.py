"""Two layouts and their upkeep: merging changes files and nothing else, bytes stay bounded, both layouts agree."""

import itertools
import json
import os
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyiceberg.table import Table

from tests.eventlog.logs import (
    append,
    assert_whole,
    content_hash,
    event_ids,
    files_below,
    live_files,
    make_events,
    open_folder,
    position_ranges,
    read_events,
)
from workbench.errors import StorageError
from workbench.eventlog import NativeLog
from workbench.eventlog.by_stream import MADE_OF, PROGRESS, stream_progress
from workbench.eventlog.files import local_path
from workbench.eventlog.head import read_head
from workbench.eventlog.writing.commit import MARK, PROVEN


def fill(log: NativeLog, commits: int, *, size: int = 1, start: int = 0) -> None:
    for number in range(commits):
        append(log, make_events(start + number * size, size))


def summaries(table: Table) -> list[dict[str, str]]:
    """Return what each kept snapshot says of itself, oldest first."""
    ordered = sorted(table.snapshots(), key=lambda snapshot: snapshot.sequence_number or 0)
    return [dict(snapshot.summary.additional_properties) if snapshot.summary else {} for snapshot in ordered]


def assert_ranges(log: NativeLog) -> None:
    """Assert that the files' position ranges are disjoint, contiguous and cover the log."""
    ranges = position_ranges(log._store.tables.events)
    assert ranges[0][0] == 0
    assert ranges[-1][1] == log.head().position
    assert all(last + 1 == first for (_, last), (first, _) in itertools.pairwise(ranges))


def test_an_append_makes_one_snapshot(folder: Path) -> None:
    log = open_folder(folder, snapshots_kept=50)
    fill(log, 10)
    assert [summary[MARK] for summary in summaries(log._store.tables.events)] == ["append"] * 10


@pytest.mark.parametrize("kept", [2, 3, 8])
def test_no_more_snapshots_are_kept_than_set(folder: Path, kept: int) -> None:
    log = open_folder(folder, snapshots_kept=kept)
    for number in range(24):
        append(log, make_events(number, 1))
        assert len(log._store.tables.events.snapshots()) <= kept
    assert_whole(log)


def test_a_setting_for_fewer_snapshots_takes_hold_a_few_at_a_time(folder: Path) -> None:
    fill(open_folder(folder, snapshots_kept=30), 14)
    log = open_folder(folder, snapshots_kept=3)
    fill(log, 4, start=14)
    assert len(log._store.tables.events.snapshots()) <= 4
    assert_whole(log)


def test_what_expired_is_proven_up_to_its_position(folder: Path) -> None:
    log = open_folder(folder, snapshots_kept=3)
    fill(log, 9)
    assert int(log._store.tables.events.properties[PROVEN]) == 5


def test_merging_is_one_snapshot_with_our_mark_and_equal_sums(folder: Path) -> None:
    log = open_folder(folder, snapshots_kept=50)
    fill(log, 16)
    events = log._store.tables.events
    *before, last = summaries(events)
    assert [summary[MARK] for summary in before] == ["append"] * 16
    assert last[MARK] == "compact"
    assert last["workbench.digest-sum-before"] == last["workbench.digest-sum-after"] == str(log.head().digest_sum)
    assert (last["added-records"], last["deleted-records"], last["added-data-files"]) == ("16", "16", "1")
    assert read_head(events).snapshot_id == events.metadata.current_snapshot_id


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sizes=st.lists(st.sampled_from([1, 2, 3, 17, 40, 300]), min_size=1, max_size=24), maintained=st.booleans())
def test_merging_changes_no_row_no_order_and_no_answer(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], *, maintained: bool
) -> None:
    log = open_folder(tmp_path_factory.mktemp("log") / "bank")
    start = 0
    for size in sizes:
        append(log, make_events(start, size))
        start += size
        assert_ranges(log)
    before = content_hash(read_events(log))
    if maintained:
        log.maintain()
    assert content_hash(read_events(log)) == before
    assert event_ids(log) == [f"e{number}" for number in range(start)]
    assert_ranges(log)
    assert_whole(log)
    assert append(log, make_events(0, start)).appended_count == 0


def test_files_stay_few_over_many_small_commits(log: NativeLog) -> None:
    fill(log, 40)
    assert len(position_ranges(log._store.tables.events)) <= 32
    assert_ranges(log)


def test_maintain_merges_small_files_into_one_and_a_second_time_does_nothing(log: NativeLog) -> None:
    fill(log, 7, size=3)
    before = content_hash(read_events(log))
    assert log.maintain().merged_files == 7
    again = log.maintain()
    assert (again.merged_files, again.expired_snapshots) == (0, 0)
    assert content_hash(read_events(log)) == before
    assert len(position_ranges(log._store.tables.events)) == 1
    assert_whole(log)


def test_maintain_on_an_empty_log_does_nothing(log: NativeLog) -> None:
    report = log.maintain()
    assert (report.merged_files, report.removed_files, log.head().position) == (0, 0, -1)


def test_maintain_removes_what_nothing_reaches_and_nothing_that_is_reached(folder: Path, log: NativeLog) -> None:
    fill(log, 20, size=4)
    table = log._store.tables.events
    stray = Path(local_path(table.metadata.location)) / "data" / "stray.parquet"
    stray.write_bytes(b"left by a writer that was killed")
    live = live_files(log)
    report = log.maintain()
    after = set(files_below(folder))
    assert not stray.exists()
    assert live_files(log) <= after
    # the catalog's journal comes and goes, and a commit removes metadata of its own
    assert report.removed_files >= 20
    assert len(live - after) == len(live)  # all of them were small, and were merged
    assert {path for path in after if path.suffix == ".parquet"} == live_files(log)
    for opened in (log, open_folder(folder)):
        assert_whole(opened)


def test_maintain_keeps_what_is_younger_than_asked(log: NativeLog) -> None:
    fill(log, 3)
    stray = Path(local_path(log._store.tables.events.metadata.location)) / "data" / "stray.parquet"
    stray.write_bytes(b"a write under way")
    log.maintain(older_than=3600)
    assert stray.exists()
    os.utime(stray, (time.time() - 7200, time.time() - 7200))
    log.maintain(older_than=3600)
    assert not stray.exists()


def test_maintain_leaves_a_producers_half_done_insert_alone(log: NativeLog) -> None:
    """Producers write into the inbox without our lock: a file of theirs may be waiting for its commit."""
    fill(log, 2)
    folder = Path(local_path(log._store.tables.inbox.metadata.location)) / "data"
    folder.mkdir(parents=True, exist_ok=True)
    under_way, forgotten = folder / "under-way.parquet", folder / "forgotten.parquet"
    for path, age in ((under_way, 3600), (forgotten, 3 * 86400)):
        path.write_bytes(b"rows")
        os.utime(path, (time.time() - age, time.time() - age))
    log.maintain()
    assert under_way.exists()
    assert not forgotten.exists()


def test_maintain_removes_the_scratch_of_an_ingest_that_was_killed_long_ago(folder: Path, log: NativeLog) -> None:
    fill(log, 1)
    old, young = folder / "derived/ingest-old", folder / "derived/ingest-young"
    for path in (old, young):
        path.mkdir()
        (path / "0.arrow").write_bytes(b"rows")
    os.utime(old, (time.time() - 3 * 86400, time.time() - 3 * 86400))
    log.maintain()
    assert (old.exists(), young.exists()) == (False, True)


def test_bytes_on_disk_stay_below_one_and_a_half_times_what_is_live(folder: Path, log: NativeLog) -> None:
    text = {"note": "The applicant has been with the bank for eleven years and asks for a loan."}
    for number in range(30):
        append(log, make_events(number * 100, 100, data=text | {"number": number}))
    log.maintain()
    append(log, make_events(9000, 1))
    log.maintain()
    sizes = files_below(folder)
    live = sum(path.stat().st_size for path in live_files(log))
    data = sum(size for path, size in sizes.items() if path.suffix == ".parquet")
    index = sum(size for path, size in sizes.items() if path.suffix == ".run")
    assert data == live
    assert data + index <= 1.5 * (live + 3001 * 56 + 3 * 24)


def test_the_layout_by_stream_gives_the_same_rows_at_any_lag(log: NativeLog) -> None:
    size = 0
    for step in range(9):
        append(log, make_events(size, 11, streams=7))
        size += 11
        if step in {0, 1, 4}:
            log.maintain()
            assert stream_progress(log._store.tables.by_stream, log._store.tables.events) == size - 1
        everything = read_events(log)
        assert everything.num_rows == size
        for stream in [f"account-{number}" for number in range(8)]:
            mask = [name == stream for name in everything.column("stream_id").to_pylist()]
            expected = everything.filter(mask)
            assert content_hash(read_events(log, [stream])) == content_hash(expected.select(expected.column_names))
    both = read_events(log, ["account-1", "account-2"]).column("stream_id").to_pylist()
    assert set(both) == {"account-1", "account-2"}


def test_buckets_do_not_fill_with_small_files(log: NativeLog) -> None:
    for number in range(7):
        append(log, make_events(number * 40, 40, streams=40))
        log.maintain()
    by_bucket: dict[object, int] = {}
    for task in log._store.tables.by_stream.scan().plan_files():
        by_bucket[task.file.partition[0]] = by_bucket.get(task.file.partition[0], 0) + 1
    assert max(by_bucket.values()) <= 4
    assert {path for path in files_below(log._store.settings.folder) if path.suffix == ".parquet"} == live_files(log)


def test_an_unchanged_log_leaves_the_layout_by_stream_as_it_is(log: NativeLog) -> None:
    fill(log, 3)
    log.maintain()
    before = log._store.tables.by_stream.metadata.current_snapshot_id
    log.maintain()
    assert log._store.tables.by_stream.metadata.current_snapshot_id == before


def set_progress(table: Table, position: int, made_of: str) -> None:
    """Claim a progress in the name of the workbench, over the rows that are there."""
    transaction = table.transaction()
    rows = table.scan().to_arrow().slice(0, 1)
    properties = {MARK: "derive", PROGRESS: str(position), MADE_OF: made_of}
    transaction.append(rows, snapshot_properties=properties)
    transaction.commit_transaction()


@pytest.mark.parametrize("fault", ["ahead", "of another log", "written by others", "rows deleted", "dropped"])
def test_a_layout_by_stream_that_cannot_be_relied_on_changes_no_answer(log: NativeLog, fault: str) -> None:
    fill(log, 4, size=6)
    log.maintain()
    table = log._store.tables.by_stream
    uuid = str(log._store.tables.events.metadata.table_uuid)
    if fault == "ahead":
        set_progress(table, 100, uuid)
    elif fault == "of another log":
        set_progress(table, 5, "7e0e0c3e-0000-0000-0000-000000000000")
    elif fault == "written by others":
        table.append(table.scan().to_arrow().slice(0, 2))
    elif fault == "rows deleted":
        table.delete("position >= 3")
    else:
        table.delete("position >= 0")
    for _ in range(2):
        rows = read_events(log, ["account-0", "account-1", "account-2"])
        assert rows.column("position").to_pylist() == list(range(24))
        log.maintain()
    assert stream_progress(log._store.tables.by_stream, log._store.tables.events) == 23


def test_the_layout_by_stream_can_be_switched_off(folder: Path) -> None:
    log = open_folder(folder, by_stream=False)
    fill(log, 3, size=6)
    assert log.maintain().by_stream_position is None
    assert log._store.tables.by_stream.current_snapshot() is None
    assert read_events(log, ["account-1"]).num_rows == 6


def test_a_log_that_lost_a_data_file_says_so_and_writes_nothing(folder: Path, log: NativeLog) -> None:
    fill(log, 3)
    min(live_files(log)).unlink()
    log._store.index.clear()
    with pytest.raises(StorageError):
        append(open_folder(folder), make_events(3, 1))


def test_bounds_are_kept_for_order_and_time_and_never_for_what_a_purge_must_reach(log: NativeLog) -> None:
    fill(log, 2, size=5)
    log.maintain()
    events = log._store.tables.events
    names = {field.field_id: field.name for field in events.schema().fields}
    (task,) = events.scan().plan_files()
    assert {names[key] for key in task.file.lower_bounds} == {"position", "occurred_at", "recorded_at"}
    assert json.loads(events.metadata.model_dump_json())["format-version"] == 2
