"""Payloads that are all flat objects of one layout, made canonical by putting their members in order, uncopied.

What stands between the values is compared as that of the envelope is (`workbench.decode.layouts`). Strings without
escapes and control characters and whole numbers are their own canonical form, so that the canonical text of such an
object is its members in the order of their names: 0.2 µs an object, where reading and writing it again takes 0.5.
"""

import re
from typing import Final, NamedTuple

import numpy as np

from workbench.decode.layouts import Flags, Ints, Lines, Matched, Values, cut_texts, cut_values, keep_text, take_texts
from workbench.decode.normalise import MAX_PAYLOAD

NAME: Final = re.compile(rb'[{,]"([A-Za-z0-9_]+)":')
STRING: Final = re.compile(rb'"[^"\\]+"')
INTEGER: Final = re.compile(rb"[0-9]{1,18}(?=[,}])")
ZERO: Final = ord("0")
TEN: Final = 10
# The longest number is one digit shorter.
DIGITS: Final = 19
MOST_MEMBERS: Final = 64


class Member(NamedTuple):
    """A member of the first payload: its name, the text between the value before and its own, and its value."""

    name: str
    segment: bytes
    value: bytes
    is_text: bool


def order_flat(lines: Lines, matched: Matched) -> list[Values] | None:
    """Return the pieces that make the payloads' canonical texts; None unless all are flat objects of one layout."""
    begins, ends = matched.payload_begins, matched.payload_ends
    found = read_members(lines.text[begins[0] : ends[0]])
    if found is None or has_oddities(lines, begins, ends) or int((ends - begins).max()) > MAX_PAYLOAD:
        return None
    members, closing = found
    at = begins
    pieces: dict[str, list[Values]] = {}
    for member in members:
        cut = cut_values if member.is_text else cut_numbers
        value, at, fits = cut(lines.text, at, member.segment, member.value)
        if not fits.all():
            return None
        quote = '"' if member.is_text else ""
        pieces[member.name] = [f'"{member.name}":{quote}', value, quote]
    fits = at + len(closing) == ends
    keep_text(fits, lines.text, at, closing)
    return join_members(pieces) if fits.all() else None


def join_members(pieces: dict[str, list[Values]]) -> list[Values]:
    """Return the pieces of members in the order of their names, as an object."""
    joined: list[Values] = []
    for name in sorted(pieces):
        joined += ["," if joined else "{", *pieces[name]]
    return [*joined, "}"]


def has_oddities(lines: Lines, begins: Ints, ends: Ints) -> bool:
    """Tell whether an escape or a control character stands in a payload."""
    places = np.searchsorted(lines.oddities, np.stack([begins, ends]))
    return bool((places[0] != places[1]).any())


def read_members(payload: bytes) -> tuple[list[Member], bytes] | None:
    """Return the members of one payload and the text behind the last; None where it is no flat object of the kind."""
    members: list[Member] = []
    at, before = 0, b""
    while (name := NAME.match(payload, at)) is not None:
        text, number = STRING.match(payload, name.end()), INTEGER.match(payload, name.end())
        found = text or number
        if found is None or len(members) == MOST_MEMBERS:
            return None
        quote = b'"' if text else b""
        value = found[0].strip(b'"')
        members.append(Member(name[1].decode(), before + name[0] + quote, value, text is not None))
        at, before = found.end(), quote
    is_whole = members and payload[at:] == b"}" and len({member.name for member in members}) == len(members)
    return (members, before + b"}") if is_whole else None


def cut_numbers(text: bytes, at: Ints, segment: bytes, _example: bytes) -> tuple[Values, Ints, Flags]:
    """Return the same as `cut_values` of whole numbers of at most 18 digits."""
    fits = np.ones(len(at), np.bool_)
    keep_text(fits, text, at, segment)
    begins = at + len(segment)
    windows = take_texts(text, begins, DIGITS).view(np.uint8).reshape(len(at), -1) - np.uint8(ZERO)
    sizes = (windows >= TEN).argmax(axis=1)
    fits &= (sizes > 0) & ((windows[:, 0] > 0) | (sizes == 1)) & (begins <= len(text) - DIGITS)
    ends = begins + sizes
    return (cut_texts(text, begins, ends) if fits.all() else ""), ends, fits
