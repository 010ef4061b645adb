"""A whole source to events and rejections: in this process when it is small, over worker processes when it is not."""

from collections.abc import Iterable, Iterator
from typing import Protocol

from workbench.decode.chunks import Chunk, decode_chunk
from workbench.decode.numbering import StreamIndexes
from workbench.decode.rows import DecodeContext, Decoded


class Chunks(Protocol):
    """Anything that yields its records in bulk, as a source does."""

    def chunks(self) -> Iterable[Chunk]:
        """Yield chunks in the order of the input."""


def decode_source(source: Chunks, context: DecodeContext, *, workers: int | None = None) -> Iterator[Decoded]:
    """Yield what becomes of each chunk of the source, in its order."""
    indexes = StreamIndexes(context.source_name)
    for chunk in source.chunks():
        yield decode_chunk(chunk, context, indexes=indexes.number(chunk))
