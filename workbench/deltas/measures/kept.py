"""What was measured of decisions, kept in a table beside the log and brought up as it grows.

A row is a decision at the head it was measured at; of several the latest counts. What is kept belongs to a model: the
mappings, the registry, the log, and how it was measured. Lost or damaged, it is measured anew.
"""

import hashlib
import threading
from collections.abc import Callable, Mapping
from typing import Any, Final, Self

import msgspec
import polars as pl
from pyiceberg.schema import Schema
from pyiceberg.types import DoubleType, IcebergType, LongType, NestedField, StringType, TimestamptzType

from workbench.deltas.columns import MEASURES
from workbench.deltas.measures.frames import KEYS, MEASURED
from workbench.errors import ReadModelError, ReadOnlyLogError, StorageError
from workbench.eventlog.models import ModelTable, Reading
from workbench.query.base import Table as Place

NAME: Final = "measures"
# Counted up when a measure changes: what is kept is then measured anew.
VERSION: Final = 1
_TYPES: Final[Mapping[str, type[IcebergType]]] = {"bigint": LongType, "double": DoubleType, "varchar": StringType}
SCHEMA: Final = Schema(
    NestedField(1, "model", StringType(), required=True),
    NestedField(2, "kind", StringType(), required=True),
    NestedField(3, "proposal_position", LongType(), required=True),
    NestedField(4, "decision_position", LongType(), required=True),
    NestedField(5, "measured_position", LongType(), required=True),
    NestedField(6, "occurred_at", TimestamptzType(), required=True),
    *(NestedField(number, name, _TYPES[kind]()) for number, (name, kind) in enumerate(MEASURES.items(), start=7)),
)
SHAPE: Final = (SCHEMA, 1)
FRAME: Final[dict[str, Any]] = {
    "model": pl.String(),
    **KEYS,
    "measured_position": pl.Int64(),
    "occurred_at": pl.Datetime("us", "UTC"),
    **MEASURED,
}
# Files that come together before they are made one.
FILES: Final = 8


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept, and up to where: its mark in a snapshot's summary."""

    mappings: str
    registry_hash: str
    log: str
    version: int = VERSION
    position: int = -1

    @property
    def id(self) -> str:
        """The model's name in the table."""
        parts = (NAME, self.mappings, self.registry_hash, self.log, self.version)
        return hashlib.blake2b(msgspec.json.encode(parts), digest_size=8).hexdigest()

    def write(self) -> str:
        """Return the mark's text."""
        return msgspec.json.encode(self).decode()

    @classmethod
    def read(cls, text: str) -> Self:
        """Return what a mark says. Raises msgspec.ValidationError, msgspec.DecodeError."""
        return msgspec.json.decode(text, type=cls)


def find_kept(reading: Reading | None, wanted: Measured, head: int) -> Measured:
    """Return what is kept of a model, or the model itself where nothing is or it reaches past the head."""
    mark = None if reading is None else reading.marks.get(wanted.id)
    if mark is None:
        return wanted
    try:
        known = Measured.read(mark)
    except msgspec.MsgspecError:
        return wanted
    return known if known.id == wanted.id and known.position <= head else wanted


class Keeper:
    """What one session keeps of its measures: in the table beside the log, or in memory where it may not write there.

    ``measure`` gives the rows that the events behind a position, and up to another, make new or other. Safe to use from
    several threads.
    """

    def __init__(
        self,
        table: ModelTable | None,
        wanted: Measured,
        measure: Callable[[int, int], pl.DataFrame],
        *,
        in_tables: bool,
    ) -> None:
        self.wanted = wanted
        self._table, self._measure, self._in_tables = table, measure, in_tables
        self._lock = threading.RLock()
        self._own: tuple[Measured, pl.DataFrame] | None = None
        self._cached: tuple[int | None, pl.DataFrame] | None = None

    def bring_up(self, head: int) -> int:
        """Return the position up to which everything is measured, which is the head. Raises ReadOnlyLogError."""
        with self._lock:
            while not self._bring_up_once(head):
                pass
        return head

    def _bring_up_once(self, head: int) -> bool:
        """Tell whether everything is measured; not so where someone else was quicker."""
        known = self._known(head)
        if known.position == head:
            return True
        rows = self._measure(known.position, head)
        if self._own is None and self._table is not None:
            try:
                return keep_measures(self._table, known, rows, reached=head)
            except (ReadOnlyLogError, StorageError, OSError):
                # What is kept may be lost or out of reach: it costs time, never an answer.
                if self._in_tables:
                    raise
        before = self.rows(head) if known.position >= 0 else pl.DataFrame(schema=FRAME)
        whole = latest_measures([before, _mark_rows(rows, known.id, head)])
        self._own = (msgspec.structs.replace(known, position=head), whole)
        return True

    def _known(self, head: int) -> Measured:
        if self._own is not None:
            return self._own[0] if self._own[0].position <= head else self.wanted
        return find_kept(None if self._table is None else self._table.read(), self.wanted, head)

    def rows(self, head: int) -> pl.DataFrame:
        """Return the latest measures of each decision. What cannot be read is measured anew."""
        with self._lock:
            if self._own is not None:
                return self._own[1]
            reading = None if self._table is None else self._table.read()
            if self._table is None or reading is None:
                return pl.DataFrame(schema=FRAME)
            snapshot = reading.table.metadata.current_snapshot_id
            if self._cached is None or self._cached[0] != snapshot:
                try:
                    whole = latest_measures([pl.DataFrame(self._table.read_rows(reading, (self.wanted.id,)))])
                except ReadModelError:
                    rows = _mark_rows(self._measure(-1, head), self.wanted.id, head)
                    self._own = (msgspec.structs.replace(self.wanted, position=head), rows)
                    return rows
                self._cached = (snapshot, whole)
            return self._cached[1]

    def find(self) -> Place:
        """Return where the rows are kept, for an engine that reads tables; made where there are none yet."""
        if self._table is None:
            raise ReadModelError("This log has no place for what is measured. Read proposals and decisions instead.")
        *namespace, name = self._table.place.split(".")
        snapshot = self._table.open().metadata.current_snapshot_id
        return Place(namespace=".".join(namespace), name=name, snapshot_id=snapshot)


def keep_measures(table: ModelTable, known: Measured, rows: pl.DataFrame, *, reached: int) -> bool:
    """Add measures made at a head to what is kept; tell whether nobody else was quicker.

    ``rows`` are those of `measures` with ``occurred_at``. Raises ReadOnlyLogError, LogBusyError.
    """
    opened = table.open()
    reading = table.read()
    mark = None if reading is None else reading.marks.get(known.id)
    files = [file.file for file in reading.files if file.key[0] == known.id] if reading is not None else []
    is_whole = known.position < 0 or len(files) >= FILES
    if known.position >= 0 and is_whole and reading is not None:
        rows = latest_measures(
            [pl.DataFrame(table.read_rows(reading, (known.id,))), _mark_rows(rows, known.id, reached)]
        )
    else:
        rows = _mark_rows(rows, known.id, reached)
    added = [table.write(opened, (known.id,), rows.to_arrow())] if rows.height else []
    whole = msgspec.structs.replace(known, position=reached)
    return table.commit(known.id, whole.write(), seen=mark, added=added, replaced=files if is_whole else [])


def latest_measures(parts: list[pl.DataFrame]) -> pl.DataFrame:
    """Return the latest row of each decision."""
    joined = pl.concat([part.select(SCHEMA.column_names) for part in parts], how="vertical_relaxed")
    keys = list(KEYS)
    return joined.sort("proposal_position", "decision_position", "kind", "measured_position").unique(
        keys, keep="last", maintain_order=True
    )


def _mark_rows(rows: pl.DataFrame, model: str, reached: int) -> pl.DataFrame:
    return rows.with_columns(pl.lit(model).alias("model"), pl.lit(reached, pl.Int64).alias("measured_position")).select(
        SCHEMA.column_names
    )
