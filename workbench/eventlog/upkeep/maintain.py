"""Keep the log quick: merge what is small, expire old snapshots, remove files that no kept snapshot reaches."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final
from uuid import uuid4

import msgspec
from pyiceberg.exceptions import CommitFailedException
from pyiceberg.manifest import DataFile
from pyiceberg.table import Table
from pyiceberg.table.update.snapshot import ExpireSnapshots

from workbench.decode import encode_events
from workbench.errors import LogBusyError
from workbench.event import Actor, Event
from workbench.eventlog.by_stream import refresh_by_stream
from workbench.eventlog.catalog import Tables
from workbench.eventlog.head import Head
from workbench.eventlog.index.published import publish_index
from workbench.eventlog.layout import FULL, count_files, merge_files, planned_files
from workbench.eventlog.lifted import NAME
from workbench.eventlog.models import TABLES
from workbench.eventlog.store import Store
from workbench.eventlog.upkeep.cluster import Cluster
from workbench.eventlog.upkeep.orphans import LONGEST_WRITE, remove_folders, remove_stale_runs, remove_unreached
from workbench.eventlog.writing.commit import EXPIRED_AT_ONCE, PROVEN, expirable, proven_position
from workbench.eventlog.writing.lease import hold_lease
from workbench.eventlog.writing.write import write_batches

SETTLED: Final = FULL // 2
# Rows merged by one commit at most on a shared catalog: what another machine may overtake, and so undo.
AT_ONCE: Final = 4 * FULL
TRIES: Final = 5
# The event a run on a shared catalog leaves in the log.
SOURCE: Final = "workbench"
STREAM: Final = "workbench-maintenance"
MAINTAINED: Final = "LogMaintained"


class MaintenanceReport(msgspec.Struct, frozen=True, kw_only=True):
    """What maintenance did: files merged, snapshots expired, files removed and their bytes."""

    merged_files: int
    expired_snapshots: int
    removed_files: int
    removed_bytes: int
    by_stream_position: int | None
    seconds: float


def maintain_log(store: Store, *, older_than: float = 0.0, cluster: Cluster | None = None) -> MaintenanceReport:
    """Merge, expire and clean up; answers, positions and order stay as they are.

    On an embedded log it holds the writers' lock; there no write of ours can be under way, and any unreached file may
    go that is older than ``older_than`` seconds. On a shared catalog one maintainer works at a time beside the writers,
    files go that are older than a day, and through a ``cluster`` the merging, expiring and removing is Trino's own.
    Raises LogBusyError when another program commits to one of the tables meanwhile, or maintains the log.
    """
    if store.is_shared:
        return _maintain_shared(store, older_than, cluster)
    started = time.perf_counter()
    with store.writing() as (table, head), _alone():
        merged = _merge_all(store, table, head)
        progress = refresh_by_stream(store) if store.settings.log.by_stream else None
        tables = [store.tables.events, store.tables.by_stream, store.tables.quarantine]
        expired = sum(_expire(table, 1) for table in [*tables, store.tables.inbox])
        removed = [size for table in tables for size in remove_unreached(table, older_than)]
        # These are written without the lock.
        for beside in (store.tables.inbox, *made_tables(store.tables)):
            removed += remove_unreached(beside, max(older_than, LONGEST_WRITE))
        removed += _remove_scratch(store)
    return MaintenanceReport(
        merged_files=merged,
        expired_snapshots=expired,
        removed_files=len(removed),
        removed_bytes=sum(removed),
        by_stream_position=progress,
        seconds=round(time.perf_counter() - started, 3),
    )


def _maintain_shared(store: Store, older_than: float, cluster: Cluster | None) -> MaintenanceReport:
    """Do the same beside writers on other machines: each step stands by itself, whatever becomes of the next."""
    started = time.perf_counter()
    safe_age = max(older_than, LONGEST_WRITE)
    tables = store.tables
    with hold_lease(tables) as lease, _alone():
        store.head()
        merged = _merge_beside(store) if cluster is None else cluster.merge(store)
        lease.take()
        progress = refresh_by_stream(store) if store.settings.log.by_stream else None
        lease.take()
        kept = store.settings.log.snapshots_kept
        every = [tables.events, tables.by_stream, tables.quarantine, tables.inbox, *made_tables(tables)]
        expired = sum(_again(_expire, table, kept if table.name()[-1] == "events" else 2) for table in every)
        lease.take()
        if cluster is None:
            removed = [size for table in every for size in remove_unreached(table, safe_age)]
        else:
            expired += cluster.expire(store, every)
            removed = cluster.remove_unreached(store, every)
        removed += remove_stale_runs(tables.events, safe_age) + _remove_scratch(store)
        with store.writing() as (table, _):
            publish_index(table, store.index)
    report = MaintenanceReport(
        merged_files=merged,
        expired_snapshots=expired,
        removed_files=len(removed),
        removed_bytes=sum(removed),
        by_stream_position=progress,
        seconds=round(time.perf_counter() - started, 3),
    )
    _record(store, report, by=lease.holder, through="workbench" if cluster is None else "trino")
    return report


def _record(store: Store, report: MaintenanceReport, *, by: str, through: str) -> None:
    """Append the run to the log as an event: who maintained it, through what, and what was done."""
    event = Event(
        event_id=uuid4().hex,
        stream_id=STREAM,
        event_type=MAINTAINED,
        occurred_at=datetime.now(UTC),
        source=SOURCE,
        actor=Actor(by, "system"),
        data={"through": through, **msgspec.structs.asdict(report)},
    )
    write_batches(store, [encode_events([event], SOURCE)])


def made_tables(tables: Tables) -> list[Table]:
    """Return the tables that are there once someone needed them: of lifted payloads, and of states kept."""
    names = [f"{tables.namespace}_derived.{name}" for name in (NAME, *TABLES)]
    return [tables.catalog.load_table(name) for name in names if tables.catalog.table_exists(name)]


@contextmanager
def _alone() -> Iterator[None]:
    try:
        yield
    except CommitFailedException as error:
        raise LogBusyError(
            "Another program committed to a table of the log while it was maintained. What was done so far stands and "
            "no row has changed; run maintain again."
        ) from error


def _again(step: Callable[..., int], table: Table, *given: Any) -> int:
    """Do a step on one table, again when another commit came first."""
    for _ in range(TRIES - 1):
        try:
            return step(table, *given)
        except CommitFailedException:
            table.refresh()
    return step(table, *given)


def _merge_all(store: Store, table: Table, head: Head) -> int:
    """Merge each run of neighbouring small files."""
    merged = 0
    for group in small_neighbours(planned_files(table)):
        merge_files(store, table, head, group, seen=count_files(table) - len(group) + 1)
        table.refresh()
        merged += len(group)
    return merged


def small_neighbours(files: Sequence[DataFile], limit: int | None = None) -> list[list[DataFile]]:
    """Return the runs of two or more neighbouring small files, each of ``limit`` rows at most."""
    groups: list[list[DataFile]] = [[]]
    for file in files:
        is_small = file.record_count < SETTLED
        is_full = limit is not None and sum(one.record_count for one in groups[-1]) + file.record_count > limit
        if not is_small or is_full:
            groups.append([])
        if is_small:
            groups[-1].append(file)
    return [group for group in groups if len(group) > 1]


def _merge_beside(store: Store) -> int:
    """Merge while others append; what another machine merged meanwhile is left as it is."""
    merged = 0
    for group in small_neighbours(planned_files(store.tables.events), AT_ONCE):
        table = store.tables.events
        try:
            merge_files(store, table, store.check(table), group, seen=count_files(table) - len(group) + 1)
        except CommitFailedException:
            continue
        merged += len(group)
    return merged


def _expire(table: Table, keep: int) -> int:
    """Expire all but the newest ``keep`` snapshots, a few at a time."""
    count = 0
    while expired := expirable(table, keep):
        transaction = table.transaction()
        if table.name()[-1] == "events":
            transaction.set_properties({PROVEN: str(proven_position(table, expired))})
        ExpireSnapshots(transaction).by_ids([snapshot.snapshot_id for snapshot in expired]).commit()
        transaction.commit_transaction()
        count += len(expired)
        if len(expired) < EXPIRED_AT_ONCE:
            break
    return count


def _remove_scratch(store: Store) -> list[int]:
    """Remove what ingests left that were killed; one that is under way touches its folder as it reads."""
    limit = time.time() - LONGEST_WRITE
    return remove_folders(path for path in store.folder.glob("ingest-*") if path.stat().st_mtime <= limit)
