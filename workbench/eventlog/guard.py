"""Notice what was not written by us: rows added or removed are refused, rows only rearranged are proven and pass."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
import pyarrow.compute as pc
from pyiceberg.table import Table
from pyiceberg.table.snapshots import Snapshot

from workbench.errors import ForeignWriteError
from workbench.eventlog.files import read_file
from workbench.eventlog.head import DIGEST_SUM_BITS, Head, read_head, sum_digests


def check_head(table: Table, proofs: Path) -> Head:
    """Return the head, with the table's current snapshot, once that snapshot is known to hold exactly our rows.

    ``proofs`` is a file that remembers which rearranged snapshot was already proven. Raises ForeignWriteError naming
    the snapshot, its user and query when rows were added or removed without our mark.
    """
    head = read_head(table)
    current = table.current_snapshot()
    if (None if current is None else current.snapshot_id) == head.snapshot_id:
        return head
    if current is None:
        raise foreign_write(table, head)
    if _is_proven(proofs, current.snapshot_id) or _same_rows(table, head):
        _remember(proofs, current.snapshot_id)
        return msgspec.structs.replace(head, snapshot_id=current.snapshot_id)
    raise foreign_write(table, head)


def foreign_write(table: Table, head: Head) -> ForeignWriteError:
    """Return the error that names the first snapshot after ours that changed rows."""
    snapshot = next(iter(_since(table, head.snapshot_id)), None)
    if snapshot is None:
        return ForeignWriteError(
            "The events table was changed by others and no kept snapshot says how: it was set back to an older one, or "
            f"the snapshot has expired. Our last is {head.snapshot_id}, at position {head.position}; restore it with "
            "rollback_to_snapshot, or the catalog from a backup."
        )
    summary = {} if snapshot.summary is None else snapshot.summary.additional_properties
    who = summary.get("trino_user") or summary.get("engine-name") or "an unknown writer"
    query = summary.get("trino_query_id") or "no query id"
    added, removed = summary.get("added-records", "0"), summary.get("deleted-records", "0")
    return ForeignWriteError(
        f"Snapshot {snapshot.snapshot_id} by {who} ({query}) added {added} and removed {removed} rows of events "
        f"without the workbench; our last is at position {head.position}. Others insert into events_inbox. An "
        "administrator may bring its rows in as a source with `workbench doctor --adopt`, or roll the table back."
    )


def _since(table: Table, snapshot_id: int | None) -> Iterator[Snapshot]:
    ordered = sorted(table.snapshots(), key=lambda snapshot: snapshot.sequence_number or 0)
    ours = next((s.sequence_number or 0 for s in ordered if s.snapshot_id == snapshot_id), -1)
    return (s for s in ordered if (s.sequence_number or 0) > ours and not _rearranges(s))


def _rearranges(snapshot: Snapshot) -> bool:
    return snapshot.summary is not None and snapshot.summary.operation.value == "replace"


def _same_rows(table: Table, head: Head) -> bool:
    """Whether the current snapshot holds the head's rows: by count, bounds and digest sum."""
    tasks = list(table.scan().plan_files())
    if any(task.delete_files for task in tasks) or sum(task.file.record_count for task in tasks) != head.event_count:
        return False
    now = {task.file.file_path for task in tasks}
    return _same_change(table, head, now) or _whole_sum(table, now) == (
        head.event_count,
        0,
        head.last,
        head.digest_sum,
    )


def _same_change(table: Table, head: Head, now: set[str]) -> bool:
    """Whether the files that came since our snapshot hold just what those held that went: a few, in a log of many."""
    ours = None if head.snapshot_id is None else table.snapshot_by_id(head.snapshot_id)
    if ours is None:
        return False
    then = {task.file.file_path for task in table.scan(snapshot_id=ours.snapshot_id).plan_files()}
    try:
        return _whole_sum(table, now - then) == _whole_sum(table, then - now)
    except FileNotFoundError:
        return False


def _whole_sum(table: Table, paths: Iterable[str]) -> tuple[int, int, int, int]:
    """Return the rows' count, first and last position, and digest sum; (0, 0, -1, 0) of no files."""
    count, total, first, last = 0, 0, None, -1
    for path in sorted(paths):
        rows = read_file(table, path, ["position", "digest"])
        if not rows.num_rows:
            continue
        bounds = pc.min_max(rows.column("position")).as_py()
        count += rows.num_rows
        first = bounds["min"] if first is None else min(first, bounds["min"])
        last = max(last, bounds["max"])
        total = (total + sum_digests(rows.column("digest"))) % (1 << DIGEST_SUM_BITS)
    return count, first or 0, last, total


def _is_proven(proofs: Path, snapshot_id: int) -> bool:
    try:
        return proofs.read_text(encoding="ascii").strip() == str(snapshot_id)
    except (OSError, UnicodeDecodeError):
        return False


def _remember(proofs: Path, snapshot_id: int) -> None:
    try:
        proofs.parent.mkdir(parents=True, exist_ok=True)
        proofs.write_text(f"{snapshot_id}\n", encoding="ascii")
    except OSError:
        return
