"""Pieces of statements in the declared subset: which events count, what stands at a path, how a text is read."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from workbench.errors import ProjectionError
from workbench.query.upcast.text import is_plain, quote_text
from workbench.query.upcast.text import quote_path as quote_members
from workbench.replay.folding.cut import Cut
from workbench.replay.folding.paths import INTEGERS, TEXTS, Path
from workbench.replay.folding.values import DIGITS, INTEGER, decimal_pattern
from workbench.replay.projection import Field

# A sum takes decimals of so many digits: ten billion of them fit in 38. A greater one is left to Python's fold.
SUMMED: Final = 28
# The digits of a decimal in 64 bits.
SHORT: Final = 18
# The greatest scale of a sum in SQL, so that a whole number of eight digits may stand before the point.
FINEST: Final = 20


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """A cut, and of which streams and types the events are; None: of all."""

    cut: Cut = Cut()
    stream_ids: Sequence[str] | None = None
    event_types: Sequence[str] | None = None

    def conditions(self, alias: str) -> tuple[list[str], dict[str, Any]]:
        """Return the conditions over the events named ``alias``, and their parameters."""
        parameters: dict[str, Any] = {}
        found = []
        if self.cut.up_to is not None:
            found.append(f"{alias}.position <= :up_to")
            parameters["up_to"] = self.cut.up_to
        if self.cut.as_of is not None:
            found.append(f"{alias}.occurred_at <= :as_of")
            parameters["as_of"] = self.cut.as_of
        for column, values in (("stream_id", self.stream_ids), ("event_type", self.event_types)):
            if values is not None:
                found.append(f"{alias}.{column} in ({quote_texts(values)})" if values else "false")
        return found, parameters


def quote_texts(texts: Iterable[str]) -> str:
    """Return a list of texts as IN takes it."""
    return ", ".join(quote_text(text) for text in texts)


def quote_path(path: Path) -> str | None:
    """Return a path's members as a JSON path in SQL; None where the engines read one of them differently.

    >>> print(quote_path(Path("data", ("a", "b c"))))
    '$.a["b c"]'
    """
    return quote_members(path.members) if all(map(is_plain, path.members)) else None


def scalar_at(path: Path, alias: str) -> str:
    """Return the expression of the text of the scalar at a path. Raises ProjectionError where SQL cannot name it."""
    if not path.in_json:
        column = f"{alias}.{path.column}"
        return column if path.column in TEXTS else f"cast({column} as varchar)"
    quoted = quote_path(path)
    if quoted is None:
        raise ProjectionError(f"SQL cannot name the path {path}. Give a path without quotes and bare numbers.")
    return f"json_extract_scalar({alias}.{path.column}, {quoted})"


def sql_type(field: Field) -> str:
    """Return the SQL type of a field's values."""
    digits = SUMMED if field.rule == "sum" else DIGITS
    return {
        "integer": "bigint",
        "decimal": f"decimal({digits},{field.scale})",
        "boolean": "boolean",
        "time": "timestamp(6) with time zone",
    }.get(field.kind, "varchar")


def read_text(field: Field, text: str) -> str:
    """Return the expression of a field's value of a scalar's text: NULL where the text is of another kind."""
    if field.kind == "boolean":
        return f"case {text} when 'true' then true when 'false' then false end"
    if field.kind in ("integer", "decimal"):
        return f"case when {is_written(field, text)} then {cast_number(field, text)} end"
    return text


def cast_number(field: Field, text: str) -> str:
    """Return the cast of a text that is written as a number; one of few digits by way of 64 bits, a third quicker."""
    kind, whole = sql_type(field), SHORT - field.scale
    plain = f"try_cast({text} as {kind})"
    if field.kind != "decimal" or whole < 1:
        return plain
    short = f"cast(try_cast({text} as decimal({SHORT},{field.scale})) as {kind})"
    return f"case when length({text}) <= {whole} then {short} else {plain} end"


def is_written(field: Field, text: str) -> str:
    """Return the condition that a text is written as a number of the field's kind."""
    pattern = INTEGER if field.kind == "integer" else decimal_pattern(field.scale)
    anchored = quote_text(rf"\A{pattern[1:-1]}\z")
    return f"regexp_like({text}, {anchored})"


def is_quotable(path: Path) -> bool:
    """Tell whether SQL reads a path as Python does."""
    return quote_path(path) is not None if path.in_json else path.column in (*TEXTS, *INTEGERS)
