"""Canonical JSON texts of a field's values, a column at a time: what `write_value` says of each, for less."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import polars as pl
import pyarrow as pa

from workbench.replay.folding.rules import UNSET, show_slot
from workbench.replay.folding.values import DIGITS, write_value
from workbench.replay.projection import Field

# Rules whose slot is one value that is replaced and never changed in place.
PLAIN: Final = frozenset({"last", "first", "sum", "count", "min", "max"})
# Up to so many places a decimal is written without an exponent, however small it is.
PLACES: Final = 6
NULL: Final = "null"

# Makes texts of a field's slots.
Writer = Callable[[Sequence[Any]], pl.Series]


def make_writer(field: Field) -> Writer:
    """Return what writes slots of a field, of a state machine its states, as a column of canonical JSON texts."""
    kind = "decimal" if field.rule == "sum" else "integer" if field.rule == "count" else field.kind
    if field.rule == "machine":
        return _write_texts
    if field.rule not in PLAIN or (kind == "decimal" and field.scale > PLACES):
        return _slot_writer(field)
    return {
        "text": _write_texts,
        "integer": _write_integers,
        "json": _write_json,
        "decimal": _decimal_writer(field.scale),
    }.get(kind, _slot_writer(field))


def make_column(texts: Sequence[str | None]) -> pl.Series:
    """Return texts as a column."""
    return pl.Series(texts, dtype=pl.String)


def _write_texts(values: Sequence[Any]) -> pl.Series:
    known = {value: _write_text(value) for value in set(values)}
    return make_column([known[value] for value in values])


def _write_text(value: str | None) -> str:
    if value is None:
        return NULL
    if value.isascii() and value.isprintable() and '"' not in value and "\\" not in value:
        return f'"{value}"'
    return write_value(value)


def _write_integers(values: Sequence[Any]) -> pl.Series:
    return make_column([NULL if value is None else str(value) for value in values])


def _write_json(values: Sequence[Any]) -> pl.Series:
    # They are canonical texts since they were read.
    return make_column([NULL if value is None else value for value in values])


def _decimal_writer(scale: int) -> Writer:
    def write(units: Sequence[int | None]) -> pl.Series:
        try:
            whole = pa.array(units, pa.int64()).cast(pa.decimal128(DIGITS))
        except OverflowError:
            whole = pa.array(units, pa.decimal128(DIGITS))
        # The same digits, with a point among them: a third of the time that cutting their texts takes.
        amounts = pl.Series(pa.Array.from_buffers(pa.decimal128(DIGITS, scale), len(whole), whole.buffers()))
        texts = join_texts('"', amounts, '"')
        return texts.fill_null(NULL) if texts.null_count() else texts

    return write


def _slot_writer(field: Field) -> Writer:
    return lambda slots: make_column([write_value(show_slot(field, slot)) for slot in slots])


def join_texts(*parts: pl.Series | str) -> pl.Series:
    """Return texts and columns of texts joined row by row, null where one of them is."""
    columns = {f"{number}": part for number, part in enumerate(parts) if isinstance(part, pl.Series)}
    joined = [pl.lit(part) if isinstance(part, str) else pl.col(f"{number}") for number, part in enumerate(parts)]
    return pl.DataFrame(columns).select(pl.concat_str(joined)).to_series()


def drop_unset(slots: Sequence[Any]) -> list[Any]:
    """Return slots of a rule that tells no value yet from a null, which have one text."""
    return [None if slot is UNSET else slot for slot in slots]
