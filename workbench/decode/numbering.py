"""The place of each record without an id among its stream's, counted over the chunks of a source in their order."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import UNSET, UnsetType

from workbench.decode import columns as names
from workbench.decode.chunks import Chunk, MappedRows
from workbench.decode.payloads import UNREADABLE
from workbench.decode.records import JSON


class Named(msgspec.Struct, gc=False):
    """What names a record in plain JSON lines."""

    event_id: str | UnsetType | None = UNSET
    source: str | None = None
    stream_id: str | None = None


NAMES: Final = msgspec.json.Decoder(Named)


class StreamIndexes:
    """Counts, for each source and stream, the records that came without an id."""

    def __init__(self, source_name: str) -> None:
        self.source_name = source_name
        self.counts: defaultdict[tuple[str, str | None], int] = defaultdict(int)

    def number(self, chunk: Chunk) -> list[int] | None:
        """Return each record's index (0 where it has an id), or None when every record has an id."""
        if isinstance(chunk, MappedRows):
            return self._number_rows(chunk)
        return self._number_lines(chunk.raws) if chunk.media_type == JSON else None

    def _number_rows(self, chunk: MappedRows) -> list[int] | None:
        ids = chunk.rows.column(names.EVENT_ID)
        if not ids.null_count:
            return None
        sources = chunk.rows.column(names.SOURCE).to_pylist()
        streams = chunk.rows.column(names.STREAM_ID).to_pylist()
        return self._count(ids.is_null().to_pylist(), sources, streams)

    def _number_lines(self, raws: Sequence[bytes]) -> list[int] | None:
        named = [_read_names(raw) for raw in raws]
        missing = [not name.event_id for name in named]
        if not any(missing):
            return None
        return self._count(missing, [name.source for name in named], [name.stream_id for name in named])

    def _count(
        self, missing: Sequence[bool], sources: Sequence[str | None], streams: Sequence[str | None]
    ) -> list[int]:
        indexes = [0] * len(missing)
        counts = self.counts
        for at, (is_missing, source, stream) in enumerate(zip(missing, sources, streams, strict=True)):
            if is_missing:
                key = (source or self.source_name, stream)
                indexes[at] = counts[key]
                counts[key] += 1
        return indexes


def _read_names(raw: bytes) -> Named:
    try:
        return NAMES.decode(raw)
    except UNREADABLE:
        return Named()
