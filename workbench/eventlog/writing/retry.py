"""Bring quarantined records in, once, after their cause is mended."""

import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import pyarrow as pa

from workbench.decode import DecodeContext, decode_chunk
from workbench.eventlog.store import Store
from workbench.eventlog.writing.ingest import IngestReport
from workbench.eventlog.writing.quarantine import add_resolutions, open_records, read_quarantine
from workbench.eventlog.writing.write import Written, write_batches
from workbench.sources.base import RecordChunk

MAPPED: Final = "application/json"


def retry_records(store: Store, context: Callable[[str], DecodeContext]) -> IngestReport:
    """Decode the waiting records as they stand, append those that are events now, and record how each was resolved.

    Run twice, or cut short between the two commits, it appends nothing twice: the events are known by then.
    """
    started = time.perf_counter()
    waiting = open_records(read_quarantine(store.tables.quarantine)).to_pylist()
    decoded = [_decode(record, context) for record in waiting]
    ready = [(record, rows) for record, rows in zip(waiting, decoded, strict=True) if rows is not None]
    refused: list[int] = []
    appended = 0
    if ready:

        def settle(written: Written) -> None:
            # A commit that was overtaken is settled again: the last word counts.
            refused[:] = [*written.conflicts.tolist(), *written.mistimed.tolist()]

        written = write_batches(store, [pa.concat_tables(rows for _, rows in ready)], settle=settle)
        appended = written.appended_count
        good = [number for number in range(len(ready)) if number not in set(refused)]
        positions = [int(written.positions[number]) for number in good]
        with store.writing():
            # Under the lock, or a maintain meanwhile would take the resolutions' file for a stray.
            add_resolutions(store.tables.quarantine, [ready[number][0] for number in good], "appended", positions)
    resolved = len(ready) - len(set(refused))
    return IngestReport(
        read=len(waiting),
        appended=appended,
        duplicates=resolved - appended,
        quarantined=len(waiting) - resolved,
        seconds=round(time.perf_counter() - started, 3),
    )


def _decode(record: Mapping[str, Any], context: Callable[[str], DecodeContext]) -> pa.Table | None:
    mapped = record["mapped"]
    chunk = RecordChunk(
        media_type=record["media_type"] if mapped is None else MAPPED,
        raws=[record["raw"] if mapped is None else mapped],
        offsets=[record["byte_offset"]],
        lines=None if record["line"] is None else [record["line"]],
    )
    rows = decode_chunk(chunk, context(record["source"])).events
    return rows if rows.num_rows else None
