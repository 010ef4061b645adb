"""Two layouts: `events` by position, merged only with neighbours; `events_by_stream`, the same rows by entity."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyiceberg.exceptions import CommitFailedException
from pyiceberg.manifest import DataFile
from pyiceberg.table import Table
from pyiceberg.transforms import BucketTransform
from pyiceberg.typedef import Record
from pyiceberg.types import StringType

from workbench.errors import WorkbenchError
from workbench.eventlog.catalog import BUCKETS
from workbench.eventlog.commit import Change, commit_change
from workbench.eventlog.files import arrow_schema, read_file, remove_files, write_file
from workbench.eventlog.head import DIGEST_SUM_BITS, Head, read_head, sum_digests
from workbench.eventlog.store import Store, first_position, read_after

PROGRESS: Final = "workbench.progress"
MADE_OF: Final = "workbench.made-of"
SEEN: Final = "workbench.files-seen"
# 16 neighbours of a size become one: a row is rewritten log16(n) times, and fewer than 16 files of each size stay.
FAN: Final = 16
# A file of 2^19 rows (~60 MB) is left as it is.
FULL: Final = 1 << 19
# Sorted by stream, 2,048 rows a group: one stream is one or two groups of ~250 kB; 9 ms became 5 in 5 M events.
STREAM_GROUP: Final = 2048
SLICE: Final = 2_000_000
FILES_PER_BUCKET: Final = 4
AT_ONCE: Final = 4
TRIES: Final = 4


def tidy_tail(store: Store, table: Table) -> bool:
    """Merge the newest files when 16 neighbours of a size have come together; return whether it did.

    Called under the writers' lock right after an append; counts files from the snapshot's summary, so that it plans
    once in 16 commits. The append stands whatever becomes of it: a merge that cannot be done is left to the next.
    """
    total = count_files(table)
    fresh = total - int(table.properties.get(SEEN, "0"))
    if fresh < FAN or fresh % FAN:
        return False
    group = due_files(planned_files(table))
    if len(group) < FAN:
        return False
    try:
        merge_files(store, table, read_head(table), group, seen=total - len(group) + 1)
    except Exception:  # noqa: BLE001 - the events are committed; whatever this was, they are acknowledged
        return False
    return True


def count_files(table: Table) -> int:
    """Return how many data files the current snapshot has."""
    snapshot = table.current_snapshot()
    return 0 if snapshot is None or snapshot.summary is None else int(snapshot.summary["total-data-files"] or 0)


def planned_files(table: Table) -> list[DataFile]:
    """Return the data files of the current snapshot in order of position."""
    if table.current_snapshot() is None:
        return []
    return sorted((task.file for task in table.scan().plan_files()), key=first_position)


def due_files(files: Sequence[DataFile]) -> list[DataFile]:
    """Return the newest neighbours that are to become one file: 16 or more of one size or smaller."""
    chosen: list[DataFile] = []
    for size in range(_size(FULL)):
        group: list[DataFile] = []
        for file in reversed(files):
            if _size(file.record_count) > size:
                break
            group.insert(0, file)
        if len(group) >= FAN:
            chosen = group
    return chosen


def _size(rows: int) -> int:
    return int(math.log(max(rows, 1), FAN))


def merge_files(store: Store, table: Table, head: Head, group: Sequence[DataFile], *, seen: int) -> int:
    """Replace neighbouring files by full ones holding the same rows, in one snapshot that says so."""
    added: list[DataFile] = []
    before, after = _rewrite(table, group, added)
    summary = {"workbench.digest-sum-before": str(before), "workbench.digest-sum-after": str(after)}
    for left in reversed(range(TRIES if store.is_shared else 1)):
        try:
            summary["workbench.last-position"] = str(head.position)
            change = Change(kind="compact", added=added, removed=group, summary=summary, properties={SEEN: str(seen)})
            return commit_change(table, change, head=head, keep=store.settings.log.snapshots_kept)
        except (CommitFailedException, WorkbenchError) as error:
            if not left or isinstance(error, WorkbenchError) or not _still_there(table.refresh(), group):
                remove_files(table, [file.file_path for file in added])
                raise
            # Another machine appended meanwhile: the files written are as good behind its commit.
            head, seen = store.check(table), count_files(table) - len(group) + len(added)
    raise AssertionError


def _still_there(table: Table, group: Sequence[DataFile]) -> bool:
    return {file.file_path for file in group} <= {file.file_path for file in planned_files(table)}


def _rewrite(table: Table, group: Sequence[DataFile], added: list[DataFile]) -> tuple[int, int]:
    """Write the group's rows anew, list the files in ``added``, and return the digest sums read and written."""
    before, after = 0, 0
    try:
        for rows in _full_tables(table, group):
            added.append(write_file(table, rows))
            after += sum_digests(read_file(table, added[-1].file_path, ["digest"]).column("digest"))
            before += sum_digests(rows.column("digest"))
    except BaseException:
        remove_files(table, [file.file_path for file in added])
        raise
    return before % (1 << DIGEST_SUM_BITS), after % (1 << DIGEST_SUM_BITS)


def _full_tables(table: Table, group: Iterable[DataFile]) -> Iterator[pa.Table]:
    held: list[pa.Table] = []
    for rows in _read_ahead(table, group):
        held.append(rows)
        if sum(rows.num_rows for rows in held) >= FULL:
            yield _in_order(pa.concat_tables(held))
            held = []
    if held:
        yield _in_order(pa.concat_tables(held))


def _read_ahead(table: Table, group: Iterable[DataFile]) -> Iterator[pa.Table]:
    """Yield each file's rows, some read at once: an object store answers each request in milliseconds."""
    paths = [file.file_path for file in group]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for start in range(0, len(paths), AT_ONCE):
            yield from pool.map(partial(read_file, table), paths[start : start + AT_ONCE])


def _in_order(rows: pa.Table) -> pa.Table:
    """Return the rows by position: ours are already, what others rearranged may not be."""
    positions = rows.column("position").to_numpy()
    return rows if (positions[1:] > positions[:-1]).all() else rows.sort_by("position")


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


def buckets_of(stream_ids: Sequence[str]) -> NDArray[np.int64]:
    """Return the Iceberg bucket of each stream."""
    bucket = BucketTransform(BUCKETS).transform(StringType())
    return np.array([bucket(name) for name in stream_ids], dtype=np.int64)


def refresh_by_stream(store: Store) -> int:
    """Bring `events_by_stream` up to the head and return its progress. Under the writers' lock."""
    events, target = store.tables.events, store.tables.by_stream
    head, progress = read_head(events), stream_progress(target, events)
    old = [task.file for task in target.scan().plan_files()] if target.current_snapshot() else []
    if progress == head.last and (progress >= 0 or not old):
        return progress
    fresh: list[DataFile] = []
    try:
        for rows in _slices(read_after(events, progress, events.schema().column_names)):
            fresh += [_write_bucket(target, bucket, part) for bucket, part in _split(rows)]
        replaced = old if progress < 0 else _merge_buckets(target, old, fresh)
    except BaseException:
        remove_files(target, [file.file_path for file in fresh])
        raise
    summary = {PROGRESS: str(head.last), MADE_OF: str(events.metadata.table_uuid)}
    commit_change(target, Change(kind="derive", added=fresh, removed=replaced, summary=summary), head=None, keep=2)
    return head.last


def _merge_buckets(target: Table, old: Sequence[DataFile], fresh: list[DataFile]) -> list[DataFile]:
    """Make one file of each bucket that has too many, in ``fresh``, and return the committed files it replaces."""
    groups: dict[int, list[DataFile]] = {}
    for file in [*old, *fresh]:
        groups.setdefault(int(file.partition[0]), []).append(file)
    replaced: list[DataFile] = []
    for bucket, group in groups.items():
        if len(group) > FILES_PER_BUCKET:
            rows = pa.concat_tables(read_file(target, file.file_path) for file in group)
            fresh.append(_write_bucket(target, bucket, rows))
            replaced += group
    paths = {file.file_path for file in replaced}
    committed = {file.file_path for file in old}
    remove_files(target, [file.file_path for file in fresh if file.file_path in paths])
    fresh[:] = [file for file in fresh if file.file_path not in paths]
    return [file for file in replaced if file.file_path in committed]


def _slices(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    held: list[pa.Table] = []
    for rows in tables:
        held.append(rows)
        if sum(part.num_rows for part in held) >= SLICE:
            yield pa.concat_tables(held)
            held = []
    if held:
        yield pa.concat_tables(held)


def _split(rows: pa.Table) -> Iterator[tuple[int, pa.Table]]:
    encoded = pc.dictionary_encode(rows.column("stream_id").combine_chunks())
    codes = buckets_of(encoded.dictionary.to_pylist())[encoded.indices.to_numpy()]
    for bucket in np.unique(codes).tolist():
        yield bucket, rows.filter(pa.array(codes == bucket))


def _write_bucket(table: Table, bucket: int, rows: pa.Table) -> DataFile:
    ordered = rows.sort_by([("stream_id", "ascending"), ("position", "ascending")])
    return write_file(table, ordered.cast(arrow_schema(table)), partition=Record(bucket), row_group=STREAM_GROUP)


def group_by_bucket(files: Iterable[DataFile]) -> Mapping[int, tuple[str, ...]]:
    """Return the paths of `events_by_stream` by bucket."""
    groups: dict[int, list[str]] = {}
    for file in files:
        groups.setdefault(int(file.partition[0]), []).append(file.file_path)
    return {bucket: tuple(sorted(paths)) for bucket, paths in groups.items()}
