"""The log as a writer holds it: its tables, its index, its lock, and a head that was just checked."""

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyiceberg.conversions import from_bytes
from pyiceberg.manifest import DataFile
from pyiceberg.table import Table
from pyiceberg.types import LongType

from workbench.config import Settings
from workbench.errors import ClockSkewError, StorageError
from workbench.eventlog.catalog import Tables
from workbench.eventlog.files import read_file
from workbench.eventlog.head import Head
from workbench.eventlog.index.index import Index
from workbench.eventlog.index.keys import add_keys
from workbench.eventlog.index.published import WORTH_FETCHING, fetch_index, sequence_number
from workbench.eventlog.index.runs import DamagedRunError
from workbench.eventlog.writing.guard import check_head
from workbench.eventlog.writing.lock import hold_lock
from workbench.eventlog.writing.outcome import Courtesy

INDEXED = ("position", "event_id", "source", "stream_id", "stream_version", "metadata", "digest")


class Store:
    """Everything a commit needs. One per session; safe for one thread at a time."""

    def __init__(self, settings: Settings, tables: Tables) -> None:
        self.settings = settings
        self.tables = tables
        self.is_shared = settings.catalog is not None
        uuid = str(tables.events.metadata.table_uuid)
        self.folder = settings.folder.resolve() / "derived"
        if self.is_shared:
            # One cache folder serves every log of a catalog, and every catalog that was ever called so.
            self.folder = _cache_folder(settings.folder.resolve() / uuid) / "derived"
        self.index = Index(self.folder / "index", uuid)
        self.courtesy = Courtesy()
        self._seen = (-1, 0)
        self._trusts_published = self.is_shared

    @property
    def proofs(self) -> Path:
        """The file that remembers which rearranged snapshot was proven."""
        return self.folder / "proven"

    def head(self) -> Head:
        """Return the head, checked against foreign writes."""
        return self.check(self.tables.peek("events"))

    def check(self, table: Table) -> Head:
        """Return a loaded table's head, checked against foreign writes."""
        return check_head(table, self.proofs)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the writers' lock: of an embedded log, or of this machine's index where the catalog is shared.

        Between machines nothing is locked: a commit there stands on the snapshot it was made for, or is made again.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with hold_lock(self.folder.parent / "writer.lock", self.settings.log.lock_timeout):
            yield

    @contextmanager
    def writing(self) -> Iterator[tuple[Table, Head]]:
        """Hold the writers' lock and yield the events table with its head, the index brought up to it."""
        with self.locked():
            table = self.tables.events
            check_clock(self.tables.catalog, self.settings.log.clock_tolerance)
            head = self.check(table)
            self.catch_up(table, head)
            try:
                yield table, head
            except DamagedRunError:
                # Found while looking up: nothing is committed yet. Read the log again and let the caller try again.
                self._trusts_published = False
                self.index.clear()
                raise
            except BaseException:
                # Also when the writer is interrupted: what was staged and not committed is forgotten under the lock.
                self.index.revert()
                raise

    def catch_up(self, table: Table, head: Head) -> None:
        """Bring the index up to the head; make it anew when it does not fit the log."""
        self.index.load()
        if self._trusts_published and head.last - self.index.position >= WORTH_FETCHING:
            fetch_index(table, head, self.index)
        if self.index.position > head.last or not self._extended(table, head):
            self.index.clear()
            self._seen = (-1, 0)
            if not self._extended(table, head):
                raise StorageError(
                    f"The events up to position {head.last} do not add up to the head's digest sum: files of the log "
                    "were changed or lost. Nothing was written; `workbench verify` says where."
                )
        self.index.save()
        self.note_reached(table)

    def note_reached(self, table: Table) -> None:
        """Note at which snapshot the index fits the table, so that only what comes after is looked at next."""
        self._seen = (self.index.position, sequence_number(table))

    def _extended(self, table: Table, head: Head) -> bool:
        try:
            # A plan costs 14 ms; after our own append there is nothing to read.
            if self.index.position < head.last:
                position, sequence = self._seen
                since = sequence if position == self.index.position else 0
                for rows in read_after(table, self.index.position, INDEXED, since=since):
                    self.index.stage(add_keys(rows))
        except DamagedRunError:
            return False
        return (self.index.position, self.index.digest_sum) == (head.last, head.digest_sum)


def _cache_folder(folder: Path) -> Path:
    """Return a folder for what can be made anew: the one given, or one for this process where it cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            return folder
    except OSError:
        pass
    scratch = tempfile.mkdtemp(prefix="workbench-")
    atexit.register(shutil.rmtree, scratch, ignore_errors=True)
    return Path(scratch)


def check_clock(catalog: Any, tolerance: float) -> None:
    """Refuse when this machine's clock is off the one of a catalog that shows its own. Raises ClockSkewError."""
    offset = getattr(catalog, "clock_offset", None)
    if offset is not None and abs(offset) > tolerance:
        ours = datetime.now(UTC)
        theirs = ours + timedelta(seconds=offset)
        raise ClockSkewError(
            f"This machine's clock says {ours.isoformat()}, the catalog's {theirs.isoformat()}: {abs(offset):.0f} s "
            f"apart, {tolerance:g} at most. Set the clock; nothing was written."
        )


def read_after(table: Table, position: int, columns: Sequence[str], *, since: int = 0) -> Iterator[pa.Table]:
    """Yield the events behind ``position`` in the order of the log, a file or less at a time.

    ``since`` is the number of a snapshot known to end there: manifests it had already hold nothing behind.
    """
    for path in sorted(_files_after(table, position, since), key=first_position):
        rows = read_file(table, path.file_path, columns)
        yield rows.filter(pc.greater(rows.column("position"), position)) if first_position(path) <= position else rows


def _files_after(table: Table, position: int, since: int) -> list[DataFile]:
    snapshot = table.current_snapshot()
    if snapshot is None:
        return []
    if not since:
        return [task.file for task in table.scan(row_filter=f"position > {position}").plan_files()]
    fresh = [manifest for manifest in snapshot.manifests(table.io) if manifest.sequence_number > since]
    entries = [entry.data_file for manifest in fresh for entry in manifest.fetch_manifest_entry(table.io)]
    return [file for file in entries if last_position(file) > position]


def first_position(file: DataFile) -> int:
    """Return the lowest position a data file of the events table holds, from its bounds."""
    return int(from_bytes(LongType(), file.lower_bounds[1]))


def last_position(file: DataFile) -> int:
    """Return the highest position a data file of the events table holds, from its bounds."""
    return int(from_bytes(LongType(), file.upper_bounds[1]))
