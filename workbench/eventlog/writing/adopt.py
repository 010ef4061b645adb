"""Adopt what others wrote into `events`: their rows go through the inbox and come back as events of the log.

In an order in which nothing is lost when it is cut short: first the rows are copied into the inbox, then one marked
commit takes their files out of `events`, then the inbox is drained. Done again, known rows are acknowledged.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Final

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
from pyiceberg.exceptions import CommitFailedException
from pyiceberg.manifest import DataFile, ManifestContent
from pyiceberg.table import FileScanTask, Table
from pyiceberg.table.snapshots import Operation, Snapshot, ancestors_of

from workbench.decode import DecodeContext
from workbench.errors import ArgumentError, ForeignWriteError, LogBusyError
from workbench.eventlog.files import arrow_schema, write_file
from workbench.eventlog.foreign.deletes import read_tasks
from workbench.eventlog.head import Head, read_head
from workbench.eventlog.schema import INBOX
from workbench.eventlog.store import Store
from workbench.eventlog.writing.commit import ADOPTED, Change, adopted_snapshots, commit_change
from workbench.eventlog.writing.inbox import drain_inbox, give_way
from workbench.eventlog.writing.ingest import IngestReport
from workbench.eventlog.writing.lock import hold_lock

ATTEMPTS: Final = 20
PROVENANCE: Final = "adopted_from_snapshot"


class Foreign(msgspec.Struct, frozen=True, kw_only=True):
    """What others appended after our last commit: their snapshots, oldest first, and the files they added."""

    snapshots: Sequence[Snapshot]
    files: Sequence[tuple[DataFile, int]]


def adopt_snapshots(store: Store, context: DecodeContext, *, snapshot_id: int | None = None) -> IngestReport:
    """Take the rows that others appended to `events` in as a source and return what became of them.

    ``snapshot_id`` is the last foreign snapshot that was looked at: when others came after it, nothing is done. The
    report counts what else stood in the inbox too. Raises ForeignWriteError where rows were changed or removed,
    ArgumentError for a snapshot that is not foreign, LogBusyError.
    """
    with _lock(store):
        for _ in range(ATTEMPTS):
            try:
                _take_out(store, snapshot_id)
            except CommitFailedException:
                continue
            break
        else:
            raise LogBusyError(
                "Others were always quicker than their rows could be adopted. Nothing is lost; try again."
            )
    return drain_inbox(store, context)


def _lock(store: Store) -> AbstractContextManager[None]:
    # Not Store.writing: that refuses a log with foreign rows.
    if store.settings.catalog is not None:
        return nullcontext()
    store.folder.mkdir(parents=True, exist_ok=True)
    return hold_lock(store.folder.parent / "writer.lock", store.settings.log.lock_timeout)


def _take_out(store: Store, snapshot_id: int | None) -> None:
    table = store.tables.events
    head = read_head(table)
    foreign = find_foreign(table, head)
    _check_named(table, foreign, snapshot_id)
    if not foreign.snapshots:
        return
    for file, added_by in foreign.files:
        _copy_to_inbox(store.tables.inbox, table, file, added_by)
    adopted = [snapshot.snapshot_id for snapshot in foreign.snapshots]
    names = ",".join(map(str, sorted({*adopted_snapshots(table), *adopted})))
    change = Change(
        kind="adopt",
        removed=[file for file, _ in foreign.files],
        summary={"workbench.adopted": ",".join(map(str, adopted)), "workbench.last-position": str(head.last)},
        properties={ADOPTED: names},
    )
    commit_change(table, change, head=head, keep=store.settings.log.snapshots_kept)


def find_foreign(table: Table, head: Head) -> Foreign:
    """Return what others appended since our last commit. Raises ForeignWriteError when it was more than appending."""
    after: list[Snapshot] = []
    for snapshot in ancestors_of(table.current_snapshot(), table.metadata):
        if snapshot.snapshot_id == head.snapshot_id:
            break
        after.insert(0, snapshot)
    else:
        if head.snapshot_id is not None:
            raise ForeignWriteError(
                f"Our last snapshot {head.snapshot_id} is no longer in the history of events, so what others wrote "
                "since cannot be told from it. Restore the catalog from a backup."
            )
    appended = [snapshot for snapshot in after if not _rearranges(snapshot)]
    for snapshot in appended:
        _check_append(snapshot, head)
    files = _added_files(table, {snapshot.snapshot_id for snapshot in appended})
    expected = sum(_count(snapshot, "added-records") for snapshot in appended)
    if sum(file.record_count for file, _ in files) != expected:
        raise ForeignWriteError(
            f"The rows of snapshot {appended[0].snapshot_id} were merged with ours into other files since, so they "
            f"cannot be taken out by file. {_advice(head)}"
        )
    return Foreign(snapshots=appended, files=files)


def _rearranges(snapshot: Snapshot) -> bool:
    return snapshot.summary is not None and snapshot.summary.operation == Operation.REPLACE


def _check_append(snapshot: Snapshot, head: Head) -> None:
    operation = None if snapshot.summary is None else snapshot.summary.operation
    removed = _count(snapshot, "deleted-records")
    if operation != Operation.APPEND or removed or _count(snapshot, "added-delete-files"):
        raise ForeignWriteError(
            f"Snapshot {snapshot.snapshot_id} changed or removed rows of events ({operation}, {removed} rows gone), "
            f"which cannot be adopted: the log never rewrites. {_advice(head)}"
        )


def _advice(head: Head) -> str:
    if head.snapshot_id is None:
        return "The log itself has no events yet: drop the table events and open the log again."
    return (
        "INSERT what shall be kept into events_inbox, then roll events back to our last snapshot: "
        f"alter table events execute rollback_to_snapshot({head.snapshot_id}) in Trino, or "
        f"table.manage_snapshots().rollback_to_snapshot({head.snapshot_id}).commit() in PyIceberg."
    )


def _count(snapshot: Snapshot, name: str) -> int:
    return 0 if snapshot.summary is None else int(snapshot.summary.additional_properties.get(name, "0"))


def _added_files(table: Table, snapshots: set[int]) -> list[tuple[DataFile, int]]:
    """Return the current files that these snapshots added, each with its snapshot, in the order they came."""
    current = table.current_snapshot()
    if current is None or not snapshots:
        return []
    entries = [
        entry
        for manifest in current.manifests(table.io)
        if manifest.content == ManifestContent.DATA
        for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=True)
        if entry.snapshot_id in snapshots
    ]
    ordered = sorted(entries, key=lambda entry: (entry.sequence_number or 0, entry.data_file.file_path))
    return [(entry.data_file, int(entry.snapshot_id or 0)) for entry in ordered]


def _check_named(table: Table, foreign: Foreign, snapshot_id: int | None) -> None:
    known = [snapshot.snapshot_id for snapshot in foreign.snapshots]
    is_meant = (
        snapshot_id is None or snapshot_id in known[-1:] or (not known and snapshot_id in adopted_snapshots(table))
    )
    if not is_meant:
        raise ArgumentError(
            f"Snapshot {snapshot_id} is not the last that others wrote; theirs are {known or 'none'}. Look at them, "
            "then name the last one, or leave it out."
        )


def _copy_to_inbox(inbox: Table, events: Table, file: DataFile, added_by: int) -> None:
    """Add one foreign file's rows to the inbox: what a producer gives of an event, and which snapshot it came by."""
    names = [field.name for field in INBOX.fields]
    rows = read_tasks(events, [FileScanTask(file)], events.schema().select(*names)).select(names)
    metadata = mark_metadata(rows.column("metadata").cast(pa.string()), added_by)
    marked = rows.set_column(rows.schema.get_field_index("metadata"), "metadata", metadata)
    copy = write_file(inbox, marked.cast(arrow_schema(inbox)))
    for attempt in range(ATTEMPTS):
        try:
            commit_change(inbox, Change(kind="adopt", added=[copy]), head=None, keep=2)
        except CommitFailedException:
            give_way(attempt)
            inbox.refresh()
        else:
            return
    raise LogBusyError("Producers were always quicker than the inbox could be written. Nothing is lost; try again.")


def mark_metadata(metadata: pa.ChunkedArray, snapshot_id: int) -> pa.ChunkedArray:
    """Return metadata objects with a member that names the snapshot; what is no object is left to decoding."""
    mark = f'{{"{PROVENANCE}":"{snapshot_id}"'
    filled = pc.fill_null(pc.utf8_trim_whitespace(metadata), "{}")
    is_empty = pc.match_substring_regex(filled, r"^\{\s*\}$")
    rest = pc.if_else(is_empty, "}", pc.binary_join_element_wise(",", pc.utf8_slice_codeunits(filled, 1), ""))
    return pc.if_else(pc.starts_with(filled, "{"), pc.binary_join_element_wise(mark, rest, ""), filled)
