"""Rewrites of scalar functions: those that functions.py marks with ``@``."""

import re
from collections.abc import Callable
from typing import Final

from sqlglot import exp

from workbench.query.duckdb.build import call, cast, choose, refuse_rewrite, written_text
from workbench.query.duckdb.casts import cast_value, instant, local_time
from workbench.query.subset.annotate import type_at
from workbench.query.subset.formats import FormatError, joda_format, mysql_format
from workbench.query.subset.grammar import TIME_UNITS, UNITS
from workbench.query.subset.patterns import (
    PatternError,
    check_pattern,
    duckdb_replacement,
    json_path,
    may_match_nothing,
)
from workbench.query.subset.types import Type

Rewrite = Callable[[exp.Anonymous, list[exp.Expr]], exp.Expr]

_MILLISECONDS: Final = {
    "millisecond": 1,
    "second": 1_000,
    "minute": 60_000,
    "hour": 3_600_000,
    "day": 86_400_000,
    "week": 604_800_000,
}
_MILLISECOND_DIGITS: Final = 3
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


def _unit(node: exp.Expr) -> str:
    unit = written_text(node, "The unit").lower()
    if unit not in UNITS:
        refuse_rewrite(f"The unit {unit!r} is not known; possible are {', '.join(UNITS)}")
    return unit


def _concat(_node: exp.Anonymous, values: list[exp.Expr]) -> exp.Expr:
    joined = values[0]
    for value in values[1:]:
        joined = exp.DPipe(this=joined, expression=value)
    return exp.Paren(this=joined)


def _greatest(node: exp.Anonymous, values: list[exp.Expr]) -> exp.Expr:
    empty = [exp.Is(this=value.copy(), expression=exp.Null()) for value in values]
    return choose((exp.or_(*empty), exp.Null()), otherwise=call(node.name, *values))


def _substr(_node: exp.Anonymous, values: list[exp.Expr]) -> exp.Expr:
    if [value.sql() for value in values[1:]] == ["1", "1"] and values[0].name == "wb_json_format":
        # The first character of a JSON text is the same however its numbers are written.
        return call("left", cast(values[0].expressions[0], "VARCHAR"), 1)
    return call("wb_substr" if len(values) == 3 else "wb_substr_rest", *values)  # noqa: PLR2004 - text, start, length


def _replace(_node: exp.Anonymous, values: list[exp.Expr]) -> exp.Expr:
    return call("wb_replace", *values, *([exp.Literal.string("")] if len(values) == 2 else []))  # noqa: PLR2004 - two arguments: the third is empty


def _pattern(node: exp.Expr, group: int = 0) -> exp.Expr:
    try:
        check_pattern(written_text(node, "A regular expression"), group)
    except PatternError as error:
        refuse_rewrite(str(error))
    return node


def _group(values: list[exp.Expr]) -> int:
    if len(values) < 3:  # noqa: PLR2004 - text, pattern, group
        return 0
    if not isinstance(values[2], exp.Literal) or values[2].is_string:
        refuse_rewrite("The group of a regular expression must be written as a number in the statement")
    return int(values[2].this)


def _regexp_like(_node: exp.Anonymous, values: list[exp.Expr]) -> exp.Expr:
    return call("regexp_matches", values[0], _pattern(values[1]))


def _regexp_extract(_node: exp.Anonymous, values: list[exp.Expr]) -> exp.Expr:
    group = _group(values)
    return call("wb_regexp_extract", values[0], _pattern(values[1], group), group)


def _regexp_extract_all(_node: exp.Anonymous, values: list[exp.Expr]) -> exp.Expr:
    group = _group(values)
    return call("regexp_extract_all", values[0], _pattern(values[1], group), group)


def _regexp_replace(_node: exp.Anonymous, values: list[exp.Expr]) -> exp.Expr:
    replacement = written_text(values[2], "The replacement") if len(values) > 2 else ""  # noqa: PLR2004 - the third argument
    try:
        written = duckdb_replacement(replacement)
    except PatternError as error:
        refuse_rewrite(str(error))
    return call("regexp_replace", values[0], _pattern(values[1]), written, "g")


def _regexp_count(_node: exp.Anonymous, values: list[exp.Expr]) -> exp.Expr:
    return call("len", call("regexp_extract_all", values[0], _pattern(values[1])))


def _regexp_split(_node: exp.Anonymous, values: list[exp.Expr]) -> exp.Expr:
    pattern = _pattern(values[1])
    if may_match_nothing(pattern.name):
        refuse_rewrite(f"regexp_split by {pattern.name!r}, which also matches nothing, differs between the engines")
    return call("regexp_split_to_array", values[0], pattern)


def _to_date(_node: exp.Anonymous, values: list[exp.Expr]) -> exp.Expr:
    return cast_value(values[0], type_at(values[0]), Type("date"), safe=False)


def _date_trunc(_node: exp.Anonymous, values: list[exp.Expr]) -> exp.Expr:
    unit, kind = _unit(values[0]), type_at(values[1])
    if unit in TIME_UNITS and kind.name == "date":
        refuse_rewrite(f"date_trunc({unit!r}, …) takes a timestamp, not a date")
    if kind.name == "date":
        return cast(call("date_trunc", unit, values[1]), kind)
    wall = local_time(values[1].copy(), kind)
    if kind.name == "timestamp":
        return call("date_trunc", unit, wall)
    if unit in TIME_UNITS and kind.fields:
        # In the hour a clock change repeats, the wall clock alone does not say which instant is meant.
        return call("wb_shift", values[1], wall, call("date_trunc", unit, wall.copy()))
    return instant(call("date_trunc", unit, wall), kind)


def _date_diff(_node: exp.Anonymous, values: list[exp.Expr]) -> exp.Expr:
    unit, one, other = _unit(values[0]), type_at(values[1]), type_at(values[2])
    if one.fields != other.fields and unit not in TIME_UNITS:
        refuse_rewrite(f"date_diff({unit!r}, …) takes two times in the same zone")
    first, second = local_time(values[1], one), local_time(values[2], other)
    if unit in TIME_UNITS:
        first, second = (_utc_time(value, kind) for value, kind in ((values[1], one), (values[2], other)))
    if unit in _MILLISECONDS:
        return call("wb_elapsed", first, second, _MILLISECONDS[unit])
    return call("wb_divide_integer", call("wb_months", first, second), _MONTHS[unit])


def _utc_time(value: exp.Expr, kind: Type) -> exp.Expr:
    return call("wb_utc", value) if kind.name == "timestamptz" else local_time(value, kind)


def _date_add(_node: exp.Anonymous, values: list[exp.Expr]) -> exp.Expr:
    unit, kind = _unit(values[0]), type_at(values[2])
    count = exp.Paren(this=values[1])
    if unit in _MONTHS:
        months = exp.Mul(this=count, expression=exp.Literal.number(_MONTHS[unit]))
        step = call("to_months", cast(months, "INTEGER"))
    else:
        step = call("to_microseconds", exp.Mul(this=count, expression=exp.Literal.number(_MILLISECONDS[unit] * 1000)))
    if kind.name == "date" and unit in TIME_UNITS:
        refuse_rewrite(f"date_add({unit!r}, …) takes a timestamp, not a date")
    if kind.name == "timestamptz" and unit not in TIME_UNITS:
        return instant(exp.Add(this=local_time(values[2], kind), expression=step), kind)
    added = exp.Paren(this=exp.Add(this=values[2], expression=step))
    return cast(added, kind) if kind.name == "date" else added


def _date_part(node: exp.Anonymous, values: list[exp.Expr]) -> exp.Expr:
    return date_part(node.name.lower(), values[0])


def date_part(name: str, value: exp.Expr) -> exp.Expr:
    """Return one field of a time, read off the clock of its zone."""
    kind = type_at(value)
    if name == "millisecond":
        return call("wb_millisecond", local_time(value, kind))
    part = _PARTS.get(name, name)
    if part not in ("year", "quarter", "month", "week", "day", "isodow", "dayofyear", "isoyear", *TIME_UNITS[1:]):
        refuse_rewrite(f"EXTRACT({name} …) is not in the declared subset")
    return call("date_part", part, local_time(value, kind))


def _last_day(_node: exp.Anonymous, values: list[exp.Expr]) -> exp.Expr:
    return call("last_day", local_time(values[0], type_at(values[0])))


def _at_timezone(_node: exp.Anonymous, values: list[exp.Expr]) -> exp.Expr:
    return values[0]


def _with_timezone(node: exp.Anonymous, values: list[exp.Expr]) -> exp.Expr:
    return instant(values[0], type_at(node))


def _formatted(values: list[exp.Expr], read: Callable[[str], str]) -> exp.Expr:
    try:
        pattern = read(written_text(values[1], "A format"))
    except FormatError as error:
        refuse_rewrite(str(error))
    kind = type_at(values[0])
    wall = local_time(values[0], kind)
    # Trino rounds to milliseconds first: a microsecond before midnight it shows the day to come.
    fine = kind.name != "date" and kind.numbers[0] > _MILLISECOND_DIGITS
    return call("strftime", call("wb_to_milliseconds", wall) if fine else wall, pattern)


def _date_format(_node: exp.Anonymous, values: list[exp.Expr]) -> exp.Expr:
    return _formatted(values, mysql_format)


def _format_datetime(_node: exp.Anonymous, values: list[exp.Expr]) -> exp.Expr:
    return _formatted(values, joda_format)


def _path(node: exp.Expr) -> exp.Expr:
    try:
        return exp.Literal.string(json_path(written_text(node, "A JSON path")))
    except PatternError as error:
        refuse_rewrite(str(error))


def _json(name: str) -> Rewrite:
    def rewrite(_node: exp.Anonymous, values: list[exp.Expr]) -> exp.Expr:
        # A value of type JSON is JSON: only a text may turn out not to be.
        family = name.replace("wb_json_", "wb_value_") if type_at(values[0]).name == "json" else name
        return call(family, values[0], _path(values[1]))

    return rewrite


def _json_scalar(_node: exp.Anonymous, values: list[exp.Expr]) -> exp.Expr:
    path = _path(values[1])
    if type_at(values[0]).name == "json":
        return (
            call("wb_json_whole_scalar", values[0])
            if path.name == "$"
            else call("wb_json_value_scalar", values[0], path)
        )
    key = re.search(r'\."([A-Za-z0-9_ -]+)"$', path.name)
    pattern = f'"{key[1]}"\\s*:\\s*(-?[0-9][0-9.eE+-]*)' if key else ""
    return call("wb_json_text_scalar", values[0], path, pattern)


def _whole(node: exp.Anonymous, values: list[exp.Expr]) -> exp.Expr:
    return cast(call("floor" if node.name.lower() == "floor" else "ceil", values[0]), type_at(node))


def _row(node: exp.Anonymous, values: list[exp.Expr]) -> exp.Expr:
    return cast(call("row", *values), type_at(node))


def _array_join(_node: exp.Anonymous, values: list[exp.Expr]) -> exp.Expr:
    return call("wb_array_join" if len(values) == 2 else "wb_array_join_null", *values)  # noqa: PLR2004 - array, delimiter


def _sequence(_node: exp.Anonymous, values: list[exp.Expr]) -> exp.Expr:
    if len(values) == 2:  # noqa: PLR2004 - from, to
        up = exp.LTE(this=values[0].copy(), expression=values[1].copy())
        values = [*values, choose((up, exp.Literal.number(1)), otherwise=exp.Literal.number(-1))]
    return call("wb_sequence", *values)


def _match(name: str, *, negate: bool = False) -> Rewrite:
    def rewrite(_node: exp.Anonymous, values: list[exp.Expr]) -> exp.Expr:
        found = call(name, call("list_transform", *values))
        return exp.Paren(this=exp.Not(this=found)) if negate else found

    return rewrite


CALLS: Final[dict[str, Rewrite]] = {
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
    "whole": _whole,
    "array_join": _array_join,
    "sequence": _sequence,
    "any_match": _match("wb_any"),
    "all_match": _match("wb_all"),
    "none_match": _match("wb_any", negate=True),
}
