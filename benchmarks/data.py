"""Seeded events of a made-up bank, vectorised: event number i is the same whatever chunk it is made in.

Every field of an event is a hash of its number, so that any event of a log of 50 M can be made again alone, as an
append of events "already stored anywhere in the log" needs.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Words = NDArray[np.uint64]

VERSION: Final = 1
SOURCE: Final = "/bank"
START: Final = datetime(2025, 1, 1, tzinfo=UTC)
SPAN: Final = timedelta(days=365)
CHUNK: Final = 1 << 18
# Types by their share of a hundred events.
SHARES: Final = {
    "MoneyDeposited": 34,
    "MoneyWithdrawn": 27,
    "BalanceChecked": 14,
    "CardUsed": 11,
    "LetterSent": 6,
    "LimitChanged": 4,
    "WithdrawalCancelled": 3,
    "AddressChanged": 1,
}
_TYPES: Final = np.repeat(np.arange(len(SHARES)), list(SHARES.values()))
_HEX: Final = np.frombuffer("".join(f"{byte:02x}" for byte in range(256)).encode(), dtype="S2")
_ACTORS: Final = 5000


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """A log of ``total`` events over ``streams`` accounts in a year, in the order of their time."""

    total: int
    streams: int
    seed: int = 7

    def rows(self, numbers: NDArray[np.int64]) -> pa.Table:
        """Return the events with these numbers, in the producer's columns; beyond the total time goes on."""
        mixed = _mix(numbers.astype(np.uint64) + np.uint64(self.seed << 40))
        kinds = _TYPES[(mixed % np.uint64(100)).astype(np.intp)]
        actors = (_mix(mixed + np.uint64(2)) % np.uint64(_ACTORS)).astype(np.int64)
        is_ai = actors % 10 == 0
        columns = {
            "event_id": hex_text(_mix(mixed + np.uint64(1))),
            "source": pa.repeat(SOURCE, len(numbers)),
            "stream_id": self.stream_ids((_mix(mixed + np.uint64(3)) % np.uint64(self.streams)).astype(np.int64)),
            "event_type": pa.DictionaryArray.from_arrays(pa.array(kinds), pa.array(list(SHARES))).cast(pa.string()),
            "occurred_at": self.times(numbers, mixed),
            "actor_id": pc.binary_join_element_wise("employee-", pa.array(actors).cast(pa.string()), ""),
            "actor_kind": pc.if_else(pa.array(is_ai), "ai", "human"),
            "correlation_id": hex_text(_mix((numbers // 8).astype(np.uint64))),
            "data": _payloads(mixed),
        }
        return pa.table(columns)

    def stream_ids(self, streams: NDArray[np.int64]) -> pa.Array:
        """Return the stream_id of each stream number."""
        return pc.binary_join_element_wise("account-", pa.array(streams).cast(pa.string()), "")

    def times(self, numbers: NDArray[np.int64], mixed: Words) -> pa.Array:
        """Return each event's occurred_at: even over the year, and never before an earlier number's."""
        step = SPAN // timedelta(microseconds=1) // self.total
        offsets = numbers * step + (mixed % np.uint64(max(1, step))).astype(np.int64)
        start = int(START.timestamp()) * 1_000_000
        return pa.array(offsets + start).cast(pa.timestamp("us", tz="UTC"))

    def rows_of_batch(self, number: int, size: int) -> pa.Table:
        """Return batch ``number`` when the story is cut into batches of ``size`` events."""
        return self.rows(np.arange(number * size, (number + 1) * size, dtype=np.int64))

    def chunks(self, first: int = 0, count: int | None = None) -> Iterator[pa.Table]:
        """Yield the events from number ``first`` on, at most 2^18 at a time."""
        last = self.total if count is None else first + count
        for begin in range(first, last, CHUNK):
            yield self.rows(np.arange(begin, min(begin + CHUNK, last), dtype=np.int64))


def hex_text(words: Words) -> pa.Array:
    """Return each 64-bit word as 16 hexadecimal digits."""
    text = _HEX[words.view(np.uint8)].tobytes()
    offsets = np.arange(0, 16 * len(words) + 1, 16, dtype=np.int32)
    return pa.Array.from_buffers(pa.string(), len(words), [None, pa.py_buffer(offsets), pa.py_buffer(text)])


def cloud_events(rows: pa.Table) -> pa.Array:
    """Return each event as one line of CloudEvents 1.0 JSON; the subject is the stream."""
    pieces = [
        '{"specversion":"1.0","id":"',
        rows["event_id"],
        '","source":"/bank","type":"',
        rows["event_type"],
        '","subject":"',
        rows["stream_id"],
        '","time":"',
        pc.strftime(rows["occurred_at"], format="%Y-%m-%dT%H:%M:%SZ"),
        '","datacontenttype":"application/json","actorid":"',
        rows["actor_id"],
        '","actorkind":"',
        rows["actor_kind"],
        '","correlationid":"',
        rows["correlation_id"],
        '","data":',
        rows["data"],
        "}",
        "",
    ]
    return pc.binary_join_element_wise(*pieces)


def _payloads(mixed: Words) -> pa.Array:
    """Return payloads of about 80 bytes: an amount in cents, a currency, a channel, a reference."""
    cents = pa.array((_mix(mixed + np.uint64(4)) % np.uint64(500_000)).astype(np.int64)).cast(pa.string())
    channel = (_mix(mixed + np.uint64(5)) % np.uint64(3)).astype(np.int64)
    channels = pa.DictionaryArray.from_arrays(pa.array(channel), pa.array(["app", "web", "branch"])).cast(pa.string())
    reference = hex_text(_mix(mixed + np.uint64(6)))
    return pc.binary_join_element_wise(
        '{"amount":', cents, ',"currency":"EUR","channel":"', channels, '","reference":"', reference, '"}', ""
    )


def _mix(words: Words) -> Words:
    """Return a bijective scramble of 64-bit words (the finaliser of SplitMix64, Steele et al. 2014)."""
    mixed = (words + np.uint64(0x9E3779B97F4A7C15)).astype(np.uint64)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
