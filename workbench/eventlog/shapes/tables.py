"""The log's names as tables at a snapshot, for an engine that reads the catalog itself: no file is listed for it."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from workbench.eventlog.by_stream import stream_progress
from workbench.eventlog.shapes.listing import EVENT_COLUMNS, QUARANTINE_COLUMNS
from workbench.eventlog.shapes.shape import FilePart, Shape, SnapshotTable

if TYPE_CHECKING:
    from pyiceberg.table import Table

    from workbench.eventlog.catalog import Tables

# Bytes that are UTF-8, two digits a byte, one character at a time; else one byte.
_UTF8: Final = (
    "(?:C[2-9A-F]|D[0-9A-F])[89AB][0-9A-F]|E0[AB][0-9A-F][89AB][0-9A-F]|E[1-9A-CEF](?:[89AB][0-9A-F]){2}"
    "|ED[89][0-9A-F][89AB][0-9A-F]|F0[9AB][0-9A-F](?:[89AB][0-9A-F]){2}|F[1-3](?:[89AB][0-9A-F]){3}"
    "|F48[0-9A-F](?:[89AB][0-9A-F]){2}|[0-9A-F]{2}"
)
# Trino puts U+FFFD for bytes that are no UTF-8; a record in quarantine is shown with them escaped.
_RAW: Final = (
    "case when to_utf8(from_utf8(raw)) = raw then from_utf8(raw) else array_join(transform("
    f"regexp_extract_all(to_hex(raw), '{_UTF8}'), "
    r"x -> if(length(x) > 2 or x < '80', from_utf8(from_hex(x)), '\x' || lower(x))), '') end"
)
_ROWS: Final = "quarantine_rows"
_COLUMNS: Final = ", ".join(f"{_RAW} as raw" if name == "raw" else name for name in QUARANTINE_COLUMNS)
_RESOLVED: Final = f"select quarantine_id from {_ROWS} where resolution is not null"  # noqa: S608 - our own names
_WAITING: Final = f"select {_COLUMNS} from {_ROWS} where resolution is null and quarantine_id not in ({_RESOLVED})"  # noqa: S608 - the same


def table_shapes(tables: "Tables", *, by_stream: bool, stream_ids: Sequence[str] | None = None) -> Mapping[str, Shape]:
    """Return `events_stored` at the current snapshot, and `quarantine` as it is when it is read."""
    events = tables.peek("events")
    parts = _parts(tables, events) if by_stream and stream_ids else (FilePart(table=_standing(events)),)
    read = "-".join(str(part.table.snapshot_id) for part in parts if part.table is not None)
    quarantine = SnapshotTable(namespace=tables.namespace, name="quarantine")
    return {
        "events_stored": Shape(columns=EVENT_COLUMNS, version=f"{events.metadata.table_uuid}-{read}", parts=parts),
        "quarantine": Shape(
            columns=QUARANTINE_COLUMNS, version="now", select=_WAITING, tables={_ROWS: lambda: quarantine}
        ),
    }


def _parts(tables: "Tables", events: "Table") -> tuple[FilePart, ...]:
    """Return the layout by stream up to where it reaches, and the events behind."""
    streams = tables.peek("events_by_stream", derived=True)
    progress = stream_progress(streams, events)
    if progress < 0:
        return (FilePart(table=_standing(events)),)
    return FilePart(table=_standing(streams)), FilePart(table=_standing(events), after=progress)


def _standing(table: "Table") -> SnapshotTable:
    *namespace, name = table.name()
    snapshot = table.metadata.current_snapshot_id
    return SnapshotTable(namespace=".".join(namespace), name=name, snapshot_id=snapshot)
