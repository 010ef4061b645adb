"""One chunk of any source to events and rejections."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import pyarrow as pa

from workbench.decode.mapped import decode_rows
from workbench.decode.records import FORMS_OF_RECORDS, decode_records
from workbench.decode.rows import DecodeContext, Decoded, Origin
from workbench.errors import SourceError


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
    """Return what becomes of the records of one chunk.

    ``indexes`` are those of `workbench.decode.numbering.StreamIndexes`, for records that come without an id; without
    them every record of the chunk counts as the first of its stream.
    """
    if isinstance(chunk, MappedRows):
        return decode_rows(chunk.rows, context, indexes=indexes)
    form = FORMS_OF_RECORDS.get(chunk.media_type)
    if form is None:
        possible = ", ".join(sorted(FORMS_OF_RECORDS))
        raise SourceError(f"Records of {chunk.media_type} cannot be decoded; possible are {possible}.")
    origin = Origin(chunk.media_type, chunk.raws, chunk.offsets, chunk.lines)
    return decode_records(origin, form, context, indexes=indexes)
