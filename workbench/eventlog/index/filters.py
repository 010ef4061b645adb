"""What a run surely does not hold: a filter beside its records, so that a key which is not there costs no read of them.

A Bloom filter in pieces of 4 kB, each for the keys of one part of the order and with a checksum of its own. A piece is
read and checked when a key first falls into it, and kept: 1.25 bytes a record once all were asked for.
"""

import zlib
from collections.abc import Callable, Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]
Rows = NDArray[np.intp]

PIECE: Final = 4096
# Ten bits a key and four probes let 1.2 % of the keys pass that are not there.
BITS: Final = 10
PROBES: Final = 4
# A smaller run is read whole in the time its filter takes.
LEAST: Final = 256
# Records that enter a filter at a time: their flags, a byte a bit, take 3 MB.
SLICE: Final = 1 << 18
_PIECE_BITS: Final = 8 * PIECE
_HALF: Final = np.uint64(32)


def count_pieces(count: int) -> int:
    """Return how many pieces the filter of so many records has."""
    return -(-count * BITS // _PIECE_BITS) if count >= LEAST else 0


def fill_filter(content: NDArray[np.uint8], count: int, hi: Words, lo: Words) -> None:
    """Enter keys in ascending order into a filter made for ``count`` of them, its pieces behind each other."""
    pieces = count_pieces(count)
    for begin in range(0, len(hi) if pieces else 0, SLICE):
        places = _place(hi[begin : begin + SLICE], pieces)
        first, last = int(places[0]), int(places[-1]) + 1
        flags = np.zeros((last - first) * _PIECE_BITS, np.bool_)
        for bits in _probe(lo[begin : begin + SLICE]):
            flags[(places - first) * _PIECE_BITS + bits] = True
        content[first * PIECE : last * PIECE] |= np.packbits(flags, bitorder="little")


def sum_pieces(content: bytes | memoryview) -> NDArray[np.uint32]:
    """Return the checksum of each piece."""
    view = memoryview(content)
    return np.array([zlib.crc32(view[at : at + PIECE]) for at in range(0, len(view), PIECE)], np.uint32)


class Filter:
    """The filter of one run; ``read`` gives the pieces from a first to a last one, checked."""

    def __init__(self, pieces: int, read: Callable[[int, int], bytes]) -> None:
        self._pieces = pieces
        self._read = read
        # Not touched before it is read, so the system gives no memory for it.
        self._content = np.empty(pieces * PIECE, np.uint8)
        self._is_read = np.zeros(pieces, np.bool_)

    def admit(self, hi: Words, lo: Words) -> Rows:
        """Return which of the keys may be in the run, ``hi`` ascending; the others surely are not."""
        if not self._pieces or not len(hi):
            return np.arange(len(hi))
        places = _place(hi, self._pieces)
        for first, last in self._spans(places):
            content = np.frombuffer(self._read(first, last), np.uint8)
            self._content[first * PIECE : (last + 1) * PIECE] = content
            self._is_read[first : last + 1] = True
        admitted = np.ones(len(hi), np.bool_)
        for bits in _probe(lo):
            admitted &= (self._content[places * PIECE + (bits >> 3)] >> (bits & 7) & 1).astype(np.bool_)
        return np.flatnonzero(admitted)

    def unread(self, hi: Words) -> list[tuple[int, int]]:
        """Return the first and last of the pieces next to one another that `admit` will read for ascending keys."""
        return self._spans(_place(hi, self._pieces)) if self._pieces else []

    def _spans(self, places: Rows) -> list[tuple[int, int]]:
        return find_spans(places[~self._is_read[places]])


def find_spans(blocks: Rows) -> list[tuple[int, int]]:
    """Return the first and last of ascending numbers that follow one another, some perhaps more than once."""
    if not len(blocks):
        return []
    ends = np.flatnonzero(np.diff(blocks) > 1)
    starts = blocks[np.concatenate([[0], ends + 1])].tolist()
    stops = blocks[np.concatenate([ends, [len(blocks) - 1]])].tolist()
    return list(zip(starts, stops, strict=True))


def _place(hi: Words, pieces: int) -> Rows:
    """Return the piece of each key: the pieces follow the order of the keys, which are spread evenly."""
    return ((hi >> _HALF) * np.uint64(pieces) >> _HALF).astype(np.intp)


def _probe(lo: Words) -> Iterator[Rows]:
    """Yield the bits of each key in its piece, probe by probe: 15 bits of every 16 are as good as a hash."""
    for probe in range(PROBES):
        yield (lo >> np.uint64(16 * probe)).astype(np.intp) & (_PIECE_BITS - 1)
