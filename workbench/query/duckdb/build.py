"""Short names for the DuckDB nodes that rewrites and casts are made of."""

from typing import NoReturn

from sqlglot import exp

from workbench.errors import QueryRefusedError
from workbench.query.subset.types import MOST_DIGITS, Type, duckdb_type


def call(name: str, *arguments: exp.Expr | str | int) -> exp.Expr:
    """Return a call of a DuckDB function or macro; a text stands for a string literal, an int for a number."""
    return exp.Anonymous(this=name, expressions=[_value(argument) for argument in arguments])


def _value(argument: exp.Expr | str | int) -> exp.Expr:
    if isinstance(argument, str):
        return exp.Literal.string(argument)
    return exp.Literal.number(argument) if isinstance(argument, int) else argument


def cast(value: exp.Expr, kind: Type | str, *, safe: bool = False) -> exp.Expr:
    """Return DuckDB's own CAST or, when ``safe``, TRY_CAST."""
    target = exp.DataType.build(kind if isinstance(kind, str) else duckdb_type(kind), dialect="duckdb")
    return exp.TryCast(this=value, to=target) if safe else exp.Cast(this=value, to=target)


def choose(*branches: tuple[exp.Expr, exp.Expr], otherwise: exp.Expr | None = None) -> exp.Expr:
    """Return CASE with branches (condition, value)."""
    return exp.Case(ifs=[exp.If(this=condition, true=value) for condition, value in branches], default=otherwise)


def each(name: str, body: exp.Expr) -> exp.Expr:
    """Return the lambda ``name -> body``."""
    return exp.Lambda(this=body, expressions=[exp.to_identifier(name)])


def refuse_rewrite(sentence: str) -> NoReturn:
    """Raise QueryRefusedError with a sentence, which lacks its full stop."""
    raise QueryRefusedError(f"{sentence}.")


def written_text(node: exp.Expr, what: str) -> str:
    """Return a text that must stand in the statement itself, for it decides what is run."""
    if isinstance(node, exp.Literal) and node.is_string:
        return str(node.this)
    return refuse_rewrite(f"{what} must be written as a text in the statement")


def from_units(units: exp.Expr, kind: Type) -> exp.Expr:
    """Return the decimal of which there are so many units of its last place."""
    text = call("wb_of_units", units, kind.numbers[1])
    return cast(cast(text, Type("decimal", (MOST_DIGITS, kind.numbers[1]))), kind)
