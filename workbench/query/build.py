"""Short names for the DuckDB nodes that rewrites and casts are made of."""

from sqlglot import exp

from workbench.query.types import Type, duckdb_type


def call(name: str, *arguments: exp.Expression | str | int) -> exp.Expression:
    """Return a call of a DuckDB function or macro; a text stands for a string literal, an int for a number."""
    return exp.Anonymous(this=name, expressions=[_value(argument) for argument in arguments])


def _value(argument: exp.Expression | str | int) -> exp.Expression:
    if isinstance(argument, str):
        return exp.Literal.string(argument)
    return exp.Literal.number(argument) if isinstance(argument, int) else argument


def cast(value: exp.Expression, kind: Type | str, *, safe: bool = False) -> exp.Expression:
    """Return DuckDB's own CAST or, when ``safe``, TRY_CAST."""
    target = exp.DataType.build(kind if isinstance(kind, str) else duckdb_type(kind), dialect="duckdb")
    return exp.TryCast(this=value, to=target) if safe else exp.Cast(this=value, to=target)


def choose(*branches: tuple[exp.Expression, exp.Expression], otherwise: exp.Expression | None = None) -> exp.Expression:
    """Return CASE with branches (condition, value)."""
    return exp.Case(ifs=[exp.If(this=condition, true=value) for condition, value in branches], default=otherwise)


def each(name: str, body: exp.Expression) -> exp.Expression:
    """Return the lambda ``name -> body``."""
    return exp.Lambda(this=body, expressions=[exp.to_identifier(name)])
