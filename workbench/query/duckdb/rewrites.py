"""Turn a typed statement of the subset into DuckDB's SQL with the same meaning.

A rewrite is named ``@name`` in functions.py. Where the meaning depends on types (division, casts, sums, times) the
types that annotate.py left on the nodes decide.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

from sqlglot import exp
from sqlglot.errors import ErrorLevel, UnsupportedError

from workbench.errors import QueryRefusedError
from workbench.query.duckdb.aggregates import AGGREGATES
from workbench.query.duckdb.build import call, cast, choose, from_units, refuse_rewrite
from workbench.query.duckdb.calls import CALLS, date_part
from workbench.query.duckdb.casts import CastError, cast_value
from workbench.query.subset.annotate import type_at
from workbench.query.subset.grammar import TIME_UNITS
from workbench.query.subset.types import FLOATING, INTEGERS, UNKNOWN, Type


def write_duckdb(tree: exp.Expr, relations: Mapping[str, str]) -> str:
    """Return DuckDB's SQL for a typed statement; ``relations`` give what stands in FROM for each, as DuckDB's SQL.

    The tree is changed. Raises QueryRefusedError for what cannot be given Trino's meaning.
    """
    holder = exp.Paren(this=tree)
    for node in reversed(list(tree.bfs())):
        if isinstance(node, exp.Table) and "relation" in node.meta:
            _name_relation(node, relations)
            continue
        rule = _NODES.get(type(node))
        changed = rule(node) if rule else node
        if changed is not node:
            changed.meta["type"] = type_at(node)
            if node.parent is not None:
                node.replace(changed)
    try:
        return str(holder.this.sql(dialect="duckdb", comments=False, unsupported_level=ErrorLevel.RAISE))
    except UnsupportedError as error:
        raise QueryRefusedError(f"DuckDB has no form for a part of the statement: {error}.") from error


def _name_relation(node: exp.Table, relations: Mapping[str, str]) -> None:
    alias = node.args.get("alias") or exp.TableAlias(this=exp.to_identifier(node.name, quoted=True))
    node.set("this", exp.Var(this=relations[node.name]))
    node.set("alias", alias)


def _call(node: exp.Anonymous) -> exp.Expr:
    signature = node.meta.get("signature")
    if signature is None:
        return node
    if signature.target.startswith("@"):
        return (CALLS | AGGREGATES)[signature.target[1:]](node, node.expressions)
    node.set("this", signature.target)
    return node


def _divide(node: exp.Div) -> exp.Expr:
    kind, left, right = type_at(node), node.this, node.expression
    if kind.name in INTEGERS:
        return call("wb_divide_integer", left, right)
    if kind.name == "decimal":
        return _divide_decimal(left, right, type_at(left), type_at(right), kind)
    if isinstance(right, exp.Literal) and any(digit in "123456789" for digit in str(right.this).lower().split("e")[0]):
        # No question of zero, NaN or infinity: what the macro's CASE costs to bind, twice a statement, is 0.6 ms.
        return cast(exp.Div(this=cast(left, "double"), expression=cast(right, "double")), kind)
    return cast(call("wb_divide_double", left, right), kind)


def _divide_decimal(left: exp.Expr, right: exp.Expr, one: Type, other: Type, kind: Type) -> exp.Expr:
    scales = [side.numbers[1] if side.name == "decimal" else 0 for side in (one, other)]
    factor = exp.Literal.string(str(10 ** (kind.numbers[1] - scales[0] + scales[1])))
    units = call("wb_divide_decimal", left, right, factor)
    return from_units(units, kind)


def _modulo(node: exp.Mod) -> exp.Expr:
    kind = type_at(node)
    if kind.name in FLOATING:
        return cast(call("wb_mod_double", node.this, node.expression), kind)
    return call("wb_mod", node.this, node.expression)


def _compare(node: exp.Expr) -> exp.Expr:
    """Compare as SQL and IEEE 754 have it: NULLs inside arrays and rows are unknown, NaN is beside every order."""
    left, right = node.this, node.expression
    kinds = {type_at(left).name, type_at(right).name}
    if "row" in kinds or isinstance(left, exp.Tuple):
        refuse_rewrite("Rows are compared field by field: write a.x = b.x AND a.y = b.y")
    if kinds == {"array"}:
        if not isinstance(node, (exp.EQ, exp.NEQ)):
            refuse_rewrite("Arrays have no order here; compare array_max, cardinality or single items")
        same = call("wb_array_equal", left, right)
        return same if isinstance(node, exp.EQ) else exp.Not(this=same)
    doubtful = [side for side in (left, right) if type_at(side).name in FLOATING and not isinstance(side, exp.Literal)]
    if not doubtful:
        return node
    there = [exp.Not(this=exp.Is(this=side.copy(), expression=exp.Null())) for side in (left, right)]
    odd = exp.or_(*(call("isnan", side.copy()) for side in doubtful))
    answer = exp.true() if isinstance(node, exp.NEQ) else exp.false()
    return exp.Paren(this=choose((exp.and_(odd, *there), answer), otherwise=node.copy()))


def _escape(node: exp.Escape) -> exp.Expr:
    letter = node.expression
    if isinstance(letter, exp.Literal) and len(letter.name) != 1:
        refuse_rewrite("ESCAPE takes a single character")
    return node


def _window(node: exp.Window) -> exp.Expr:
    if isinstance(node.this, exp.Filter):
        refuse_rewrite("FILTER is not possible before OVER (…); write count(if(condition, x)) OVER (…) or the like")
    return node


def _add(node: exp.Expr) -> exp.Expr:
    kind = type_at(node)
    if kind.name == "date":
        units = [
            side.args["unit"].name.lower() for side in (node.this, node.expression) if isinstance(side, exp.Interval)
        ]
        if set(units) & set(TIME_UNITS):
            refuse_rewrite(f"A date takes days and longer, not an interval in {units[0]}; cast it to timestamp")
        return cast(node.copy(), kind)
    if kind.name == "timestamptz" and kind.fields:
        refuse_rewrite("Adding an interval to a time in a zone depends on that zone's clock changes; use date_add")
    return node


def _placeholder(node: exp.Placeholder) -> exp.Expr:
    kind = type_at(node)
    return exp.Null() if kind == UNKNOWN else cast(node.copy(), kind)


# A number as JSON writes it, whole or with so many digits behind the point.
_NUMBER_PATTERN: Final = re.compile(r"\\A-\?\(0\|\[1-9\]\[0-9\]\{0,\d+\}\)(\(\\\.(\[0-9\]\{1,\d+\}0\*|0\+)\)\?)?\\z")


def _is_tested(node: exp.Cast) -> bool:
    """Tell whether a cast stands behind the condition that its text is a number's, so that it need not be tested again.

    Each test of a text by a pattern takes as long as the reading of a member of a payload.
    """
    here: exp.Expr = node
    while here.parent is not None and not isinstance(here.parent, exp.Select):
        if isinstance(here.parent, exp.If) and here.arg_key == "true" and _tests_number(here.parent.this, node.this):
            return True
        here = here.parent
    return False


def _tests_number(test: exp.Expr, text: exp.Expr) -> bool:
    if not isinstance(test, exp.Anonymous) or test.name.lower() != "regexp_like" or not isinstance(text, exp.Column):
        return False
    tested, pattern = test.expressions
    return bool(tested.sql() == text.sql() and _NUMBER_PATTERN.fullmatch(pattern.name))


def _cast(node: exp.Cast) -> exp.Expr:
    kind = type_at(node)
    if isinstance(node, exp.TryCast) and kind.name in ("bigint", "decimal") and _is_tested(node):
        return cast(node.this, kind, safe=True)
    try:
        return cast_value(node.this, type_at(node.this), type_at(node), safe=isinstance(node, exp.TryCast))
    except CastError as error:
        refuse_rewrite(str(error))


def _bracket(node: exp.Bracket) -> exp.Expr:
    name = "wb_map_subscript" if type_at(node.this).name == "map" else "wb_subscript"
    return call(name, node.this, node.expressions[0])


def _at_time_zone(node: exp.AtTimeZone) -> exp.Expr:
    kind = type_at(node.this)
    return node.this if kind.name == "timestamptz" else call("wb_instant", node.this)


def _extract(node: exp.Extract) -> exp.Expr:
    return date_part(node.this.name.lower(), node.expression)


def _trim_from(node: exp.Trim) -> exp.Expr:
    side = {"LEADING": "ltrim", "TRAILING": "rtrim"}.get(str(node.args.get("position")).upper(), "trim")
    letters = node.args.get("expression")
    return call(side, node.this, letters) if letters is not None else call(f"wb_{side}", node.this)


def _substring(node: exp.Substring) -> exp.Expr:
    parts = [node.this, node.args["start"], node.args.get("length")]
    return CALLS["substr"](exp.Anonymous(this="substr"), [part for part in parts if part is not None])


def _position(node: exp.StrPosition) -> exp.Expr:
    return call("strpos", node.this, node.args["substr"])


def _ignore_nulls(node: exp.IgnoreNulls) -> exp.Expr:
    """Write IGNORE NULLS where DuckDB wants it, behind the last argument; SQLGlot would drop it."""
    inner: exp.Expr = node.this
    if not isinstance(inner, exp.Anonymous) or not inner.expressions:
        refuse_rewrite("IGNORE NULLS stands behind a window function, such as lag(x) IGNORE NULLS OVER (…)")
    *first, last = inner.expressions
    marked = exp.Var(this=f"{last.sql(dialect='duckdb', comments=False)} IGNORE NULLS")
    inner.set("expressions", [*first, marked])
    return inner


def _respect_nulls(node: exp.RespectNulls) -> exp.Expr:
    inner: exp.Expr = node.this
    return inner


def _in(node: exp.In) -> exp.Expr:
    lists = [item for item in node.expressions if type_at(item).name == "array"]
    if not lists or type_at(node.this).name == "array":
        return node
    if len(node.expressions) != 1:
        refuse_rewrite("IN takes one list parameter, or values; not both")
    values = lists[0]
    if type_at(values).items[0] == UNKNOWN:
        # An empty list has no type of its own: DuckDB would take whole numbers.
        values = cast(values.copy(), Type("array", items=(type_at(node.this),)))
    rows = exp.Select(expressions=[call("unnest", values)])
    return exp.In(this=node.this, query=exp.Subquery(this=rows))


def _unnest(node: exp.Unnest) -> exp.Expr:
    if len(node.expressions) != 1:
        refuse_rewrite(
            "UNNEST of several arrays at once is not in the declared subset; unnest one after the other by ordinality"
        )
    kind = type_at(node.expressions[0])
    if kind.name == "map" or kind.items[0].name == "row":
        refuse_rewrite(
            f"UNNEST of {kind} is not in the declared subset; unnest map_keys(…), or an array of single values"
        )
    return node


def _within_group(node: exp.WithinGroup) -> exp.Expr:
    inner: exp.Expr = node.this
    order = node.expression
    *first, last = inner.expressions
    inner.set("expressions", [*first, exp.Order(this=last.copy(), expressions=order.expressions)])
    return inner


_NODES: Final[dict[type[exp.Expr], Callable[..., exp.Expr]]] = {
    exp.Anonymous: _call,
    exp.Div: _divide,
    **dict.fromkeys((exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE), _compare),
    exp.Escape: _escape,
    exp.Window: _window,
    exp.Mod: _modulo,
    exp.Add: _add,
    exp.Sub: _add,
    exp.Placeholder: _placeholder,
    exp.Cast: _cast,
    exp.TryCast: _cast,
    exp.Bracket: _bracket,
    exp.AtTimeZone: _at_time_zone,
    exp.Extract: _extract,
    exp.Trim: _trim_from,
    exp.Substring: _substring,
    exp.StrPosition: _position,
    exp.IgnoreNulls: _ignore_nulls,
    exp.RespectNulls: _respect_nulls,
    exp.In: _in,
    exp.Unnest: _unnest,
    exp.WithinGroup: _within_group,
}
