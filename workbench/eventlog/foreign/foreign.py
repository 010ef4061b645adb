"""The mapped log as a session asks it: its rows at a snapshot, its head, and what was added between two snapshots."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property
from hashlib import sha256
from typing import Final

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
from pyiceberg.catalog import Catalog
from pyiceberg.exceptions import NoSuchNamespaceError, NoSuchTableError
from pyiceberg.manifest import DataFile, FileFormat
from pyiceberg.table import Table
from pyiceberg.table.snapshots import Operation, Snapshot, ancestors_of

from workbench.config import Settings
from workbench.errors import ConfigError, MappingError, UnsupportedOnThisLogError
from workbench.eventlog.base import Log, Span
from workbench.eventlog.catalog import open_catalog, storage_errors
from workbench.eventlog.files import local_path
from workbench.eventlog.foreign.deletes import Scan, plan_scan, read_scan
from workbench.eventlog.foreign.mapping import (
    MAPPED_TABLE,
    ORDER,
    check_names,
    check_position,
    plain_column,
    select_mapped,
    split_table,
)
from workbench.eventlog.head import Head
from workbench.eventlog.schema import POSITION
from workbench.eventlog.shapes.listing import EVENT_COLUMNS
from workbench.eventlog.shapes.shape import FilePart, Shape, SnapshotTable
from workbench.eventlog.shapes.trino_types import readable_columns
from workbench.eventlog.storage.objects import ObjectFiles, is_readable, open_objects

NAME_MAPPING: Final = "schema.name-mapping.default"
RECORDED_AT: Final = "recorded_at"
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class MappedLog(Log):
    """A table that others write, under the log's names. Nothing can be added to it."""

    def __init__(self, settings: Settings) -> None:
        self.settings: Settings = settings
        self.mapping: Mapping[str, str] = settings.log.mapping or {}
        check_names(self.mapping)
        self._identifier = split_table(settings.log.table)
        self._catalog = _open(settings)
        self._scans: dict[int, Scan] = {}
        self._heads: dict[int, Head] = {}
        table = self._load()
        self.columns = readable_columns(table.schema())
        self._folders = self.directories()
        self._check_columns(table)
        self._position = check_position(self.mapping, self.columns, self.name)

    @property
    def name(self) -> str:
        """The table's name."""
        return ".".join(self._identifier)

    @property
    def order(self) -> tuple[str, ...]:
        """The columns that order the log."""
        return ORDER if self._position is None else (POSITION,)

    @property
    def has_recording_times(self) -> bool:
        """Whether known_at resolves to a position by recorded_at, else it is answered by snapshot."""
        return self._position is not None and RECORDED_AT in self.mapping

    def directories(self) -> Sequence[str]:
        """Return the table's own place, local or in an object store; rows of files elsewhere are read by PyIceberg."""
        location = local_path(self._load().location()).rstrip("/")
        return [location] if "://" not in location or is_readable(location) else []

    def objects(self) -> ObjectFiles | None:
        """Return the files of that place where it is an object store's, None where it is local."""
        return open_objects(lambda: self._load().io, self.directories())

    def head(self) -> Head:
        """Return up to where the table reaches at its current snapshot; position is None where none is mapped."""
        table = self._load()
        snapshot = table.current_snapshot()
        if snapshot is None:
            return Head(
                position=None if self._position is None else -1, event_count=0, recorded_at=None, snapshot_id=None
            )
        if snapshot.snapshot_id not in self._heads:
            with storage_errors(f"reading {self.name}"):
                self._heads[snapshot.snapshot_id] = self._read_head(table, snapshot)
        return self._heads[snapshot.snapshot_id]

    def shapes(self, stream_ids: Sequence[str] | None = None) -> Mapping[str, Shape]:
        """Return the mapped table and `events_stored` over it, at the current snapshot."""
        del stream_ids
        table = self._load()
        if self._reads_tables:
            return self._standing(table, table.metadata.current_snapshot_id)
        return self._shapes(table, self._scan(table, table.current_snapshot()), str(table.metadata.current_snapshot_id))

    def shapes_of(self, span: Span) -> Mapping[str, Shape]:
        """Return the same names over the rows of a kept snapshot, or over those added between two.

        Raises UnsupportedOnThisLogError when a snapshot is no longer kept, or rows were changed in between.
        """
        table = self._load()
        if self._reads_tables and not (span.since is not None and span.since == span.until):
            if span.since is not None:
                raise UnsupportedOnThisLogError(
                    f"What was added to {self.name} between two snapshots is told by its files, which Trino is not "
                    "given. Map a position column, or use engine='duckdb'."
                )
            return self._standing(table, None if span.until is None else self._kept(table, span.until).snapshot_id)
        if span.until is None or span.since == span.until:
            return self._shapes(table, Scan(tasks=()), "nothing")
        if span.since is None:
            return self._shapes(table, self._scan(table, self._kept(table, span.until)), str(span.until))
        self._check_appends(table, span.since, span.until)
        added = table.incremental_append_scan(
            from_snapshot_id_exclusive=span.since, to_snapshot_id_inclusive=span.until
        ).plan_files()
        return self._shapes(table, Scan(tasks=tuple(added)), f"{span.since}-{span.until}")

    def snapshot_at(self, instant: datetime) -> int | None:
        """Return the snapshot that was current at a time, None before the first.

        Raises UnsupportedOnThisLogError when it is no longer kept.
        """
        table = self._load()
        history = table.metadata.snapshot_log
        milliseconds = int(instant.timestamp() * 1000)
        place = sum(entry.timestamp_ms <= milliseconds for entry in history)
        before = table.snapshot_by_id(history[place - 1].snapshot_id) if place else None
        after = table.snapshot_by_id(history[place].snapshot_id) if place < len(history) else None
        if after is None or _follows(after, before):
            return None if before is None else before.snapshot_id
        raise UnsupportedOnThisLogError(
            f"What {self.name} held at {instant.isoformat()} is not known any more: it has not both position and "
            "recorded_at, and the snapshot of that time is no longer kept. Ask for a later known_at, or map position "
            "and recorded_at."
        )

    def _load(self) -> Table:
        try:
            with storage_errors(f"opening {self.name}"):
                return self._catalog.load_table(self._identifier_tuple())
        except (NoSuchTableError, NoSuchNamespaceError) as error:
            namespace = self._identifier[0]
            try:
                there = ", ".join(".".join(name) for name in self._catalog.list_tables(namespace)) or "no tables"
            except NoSuchNamespaceError:
                there = "no such namespace; namespaces are " + ", ".join(
                    ".".join(name) for name in self._catalog.list_namespaces()
                )
            raise ConfigError(
                f"The catalog has no table {self.name!r}. In {namespace!r} it has {there}. Set table under [log]."
            ) from error

    def _identifier_tuple(self) -> tuple[str, ...]:
        return (*self._identifier[0].split("."), self._identifier[1])

    def _kept(self, table: Table, snapshot_id: int) -> Snapshot:
        snapshot = table.snapshot_by_id(snapshot_id)
        if snapshot is None:
            raise UnsupportedOnThisLogError(
                f"Snapshot {snapshot_id} of {self.name} is no longer kept. Ask about the log as it is now."
            )
        return snapshot

    def _scan(self, table: Table, snapshot: Snapshot | None) -> Scan:
        if snapshot is None:
            return Scan(tasks=())
        if snapshot.snapshot_id not in self._scans:
            with storage_errors(f"listing the files of {self.name}"):
                scan = plan_scan(table, snapshot)
            # The newest few suffice: the current snapshot, and one or two that known_at asks about.
            self._scans = dict([*self._scans.items(), (snapshot.snapshot_id, scan)][-4:])
        return self._scans[snapshot.snapshot_id]

    def _shapes(self, table: Table, scan: Scan, version: str) -> Mapping[str, Shape]:
        words = f"{table.metadata.table_uuid}-{version}-{self._fingerprint}"
        columns = readable_columns(table.schema())
        if self._reads_files(table, scan):
            files = tuple(local_path(task.file.file_path) for task in scan.tasks)
            parts = (FilePart(files=files),) if files else ()
            rows = Shape(columns=steady_columns(table), version=words, parts=parts)
        else:
            rows = Shape(columns=columns, version=words, arrow=lambda: self._read(table, scan, columns))
        select = select_mapped(self.mapping, source=self.name, columns=columns)
        return {MAPPED_TABLE: rows, "events_stored": Shape(columns=EVENT_COLUMNS, version=words, select=select)}

    @property
    def _reads_tables(self) -> bool:
        """Whether the session's engine reads the table itself, so that no file need be listed."""
        return self.settings.engine == "trino"

    def _standing(self, table: Table, snapshot_id: int | None) -> Mapping[str, Shape]:
        """Return the names over the table as it is at a snapshot, which the engine reads itself."""
        words = f"{table.metadata.table_uuid}-{snapshot_id}-{self._fingerprint}"
        columns = readable_columns(table.schema())
        namespace, name = self._identifier
        read = SnapshotTable(namespace=namespace, name=name.lower(), snapshot_id=snapshot_id)
        parts = () if snapshot_id is None else (FilePart(table=read),)
        select = select_mapped(self.mapping, source=self.name, columns=columns)
        return {
            MAPPED_TABLE: Shape(columns=columns, version=words, parts=parts),
            "events_stored": Shape(columns=EVENT_COLUMNS, version=words, select=select),
        }

    @cached_property
    def _fingerprint(self) -> str:
        return sha256(msgspec.json.encode(dict(self.mapping))).hexdigest()[:16]

    def _reads_files(self, table: Table, scan: Scan) -> bool:
        """Whether an engine may read the data files by column names: none deleted, all Parquet, all named as now."""
        steady = steady_columns(table)
        used = {name for name in readable_columns(table.schema()) if self._mentions(name)}
        return (
            scan.is_plain
            and used <= set(steady)
            and NAME_MAPPING not in table.properties
            and all(self._is_readable(task.file) for task in scan.tasks)
        )

    def _is_readable(self, file: DataFile) -> bool:
        path = local_path(file.file_path)
        return file.file_format == FileFormat.PARQUET and any(path.startswith(f"{folder}/") for folder in self._folders)

    def _mentions(self, column: str) -> bool:
        return any(column in expression.lower() for expression in self.mapping.values())

    def _read(self, table: Table, scan: Scan, columns: Mapping[str, str]) -> pa.Table:
        names = [field.name for field in table.schema().fields if field.name.lower() in columns]
        with storage_errors(f"reading {self.name}"):
            rows = read_scan(table, scan, names)
        return rows.rename_columns([name.lower() for name in rows.column_names])

    def _check_columns(self, table: Table) -> None:
        """Refuse a plain column that the table does not have, before anything is asked."""
        there = [field.name for field in table.schema().fields]
        for name, expression in self.mapping.items():
            bare = plain_column(expression, there)
            if bare is not None and bare.lower() not in self.columns:
                kind = table.schema().find_field(bare).field_type
                raise MappingError(
                    f"[log.mapping] {name} = {expression!r}: the column is of type {kind}, which has no counterpart "
                    "here. Map another column."
                )

    def _check_appends(self, table: Table, since: int, until: int) -> None:
        for snapshot in ancestors_of(self._kept(table, until), table.metadata):
            if snapshot.snapshot_id == since:
                return
            operation = None if snapshot.summary is None else snapshot.summary.operation
            if operation not in {Operation.APPEND, Operation.REPLACE}:
                raise UnsupportedOnThisLogError(
                    f"Snapshot {snapshot.snapshot_id} of {self.name} changed or removed rows ({operation}), so what "
                    "came after cannot be told from what was there. Read the log anew, or map a position column."
                )
            if snapshot.parent_snapshot_id == since:
                return
        raise UnsupportedOnThisLogError(
            f"Snapshot {since} of {self.name} is no longer kept, so what was added since cannot be told. Read the log "
            "anew, or map a position column."
        )

    def _read_head(self, table: Table, snapshot: Snapshot) -> Head:
        scan = self._scan(table, snapshot)
        position = None if self._position is None else self._greatest(table, scan, self._position)
        recorded = plain_column(self.mapping.get(RECORDED_AT, "null"), list(self.columns))
        if recorded is not None and self.columns[recorded] != EVENT_COLUMNS[RECORDED_AT]:
            recorded = None
        latest = None if recorded is None else self._greatest(table, scan, recorded)
        return Head(
            position=-1 if position is None and self._position is not None else position,
            event_count=self._count(table, scan),
            recorded_at=None if latest is None else EPOCH + timedelta(microseconds=latest),
            snapshot_id=snapshot.snapshot_id,
        )

    def _count(self, table: Table, scan: Scan) -> int:
        if scan.is_plain:
            return sum(task.file.record_count for task in scan.tasks)
        first = table.schema().fields[0].name
        return int(read_scan(table, scan, [first]).num_rows)

    @staticmethod
    def _greatest(table: Table, scan: Scan, column: str) -> int | None:
        """Return the greatest value of an integer or time column: from the files' bounds where all have them."""
        field = table.schema().find_field(column, case_sensitive=False)
        bounds = [(task.file.upper_bounds or {}).get(field.field_id) for task in scan.tasks if task.file.record_count]
        known = [int.from_bytes(bound, "little", signed=True) for bound in bounds if bound is not None]
        if scan.is_plain and len(known) == len(bounds):
            return max(known, default=None)
        values = read_scan(table, scan, [field.name]).column(field.name)
        greatest: int | None = pc.max(values.cast(pa.int64())).as_py()
        return greatest


def _follows(after: Snapshot, before: Snapshot | None) -> bool:
    """Whether no snapshot between the two was current and has expired; ``before`` None stands for the empty table.

    Sequence numbers tell: writers give them without gaps, and an expired parent is forgotten in its child.
    """
    number = after.sequence_number or 0
    if before is None:
        return number == 1
    earlier = before.sequence_number or 0
    return after.parent_snapshot_id == before.snapshot_id or number == earlier + 1 or number <= earlier


def steady_columns(table: Table) -> dict[str, str]:
    """Return the columns that have one id, name and type in every schema the table ever had: any file has them so."""
    fields = [
        {(field.field_id, field.name): field.field_type for field in schema.fields}
        for schema in table.schemas().values()
    ]
    current = readable_columns(table.schema())
    same = {
        field.name.lower()
        for field in table.schema().fields
        if all(known.get((field.field_id, field.name)) == field.field_type for known in fields)
    }
    return {name: kind for name, kind in current.items() if name in same}


def _open(settings: Settings) -> Catalog:
    file = settings.folder / "catalog.db"
    if settings.catalog is None and not file.is_file():
        raise ConfigError(
            f"The mapped table {settings.log.table!r} needs a catalog, and there is no {file}. Name one with "
            'catalog = "name", as .pyiceberg.yaml knows it.'
        )
    return open_catalog(settings)
