"""What became of one record: an event at a position, a duplicate of one, quarantined and why, or never taken in."""

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import polars as pl

from workbench.errors import UnknownEventError
from workbench.event import Rejection

if TYPE_CHECKING:
    import pyarrow as pa

    from workbench.session import Session

NOTHING = "nothing: it has not been taken in"
_SELECT = """
select position, stream_id, stream_version, event_type, occurred_at, recorded_at, source, event_id, digest, metadata
from events_stored"""


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """One record of a file, decoded: ``event`` (one row) or ``rejection``."""

    event: "pa.Table | None" = None
    rejection: Rejection | None = None


def trace_event(session: "Session", event_id: str) -> dict[str, Any]:
    """Return where the event of this id stands, and how many waiting records name it. Raises UnknownEventError."""
    found = session.sql(f"{_SELECT} where event_id = :id order by position", {"id": event_id})
    quarantined = session.quarantine().filter(pl.col("raw").str.contains(event_id, literal=True))
    if found.is_empty() and quarantined.is_empty():
        raise UnknownEventError(
            f"Neither the log nor its quarantine knows an event {event_id!r}. For a record of a file write FILE:LINE."
        )
    if found.is_empty():
        return {"record": event_id, **_describe_waiting(quarantined.row(0, named=True))}
    return {
        "record": event_id,
        **_describe_event(found.row(0, named=True)),
        "also_from_sources": ", ".join(found["source"][1:]) or None,
        "quarantined_records_naming_it": quarantined.height,
    }


def trace_record(session: "Session", file: Path, line: int, chosen: Namespace) -> dict[str, Any]:
    """Return what became of the record that begins on a line of a file, or of the row of that number.

    The file is decoded up to that record, as ingest would. Raises UnknownEventError when no record begins there.
    """
    from workbench.sources import open_source

    mapping = Path(chosen.mapping) if chosen.mapping else None
    source = open_source(file, format=chosen.format, mapping=mapping)
    found = find_record(session, source, chosen.source or source.name, line)
    if found is None:
        raise UnknownEventError(f"No record of {file} begins on line {line}. Name the line a record begins on, from 1.")
    fate = _trace_rejection(session, file, found) if found.rejection else _trace_decoded(session, file, line, found)
    return {"record": f"{file}:{line}", **fate}


def find_record(session: "Session", source: Any, source_name: str, line: int) -> Found | None:
    """Return the record that begins on a line, or None."""
    import pyarrow.compute as pc

    from workbench.decode import DecodeContext, decode_source

    for decoded in decode_source(source, DecodeContext(source_name=source_name, registry=session.registry)):
        for rejection in decoded.rejections:
            if rejection.line == line:
                return Found(rejection=rejection)
        event = decoded.events.filter(pc.equal(decoded.events["line"], line)).slice(0, 1)
        if event.num_rows:
            return Found(event=event)
    return None


def _trace_decoded(session: "Session", file: Path, line: int, found: Found) -> dict[str, Any]:
    from workbench.decode import digest_rows
    from workbench.eventlog.provenance import ORIGIN

    assert found.event is not None  # noqa: S101 — the caller has looked
    row = found.event.select(["source", "event_id"]).to_pylist()[0]
    rows = session.sql(f"{_SELECT} where source = :source and event_id = :event_id", row)
    if rows.is_empty():
        return {"became": NOTHING, "reason": f"the log has no event {row['event_id']}"}
    event = rows.row(0, named=True)
    metadata = msgspec.json.decode(event["metadata"])
    if digest_rows(found.event, [bytes.fromhex(metadata["salt"])])[0] != event["digest"]:
        waiting = _find_waiting(session, file, found.event["offset"][0].as_py())
        nothing = f"position {event['position']} has the same source and id with other content"
        return _describe_waiting(waiting) if waiting else {"became": NOTHING, "reason": nothing}
    fate = _describe_event(event)
    origin = metadata.get(ORIGIN)
    if origin is None or (origin["file"], origin.get("line")) != (file.name, line):
        came = f"which came from {origin['file']}:{origin.get('line')}" if origin else "which was appended"
        fate["became"] = f"duplicate of the event at position {event['position']}, {came}"
    return fate


def _trace_rejection(session: "Session", file: Path, found: Found) -> dict[str, Any]:
    assert found.rejection is not None  # noqa: S101 — the caller has looked
    waiting = _find_waiting(session, file, found.rejection.offset)
    if waiting:
        return _describe_waiting(waiting)
    rejection = found.rejection
    return {
        "became": NOTHING,
        "reason": f"it would be quarantined, {rejection.reason}: {rejection.detail}",
        "remedy": rejection.remedy,
    }


def _find_waiting(session: "Session", file: Path, offset: int) -> dict[str, Any] | None:
    from workbench.eventlog.ingest import digest_file
    from workbench.eventlog.quarantine import quarantine_id

    waiting = session.quarantine().filter(pl.col("quarantine_id") == quarantine_id(digest_file(file), offset))
    return None if waiting.is_empty() else waiting.row(0, named=True)


def _describe_event(event: dict[str, Any]) -> dict[str, Any]:
    hidden = {"metadata", "digest"}
    return {"became": f"event at position {event['position']}", **{k: v for k, v in event.items() if k not in hidden}}


def _describe_waiting(waiting: dict[str, Any]) -> dict[str, Any]:
    told = ("reason", "detail", "remedy", "source", "line", "byte_offset", "quarantined_at", "raw")
    return {"became": f"quarantined because of {waiting['reason']}", **{name: waiting[name] for name in told}}
