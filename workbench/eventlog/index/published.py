"""The index beside a shared table: what one machine knows, kept in the object store for the next.

Sorted runs under names never used twice, and one mark object that names those that count. Whoever reads a mark finds
all of its runs, as runs no mark names are removed only after a day. It lies beside the table's folder, not in it, as
Trino's remove_orphan_files takes for a stray what no snapshot names. Wrong, stale or gone, it costs time alone: what
it says is used only where it adds up to the head's digest sum.
"""

import shutil
import zlib
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec
from pyiceberg.table import Table

from workbench.eventlog.head import Head
from workbench.eventlog.index.index import Index
from workbench.eventlog.index.runs import DamagedRunError, Mark

# Events behind from which on a look at the mark (2 to 5 ms) is worth it: read from the log they take some 0.2 s.
WORTH_FETCHING: Final = 1 << 14
# 300,000 events: 0.24 s to the first append by their runs, 4.7 s by reading them. Four records for an event is safe.
RECORDS_AN_EVENT: Final = 4
# Whoever makes each 256th commit publishes, as long as it is no more than this; more is left to maintenance.
COMMITS: Final = 256
QUICKLY: Final = 64 * 1024 * 1024
_MARK: Final = "mark"


class PublishedMark(msgspec.Struct, frozen=True, kw_only=True):
    """What the published runs cover, and how many bytes each has."""

    mark: Mark
    sizes: Mapping[str, int]
    published_at: datetime


def index_location(table: Table) -> str:
    """Return the folder, beside the table's own, that the index of this very table is published in."""
    parent = str(table.location()).rstrip("/").rpartition("/")[0]
    return f"{parent}/workbench-index/{table.metadata.table_uuid}"


def read_published(table: Table) -> PublishedMark | None:
    """Return the published mark of this table, None where there is none that can be used."""
    try:
        with table.io.new_input(f"{index_location(table)}/{_MARK}").open() as stream:
            content = stream.read()
        published = msgspec.json.decode(content[8:], type=PublishedMark)
        is_whole = int(content[:8], 16) == zlib.crc32(content[8:])
    except (OSError, ValueError, msgspec.DecodeError):
        return None
    return published if is_whole and published.mark.table_uuid == str(table.metadata.table_uuid) else None


def fetch_index(table: Table, head: Head, index: Index) -> bool:
    """Take the published runs as the index where that is quicker than reading the log; return whether it was done."""
    published = read_published(table)
    if published is None or published.mark.position > head.last:
        return False
    gain = published.mark.position - index.position
    here = index.names()
    missing = {name: size for name, size in published.sizes.items() if name not in here}
    if gain < WORTH_FETCHING or sum(missing.values()) > gain * RECORDS_AN_EVENT * index.record_size:
        return False
    try:
        index.folder.mkdir(parents=True, exist_ok=True)
        for name in missing:
            _download(table, name, index.folder)
        index.install(published.mark)
    except (OSError, DamagedRunError):
        # A run was removed or damaged, or the disk is full: the log itself is read instead.
        index.load()
        return False
    return True


def _download(table: Table, name: str, folder: Path) -> None:
    path = folder / f"{name}.part"
    with table.io.new_input(f"{index_location(table)}/{name}").open() as stream, path.open("wb") as file:
        shutil.copyfileobj(stream, file, 1 << 22)
    path.replace(folder / name)


def publish_index(table: Table, index: Index, *, limit: int | None = None) -> int | None:
    """Publish the saved index and return up to which position it reaches; None where nothing was to be done.

    ``limit`` is how many bytes are sent at most; beyond, nothing is. Under the lock of this machine's index.
    """
    published = read_published(table)
    mark = index.saved
    if mark.position < 0 or (published is not None and published.mark.position >= mark.position):
        return None
    sizes = {name: (index.folder / name).stat().st_size for name in (*mark.events, *mark.streams)}
    there = {} if published is None else published.sizes
    missing = [name for name in sizes if name not in there]
    if limit is not None and sum(sizes[name] for name in missing) > limit:
        return None
    for name in missing:
        _upload(table, index.folder / name)
    text = msgspec.json.encode(PublishedMark(mark=mark, sizes=sizes, published_at=datetime.now(UTC)))
    with table.io.new_output(f"{index_location(table)}/{_MARK}").create(overwrite=True) as stream:
        stream.write(f"{zlib.crc32(text):08x}".encode() + text)
    return mark.position


def _upload(table: Table, path: Path) -> None:
    with (
        path.open("rb") as file,
        table.io.new_output(f"{index_location(table)}/{path.name}").create(overwrite=True) as stream,
    ):
        shutil.copyfileobj(file, stream, 1 << 22)


def sequence_number(table: Table) -> int:
    """Return the number of the current snapshot: one more with each commit of whomever."""
    snapshot = table.current_snapshot()
    return 0 if snapshot is None else snapshot.sequence_number or 0


def publish_when_due(table: Table, index: Index, *, sequence: int) -> None:
    """Publish after each 256th commit of all machines, whoever makes it; ``sequence`` is the one before this commit."""
    if sequence // COMMITS != sequence_number(table) // COMMITS:
        # The events are in the log whatever becomes of its published memory.
        with suppress(OSError):
            publish_index(table, index, limit=QUICKLY)
