"""What became of one record: an event at a position, a duplicate of one, in quarantine, or never taken in."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec
import polars as pl
import pyarrow as pa

from workbench.decode import Decoded, digest_rows
from workbench.decode.metadata import ORIGIN
from workbench.errors import UnknownEventError
from workbench.event import Rejection

Ask = Callable[[str, Mapping[str, Any]], pl.DataFrame]

_FOUND = (
    "select position, event_id, source, stream_id, event_type, occurred_at, digest, metadata from events_stored where "
)


class Trace(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a record. ``position`` is the event's, or that of the event it is a duplicate of."""

    outcome: Literal["event", "duplicate", "quarantined", "resolved", "not ingested"]
    detail: str
    position: int | None = None
    event_id: str | None = None
    source: str | None = None
    reason: str | None = None
    remedy: str | None = None


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """One record of a file after decoding: the key and row of the event it makes, or why it makes none."""

    file: str
    offset: int
    line: int | None
    event_id: str | None = None
    source: str | None = None
    content: pa.Table | None = None
    rejection: Rejection | None = None


def find_record(path: Path, line: int, decoded: Iterable[Decoded]) -> Record:
    """Return the record that begins at a line, or the last one to begin before it. Raises UnknownEventError."""
    best: Record | None = None
    for part in decoded:
        for record in (*_events_at(path, part.events, line), *_rejections_at(path, part.rejections, line)):
            if best is None or (record.line or 0) >= (best.line or 0):
                best = record
        if best is not None and _reaches_beyond(part, line):
            break
    if best is None:
        raise UnknownEventError(f"{path} has no record at line {line}. Lines are counted from 1.")
    return best


def _events_at(path: Path, events: pa.Table, line: int) -> list[Record]:
    lines = events.column("line").to_pylist()
    numbers = [number for number, value in enumerate(lines) if value is not None and value <= line]
    if not numbers:
        return []
    content = events.slice(numbers[-1], 1)
    row = content.select(["offset", "line", "event_id", "source"]).to_pylist()[0]
    return [Record(file=path.name, content=content, **row)]


def _rejections_at(path: Path, rejections: Iterable[Rejection], line: int) -> list[Record]:
    fit = [rejection for rejection in rejections if rejection.line is not None and rejection.line <= line]
    return [Record(file=path.name, offset=fit[-1].offset, line=fit[-1].line, rejection=fit[-1])] if fit else []


def _reaches_beyond(part: Decoded, line: int) -> bool:
    lines = [*part.events.column("line").to_pylist(), *(rejection.line for rejection in part.rejections)]
    return any(value is not None and value > line for value in lines)


def trace_record(record: Record, waiting: Mapping[str, Any] | None, ask: Ask) -> Trace:
    """Return what became of a record; ``waiting`` is its row in quarantine, if it has one."""
    if waiting is not None:
        return _quarantined(waiting)
    if record.rejection is not None:
        return Trace(
            outcome="not ingested",
            detail=f"This record has not been ingested, and would be quarantined: {record.rejection.detail}.",
            reason=record.rejection.reason,
            remedy=record.rejection.remedy,
        )
    key = {"event_id": record.event_id, "source": record.source}
    found = ask(f"{_FOUND}event_id = :event_id and source = :source", key)
    if not found.height:
        detail = f"No event of this log has its id {record.event_id!r} and source {record.source!r}."
        return Trace(outcome="not ingested", detail=detail)
    return _placed(found.row(0, named=True), record)


def _placed(row: Mapping[str, Any], record: Record) -> Trace:
    metadata = msgspec.json.decode(row["metadata"] or "{}")
    origin = metadata.get(ORIGIN, {})
    salt = metadata.get("salt")
    if salt and record.content is not None and digest_rows(record.content, [bytes.fromhex(salt)])[0] != row["digest"]:
        detail = f"The event at position {row['position']} has its id and source, with other content."
        return Trace(outcome="not ingested", detail=detail, reason="conflict")
    same = (origin.get("file"), origin.get("offset")) == (record.file, record.offset)
    outcome: Literal["event", "duplicate"] = "event" if same else "duplicate"
    where = f"at position {row['position']}" if same else f"of the event at position {row['position']}"
    detail = f"{'An event' if same else 'A duplicate'} {where}: {row['event_type']} of stream {row['stream_id']}."
    return Trace(
        outcome=outcome, detail=detail, position=row["position"], event_id=row["event_id"], source=row["source"]
    )


def _quarantined(waiting: Mapping[str, Any]) -> Trace:
    if waiting["resolution"] is not None:
        position = waiting["resolved_position"]
        return Trace(
            outcome="resolved", detail=f"It was quarantined and came in at position {position}.", position=position
        )
    return Trace(
        outcome="quarantined",
        detail=f"It is in quarantine: {waiting['detail']}.",
        reason=waiting["reason"],
        remedy=waiting["remedy"],
        source=waiting["source"],
    )


def trace_event(event_id: str, ask: Ask) -> Trace:
    """Return where the event of an id stands. Raises UnknownEventError."""
    found = ask(f"{_FOUND}event_id = :event_id order by position", {"event_id": event_id})
    if not found.height:
        raise UnknownEventError(
            f"No event has the id {event_id!r}. Look with `workbench events --text`, or trace a record with FILE:LINE."
        )
    row = found.row(0, named=True)
    more = f" {found.height - 1} more sources have this id." if found.height > 1 else ""
    detail = f"An event at position {row['position']}: {row['event_type']} of stream {row['stream_id']}.{more}"
    return Trace(outcome="event", detail=detail, position=row["position"], event_id=event_id, source=row["source"])
