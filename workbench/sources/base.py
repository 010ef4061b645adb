"""The seam where records come in. A third party adds a source by the entry point group ``workbench.sources``."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import ClassVar

import msgspec
import pyarrow as pa

from workbench.event import RawRecord


class RecordChunk(msgspec.Struct, frozen=True, kw_only=True):
    """Neighbouring records of one media type, as columns, so that decoding can run over them in bulk."""

    media_type: str
    raws: list[bytes]
    offsets: list[int]
    lines: list[int] | None = None


class MappedChunk(msgspec.Struct, frozen=True, kw_only=True):
    """Neighbouring records whose envelope a mapping has already computed, vectorised.

    ``rows`` has the columns of `workbench.decode.columns.DECODED` up to ``metadata`` (any may be null or, for times,
    text), ``raw`` (the record as JSON text), ``offset`` and ``line``.
    """

    rows: pa.Table


class Source(ABC):
    """One opened input. ``name`` goes into every event that has no source of its own."""

    format: ClassVar[str]
    media_type: ClassVar[str]
    name: str

    @abstractmethod
    def records(self) -> Iterator[RawRecord]:
        """Yield the records lazily, in the order of the input. Raises SourceError when the input is not whole."""

    @abstractmethod
    def chunks(self) -> Iterator[RecordChunk | MappedChunk]:
        """Yield the same records in bulk."""
