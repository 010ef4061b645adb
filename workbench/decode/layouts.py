"""Lines of JSON cut into columns where their producer wrote all of them alike, without a call per value.

A producer writes the members of its records in one order, so what stands between their values is the same text in
line after line: the layout. It is read from one line; in all lines at once its texts are compared byte by byte, member
after member, and each value ends at the next quote. Every byte of a matching line thus belongs to the layout, to a
string without escapes and control characters, or to the payload, which stands last and is left to
`workbench.decode.payloads`. A line that does not match is somebody else's to decide.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from workbench.decode.arrays import cut_evenly

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
# The text that all lines have, or a column.
Values: TypeAlias = str | pa.Array

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
# Bytes behind a value's begin that are looked at for its end; a longer value is searched for alone.
WINDOW: Final = 48
# Behind the text, so that what is looked at from its last lines ends in it too.
PADDING: Final = b"\n" * 256


class Layout(NamedTuple):
    """The names of the members before the payload, the text before each value, and the text behind the last.

    ``values`` are those of the line it was read from. ``tail`` ends a line behind its payload; without a payload it is
    None, and ``closing`` ends the line.
    """

    names: tuple[str, ...]
    segments: tuple[bytes, ...]
    values: tuple[bytes, ...]
    closing: bytes
    tail: bytes | None


class Lines(NamedTuple):
    """Some neighbouring lines: the text, padded, where each begins and ends in it, and what no plain string holds."""

    text: bytes
    begins: Ints
    ends: Ints
    oddities: Ints


class Matched(NamedTuple):
    """Lines of one layout by their row numbers, each member's value or values, and where each payload lies."""

    layout: Layout
    rows: Ints
    values: dict[str, Values]
    payload_begins: Ints
    payload_ends: Ints

    def keep(self, kept: Flags) -> "Matched":
        """Return the chosen of the lines."""
        chosen = pa.array(kept)
        values = {
            name: value if isinstance(value, str) else value.filter(chosen) for name, value in self.values.items()
        }
        return Matched(self.layout, self.rows[kept], values, self.payload_begins[kept], self.payload_ends[kept])


def find_lines(text: bytes) -> tuple[Ints, Ints]:
    """Return where each line of a text begins and where it ends."""
    characters = np.frombuffer(text, np.uint8)
    parts = [np.flatnonzero(characters[at : at + SCANNED] == LINE_END) + at for at in range(0, len(text), SCANNED)]
    ends = np.concatenate([*parts, [len(text)]])
    return np.concatenate([[0], ends[:-1] + 1]), ends


def open_lines(text: bytes, begins: Ints, ends: Ints) -> Lines | None:
    """Return neighbouring lines of a text; None where they are not UTF-8, which a string must be."""
    begin, end = int(begins[0]), int(ends[-1])
    padded = b"".join((memoryview(text)[begin:end], PADDING))
    if not padded.isascii():
        try:
            padded.decode()
        except UnicodeDecodeError:
            return None
    ends = ends - begin
    return Lines(padded, begins - begin, ends, find_oddities(padded, ends))


def find_oddities(text: bytes, ends: Ints) -> Ints:
    """Return the places of backslashes and of control characters in lines, but for where they end."""
    characters = np.frombuffer(text, np.uint8, int(ends[-1]))
    parts = (characters[at : at + SCANNED] for at in range(0, len(characters), SCANNED))
    controls = sum(int(np.count_nonzero(part < SPACE)) for part in parts)
    if b"\\" not in text and controls == len(ends) - 1:
        return ends[:0]
    odd = (characters < SPACE) | (characters == BACKSLASH)
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
    values: list[bytes] = []
    at, found = 0, FIRST.match(line)
    while found is not None:
        names.append(found[1].decode())
        segments.append(found[0])
        at = line.find(b'"', found.end())
        values.append(line[found.end() : at])
        found = NEXT.match(line, at) if at >= 0 else None
    if not names or len(set(names)) < len(names) or "data" in names or not all(values):
        return None
    payload, tail = PAYLOAD.match(line, at), TAIL.search(line)
    if payload is not None and tail is not None:
        return Layout(tuple(names), tuple(segments), tuple(values), payload[0], tail[0])
    end = END.fullmatch(line, at)
    return None if end is None else Layout(tuple(names), tuple(segments), tuple(values), end[0], None)


def match_lines(lines: Lines, rows: Ints, layout: Layout) -> Matched:
    """Return those of the lines that have the layout, and all of their values a character at least.

    The first is the line that the layout was read from, so that there is always one to look at.
    """
    while True:
        at = lines.begins[rows]
        values: dict[str, Values] = {}
        for name, segment, example in zip(layout.names, layout.segments, layout.values, strict=True):
            values[name], at, fits = cut_values(lines.text, at, segment, example)
            if not fits.all():
                break
        else:
            payload_ends = lines.ends[rows] - len(layout.tail or b"")
            matched = Matched(layout, rows, values, at + len(layout.closing), payload_ends)
            fits = fit_ends(lines, matched, at)
            return matched if fits.all() else matched.keep(fits)
        rows = rows[fits]


def cut_values(text: bytes, at: Ints, segment: bytes, example: bytes) -> tuple[Values, Ints, Flags]:
    """Return the values that stand behind a segment at ascending places, where each ends, and which lines have both.

    Only where all lines have the segment are the values of use. Where they all are the example, or of its length, they
    are cut as they are compared.
    """
    fits = np.ones(len(at), np.bool_)
    keep_text(fits, text, at, segment)
    if not fits.all():
        return "", at, fits
    begins, size = at + len(segment), len(example)
    found = take_texts(text, begins, size + 1)
    if begins[-1] + size < len(text):
        if found[-1].tobytes()[:-1] == example and found.tobytes() == (example + b'"') * len(at):
            return example.decode(), begins + size, fits
        quotes = found.view(np.uint8) == QUOTE
        if quotes[size :: size + 1].all() and np.count_nonzero(quotes) == len(at):
            values = found.view(np.uint8).reshape(len(at), -1)[:, :-1]
            return cut_evenly(values.tobytes(), len(at), size), begins + size, fits
    ends = find_quotes(text, begins)
    fits = ends > begins
    return (cut_texts(text, begins, ends) if fits.all() else ""), ends, fits


def find_quotes(text: bytes, begins: Ints) -> Ints:
    """Return the place of the first quote from each of ascending places on, and the place itself where none is."""
    sizes = (take_texts(text, begins, WINDOW).view(np.uint8).reshape(len(begins), -1) == QUOTE).argmax(axis=1)
    sizes[begins > len(text) - WINDOW] = 0
    for row in np.flatnonzero(sizes == 0).tolist():
        begin = int(begins[row])
        sizes[row] = max(text.find(b'"', begin) - begin, 0)
    places: Ints = begins + sizes
    return places


def fit_ends(lines: Lines, matched: Matched, at: Ints) -> Flags:
    """Tell which lines end as the layout does, ``at`` being where their last value ends, and have no odd string."""
    layout, begins, ends = matched.layout, matched.payload_begins, matched.payload_ends
    fits = begins == ends if layout.tail is None else begins <= ends
    keep_text(fits, lines.text, at, layout.closing)
    if layout.tail is not None:
        keep_text(fits, lines.text, ends, layout.tail)
    if len(lines.oddities):
        oddities = np.searchsorted(lines.oddities, np.stack([lines.begins[matched.rows], at]))
        fits &= oddities[0] == oddities[1]
    return fits


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
