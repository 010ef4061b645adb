"""Sorted runs: immutable files of fixed-size records, sorted by a 128-bit key, looked up in bulk.

A record begins with its key, ``hi`` and ``lo``. Every 256 records are a block with a checksum of its own, and the
first ``hi`` of each block is kept as a fence: a look-up reads the blocks its keys fall into, 14 kB each, and no more.
"""

import struct
import zlib
from pathlib import Path
from typing import Final
from uuid import uuid4

import msgspec
import numpy as np
from numpy.typing import NDArray

BLOCK: Final = 256
MAGIC: Final = b"WBRUN001"
_HEADER: Final = struct.Struct("<8sQQI")

Records = NDArray[np.void]
Words = NDArray[np.uint64]

EVENT_RECORD: Final = np.dtype([("hi", "u8"), ("lo", "u8"), ("position", "i8"), ("salt", "V16"), ("digest", "V16")])
STREAM_RECORD: Final = np.dtype([("hi", "u8"), ("lo", "u8"), ("version", "i8")])


class DamagedRunError(Exception):
    """A run's bytes are not what was written; the index is made anew from the log, so no caller ever sees this."""


class Run:
    """One run, mapped into memory; each block is checked when it is first touched."""

    def __init__(self, path: Path, kind: np.dtype[np.void]) -> None:
        self.path = path
        try:
            magic, count, width, checksum = _HEADER.unpack(_read(path, _HEADER.size))
        except (OSError, struct.error) as error:
            raise DamagedRunError(str(path)) from error
        blocks = -(-count // BLOCK)
        start = _HEADER.size + blocks * 12
        if magic != MAGIC or width != kind.itemsize or path.stat().st_size != start + count * width:
            raise DamagedRunError(str(path))
        index = _read(path, start)[_HEADER.size :]
        if zlib.crc32(index, count) != checksum:
            raise DamagedRunError(str(path))
        self.fences: Words = np.frombuffer(index, dtype="u8", count=blocks)
        self._checksums = np.frombuffer(index, dtype="u4", count=blocks, offset=blocks * 8)
        self.records: Records = (
            np.memmap(path, dtype=kind, mode="r", offset=start, shape=(count,)) if count else np.empty(0, kind)
        )
        self._checked = np.zeros(blocks, dtype=bool)

    def __len__(self) -> int:
        return len(self.records)

    def find(self, hi: Words, lo: Words) -> tuple[NDArray[np.intp], Records]:
        """Return which of the keys this run holds, and their records, in the order of the keys."""
        if not len(self.records) or not len(hi):
            return np.empty(0, dtype=np.intp), self.records[:0]
        blocks = np.maximum(np.searchsorted(self.fences, hi, side="right") - 1, 0)
        first = np.maximum(np.searchsorted(self.fences, hi, side="left") - 1, 0)
        self.check(np.unique(np.concatenate([blocks, first])))
        return _match(self.records, hi, lo)

    def check(self, blocks: NDArray[np.intp]) -> None:
        """Compare blocks with their checksums. Raises DamagedRunError."""
        for block in blocks[~self._checked[blocks]].tolist():
            part = self.records[block * BLOCK : (block + 1) * BLOCK]
            if zlib.crc32(part.tobytes()) != self._checksums[block]:
                raise DamagedRunError(str(self.path))
            self._checked[block] = True

    def read(self) -> Records:
        """Return all records, every block checked."""
        self.check(np.arange(len(self.fences)))
        return np.asarray(self.records)


def _match(records: Records, hi: Words, lo: Words) -> tuple[NDArray[np.intp], Records]:
    """Find each key by ``hi``; keys that share it (1 in 2^64) are told apart by ``lo``."""
    column = records["hi"]
    at = np.searchsorted(column, hi, side="left")
    asked: NDArray[np.intp] = np.arange(len(hi))
    found: list[tuple[NDArray[np.intp], NDArray[np.intp]]] = []
    while len(asked):
        inside = at < len(column)
        asked, at = asked[inside], at[inside]
        same = column[at] == hi[asked]
        asked, at = asked[same], at[same]
        hit = records["lo"][at] == lo[asked]
        found.append((asked[hit], at[hit]))
        asked, at = asked[~hit], at[~hit] + 1
    which = np.concatenate([pair[0] for pair in found]) if found else asked
    where = np.concatenate([pair[1] for pair in found]) if found else asked
    order = np.argsort(which, kind="stable")
    return which[order], np.asarray(records[where[order]])


def sort_records(records: Records) -> Records:
    """Return records in key order; equal keys keep the order they came in."""
    order = np.argsort(records["hi"], kind="stable")
    ordered = records[order]
    ties = ordered["hi"][1:] == ordered["hi"][:-1]
    return ordered[np.lexsort((ordered["lo"], ordered["hi"]))] if ties.any() else ordered


def write_run(folder: Path, records: Records) -> Path:
    """Write sorted ``records`` as a new run and return its path."""
    path = folder / f"{uuid4().hex}.run"
    content = np.ascontiguousarray(records)
    view = content.view(np.uint8).data if len(content) else memoryview(b"")
    step = BLOCK * content.dtype.itemsize
    fences = np.ascontiguousarray(content["hi"][::BLOCK]).tobytes()
    checksums = np.array([zlib.crc32(view[at : at + step]) for at in range(0, len(view), step)], dtype="u4").tobytes()
    index = fences + checksums
    header = _HEADER.pack(MAGIC, len(content), content.dtype.itemsize, zlib.crc32(index, len(content)))
    with path.open("wb") as stream:
        stream.writelines((header, index, view))
    return path


def _read(path: Path, size: int) -> bytes:
    with path.open("rb") as stream:
        return stream.read(size)


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """What an index covers: whose log, up to which position, and the digest sum of what it has taken in."""

    table_uuid: str
    position: int
    digest_sum: int
    events: tuple[str, ...]
    streams: tuple[str, ...]
