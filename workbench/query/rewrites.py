"""Turn a typed statement of the subset into DuckDB's SQL with the same meaning.

A rewrite is named ``@name`` in functions.py. Where the meaning depends on types (division, casts, sums, times) the types
that annotate.py left on the nodes decide.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final, NoReturn

from sqlglot import exp

from workbench.errors import QueryRefusedError
from workbench.query.annotate import type_at
from workbench.query.build import call, cast, choose, each
from workbench.query.casts import CastError, cast_value, instant, local_time
from workbench.query.formats import FormatError, joda_format, mysql_format
from workbench.query.grammar import TIME_UNITS, UNITS
from workbench.query.patterns import PatternError, check_pattern, duckdb_replacement, json_path
from workbench.query.types import INTEGERS, MOST_DIGITS, UNKNOWN, VARCHAR, Type

Rewrite = Callable[[exp.Anonymous, list[exp.Expression]], exp.Expression]

_MILLISECONDS: Final = {
    "millisecond": 1,
    "second": 1_000,
    "minute": 60_000,
    "hour": 3_600_000,
    "day": 86_400_000,
    "week": 604_800_000,
}
_MONTHS: Final = {"month": 1, "quarter": 3, "year": 12}
_PARTS: Final = {
    "day_of_month": "day",
    "day_of_week": "isodow",
    "dow": "isodow",
    "doy": "dayofyear",
    "day_of_year": "dayofyear",
    "week_of_year": "week",
    "year_of_week": "isoyear",
    "yow": "isoyear",
}


def write_duckdb(tree: exp.Expression, relations: Mapping[str, str]) -> str:
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
    return holder.this.sql(dialect="duckdb", comments=False)


def _name_relation(node: exp.Table, relations: Mapping[str, str]) -> None:
    alias = node.args.get("alias") or exp.TableAlias(this=exp.to_identifier(node.name, quoted=True))
    node.set("this", exp.Var(this=relations[node.name]))
    node.set("alias", alias)


def _refuse(sentence: str) -> NoReturn:
    raise QueryRefusedError(f"{sentence}.")


def _text(node: exp.Expression, what: str) -> str:
    if isinstance(node, exp.Literal) and node.is_string:
        return str(node.this)
    return _refuse(f"{what} must be written as a text in the statement")


def _unit(node: exp.Expression) -> str:
    unit = _text(node, "The unit").lower()
    if unit not in UNITS:
        _refuse(f"The unit {unit!r} is not known; possible are {', '.join(UNITS)}")
    return unit


def _wrap_whole(node: exp.Expression, wrap: Callable[[exp.Expression], exp.Expression]) -> exp.Expression:
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


def _is_window(node: exp.Expression) -> bool:
    parent = node.parent
    while isinstance(parent, exp.Filter):
        parent = parent.parent
    return isinstance(parent, exp.Window)


# Operators


def _call(node: exp.Anonymous) -> exp.Expression:
    signature = node.meta.get("signature")
    if signature is None:
        return node
    if signature.target.startswith("@"):
        return _REWRITES[signature.target[1:]](node, node.expressions)
    node.set("this", signature.target)
    return node


def _divide(node: exp.Div) -> exp.Expression:
    kind, left, right = type_at(node), node.this, node.expression
    if kind.name in INTEGERS:
        return call("wb_divide_integer", left, right)
    if kind.name == "decimal":
        return _divide_decimal(left, right, type_at(left), type_at(right), kind)
    return cast(call("wb_divide_double", left, right), kind)


def _divide_decimal(
    left: exp.Expression, right: exp.Expression, one: Type, other: Type, kind: Type
) -> exp.Expression:
    scales = [side.numbers[1] if side.name == "decimal" else 0 for side in (one, other)]
    factor = exp.Literal.string(str(10 ** (kind.numbers[1] - scales[0] + scales[1])))
    units = call("wb_divide_decimal", left, right, factor)
    return _from_units(units, kind)


def _from_units(units: exp.Expression, kind: Type) -> exp.Expression:
    """Return the decimal of which there are so many units of its last place."""
    text = exp.DPipe(this=cast(units, VARCHAR), expression=exp.Literal.string(f"e-{kind.numbers[1]}"))
    return cast(cast(text, Type("decimal", (MOST_DIGITS, kind.numbers[1]))), kind)


def _modulo(node: exp.Mod) -> exp.Expression:
    return call("wb_mod", node.this, node.expression)


def _add(node: exp.Expression) -> exp.Expression:
    kind = type_at(node)
    if kind.name == "date":
        return cast(node.copy(), kind)
    if kind.name == "timestamptz" and kind.fields:
        _refuse("Adding an interval to a time in a zone depends on that zone's clock changes; use date_add")
    return node


def _placeholder(node: exp.Placeholder) -> exp.Expression:
    kind = type_at(node)
    return exp.Null() if kind == UNKNOWN else cast(node.copy(), kind)


def _cast(node: exp.Cast) -> exp.Expression:
    try:
        return cast_value(node.this, type_at(node.this), type_at(node), safe=isinstance(node, exp.TryCast))
    except CastError as error:
        _refuse(str(error))


def _bracket(node: exp.Bracket) -> exp.Expression:
    name = "wb_map_subscript" if type_at(node.this).name == "map" else "wb_subscript"
    return call(name, node.this, node.expressions[0])


def _at_time_zone(node: exp.AtTimeZone) -> exp.Expression:
    kind = type_at(node.this)
    return node.this if kind.name == "timestamptz" else call("wb_instant", node.this)


def _extract(node: exp.Extract) -> exp.Expression:
    return _part(node.this.name.lower(), node.expression)


def _trim_from(node: exp.Trim) -> exp.Expression:
    side = {"LEADING": "ltrim", "TRAILING": "rtrim"}.get(str(node.args.get("position")).upper(), "trim")
    letters = node.args.get("expression")
    return call(side, node.this, letters) if letters is not None else call(f"wb_{side}", node.this)


def _substring(node: exp.Substring) -> exp.Expression:
    parts = [node.this, node.args["start"], node.args.get("length")]
    return _substr(exp.Anonymous(this="substr"), [part for part in parts if part is not None])


def _position(node: exp.StrPosition) -> exp.Expression:
    return call("strpos", node.this, node.args["substr"])


def _ignore_nulls(node: exp.IgnoreNulls) -> exp.Expression:
    inner = node.this
    if isinstance(inner, exp.Anonymous) and inner.expressions:
        first = inner.expressions[0]
        inner.set("expressions", [exp.IgnoreNulls(this=first.copy()), *inner.expressions[1:]])
        return inner
    return node


def _in(node: exp.In) -> exp.Expression:
    lists = [item for item in node.expressions if type_at(item).name == "array"]
    if not lists or type_at(node.this).name == "array":
        return node
    if len(node.expressions) != 1:
        _refuse("IN takes one list parameter, or values; not both")
    rows = exp.Select(expressions=[call("unnest", lists[0])])
    return exp.In(this=node.this, query=exp.Subquery(this=rows))


def _unnest(node: exp.Unnest) -> exp.Expression:
    if len(node.expressions) != 1:
        _refuse("UNNEST of several arrays at once is not in the declared subset; unnest one after the other by ordinality")
    kind = type_at(node.expressions[0])
    if kind.name == "map" or kind.items[0].name == "row":
        _refuse(f"UNNEST of {kind} is not in the declared subset; unnest map_keys(…), or an array of single values")
    return node


def _within_group(node: exp.WithinGroup) -> exp.Expression:
    inner, order = node.this, node.expression
    *first, last = inner.expressions
    inner.set("expressions", [*first, exp.Order(this=last.copy(), expressions=order.expressions)])
    return inner


_NODES: Final[dict[type[exp.Expression], Callable[..., exp.Expression]]] = {
    exp.Anonymous: _call,
    exp.Div: _divide,
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
    exp.In: _in,
    exp.Unnest: _unnest,
    exp.WithinGroup: _within_group,
}


# Functions


def _concat(node: exp.Anonymous, values: list[exp.Expression]) -> exp.Expression:
    joined = values[0]
    for value in values[1:]:
        joined = exp.DPipe(this=joined, expression=value)
    return exp.Paren(this=joined)


def _greatest(node: exp.Anonymous, values: list[exp.Expression]) -> exp.Expression:
    empty = [exp.Is(this=value.copy(), expression=exp.Null()) for value in values]
    return choose((exp.or_(*empty), exp.Null()), otherwise=call(node.name, *values))


def _substr(node: exp.Anonymous, values: list[exp.Expression]) -> exp.Expression:
    return call("wb_substr" if len(values) == 3 else "wb_substr_rest", *values)  # noqa: PLR2004 - text, start, length


def _replace(node: exp.Anonymous, values: list[exp.Expression]) -> exp.Expression:
    return call("wb_replace", *values, *([exp.Literal.string("")] if len(values) == 2 else []))  # noqa: PLR2004


def _pattern(node: exp.Expression, group: int = 0) -> exp.Expression:
    try:
        check_pattern(_text(node, "A regular expression"), group)
    except PatternError as error:
        _refuse(str(error))
    return node


def _group(values: list[exp.Expression]) -> int:
    if len(values) < 3:  # noqa: PLR2004 - text, pattern, group
        return 0
    if not isinstance(values[2], exp.Literal) or values[2].is_string:
        _refuse("The group of a regular expression must be written as a number in the statement")
    return int(values[2].this)


def _regexp_like(node: exp.Anonymous, values: list[exp.Expression]) -> exp.Expression:
    return call("regexp_matches", values[0], _pattern(values[1]))


def _regexp_extract(node: exp.Anonymous, values: list[exp.Expression]) -> exp.Expression:
    group = _group(values)
    return call("wb_regexp_extract", values[0], _pattern(values[1], group), group)


def _regexp_extract_all(node: exp.Anonymous, values: list[exp.Expression]) -> exp.Expression:
    group = _group(values)
    return call("regexp_extract_all", values[0], _pattern(values[1], group), group)


def _regexp_replace(node: exp.Anonymous, values: list[exp.Expression]) -> exp.Expression:
    replacement = _text(values[2], "The replacement") if len(values) > 2 else ""  # noqa: PLR2004
    try:
        written = duckdb_replacement(replacement)
    except PatternError as error:
        _refuse(str(error))
    return call("regexp_replace", values[0], _pattern(values[1]), written, "g")


def _regexp_count(node: exp.Anonymous, values: list[exp.Expression]) -> exp.Expression:
    return call("len", call("regexp_extract_all", values[0], _pattern(values[1])))


def _regexp_split(node: exp.Anonymous, values: list[exp.Expression]) -> exp.Expression:
    return call("regexp_split_to_array", values[0], _pattern(values[1]))


def _to_date(node: exp.Anonymous, values: list[exp.Expression]) -> exp.Expression:
    return cast_value(values[0], type_at(values[0]), Type("date"), safe=False)


def _date_trunc(node: exp.Anonymous, values: list[exp.Expression]) -> exp.Expression:
    unit, kind = _unit(values[0]), type_at(values[1])
    if unit == "millisecond" and kind.name == "date":
        _refuse("date_trunc('millisecond', …) takes a timestamp")
    if kind.name == "date":
        return cast(call("date_trunc", unit, values[1]), kind)
    wall = local_time(values[1].copy(), kind)
    if kind.name == "timestamp":
        return call("date_trunc", unit, wall)
    if unit in TIME_UNITS and kind.fields:
        # In the hour a clock change repeats, the wall clock alone does not say which instant is meant.
        return call("wb_shift", values[1], wall, call("date_trunc", unit, wall.copy()))
    return instant(call("date_trunc", unit, wall), kind)


def _date_diff(node: exp.Anonymous, values: list[exp.Expression]) -> exp.Expression:
    unit, one, other = _unit(values[0]), type_at(values[1]), type_at(values[2])
    if one.fields != other.fields and unit not in TIME_UNITS:
        _refuse(f"date_diff({unit!r}, …) takes two times in the same zone")
    first, second = local_time(values[1], one), local_time(values[2], other)
    if unit in TIME_UNITS:
        first, second = (_utc_time(value, kind) for value, kind in ((values[1], one), (values[2], other)))
    if unit in _MILLISECONDS:
        return call("wb_elapsed", first, second, _MILLISECONDS[unit])
    return call("wb_divide_integer", call("wb_months", first, second), _MONTHS[unit])


def _utc_time(value: exp.Expression, kind: Type) -> exp.Expression:
    return call("wb_utc", value) if kind.name == "timestamptz" else local_time(value, kind)


def _date_add(node: exp.Anonymous, values: list[exp.Expression]) -> exp.Expression:
    unit, kind = _unit(values[0]), type_at(values[2])
    count = exp.Paren(this=values[1])
    if unit in _MONTHS:
        months = exp.Mul(this=count, expression=exp.Literal.number(_MONTHS[unit]))
        step = call("to_months", cast(months, "INTEGER"))
    else:
        step = call("to_microseconds", exp.Mul(this=count, expression=exp.Literal.number(_MILLISECONDS[unit] * 1000)))
    if kind.name == "date" and unit in TIME_UNITS:
        _refuse(f"date_add({unit!r}, …) takes a timestamp, not a date")
    if kind.name == "timestamptz" and unit not in TIME_UNITS:
        return instant(exp.Add(this=local_time(values[2], kind), expression=step), kind)
    added = exp.Paren(this=exp.Add(this=values[2], expression=step))
    return cast(added, kind) if kind.name == "date" else added


def _date_part(node: exp.Anonymous, values: list[exp.Expression]) -> exp.Expression:
    return _part(node.name.lower(), values[0])


def _part(name: str, value: exp.Expression) -> exp.Expression:
    kind = type_at(value)
    if name == "millisecond":
        return call("wb_mod", call("epoch_ms", local_time(value, kind)), 1000)
    part = _PARTS.get(name, name)
    if part not in ("year", "quarter", "month", "week", "day", "isodow", "dayofyear", "isoyear", *TIME_UNITS[1:]):
        _refuse(f"EXTRACT({name} …) is not in the declared subset")
    return call("date_part", part, local_time(value, kind))


def _last_day(node: exp.Anonymous, values: list[exp.Expression]) -> exp.Expression:
    return call("last_day", local_time(values[0], type_at(values[0])))


def _at_timezone(node: exp.Anonymous, values: list[exp.Expression]) -> exp.Expression:
    return values[0]


def _with_timezone(node: exp.Anonymous, values: list[exp.Expression]) -> exp.Expression:
    return instant(values[0], type_at(node))


def _formatted(values: list[exp.Expression], read: Callable[[str], str]) -> exp.Expression:
    try:
        pattern = read(_text(values[1], "A format"))
    except FormatError as error:
        _refuse(str(error))
    return call("strftime", local_time(values[0], type_at(values[0])), pattern)


def _date_format(node: exp.Anonymous, values: list[exp.Expression]) -> exp.Expression:
    return _formatted(values, mysql_format)


def _format_datetime(node: exp.Anonymous, values: list[exp.Expression]) -> exp.Expression:
    return _formatted(values, joda_format)


def _path(node: exp.Expression) -> exp.Expression:
    try:
        return exp.Literal.string(json_path(_text(node, "A JSON path")))
    except PatternError as error:
        _refuse(str(error))


def _json(name: str) -> Rewrite:
    def rewrite(_node: exp.Anonymous, values: list[exp.Expression]) -> exp.Expression:
        return call(name, values[0], _path(values[1]))

    return rewrite


def _json_scalar(node: exp.Anonymous, values: list[exp.Expression]) -> exp.Expression:
    path = _path(values[1])
    if type_at(values[0]).name == "json":
        return call("wb_json_value_scalar", values[0], path)
    key = re.search(r'\."([A-Za-z0-9_ -]+)"$', path.name)
    pattern = f'"{key[1]}"\\s*:\\s*(-?[0-9][0-9.eE+-]*)' if key else ""
    return call("wb_json_text_scalar", values[0], path, pattern)


def _row(node: exp.Anonymous, values: list[exp.Expression]) -> exp.Expression:
    return call("row", *values)


def _array_join(node: exp.Anonymous, values: list[exp.Expression]) -> exp.Expression:
    return call("wb_array_join" if len(values) == 2 else "wb_array_join_null", *values)  # noqa: PLR2004 - array, delimiter


def _sequence(node: exp.Anonymous, values: list[exp.Expression]) -> exp.Expression:
    if len(values) == 2:  # noqa: PLR2004 - from, to
        up = exp.LTE(this=values[0].copy(), expression=values[1].copy())
        values = [*values, choose((up, exp.Literal.number(1)), otherwise=exp.Literal.number(-1))]
    return call("wb_sequence", *values)


def _match(name: str, *, negate: bool = False) -> Rewrite:
    def rewrite(_node: exp.Anonymous, values: list[exp.Expression]) -> exp.Expression:
        found = call(name, call("list_transform", *values))
        return exp.Paren(this=exp.Not(this=found)) if negate else found

    return rewrite


# Aggregates


def _sum(node: exp.Anonymous, values: list[exp.Expression]) -> exp.Expression:
    kind = type_at(node)
    if kind.name == "double":
        return _ordered_list(node, "wb_sum_double")
    if kind.name == "bigint":
        return _wrap_whole(node, lambda whole: cast(whole, kind))
    return node


def _avg(node: exp.Anonymous, values: list[exp.Expression]) -> exp.Expression:
    argument = values[0].expressions[0] if isinstance(values[0], exp.Distinct) else values[0]
    source = type_at(argument)
    if source.name in ("double", "real"):
        return _ordered_list(node, "wb_avg_double")
    if source.name == "decimal":
        return _wrap_whole(node, lambda whole: _average_decimal(whole, source))
    return node


def _average_decimal(whole: exp.Expression, kind: Type) -> exp.Expression:
    total, count = whole, whole.copy()
    for one, name in ((total, "sum"), (count, "count")):
        for inner in one.find_all(exp.Anonymous):
            if inner.name == "avg":
                inner.set("this", name)
                break
    units = call("wb_divide_decimal", total, count, "1")
    nothing = exp.EQ(this=count.copy(), expression=exp.Literal.number(0))
    return choose((nothing, exp.Null()), otherwise=_from_units(units, kind))


def _ordered_list(node: exp.Anonymous, macro: str) -> exp.Expression:
    """Add doubles in the order of their size: the same digits with any number of threads, and on any engine."""
    if _is_window(node):
        _refuse(f"{node.name} of double OVER (…) has last digits that depend on the order of addition; cast to decimal")
    first = node.expressions[0]
    value = first.expressions[0] if isinstance(first, exp.Distinct) else first
    order = exp.Order(this=first.copy(), expressions=[exp.Ordered(this=value.copy(), nulls_first=False)])
    node.set("this", "array_agg")
    node.set("expressions", [order])
    return _wrap_whole(node, lambda whole: call(macro, whole))


def _count_if(node: exp.Anonymous, values: list[exp.Expression]) -> exp.Expression:
    return _wrap_whole(node, lambda whole: cast(whole, "BIGINT"))


def _array_agg(node: exp.Anonymous, values: list[exp.Expression]) -> exp.Expression:
    if not isinstance(values[0], exp.Order) and not _is_window(node):
        _refuse("array_agg needs an order, such as array_agg(x ORDER BY position): without one the answer may change")
    return node


def _listagg(node: exp.Anonymous, values: list[exp.Expression]) -> exp.Expression:
    if not isinstance(node.parent, exp.WithinGroup):
        _refuse("listagg needs WITHIN GROUP (ORDER BY …): without an order the answer may change")
    node.set("this", "string_agg")
    node.set("expressions", values if len(values) > 1 else [*values, exp.Literal.string("")])
    return node


def _map_agg(node: exp.Anonymous, values: list[exp.Expression]) -> exp.Expression:
    _refuse("map_agg keeps any one value of a key met twice; use array_agg(row(key, value) ORDER BY …)")


_REWRITES: Final[dict[str, Rewrite]] = {
    "greatest": _greatest,
    "concat": _concat,
    "substr": _substr,
    "replace": _replace,
    "regexp_like": _regexp_like,
    "regexp_extract": _regexp_extract,
    "regexp_extract_all": _regexp_extract_all,
    "regexp_replace": _regexp_replace,
    "regexp_count": _regexp_count,
    "regexp_split": _regexp_split,
    "to_date": _to_date,
    "date_trunc": _date_trunc,
    "date_diff": _date_diff,
    "date_add": _date_add,
    "date_part": _date_part,
    "last_day": _last_day,
    "at_timezone": _at_timezone,
    "with_timezone": _with_timezone,
    "date_format": _date_format,
    "format_datetime": _format_datetime,
    "json_extract_scalar": _json_scalar,
    "json_extract": _json("wb_json_extract"),
    "json_size": _json("wb_json_size"),
    "row": _row,
    "array_join": _array_join,
    "sequence": _sequence,
    "any_match": _match("wb_any"),
    "all_match": _match("wb_all"),
    "none_match": _match("wb_any", negate=True),
    "sum": _sum,
    "avg": _avg,
    "count_if": _count_if,
    "array_agg": _array_agg,
    "listagg": _listagg,
    "map_agg": _map_agg,
}
