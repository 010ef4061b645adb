"""Texts as Trino writes and compares them, where DuckDB has no function that does: called for few rows, in Python."""

import json
import math
import re
from typing import Any, Final, Self

import pyarrow as pa

from workbench.query.base import ArrowFunction


class _Number(float):
    """A number that remembers how it was written."""

    text: str

    def __new__(cls, text: str) -> Self:
        number = super().__new__(cls, text)
        number.text = text
        return number


_STEP: Final = re.compile(r'\."((?:[^"\\]|\\.)*)"|\[(\d+)\]')
_PLAIN_FROM: Final = 1e-3
_PLAIN_TO: Final = 1e7


def find_number(text: str, path: str) -> str | None:
    """Return the text of the number at a path (in DuckDB's form) as it was written, or None when there is none."""
    try:
        value: Any = json.loads(text, parse_float=_Number)
        for key, index in _STEP.findall(path):
            value = value[int(index)] if index else value[re.sub(r"\\(.)", r"\1", key)]
    except (ValueError, LookupError, TypeError, RecursionError):
        return None
    return value.text if isinstance(value, _Number) else None


def write_json(text: str, *, sort: bool) -> str:
    """Return a JSON text as Java writes it: no white space, doubles by Double.toString; ``sort`` orders the keys."""
    return _write(json.loads(text), sort=sort)


def _write(value: Any, *, sort: bool) -> str:
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: key.encode("utf-16-be", "surrogatepass")) if sort else value
        return "{" + ",".join(f"{_write(key, sort=sort)}:{_write(value[key], sort=sort)}" for key in keys) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_write(item, sort=sort) for item in value) + "]"
    if isinstance(value, float):
        return java_double(value)
    return json.dumps(value, ensure_ascii=False)


def java_double(value: float) -> str:
    """Return a double as Java's Double.toString writes it.

    >>> java_double(100.0), java_double(12345678.5), java_double(1e-4)
    ('100.0', '1.23456785E7', '1.0E-4')
    """
    if not math.isfinite(value) or value == 0 or _PLAIN_FROM <= abs(value) < _PLAIN_TO:
        return repr(value)
    digits, _, exponent = f"{value:e}".partition("e")
    shortest = repr(value)
    mantissa = re.sub(r"[eE].*", "", shortest).replace(".", "").lstrip("-0").rstrip("0") or "0"
    sign = "-" if digits.startswith("-") else ""
    return f"{sign}{mantissa[0]}.{mantissa[1:] or '0'}E{int(exponent)}"


def _find_numbers(texts: pa.Array, paths: pa.Array) -> pa.Array:
    pairs = zip(texts.to_pylist(), paths.to_pylist(), strict=True)
    return pa.array([find_number(text, path) if text is not None else None for text, path in pairs], pa.string())


def _write_sorted(texts: pa.Array) -> pa.Array:
    return pa.array([None if text is None else write_json(text, sort=True) for text in texts.to_pylist()], pa.string())


def _write_plain(texts: pa.Array) -> pa.Array:
    return pa.array([None if text is None else write_json(text, sort=False) for text in texts.to_pylist()], pa.string())


def find_distance(one: str, other: str) -> int:
    """Return the Levenshtein distance of two texts, counted in characters.

    >>> find_distance("é😀", "e")
    2
    """
    row = list(range(len(other) + 1))
    for place, letter in enumerate(one, start=1):
        before, row = row, [place]
        for index, opposite in enumerate(other):
            row.append(min(before[index + 1] + 1, row[index] + 1, before[index] + (letter != opposite)))
    return row[-1]


def _find_distances(ones: pa.Array, others: pa.Array) -> pa.Array:
    pairs = zip(ones.to_pylist(), others.to_pylist(), strict=True)
    found = [None if one is None or other is None else find_distance(one, other) for one, other in pairs]
    return pa.array(found, pa.int64())


JSON_FUNCTIONS: Final = {
    "wb_levenshtein_text": ArrowFunction(_find_distances, ("varchar", "varchar"), "bigint"),
    "wb_json_number": ArrowFunction(_find_numbers, ("varchar", "varchar"), "varchar"),
    "wb_json_sorted": ArrowFunction(_write_sorted, ("varchar",), "varchar"),
    "wb_json_written": ArrowFunction(_write_plain, ("varchar",), "varchar"),
}
