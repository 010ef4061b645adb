"""What a session may ask of a log, ours or someone else's, on one screen."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pyarrow as pa

from workbench.decode import DecodeContext
from workbench.errors import ReadOnlyLogError, UnsupportedOnThisLogError
from workbench.eventlog.head import Head
from workbench.eventlog.shapes.shape import Shape, SnapshotTable
from workbench.eventlog.upkeep.figure import Figure
from workbench.eventlog.upkeep.maintain import MaintenanceReport
from workbench.eventlog.upkeep.verify import Finding
from workbench.eventlog.writing.ingest import IngestReport, Progress
from workbench.eventlog.writing.write import Written
from workbench.sources.base import Source

if TYPE_CHECKING:
    from pyiceberg.schema import Schema

    from workbench.config import Settings
    from workbench.decode.registry import Registry
    from workbench.eventlog.models import ModelTable
    from workbench.eventlog.storage.objects import ObjectFiles
    from workbench.eventlog.upkeep.cluster import Cluster


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """The rows of snapshot ``until`` (None: of the table before its first), without those of ``since`` where given."""

    until: int | None
    since: int | None = None


class Log(ABC):
    """A log that can be read; the ways to add to it refuse unless a log has them."""

    settings: "Settings"

    @property
    def order(self) -> tuple[str, ...]:
        """The columns that order the log."""
        return ("position",)

    @property
    def has_recording_times(self) -> bool:
        """Whether known_at resolves to a position by recorded_at; else it is answered by snapshot."""
        return True

    @abstractmethod
    def head(self) -> Head:
        """Return up to where the log reaches."""

    def verify(self) -> Sequence[Finding]:
        """Return what a reading of the files shows, where the log keeps digests, an index and a head of its own."""
        return ()

    def figures(self, *, cluster: "Cluster | None" = None) -> Sequence[Figure]:
        """Return how the log stands, figure by figure, where it is ours to care for; and how its cluster does."""
        del cluster
        return ()

    @abstractmethod
    def shapes(self, stream_ids: Sequence[str] | None = None) -> Mapping[str, Shape]:
        """Return the names an engine may read, with their columns and files, at the current snapshot."""

    def lift(self, registry: "Registry") -> SnapshotTable:
        """Return a table of payloads lifted to current schema versions, for an engine that cannot call upcasters."""
        older = ", ".join(name for name, kind in registry.types.items() if kind.current > kind.first)
        raise UnsupportedOnThisLogError(
            f"The log {self.settings.name!r} is mapped from a table that others write, so there is no place for what "
            f"{older} is lifted to. Read events_stored, or use engine='duckdb'."
        )

    def model_table(self, name: str, shape: "tuple[Schema, int] | None" = None) -> "ModelTable | None":
        """Return a table for what is kept of answers; None where there is no place for it.

        `checkpoints` and `populations` are known; for any other ``shape`` says its columns, and how many of them files
        are kept apart by.
        """
        del name, shape
        return None

    def shapes_of(self, span: Span) -> Mapping[str, Shape]:
        """Return the same names at another snapshot, or of what was added between two, on a mapped log."""
        raise UnsupportedOnThisLogError(
            f"The log {self.settings.name!r} is read by position, not by snapshot {span.until}. Use after or known_at."
        )

    def snapshot_at(self, instant: datetime) -> int | None:
        """Return the snapshot that was current at a time, on a mapped log."""
        raise UnsupportedOnThisLogError(
            f"The log {self.settings.name!r} is read by position, not by the snapshot of {instant.isoformat()}. "
            "Use known_at."
        )

    def directories(self) -> Sequence[str]:
        """Return the folders whose files an engine must be able to read."""
        return [str(self.settings.folder.resolve())]

    def objects(self) -> "ObjectFiles | None":
        """Return the files of those folders that lie in an object store, None where all are local."""
        return None

    def quarantine(self) -> pa.Table:
        """Return the records that wait in quarantine."""
        raise self._read_only("has no quarantine")

    def quarantined_count(self) -> int:
        """Return how many records wait in quarantine."""
        return 0

    def quarantined_record(self, path: Path, offset: int) -> Mapping[str, object] | None:
        """Return the quarantine's last row about a record of a file, None when it has none."""
        del path, offset
        return None

    def append(self, batches: Iterable[pa.Table], *, expected: int | Mapping[str, int] | None = None) -> Written:
        """Append rows in DECODED's columns as one commit."""
        del batches, expected
        raise self._read_only("cannot be appended to")

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
        del source, context, path, progress, commit_every
        raise self._read_only("cannot be ingested into")

    def drain_inbox(self, context: DecodeContext, *, progress: Progress | None = None) -> IngestReport:
        """Take in what others inserted into the inbox."""
        del context, progress
        raise self._read_only("has no inbox")

    def adopt(self, context: DecodeContext, *, snapshot_id: int | None = None) -> IngestReport:
        """Take in what others appended to `events` itself."""
        del context, snapshot_id
        raise self._read_only("has nothing to adopt")

    def retry_quarantine(self, context: Callable[[str], DecodeContext]) -> IngestReport:
        """Decode the waiting records again and append those that became valid."""
        del context
        raise self._read_only("has no quarantine")

    def maintain(self, *, older_than: float = 0.0, cluster: "Cluster | None" = None) -> MaintenanceReport:
        """Merge, expire and clean up, by a cluster where one is given."""
        del older_than, cluster
        raise self._read_only("is maintained by whoever writes it")

    def _read_only(self, why: str) -> ReadOnlyLogError:
        return ReadOnlyLogError(
            f"The log {self.settings.name!r} is mapped from a table that others write, so it {why} here. "
            "Ingest into a folder of your own with --into FOLDER."
        )
