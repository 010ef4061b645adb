"""Canonical JSON texts of a field's values, a column at a time: what `write_value` says of each, for less."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import polars as pl

from workbench.replay.projection import Field
from workbench.replay.rules import UNSET, show_slot
from workbench.replay.values import write_value

# Rules whose slot is one value that is replaced and never changed in place.
PLAIN: Final = frozenset({"last", "first", "sum", "count", "min", "max"})
# Up to so many places a decimal is written without an exponent, however small it is.
PLACES: Final = 6
NULL: Final = "null"

# Makes texts of a field's slots.
Writer = Callable[[Sequence[Any]], list[str]]


def make_writer(field: Field) -> Writer:
    """Return what writes slots of a field, of a state machine its states, as canonical JSON texts."""
    kind = "decimal" if field.rule == "sum" else "integer" if field.rule == "count" else field.kind
    if field.rule == "machine":
        return write_texts
    if field.rule not in PLAIN or (kind == "decimal" and field.scale > PLACES):
        return _slot_writer(field)
    return {
        "text": write_texts,
        "integer": _write_integers,
        "json": _write_json,
        "decimal": _decimal_writer(field),
    }.get(kind, _slot_writer(field))


def write_texts(values: Sequence[Any]) -> list[str]:
    """Return texts as JSON strings, None as null."""
    known = {value: _write_text(value) for value in set(values)}
    return [known[value] for value in values]


def _write_text(value: str | None) -> str:
    if value is None:
        return NULL
    if value.isascii() and value.isprintable() and '"' not in value and "\\" not in value:
        return f'"{value}"'
    return write_value(value)


def _write_integers(values: Sequence[Any]) -> list[str]:
    return [NULL if value is None else str(value) for value in values]


def _write_json(values: Sequence[Any]) -> list[str]:
    # They are canonical texts since they were read.
    return [NULL if value is None else value for value in values]


def _decimal_writer(field: Field) -> Writer:
    scale = field.scale

    def write(units: int) -> str:
        """Return what is shorter than its places, or below zero; without places any."""
        digits = str(abs(units)).zfill(scale + 1)
        sign = "-" if units < 0 else ""
        return f'"{sign}{digits[:-scale]}.{digits[-scale:]}"' if scale else f'"{units}"'

    least = 10**scale

    def write_all(values: Sequence[Any]) -> list[str]:
        return [
            NULL
            if units is None
            else f'"{digits[:-scale]}.{digits[-scale:]}"'
            if units >= least > 1 and (digits := str(units))
            else write(units)
            for units in values
        ]

    return write_all


def _slot_writer(field: Field) -> Writer:
    return lambda slots: [write_value(show_slot(field, slot)) for slot in slots]


def join_texts(*parts: pl.Series | str) -> pl.Series:
    """Return texts and columns of texts joined row by row, null where one of them is."""
    columns = {f"{number}": part for number, part in enumerate(parts) if isinstance(part, pl.Series)}
    joined = [pl.lit(part) if isinstance(part, str) else pl.col(f"{number}") for number, part in enumerate(parts)]
    return pl.DataFrame(columns).select(pl.concat_str(joined)).to_series()


def drop_unset(slots: Sequence[Any]) -> list[Any]:
    """Return slots of a rule that tells no value yet from a null, which have one text."""
    return [None if slot is UNSET else slot for slot in slots]
