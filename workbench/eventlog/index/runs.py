"""Sorted runs: immutable files of fixed-size records, sorted by a 128-bit key, looked up in bulk.

A record begins with its key, ``hi`` and ``lo``. Every 64 records are a block with a checksum of its own, and the first
``hi`` of each block is kept as a fence: a look-up reads and checks the blocks its keys fall into, 4 kB each, and
searches nowhere else. A filter before the records spares it the blocks of keys that are not there. Blocks are read into
memory, not mapped: a file cut short meanwhile is then an error, no crash.
"""

import os
import struct
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final
from uuid import uuid4

import msgspec
import numpy as np
from numpy.typing import NDArray

from workbench.eventlog.index.filters import PIECE, Filter, count_pieces, fill_filter, find_spans, sum_pieces
from workbench.eventlog.index.records import Records, Words, as_words, block_records, match_records, merge_records

BLOCK: Final = 64
# A look-up of few keys checks each block anew (2 µs each); one that goes over the whole run checks a block once.
FEW: Final = 4096
# Keys looked up at a time, so that the blocks read for them stay below 30 MB.
SLICE: Final = 4096
# Spans of blocks that the system is told of before they are read.
ANNOUNCED: Final = 512
MAGIC: Final = b"WBRUN003"
_HEADER: Final = struct.Struct("<8sQQI")


class DamagedRunError(Exception):
    """A run's bytes are not what was written; the index is made anew from the log, so no caller ever sees this."""


class Run:
    """One run, its file open; each block is checked when it is read."""

    def __init__(self, path: Path, kind: np.dtype[np.void]) -> None:
        self.path = path
        self._kind = kind
        try:
            self._handle = os.open(path, os.O_RDONLY)
        except OSError as error:
            raise DamagedRunError(str(path)) from error
        try:
            self._read_index()
        except (DamagedRunError, struct.error, OSError) as error:
            raise DamagedRunError(str(path)) from error

    def __del__(self) -> None:
        """Give the file back."""
        if hasattr(self, "_handle"):
            os.close(self._handle)

    def __len__(self) -> int:
        return self._count

    def find(self, hi: Words, lo: Words) -> tuple[NDArray[np.intp], Records]:
        """Return which of the keys this run holds, ascending, and their records. Raises DamagedRunError."""
        [(asked, matches)] = find_keys([self], hi, lo)
        order = np.argsort(asked, kind="stable")
        return asked[order], matches[order]

    def match(self, hi: Words, lo: Words) -> tuple[NDArray[np.intp], Records]:
        """Return which of the keys, in ascending order, this run holds, and their records. Raises DamagedRunError."""
        which: list[NDArray[np.intp]] = [np.empty(0, dtype=np.intp)]
        records: list[Records] = [np.empty(0, self._kind)]
        for start in range(0, len(hi), SLICE):
            part = slice(start, start + SLICE)
            found, matches = match_records(self._blocks_around(hi[part]), hi[part], lo[part])
            which.append(found + start)
            records.append(matches)
        return np.concatenate(which), np.concatenate(records)

    def read(self) -> Records:
        """Return all records, every block checked. Raises DamagedRunError."""
        return self._read_blocks(0, len(self.fences)) if self._count else np.empty(0, self._kind)

    def _read_index(self) -> None:
        magic, count, width, checksum = _HEADER.unpack(self._pread(_HEADER.size, 0))
        blocks, pieces = -(-count // BLOCK), count_pieces(count)
        size = blocks * 12 + pieces * 4
        self._start = _HEADER.size + size + pieces * PIECE
        if (
            magic != MAGIC
            or width != self._kind.itemsize
            or os.fstat(self._handle).st_size != self._start + count * width
        ):
            raise DamagedRunError(str(self.path))
        index = self._pread(size, _HEADER.size)
        if zlib.crc32(index, count) != checksum:
            raise DamagedRunError(str(self.path))
        self._count: int = count
        self.fences: Words = np.frombuffer(index, dtype="u8", count=blocks)
        self._checksums = np.frombuffer(index, dtype="u4", count=blocks, offset=blocks * 8)
        self._checked = np.zeros(blocks, dtype=bool)
        self._piece_sums = np.frombuffer(index, dtype="u4", count=pieces, offset=blocks * 12)
        self._pieces_start = _HEADER.size + size
        self._filter = Filter(pieces, self._read_pieces)

    def admit(self, hi: Words, lo: Words) -> NDArray[np.intp]:
        """Return which of the keys, in ascending order, may be here: all that are. Raises DamagedRunError."""
        return self._filter.admit(hi, lo) if self._count else np.empty(0, np.intp)

    def announce_filter(self, hi: Words) -> None:
        """Have the system fetch what `admit` will read for ascending keys."""
        spans = self._filter.unread(hi) if len(hi) <= ANNOUNCED else []
        self._announce((self._pieces_start + at * PIECE, (to + 1 - at) * PIECE) for at, to in spans)

    def announce(self, hi: Words) -> None:
        """Have the system fetch what `match` will read for ascending keys."""
        width = self._kind.itemsize * BLOCK
        spans = self._find_spans(hi) if 0 < len(hi) <= ANNOUNCED else []
        self._announce((self._start + at * width, (to + 1 - at) * width) for at, to in spans)

    def _announce(self, spans: Iterable[tuple[int, int]]) -> None:
        """Tell the system of spans of the file: one after another, cold ones cost 0.1 ms each.

        Announced to all runs before the first is read, the fetches overlap. A look-up of very many keys goes over whole
        runs, which the system notices by itself.
        """
        if hasattr(os, "posix_fadvise"):
            for offset, size in spans:
                os.posix_fadvise(self._handle, offset, size, os.POSIX_FADV_WILLNEED)

    def _read_pieces(self, first: int, last: int) -> bytes:
        content = self._pread((last + 1 - first) * PIECE, self._pieces_start + first * PIECE)
        if not np.array_equal(sum_pieces(content), self._piece_sums[first : last + 1]):
            raise DamagedRunError(str(self.path))
        return content

    def _blocks_around(self, hi: Words) -> Records:
        """Return the records of the blocks that ascending keys fall into, still in order."""
        return np.concatenate([self._read_blocks(at, to + 1) for at, to in self._find_spans(hi)])

    def _find_spans(self, hi: Words) -> list[tuple[int, int]]:
        """Return the first and last of the blocks next to one another that keys fall into."""
        last = np.maximum(np.searchsorted(self.fences, hi, side="right") - 1, 0)
        first = np.maximum(np.searchsorted(self.fences, hi, side="left") - 1, 0)
        if len(hi) <= ANNOUNCED:
            return find_spans(np.sort(np.concatenate([first, last])))
        # Flags instead of a sort of very many: a third of a bulk look-up's time was sorting block numbers.
        touched = np.zeros(len(self.fences), dtype=bool)
        touched[first] = touched[last] = True
        return find_spans(np.flatnonzero(touched))

    def _read_blocks(self, start: int, stop: int) -> Records:
        width = self._kind.itemsize
        count = min(stop * BLOCK, self._count) - start * BLOCK
        content = memoryview(self._pread(count * width, self._start + start * BLOCK * width))
        step = BLOCK * width
        for block in range(start, stop):
            if stop - start > FEW and self._checked[block]:
                continue
            at = (block - start) * step
            if zlib.crc32(content[at : at + step]) != self._checksums[block]:
                raise DamagedRunError(str(self.path))
        self._checked[start:stop] = True
        return np.frombuffer(content, dtype=self._kind)

    def _pread(self, size: int, offset: int) -> bytes:
        """Read in pieces: the system gives at most 2 GB at once."""
        parts = []
        while size:
            try:
                part = os.pread(self._handle, size, offset)
            except OSError as error:
                raise DamagedRunError(str(self.path)) from error
            if not part:
                raise DamagedRunError(str(self.path))
            parts.append(part)
            size, offset = size - len(part), offset + len(part)
        return b"".join(parts)


def find_keys(runs: Sequence[Run], hi: Words, lo: Words) -> list[tuple[NDArray[np.intp], Records]]:
    """Return which of the keys each run holds and their records, run by run. Raises DamagedRunError."""
    if not runs:
        return []
    order = np.argsort(hi)
    hi, lo = hi[order], lo[order]
    for run in runs:
        run.announce_filter(hi)
    asked = [run.admit(hi, lo) for run in runs]
    for run, which in zip(runs, asked, strict=True):
        run.announce(hi[which])
    found = []
    for run, which in zip(runs, asked, strict=True):
        matched, records = run.match(hi[which], lo[which])
        found.append((order[which[matched]], records))
    return found


def write_run(folder: Path, records: Records) -> Path:
    """Write sorted ``records`` as a new run and return its path."""
    return write_merged(folder, [records])


def write_merged(folder: Path, sorted_parts: Sequence[Records]) -> Path:
    """Write the records of sorted arrays, at least one, as a new run in key order, and return its path."""
    path = folder / f"{uuid4().hex}.run"
    count, kind = sum(map(len, sorted_parts)), sorted_parts[0].dtype
    bloom = np.zeros(count_pieces(count) * PIECE, np.uint8)
    fences, checksums = [], []
    start = _HEADER.size + -(-count // BLOCK) * 12 + len(bloom) // PIECE * 4 + len(bloom)
    merged = merge_records(sorted_parts) if len(sorted_parts) > 1 else iter(sorted_parts)
    try:
        with path.open("wb") as stream:
            stream.seek(start)
            for records in block_records(merged, BLOCK):
                content = as_words(records)
                stream.write(content.data)
                fences.append(content[::BLOCK, 0])
                checksums += [zlib.crc32(content[at : at + BLOCK].data) for at in range(0, len(content), BLOCK)]
                fill_filter(bloom, count, content[:, 0], content[:, 1])
            index = np.concatenate(fences).tobytes() + np.array(checksums, "u4").tobytes()
            index += sum_pieces(bloom.data).tobytes()
            stream.seek(0)
            stream.write(_HEADER.pack(MAGIC, count, kind.itemsize, zlib.crc32(index, count)))
            stream.writelines((index, bloom.data))
    except OSError:
        path.unlink(missing_ok=True)
        raise
    return path


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """What an index covers: whose log, up to which position, and the digest sum of what it has taken in."""

    table_uuid: str
    position: int
    digest_sum: int
    events: tuple[str, ...]
    streams: tuple[str, ...]
