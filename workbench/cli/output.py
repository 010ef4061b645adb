"""Answers on a terminal: tables for people, JSON lines for programs, and nothing that an event's text could drive."""

import json
import shutil
import sys
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import msgspec

if TYPE_CHECKING:
    import polars as pl

WIDEST: Final = 200  # characters of one value in a table
NARROWEST: Final = 8
# Controls, line and paragraph separators, surrogates, and format characters, which turn the writing direction.
UNSAFE: Final = {"Cc", "Cf", "Cs", "Zl", "Zp"}
_DEL: Final = "\x7f"


def escape_text(text: str) -> str:
    r"""Return text in which every character that could drive a terminal stands as its escape.

    >>> escape_text("a\x1b[31mred\nline\u202e")
    'a\\x1b[31mred\\nline\\u202e'
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escape(sign) if unicodedata.category(sign) in UNSAFE else sign for sign in text)


def _escape(sign: str) -> str:
    return sign.encode("unicode_escape", "surrogatepass").decode("ascii")


def format_value(value: Any) -> str:
    """Return a value as a table shows it: times in UTC, nothing for null."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return write_time(value)
    if isinstance(value, bytes):
        return escape_text(value.decode("utf-8", "backslashreplace"))
    return escape_text(str(value))


def write_time(moment: datetime) -> str:
    """Return a time as ISO text with microseconds; an aware one in UTC, ending in Z."""
    text = (moment.astimezone(UTC) if moment.tzinfo else moment).isoformat(timespec="microseconds")
    return text.replace("+00:00", "Z")


def to_json(value: Any) -> str:
    """Return a value as one line of ASCII JSON: decimals as strings, times as ISO text in UTC."""
    return json.dumps(value, default=_to_plain).replace(_DEL, "\\u007f")


def _to_plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return write_time(value)
    if isinstance(value, date | Decimal):
        return str(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    return msgspec.to_builtins(value) if isinstance(value, msgspec.Struct) else str(value)


def print_fields(fields: Mapping[str, Any], *, as_json: bool) -> None:
    """Print one answer: a line a field, or one JSON object."""
    if as_json:
        print(to_json(fields))
        return
    width = max(map(len, fields), default=0)
    for name, value in fields.items():
        shown = f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else format_value(value)
        print(f"{name:<{width}}  {shown}")


def print_rows(rows: "pl.DataFrame", *, as_json: bool) -> None:
    """Print rows: a table as wide as the terminal, or one JSON object a line."""
    if as_json:
        for row in rows.iter_rows(named=True):
            print(to_json(row))
        return
    for line in format_table(rows.columns, rows.iter_rows(), width=shutil.get_terminal_size((160, 24)).columns):
        print(line)


def format_table(names: Sequence[str], rows: Iterator[Sequence[Any]], *, width: int) -> Iterator[str]:
    """Yield the lines of a table; values too long for the width end in "…"."""
    cells = [[format_value(value)[:WIDEST] for value in row] for row in rows]
    widths = [max([len(name), *(len(row[at]) for row in cells)]) for at, name in enumerate(names)]
    spare = width - 2 * (len(widths) - 1)
    while widths and sum(widths) > spare and max(widths) > NARROWEST:
        widths[widths.index(max(widths))] -= 1
    for row in [list(names), ["─" * each for each in widths], *cells]:
        yield "  ".join(_fit(text, each) for text, each in zip(row, widths, strict=True)).rstrip()


def _fit(text: str, width: int) -> str:
    return f"{text[: width - 1]}…" if len(text) > width else text.ljust(width)


def say(sentence: str) -> None:
    """Print a remark for the person, beside the answer."""
    sys.stderr.write(f"{sentence}\n")


class Counter:
    """A count that is kept up to date on one line of a terminal, and silent elsewhere."""

    def __init__(self, noun: str) -> None:
        self.noun = noun
        self.shown = sys.stderr.isatty()

    def __call__(self, count: int) -> None:
        """Show the count."""
        if self.shown:
            sys.stderr.write(f"\r{count:,} {self.noun} ")
            sys.stderr.flush()

    def close(self) -> None:
        """Clear the line."""
        if self.shown:
            sys.stderr.write("\r\x1b[K")
