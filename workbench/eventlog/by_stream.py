"""The layout by stream: the same events in cells of a few streams, so that one entity is a few small files at any size.

A cell of depth 0 is one of the table's 16 buckets; what no longer fits into a cell goes to its 16 cells of the next
depth, by the same hash. So a look-up reads one cell a depth, and depths grow with the logarithm of the log.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyiceberg.manifest import DataFile
from pyiceberg.table import Table
from pyiceberg.transforms import BucketTransform
from pyiceberg.typedef import Record
from pyiceberg.types import StringType

from workbench.eventlog.catalog import BUCKETS
from workbench.eventlog.files import read_file, remove_files, write_file
from workbench.eventlog.head import read_head
from workbench.eventlog.store import Store, first_position, read_after
from workbench.eventlog.writing.commit import Change, commit_change

PROGRESS: Final = "workbench.progress"
MADE_OF: Final = "workbench.made-of"
# Sorted by stream, one stream is a group or two. An engine looks at each group of a file before it reads: of 2^18 rows
# in groups of 2,048 one stream took 6.2 ms, of 4,096 4.2.
STREAM_GROUP: Final = 4096
# Rows a cell takes, 30 MB: as one file it is read in 4 ms, and 2^17 rows in 3.6; a bucket of 624,000 took 12.
FULL: Final = 1 << 18
FAN: Final = 16
DEEPEST: Final = 3
# A cell's file is more than twice the smaller ones together: with 50 M events come by the 10,000 a look-up reads 3.5
# files on average and 8 at most, and a row has been written 11 times; come at once, one file and twice.
GROWTH: Final = 2
# Rows held at once as they come in, and as cells are merged.
SLICE: Final = 2_000_000
AT_ONCE: Final = 2
NAME: Final = re.compile(r"cell-(\d)-(\d+)-[^/]*$")


class Cell(NamedTuple):
    """The streams whose number leaves this remainder among the cells of a depth."""

    depth: int
    number: int


def stream_progress(by_stream: Table, events: Table | None = None) -> int:
    """Return the position up to which `events_by_stream` holds the log, -1 where that cannot be relied on.

    It stands in the snapshot that wrote the rows, so whatever others wrote or set back has none. Given ``events``, it
    counts only when it was made of that very table and is not ahead of its head.
    """
    snapshot = by_stream.current_snapshot()
    summary = {} if snapshot is None or snapshot.summary is None else snapshot.summary.additional_properties
    progress = int(summary.get(PROGRESS, "-1"))
    if events is None:
        return progress
    made_of = summary.get(MADE_OF) == str(events.metadata.table_uuid)
    return progress if made_of and progress <= read_head(events).last else -1


def count_cells(depth: int) -> int:
    """Return how many cells there are of a depth."""
    return int(BUCKETS * FAN**depth)


def number_streams(stream_ids: Sequence[str]) -> NDArray[np.int64]:
    """Return the Iceberg bucket of each stream among as many as there are deepest cells."""
    bucket = BucketTransform(count_cells(DEEPEST)).transform(StringType())
    return np.array([bucket(name) for name in stream_ids], dtype=np.int64)


def cell_of(file: DataFile) -> Cell:
    """Return the cell a file of ours holds, as its name says; one named before there were cells holds a bucket."""
    named = NAME.search(file.file_path)
    return Cell(int(named[1]), int(named[2])) if named else Cell(0, int(file.partition[0]))


def group_by_cell(files: Iterable[DataFile]) -> Mapping[Cell, tuple[str, ...]]:
    """Return the paths of `events_by_stream` by cell, in order of their first position."""
    groups: dict[Cell, list[str]] = {}
    for file in sorted(files, key=first_position):
        groups.setdefault(cell_of(file), []).append(file.file_path)
    return {cell: tuple(paths) for cell, paths in groups.items()}


def find_cells(stream_ids: Sequence[str]) -> list[Cell]:
    """Return every cell that may hold one of the streams, the deepest first, as what came first has sunk deepest."""
    numbers = number_streams(stream_ids)
    return [
        Cell(depth, number)
        for depth in reversed(range(DEEPEST + 1))
        for number in np.unique(numbers % count_cells(depth)).tolist()
    ]


def refresh_by_stream(store: Store) -> int:
    """Bring `events_by_stream` up to the head and return its progress. Under the writers' lock."""
    events, target = store.tables.events, store.tables.by_stream
    head, progress = read_head(events), stream_progress(target, events)
    old = [task.file for task in target.scan().plan_files()] if target.current_snapshot() else []
    cells = Cells(target, old if progress >= 0 else [])
    try:
        if progress < head.last:
            cells.take_in(read_after(events, progress, events.schema().column_names), head.last - progress)
        cells.settle()
    except BaseException:
        remove_files(target, [file.file_path for file in cells.added])
        raise
    removed = cells.removed if progress >= 0 else old
    if cells.added or removed:
        summary = {PROGRESS: str(head.last), MADE_OF: str(events.metadata.table_uuid)}
        change = Change(kind="derive", added=cells.added, removed=removed, summary=summary)
        commit_change(target, change, head=None, keep=2)
    return head.last


class Cells:
    """The files of each cell while they are brought up: committed ones, and new ones that no commit has reached yet."""

    def __init__(self, table: Table, committed: Sequence[DataFile]) -> None:
        self._table = table
        self._committed = {file.file_path for file in committed}
        self._files: dict[Cell, list[DataFile]] = {}
        self.removed: list[DataFile] = []
        for file in committed:
            self._files.setdefault(cell_of(file), []).append(file)

    @property
    def added(self) -> list[DataFile]:
        """The files a commit is to add."""
        files = [file for group in self._files.values() for file in group]
        return [file for file in files if file.file_path not in self._committed]

    def take_in(self, tables: Iterable[pa.Table], count: int) -> None:
        """Write new rows, ``count`` in all, at the first depth whose cells take them: a whole log need not sink."""
        depth = next((depth for depth in range(DEEPEST) if count <= FULL * count_cells(depth)), DEEPEST)
        for rows in join_tables(tables, SLICE):
            self._write(rows, depth)

    def settle(self) -> None:
        """Merge what is due in each cell, and sink what no longer fits into it, from the first depth to the last."""
        for depth in range(DEEPEST + 1):
            cells = [cell for cell in self._files if cell.depth == depth]
            due = [(cell, group) for cell in cells if (group := due_files(depth, self._files[cell]))]
            do_all(self._replace, due)

    def _replace(self, cell: Cell, group: Sequence[DataFile]) -> None:
        """Write a group's rows anew in their cell where they fit, else in the cells below."""
        fits = cell.depth == DEEPEST or sum(file.record_count for file in group) <= FULL
        tables = (read_file(self._table, file.file_path) for file in sorted(group, key=first_position))
        for rows in join_tables(tables, SLICE):
            self._write(rows, cell.depth if fits else cell.depth + 1)
        self._files[cell] = [file for file in self._files[cell] if file not in group]
        self.removed += [file for file in group if file.file_path in self._committed]
        remove_files(self._table, [file.file_path for file in group if file.file_path not in self._committed])

    def _write(self, rows: pa.Table, depth: int) -> None:
        do_all(self._write_cell, split_rows(rows, depth))

    def _write_cell(self, cell: Cell, rows: pa.Table) -> None:
        name, bucket = f"cell-{cell.depth}-{cell.number}-", Record(cell.number % BUCKETS)
        file = write_file(self._table, rows, partition=bucket, row_group=STREAM_GROUP, name=name)
        # What is written is known at once: whatever fails beside it, it is removed.
        self._files.setdefault(cell, []).append(file)


def do_all(step: Callable[[Cell, Any], None], tasks: Iterable[tuple[Cell, Any]]) -> None:
    """Do a step for some cells at once; the first error stops what has not begun and is raised when all have ended."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for _ in pool.map(lambda task: step(*task), tasks):
            pass


def due_files(depth: int, files: Sequence[DataFile]) -> list[DataFile]:
    """Return the smallest files of a cell that are to be written anew: beside a larger one too few rows, or too many.

    In the deepest cells a full file stays as it is: the rest of the log is not merged again with one vast stream.
    """
    is_last = depth == DEEPEST
    ordered = sorted(files, key=lambda file: file.record_count)
    if is_last:
        ordered = [file for file in ordered if file.record_count < FULL]
    due = before = 0
    for place, file in enumerate(ordered, start=1):
        if file.record_count <= GROWTH * before or (file.record_count > FULL and not is_last):
            due = place
        before += file.record_count
    return ordered[:due]


def join_tables(tables: Iterable[pa.Table], least: int) -> Iterator[pa.Table]:
    """Yield the rows as tables of at least so many, but for the last."""
    held: list[pa.Table] = []
    for rows in tables:
        held.append(rows)
        if sum(part.num_rows for part in held) >= least:
            yield pa.concat_tables(held)
            held = []
    if held:
        yield pa.concat_tables(held)


def split_rows(rows: pa.Table, depth: int) -> Iterator[tuple[Cell, pa.Table]]:
    """Yield the rows of each cell by stream and position.

    Sorted once as numbers and then cut: filtered cell by cell, 2 million rows would be read 256 times.
    """
    if not rows.num_rows:
        return
    encoded = pc.dictionary_encode(rows.column("stream_id").combine_chunks())
    names, codes = encoded.dictionary, encoded.indices.to_numpy()
    cells = number_streams(names.to_pylist()) % count_cells(depth)
    # Streams by cell and name: their order is their rank.
    ranking = np.lexsort((pc.rank(names).to_numpy(), cells))
    ranks = np.empty(len(names), np.int64)
    ranks[ranking] = np.arange(len(names))
    order = np.lexsort((rows.column("position").to_numpy(), ranks[codes]))
    ordered, numbers = take_rows(rows, pa.array(order)), cells[codes][order]
    starts = np.flatnonzero(np.diff(numbers, prepend=-1)).tolist()
    for start, end in zip(starts, [*starts[1:], len(numbers)], strict=True):
        yield Cell(depth, int(numbers[start])), ordered.slice(start, end - start)


def take_rows(rows: pa.Table, order: pa.Array) -> pa.Table:
    """Return rows in an order, some columns at once."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        columns = pool.map(lambda column: column.combine_chunks().take(order), rows.columns)
        return pa.Table.from_arrays(list(columns), schema=rows.schema)
