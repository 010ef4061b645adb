"""Notice what was not written by us: rows added or removed are refused, rows only rearranged are proven and pass."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyiceberg.table import Table
from pyiceberg.table.snapshots import Snapshot

from workbench.errors import ForeignWriteError
from workbench.eventlog.files import read_file
from workbench.eventlog.head import DIGEST_SUM_BITS, Head, digest_bytes, read_head, sum_digests

# What the log gives to an event, and no digest holds.
OWN: Final = ("position", "stream_version", "recorded_at")


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


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """What some files hold: rows, first and last position, digest sum, and how the log's own columns go with them."""

    count: int
    first: int
    last: int
    digest_sum: int
    pairing: tuple[int, ...]


def _same_rows(table: Table, head: Head) -> bool:
    """Whether the current snapshot holds the head's rows: what came since our last equals what went.

    Where our last snapshot is gone all rows are read, and count, bounds and digest sum must be the head's.
    """
    tasks = list(table.scan().plan_files())
    if any(task.delete_files for task in tasks) or sum(task.file.record_count for task in tasks) != head.event_count:
        return False
    now = {task.file.file_path for task in tasks}
    changed = _same_change(table, head, now)
    if changed is not None:
        return changed
    whole = _tally(table, now)
    return (whole.count, whole.first, whole.last, whole.digest_sum) == (
        head.event_count,
        0,
        head.last,
        head.digest_sum,
    )


def _same_change(table: Table, head: Head, now: set[str]) -> bool | None:
    """Whether the files that came hold what those held that went: a few, in a log of many. None: not to be told."""
    ours = None if head.snapshot_id is None else table.snapshot_by_id(head.snapshot_id)
    if ours is None:
        return None
    try:
        then = {task.file.file_path for task in table.scan(snapshot_id=ours.snapshot_id).plan_files()}
        return _tally(table, now - then) == _tally(table, then - now)
    except FileNotFoundError:
        return None


def _tally(table: Table, paths: Iterable[str]) -> Tally:
    """Return what files hold; a position or time that another row has now changes ``pairing``, and no sum."""
    count, total, first, last = 0, 0, None, -1
    pairing = [0] * len(OWN)
    for path in sorted(paths):
        rows = read_file(table, path, [*OWN, "digest"])
        if not rows.num_rows:
            continue
        bounds = pc.min_max(rows.column("position")).as_py()
        count += rows.num_rows
        first = bounds["min"] if first is None else min(first, bounds["min"])
        last = max(last, bounds["max"])
        total = (total + sum_digests(rows.column("digest"))) % (1 << DIGEST_SUM_BITS)
        words = np.frombuffer(digest_bytes(rows.column("digest"), 8), dtype=">u8").astype(np.uint64)
        for place, name in enumerate(OWN):
            values = rows.column(name).cast(pa.int64()).to_numpy().astype(np.uint64)
            # Modulo 2^64: a sum of products tells which value goes with which event, in whatever order they lie.
            product = int(np.sum(words * (values + np.uint64(1)), dtype=np.uint64))
            pairing[place] = (pairing[place] + product) % (1 << 64)
    return Tally(count=count, first=first or 0, last=last, digest_sum=total, pairing=tuple(pairing))


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
