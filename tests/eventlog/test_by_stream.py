"""The layout by stream: one entity is a few small files at any size, made at bounded cost and losing no answer."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyiceberg.manifest import DataFile
from pyiceberg.table import Table
from pyiceberg.typedef import Record

from tests.eventlog.logs import append, content_hash, make_events, open_folder, read_events
from workbench.eventlog import NativeLog, by_stream
from workbench.eventlog.by_stream import (
    DEEPEST,
    FULL,
    GROWTH,
    MADE_OF,
    PROGRESS,
    cell_of,
    due_files,
    find_cells,
    refresh_by_stream,
    split_rows,
)
from workbench.eventlog.files import local_path, read_file, write_file
from workbench.eventlog.writing.commit import Change, commit_change

STREAMS = 40


@contextmanager
def small_cells(monkeypatch: pytest.MonkeyPatch, full: int, *, deepest: int = DEEPEST) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setattr(by_stream, "FULL", full)
        patch.setattr(by_stream, "DEEPEST", deepest)
        patch.setattr(by_stream, "SLICE", 200)
        yield


def files_of(log: NativeLog) -> list[DataFile]:
    """Return the committed files of the layout."""
    return [task.file for task in log._store.tables.by_stream.scan().plan_files()]


def files_there(log: NativeLog) -> set[str]:
    """Return the data files that lie beside the layout, whether a snapshot reaches them or not."""
    location = log._store.tables.by_stream.location()
    return {f"file://{path}" for path in Path(local_path(location)).rglob("*.parquet")}


def assert_cells(log: NativeLog, full: int, *, most: int) -> None:
    """Assert that each file holds streams of its cell alone, is no fuller than it may be, and few are asked for."""
    table = log._store.tables.by_stream
    for file in files_of(log):
        rows = read_file(table, file.file_path, ["stream_id", "position"])
        assert all(cell_of(file) in find_cells([name]) for name in set(rows.column("stream_id").to_pylist()))
        assert rows.equals(rows.sort_by([("stream_id", "ascending"), ("position", "ascending")]))
        assert file.record_count <= full or cell_of(file).depth == by_stream.DEEPEST
    everything = read_events(log)
    for name in {f"account-{number}" for number in range(STREAMS)}:
        parts = log.shapes([name])["events_stored"].parts
        assert sum(len(part.files) for part in parts) <= most
        expected = everything.filter(pc.equal(everything.column("stream_id"), name))
        assert content_hash(read_events(log, [name])) == content_hash(expected)


@pytest.mark.parametrize("steps", [[400], [90, 1, 60, 5]])
def test_one_entity_is_few_small_files_however_the_log_grew(
    log: NativeLog, monkeypatch: pytest.MonkeyPatch, steps: list[int]
) -> None:
    start = 0
    with small_cells(monkeypatch, 10):
        for size in steps:
            append(log, make_events(start, size, streams=STREAMS))
            start += size
            refresh_by_stream(log._store)
        assert_cells(log, 10, most=4)
    log.maintain()
    assert files_there(log) == {file.file_path for file in files_of(log)}


def test_a_log_sixteen_times_as_long_is_no_more_files_an_entity(
    log: NativeLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    most = []
    with small_cells(monkeypatch, 8):
        for start, size in ((0, 40), (40, 600)):
            append(log, make_events(start, size, streams=STREAMS))
            log.maintain()
            shapes = [log.shapes([f"account-{number}"])["events_stored"] for number in range(STREAMS)]
            most.append(max(sum(len(part.files) for part in shape.parts) for shape in shapes))
            assert max(file.record_count for file in files_of(log)) <= 2 * max(8, size // 60)
    assert max(most) <= 2


def test_rows_that_come_by_and_by_are_not_all_written_again_each_time(
    log: NativeLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = count_rows(monkeypatch)
    for start in range(0, 160, 10):
        append(log, make_events(start, 10, streams=1))
        refresh_by_stream(log._store)
    assert sum(written) <= 6 * 160


def test_a_log_that_comes_at_once_is_written_twice_and_leaves_nothing_behind(
    log: NativeLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(log, make_events(0, 400, streams=STREAMS))
    written = count_rows(monkeypatch)
    with small_cells(monkeypatch, 10):
        refresh_by_stream(log._store)
    assert sum(written) <= 2 * 400
    assert files_there(log) == {file.file_path for file in files_of(log)}


def count_rows(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list to which the rows of each file of the layout are added as it is written."""
    written: list[int] = []

    def write(table: Table, rows: pa.Table, **options: Any) -> DataFile:
        written.append(rows.num_rows)
        return write_file(table, rows, **options)

    monkeypatch.setattr(by_stream, "write_file", write)
    return written


def test_one_vast_stream_is_not_written_again_with_what_comes_later(
    log: NativeLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    with small_cells(monkeypatch, 8, deepest=1):
        append(log, make_events(0, 60, streams=1))
        refresh_by_stream(log._store)
        [vast] = [file.file_path for file in files_of(log)]
        append(log, make_events(60, 40, streams=1))
        refresh_by_stream(log._store)
        assert vast in {file.file_path for file in files_of(log)}
    assert read_events(log, ["account-0"]).column("position").to_pylist() == list(range(100))


def test_a_cell_is_its_streams_one_after_the_other_each_by_position() -> None:
    places = list(range(300))
    rows = pa.table(
        {
            "stream_id": pa.array([f"account-{place * 7 % 60}" for place in places], pa.large_string()),
            "position": pa.array(places[150:] + places[:150]),
        }
    )
    parts = dict(split_rows(rows, 0))
    assert len(parts) == 16
    for cell, part in parts.items():
        assert part.equals(part.sort_by([("stream_id", "ascending"), ("position", "ascending")]))
        assert all(cell in find_cells([name]) for name in part.column("stream_id").unique().to_pylist())
    assert pa.concat_tables(parts.values()).sort_by("position").equals(rows.sort_by("position"))
    assert list(split_rows(rows.slice(0, 0), 0)) == []


def lay_out_as_before(log: NativeLog) -> None:
    """Lay the events out as it was done before there were cells: one file a bucket, whatever its size."""
    events, target = log._store.tables.events, log._store.tables.by_stream
    rows, groups = read_events(log), dict[int, list[str]]()
    for name in rows.column("stream_id").unique().to_pylist():
        groups.setdefault(find_cells([name])[-1].number, []).append(name)
    added = []
    for bucket, names in groups.items():
        part = rows.filter(pc.is_in(rows.column("stream_id"), pa.array(names)))
        added.append(write_file(target, part.sort_by("stream_id"), partition=Record(bucket)))
    summary = {PROGRESS: str(rows.num_rows - 1), MADE_OF: str(events.metadata.table_uuid)}
    removed = files_of(log) if target.current_snapshot() else []
    commit_change(target, Change(kind="derive", added=added, removed=removed, summary=summary), head=None, keep=2)


def test_what_was_laid_out_before_there_were_cells_is_read_and_laid_out_anew(
    folder: Path, log: NativeLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(log, make_events(0, 240, streams=STREAMS))
    lay_out_as_before(log)
    with small_cells(monkeypatch, 20):
        assert read_events(log, ["account-7"]).num_rows == 6
        open_folder(folder).maintain()
        assert_cells(log, 20, most=2)


@pytest.mark.parametrize("last", [1, 30])
def test_a_maintenance_that_breaks_off_leaves_files_and_answers_as_they_were(
    log: NativeLog, monkeypatch: pytest.MonkeyPatch, last: int
) -> None:
    with small_cells(monkeypatch, 20):
        append(log, make_events(0, 100, streams=STREAMS))
        log.maintain()
        append(log, make_events(100, 140, streams=STREAMS))
        before = files_of(log)
        with monkeypatch.context() as patch:
            patch.setattr(by_stream, "write_file", break_after(last))
            with pytest.raises(KeyboardInterrupt):
                log.maintain()
        assert {file.file_path for file in files_of(log)} == {file.file_path for file in before}
        assert files_there(log) == {file.file_path for file in before}
        assert read_events(log, ["account-7"]).num_rows == 6
        log.maintain()
        assert_cells(log, 20, most=3)


def break_after(last: int) -> Callable[..., DataFile]:
    """Return what writes so many files, and then is stopped."""
    left = iter(range(last))

    def write(table: Table, rows: pa.Table, **options: Any) -> DataFile:
        if next(left, None) is None:
            raise KeyboardInterrupt
        return write_file(table, rows, **options)

    return write


@given(sizes=st.lists(st.integers(1, FULL), max_size=40), depth=st.integers(0, DEEPEST))
def test_what_is_left_of_a_cell_is_files_each_more_than_the_smaller_ones_together(sizes: list[int], depth: int) -> None:
    files: list[Any] = [SimpleNamespace(record_count=size) for size in sizes]
    due = due_files(depth, files)
    left = sorted(size.record_count for size in files if size not in due)
    full = [size for size in left if size == FULL and depth == DEEPEST]
    left = left[: len(left) - len(full)]
    together = sum(file.record_count for file in due)
    for size in left:
        assert size > GROWTH * together
        together += size
    assert len(left) <= 12
    assert len(due) != 1
