"""What others INSERT into `events_inbox` becomes events: taken in as one commit, then removed from the inbox."""

import hashlib
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Final

import msgspec
import pyarrow as pa
from pyiceberg.exceptions import CommitFailedException
from pyiceberg.manifest import DataFile
from pyiceberg.table import FileScanTask, Table

from workbench.decode import DecodeContext
from workbench.errors import LogBusyError
from workbench.event import RawRecord
from workbench.eventlog.files import local_path
from workbench.eventlog.foreign.deletes import Scan, plan_scan, read_scan
from workbench.eventlog.schema import INBOX
from workbench.eventlog.store import Store
from workbench.eventlog.writing.commit import Change, commit_change
from workbench.eventlog.writing.ingest import IngestReport, Progress, ingest_source
from workbench.sources.base import MappedChunk, Source

NAME: Final = "events_inbox"
ATTEMPTS: Final = 40
# A row's offset is 40 bits of its file's name and 22 bits of its place there, so that the same row is quarantined once
# however often the inbox is drained; a file of more than 4 million rows goes on into its neighbour's range.
PLACE_BITS: Final = 22
JSON_COLUMNS: Final = ("data", "metadata")


class InboxSource(Source):
    """The rows that stand in the inbox now, in the order they were inserted, less those deleted since.

    A row without an id gets one from its file and place there, so that draining it twice is no second event.
    """

    format: ClassVar[str] = "inbox"
    media_type: ClassVar[str] = "application/json"

    def __init__(self, table: Table) -> None:
        self.name = NAME
        self._table = table
        self._scan = plan_scan(table, table.current_snapshot(), in_order=True)

    @property
    def files(self) -> list[DataFile]:
        """The data files whose rows these are."""
        return [task.file for task in self._scan.tasks]

    def records(self) -> Iterator[RawRecord]:
        """Yield each row as a JSON object; its line counts the rows of its file from 1."""
        for chunk in self.chunks():
            columns = [chunk.rows.column(name).to_pylist() for name in ("raw", "offset", "line")]
            for raw, offset, line in zip(*columns, strict=True):
                yield RawRecord(raw=raw.encode(), offset=offset, media_type=self.media_type, line=line)

    def chunks(self) -> Iterator[MappedChunk]:
        """Yield the rows of one file at a time."""
        for task in self._scan.tasks:
            yield MappedChunk(rows=_envelopes(self._read(task), local_path(task.file.file_path)))

    def _read(self, task: FileScanTask) -> pa.Table:
        there = set(self._table.schema().column_names)
        names = [field.name for field in INBOX.fields]
        one = Scan(tasks=[task], equality=self._scan.equality, sequence=self._scan.sequence)
        rows = read_scan(self._table, one, [name for name in names if name in there])
        for name in names:
            if name not in there:
                rows = rows.append_column(name, pa.nulls(rows.num_rows, pa.string()))
        return rows.select(names)


def _envelopes(rows: pa.Table, path: str) -> pa.Table:
    name = path.rpartition("/")[2].removesuffix(".parquet")
    given = rows.column("event_id").to_pylist()
    ids = pa.array([one or f"{name}/{number}" for number, one in enumerate(given)], pa.string())
    named = rows.set_column(rows.schema.get_field_index("event_id"), "event_id", ids)
    start = int.from_bytes(hashlib.blake2b(path.encode(), digest_size=5).digest()) << PLACE_BITS
    places = range(rows.num_rows)
    return (
        named.append_column("recorded_at", pa.nulls(rows.num_rows, pa.timestamp("us", tz="UTC")))
        .append_column("raw", pa.array([_write_raw(row) for row in named.to_pylist()], pa.string()))
        .append_column("offset", pa.array([start + place for place in places], pa.int64()))
        .append_column("line", pa.array([place + 1 for place in places], pa.int64()))
    )


def _write_raw(row: Mapping[str, Any]) -> str:
    """Return the row as the JSON line it would have been, so that it can be decoded again when its cause is mended.

    Text that is no JSON can't stand as a member: such a row is kept in an array, which no rule takes for an event.
    """
    present = {name: value for name, value in row.items() if value is not None}
    try:
        members = {name: _embed(present[name]) for name in JSON_COLUMNS if name in present}
    except msgspec.DecodeError:
        return msgspec.json.encode([present]).decode()
    return msgspec.json.encode({**present, **members}).decode()


def _embed(text: str) -> msgspec.Raw:
    msgspec.json.decode(text)
    return msgspec.Raw(text.encode())


def give_way(attempt: int) -> None:
    """Let others go first for a moment, longer with each attempt, up to half a second."""
    time.sleep(random.uniform(0, min(0.5, 0.005 * 2**attempt)))  # noqa: S311 - spreads writers, no secret


def drain_inbox(store: Store, context: DecodeContext, *, progress: Progress | None = None) -> IngestReport:
    """Take what stands in the inbox into the log as one commit, then remove it from there.

    Cut short between the two, the rows are known when it is done again; rows inserted meanwhile stay for the next time.
    """
    table = store.tables.inbox
    source = InboxSource(table)
    report = ingest_source(store, source, context, path=None, progress=progress)
    remove_drained(table, source.files)
    return report


def remove_drained(table: Table, files: Sequence[DataFile]) -> None:
    """Remove the files whose rows are in the log now, and no others. Raises LogBusyError."""
    left = list(files)
    for attempt in range(ATTEMPTS):
        if not left:
            return
        try:
            commit_change(table, Change(kind="derive", removed=left), head=None, keep=2)
        except CommitFailedException:
            give_way(attempt)
            table.refresh()
            there = {task.file.file_path for task in plan_scan(table, table.current_snapshot()).tasks}
            left = [file for file in left if file.file_path in there]
        else:
            return
    raise LogBusyError(
        "Producers were always quicker than the inbox could be emptied. Its rows are in the log; drain it again later."
    )
