"""Rewrites of aggregates: the same digits with any number of threads, and NULL where Trino gives it."""

from collections.abc import Callable
from typing import Final

from sqlglot import exp

from workbench.query.duckdb.build import call, cast, choose, from_units, refuse_rewrite
from workbench.query.subset.annotate import type_at
from workbench.query.subset.types import Type


def _wrap_whole(node: exp.Expr, wrap: Callable[[exp.Expr], exp.Expr]) -> exp.Expr:
    """Wrap an aggregate together with its FILTER and OVER, which must stay next to it."""
    whole = node
    while isinstance(whole.parent, (exp.Filter, exp.Window, exp.IgnoreNulls)) and whole.arg_key == "this":
        whole = whole.parent
    mark = exp.Null()
    whole.replace(mark)
    wrapped = wrap(whole)
    wrapped.meta["type"] = type_at(whole)
    mark.replace(wrapped)
    return node


def _is_window(node: exp.Expr) -> bool:
    parent = node.parent
    while isinstance(parent, exp.Filter):
        parent = parent.parent
    return isinstance(parent, exp.Window)


def _sum(node: exp.Anonymous, _values: list[exp.Expr]) -> exp.Expr:
    kind = type_at(node)
    if kind.name == "double":
        return _ordered_list(node, "wb_sum_double")
    if kind.name == "bigint":
        return _wrap_whole(node, lambda whole: cast(whole, kind))
    return node


def _avg(node: exp.Anonymous, values: list[exp.Expr]) -> exp.Expr:
    argument = values[0].expressions[0] if isinstance(values[0], exp.Distinct) else values[0]
    source = type_at(argument)
    if source.name in ("double", "real"):
        return _ordered_list(node, "wb_avg_double")
    if source.name == "decimal":
        return _wrap_whole(node, lambda whole: _average_decimal(whole, source))
    return node


def _average_decimal(whole: exp.Expr, kind: Type) -> exp.Expr:
    total, count = whole, whole.copy()
    for one, name in ((total, "sum"), (count, "count")):
        for inner in one.find_all(exp.Anonymous):
            if inner.name == "avg":
                inner.set("this", name)
                break
    units = call("wb_divide_decimal", total, count, "1")
    nothing = exp.EQ(this=count.copy(), expression=exp.Literal.number(0))
    return choose((nothing, exp.Null()), otherwise=from_units(units, kind))


def _ordered_list(node: exp.Anonymous, macro: str) -> exp.Expr:
    """Add doubles in the order of their size: the same digits with any number of threads, and on any engine."""
    if _is_window(node):
        refuse_rewrite(
            f"{node.name} of double OVER (…) has last digits that depend on the order of addition; cast to decimal"
        )
    first = node.expressions[0]
    value = first.expressions[0] if isinstance(first, exp.Distinct) else first
    order = exp.Order(this=first.copy(), expressions=[exp.Ordered(this=value.copy(), nulls_first=False)])
    node.set("this", "array_agg")
    node.set("expressions", [order])
    return _wrap_whole(node, lambda whole: call(macro, whole))


def _count_if(node: exp.Anonymous, _values: list[exp.Expr]) -> exp.Expr:
    zero = exp.Literal.number(0)
    return _wrap_whole(node, lambda whole: cast(exp.Coalesce(this=whole, expressions=[zero]), "BIGINT"))


def _array_agg(node: exp.Anonymous, values: list[exp.Expr]) -> exp.Expr:
    if not isinstance(values[0], exp.Order) and not _is_window(node):
        refuse_rewrite(
            "array_agg needs an order, such as array_agg(x ORDER BY position): without one the answer may change"
        )
    return node


def _listagg(node: exp.Anonymous, values: list[exp.Expr]) -> exp.Expr:
    if not isinstance(node.parent, exp.WithinGroup):
        refuse_rewrite("listagg needs WITHIN GROUP (ORDER BY …): without an order the answer may change")
    node.set("this", "string_agg")
    node.set("expressions", values if len(values) > 1 else [*values, exp.Literal.string("")])
    return node


def _map_agg(_node: exp.Anonymous, _values: list[exp.Expr]) -> exp.Expr:
    refuse_rewrite("map_agg keeps any one value of a key met twice; use array_agg(row(key, value) ORDER BY …)")


AGGREGATES: Final[dict[str, Callable[[exp.Anonymous, list[exp.Expr]], exp.Expr]]] = {
    "sum": _sum,
    "avg": _avg,
    "count_if": _count_if,
    "array_agg": _array_agg,
    "listagg": _listagg,
    "map_agg": _map_agg,
}
