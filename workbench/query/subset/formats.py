"""Formats of dates: MySQL's (date_format) and Joda's (format_datetime) as strftime's, where they mean the same."""

import re
from typing import Final


class FormatError(ValueError):
    """A format letter outside the subset."""


_MYSQL: Final = {
    **{letter: f"%{letter}" for letter in "YmdHIaby%SjMp"},
    "i": "%M",
    "s": "%S",
    "S": "%S",
    "M": "%B",
    "W": "%A",
    "h": "%I",
    "T": "%H:%M:%S",
    "r": "%I:%M:%S %p",
    "e": "%-d",
    "c": "%-m",
    "k": "%-H",
    "l": "%-I",
    "f": "%f",
    "x": "%G",
    "v": "%V",
}
_JODA: Final = {
    "yyyy": "%Y",
    "YYYY": "%Y",
    "yy": "%y",
    "MM": "%m",
    "M": "%-m",
    "MMM": "%b",
    "MMMM": "%B",
    "dd": "%d",
    "d": "%-d",
    "HH": "%H",
    "H": "%-H",
    "hh": "%I",
    "h": "%-I",
    "mm": "%M",
    "ss": "%S",
    "SSS": "%g",
    "a": "%p",
    "EEE": "%a",
    "EEEE": "%A",
    "xxxx": "%G",
    "ww": "%V",
    "DDD": "%j",
    "e": "%u",
}
_JODA_PART: Final = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*|[^A-Za-z']+")


def mysql_format(text: str) -> str:
    """Return strftime's form of a MySQL format such as ``%Y-%m-%d %H:%i``."""

    def replace(found: re.Match[str]) -> str:
        letter = found[1]
        if letter not in _MYSQL:
            raise FormatError(f"The format letter %{letter} is not in the declared subset: {', '.join(sorted(_MYSQL))}")
        return _MYSQL[letter]

    return re.sub(r"%(.)", replace, text)


def joda_format(text: str) -> str:
    """Return strftime's form of a Joda format such as ``yyyy-MM-dd'T'HH:mm``."""
    written, end = [], 0
    for found in _JODA_PART.finditer(text):
        if found.start() != end:
            break
        end, part = found.end(), found[0]
        if part.startswith("'"):
            written.append((found[1].replace("''", "'") or "'").replace("%", "%%"))
        elif found[2] is None:
            written.append(part.replace("%", "%%"))
        elif part in _JODA:
            written.append(_JODA[part])
        else:
            raise FormatError(f"The format letters {part!r} are not in the declared subset: {', '.join(sorted(_JODA))}")
    if end != len(text):
        raise FormatError(f"The format {text!r} has a quote that does not end")
    return "".join(written)
