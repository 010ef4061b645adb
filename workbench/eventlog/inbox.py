"""What others INSERT into `events_inbox` becomes events: taken in as one commit, then removed from the inbox."""

from collections.abc import Iterator
from typing import Any, ClassVar, Final

import msgspec
import pyarrow as pa
from pyiceberg.exceptions import CommitFailedException
from pyiceberg.manifest import DataFile
from pyiceberg.table import Table

from workbench.errors import LogBusyError
from workbench.event import RawRecord
from workbench.eventlog.commit import Change, commit_change
from workbench.eventlog.files import local_path, read_file
from workbench.sources.base import MappedChunk, Source

ATTEMPTS: Final = 20


class InboxSource(Source):
    """The rows that stand in the inbox now. A row without an id gets one from its file and place there."""

    format: ClassVar[str] = "inbox"
    media_type: ClassVar[str] = "application/vnd.workbench.row+json"

    def __init__(self, table: Table) -> None:
        self.name = "events_inbox"
        self._table = table
        planned = [] if table.current_snapshot() is None else list(table.scan().plan_files())
        self.files: list[DataFile] = sorted((task.file for task in planned), key=lambda file: file.file_path)

    def records(self) -> Iterator[RawRecord]:
        """Yield each row as a JSON object; its offset counts rows over all files."""
        for chunk in self.chunks():
            raws, offsets = chunk.rows.column("raw").to_pylist(), chunk.rows.column("offset").to_pylist()
            for raw, offset in zip(raws, offsets, strict=True):
                yield RawRecord(raw=raw.encode(), offset=offset, media_type=self.media_type)

    def chunks(self) -> Iterator[MappedChunk]:
        """Yield the rows of one file at a time."""
        start = 0
        for file in self.files:
            rows = read_file(self._table, file.file_path)
            yield MappedChunk(rows=_envelopes(rows, file.file_path, start))
            start += rows.num_rows


def _envelopes(rows: pa.Table, path: str, start: int) -> pa.Table:
    raws = [msgspec.json.encode(_present(row)).decode() for row in rows.to_pylist()]
    name = local_path(path).rpartition("/")[2].removesuffix(".parquet")
    ids = [given or f"{name}/{number}" for number, given in enumerate(rows.column("event_id").to_pylist())]
    at = rows.schema.get_field_index("event_id")
    named = rows.set_column(at, "event_id", pa.array(ids, pa.string()))
    offsets = pa.array(range(start, start + rows.num_rows), pa.int64())
    return (
        named.append_column("recorded_at", pa.nulls(rows.num_rows, pa.timestamp("us", tz="UTC")))
        .append_column("raw", pa.array(raws, pa.string()))
        .append_column("offset", offsets)
        .append_column("line", pa.nulls(rows.num_rows, pa.int64()))
    )


def _present(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if value is not None}


def remove_drained(table: Table, files: list[DataFile]) -> None:
    """Remove files whose rows are in the log now; rows inserted meanwhile stay. Safe to cut short: they are known."""
    if not files:
        return
    for _ in range(ATTEMPTS):
        try:
            commit_change(table, Change(kind="derive", removed=files), head=None, keep=2)
        except CommitFailedException:
            table.refresh()
        else:
            return
    raise LogBusyError(
        "Producers were always quicker than the inbox could be emptied. Its rows are in the log; try again later."
    )
