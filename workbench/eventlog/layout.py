"""The layout of `events`: by position, its files merged only with their neighbours."""

import math
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

import pyarrow as pa
from pyiceberg.exceptions import CommitFailedException
from pyiceberg.manifest import DataFile
from pyiceberg.table import Table

from workbench.errors import WorkbenchError
from workbench.eventlog.files import read_file, remove_files, write_file
from workbench.eventlog.head import DIGEST_SUM_BITS, Head, read_head, sum_digests
from workbench.eventlog.store import Store, first_position
from workbench.eventlog.writing.commit import Change, commit_change

SEEN: Final = "workbench.files-seen"
# 16 neighbours of a size become one: a row is rewritten log16(n) times, and fewer than 16 files of each size stay.
FAN: Final = 16
# A file of 2^19 rows (~60 MB) is left as it is.
FULL: Final = 1 << 19
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
