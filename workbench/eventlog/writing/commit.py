"""One commit of the log: files in, files out, the head, and a few old snapshots expired, all in one snapshot."""

from collections.abc import Mapping, Sequence
from typing import Final, Literal

import msgspec
from pyiceberg.manifest import DataFile
from pyiceberg.table import Table, Transaction
from pyiceberg.table.metadata import TableMetadata
from pyiceberg.table.snapshots import Snapshot, ancestors_of
from pyiceberg.table.update import TableUpdate
from pyiceberg.table.update.snapshot import ExpireSnapshots, UpdateSnapshot

from workbench.errors import ForeignWriteError
from workbench.eventlog.head import Head, head_properties

MARK: Final = "workbench.kind"
PROVEN: Final = "workbench.proven-position"
ADOPTED: Final = "workbench.adopted-snapshots"
# Expiring is superlinear in the number at once (600 took 24 s): a few at each commit keep a busy log level.
EXPIRED_AT_ONCE: Final = 4

Kind = Literal["append", "compact", "adopt", "derive", "quarantine"]


class QuickTransaction(Transaction):
    """A transaction that works its metadata out once a step.

    PyIceberg's own does so at every look, some 18 times a commit, each time copying all of it: 20 of an append's 45 ms.
    """

    _seen: tuple[TableUpdate, ...] | None = None
    _worked_out: TableMetadata

    @property
    def table_metadata(self) -> TableMetadata:
        """The table's metadata as it will be."""
        if self._seen is not self._updates:
            self._worked_out, self._seen = super().table_metadata, self._updates
        return self._worked_out


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What one commit does. ``added`` and ``removed`` are data files; ``summary`` goes into the snapshot."""

    kind: Kind
    added: Sequence[DataFile] = ()
    removed: Sequence[DataFile] = ()
    summary: Mapping[str, str] = msgspec.field(default_factory=dict)
    properties: Mapping[str, str] = msgspec.field(default_factory=dict)


def commit_change(table: Table, change: Change, *, head: Head | None, keep: int) -> int:
    """Commit ``change`` on the snapshot that ``table`` was loaded at and return the new snapshot's id.

    ``head`` (its snapshot id is filled in here) is written by the same commit; ``keep`` snapshots stay. Raises
    PyIceberg's CommitFailedException when another commit came first; any other error leaves the outcome unknown.
    """
    transaction = QuickTransaction(table)
    update: UpdateSnapshot = transaction.update_snapshot(snapshot_properties={MARK: change.kind, **change.summary})
    # A merge append folds the manifests of small commits together every 100 commits, else each adds one for ever.
    producer = update.overwrite() if change.removed else update.merge_append()
    for added in change.added:
        producer.append_data_file(added)
    for removed in change.removed:
        producer.delete_data_file(removed)
    producer.commit()
    properties = dict(change.properties)
    if head is not None:
        properties |= head_properties(msgspec.structs.replace(head, snapshot_id=producer.snapshot_id))
    expired = expirable(table, keep - 1)
    if expired and head is not None:
        properties[PROVEN] = str(proven_position(table, expired))
    if properties:
        transaction.set_properties(properties)
    if expired:
        ExpireSnapshots(transaction).by_ids([snapshot.snapshot_id for snapshot in expired]).commit()
    transaction.commit_transaction()
    return producer.snapshot_id


def expirable(table: Table, keep: int) -> list[Snapshot]:
    """Return the oldest snapshots beyond the ``keep`` newest, a few at most."""
    # After a roll back the current snapshot is not the newest, and never goes.
    others = [snapshot for snapshot in table.snapshots() if snapshot.snapshot_id != table.metadata.current_snapshot_id]
    others.sort(key=lambda snapshot: snapshot.sequence_number or 0)
    return others[: max(0, len(others) - max(0, keep - 1))][:EXPIRED_AT_ONCE]


def proven_position(table: Table, expired: Sequence[Snapshot]) -> int:
    """Return up to which position every snapshot that expires was proven to be an append or compaction of ours.

    Snapshots of others that were adopted, or rolled back and so no part of the history, have nothing to prove. Raises
    ForeignWriteError for any other: it must not disappear unseen.
    """
    proven = int(table.properties.get(PROVEN, "-1"))
    history = {snapshot.snapshot_id for snapshot in ancestors_of(table.current_snapshot(), table.metadata)}
    counted = history - adopted_snapshots(table)
    for snapshot in expired:
        if snapshot.snapshot_id in counted:
            proven = max(proven, prove_snapshot(snapshot))
    return proven


def adopted_snapshots(table: Table) -> set[int]:
    """Return the snapshots of others whose rows were adopted."""
    return {int(name) for name in table.properties.get(ADOPTED, "").split(",") if name}


def prove_snapshot(snapshot: Snapshot) -> int:
    """Return up to which position a snapshot of ours proves the log, by its mark and counts.

    Raises ForeignWriteError when it is no append or compaction of ours.
    """
    summary = {} if snapshot.summary is None else snapshot.summary.additional_properties
    kind = summary.get(MARK)
    added, removed = int(summary.get("added-records", 0)), int(summary.get("deleted-records", 0))
    whole = {
        "append": removed == 0 and added == int(summary.get("workbench.event-count", -1)),
        "adopt": True,
        "compact": added == removed
        and summary.get("workbench.digest-sum-before") == summary.get("workbench.digest-sum-after"),
    }
    operation = None if snapshot.summary is None else snapshot.summary.operation.value
    if not whole.get(kind or "", operation == "replace"):
        raise ForeignWriteError(
            f"Snapshot {snapshot.snapshot_id} was not written by the workbench and would expire unproven. "
            "An administrator may look at it and adopt it: workbench doctor."
        )
    return int(summary.get("workbench.last-position", -1))
