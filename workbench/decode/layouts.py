"""Lines of JSON cut into columns where their producer wrote all of them alike, without a call per value.

A producer writes the members of its records in one order, so what stands between their values is the same text in
line after line: the layout. It is read from one line; the quotes of all lines are found at once, each line's text
between the values is compared with the layout byte by byte, and the values are what is left. Every byte of a matching
line thus belongs to the layout, to a string without escapes and control characters, or to the payload, which stands
last and is left to `workbench.decode.payloads`. A line that does not match is somebody else's to decide.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from workbench.decode.arrays import cut_evenly

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

LINE_END: Final = ord("\n")
QUOTE: Final = ord('"')
BACKSLASH: Final = ord("\\")
SPACE: Final = ord(" ")
FIRST: Final = re.compile(rb'\{ *"([A-Za-z0-9_]+)" *: *"')
NEXT: Final = re.compile(rb'" *, *"(?!data")([A-Za-z0-9_]+)" *: *"')
PAYLOAD: Final = re.compile(rb'" *, *"data" *: *')
END: Final = re.compile(rb'" *\} *\r?')
TAIL: Final = re.compile(rb"\} *\r?$")
# Layouts tried on one run of lines. A stream of few producers has few; others go the long way.
MOST_LAYOUTS: Final = 6
# Bytes looked at together: what is noted of each stays in the core's own cache.
SCANNED: Final = 1 << 18
# Members of a layout: quotes of a line are found by their number, four a member.
QUOTES: Final = 4


class Layout(NamedTuple):
    """The names of the members before the payload, the text before each value, and the text behind the last.

    ``tail`` ends a line behind its payload; without a payload it is None, and ``closing`` ends the line.
    """

    names: tuple[str, ...]
    segments: tuple[bytes, ...]
    closing: bytes
    tail: bytes | None


class Lines(NamedTuple):
    """Some neighbouring lines: the text, where each begins and ends in it, its quotes and what no plain string holds.

    ``quoted`` is the number of each line's first quote, and of the one behind the last line's.
    """

    text: bytes
    begins: Ints
    ends: Ints
    quotes: Ints
    quoted: Ints
    oddities: Ints


class Matched(NamedTuple):
    """Lines of one layout by their row numbers; the quotes around each value, and where each payload lies."""

    layout: Layout
    rows: Ints
    opened: list[Ints]
    closed: list[Ints]
    payload_begins: Ints
    payload_ends: Ints

    def keep(self, kept: Flags) -> "Matched":
        """Return the chosen of the lines."""
        return Matched(
            self.layout,
            self.rows[kept],
            [places[kept] for places in self.opened],
            [places[kept] for places in self.closed],
            self.payload_begins[kept],
            self.payload_ends[kept],
        )


def find_lines(text: bytes) -> tuple[Ints, Ints]:
    """Return where each line of a text begins and where it ends."""
    characters = np.frombuffer(text, np.uint8)
    parts = [np.flatnonzero(characters[at : at + SCANNED] == LINE_END) + at for at in range(0, len(text), SCANNED)]
    ends = np.concatenate([*parts, [len(text)]])
    return np.concatenate([[0], ends[:-1] + 1]), ends


def open_lines(text: bytes, begins: Ints, ends: Ints) -> Lines | None:
    """Return lines of a text with their quotes; None where it is not UTF-8, which a string must be."""
    if not text.isascii():
        try:
            text.decode()
        except UnicodeDecodeError:
            return None
    characters = np.frombuffer(text, np.uint8)
    quotes = np.flatnonzero(characters == QUOTE)
    quoted = np.searchsorted(quotes, np.append(begins, len(text)))
    return Lines(text, begins, ends, quotes, quoted, find_oddities(text, characters, ends))


def find_oddities(text: bytes, characters: NDArray[np.uint8], ends: Ints) -> Ints:
    """Return the places of backslashes and of control characters but the ends of lines."""
    controls = characters < SPACE
    if b"\\" not in text and np.count_nonzero(controls) == len(ends) - 1:
        return ends[:0]
    odd = controls | (characters == BACKSLASH)
    odd[ends[:-1]] = False
    return np.flatnonzero(odd)


def match_layouts(lines: Lines) -> Iterator[Matched]:
    """Yield the lines of each layout that is found; lines of no layout are in none of them."""
    rest = np.arange(len(lines.begins))
    for _ in range(MOST_LAYOUTS):
        if not len(rest):
            return
        line = lines.text[lines.begins[rest[0]] : lines.ends[rest[0]]]
        layout = read_layout(line)
        matched = None if layout is None else match_lines(lines, rest, layout)
        if matched is None or not len(matched.rows):
            rest = rest[1:]
            continue
        yield matched
        if len(matched.rows) == len(rest):
            return
        rest = np.setdiff1d(rest, matched.rows, assume_unique=True)


def read_layout(line: bytes) -> Layout | None:
    """Return the layout of one line, or None when it is not of the plain kind."""
    names: list[str] = []
    segments: list[bytes] = []
    at, found = 0, FIRST.match(line)
    while found is not None:
        names.append(found[1].decode())
        segments.append(found[0])
        at = line.find(b'"', found.end())
        found = NEXT.match(line, at) if at >= 0 else None
    if not names or len(set(names)) < len(names) or "data" in names:
        return None
    payload, tail = PAYLOAD.match(line, at), TAIL.search(line)
    if payload is not None and tail is not None:
        return Layout(tuple(names), tuple(segments), payload[0], tail[0])
    end = END.fullmatch(line, at)
    return None if end is None else Layout(tuple(names), tuple(segments), end[0], None)


def match_lines(lines: Lines, rows: Ints, layout: Layout) -> Matched:
    """Return those of the lines that have the layout, and all of their values a character at least."""
    first = lines.quoted[rows]
    enough = lines.quoted[rows + 1] - first >= QUOTES * len(layout.names)
    rows, first = rows[enough], first[enough]
    fits = np.ones(len(rows), np.bool_)
    opened, closed = [], []
    at = lines.begins[rows]
    for number, segment in enumerate(layout.segments):
        opened.append(lines.quotes[first + (QUOTES * number + 2)])
        closed.append(lines.quotes[first + (QUOTES * number + 3)])
        fits &= (opened[-1] - at == len(segment) - 1) & (closed[-1] - opened[-1] > 1)
        keep_text(fits, lines.text, at, segment)
        at = closed[-1]
    keep_text(fits, lines.text, at, layout.closing)
    begins, ends = at + len(layout.closing), lines.ends[rows]
    if layout.tail is None:
        fits &= begins == ends
    else:
        ends = ends - len(layout.tail)
        fits &= begins <= ends
        keep_text(fits, lines.text, ends, layout.tail)
    if len(lines.oddities):
        oddities = np.searchsorted(lines.oddities, np.stack([lines.begins[rows], at]))
        fits &= oddities[0] == oddities[1]
    matched = Matched(layout, rows, opened, closed, begins, ends)
    return matched if fits.all() else matched.keep(fits)


def keep_text(fits: Flags, text: bytes, places: Ints, wanted: bytes) -> None:
    """Take the flag from those of the places where the wanted text, which the text has somewhere, does not stand."""
    found = take_texts(text, places, len(wanted))
    if found.tobytes() == wanted * len(places):  # 10 ns a place
        return
    alike: Flags = (found.view(np.uint8).reshape(len(places), -1) == np.frombuffer(wanted, np.uint8)).all(axis=1)
    fits &= alike & (places <= len(text) - len(wanted))


def take_texts(text: bytes, places: Ints, size: int) -> NDArray[np.void]:
    """Return ``size`` bytes at each of ascending places; where fewer are left, the last ones."""
    last = len(text) - size
    windows = np.ndarray((last + 1,), f"V{size}", buffer=text, strides=(1,))
    return windows[places if not len(places) or places[-1] <= last else np.minimum(places, last)]


def cut_texts(text: bytes, begins: Ints, ends: Ints) -> pa.Array:
    """Return the texts between ascending places as a column."""
    sizes = ends - begins
    size = int(sizes[0])
    if size and (sizes == size).all():
        return cut_evenly(take_texts(text, begins, size).tobytes(), len(begins), size)
    bounds = np.empty(2 * len(begins), np.int32)
    bounds[0::2], bounds[1::2] = begins, ends
    pieces = pa.StringArray.from_buffers(len(bounds) - 1, pa.py_buffer(bounds), pa.py_buffer(text))
    return pieces.take(every_other(len(begins)))


@lru_cache(maxsize=64)
def every_other(count: int) -> pa.Array:
    """Return the even numbers from 0, so many. Most runs of lines have the same length."""
    return pa.array(np.arange(0, 2 * count, 2, dtype=np.int32))
