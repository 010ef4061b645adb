"""Open the catalog and the log's tables; turn what storage says into one sentence."""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from pyiceberg.catalog import Catalog, CatalogType, infer_catalog_type, load_catalog
from pyiceberg.exceptions import (
    NamespaceAlreadyExistsError,
    NoSuchNamespaceError,
    NoSuchTableError,
    RESTError,
    TableAlreadyExistsError,
)
from pyiceberg.partitioning import UNPARTITIONED_PARTITION_SPEC, PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.table import Table
from pyiceberg.table.sorting import UNSORTED_SORT_ORDER, NullOrder, SortField, SortOrder
from pyiceberg.transforms import BucketTransform, IdentityTransform

from workbench.config import Settings
from workbench.errors import ConfigError, ReadOnlyLogError, StorageError
from workbench.eventlog.schema import EVENTS, INBOX, QUARANTINE
from workbench.eventlog.storage.parts import NOWHERE, Places, explain_part, find_places, remedy
from workbench.eventlog.writing.lock import hold_lock

BUCKETS: Final = 16
READS: Final = 5
STREAM_BUCKETS: Final = PartitionSpec(
    PartitionField(source_id=4, field_id=1000, transform=BucketTransform(BUCKETS), name="stream_bucket")
)
# What Trino's optimize writes anew it then sorts by position again, each file by itself.
BY_POSITION: Final = SortOrder(SortField(source_id=1, transform=IdentityTransform(), null_order=NullOrder.NULLS_FIRST))

# PyIceberg's own retry would commit positions that were given against an older head: it stays off. Bounds are kept for
# order and time alone: a bound of `data` or `actor_id` would outlive a purge in the manifests. Old metadata goes with
# the commit that replaces it, 20 versions later, so that a reader that was just told a location still finds it.
_BOUNDS: Final = "write.metadata.metrics.column."
PROPERTIES: Final = {
    "format-version": "2",
    "commit.retry.num-retries": "0",
    "write.metadata.metrics.default": "none",
    f"{_BOUNDS}position": "full",
    f"{_BOUNDS}occurred_at": "full",
    f"{_BOUNDS}recorded_at": "full",
    "write.metadata.delete-after-commit.enabled": "true",
    "write.metadata.previous-versions-max": "20",
    "write.parquet.compression-codec": "zstd",
}


class Tables:
    """The log's tables in one catalog; each is loaded fresh when asked for."""

    def __init__(self, catalog: Catalog, namespace: str, changes: "Changes | None" = None) -> None:
        self.catalog = catalog
        self.namespace = namespace
        self._changes = changes
        self._seen: dict[str, tuple[tuple[int, int], Table]] = {}

    @property
    def events(self) -> Table:
        """The log itself."""
        return self.load("events")

    @property
    def inbox(self) -> Table:
        """Where others INSERT."""
        return self.load("events_inbox")

    @property
    def quarantine(self) -> Table:
        """What could not be an event."""
        return self.load("quarantine")

    @property
    def by_stream(self) -> Table:
        """The same events, bucketed and sorted by stream."""
        return self.load("events_by_stream", derived=True)

    def peek(self, name: str, *, derived: bool = False) -> Table:
        """Return a table to read from, loaded anew only when the catalog's file has changed (2 ms spared each time).

        A shared catalog is asked each time; where it keeps to REST it says in 3 ms that nothing has changed.
        """
        version = None if self._changes is None else self._changes.version()
        if version is None:
            return self.load(name, derived=derived)
        if name not in self._seen or self._seen[name][0] != version:
            self._seen[name] = (version, self.load(name, derived=derived))
        return self._seen[name][1]

    def load(self, name: str, *, derived: bool = False) -> Table:
        """Return a table at its current snapshot. Raises StorageError when it is not there."""
        identifier = f"{self.namespace}_derived.{name}" if derived else f"{self.namespace}.{name}"
        for attempt in range(READS):
            try:
                return self.catalog.load_table(identifier)
            except NoSuchTableError as error:
                raise StorageError(
                    f"The catalog has no table {identifier}. Open the log with connect() first."
                ) from error
            except FileNotFoundError as error:
                # Between the catalog's answer and this read 20 commits replaced the metadata file: ask again.
                if attempt == READS - 1:
                    raise StorageError(f"The metadata file of {identifier} is missing: {error.filename}.") from error
        raise AssertionError

    def create(self) -> None:
        """Make what is not there yet; two processes may do so at once."""
        self._namespace(self.namespace)
        self._namespace(f"{self.namespace}_derived")
        self._table(f"{self.namespace}.events", EVENTS, order=BY_POSITION)
        self._table(f"{self.namespace}.events_inbox", INBOX)
        self._table(f"{self.namespace}.quarantine", QUARANTINE)
        self._table(f"{self.namespace}_derived.events_by_stream", EVENTS, STREAM_BUCKETS)

    def _namespace(self, name: str) -> None:
        with suppress(NamespaceAlreadyExistsError):
            self.catalog.create_namespace_if_not_exists(name)

    def _table(
        self,
        name: str,
        schema: Schema,
        spec: PartitionSpec = UNPARTITIONED_PARTITION_SPEC,
        order: SortOrder = UNSORTED_SORT_ORDER,
    ) -> None:
        try:
            self.catalog.create_table_if_not_exists(
                name, schema, partition_spec=spec, sort_order=order, properties=table_properties(schema)
            )
        except (TableAlreadyExistsError, NoSuchNamespaceError):
            self.catalog.load_table(name)


def table_properties(schema: Schema) -> dict[str, str]:
    """Return the properties without bounds for columns the table has not: a REST catalog refuses those."""
    columns = {f"{_BOUNDS}{name}" for name in schema.column_names}
    return {name: value for name, value in PROPERTIES.items() if not name.startswith(_BOUNDS) or name in columns}


class Changes:
    """Tells whether anyone has committed to a SQLite catalog, from a connection of its own that never writes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._opened = 0

    def version(self) -> tuple[int, int] | None:
        """Return what changes with every commit of any connection; None when it cannot be told."""
        with self._lock:
            try:
                if self._connection is None:
                    # Numbers of two connections cannot be compared: each is told apart.
                    self._opened += 1
                    self._connection = sqlite3.connect(self._path, check_same_thread=False)
                return self._opened, int(self._connection.execute("PRAGMA data_version").fetchone()[0])
            except sqlite3.Error:
                self._connection = None
                return None

    def __del__(self) -> None:
        if self._connection is not None:
            self._connection.close()


def open_tables(settings: Settings) -> Tables:
    """Return the log's tables, made on first use, in the folder's own SQLite catalog or in a named catalog.

    Raises ReadOnlyLogError where the folder cannot be written and holds no log yet, ConfigError for an unknown catalog.
    """
    with _first_use(settings):
        catalog = open_catalog(settings)
        changes = None if settings.catalog else Changes(settings.folder.resolve() / "catalog.db")
        tables = Tables(catalog, settings.log.namespace, changes)
        with storage_errors(f"opening the log {settings.name}", find_places(catalog.properties)):
            if not catalog.table_exists(f"{tables.namespace}_derived.events_by_stream"):
                tables.create()
    return tables


@contextmanager
def _first_use(settings: Settings) -> Iterator[None]:
    """Let one process at a time make an embedded log; a log that is there is opened without waiting for anyone."""
    path = settings.folder.resolve()
    if settings.catalog is not None or _is_made(path / "catalog.db", settings.log.namespace):
        yield
        return
    _make_folder(path)
    with hold_lock(path / "writer.lock", settings.log.lock_timeout):
        yield


def _is_made(database: Path, namespace: str) -> bool:
    """Whether the catalog's file lists the table that is made last."""
    if not database.is_file():
        return False
    question = "select 1 from iceberg_tables where table_namespace = ? and table_name = 'events_by_stream'"
    try:
        with closing(sqlite3.connect(database)) as connection:
            return connection.execute(question, (f"{namespace}_derived",)).fetchone() is not None
    except sqlite3.Error:
        return False


def open_catalog(settings: Settings) -> Catalog:
    """Return the folder's own SQLite catalog or the named one. Raises ReadOnlyLogError, ConfigError."""
    return _open_embedded(settings.folder) if settings.catalog is None else _open_named(settings.catalog)


def _open_embedded(folder: Path) -> Catalog:
    from pyiceberg.catalog.sql import SqlCatalog

    path = folder.resolve()
    _make_folder(path)
    with storage_errors(f"opening the catalog in {path}"):
        return SqlCatalog("embedded", uri=f"sqlite:///{path / 'catalog.db'}", warehouse=f"file://{path / 'warehouse'}")


def _make_folder(path: Path) -> None:
    try:
        (path / "warehouse").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ReadOnlyLogError(
            f"{path} cannot be made or written: {error.strerror}. Choose a folder you may write, with --into FOLDER."
        ) from error


def _open_named(name: str) -> Catalog:
    """Return a catalog as PyIceberg is configured for it now; one that keeps to REST in our own form."""
    from pyiceberg.utils.config import Config

    found: dict[str, Any] = dict(Config().get_catalog_config(name) or {})
    try:
        with storage_errors(f"opening the catalog {name}", find_places(found)):
            kind = CatalogType(str(found["type"]).lower()) if "type" in found else infer_catalog_type(name, found)
            if kind is CatalogType.REST and "uri" in found:
                return _open_rest(name, found)
            return load_catalog(name, **found)
    except ValueError as error:
        raise ConfigError(
            f"PyIceberg knows no catalog {name!r}. Set it in .pyiceberg.yaml or PYICEBERG_CATALOG__{name.upper()}__URI."
        ) from error


def _open_rest(name: str, properties: dict[str, Any]) -> Catalog:
    from workbench.eventlog.storage.rest import LakeCatalog

    return LakeCatalog(name, **properties)


@contextmanager
def storage_errors(doing: str, places: Places = NOWHERE) -> Iterator[None]:
    """Turn what the file system, SQLite, a catalog or an object store refuses while ``doing`` into one StorageError."""
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except FileNotFoundError as error:
        raise StorageError(
            f"{_first(doing)} failed: a file of the log is missing, {error.filename or error}. A log's folder cannot "
            "be moved, as Iceberg keeps whole paths: put it back where it was made, or ingest its sources anew."
        ) from error
    except (OSError, RESTError) as error:
        part = explain_part(error, places)
        if part is not None:
            raise StorageError(f"{_first(doing)} failed: {part}. Nothing is lost; {remedy(error)}") from error
        reason = reason_of(error) if isinstance(error, OSError) else str(error)
        raise StorageError(
            f"{_first(doing)} failed: {reason}. Nothing of it is kept. Free space or mend the permission, and retry."
        ) from error
    except (SQLAlchemyError, sqlite3.Error) as error:
        reason = str(getattr(error, "orig", error))
        raise StorageError(f"{_first(doing)} failed: the catalog's database says {reason}.") from error


def reason_of(error: OSError) -> str:
    """Return what the system says, without what the libraries in between put around it."""
    return os.strerror(error.errno) if error.errno else error.strerror or str(error)


def _first(text: str) -> str:
    return text[:1].upper() + text[1:]
