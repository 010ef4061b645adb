"""A JSON array cut into its elements as it is read, so that a batch of any size needs the memory of one chunk."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from workbench.errors import SourceError
from workbench.sources.base import JSON_SPACE, RecordChunk
from workbench.sources.jsonlines import CHUNK, MAX_RECORD

STRING: Final = rb'"[^"\\]*(?:\\.[^"\\]*)*"'
# The next character that may end an element, strings passed over by the regex engine: a bracket inside of an element
# (3 µs an event; a token at a time is 9), a bracket or a comma between elements.
INSIDE: Final = re.compile(rb'[^"\[\]{}]*(?:' + STRING + rb'[^"\[\]{}]*)*([\[\]{}])', re.DOTALL)
BETWEEN: Final = re.compile(rb'[^"\[\]{},]*(?:' + STRING + rb'[^"\[\]{},]*)*([\[\]{},])', re.DOTALL)
PAIRS: Final = {b"]": b"[", b"}": b"{"}


def split_batch(stream: BinaryIO, path: Path, media_type: str, *, prefix: bytes = b"") -> Iterator[RecordChunk]:
    """Yield the elements of the array that the stream holds, in chunks; ``prefix`` goes before the first element.

    Raises SourceError when the array is not closed. What follows it is one more record, which is then refused.
    """
    reader = BatchReader(path)
    while block := stream.read(CHUNK):
        raws, offsets = reader.take(block)
        if raws:
            raws[0], prefix = prefix + raws[0], b""
            yield RecordChunk(media_type=media_type, raws=raws, offsets=offsets)
    raws, offsets = reader.finish()
    if raws:
        yield RecordChunk(media_type=media_type, raws=raws, offsets=offsets)


class BatchReader:
    """Holds what was read of the array and is not yet an element."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.text = b""
        self.offset = 0
        self.is_open = self.is_closed = False

    def take(self, block: bytes) -> tuple[list[bytes], list[int]]:
        """Take one more block; return the elements that are whole now and their offsets."""
        self.text += block
        if not self.is_open:
            self.is_open = b"[" in self.text
            before = self.text.find(b"[") + 1 if self.is_open else len(self.text)
            self.text, self.offset = self.text[before:], self.offset + before
        raws: list[bytes] = []
        offsets: list[int] = []
        at = 0
        while self.is_open and not self.is_closed:
            end = find_end(self.text, at)
            if end is None:
                break
            self._keep(self.text[at:end], at, raws, offsets)
            self.is_closed = self.text[end : end + 1] != b","
            at = end + 1
        self.text = self.text[at:]
        self.offset += at
        if len(self.text) > MAX_RECORD:
            raise SourceError(
                f"{self.path} has an element of more than {MAX_RECORD:,} bytes at byte {self.offset:,}. "
                "Check that it is a batch of events, or split the element."
            )
        return raws, offsets

    def _keep(self, found: bytes, at: int, raws: list[bytes], offsets: list[int]) -> None:
        raw = found.lstrip(JSON_SPACE)
        if raw:
            offsets.append(self.offset + at + len(found) - len(raw))
            raws.append(raw.rstrip(JSON_SPACE))

    def finish(self) -> tuple[list[bytes], list[int]]:
        """Return what is left at the end of the file as one record, which decoding will refuse."""
        raws: list[bytes] = []
        offsets: list[int] = []
        self._keep(self.text, 0, raws, offsets)
        if not raws and not self.is_closed:
            raise SourceError(f"{self.path} is truncated: its array is not closed. Copy it again.")
        return raws, offsets


def find_end(text: bytes, at: int) -> int | None:
    """Return where the element that begins at ``at`` ends: at a comma or at the array's closing bracket."""
    opened: list[bytes] = []
    while match := (INSIDE if opened else BETWEEN).match(text, at):
        found = match[1]
        at = match.end()
        if found in (b"{", b"["):
            opened.append(found)
        elif opened and opened[-1] == PAIRS.get(found):
            opened.pop()
        elif found == b"]" or (found == b"," and not opened):
            return at - 1
    return None
