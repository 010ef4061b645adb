"""How the log stands: what is proven, how many files and snapshots it keeps, how far its copies lag."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from pyiceberg.table import Table

from workbench.errors import ForeignWriteError
from workbench.eventlog.by_stream import stream_progress
from workbench.eventlog.files import local_path
from workbench.eventlog.head import Head, read_head
from workbench.eventlog.layout import FULL, planned_files
from workbench.eventlog.store import Store
from workbench.eventlog.upkeep.cluster import Cluster
from workbench.eventlog.upkeep.figure import Figure
from workbench.eventlog.upkeep.lake_figures import read_lake_figures
from workbench.eventlog.writing.commit import PROVEN

# Merging keeps at most 15 files of each of 4 sizes; more than twice that means that it did not come to its end.
MANY_SMALL: Final = 120
# A tail of 10 % is read beside the layout by stream without being noticed; beyond, one stream takes a scan.
LAGGING: Final = 0.1


def read_figures(store: Store, cluster: Cluster | None = None) -> list[Figure]:
    """Return the figures of a log of ours, and of the parts of its lake; it is neither locked nor changed."""
    table = store.tables.events
    head = read_head(table)
    return [
        _look_at_writers(store),
        _look_at_proof(table, head),
        _look_at_files(table),
        _look_at_snapshots(table, store.settings.log.snapshots_kept),
        _look_at_clock(head, store),
        _look_at_layout(store, head),
        _look_at_inbox(store.tables.inbox),
        *(read_lake_figures(store, head, cluster) if store.is_shared else ()),
    ]


def _look_at_writers(store: Store) -> Figure:
    try:
        store.head()
    except ForeignWriteError as error:
        remedy = "Look at it, then session.adopt() or roll back."
        return Figure(check="Writers", verdict="bad", found=str(error), remedy=remedy)
    return Figure(check="Writers", verdict="good", found="only the workbench wrote to events.")


def _look_at_proof(table: Table, head: Head) -> Figure:
    proven = int(table.properties.get(PROVEN, "-1"))
    past = "no snapshot has expired" if proven < 0 else f"expired snapshots are proven up to position {proven}"
    found = f"{past}, kept ones reach from there to {head.last}."
    return Figure(check="Proof", verdict="good", found=found)


def _look_at_files(table: Table) -> Figure:
    files = planned_files(table)
    small = sum(file.record_count < FULL // 2 for file in files)
    size = sum(file.file_size_in_bytes for file in files)
    found = f"{len(files):,} file{'' if len(files) == 1 else 's'} of {size / 1e6:,.1f} MB in all, {small:,} small."
    if small <= MANY_SMALL:
        return Figure(check="Files", verdict="good", found=found)
    return Figure(check="Files", verdict="note", found=found, remedy="Merge them with `workbench maintain`.")


def _look_at_snapshots(table: Table, kept: int) -> Figure:
    count = len(table.snapshots())
    found = f"{count:,} kept, {kept:,} wanted."
    if count <= 2 * kept:
        return Figure(check="Snapshots", verdict="good", found=found)
    return Figure(check="Snapshots", verdict="note", found=found, remedy="Expire them with `workbench maintain`.")


def _look_at_clock(head: Head, store: Store) -> Figure:
    """Compare this machine's clock with the head's last time and with the clock of the file system the log lies on."""
    now = datetime.now(UTC)
    behind = 0.0 if head.recorded_at is None else (head.recorded_at - now).total_seconds()
    apart = 0.0 if store.is_shared else abs(_file_clock(store) - time.time())
    tolerance = store.settings.log.clock_tolerance
    found = f"{max(behind, 0):,.0f} s behind the log's last recorded_at"
    found += "." if store.is_shared else f", {apart:,.0f} s off its file system's clock."
    if behind <= tolerance and apart <= tolerance:
        return Figure(check="Clock", verdict="good", found=found)
    return Figure(check="Clock", verdict="bad", found=found, remedy="Set this machine's clock; appending is refused.")


def _file_clock(store: Store) -> float:
    """Return the time a file written now gets; this machine's own where none can be written."""
    path = Path(local_path(str(store.folder))) / f"clock-{time.monotonic_ns()}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        stamp = path.stat().st_mtime
        path.unlink()
    except OSError:
        return time.time()
    return stamp


def _look_at_layout(store: Store, head: Head) -> Figure:
    if not store.settings.log.by_stream:
        return Figure(check="By stream", verdict="note", found="switched off; one stream is a scan of the log.")
    behind = head.last - stream_progress(store.tables.by_stream, store.tables.events)
    found = f"{behind:,} events behind the log."
    if behind <= LAGGING * max(head.event_count, FULL):
        return Figure(check="By stream", verdict="good", found=found)
    return Figure(check="By stream", verdict="note", found=found, remedy="Bring it up with `workbench maintain`.")


def _look_at_inbox(inbox: Table) -> Figure:
    snapshot = inbox.current_snapshot()
    summary = {} if snapshot is None or snapshot.summary is None else snapshot.summary.additional_properties
    rows = int(summary.get("total-records", "0"))
    if not rows:
        return Figure(check="Inbox", verdict="good", found="nothing waits.")
    waiting = 0.0 if snapshot is None else time.time() - snapshot.timestamp_ms / 1000
    remedy = "Take them in with `workbench ingest --inbox`."
    found = f"{rows:,} rows wait, the last of them for {waiting:,.0f} s."
    return Figure(check="Inbox", verdict="note", found=found, remedy=remedy)
