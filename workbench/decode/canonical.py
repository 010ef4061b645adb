"""RFC 8785 text of JSON values, at the speed of msgspec, with integers beyond 2^53 kept digit by digit."""

from collections.abc import Callable
from typing import Any, Final

import msgspec
import rfc8785

from workbench.decode.normalise import MAX_INTEGER, MIN_INTEGER

# Beyond this many remembered numbers (about 10 MB) the memory is emptied; it keeps a float at 25 ns instead of 900 ns.
REMEMBERED: Final = 65_536
PLAIN_MIN: Final = 1e-4
PLAIN_MAX: Final = 1e16

encode_json: Final = msgspec.json.Encoder().encode
# One call for many values, one a line: a fifth less than a call each. No value has a raw line end in its JSON text.
encode_lines: Final = msgspec.json.Encoder().encode_lines
encode_sorted: Final = msgspec.json.Encoder(order="sorted").encode


def write_number(text: str) -> bytes:
    """Return the number's RFC 8785 form; raises ValueError where a double makes it infinite, or zero when it is not.

    An integer keeps its digits, except that ``-0`` is ``0``.
    """
    if text.lstrip("-").isdigit():
        return b"0" if text == "-0" else text.encode()
    number = float(text)
    size = abs(number)
    if PLAIN_MIN <= size < PLAIN_MAX:
        return repr(number).removesuffix(".0").encode()
    if size == float("inf") or (size == 0 and text.lower().partition("e")[0].strip("-0.")):
        raise ValueError(text)
    return rfc8785.dumps(number)


class NumberForms(dict[str, msgspec.Raw]):
    """The canonical form of every number's text seen lately; ``longer`` once a form was longer than its text."""

    longer = False

    def __missing__(self, text: str) -> msgspec.Raw:
        form = write_number(text)
        if len(self) >= REMEMBERED:
            self.clear()
        self.longer = self.longer or len(form) > len(text)
        raw = self[text] = msgspec.Raw(form)
        return raw


FORMS: Final = NumberForms()
# Floats come back as msgspec.Raw of their canonical form, so that encoding the value again writes that form.
decode_canonical: Final[Callable[[bytes], Any]] = msgspec.json.Decoder(float_hook=FORMS.__getitem__).decode


def needs_utf16_order(text: bytes) -> bool:
    """Tell whether keys may sort otherwise by UTF-16 units (RFC 8785) than by code points (msgspec).

    They can only where a character beyond U+FFFF and one in U+E000..U+FFFF both occur.
    """
    if text.isascii() or not (b"\xee" in text or b"\xef" in text):
        return False
    return any(lead in text for lead in (b"\xf0", b"\xf1", b"\xf2", b"\xf3", b"\xf4"))


def write_canonical(value: Any) -> bytes:
    """Return the RFC 8785 text of a value that `decode_canonical` made."""
    text = encode_sorted(value)
    return encode_json(order_members(value)) if needs_utf16_order(text) else text


def order_members(value: Any) -> Any:
    """Return the value with the members of every object in the order of their names' UTF-16 units."""
    if isinstance(value, dict):
        names = sorted(value, key=lambda name: name.encode("utf-16-be"))
        return {name: order_members(value[name]) for name in names}
    return [order_members(item) for item in value] if isinstance(value, list) else value


def has_wide_integer(value: Any) -> bool:
    """Tell whether an integer anywhere in the value lies outside the signed 64-bit range."""
    if isinstance(value, dict):
        return any(map(has_wide_integer, value.values()))
    if isinstance(value, list):
        return any(map(has_wide_integer, value))
    return type(value) is int and not MIN_INTEGER <= value <= MAX_INTEGER
