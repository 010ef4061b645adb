"""Append to the log: positions given against its head, committed on that head, tried again when another came first."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyiceberg.manifest import DataFile
from pyiceberg.table import Table

from workbench.decode.columns import DECODED
from workbench.errors import ClockSkewError, CommitUnknownError, EventConflictError, StorageError, WorkbenchError
from workbench.eventlog.catalog import reason_of
from workbench.eventlog.files import arrow_schema, select_columns
from workbench.eventlog.head import DIGEST_SUM_BITS, Head
from workbench.eventlog.index.index import encode_streams
from workbench.eventlog.index.published import publish_when_due, sequence_number
from workbench.eventlog.index.runs import DamagedRunError
from workbench.eventlog.layout import tidy_tail
from workbench.eventlog.storage.parts import explain_part, find_places, remedy
from workbench.eventlog.store import Store
from workbench.eventlog.writing.commit import Change, commit_change
from workbench.eventlog.writing.outcome import Patience, UnlandedError, looking_again, settle_failure
from workbench.eventlog.writing.output import Output
from workbench.eventlog.writing.plan import Sorting, check_versions, number_streams, record_times, sort_rows
from workbench.eventlog.writing.provenance import complete_metadata


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the given rows: each one's position (-1 for a conflict or refused time), and counts."""

    positions: NDArray[np.int64]
    appended_count: int
    duplicate_count: int
    conflicts: NDArray[np.intp]
    mistimed: NDArray[np.intp]
    snapshot_id: int | None


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What a writer asks beside the rows themselves."""

    expected: int | Mapping[str, int] | None = None
    settle: Callable[[Written], None] | None = None
    origin: str | None = None


def write_batches(
    store: Store,
    batches: Iterable[pa.Table],
    *,
    expected: int | Mapping[str, int] | None = None,
    settle: Callable[[Written], None] | None = None,
    origin: str | None = None,
) -> Written:
    """Append rows in DECODED's columns as one commit and return where each stands in the log.

    ``batches`` is gone through again when another writer's commit came first. Without ``settle`` a conflict or an
    impossible recording time refuses the whole; with it those rows are left out, and ``settle`` is told of them under
    the lock just before the commit. ``origin`` is the file the rows came from. Raises EventConflictError,
    ExpectedVersionError, ClockSkewError, CommitUnknownError, StorageError, ForeignWriteError.
    """
    last: UnlandedError | None = None
    request = Request(expected=expected, settle=settle, origin=origin)
    patience = Patience(is_shared=store.is_shared)
    if store.is_shared:
        store.courtesy.wait()
    while patience.begin():
        try:
            with ExitStack() as held:
                with looking_again(last, is_shared=store.is_shared):
                    table, head = held.enter_context(store.writing())
                sequence = sequence_number(table)
                written = _Attempt(store, table, head, request, last=last).write(batches)
                if store.is_shared:
                    store.courtesy.note(
                        sequence, sequence_number(table), patience.seconds, overtaken=patience.was_overtaken
                    )
                store.note_reached(table)
                tidy_tail(store, table)
                if store.is_shared:
                    publish_when_due(table, store.index, sequence=sequence)
                return written
        except UnlandedError as error:
            error.in_doubt = error.in_doubt or (last is not None and last.in_doubt)
            last = error
            patience.give_way(error)
        except DamagedRunError:
            continue
    raise CommitUnknownError(
        f"The commit did not go through however often it was tried: {last}. Append the same events again; known ones "
        "are not written twice."
    )


class _Attempt:
    """One try, under the lock where there is one, on one loaded head."""

    def __init__(
        self,
        store: Store,
        table: Table,
        head: Head,
        request: Request,
        *,
        last: UnlandedError | None,
    ) -> None:
        self._store, self._table, self._head = store, table, head
        self._request, self._strict = request, request.settle is None
        self._last, self._sample = last, DECODED.empty_table()
        self._commit_at = commit_time(head, store.settings.log.clock_tolerance)
        self._next = head.last + 1
        self._recorded_at = head.recorded_at
        self._digest_sum = head.digest_sum
        self._skew: ClockSkewError | None = None
        self._output = Output(table)
        self._files: list[DataFile] = []

    def write(self, batches: Iterable[pa.Table]) -> Written:
        try:
            written = self._write(batches)
        except OSError as error:
            self._output.discard()
            reason = explain_part(error, find_places(self._table.io.properties)) or reason_of(error)
            raise StorageError(
                f"Writing the events failed: {reason}. Nothing of the batch is in the log; {remedy(error)}"
            ) from error
        except BaseException:
            self._output.discard()
            raise
        return msgspec.structs.replace(written, snapshot_id=self._commit()) if self._files else written

    def _write(self, batches: Iterable[pa.Table]) -> Written:
        if self._last is not None and not self._last.has_landed(self._store.index):
            settle_failure(self._last, is_shared=self._store.is_shared)
        written = _join([self._take(batch) for batch in batches if batch.num_rows], self._head.snapshot_id)
        if self._skew is not None and len(written.mistimed) == len(written.positions):
            raise self._skew
        self._output.flush()
        self._store.index.settle()
        self._files = self._output.finish()
        if self._request.settle is not None:
            self._request.settle(written)
        return written

    def _take(self, rows: pa.Table) -> Written:
        """Sort one batch, give its new events their places, and pass them on to be written."""
        index = self._store.index
        sorting = sort_rows(rows, index)
        if self._strict and len(sorting.conflicts):
            raise _conflict(rows, sorting)
        candidates = take_rows(rows, sorting.new)
        if self._request.expected is not None and candidates.num_rows:
            check_versions(rows, sorting.new, self._request.expected, index)
        times = record_times(candidates, self._commit_at, self._recorded_at)
        mistimed = sorting.new[times.refused]
        if len(mistimed) and self._skew is None:
            self._skew = _mistimed(rows, int(mistimed[0]), self._recorded_at, self._commit_at)
            if self._strict:
                raise self._skew
        fit = np.delete(np.arange(candidates.num_rows), times.refused)
        positions = sorting.position.copy()
        if len(fit):
            chosen = [take_rows(part, fit) for part in (candidates, times.recorded_at, times.imported)]
            placed = self._place(*chosen)
            positions[sorting.new[fit]] = placed
        positions = positions[sorting.first]
        positions[sorting.conflicts] = -1
        own = len(sorting.own) if self._last is not None else 0
        return Written(
            positions=positions,
            appended_count=len(fit) + own,
            duplicate_count=rows.num_rows - len(fit) - own - len(sorting.conflicts) - len(mistimed),
            conflicts=sorting.conflicts,
            mistimed=mistimed,
            snapshot_id=None,
        )

    def _place(self, rows: pa.Table, recorded_at: pa.Array, imported: pa.Array) -> NDArray[np.int64]:
        positions = np.arange(self._next, self._next + rows.num_rows, dtype=np.int64)
        streams = encode_streams(rows)
        columns = {
            "position": pa.array(positions),
            "stream_version": pa.array(number_streams(streams, self._store.index)),
            "recorded_at": recorded_at,
            "metadata": complete_metadata(rows, imported, self._commit_at, self._request.origin),
        }
        events = select_columns(rows, columns, arrow_schema(self._table))
        staged = events.append_column("key", rows.column("key")).append_column("salt", rows.column("salt"))
        index = self._store.index
        before = index.digest_sum
        index.stage(staged, streams)
        self._sample = self._sample if self._sample.num_rows else rows.slice(0, 1)
        self._next += rows.num_rows
        self._recorded_at = recorded_at[-1].as_py()
        self._digest_sum = (self._digest_sum + index.digest_sum - before) % (1 << DIGEST_SUM_BITS)
        self._output.put(events)
        return positions

    def _commit(self) -> int:
        head = Head(
            position=self._next - 1,
            event_count=self._next,
            recorded_at=self._recorded_at,
            snapshot_id=None,
            digest_sum=self._digest_sum,
        )
        summary = {
            "workbench.first-position": str(self._head.last + 1),
            "workbench.last-position": str(head.position),
            "workbench.event-count": str(head.last - self._head.last),
        }
        change = Change(kind="append", added=self._files, summary=summary)
        try:
            snapshot_id = commit_change(self._table, change, head=head, keep=self._store.settings.log.snapshots_kept)
        except CommitUnknownError:
            raise
        except WorkbenchError:
            self._output.discard()
            raise
        except Exception as error:
            raise UnlandedError(error, self._table, self._files, self._sample) from error
        self._store.index.save()
        return snapshot_id


def take_rows(rows: Any, which: NDArray[np.intp]) -> Any:
    """Return the chosen rows of an Arrow table or array; all of them cost nothing."""
    return rows if len(which) == len(rows) else rows.take(pa.array(which))


def commit_time(head: Head, tolerance: float) -> datetime:
    """Return the recorded_at of a commit made now: the clock's, or the head's when the clock is a little behind."""
    now = datetime.now(UTC)
    if head.recorded_at is None:
        return now
    behind = (head.recorded_at - now).total_seconds()
    if behind > tolerance:
        raise ClockSkewError(
            f"This machine's clock says {now.isoformat()}, {behind:.0f} s behind the log's last recorded_at "
            f"{head.recorded_at.isoformat()}. Set the clock, or check who wrote last; nothing was written."
        )
    return max(now, head.recorded_at)


def _conflict(rows: pa.Table, sorting: Sorting) -> EventConflictError:
    row = int(sorting.conflicts[0])
    event_id, source = rows.column("event_id")[row].as_py(), rows.column("source")[row].as_py()
    position = int(sorting.position[row])
    where = f"at position {position}" if position >= 0 else "earlier in this batch"
    return EventConflictError(
        f"Event {event_id!r} of source {source!r} stands {where} with other content. The log never rewrites: give the "
        "changed fact an id of its own. Nothing of the batch was written."
    )


def _mistimed(rows: pa.Table, row: int, last: datetime | None, commit_at: datetime) -> ClockSkewError:
    given = rows.column("recorded_at")[row].as_py()
    event_id = rows.column("event_id")[row].as_py()
    return ClockSkewError(
        f"Event {event_id!r} says it was recorded at {given.isoformat()}, but the log's recorded_at is already at "
        f"{'its beginning' if last is None else last.isoformat()} and now is {commit_at.isoformat()}. An import's own "
        "times must lie between the two and never decrease; leave recorded_at out to have the log give it."
    )


def _join(parts: Sequence[Written], snapshot_id: int | None) -> Written:
    starts = np.cumsum([0, *(len(part.positions) for part in parts)])
    pairs = list(zip(parts, starts, strict=False))
    nothing = np.empty(0, dtype=np.int64)
    return Written(
        positions=np.concatenate([nothing, *(part.positions for part in parts)]),
        appended_count=sum(part.appended_count for part in parts),
        duplicate_count=sum(part.duplicate_count for part in parts),
        conflicts=np.concatenate([nothing, *(part.conflicts + start for part, start in pairs)]),
        mistimed=np.concatenate([nothing, *(part.mistimed + start for part, start in pairs)]),
        snapshot_id=snapshot_id,
    )
