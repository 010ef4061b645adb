"""One chunk of any source to events and rejections."""

from collections.abc import Sequence
from typing import Final, Protocol, runtime_checkable

import numpy as np
import pyarrow as pa

from workbench.decode.columns import DECODED, OFFSET
from workbench.decode.mapped import decode_rows
from workbench.decode.normalise import INDEX, FaultError, reject
from workbench.decode.plain import Text, decode_plain, join_records, read_text
from workbench.decode.records import FORMS_OF_RECORDS, decode_records
from workbench.decode.rows import DecodeContext, Decoded, Origin


@runtime_checkable
class Records(Protocol):
    """Neighbouring records of one media type, as `workbench.sources.base.RecordChunk`."""

    @property
    def media_type(self) -> str:
        """The kind of the records."""

    @property
    def raws(self) -> list[bytes]:
        """Their bytes."""

    @property
    def offsets(self) -> list[int]:
        """The byte in the source at which each begins."""

    @property
    def lines(self) -> list[int] | None:
        """The line each stands on."""


@runtime_checkable
class Lines(Protocol):
    """Records that are the lines of one text, as `workbench.sources.base.LineChunk`.

    It names nothing of `Records`: to ask whether a chunk has them would cut its lines.
    """

    @property
    def text(self) -> bytes:
        """The lines."""

    @property
    def offset(self) -> int:
        """The byte in the source at which the text begins."""

    @property
    def line(self) -> int:
        """The line it begins on."""


@runtime_checkable
class MappedRows(Protocol):
    """Neighbouring records whose envelope is computed, as `workbench.sources.base.MappedChunk`."""

    @property
    def rows(self) -> pa.Table:
        """The columns of `DECODED` up to metadata, and raw, offset and line."""


Chunk = Records | MappedRows
# Fewer records are decoded one by one in the time that looking at them together takes.
LEAST: Final = 64


def decode_chunk(chunk: Chunk, context: DecodeContext, *, indexes: Sequence[int] | None = None) -> Decoded:
    """Return what becomes of the records of one chunk; nothing in them makes it raise.

    ``indexes`` are those of `workbench.decode.numbering.StreamIndexes`, for records that come without an id; without
    them every record of the chunk counts as the first of its stream, or as the one its media type says: a record
    without an id that was refused carries its index there, so that it gets the same id when it is decoded again.
    """
    if isinstance(chunk, MappedRows):
        return decode_rows(chunk.rows, context, indexes=indexes)
    media_type, _, index = chunk.media_type.partition(INDEX)
    form = FORMS_OF_RECORDS.get(media_type)
    if form is None:
        origin = Origin(media_type, chunk.raws, chunk.offsets, chunk.lines)
        fault = FaultError("unknown_media_type", media_type)
        return Decoded(DECODED.empty_table(), [reject(origin.place(row), fault) for row in range(len(chunk.raws))])
    if index.isdigit():
        indexes = [int(index)] * len(chunk.raws)
    text = None if indexes is not None or not context.registry.is_empty else read_chunk(chunk)
    if text is None or len(text.begins) < LEAST:
        origin = Origin(media_type, chunk.raws, chunk.offsets, chunk.lines)
        return decode_records(origin, form, context, indexes=indexes)
    events, left = decode_plain(text, form, context)
    rest = text.take(left)
    if not rest.raws and events:
        return Decoded(join_events(events), [])
    decoded = decode_records(Origin(media_type, *rest), form, context)
    return Decoded(join_events([*events, decoded.events]), decoded.rejections)


def read_chunk(chunk: Records) -> Text | None:
    """Return the records as the lines of one text, unless one of them has several lines."""
    if isinstance(chunk, Lines):
        return read_text(chunk.text, chunk.offset, chunk.line)
    return join_records(chunk.raws, chunk.offsets, chunk.lines)


def join_events(parts: Sequence[pa.Table]) -> pa.Table:
    """Return the events of several tables in the order of the source."""
    events = pa.concat_tables(parts)
    offsets = events.column(OFFSET).to_numpy()
    if np.all(offsets[1:] > offsets[:-1]):
        return events
    return events.combine_chunks().take(pa.array(np.argsort(offsets)))
