"""The log in tables of our own: everything can be asked of it, and events can be added."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from workbench.config import Settings
from workbench.decode import DecodeContext
from workbench.decode.registry import Registry
from workbench.eventlog.base import Log
from workbench.eventlog.catalog import READS, open_tables, storage_errors
from workbench.eventlog.files import local_path
from workbench.eventlog.head import Head
from workbench.eventlog.lifted import Lifting
from workbench.eventlog.models import TABLES, ModelTable
from workbench.eventlog.shapes.listing import EVENT_COLUMNS, QUARANTINE_COLUMNS, FileLists, quarantine_rows
from workbench.eventlog.shapes.shape import FilePart, Shape, SnapshotTable
from workbench.eventlog.shapes.tables import table_shapes
from workbench.eventlog.storage.objects import ObjectFiles, open_objects
from workbench.eventlog.storage.parts import find_places
from workbench.eventlog.store import Store
from workbench.eventlog.upkeep.cluster import Cluster
from workbench.eventlog.upkeep.figure import Figure
from workbench.eventlog.upkeep.figures import read_figures
from workbench.eventlog.upkeep.maintain import MaintenanceReport, maintain_log
from workbench.eventlog.upkeep.verify import Finding, verify_store
from workbench.eventlog.writing.adopt import adopt_snapshots
from workbench.eventlog.writing.inbox import drain_inbox
from workbench.eventlog.writing.ingest import IngestReport, Progress, digest_file, ingest_source
from workbench.eventlog.writing.quarantine import quarantine_id, read_quarantine
from workbench.eventlog.writing.retry import retry_records
from workbench.eventlog.writing.write import Written, write_batches
from workbench.sources.base import Source

if TYPE_CHECKING:
    from pyiceberg.schema import Schema
    from pyiceberg.table import Table


class NativeLog(Log):
    """The log of one folder or catalog."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        tables = open_tables(settings)
        with storage_errors(f"opening the log {settings.name}", find_places(tables.catalog.properties)):
            self._store = Store(settings, tables)
        self._lists = FileLists()
        self._lifting = Lifting(self._store.tables)
        self._models = {name: ModelTable(self._store.tables, name) for name in TABLES}

    def head(self) -> Head:
        """Return the head, checked against foreign writes."""
        with self._errors("looking up the head"):
            return self._store.head()

    def _errors(self, doing: str) -> AbstractContextManager[None]:
        return storage_errors(doing, find_places(self._store.tables.catalog.properties))

    def directories(self) -> Sequence[str]:
        """Return the folder of an embedded log, or its tables' own places in the object store."""
        if self.settings.catalog is None:
            return super().directories()
        tables = self._store.tables
        with self._errors("looking up the log's places"):
            kept = (model.read() for model in self._models.values())
            known = [tables.events, tables.by_stream, *(reading.table for reading in kept if reading is not None)]
            return [local_path(table.location()) for table in known]

    def objects(self) -> ObjectFiles | None:
        """Return the files of those folders that lie in an object store, None where all are local."""
        with self._errors("opening the object store"):
            return open_objects(lambda: self._store.tables.events.io, self.directories())

    def append(self, batches: Iterable[pa.Table], *, expected: int | Mapping[str, int] | None = None) -> Written:
        """Append rows in DECODED's columns as one commit."""
        with self._errors("appending"):
            return write_batches(self._store, batches, expected=expected)

    def ingest(
        self,
        source: Source,
        context: DecodeContext,
        *,
        path: Path | None,
        progress: Progress | None = None,
        commit_every: int | None = None,
    ) -> IngestReport:
        """Append a whole source, as one commit or in parts."""
        with self._errors(f"ingesting {source.name}"):
            return ingest_source(self._store, source, context, path=path, progress=progress, commit_every=commit_every)

    def verify(self) -> Sequence[Finding]:
        """Return what one reading of every file shows."""
        with self._errors("verifying the log"):
            return verify_store(self._store)

    def figures(self, *, cluster: Cluster | None = None) -> Sequence[Figure]:
        """Return how the log stands, figure by figure."""
        with self._errors("looking at the log"):
            return read_figures(self._store, cluster)

    def drain_inbox(self, context: DecodeContext, *, progress: Progress | None = None) -> IngestReport:
        """Take in what others inserted into the inbox, as one commit."""
        with self._errors("draining the inbox"):
            return drain_inbox(self._store, context, progress=progress)

    def adopt(self, context: DecodeContext, *, snapshot_id: int | None = None) -> IngestReport:
        """Take in what others appended to `events` itself."""
        with self._errors("adopting foreign rows"):
            return adopt_snapshots(self._store, context, snapshot_id=snapshot_id)

    def quarantine(self) -> pa.Table:
        """Return the records that wait in quarantine."""
        with self._errors("reading the quarantine"):
            return quarantine_rows(self._quarantine_table)

    def quarantined_count(self) -> int:
        """Return how many records wait in quarantine."""
        with self._errors("counting the quarantine"):
            return self._lists.waiting(self._quarantine_table())

    def quarantined_record(self, path: Path, offset: int) -> Mapping[str, object] | None:
        """Return the quarantine's last row about a record of a file, None when it has none."""
        name = quarantine_id(digest_file(path), offset)
        with self._errors("reading the quarantine"):
            rows = read_quarantine(self._quarantine_table())
        found = rows.filter(pc.equal(rows.column("quarantine_id"), name)).to_pylist()
        return found[-1] if found else None

    def retry_quarantine(self, context: Callable[[str], DecodeContext]) -> IngestReport:
        """Decode the waiting records again and append those that became valid."""
        with self._errors("retrying quarantined records"):
            return retry_records(self._store, context)

    def maintain(self, *, older_than: float = 0.0, cluster: Cluster | None = None) -> MaintenanceReport:
        """Merge, expire and clean up; on a shared catalog the log then says so by an event."""
        with self._errors("maintaining the log"):
            return maintain_log(self._store, older_than=older_than, cluster=cluster)

    def shapes(self, stream_ids: Sequence[str] | None = None) -> Mapping[str, Shape]:
        """Return `events_stored` and `quarantine`; for given streams the rows come from the layout by stream."""
        if self.settings.engine == "trino":
            with self._errors("looking up the log's tables"):
                return table_shapes(self._store.tables, by_stream=self.settings.log.by_stream, stream_ids=stream_ids)
        with self._errors("listing the files of the log"):
            for _ in range(READS):
                with suppress(FileNotFoundError):
                    # Another process may have maintained the log meanwhile: look again at what it left.
                    return self._shapes(stream_ids)
            return self._shapes(stream_ids)

    def lift(self, registry: Registry) -> SnapshotTable:
        """Return the side table of lifted payloads, brought up to the head."""
        with self._errors("lifting events"):
            return self._lifting.bring_up(registry)

    def model_table(self, name: str, shape: "tuple[Schema, int] | None" = None) -> ModelTable:
        """Return a table for what replay keeps, or another one of the shape given."""
        if name not in self._models and shape is not None:
            self._models[name] = ModelTable(self._store.tables, name, shape)
        return self._models[name]

    def _shapes(self, stream_ids: Sequence[str] | None) -> Mapping[str, Shape]:
        events = self._store.tables.peek("events")
        version = f"{events.metadata.table_uuid}-{events.metadata.current_snapshot_id}"
        parts = self._parts(events, stream_ids)
        quarantine = self._quarantine_table()
        return {
            "events_stored": Shape(columns=EVENT_COLUMNS, version=f"{version}-{_name(parts)}", parts=parts),
            "quarantine": Shape(
                columns=QUARANTINE_COLUMNS,
                version=str(quarantine.metadata.current_snapshot_id),
                arrow=lambda: quarantine_rows(lambda: quarantine),
            ),
        }

    def _parts(self, events: "Table", stream_ids: Sequence[str] | None) -> tuple[FilePart, ...]:
        files = self._lists.events(events)
        if not stream_ids or not self.settings.log.by_stream:
            return (files,)
        by_stream, progress = self._lists.by_stream(
            self._store.tables.peek("events_by_stream", derived=True), events, stream_ids
        )
        if progress < 0:
            return (files,)
        tail = self._lists.events_after(events, progress)
        return tuple(part for part in (FilePart(files=by_stream), tail) if part.files)

    def _quarantine_table(self) -> "Table":
        return self._store.tables.peek("quarantine")


def _name(parts: Sequence[FilePart]) -> str:
    """Return a name that changes with the list of files, also when as many others take their place."""
    paths = "\n".join(path for part in parts for path in (*part.files, str(part.after)))
    return hashlib.blake2b(paths.encode(), digest_size=8).hexdigest()
