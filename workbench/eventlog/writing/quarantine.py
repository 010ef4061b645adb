"""What could not be an event: kept with its raw bytes and a reason, append-only, open until it is resolved."""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
from pyiceberg.exceptions import CommitFailedException
from pyiceberg.table import Table

from workbench.errors import StorageError
from workbench.event import Rejection
from workbench.eventlog.files import arrow_schema, read_file, remove_files, write_file
from workbench.eventlog.writing.commit import Change, commit_change

ATTEMPTS: Final = 20
KEPT: Final = 4


def quarantine_id(source_digest: str, offset: int) -> str:
    """Return the id of one record of one source: the same bytes at the same place are quarantined once."""
    return f"{source_digest[:32]}-{offset}"


def read_quarantine(table: Table) -> pa.Table:
    """Return every row of the quarantine table, resolutions included, in the order they were written."""
    if table.current_snapshot() is None:
        return arrow_schema(table).empty_table()
    files = sorted((task.file for task in table.scan().plan_files()), key=lambda file: file.file_path)
    rows = pa.concat_tables([read_file(table, file.file_path) for file in files] or [arrow_schema(table).empty_table()])
    return rows.sort_by([("quarantined_at", "ascending"), ("byte_offset", "ascending")])


def open_records(rows: pa.Table) -> pa.Table:
    """Return the records of `read_quarantine` for which no resolution is recorded."""
    resolved = rows.filter(pc.is_valid(rows.column("resolution"))).column("quarantine_id")
    waiting = rows.filter(pc.is_null(rows.column("resolution")))
    return waiting.filter(pc.invert(pc.is_in(waiting.column("quarantine_id"), value_set=resolved.combine_chunks())))


def add_rejections(table: Table, rejections: Sequence[Rejection], *, source: str, source_digest: str) -> int:
    """Commit rejected records that are not there yet and return how many of them are open now, old and new."""
    ids = [quarantine_id(source_digest, rejection.offset) for rejection in rejections]
    named = dict(zip(ids, rejections, strict=True))

    def missing(known: pa.Table) -> list[dict[str, object]]:
        there = set(known.column("quarantine_id").to_pylist())
        return [_row(name, rejection, source) for name, rejection in named.items() if name not in there]

    known = read_quarantine(table)
    fresh = {row["quarantine_id"] for row in missing(known)}
    _commit_rows(table, known, missing)
    waiting = set(open_records(known).column("quarantine_id").to_pylist())
    return sum(name in fresh or name in waiting for name in ids)


def add_resolutions(
    table: Table, records: Sequence[Mapping[str, object]], resolution: str, positions: Sequence[int]
) -> None:
    """Record how open records were resolved and at which position each stands in the log."""
    now = datetime.now(UTC)
    mark = {"raw": b"", "repaired": None, "mapped": None, "quarantined_at": now, "resolution": resolution}
    rows = [
        {**record, **mark, "resolved_position": position} for record, position in zip(records, positions, strict=True)
    ]

    def missing(known: pa.Table) -> list[dict[str, object]]:
        resolved = set(known.filter(pc.is_valid(known.column("resolution"))).column("quarantine_id").to_pylist())
        return [row for row in rows if row["quarantine_id"] not in resolved]

    _commit_rows(table, read_quarantine(table), missing)


def _row(name: str, rejection: Rejection, source: str) -> dict[str, object]:
    return {
        "quarantine_id": name,
        "source": source,
        "byte_offset": rejection.offset,
        "line": rejection.line,
        "media_type": rejection.media_type,
        "reason": rejection.reason,
        "detail": rejection.detail,
        "remedy": rejection.remedy,
        "raw": rejection.raw,
        "repaired": rejection.repaired,
        "quarantined_at": datetime.now(UTC),
        "resolution": None,
        "resolved_position": None,
        "mapped": rejection.mapped,
    }


def _commit_rows(table: Table, known: pa.Table, missing: Callable[[pa.Table], list[dict[str, object]]]) -> None:
    """Commit the rows that are missing; when another commit came first, those that are missing still."""
    for attempt in range(ATTEMPTS):
        rows = missing(known)
        if not rows:
            return
        file = write_file(table, pa.Table.from_pylist(rows, schema=arrow_schema(table)))
        try:
            commit_change(table, Change(kind="quarantine", added=[file]), head=None, keep=KEPT)
        except CommitFailedException:
            remove_files(table, [file.file_path])
            time.sleep(random.uniform(0, min(0.5, 0.005 * 2**attempt)))  # noqa: S311 - spreads writers, no secret
            known = read_quarantine(table.refresh())
        else:
            return
    raise StorageError("The rejected records could not be quarantined: other writers were always quicker. Try again.")
