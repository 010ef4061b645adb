"""One chunk of any source to events and rejections."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import pyarrow as pa

from workbench.decode.columns import DECODED
from workbench.decode.mapped import decode_rows
from workbench.decode.normalise import INDEX, FaultError, reject
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
class MappedRows(Protocol):
    """Neighbouring records whose envelope is computed, as `workbench.sources.base.MappedChunk`."""

    @property
    def rows(self) -> pa.Table:
        """The columns of `DECODED` up to metadata, and raw, offset and line."""


Chunk = Records | MappedRows


def decode_chunk(chunk: Chunk, context: DecodeContext, *, indexes: Sequence[int] | None = None) -> Decoded:
    """Return what becomes of the records of one chunk; nothing in them makes it raise.

    ``indexes`` are those of `workbench.decode.numbering.StreamIndexes`, for records that come without an id; without
    them every record of the chunk counts as the first of its stream, or as the one its media type says: a record
    without an id that was refused carries its index there, so that it gets the same id when it is decoded again.
    """
    if isinstance(chunk, MappedRows):
        return decode_rows(chunk.rows, context, indexes=indexes)
    media_type, _, index = chunk.media_type.partition(INDEX)
    origin = Origin(media_type, chunk.raws, chunk.offsets, chunk.lines)
    form = FORMS_OF_RECORDS.get(media_type)
    if form is None:
        fault = FaultError("unknown_media_type", media_type)
        return Decoded(DECODED.empty_table(), [reject(origin.place(row), fault) for row in range(len(chunk.raws))])
    if index.isdigit():
        indexes = [int(index)] * len(chunk.raws)
    return decode_records(origin, form, context, indexes=indexes)
