"""CAST and TRY_CAST as Trino means them, by the types on both sides."""

from sqlglot import exp

from workbench.query.duckdb.build import call, cast, choose, each, refuse_rewrite
from workbench.query.subset.types import (
    EACH_ITS_OWN,
    INTEGERS,
    NUMBERS,
    VARCHAR,
    Type,
)

# The conditions under which Trino reads a text as a value, by the type wanted.
_TEXT_TESTS = {
    **dict.fromkeys(INTEGERS, "wb_is_integer_text"),
    "decimal": "wb_is_decimal_text",
    "double": "wb_is_double_text",
    "real": "wb_is_double_text",
    "boolean": "wb_is_boolean_text",
    "date": "wb_is_date_text",
    "timestamp": "wb_is_timestamp_text",
    "timestamptz": "wb_is_timestamp_text",
}
# What a text is read through before it is tested: signs and white space, and of a time its zone, are taken off.
_READ_THROUGH = {
    **dict.fromkeys(INTEGERS, "wb_java_trim"),
    "date": "wb_date_text",
    "timestamp": "wb_wall_text",
    "timestamptz": "wb_wall_text",
}
_MICROSECONDS = 6
# What these give is whole already.
_WHOLE = ("floor", "ceil")
_PLAIN_TEXT = (*INTEGERS, "decimal", "boolean", "date")
_TO_JSON = ("varchar", "boolean", *INTEGERS)


class CastError(ValueError):
    """A cast that is not in the subset."""


def local_time(value: exp.Expr, kind: Type) -> exp.Expr:
    """Return a time as the clock on the wall shows it, in the value's zone, as DuckDB's TIMESTAMP."""
    if kind.name == "timestamptz":
        return call("timezone", zone_of(kind), value) if kind.fields else call("wb_utc", value)
    return cast(value, "TIMESTAMP") if kind.name == "date" else value


def instant(value: exp.Expr, kind: Type) -> exp.Expr:
    """Return the moment at which the wall clock of the type's zone shows a DuckDB TIMESTAMP."""
    return call("timezone", zone_of(kind), value) if kind.fields else call("wb_instant", value)


def zone_of(kind: Type) -> exp.Expr:
    """Return the zone of a type as an expression: a text, or the parameter it was given by."""
    zone = kind.fields[0] if kind.fields else "UTC"
    if zone == EACH_ITS_OWN:
        refuse_rewrite("A time read from a text has the zone that text names; write at_timezone(…, 'UTC') around it")
    if zone[0] in "+-":
        return exp.Literal.string(f"GMT{zone}")
    if zone.startswith(":"):
        return cast(exp.Placeholder(this=zone[1:]), VARCHAR)
    return exp.Literal.string(zone)


def cast_value(  # noqa: C901, PLR0911 - one return for each pair of kinds
    value: exp.Expr, source: Type, target: Type, *, safe: bool
) -> exp.Expr:
    """Return a value cast from one type to another; raises CastError when the subset has no such cast."""
    if source.name == "unknown" or (source == target and source.name != "timestamptz"):
        return cast(value, target, safe=safe) if source.name == "unknown" else value
    if target.name == "varchar":
        return _to_text(value, source, safe=safe)
    if source.name == "varchar":
        return _from_text(value, target, safe=safe)
    if source.name == "json":
        return _from_json(value, target, safe=safe)
    if source.name in NUMBERS and target.name in NUMBERS:
        return _number(value, source, target, safe=safe)
    if {source.name, target.name} <= {"date", "timestamp", "timestamptz"}:
        return _time(value, source, target)
    if _is_boolean_number(source, target):
        return cast(value, target, safe=safe)
    if target.name == "json" and source.name in _TO_JSON:
        return call("to_json", value)
    if source.name == target.name == "array":
        return call("list_transform", value, each("wb_x", _item("wb_x", source.items[0], target.items[0], safe=safe)))
    if source.name == target.name == "row" and len(source.items) == len(target.items):
        return _row(value, source, target, safe=safe)
    raise CastError(f"A cast from {source} to {target} is not in the declared subset")


def _row(value: exp.Expr, source: Type, target: Type, *, safe: bool) -> exp.Expr:
    """Return a row cast field by field: DuckDB's own cast goes by the fields' names, Trino's by their places."""
    if source.fields == target.fields:
        return cast(value, target, safe=safe)
    parts = [
        cast_value(call("struct_extract_at", value.copy(), place), one, other, safe=safe)
        for place, (one, other) in enumerate(zip(source.items, target.items, strict=True), start=1)
    ]
    names = target.fields or tuple(f"field{place}" for place in range(len(parts)))
    named = zip(names, parts, strict=True)
    pairs = [exp.PropertyEQ(this=exp.to_identifier(name, quoted=True), expression=part) for name, part in named]
    empty = exp.Is(this=value, expression=exp.Null())
    return choose((exp.Not(this=empty), exp.Struct(expressions=pairs)))


def _is_boolean_number(source: Type, target: Type) -> bool:
    names = {source.name, target.name}
    return "boolean" in names and bool(names & set(NUMBERS))


def _item(name: str, source: Type, target: Type, *, safe: bool) -> exp.Expr:
    return cast_value(exp.column(name), source, target, safe=safe)


def _to_text(value: exp.Expr, source: Type, *, safe: bool) -> exp.Expr:
    if source.name in _PLAIN_TEXT:
        return cast(value, VARCHAR)
    if source.name == "double":
        return call("wb_double_text", value)
    if source.name == "timestamp":
        return call("wb_timestamp_text", value, source.numbers[0])
    if source.name == "timestamptz":
        text = call("wb_timestamp_text", local_time(value.copy(), source), source.numbers[0])
        zone = zone_of(source)
        if isinstance(zone, exp.Literal):
            zone = exp.Literal.string(zone.name.removeprefix("GMT"))
        return exp.DPipe(this=exp.DPipe(this=text, expression=exp.Literal.string(" ")), expression=zone)
    if source.name == "json":
        return call("wb_json_try_text" if safe else "wb_json_text", value)
    raise CastError(f"A cast from {source} to varchar is not in the declared subset")


def _from_text(value: exp.Expr, target: Type, *, safe: bool) -> exp.Expr:
    if target.name == "json":
        return call("to_json", value)
    test = _TEXT_TESTS.get(target.name)
    if test is None:
        raise CastError(f"A cast from varchar to {target} is not in the declared subset")
    through = _READ_THROUGH.get(target.name)
    seen = call(through, value.copy()) if through else value.copy()
    result = _read_text(value, seen, target, safe=safe)
    if safe:
        return choose((call(test, seen.copy()), result))
    bad = call("wb_bad_cast", value.copy(), str(target))
    empty = exp.Is(this=value.copy(), expression=exp.Null())
    return choose((exp.Or(this=empty, expression=call(test, seen.copy())), result), otherwise=bad)


def _read_text(value: exp.Expr, seen: exp.Expr, target: Type, *, safe: bool) -> exp.Expr:
    """Return the value of a text that was tested: ``seen`` is what the test saw of it."""
    if target.name in ("double", "real"):
        return cast(call("wb_number_text", seen), target, safe=safe)
    if target.name not in ("timestamp", "timestamptz"):
        return cast(seen, target, safe=safe)
    wall = cast(seen, "TIMESTAMP", safe=safe)
    if target.numbers[0] >= _MICROSECONDS:
        wall = exp.Add(this=wall, expression=call("to_microseconds", call("wb_seventh", value.copy())))
    if target.name == "timestamptz":
        wall = call("wb_try_zoned" if safe else "wb_zoned", value.copy(), wall)
    return _rounded(wall, target, _MICROSECONDS)


def _from_json(value: exp.Expr, target: Type, *, safe: bool) -> exp.Expr:
    if target.name == "array":
        items = call("wb_json_try_items" if safe else "wb_json_items", value)
        if target.items[0].name == "json":
            return items
        return _each_item(items, target.items[0], safe=safe)
    if target.name == "map" and target.items[0].name == "varchar":
        entries = call("wb_json_try_entries" if safe else "wb_json_entries", value)
        if target.items[1].name == "json":
            return entries
        keys, values = call("map_keys", entries.copy()), call("map_values", entries)
        read = _each_item(values, target.items[1], safe=safe)
        made = call("map", keys, read)
        return choose((exp.Not(this=exp.Is(this=read.copy(), expression=exp.Null())), made)) if safe else made
    if target.name in (*INTEGERS, "double", "boolean", "decimal"):
        prefix = "wb_json_try_" if safe else "wb_json_"
        if target.name == "decimal":
            return _from_text(call("wb_json_number_text", value), target, safe=safe)
        family = "integer" if target.name in INTEGERS else target.name
        return cast(call(f"{prefix}{family}", value), target, safe=safe)
    raise CastError(f"A cast from json to {target} is not in the declared subset")


def _each_item(items: exp.Expr, kind: Type, *, safe: bool) -> exp.Expr:
    """Return a list of JSON values cast one by one; TRY_CAST gives NULL for the list when it gives NULL for one."""
    if kind.name == "json":
        return items
    read = call("list_transform", items.copy(), each("wb_x", _item("wb_x", Type("json"), kind, safe=safe)))
    if not safe:
        return read
    null = exp.EQ(this=call("json_type", exp.column("wb_x")), expression=exp.Literal.string("NULL"))
    empty = exp.Is(this=_item("wb_x", Type("json"), kind, safe=True), expression=exp.Null())
    lost = call("list_filter", items, each("wb_x", exp.And(this=exp.Paren(this=empty), expression=exp.Not(this=null))))
    return choose((exp.EQ(this=call("len", lost), expression=exp.Literal.number(0)), read))


def _number(value: exp.Expr, source: Type, target: Type, *, safe: bool) -> exp.Expr:
    if source.name in ("double", "real"):
        if target.name in INTEGERS:
            # Trino rounds half away from zero; DuckDB's own cast rounds half to even.
            whole = isinstance(value, exp.Anonymous) and str(value.this).lower() in _WHOLE
            return cast(value if whole else call("round", value), target, safe=safe)
        if target.name == "decimal":
            # Trino rounds the shortest decimal text of the double half up; DuckDB's own cast multiplies in binary.
            return cast(cast(value, VARCHAR), target, safe=safe)
        if target.name == "real":
            return call("wb_real", value)
    return cast(value, target, safe=safe)


def _time(value: exp.Expr, source: Type, target: Type) -> exp.Expr:
    digits = source.numbers[0] if source.numbers else 0
    if target.name == "date":
        return cast(local_time(value, source), "DATE")
    if target.name == "timestamp":
        return _rounded(local_time(value, source), target, digits)
    moment = value if source.name == "timestamptz" else call("wb_instant", local_time(value, source))
    return _rounded(moment, target, digits)


def _rounded(value: exp.Expr, target: Type, digits: int) -> exp.Expr:
    """Round half up to the digits of the type, as Trino does when a cast drops some."""
    if target.name not in ("timestamp", "timestamptz") or target.numbers[0] >= digits:
        return value
    make = "make_timestamp" if target.name == "timestamp" else "make_timestamptz"
    return call(make, call("wb_round_micros", call("epoch_us", value), 10 ** (6 - target.numbers[0])))
