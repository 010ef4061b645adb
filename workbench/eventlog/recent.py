"""Records of a commit under way: kept in memory and found by key at once, until they become a run."""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from workbench.eventlog.runs import EVENT_RECORD, Records, Words, join_records, match_records, sort_records

# A flag for the first 25 bits of each key leaves 3 % of new keys to be looked for in vain among a million: 20 ns a key,
# where looking for all takes 250.
FLAG_BITS: Final = 25
SHIFT: Final = np.uint64(64 - FLAG_BITS)
# So many records (60 MB) are to become a run.
MOST: Final = 1 << 20


class Recent:
    """The events' records of some batches, each batch sorted."""

    def __init__(self) -> None:
        self._batches: list[Records] = []
        self._flags: NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        return sum(map(len, self._batches))

    def add(self, records: Records) -> None:
        """Take in sorted records."""
        self._batches.append(records)
        if self._flags is not None:
            self._flags[records["hi"] >> SHIFT] = True

    def find(self, hi: Words, lo: Words) -> Iterator[tuple[NDArray[np.intp], Records]]:
        """Yield, batch by batch, which of the keys it holds and their records."""
        if not self._batches or not len(hi):
            return
        if self._flags is None:
            self._flags = np.zeros(1 << FLAG_BITS, np.bool_)
            for records in self._batches:
                self._flags[records["hi"] >> SHIFT] = True
        asked = np.flatnonzero(self._flags[hi >> SHIFT])
        asked = asked[np.argsort(hi[asked])]
        for records in self._batches:
            found, matches = match_records(records, hi[asked], lo[asked])
            yield asked[found], matches

    def take(self) -> Records:
        """Return all records in the order of their keys, and begin anew."""
        batches, self._batches, self._flags = self._batches, [], None
        return sort_records(join_records([np.empty(0, EVENT_RECORD), *batches]), is_nearly=True)
