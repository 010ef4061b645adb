"""Records of a commit under way: kept in memory and found by key at once, until they become a run."""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from workbench.eventlog.index.records import Records, Words, match_records

# A flag for the first 23 bits of each key leaves 12 % of new keys to be looked for in vain among a million, which takes
# 250 ns each; 8 MB of flags stay in the cores' cache.
FLAG_BITS: Final = 23
SHIFT: Final = np.uint64(64 - FLAG_BITS)
# So many records (60 MB) are to become a run.
MOST: Final = 1 << 20


class Recent:
    """The events' records of some batches, each batch sorted."""

    def __init__(self) -> None:
        # Each with its keys' first words side by side: to gather them for a look-up takes 2 ms a batch.
        self._batches: list[tuple[Records, Words]] = []
        self._flags: NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        return sum(len(records) for records, _ in self._batches)

    def add(self, records: Records) -> None:
        """Take in sorted records."""
        hi = np.ascontiguousarray(records["hi"])
        self._batches.append((records, hi))
        if self._flags is not None:
            self._flags[hi >> SHIFT] = True

    def find(self, hi: Words, lo: Words) -> Iterator[tuple[NDArray[np.intp], Records]]:
        """Yield, batch by batch, which of the keys it holds and their records."""
        if not self._batches or not len(hi):
            return
        if self._flags is None:
            self._flags = np.zeros(1 << FLAG_BITS, np.bool_)
            for _, column in self._batches:
                self._flags[column >> SHIFT] = True
        asked = np.flatnonzero(self._flags[hi >> SHIFT])
        asked = asked[np.argsort(hi[asked])]
        for records, column in self._batches:
            found, matches = match_records(records, hi[asked], lo[asked], column=column)
            yield asked[found], matches

    def take(self) -> list[Records]:
        """Return all batches, and begin anew."""
        batches, self._batches, self._flags = self._batches, [], None
        return [records for records, _ in batches]
