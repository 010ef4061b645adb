"""The head: up to where the log reaches, kept in the table's properties by the very commit that adds the events."""

from binascii import unhexlify
from datetime import UTC, datetime
from typing import Final

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyiceberg.table import Table

DIGEST_SUM_BITS: Final = 128
DIGITS: Final = 64
_MARK: Final = "workbench."


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """Where the log ends.

    ``position`` is the last event's, -1 in an empty log, None on a mapped log that has no such column. ``recorded_at``
    is the last event's. ``digest_sum`` is the sum of the first 60 bits of every digest, modulo 2^128: two logs of the
    same events have the same sum in whatever files they lie.
    """

    position: int | None
    event_count: int
    recorded_at: datetime | None
    snapshot_id: int | None
    digest_sum: int = 0

    @property
    def last(self) -> int:
        """The last event's position in a log that has positions."""
        return -1 if self.position is None else self.position


EMPTY: Final = Head(position=-1, event_count=0, recorded_at=None, snapshot_id=None)


def read_head(table: Table) -> Head:
    """Return the head that the last commit of ours left in the table's properties; ``EMPTY`` before the first."""
    values = table.properties
    if f"{_MARK}position" not in values:
        return EMPTY
    recorded = values[f"{_MARK}recorded-at"]
    return Head(
        position=int(values[f"{_MARK}position"]),
        event_count=int(values[f"{_MARK}event-count"]),
        recorded_at=datetime.fromisoformat(recorded) if recorded else None,
        snapshot_id=int(values[f"{_MARK}snapshot-id"]),
        digest_sum=int(values[f"{_MARK}digest-sum"]),
    )


def head_properties(head: Head) -> dict[str, str]:
    """Return the table properties that say ``head``."""
    return {
        f"{_MARK}position": str(head.position),
        f"{_MARK}event-count": str(head.event_count),
        f"{_MARK}recorded-at": "" if head.recorded_at is None else head.recorded_at.astimezone(UTC).isoformat(),
        f"{_MARK}snapshot-id": str(head.snapshot_id),
        f"{_MARK}digest-sum": str(head.digest_sum),
    }


def sum_digests(digests: pa.ChunkedArray | pa.Array) -> int:
    """Return the sum of the first 60 bits of hexadecimal digests, modulo 2^128.

    >>> sum_digests(pa.array(["00000000000000a" + "0" * 49, "000000000000001" + "0" * 49]))
    11
    """
    return sum_words(np.frombuffer(digest_bytes(digests, 8), dtype=">u8"))


def sum_words(beginnings: NDArray[np.uint64]) -> int:
    """Return the sum of the first 60 bits of digests of which these are the first 64."""
    words = beginnings.astype(np.uint64) >> np.uint64(4)
    # Halves of 30 bits: their sums stay below 2^63 for 2^33 rows.
    high, low = words >> np.uint64(30), words & np.uint64((1 << 30) - 1)
    return ((int(high.sum()) << 30) + int(low.sum())) % (1 << DIGEST_SUM_BITS)


def digest_bytes(digests: pa.ChunkedArray | pa.Array, size: int) -> bytes:
    """Return the first ``size`` bytes of each hexadecimal digest, joined."""
    chunks = digests.chunks if isinstance(digests, pa.ChunkedArray) else [digests]
    return b"".join([_begin_bytes(chunk, size) for chunk in chunks if len(chunk)])


def _begin_bytes(digests: pa.Array, size: int) -> bytes:
    """Return the same of one chunk, read from its buffer as it lies."""
    start = np.frombuffer(digests.buffers()[1], dtype="i4", count=1, offset=4 * digests.offset)[0]
    digits = np.frombuffer(digests.buffers()[2], dtype="u1", count=DIGITS * len(digests), offset=int(start))
    return unhexlify(digits.reshape(-1, DIGITS)[:, : 2 * size].tobytes())
