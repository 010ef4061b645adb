"""Tables beside the log for what replay keeps: states at checkpoints, and how the values of fields are spread.

Rows belong to a model. How far a model reaches stands in the summary of the snapshot that wrote it, as in the table of
lifted payloads: a snapshot of others has no such mark, and what stands in it is then not relied on.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
import pyarrow as pa
from pyiceberg.conversions import from_bytes
from pyiceberg.exceptions import CommitFailedException, NoSuchTableError, RESTError
from pyiceberg.manifest import DataFile
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.table import Table
from pyiceberg.transforms import IdentityTransform
from pyiceberg.typedef import Record
from pyiceberg.types import LongType, NestedField, StringType, TimestamptzType

from workbench.errors import LogBusyError, ReadModelError, ReadOnlyLogError, StorageError
from workbench.eventlog.catalog import Tables, table_properties
from workbench.eventlog.files import ROW_GROUP, arrow_schema, local_path, read_file, remove_files, write_file
from workbench.eventlog.shapes.listing import trino_columns
from workbench.eventlog.shapes.shape import FilePart, SnapshotTable
from workbench.eventlog.storage.parts import explain_part
from workbench.eventlog.writing.commit import Change, commit_change

CHECKPOINTS: Final = Schema(
    NestedField(1, "model", StringType(), required=True),
    NestedField(2, "projection", StringType(), required=True),
    NestedField(3, "projection_hash", StringType(), required=True),
    NestedField(4, "registry_hash", StringType(), required=True),
    NestedField(5, "checkpoint_position", LongType(), required=True),
    NestedField(6, "as_of", TimestamptzType()),
    NestedField(7, "entity_id", StringType(), required=True),
    NestedField(8, "state", StringType(), required=True),
    NestedField(9, "event_count", LongType(), required=True),
    NestedField(10, "position", LongType()),
    NestedField(11, "occurred_at", TimestamptzType()),
    NestedField(12, "notes", StringType()),
    NestedField(13, "slots", StringType()),
    NestedField(14, "failed", StringType()),
    NestedField(15, "reached_position", LongType(), required=True),
    NestedField(16, "reached_at", TimestamptzType(), required=True),
    NestedField(17, "left_out", StringType(), required=True),
    NestedField(18, "digest", StringType(), required=True),
)
POPULATIONS: Final = Schema(
    NestedField(1, "model", StringType(), required=True),
    NestedField(2, "field", StringType(), required=True),
    NestedField(3, "part", StringType(), required=True),
    NestedField(4, "segment", LongType(), required=True),
    NestedField(5, "occurred_at", TimestamptzType(), required=True),
    NestedField(6, "value", StringType(), required=True),
    NestedField(7, "count", LongType(), required=True),
)
# Name -> columns, and those that files are kept apart by, the model first.
TABLES: Final[Mapping[str, tuple[Schema, int]]] = {"checkpoints": (CHECKPOINTS, 1), "populations": (POPULATIONS, 4)}
MARK: Final = "workbench.model."
# Marks are carried from snapshot to snapshot: a summary stays below some kilobytes.
MODELS: Final = 32
KEPT: Final = 2
ATTEMPTS: Final = 20
# One entity is looked up by the bounds of row groups: 2,048 states are some hundred kilobytes.
STATE_GROUP: Final = 2048


class Parted(msgspec.Struct, frozen=True, kw_only=True):
    """One file of a table: the values it is kept apart by, its path, its least and greatest occurred_at."""

    key: tuple[str, ...]
    file: DataFile
    times: tuple[int, int] | None


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """A table at a snapshot: what each model's mark says, and its files."""

    table: Table
    marks: Mapping[str, str]
    files: Sequence[Parted]

    def part(self, key: Sequence[str]) -> FilePart:
        """Return the files whose key begins so, as an engine reads them; it must still ask for the rows by model."""
        found = [file for file in self.files if file.key[: len(key)] == tuple(key)]
        *namespace, name = self.table.name()
        return FilePart(
            files=tuple(local_path(each.file.file_path) for each in found),
            bounds=tuple({} if each.times is None else {"occurred_at": each.times} for each in found),
            table=SnapshotTable(
                namespace=".".join(namespace), name=name, snapshot_id=self.table.metadata.current_snapshot_id
            ),
        )


class ModelTable:
    """One of the tables, made when first written. What it holds is listed once a snapshot."""

    def __init__(self, tables: Tables, name: str, shape: tuple[Schema, int] | None = None) -> None:
        self._tables, self.name = tables, name
        self.place = f"{tables.namespace}_derived.{name}"
        self.schema, self._depth = shape or TABLES[name]
        self.columns = trino_columns(self.schema)
        self._known: Reading | None = None
        self._log_id: str | None = None

    @property
    def log_id(self) -> str:
        """What tells this log from any other, also one of the same name; looked up once."""
        if self._log_id is None:
            self._log_id = str(self._tables.peek("events").metadata.table_uuid)
        return self._log_id

    def read(self) -> Reading | None:
        """Return the table at its current snapshot, None where there is none or it cannot be read."""
        try:
            table = self._tables.peek(self.name, derived=True)
            if self._known is None or self._known.table.metadata.current_snapshot_id != _current(table):
                self._known = Reading(table=table, marks=read_marks(table), files=list_files(table))
        except (StorageError, OSError, RESTError, ValueError):
            return None
        return self._known

    def open(self) -> Table:
        """Return the table to write beside, made where it is not there. Raises ReadOnlyLogError."""
        try:
            return self._tables.catalog.load_table(self.place)
        except NoSuchTableError:
            pass
        spec = PartitionSpec(
            *(
                PartitionField(
                    source_id=field.field_id,
                    field_id=1000 + number,
                    transform=IdentityTransform(),
                    name=field.name,
                )
                for number, field in enumerate(self.schema.fields[: self._depth])
            )
        )
        try:
            return self._tables.catalog.create_table_if_not_exists(
                self.place, self.schema, partition_spec=spec, properties=table_properties(self.schema)
            )
        except (OSError, RESTError) as error:
            raise self.refused(error) from error

    def refused(self, error: Exception) -> ReadOnlyLogError:
        """Return what is to be said where this session may not write the table."""
        return ReadOnlyLogError(
            f"{self.place} cannot be written by this session: {explain_part(error) or error}. States are folded from "
            "the events instead; have a session that may write keep them."
        )

    def write(self, table: Table, key: Sequence[Any], rows: pa.Table) -> DataFile:
        """Return the file that holds rows, written and not yet committed. Raises ReadOnlyLogError."""
        group = STATE_GROUP if self.name == "checkpoints" else ROW_GROUP
        try:
            whole = rows.select(self.schema.column_names).cast(arrow_schema(table))
            return write_file(table, whole, partition=Record(*key), row_group=group)
        except (OSError, RESTError) as error:
            raise self.refused(error) from error

    def discard(self, files: Iterable[DataFile]) -> None:
        """Remove files that were not committed."""
        remove_files(self._tables.peek("events"), [file.file_path for file in files])

    def commit(
        self, model: str, mark: str | None, *, seen: str | None, added: Sequence[DataFile], replaced: Sequence[DataFile]
    ) -> bool:
        """Put a model's files in, and its mark; tell whether it was done.

        It is not where the model's mark is another than ``seen`` by now: someone else was quicker, and the files are
        removed. A mark of None takes the model out. Raises ReadOnlyLogError, LogBusyError.
        """
        try:
            for _ in range(ATTEMPTS):
                table = self.open()
                marks = read_marks(table)
                if marks.get(model) != seen:
                    self.discard(added)
                    return False
                kept = {name: text for name, text in marks.items() if name != model} | ({model: mark} if mark else {})
                summary = {MARK + name: text for name, text in list(kept.items())[-MODELS:]}
                change = Change(kind="derive", added=added, removed=replaced, summary=summary)
                try:
                    commit_change(table, change, head=None, keep=KEPT)
                except CommitFailedException:
                    continue
                return True
        except (OSError, RESTError) as error:
            # It may have been committed all the same: files that were not are left to maintenance.
            raise self.refused(error) from error
        self.discard(added)
        raise LogBusyError(f"{self.place} could not be written: others were always quicker. Try again.")

    def read_rows(self, reading: Reading, key: Sequence[str]) -> pa.Table:
        """Return all rows whose key begins so. Raises ReadModelError where a file is lost or damaged."""
        return pa.concat_tables([arrow_schema(reading.table).empty_table(), *self._read(reading, key, None)])

    def read_names(self, reading: Reading, key: Sequence[str]) -> set[str]:
        """Return the entities of a model. Raises ReadModelError where a file is lost or damaged."""
        tables = self._read(reading, key, ["entity_id"])
        return {str(name) for rows in tables for name in rows.column("entity_id").to_pylist()}

    def _read(self, reading: Reading, key: Sequence[str], columns: Sequence[str] | None) -> list[pa.Table]:
        paths = [file.file.file_path for file in reading.files if file.key[: len(key)] == tuple(key)]
        try:
            return [read_file(reading.table, path, columns) for path in paths]
        except (OSError, ValueError) as error:
            raise ReadModelError(
                f"Files of {self.place} are lost or damaged: {error}. Answers are folded from the events; rebuild what "
                "is kept."
            ) from error


def read_marks(table: Table) -> dict[str, str]:
    """Return the marks of the snapshot's models, none where others wrote it."""
    snapshot = table.current_snapshot()
    summary = {} if snapshot is None or snapshot.summary is None else snapshot.summary.additional_properties
    return {name.removeprefix(MARK): text for name, text in summary.items() if name.startswith(MARK)}


def list_files(table: Table) -> list[Parted]:
    """Return the files of a table's snapshot."""
    if table.current_snapshot() is None:
        return []
    column = table.schema().find_field("occurred_at").field_id
    return [_parted(task.file, len(table.spec().fields), column) for task in table.scan().plan_files()]


def _parted(file: DataFile, depth: int, column: int) -> Parted:
    low, high = (bounds.get(column) for bounds in (file.lower_bounds or {}, file.upper_bounds or {}))
    times = (int(from_bytes(LongType(), low)), int(from_bytes(LongType(), high))) if low and high else None
    key: list[Any] = [file.partition[number] for number in range(depth)]
    return Parted(key=tuple(map(str, key)), file=file, times=times)


def _current(table: Table) -> int | None:
    return table.metadata.current_snapshot_id
