"""Columns in Trino's words, and the files of the current snapshot, listed once a snapshot."""

from collections.abc import Callable, Sequence
from typing import Final

import msgspec
import pyarrow as pa
from pyiceberg.conversions import from_bytes
from pyiceberg.manifest import DataFile
from pyiceberg.schema import Schema
from pyiceberg.table import Table
from pyiceberg.types import LongType

from workbench.eventlog.by_stream import Cell, find_cells, group_by_cell, stream_progress
from workbench.eventlog.files import local_path
from workbench.eventlog.layout import planned_files
from workbench.eventlog.schema import EVENTS
from workbench.eventlog.shapes.shape import FilePart
from workbench.eventlog.writing.quarantine import open_records, read_quarantine

TRINO_TYPES: Final = {
    "long": "bigint",
    "int": "integer",
    "string": "varchar",
    "timestamptz": "timestamp(6) with time zone",
    "timestamp": "timestamp(6)",
    "binary": "varbinary",
    "boolean": "boolean",
    "double": "double",
    "float": "real",
    "date": "date",
}


def trino_columns(schema: Schema) -> dict[str, str]:
    """Return an Iceberg schema's columns with their types in Trino's words."""
    return {field.name: TRINO_TYPES.get(str(field.field_type), str(field.field_type)) for field in schema.fields}


EVENT_COLUMNS: Final = trino_columns(EVENTS)
BOUNDED: Final = tuple(EVENTS.find_field(name) for name in ("position", "occurred_at", "recorded_at"))
QUARANTINE_COLUMNS: Final = {
    "quarantine_id": "varchar",
    "source": "varchar",
    "byte_offset": "bigint",
    "line": "bigint",
    "media_type": "varchar",
    "reason": "varchar",
    "detail": "varchar",
    "remedy": "varchar",
    "raw": "varchar",
    "quarantined_at": "timestamp(6) with time zone",
}


class FileLists:
    """The Parquet files of each table's current snapshot, kept by snapshot id."""

    def __init__(self) -> None:
        self._events: tuple[int | None, tuple[FilePart, ...]] = (None, ())
        self._streams: tuple[int | None, dict[Cell, tuple[str, ...]]] = (None, {})
        self._waiting: tuple[int | None, int] = (None, 0)

    def events(self, table: Table) -> FilePart:
        """Return the files of `events` in order of position, with their bounds."""
        return _join(self._listed(table))

    def events_after(self, table: Table, position: int) -> FilePart:
        """Return the files of `events` that hold a position behind the one given, and what counts of them."""
        later = [file for file in self._listed(table) if file.bounds[0]["position"][1] > position]
        return msgspec.structs.replace(_join(later), after=position)

    def _listed(self, table: Table) -> tuple[FilePart, ...]:
        """Return one part a file."""
        snapshot = table.current_snapshot()
        if snapshot is None:
            return ()
        # Threads share the lists: what is returned is what was looked at, whatever another puts there meanwhile.
        known, files = self._events
        if known != snapshot.snapshot_id:
            files = tuple(
                FilePart(files=(local_path(file.file_path),), bounds=(_bounds(file),)) for file in planned_files(table)
            )
            self._events = (snapshot.snapshot_id, files)
        return files

    def by_stream(self, table: Table, events: Table, stream_ids: Sequence[str]) -> tuple[tuple[str, ...], int]:
        """Return the files of `events_by_stream` that may hold the streams, and the position they reach."""
        snapshot = table.current_snapshot()
        progress = stream_progress(table, events)
        if snapshot is None or progress < 0:
            return (), -1
        known, local = self._streams
        if known != snapshot.snapshot_id:
            groups = group_by_cell(task.file for task in table.scan().plan_files())
            local = {cell: tuple(local_path(path) for path in paths) for cell, paths in groups.items()}
            self._streams = (snapshot.snapshot_id, local)
        return tuple(path for cell in find_cells(stream_ids) for path in local.get(cell, ())), progress

    def waiting(self, table: Table) -> int:
        """Return how many records wait in quarantine."""
        snapshot = table.current_snapshot()
        if snapshot is None:
            return 0
        if self._waiting[0] != snapshot.snapshot_id:
            self._waiting = (snapshot.snapshot_id, open_records(read_quarantine(table)).num_rows)
        return self._waiting[1]


def _join(files: Sequence[FilePart]) -> FilePart:
    return FilePart(
        files=tuple(path for file in files for path in file.files),
        bounds=tuple(bounds for file in files for bounds in file.bounds),
    )


def _bounds(file: DataFile) -> dict[str, tuple[int, int]]:
    """Return the bounds the manifest keeps for position and the two times; others write files without some."""
    return {
        field.name: (int(from_bytes(LongType(), low)), int(from_bytes(LongType(), high)))
        for field in BOUNDED
        if (low := (file.lower_bounds or {}).get(field.field_id)) and (high := file.upper_bounds.get(field.field_id))
    }


def quarantine_rows(load: Callable[[], Table]) -> pa.Table:
    """Return the records that wait in quarantine, their raw bytes as text; bytes that are no UTF-8 are escaped."""
    waiting = open_records(read_quarantine(load()))
    raws = [raw.decode("utf-8", errors="backslashreplace") for raw in waiting.column("raw").to_pylist()]
    at = waiting.schema.get_field_index("raw")
    return waiting.set_column(at, "raw", pa.array(raws, pa.string())).select(list(QUARANTINE_COLUMNS))
