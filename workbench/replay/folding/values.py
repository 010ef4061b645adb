"""Typed values out of events, read in Python as the engines read them in SQL, and written in one canonical form."""

import re
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import msgspec

from workbench.decode.canonical import decode_canonical, write_canonical
from workbench.decode.normalise import MAX_INTEGER, MIN_INTEGER
from workbench.replay.projection import Field, Kind

# The patterns are the same in SQL; see compile.py.
INTEGER: Final = r"^-?(0|[1-9][0-9]{0,18})$"
DIGITS: Final = 38


class _Failed:
    """The value that stands for one that could not be read."""

    def __repr__(self) -> str:
        return "FAILED"


FAILED: Final = _Failed()
_INTEGER: Final = re.compile(INTEGER)


def decimal_pattern(scale: int) -> str:
    """Return the pattern of a decimal's text: at most ``scale`` digits behind the point, zeros apart.

    >>> bool(re.match(decimal_pattern(2), "12.500")), bool(re.match(decimal_pattern(2), "1.005"))
    (True, False)
    """
    whole = rf"-?(0|[1-9][0-9]{{0,{DIGITS - scale - 1}}})"
    fraction = rf"(\.[0-9]{{1,{scale}}}0*)?" if scale else r"(\.0+)?"
    return f"^{whole}{fraction}$"


def write_scalar(value: Any) -> str | None:
    """Return a scalar's text: a string's characters, a number's as written, true or false; None for other values."""
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, dict | list):
        return None
    text = msgspec.json.encode(value).decode()
    # Engines read -0 as the integer it is; written with a point or an exponent it keeps its sign.
    return "0" if text == "-0" else text


def write_value(value: Any) -> str:
    """Return the RFC 8785 text of a JSON value whose numbers may stand as written."""
    return write_canonical(decode_canonical(msgspec.json.encode(value))).decode()


def make_reader(field: Field) -> Callable[[Any], Any]:
    """Return the function that makes a field's value of a JSON value: None for null, FAILED for another kind.

    Integers, decimals (as whole units of the scale), texts, booleans and times are Python's; json is canonical text.
    """
    return {
        "json": _read_json,
        "text": _read_text,
        "integer": _read_integer,
        "decimal": _decimal_reader(field.scale),
        "boolean": _read_boolean,
        "time": _read_time,
    }[field.kind]


def _read_json(value: Any) -> Any:
    return None if value is None else write_value(value)


def _read_text(value: Any) -> Any:
    if isinstance(value, str):
        return value
    if value is None:
        return None
    text = write_scalar(value)
    return FAILED if text is None else text


def _read_integer(value: Any) -> Any:
    if type(value) is int:
        return value if MIN_INTEGER <= value <= MAX_INTEGER else FAILED
    if value is None:
        return None
    text = write_scalar(value)
    if text is None or not _INTEGER.fullmatch(text):
        return FAILED
    number = int(text)
    return number if MIN_INTEGER <= number <= MAX_INTEGER else FAILED


def _decimal_reader(scale: int) -> Callable[[Any], Any]:
    pattern = re.compile(decimal_pattern(scale))
    point, longest = slice(-scale - 1, -scale), DIGITS + len(".")

    def read_decimal(value: Any) -> Any:
        # As most amounts are written; a third of what the pattern takes. From "1" on, no digits begin with a zero.
        if type(value) is str and value[point] == "." and value >= "1" and len(value) <= longest:
            digits = value.replace(".", "", 1)
            if digits.isdigit() and digits.isascii():
                return int(digits)
        if value is None:
            return None
        text = write_scalar(value)
        if text is None:
            return FAILED
        whole, _, fraction = text.partition(".")
        if not pattern.fullmatch(text):
            return FAILED
        return int(whole + fraction[:scale].ljust(scale, "0"))

    return read_decimal


def _read_boolean(value: Any) -> Any:
    if value is None:
        return None
    return {"true": True, "false": False}.get(write_scalar(value) or "", FAILED)


def _read_time(value: Any) -> Any:
    return value if value is None or isinstance(value, datetime) else FAILED


def show_value(value: Any, kind: Kind, scale: int) -> Any:
    """Return a field's value as frames hold it: a decimal instead of its units; the rest as it is.

    >>> show_value(1250, "decimal", 2)
    Decimal('12.50')
    """
    if kind != "decimal" or value is None:
        return value
    return Decimal((int(value < 0), tuple(map(int, str(abs(value)))), -scale))
