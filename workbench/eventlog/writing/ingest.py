"""Take a whole source into the log: decoded as it is read, committed once at the end, nothing lost on the way."""

import hashlib
import itertools
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from workbench.decode import DecodeContext, Decoded, decode_source
from workbench.errors import WorkbenchError
from workbench.event import Rejection
from workbench.eventlog.store import Store
from workbench.eventlog.writing.quarantine import (
    add_rejections,
    add_resolutions,
    open_records,
    quarantine_id,
    read_quarantine,
)
from workbench.eventlog.writing.spool import Spool
from workbench.eventlog.writing.write import Written, write_batches
from workbench.sources.base import Source

Progress = Callable[[int], None]
# A file that is written while it is decoded, on all cores to the end, but under the writers' lock all the time: 4 s,
# or a minute where it is compressed as well as can be. A longer one is decoded first.
SHORT: Final = 1 << 29


class IngestReport(msgspec.Struct, frozen=True, kw_only=True):
    """What became of every record read: appended + duplicates + quarantined = read."""

    read: int
    appended: int
    duplicates: int
    quarantined: int
    seconds: float


def ingest_source(
    store: Store,
    source: Source,
    context: DecodeContext,
    *,
    path: Path | None,
    progress: Progress | None = None,
    commit_every: int | None = None,
) -> IngestReport:
    """Append every record of ``source`` that is an event and quarantine the others, as one commit.

    A source that fails before its end commits nothing; with ``commit_every`` it is committed in parts of at least that
    many records, and the error says from which record to go on. ``path`` is the file behind the source: its digest
    names quarantined records. ``progress`` is called with the number of records read so far.
    """
    started = time.perf_counter()
    context = msgspec.structs.replace(context, origin=None if path is None else path.name)
    done = IngestReport(read=0, appended=0, duplicates=0, quarantined=0, seconds=0)
    try:
        with (
            _lasting_memory(),
            _scratch(store.folder) as folder,
            closing(decode_source(source, context, folder=folder)) as decoded,
        ):
            for part in _cut(decoded, commit_every, progress):
                with Spool(folder, part) as spool:
                    done = _add(done, _commit_part(store, source, _Origin(path, context.source_name), spool))
    except WorkbenchError as error:
        if done.read:
            raise type(error)(
                f"{error} The first {done.read:,} records are committed; run it again to go on from record "
                f"{done.read + 1:,}: known records are not taken in twice."
            ) from error
        raise
    return msgspec.structs.replace(done, seconds=round(time.perf_counter() - started, 3))


@contextmanager
def _lasting_memory() -> Iterator[None]:
    """Have Arrow ask the system's own allocator meanwhile, which keeps what is given back: 0.5 µs an event less."""
    before = pa.default_memory_pool()
    pa.set_memory_pool(pa.system_memory_pool())
    try:
        yield
    finally:
        pa.set_memory_pool(before)


@contextmanager
def _scratch(folder: Path) -> Iterator[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="ingest-", dir=folder) as scratch:
        yield Path(scratch)


def _cut(decoded: Iterable[Decoded], size: int | None, progress: Progress | None) -> Iterator[Iterator[Decoded]]:
    """Cut what was decoded into the parts that are committed, each gone through before the next is asked for."""
    rest = iter(decoded)
    count = 0

    def take(first: Decoded) -> Iterator[Decoded]:
        nonlocal count
        taken = 0
        for part in itertools.chain([first], rest):
            number = part.events.num_rows + len(part.rejections)
            count, taken = count + number, taken + number
            if progress is not None:
                progress(count)
            yield part
            if size is not None and taken >= size:
                return

    for first in rest:
        yield take(first)


class _Origin(msgspec.Struct, frozen=True):
    """The file behind a source, if there is one, and the name its records go by."""

    path: Path | None
    name: str

    @property
    def is_short(self) -> bool:
        """Whether it is decoded in so little time that other writers may wait meanwhile."""
        return self.path is not None and self.path.is_file() and self.path.stat().st_size <= SHORT

    def digest(self) -> str:
        """Return what names its records in quarantine."""
        return digest_file(self.path) if self.path is not None else hashlib.sha256(self.name.encode()).hexdigest()


def _commit_part(store: Store, source: Source, origin: _Origin, spool: Spool) -> IngestReport:
    if store.is_shared or not origin.is_short:
        spool.fill()

    def settle(written: Written) -> None:
        refused = [*spool.rejections, *_refused(spool, written, source)]
        if refused:
            add_rejections(store.tables.quarantine, refused, source=origin.name, source_digest=origin.digest())

    file = None if origin.path is None else origin.path.name
    written = write_batches(store, spool, settle=settle, origin=file)
    _resolve_mended(store, spool, written, origin)
    return IngestReport(
        read=spool.read,
        appended=written.appended_count,
        duplicates=written.duplicate_count,
        quarantined=len(spool.rejections) + len(written.conflicts) + len(written.mistimed),
        seconds=0,
    )


def _resolve_mended(store: Store, spool: Iterable[pa.Table], written: Written, origin: _Origin) -> None:
    """Record that a record which waited in quarantine came in with its file, the mapping or schema being mended."""
    rows = open_records(read_quarantine(store.tables.quarantine))
    waiting = rows.filter(pc.equal(rows.column("source"), origin.name)).to_pylist()
    if not waiting:
        return
    offsets = np.concatenate([batch.column("offset").to_numpy() for batch in spool])
    placed = dict(zip(offsets.tolist(), written.positions.tolist(), strict=True))
    digest = origin.digest()
    mended = [
        record
        for record in waiting
        if record["quarantine_id"] == quarantine_id(digest, record["byte_offset"])
        and placed.get(record["byte_offset"], -1) >= 0
    ]
    if mended:
        with store.writing():
            positions = [placed[record["byte_offset"]] for record in mended]
            add_resolutions(store.tables.quarantine, mended, "ingested", positions)


def _add(done: IngestReport, part: IngestReport) -> IngestReport:
    names = ("read", "appended", "duplicates", "quarantined")
    return IngestReport(**{name: getattr(done, name) + getattr(part, name) for name in names}, seconds=0)


def digest_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _refused(spool: Iterable[pa.Table], written: Written, source: Source) -> list[Rejection]:
    """Return rejections for records that decoded well but conflict with the log; their bytes are read once more."""
    rows = np.concatenate([written.conflicts, written.mistimed])
    if not len(rows):
        return []
    offsets = np.concatenate([batch.column("offset").to_numpy() for batch in spool])
    conflicts = set(offsets[written.conflicts].tolist())
    mistimed = set(offsets[written.mistimed].tolist())
    return [
        _rejection(record.raw, record.offset, record.media_type, record.line, conflict=record.offset in conflicts)
        for record in source.records()
        if record.offset in conflicts or record.offset in mistimed
    ]


def _rejection(raw: bytes, offset: int, media_type: str, line: int | None, *, conflict: bool) -> Rejection:
    reason, detail, remedy = (
        ("conflict", "its source and id stand in the log with other content", "give the changed fact an id of its own")
        if conflict
        else (
            "recorded_at_order",
            "its own recording time is after now, or before that of an event already taken",
            "leave the recording time out, or import the records in the order they were recorded",
        )
    )
    return Rejection(
        raw=raw, offset=offset, media_type=media_type, line=line, reason=reason, detail=detail, remedy=remedy
    )
