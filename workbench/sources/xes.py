"""XES event logs (IEEE 1849), plain or compressed: each trace a stream, each event element an event.

``stream_id`` is the trace's concept:name; of an event, ``event_type`` is concept:name, ``occurred_at``
time:timestamp, ``actor_id`` org:resource and ``event_id`` identity:id where it is there. ``actor_kind`` stays null,
as XES does not tell a person from a machine. Every attribute of an event is kept in ``data`` under its key, numbers
as they are written, and those of its trace in ``metadata`` under ``trace``. What an event lacks is not filled in from
``<global>``: XES means those values for events that a tool makes anew. Classifiers and attributes of the whole log
are not events.
"""

import codecs
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import ClassVar

import numpy as np
import pyarrow as pa

from workbench.errors import SourceError
from workbench.sources.base import MappedChunk
from workbench.sources.compression import open_bytes
from workbench.sources.rows import MappedSource, complete_rows
from workbench.sources.xes_parse import ParsedEvent, XesParser
from workbench.sources.xes_scan import scan_block

_PIECE = 4 << 20
_LARGEST_TRACE = 256 << 20
"""A longer trace is not gathered whole before it is read, but fed to the parser as it comes."""
_TRACE_END = b"</trace>"
_EVENT_END = re.compile(rb"</(?:[^\s<>/]*:)?event\s*>")
_DECLARED = re.compile(rb"""<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_TEXT = pa.string()
# A trace's attributes are one text for all of its events.
_SHARED_TEXT = pa.dictionary(pa.int32(), _TEXT)
_COLUMNS = {
    **dict.fromkeys(("event_id", "stream_id", "event_type", "occurred_at", "actor_id", "data"), _TEXT),
    "metadata": _SHARED_TEXT,
}


class XesSource(MappedSource):
    """An XES file. Its events come in the order of the file; offsets count the bytes of its decompressed UTF-8 text.

    An event is given when its trace is complete, so the memory needed is that of the largest trace, or some blocks of
    4 MiB where traces are smaller.
    """

    format: ClassVar[str] = "xes"
    media_type: ClassVar[str] = "application/xes+xml"

    def __init__(self, path: Path, *, name: str | None = None) -> None:
        self.path = path
        self.name = name or path.name

    def chunks(self) -> Iterator[MappedChunk]:
        """Yield some 15,000 events at a time; raises SourceError where the file is not whole, not XML or not XES."""
        reading = _Reading(str(self.path))
        with open_bytes(self.path) as stream:
            pieces = iter(partial(stream.read, _PIECE), b"")
            for block, is_last in cut_blocks(read_ahead(to_utf8(pieces, self.path))):
                rows = reading.read(block, is_last=is_last)
                if rows is not None and rows.num_rows:
                    columns = {name: rows[name] for name in rows.column_names}
                    yield MappedChunk(rows=complete_rows(columns, rows.num_rows, self.media_type))


class _Reading:
    """Where the reading of one file stands: what was scanned, and what the parser has seen instead."""

    def __init__(self, name: str) -> None:
        self._parser = XesParser(name)
        self._window = b""
        self._window_at = 0
        self._skipped = 0
        self._skipped_lines = 0
        self._scans = False
        self._begun = False
        self._at = 0
        self._line = 1

    def read(self, block: bytes, *, is_last: bool) -> pa.Table | None:
        if not self._begun:
            return self._begin(block, is_last=is_last)
        # A comment or the like may hide a trace's end, so from there on only the parser knows where it is.
        self._scans = self._scans and block.endswith(_TRACE_END) and b"<!" not in block and b"<?" not in block
        scanned = scan_block(block, self._at, self._line) if self._scans else None
        if scanned is None:
            return self._parse(block, is_last=is_last)
        lines = _count_lines(block)
        self._skipped += len(block)
        self._skipped_lines += lines
        self._at += len(block)
        self._line += lines
        return scanned

    def _begin(self, block: bytes, *, is_last: bool) -> pa.Table | None:
        """Parse what stands before the first trace, and scan the rest if that left the parser inside of the log."""
        self._begun = True
        first = re.search(rb"<trace[\s>]", block)
        if first is None:
            return self._parse(block, is_last=is_last)
        head = block[: first.start()]
        self._parse(head, is_last=False)
        hides = (
            head.count(b"<!--") != head.count(b"-->") or b"<![CDATA[" in head or head.count(b"<?") != head.count(b"?>")
        )
        self._scans = not hides and self._parser.depth == 1
        return self.read(block[first.start() :], is_last=is_last)

    def _parse(self, block: bytes, *, is_last: bool) -> pa.Table | None:
        if not self._window:
            self._window_at = self._at
        self._window += block
        self._at += len(block)
        self._line += _count_lines(block)
        events = self._parser.feed(block, lambda byte: f"byte {byte + self._skipped:,}", is_last=is_last)
        rows = self._tabulate(events)
        kept = self._parser.oldest_open
        cut = len(self._window) if kept is None else kept + self._skipped - self._window_at
        self._window, self._window_at = self._window[cut:], self._window_at + cut
        return rows

    def _tabulate(self, events: list[ParsedEvent]) -> pa.Table | None:
        if not events:
            return None
        raws = []
        for event in events:
            begin, end = (place + self._skipped - self._window_at for place in (event.begin, event.end))
            # Expat tells where an end tag begins, but of <event/> where it ends.
            closing = _EVENT_END.match(self._window, end)
            raws.append(self._window[begin : closing.end() if closing else end])
        columns = {name: pa.array([getattr(event, name) for event in events], kind) for name, kind in _COLUMNS.items()}
        offsets = pa.array([event.begin + self._skipped for event in events], pa.int64())
        lines = pa.array([event.line + self._skipped_lines for event in events], pa.int64())
        raw = pa.array(raws, pa.binary())
        return pa.table({**columns, "raw": raw, "offset": offsets, "line": lines})


def cut_blocks(pieces: Iterator[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Yield the text in blocks that end with a trace, then what follows the last one, marked True."""
    pending = b""
    for piece in pieces:
        unseen = max(len(pending) - len(_TRACE_END), 0)
        pending += piece
        cut = pending.rfind(_TRACE_END, unseen)
        if cut < 0 and len(pending) < _LARGEST_TRACE:
            continue
        cut = len(pending) if cut < 0 else cut + len(_TRACE_END)
        yield pending[:cut], False
        pending = pending[cut:]
    yield pending, True


def read_ahead(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the pieces while a thread already makes the next one: decompression runs beside the parsing."""
    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(next, pieces, None)
        while (piece := coming.result()) is not None:
            coming = thread.submit(next, pieces, None)
            yield piece


def to_utf8(pieces: Iterator[bytes], path: Path) -> Iterator[bytes]:
    """Yield the text as UTF-8, whichever encoding its byte order mark or XML declaration names."""
    first = next(pieces, b"")
    declared = _DECLARED.match(first.removeprefix(codecs.BOM_UTF8)[:400])
    encoding = declared[1].decode() if declared else "utf-8"
    if first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    if encoding.lower() in {"utf-8", "utf8", "us-ascii", "ascii"}:
        yield first
        yield from pieces
        return
    try:
        b"".decode(encoding)  # a codec that gives no text, such as zip, is refused here
        decoder = codecs.getincrementaldecoder(encoding)()
        yield decoder.decode(first).encode()
        for piece in pieces:
            yield decoder.decode(piece).encode()
        yield decoder.decode(b"", final=True).encode()
    except (LookupError, UnicodeError) as error:
        raise SourceError(
            f"{path} names the encoding {encoding}, in which it cannot be read. Save it as UTF-8."
        ) from error


def _count_lines(text: bytes) -> int:
    return int(np.count_nonzero(np.frombuffer(text, dtype=np.uint8) == ord("\n")))
