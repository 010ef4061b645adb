"""CloudEvents 1.0 in JSON: one event, a batch (an array), or one event a line; plain, gzip or zstd."""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, ClassVar, Final

import msgspec

from workbench.errors import SourceError
from workbench.event import RawRecord
from workbench.sources.base import JSON_SPACE, FileLines, LineChunk, RecordChunk, Source
from workbench.sources.batches import split_batch
from workbench.sources.compression import open_bytes
from workbench.sources.jsonlines import MAX_RECORD, iterate_records, split_lines

BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
# How much of the file is looked at to tell a batch, one event over several lines and one event a line apart.
HEAD: Final = 1 << 16


class CloudEvents(Source):
    """A file of CloudEvents, in whichever of the three shapes it shows in its first bytes."""

    format: ClassVar[str] = "cloudevents"
    media_type: ClassVar[str] = "application/cloudevents+json"

    def __init__(self, path: str | Path, name: str | None = None) -> None:
        self.path = Path(path)
        self.name = name if name is not None else self.path.name

    def records(self) -> Iterator[RawRecord]:
        """Yield the events lazily. Raises SourceError when the file cannot be read to its end."""
        return iterate_records(self.chunks())

    def chunks(self) -> Iterator[RecordChunk | LineChunk | FileLines]:
        """Yield the events in bulk; a chunk holds a few megabytes, whatever the size of the file."""
        with open_bytes(self.path) as stream:
            head = stream.peek(HEAD)[:HEAD]
            text = head.removeprefix(BYTE_ORDER_MARK).lstrip(JSON_SPACE)
            if text.startswith(b"["):
                prefix = BYTE_ORDER_MARK if head.startswith(BYTE_ORDER_MARK) else b""
                yield from split_batch(stream, self.path, self.media_type, prefix=prefix)
            elif is_document(text):
                yield read_document(stream, self.path, self.media_type)
            else:
                yield from split_lines(stream, self.path, self.media_type)


def is_document(text: bytes) -> bool:
    """Tell whether the text begins one JSON value that goes over several lines.

    It does when its first line breaks off and the next one does not begin an event of its own.
    """
    first, _, others = text.partition(b"\n")
    if others.lstrip(JSON_SPACE).startswith(b"{"):
        return False
    try:
        msgspec.json.decode(first, type=msgspec.Raw)
    except msgspec.DecodeError as error:
        return "truncated" in str(error) and bool(others.strip(JSON_SPACE))
    return False


def read_document(stream: BinaryIO, path: Path, media_type: str) -> RecordChunk:
    """Return the one event that the whole stream holds."""
    raw = stream.read(MAX_RECORD + 1)
    if len(raw) > MAX_RECORD:
        raise SourceError(
            f"{path} begins an event of more than {MAX_RECORD:,} bytes. Check that it is a file of CloudEvents, "
            "one a line or as an array."
        )
    body = raw.lstrip(JSON_SPACE)
    return RecordChunk(media_type=media_type, raws=[body.rstrip(JSON_SPACE)], offsets=[len(raw) - len(body)], lines=[1])
