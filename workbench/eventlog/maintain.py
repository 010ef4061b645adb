"""Keep the log quick: merge what is small, expire old snapshots, remove files that no kept snapshot reaches."""

import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec
from pyiceberg.exceptions import CommitFailedException
from pyiceberg.table import Table
from pyiceberg.table.update.snapshot import ExpireSnapshots

from workbench.errors import LogBusyError, UnsupportedOnThisLogError
from workbench.eventlog.commit import EXPIRED_AT_ONCE, PROVEN, expirable, proven_position
from workbench.eventlog.files import local_path
from workbench.eventlog.head import Head
from workbench.eventlog.layout import FULL, count_files, merge_files, planned_files, refresh_by_stream
from workbench.eventlog.store import Store

SETTLED: Final = FULL // 2
# Seconds. A write of somebody else's may be under way for this long between its first file and its commit.
LONGEST_WRITE: Final = 86_400.0


class MaintenanceReport(msgspec.Struct, frozen=True, kw_only=True):
    """What maintenance did: files merged, snapshots expired, files removed and their bytes."""

    merged_files: int
    expired_snapshots: int
    removed_files: int
    removed_bytes: int
    by_stream_position: int | None
    seconds: float


def maintain_log(store: Store, *, older_than: float = 0.0) -> MaintenanceReport:
    """Merge, expire and clean up under the writers' lock; answers, positions and order stay as they are.

    ``older_than`` (seconds) keeps younger unreached files. On an embedded log every write of ours holds the lock, so
    none can be under way and 0 is safe; where others write, in the inbox, a day is the least. Raises LogBusyError when
    another program commits to one of the tables meanwhile.
    """
    if store.settings.catalog is not None:
        raise UnsupportedOnThisLogError(
            f"maintain cleans up embedded logs only; {store.settings.catalog!r} is a shared catalog. Use Trino's "
            "optimize, expire_snapshots and remove_orphan_files there."
        )
    started = time.perf_counter()
    with store.writing() as (table, head), _alone():
        merged = _merge_all(store, table, head)
        progress = refresh_by_stream(store) if store.settings.log.by_stream else None
        tables = [store.tables.events, store.tables.by_stream, store.tables.quarantine]
        expired = sum(_expire(table) for table in [*tables, store.tables.inbox])
        removed = [pair for table in tables for pair in _remove_unreached(table.refresh(), older_than)]
        removed += _remove_unreached(store.tables.inbox, max(older_than, LONGEST_WRITE))
        removed += _remove_scratch(store.folder)
    return MaintenanceReport(
        merged_files=merged,
        expired_snapshots=expired,
        removed_files=len(removed),
        removed_bytes=sum(size for _, size in removed),
        by_stream_position=progress,
        seconds=round(time.perf_counter() - started, 3),
    )


@contextmanager
def _alone() -> Iterator[None]:
    try:
        yield
    except CommitFailedException as error:
        raise LogBusyError(
            "Another program committed to a table of the log while it was maintained. What was done so far stands and "
            "no row has changed; run maintain again."
        ) from error


def _merge_all(store: Store, table: Table, head: Head) -> int:
    """Merge each run of neighbouring small files."""
    merged = 0
    group = []
    for file in [*planned_files(table), None]:
        if file is not None and file.record_count < SETTLED:
            group.append(file)
            continue
        if len(group) > 1:
            merge_files(store, table, head, group, seen=count_files(table) - len(group) + 1)
            table.refresh()
            merged += len(group)
        group = []
    return merged


def _expire(table: Table) -> int:
    """Expire all but the current snapshot, a few at a time."""
    count = 0
    while expired := expirable(table, 1):
        transaction = table.transaction()
        if table.name()[-1] == "events":
            transaction.set_properties({PROVEN: str(proven_position(table, expired))})
        ExpireSnapshots(transaction).by_ids([snapshot.snapshot_id for snapshot in expired]).commit()
        transaction.commit_transaction()
        count += len(expired)
        if len(expired) < EXPIRED_AT_ONCE:
            break
    return count


def _remove_unreached(table: Table, older_than: float) -> list[tuple[Path, int]]:
    """Remove files in the table's folder that neither its metadata nor a kept snapshot reaches."""
    root = Path(local_path(table.metadata.location))
    reached = {local_path(path) for path in _reached(table)}
    return _remove((path for path in root.rglob("*") if str(path) not in reached), older_than)


def _remove_scratch(folder: Path) -> list[tuple[Path, int]]:
    """Remove what ingests left that were killed; one that is under way touches its folder as it reads."""
    limit = time.time() - LONGEST_WRITE
    old = [path for path in folder.glob("ingest-*") if path.stat().st_mtime <= limit]
    removed = _remove((file for path in old for file in path.rglob("*")), 0)
    for path in old:
        shutil.rmtree(path, ignore_errors=True)
    return removed


def _remove(paths: Iterable[Path], older_than: float) -> list[tuple[Path, int]]:
    limit = time.time() - older_than
    removed = []
    for path in paths:
        if path.is_file() and path.stat().st_mtime <= limit:
            removed.append((path, path.stat().st_size))
            path.unlink(missing_ok=True)
    return removed


def _reached(table: Table) -> set[str]:
    metadata = table.metadata
    reached = {table.metadata_location, *(entry.metadata_file for entry in metadata.metadata_log)}
    reached.update(file.statistics_path for file in metadata.statistics)
    for snapshot in table.snapshots():
        reached.add(snapshot.manifest_list)
        for manifest in snapshot.manifests(table.io):
            reached.add(manifest.manifest_path)
            reached.update(entry.data_file.file_path for entry in manifest.fetch_manifest_entry(table.io))
    return reached
