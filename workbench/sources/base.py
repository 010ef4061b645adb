"""The seam where records come in. A third party adds a source by the entry point group ``workbench.sources``."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

import msgspec
import pyarrow as pa

from workbench.errors import SourceError
from workbench.event import RawRecord

JSON_SPACE: Final = b" \t\n\r"


class RecordChunk(msgspec.Struct, frozen=True, kw_only=True):
    """Neighbouring records of one media type, as columns, so that decoding can run over them in bulk."""

    media_type: str
    raws: list[bytes]
    offsets: list[int]
    lines: list[int] | None = None


class _Lines(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """Neighbouring records, one a line of ``text``, which are cut only where they are used: often in a worker process.

    ``offset`` and ``line`` say where the text begins. It is used as a RecordChunk is.
    """

    media_type: str
    offset: int
    line: int

    if TYPE_CHECKING:

        @property
        def text(self) -> bytes: ...

    @cached_property
    def raws(self) -> list[bytes]:
        """The lines that hold more than white space."""
        return self._lines[0]

    @cached_property
    def offsets(self) -> list[int]:
        """The byte at which each begins."""
        return self._lines[1]

    @cached_property
    def lines(self) -> list[int] | None:
        """The number of each line."""
        return self._lines[2]

    @cached_property
    def _lines(self) -> tuple[list[bytes], list[int], list[int]]:
        raws = self.text.split(b"\n")
        offsets = [*accumulate([len(raw) + 1 for raw in raws[:-1]], initial=self.offset)]
        lines = list(range(self.line, self.line + len(raws)))
        if {raw[:1] for raw in raws} == {b"{"}:
            return raws, offsets, lines
        kept = [at for at, raw in enumerate(raws) if raw.strip(JSON_SPACE)]
        return [raws[at] for at in kept], [offsets[at] for at in kept], [lines[at] for at in kept]


class LineChunk(_Lines, frozen=True, kw_only=True, dict=True):
    """Lines in memory."""

    text: bytes


class FileLines(_Lines, frozen=True, kw_only=True, dict=True):
    """Lines that still stand in a file: whoever decodes them reads them, so that no process hands them to another."""

    path: Path
    size: int

    @cached_property
    def text(self) -> bytes:
        """The lines. Raises SourceError when they are not there any more."""
        with self.path.open("rb", buffering=0) as file:
            file.seek(self.offset)
            text = file.read(self.size)
        if len(text) < self.size:
            raise SourceError(f"{self.path} became shorter while it was read. Leave it alone, then do it again.")
        return text


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
    def chunks(self) -> Iterator[RecordChunk | LineChunk | FileLines | MappedChunk]:
        """Yield the same records in bulk."""
