"""What a writer must know before a commit: where known ids stand, and each stream's last version.

Derived from the log and nothing but a memory of it: deleted, stale, damaged or another log's, it costs the time to
read the log again and never changes an answer. Its mark says which log it is of, up to which position it reaches and
the digest sum of what it took in; a sum that differs from the head's means it is made anew.
"""

import hashlib
import zlib
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import repeat
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from workbench.eventlog.head import DIGEST_SUM_BITS, digest_bytes, sum_words
from workbench.eventlog.index.recent import MOST, Recent
from workbench.eventlog.index.records import (
    EVENT_RECORD,
    STREAM_RECORD,
    Records,
    Words,
    as_words,
    join_records,
    order_keys,
    sort_records,
)
from workbench.eventlog.index.runs import DamagedRunError, Mark, Run, find_keys, write_merged

# A new run swallows neighbours up to four times its size: about log4(n) runs stay. A run of 2^24 records (0.9 GB) is
# left alone, so that no single append rewrites more than that.
GROWTH: Final = 4
LARGEST: Final = 1 << 24
REMEMBERED: Final = 1 << 18


class Index:
    """The runs of one log, under a folder beside it. Only a holder of the writers' lock may use it."""

    def __init__(self, folder: Path, table_uuid: str) -> None:
        self.folder = folder
        self._mark = self._staged = Mark(table_uuid=table_uuid, position=-1, digest_sum=0, events=(), streams=())
        self._events: list[Run] = []
        self._streams: list[Run] = []
        self._forget()
        self._stamp: object = None

    def _forget(self) -> None:
        """Begin with nothing staged but what runs hold: no event's record, no stream's last version."""
        self._recent = Recent()
        self._versions: dict[str, int] = {}

    @property
    def position(self) -> int:
        """Up to which position the index reaches."""
        return self._staged.position

    @property
    def saved(self) -> Mark:
        """What was kept last."""
        return self._mark

    @property
    def record_size(self) -> int:
        """Bytes of one event's record."""
        return EVENT_RECORD.itemsize

    def names(self) -> set[str]:
        """Return the names of the runs it consists of."""
        return {run.path.name for run in (*self._events, *self._streams)}

    @property
    def digest_sum(self) -> int:
        """The digest sum of what it took in."""
        return self._staged.digest_sum

    def load(self) -> None:
        """Take the state other writers left; begin anew when there is none that can be used."""
        try:
            stamp = self._mark_path.stat()
            if (stamp.st_mtime_ns, stamp.st_ino) == self._stamp:
                return
            mark = _decode_mark(self._mark_path.read_bytes(), self._mark.table_uuid)
            self._open_runs(mark)
            self._mark = self._staged = mark
            self._stamp = (stamp.st_mtime_ns, stamp.st_ino)
        except (OSError, msgspec.DecodeError, ValueError, DamagedRunError):
            self.clear()

    def _open_runs(self, mark: Mark) -> None:
        known = {run.path.name: run for run in [*self._events, *self._streams]}
        self._events = [known.get(name) or Run(self.folder / name, EVENT_RECORD) for name in mark.events]
        self._streams = [known.get(name) or Run(self.folder / name, STREAM_RECORD) for name in mark.streams]
        if sum(map(len, self._events)) != mark.position + 1:
            raise DamagedRunError(str(self._mark_path))

    def install(self, mark: Mark) -> None:
        """Take runs that were put into the folder as the whole index. Raises DamagedRunError."""
        try:
            self._open_runs(mark)
        except DamagedRunError:
            self._stamp = None
            raise
        self._staged = mark
        self.save()

    def clear(self) -> None:
        """Forget everything; the next look-up is preceded by a reading of the whole log."""
        self._events, self._streams, self._stamp = [], [], None
        empty = Mark(table_uuid=self._mark.table_uuid, position=-1, digest_sum=0, events=(), streams=())
        self._mark = self._staged = empty
        self._forget()
        self._sweep(set())
        self._mark_path.unlink(missing_ok=True)

    def find_events(self, keys: Words) -> tuple[NDArray[np.intp], Records]:
        """Return which rows of ``keys`` (n by 2 words) are known, and their records: position, salt, digest."""
        nothing = (np.empty(0, np.intp), np.empty(0, EVENT_RECORD))
        found = [nothing, *find_keys(self._events, keys[:, 0], keys[:, 1]), *self._recent.find(keys[:, 0], keys[:, 1])]
        return np.concatenate([pair[0] for pair in found]), np.concatenate([pair[1] for pair in found])

    def find_versions(self, stream_ids: Sequence[str]) -> NDArray[np.int64]:
        """Return each stream's last version, -1 for a stream not yet in the log."""
        versions = np.fromiter(map(self._versions.get, stream_ids, repeat(-1)), np.int64, len(stream_ids))
        keys = hash_streams(stream_ids if self._streams else [])
        for which, records in find_keys(self._streams, keys[:, 0], keys[:, 1]):
            # Whoever rearranged the files may have put a stream's events anywhere: the highest counts, not the newest.
            versions[which] = np.maximum(versions[which], records["version"])
        return versions

    def stage(self, rows: pa.Table, streams: pa.DictionaryArray | None = None) -> None:
        """Take in rows about to be committed: position, stream_id, stream_version, digest, key and salt.

        They are found by look-ups at once; `save` keeps them, `revert` forgets them. ``streams`` are the rows' streams
        as `encode_streams` gives them, where the caller has them.
        """
        records = _event_records(rows)
        self._recent.add(records)
        self._note_versions(encode_streams(rows) if streams is None else streams, rows.column("stream_version"))
        self._staged = msgspec.structs.replace(
            self._staged,
            position=max(self._staged.position, int(pc.max(rows.column("position")).as_py())),
            digest_sum=(self._staged.digest_sum + sum_halves(records["digest"])) % (1 << DIGEST_SUM_BITS),
        )
        if len(self._recent) >= MOST:
            self.settle()

    def _note_versions(self, streams: pa.DictionaryArray, versions: pa.ChunkedArray) -> None:
        stream_ids = streams.dictionary.to_pylist()
        last = np.fromiter(map(self._versions.get, stream_ids, repeat(-1)), np.int64, len(stream_ids))
        np.maximum.at(last, streams.indices.to_numpy(), versions.to_numpy())
        self._versions.update(zip(stream_ids, last.tolist(), strict=True))

    def settle(self) -> None:
        """Write what was staged into runs, so that keeping it is but a matter of the mark."""
        if not len(self._recent):
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        self._events = self._absorb(self._events, self._recent.take(), EVENT_RECORD)
        self._streams = self._absorb(self._streams, [_stream_records(self._versions)], STREAM_RECORD)
        self._forget()
        self._staged = msgspec.structs.replace(
            self._staged,
            events=tuple(run.path.name for run in self._events),
            streams=tuple(run.path.name for run in self._streams),
        )

    def save(self) -> None:
        """Keep what was staged, now that it is committed, and remove the runs it replaces."""
        if self._staged == self._mark:
            return
        self.settle()
        self._mark = self._staged
        text = msgspec.json.encode(self._mark)
        temporary = self.folder / "mark.new"
        try:
            temporary.write_bytes(f"{zlib.crc32(text):08x}".encode() + text)
            temporary.replace(self._mark_path)
            stamp = self._mark_path.stat()
            self._stamp = (stamp.st_mtime_ns, stamp.st_ino)
            self._sweep({*self._mark.events, *self._mark.streams})
        except OSError:
            # The events are in the log whatever becomes of its memory: the next process reads them again.
            return

    def revert(self) -> None:
        """Forget what was staged."""
        if self._staged == self._mark:
            return
        self._stamp, self._events, self._streams = None, [], []
        self._forget()
        self._staged = self._mark
        self.load()
        self._sweep({*self._mark.events, *self._mark.streams})

    def _absorb(self, runs: list[Run], batches: list[Records], kind: np.dtype[np.void]) -> list[Run]:
        kept, parts = list(runs), batches
        size = sum(map(len, batches))
        while kept and len(kept[-1]) <= GROWTH * size and len(kept[-1]) + size <= LARGEST:
            swallowed = kept.pop()
            parts = [swallowed.read(), *parts]
            size += len(swallowed)
        if kind is STREAM_RECORD and len(parts) > 1:
            parts = [_last_of_each(join_records(parts))]
        return [*kept, Run(write_merged(self.folder, parts), kind)]

    @property
    def _mark_path(self) -> Path:
        return self.folder / "mark"

    def _sweep(self, kept: AbstractSet[str]) -> None:
        for path in self.folder.glob("*.run"):
            if path.name not in kept:
                path.unlink(missing_ok=True)


def _decode_mark(content: bytes, table_uuid: str) -> Mark:
    mark = msgspec.json.decode(content[8:], type=Mark)
    if int(content[:8], 16) != zlib.crc32(content[8:]) or mark.table_uuid != table_uuid:
        raise DamagedRunError("mark")
    return mark


def key_words(keys: pa.ChunkedArray | pa.Array) -> Words:
    """Return 16-byte keys as n by 2 words, high word first."""
    array = keys.combine_chunks() if isinstance(keys, pa.ChunkedArray) else keys
    words = np.frombuffer(array.buffers()[1], dtype=">u8") if len(array) else np.empty(0, dtype=">u8")
    start = array.offset * 2
    return words[start : start + 2 * len(array)].astype(np.uint64).reshape(-1, 2)


def fixed_bytes(column: pa.ChunkedArray | pa.Array, width: int) -> Records:
    """Return a fixed-size binary column as an array of ``width`` raw bytes each."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if not len(array):
        return np.empty(0, dtype=f"V{width}")
    return np.frombuffer(array.buffers()[1], dtype=f"V{width}")[array.offset : array.offset + len(array)]


class StreamKeys(dict[str, bytes]):
    """The 128-bit keys of streams seen lately: a batch asks for each twice, and a hash costs 1 µs."""

    def __missing__(self, stream_id: str) -> bytes:
        if len(self) >= REMEMBERED:
            self.clear()
        key = self[stream_id] = hashlib.blake2b(stream_id.encode(), digest_size=16).digest()
        return key


STREAM_KEYS: Final = StreamKeys()


def hash_streams(stream_ids: Sequence[str]) -> Words:
    """Return a 128-bit key for each stream id."""
    joined = b"".join(map(STREAM_KEYS.__getitem__, stream_ids))
    return np.frombuffer(joined, dtype=">u8").astype(np.uint64).reshape(-1, 2)


def digest_halves(digests: pa.ChunkedArray | pa.Array) -> Records:
    """Return the first 16 bytes of hexadecimal digests."""
    return np.frombuffer(digest_bytes(digests, 16), dtype="V16")


def sum_halves(halves: Records) -> int:
    """Return the digest sum of the first halves of digests, as `workbench.eventlog.head.sum_digests`."""
    return sum_words(np.ascontiguousarray(halves).view(">u8")[::2])


def _event_records(rows: pa.Table) -> Records:
    keys = key_words(rows.column("key"))
    order = order_keys(np.ascontiguousarray(keys[:, 0]), keys[:, 1])
    records = np.empty(rows.num_rows, EVENT_RECORD)
    # As rows of words, put in order as they come: 80 ns a record, 120 where whole records are taken.
    words = as_words(records)
    words[:, :2] = keys.take(order, axis=0)
    words[:, 2] = rows.column("position").to_numpy().view(np.uint64).take(order)
    words[:, 3:5] = fixed_bytes(rows.column("salt"), 16).view(np.uint64).reshape(-1, 2).take(order, axis=0)
    words[:, 5:] = digest_halves(rows.column("digest")).view(np.uint64).reshape(-1, 2).take(order, axis=0)
    return records


def encode_streams(rows: pa.Table) -> pa.DictionaryArray:
    """Return the rows' streams as numbers of different ones."""
    encoded: pa.DictionaryArray = pc.dictionary_encode(rows.column("stream_id").combine_chunks())
    return encoded


def _stream_records(versions: Mapping[str, int]) -> Records:
    words = hash_streams([*versions])
    records = np.empty(len(words), STREAM_RECORD)
    records["hi"], records["lo"] = words[:, 0], words[:, 1]
    records["version"] = [*versions.values()]
    return sort_records(records)


def _last_of_each(records: Records) -> Records:
    """Return each stream's record with the highest version, in key order."""
    ordered = records[np.lexsort((records["version"], records["lo"], records["hi"]))]
    same = (ordered["hi"][1:] == ordered["hi"][:-1]) & (ordered["lo"][1:] == ordered["lo"][:-1])
    kept: Records = ordered[np.append(~same, np.ones(min(1, len(ordered)), dtype=bool))]
    return kept
