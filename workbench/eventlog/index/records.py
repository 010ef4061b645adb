"""Records of the index: fixed-size rows that begin with a 128-bit key, and how they are sorted, merged and found."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import numpy as np
from numpy.typing import NDArray

# Records merged at a time: their copies are few enough to lie in the memory that the last ones had. New memory costs
# 1 ns a byte where the machine is a virtual one.
MERGED: Final = 1 << 15

Records = NDArray[np.void]
Words = NDArray[np.uint64]

EVENT_RECORD: Final = np.dtype([("hi", "u8"), ("lo", "u8"), ("position", "i8"), ("salt", "V16"), ("digest", "V16")])
STREAM_RECORD: Final = np.dtype([("hi", "u8"), ("lo", "u8"), ("version", "i8")])


def match_records(
    records: Records, hi: Words, lo: Words, *, column: Words | None = None
) -> tuple[NDArray[np.intp], Records]:
    """Return which keys sorted records hold, and their records.

    A key is found by ``hi``; keys that share it (1 in 2^64) are told apart by ``lo``. ``column`` is the records' own
    ``hi`` where the caller has it side by side.
    """
    column = np.ascontiguousarray(records["hi"]) if column is None else column
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
    return which, records[where]


def sort_records(records: Records, *, is_nearly: bool = False) -> Records:
    """Return records in key order; equal keys keep the order they came in.

    ``is_nearly`` says that they consist of sorted runs, which a stable sort merges in 3 ns a record; in any other order
    it takes 100 ns, the quick sort 36.
    """
    order = order_keys(np.ascontiguousarray(records["hi"]), records["lo"], is_nearly=is_nearly)
    return take_records(records, order)


def order_keys(hi: Words, lo: Words, *, is_nearly: bool = False) -> NDArray[np.intp]:
    """Return the places of keys in their order, as `sort_records` puts them."""
    order = np.argsort(hi, kind="stable" if is_nearly else None)
    ordered = hi[order]
    return np.lexsort((lo, hi)) if np.any(ordered[1:] == ordered[:-1]) else order


def take_records(records: Records, which: NDArray[np.intp]) -> Records:
    """Return the chosen records: as rows of words, numpy takes 10 ns for one, 150 field by field."""
    taken: Records = as_words(records).take(which, axis=0).view(records.dtype).reshape(-1)
    return taken


def join_records(parts: Sequence[Records]) -> Records:
    """Return the records of several arrays, at least one, behind each other."""
    joined: Records = np.concatenate([as_words(part) for part in parts]).view(parts[0].dtype).reshape(-1)
    return joined


def as_words(records: Records) -> Words:
    """Return records as rows of words of 64 bits."""
    return np.ascontiguousarray(records).view(np.uint64).reshape(len(records), records.dtype.itemsize // 8)


def merge_records(parts: Sequence[Records]) -> Iterator[Records]:
    """Yield the records of several sorted arrays in key order, those of one part of the order at a time."""
    slices = max(1, sum(map(len, parts)) // MERGED)
    bounds = np.array([(number << 64) // slices for number in range(1, slices)], np.uint64)
    keys = [np.ascontiguousarray(part["hi"]) for part in parts]
    places = [[0, *np.searchsorted(hi, bounds).tolist(), len(hi)] for hi in keys]

    def merge(number: int) -> Records:
        taken = [part[at[number] : at[number + 1]] for part, at in zip(parts, places, strict=True)]
        return sort_records(join_records(taken), is_nearly=True)

    # The next are merged while the caller writes these: at the end of an ingest the other core has nothing to do.
    with ThreadPoolExecutor(1, "workbench-merge") as thread:
        coming = thread.submit(merge, 0)
        for number in range(1, slices):
            merged = coming.result()
            coming = thread.submit(merge, number)
            yield merged
        yield coming.result()


def block_records(parts: Iterator[Records], size: int) -> Iterator[Records]:
    """Yield the same records in arrays of a multiple of ``size``, but for the last."""
    rest: Records | None = None
    for part in parts:
        joined = part if rest is None or not len(rest) else join_records([rest, part])
        whole = len(joined) - len(joined) % size
        yield joined[:whole]
        rest = joined[whole:]
    if rest is not None:
        yield rest
