"""Logs in a folder of their own, appended to and read back without any engine."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyiceberg.conversions import from_bytes
from pyiceberg.table import Table
from pyiceberg.types import LongType

from tests.builders import START
from workbench.config import LogSettings, load_settings
from workbench.decode import encode_events
from workbench.event import Event
from workbench.eventlog import NativeLog
from workbench.eventlog.files import local_path, read_file
from workbench.eventlog.layout import planned_files
from workbench.eventlog.store import first_position
from workbench.eventlog.writing.write import Written

SOURCE = "workbench"


def open_folder(folder: Path, **log_settings: Any) -> NativeLog:
    """Return the log in a folder, as a process that just started would open it."""
    settings = load_settings(folder)
    return NativeLog(msgspec.structs.replace(settings, log=LogSettings(**log_settings)))


def make_events(start: int, size: int, *, streams: int = 3, name: str = "e", **fields: Any) -> list[Event]:
    """Return events numbered from ``start``, dealt over streams; equal arguments give equal events."""
    defaults: dict[str, Any] = {"event_type": "MoneyDeposited", "occurred_at": START}
    return [
        Event(
            **(
                defaults
                | {
                    "event_id": f"{name}{number}",
                    "stream_id": f"account-{number % streams}",
                    "data": {"amount": number},
                }
                | fields
            )
        )
        for number in range(start, start + size)
    ]


def append(log: NativeLog, events: Sequence[Event], expected: int | Mapping[str, int] | None = None) -> Written:
    """Append events as the session does."""
    return log.append([encode_events(events, SOURCE)], expected=expected)


def read_events(log: NativeLog, stream_ids: Sequence[str] | None = None) -> pa.Table:
    """Return the stored rows by position, from the files an engine would read."""
    tables = []
    for part in log.shapes(stream_ids)["events_stored"].parts:
        for path in part.files:
            rows = read_file(log._store.tables.peek("events"), path) if "://" in path else pq.ParquetFile(path).read()
            tables.append(rows if part.after is None else rows.filter(pc.greater(rows.column("position"), part.after)))
    if not tables:
        return pa.table({"position": pa.array([], pa.int64()), "event_id": pa.array([], pa.string())})
    rows = pa.concat_tables(tables)
    if stream_ids is not None:
        rows = rows.filter(pc.is_in(rows.column("stream_id"), value_set=pa.array(stream_ids)))
    return rows.sort_by("position")


def event_ids(log: NativeLog) -> list[str]:
    """Return the ids in the order of the log."""
    return list(read_events(log).column("event_id").to_pylist())


def assert_whole(log: NativeLog) -> pa.Table:
    """Assert what holds for every log at every time, and return its rows."""
    rows = read_events(log)
    head = log.head()
    assert rows.column("position").to_pylist() == list(range(rows.num_rows))
    assert (head.position, head.event_count) == (rows.num_rows - 1, rows.num_rows)
    keys = list(zip(column(rows, "source"), column(rows, "event_id"), strict=True))
    assert len(set(keys)) == len(keys)
    versions: dict[str, list[int]] = {}
    for stream_id, version in zip(column(rows, "stream_id"), column(rows, "stream_version"), strict=True):
        versions.setdefault(stream_id, []).append(version)
    assert all(given == list(range(len(given))) for given in versions.values())
    times = column(rows, "recorded_at")
    assert times == sorted(times)
    assert not times or head.recorded_at == times[-1]
    assert sum(int(digest[:15], 16) for digest in column(rows, "digest")) % (1 << 128) == head.digest_sum
    return rows


def column(rows: pa.Table, name: str) -> list[Any]:
    """Return one column's values, none for an empty log."""
    return list(rows.column(name).to_pylist()) if rows.num_rows else []


def position_ranges(table: Table) -> list[tuple[int, int]]:
    """Return each data file's first and last position, in order."""
    return [(first_position(file), int(from_bytes(LongType(), file.upper_bounds[1]))) for file in planned_files(table)]


def files_below(folder: Path) -> dict[Path, int]:
    """Return every file below a folder with its size."""
    return {path: path.stat().st_size for path in sorted(folder.rglob("*")) if path.is_file()}


def live_files(log: NativeLog) -> set[Path]:
    """Return the data files that the current snapshots reach."""
    tables = log._store.tables
    loaded = [tables.events, tables.by_stream, tables.quarantine, tables.inbox]
    return {Path(local_path(file)) for table in loaded if table.current_snapshot() for file in _data_files(table)}


def _data_files(table: Table) -> Iterable[str]:
    return (task.file.file_path for task in table.scan().plan_files())


def content_hash(rows: pa.Table) -> str:
    """Return a hash over all rows and columns."""
    return hashlib.sha256(repr(rows.to_pylist()).encode()).hexdigest()


def utc(text: str) -> datetime:
    """Return a time written in ISO 8601 with its zone."""
    return datetime.fromisoformat(text)
