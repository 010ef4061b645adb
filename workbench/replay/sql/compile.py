"""A projection as one SELECT in the declared subset: a row an entity, with raw columns that `states_frame` reads.

The columns of field number ``n``: ``vn`` its value; ``cn`` how many items there were; ``en`` how many events could not
be read; ``hn`` how many decimals are too great for a sum in SQL; ``mn`` the moves outside a machine. A row without an
entity stands for cancels whose effect the statement cannot tell.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from workbench.decode.registry import Registry
from workbench.query.upcast.text import quote_text
from workbench.replay.folding.paths import TIMES
from workbench.replay.projection import LONGEST, Field, Projection
from workbench.replay.sql.cancelling import Corrections, join_cancels
from workbench.replay.sql.expressions import FINEST, Filter, is_quotable, is_written, quote_texts, read_text, sql_type
from workbench.replay.sql.readings import NO, Found, Readings, condition_paths, find_field

# Longer statements take longer to judge than to run.
MOST_FIELDS: Final = 100


class Compiled(msgspec.Struct, frozen=True, kw_only=True):
    """A statement with its parameters."""

    statement: str
    parameters: dict[str, Any]


def is_compilable(projection: Projection) -> bool:
    """Tell whether a projection can be run as SQL."""
    if projection.is_folded or len(projection.fields) > MOST_FIELDS:
        return False
    if any(path.in_json or path.column in TIMES for path in projection.entity):
        return False
    sources = [source for field in projection.fields for source in field.sources]
    paths = [source.path for source in sources if source.path is not None and source.path.column not in TIMES]
    paths += condition_paths(projection)
    if projection.cancels is not None:
        paths.append(projection.cancels.target)
    if any(field.rule == "sum" and field.scale > FINEST for field in projection.fields):
        return False
    return all(is_quotable(path) for path in paths)


def compile_projection(
    projection: Projection,
    chosen: Filter,
    corrections: Corrections | None = None,
    *,
    registry: Registry | None = None,
) -> Compiled:
    """Return the statement of a projection's states over chosen events.

    ``corrections`` are given where the cancels were judged. With a registry payloads are read as they were written
    where SQL can say what stands in the lifted ones; else `events` is read, which lifts them.
    """
    readings, found = find_fields(projection, registry)
    events, parameters = select_events(projection, chosen, readings, corrections)
    fields = list(enumerate(projection.fields))
    texts = ", ".join(part for number, field in fields for part in field_texts(number, field, found[number]))
    values = ", ".join(part for number, field in fields for part in field_values(number, field))
    totals = [part for number, field in fields for part in field_totals(projection, number, field)]
    shown = [part for number, field in fields for part in field_answers(number, field)]
    base = "entity_id, position, occurred_at"
    statement = (
        f"{events}, read as (select {base}, {texts} from {read_scalars(readings)}), "  # noqa: S608 - names of our own, texts quoted
        f"valued as (select {base}, {values} from read), "
        "totals as (select entity_id, count(*) as event_count, max(position) as position, "
        f"max(occurred_at) as occurred_at, {', '.join(totals)} from valued group by entity_id) "
        f"select entity_id, {', '.join(shown)}, event_count, position, occurred_at from totals"
    )
    return Compiled(statement=statement, parameters=parameters)


def find_fields(projection: Projection, registry: Registry | None) -> tuple[Readings, list[Found]]:
    """Return what a projection reads and what its fields find there, of lifted events or of those written."""
    is_older = registry is not None and any(kind.current > kind.first for kind in registry.types.values())
    for known in (registry, None) if is_older else (None,):
        readings = Readings(projection, known)
        found = [find_field(readings, field) for field in projection.fields]
        if known is None or (readings.can_lift() and not cancels_older(projection, known)):
            break
    return readings, found


def cancels_older(projection: Projection, registry: Registry) -> bool:
    """Tell whether a projection's cancels are of types that have older versions."""
    types = () if projection.cancels is None else projection.cancels.event_types
    kinds = [registry.types[name] for name in types if name in registry.types]
    return any(kind.current > kind.first for kind in kinds)


def select_events(
    projection: Projection, chosen: Filter, readings: Readings, corrections: Corrections | None
) -> tuple[str, dict[str, Any]]:
    """Return the WITH clause up to the events that count, and its parameters.

    Where cancels were not judged, those whose effect a statement cannot tell are chosen as well, for no entity.
    """
    relation = "events" if readings.registry is None else "events_stored"
    where, parameters = msgspec.structs.replace(chosen, event_types=projection.event_types).conditions("e")
    found = join_cancels(projection, chosen, relation)
    doubt = found.doubt if corrections is None else NO
    if projection.cancels is not None:
        is_kept = found.is_spared if corrections is None else correct(found.is_spared, corrections)
        where = widen(projection, chosen) if corrections is None else where
        where.append(f"({doubt} or (not {found.is_cancel} and {is_kept}))")
    columns = ["e.position", "e.occurred_at", *(f"e.{name}" for name in carried(readings))]
    columns += [f"e.{name}" for name in readings.documents()]
    selects = [
        f"select {', '.join([f'{entity} as entity_id', *columns])}, {readings.tag()} as tag "  # noqa: S608 - names of our own, texts quoted
        f"from {relation} as e{found.join} where {' and '.join([*where, test])}"
        for entity, test in select_entities(projection, doubt)
    ]
    return f"with {found.parts}chosen as ({' union all '.join(selects)})", parameters


def widen(projection: Projection, chosen: Filter) -> list[str]:
    """Return the conditions on events and on the cancels that may be named by others."""
    rule = projection.cancels
    cancels = () if rule is None else rule.event_types
    types = None if projection.event_types is None else sorted({*projection.event_types, *cancels})
    if rule is None or rule.in_stream or chosen.stream_ids is None:
        return msgspec.structs.replace(chosen, event_types=types).conditions("e")[0]
    cut = msgspec.structs.replace(chosen, event_types=types, stream_ids=None).conditions("e")[0]
    return [*cut, f"(e.stream_id in ({quote_texts(chosen.stream_ids)}) or e.event_type in ({quote_texts(cancels)}))"]


_BASE: Final = ("position", "occurred_at")


def carried(readings: Readings) -> list[str]:
    """Return the columns of the envelope that are read further on."""
    lifted = ("event_type", "schema_version") if readings.registry is not None else ()
    return [name for name in dict.fromkeys((*readings.columns, *lifted)) if name not in _BASE]


def correct(condition: str, corrections: Corrections) -> str:
    """Return the condition that an event is not cancelled, put right where cancels were judged."""
    if corrections.restored:
        condition = f"({condition} or e.position in ({', '.join(map(str, corrections.restored))}))"
    if corrections.cancelled:
        condition = f"{condition} and e.position not in ({', '.join(map(str, corrections.cancelled))})"
    return condition


def select_entities(projection: Projection, doubt: str) -> list[tuple[str, str]]:
    """Return the expressions of an event's entities, each with the condition under which it is one more.

    Events for which the condition ``doubt`` holds have none.
    """
    names = [f"e.{path.column}" for path in dict.fromkeys(projection.entity)]
    texts = [f"cast({name} as varchar)" for name in names]
    found = []
    for number, (name, text) in enumerate(zip(names, texts, strict=True)):
        others = (f"coalesce({text} <> {other}, true)" for other in texts[:number])
        test = " and ".join([f"{name} is not null", *others])
        found.append((text, test))
    if doubt == NO:
        return found
    return [(f"case when not {doubt} then {text} end", f"({doubt} or ({test}))") for text, test in found]


def read_scalars(readings: Readings) -> str:
    """Return the subquery that adds JSON values, their kinds and their texts to the chosen events."""
    kept = [*_BASE, "entity_id", "tag", *carried(readings)]
    documents = readings.documents()
    every = [f"j{number}" for number in readings.numbers()]
    values = [f"{readings.json(number)} as j{number}" for number in readings.numbers()]
    kinds = [f"substr(json_format(j{number}), 1, 1) as k{number}" for number in sorted(readings.kinds)]
    plain = [f"json_extract_scalar(j{number}, '$') as x{number}" for number in sorted(readings.texts)]
    parsed = f"(select {', '.join([*kept, *documents, *values])} from chosen as e)"  # noqa: S608 - names of our own
    first = f"(select {', '.join([*kept, *documents, *every, *kinds, *plain])} from {parsed} as parsed)"  # noqa: S608 - the same
    texts = [scalar_text(number, readings.written(number)) for number in sorted(readings.texts)]
    names = [*kept, *every, *(f"k{number}" for number in sorted(readings.kinds)), *texts]
    return f"(select {', '.join(names)} from {first} as seen)"  # noqa: S608 - the same


def scalar_text(number: int, written: str) -> str:
    """Return the column of a scalar's text. An engine's JSON value rounds a number with a point: its text is read."""
    plain = f"k{number} = '\"' or x{number} is null or strpos(x{number}, '.') = 0"
    return f"case when {plain} then x{number} else {written} end as t{number}"


def place(projection: Projection) -> str:
    """Return the expression that orders events."""
    return "position" if projection.order == "position" else "row(occurred_at, position)"


def field_texts(number: int, field: Field, found: Found) -> list[str]:
    """Return the columns in which a field's parts are found."""
    parts = [f"{found.is_there} as p{number}"]
    if field.rule in ("last", "first"):
        parts += [f"{found.is_null} as n{number}"] if field.takes_null else []
        parts += [f"{found.is_absent} as b{number}"] if field.takes_absent else []
    if field.rule != "count":
        parts.append(f"{found.value if is_kept(field) else found.text} as s{number}")
    return [*parts, f"{found.removes} as r{number}"] if removes(field) else parts


def removes(field: Field) -> bool:
    """Tell whether values are taken out of a set, so that the last operation on each counts, or off a sum."""
    return any(source.removes for source in field.sources)


def addend(number: int, field: Field) -> str:
    """Return what an event adds to a sum."""
    value = f"v{number}" if field.kind == "decimal" else f"cast(v{number} as decimal(19,0))"
    return f"case when r{number} then -{value} else {value} end" if removes(field) else value


def is_kept(field: Field) -> bool:
    """Tell whether a field's values are kept as found, and not read out of a text."""
    return field.kind in ("json", "time")


def field_values(number: int, field: Field) -> list[str]:
    """Return the columns of a field's typed value."""
    parts = [f"p{number}"]
    if field.rule in ("last", "first"):
        parts += [f"n{number}"] if field.takes_null else []
        parts += [f"b{number}"] if field.takes_absent else []
    if field.rule == "count":
        return parts
    parts.append(f"{f's{number}' if is_kept(field) else read_text(field, f's{number}')} as v{number}")
    if field.rule == "sum" and field.kind == "decimal":
        parts.append(f"s{number}")
    return [*parts, f"r{number}"] if removes(field) else parts


def field_totals(projection: Projection, number: int, field: Field) -> list[str]:
    """Return the aggregates of a field."""
    value, by = f"v{number}", place(projection)
    there = f"filter (where {value} is not null)"
    made: dict[str, Callable[[], str]] = {
        "last": lambda: f"max_by({value}, {by}) filter (where {takes(number, field)})",
        "first": lambda: f"min_by({value}, {by}) filter (where {takes(number, field)})",
        "count": lambda: f"count_if(p{number})",
        "sum": lambda: f"sum({addend(number, field)})",
        "min": lambda: f"min({value})",
        "max": lambda: f"max({value})",
        "list": lambda: f"array_agg({value} order by {by}) {there}",
        "set": lambda: f"array_agg(distinct {value} order by {value}) {there}",
        "machine": lambda: f"max_by({value}, {by}) {there}",
    }
    totals = [f"{made[field.rule]()} as v{number}"]
    if field.rule == "set" and removes(field):
        operation = f"cast(row({value}, r{number}) as row(item {sql_type(field)}, removed boolean))"
        totals = [f"array_agg({operation} order by {by}) {there} as v{number}"]
    if field.rule == "machine" and field.moves is not None:
        move = f"cast(row(position, {value}) as row(at bigint, to_state varchar))"
        totals.append(f"array_agg({move} order by {by}) {there} as m{number}")
    if can_fail(field):
        # Nearly always none: a filter that lets no row through is half as dear as count_if.
        totals.append(f"count(*) filter (where p{number} and {value} is null) as e{number}")
    if field.rule == "sum" and field.kind == "decimal":
        written = is_written(field, f"s{number}")
        great = f"case when p{number} and {value} is null then {written} else false end"
        totals.append(f"count(*) filter (where {great}) as h{number}")
    return totals


def takes(number: int, field: Field) -> str:
    """Return the condition under which an event has a value for last or first, be it null."""
    tests = [f"v{number} is not null"]
    tests += [f"n{number}"] if field.takes_null else []
    tests += [f"b{number}"] if field.takes_absent else []
    return " or ".join(tests)


def can_fail(field: Field) -> bool:
    """Tell whether a field's value may be of another kind than the field."""
    return field.rule != "count" and field.kind != "json"


def field_answers(number: int, field: Field) -> list[str]:
    """Return the columns of the answer for a field."""
    value = f"v{number}"
    is_list = field.rule in ("list", "set") and not removes(field)
    shown = [f"slice({value}, 1, {LONGEST}) as {value}", f"cardinality({value}) as c{number}"] if is_list else [value]
    if field.rule == "machine" and field.moves is not None:
        shown.append(f"{illegal_moves(f'm{number}', field)} as m{number}")
    shown += [f"e{number}"] if can_fail(field) else []
    shown += [f"h{number}"] if field.rule == "sum" and field.kind == "decimal" else []
    return shown


def illegal_moves(moves: str, field: Field) -> str:
    """Return the moves outside a machine's rules, as an array of rows: position, from, to."""
    first = 2 if field.initial is None else 1
    before, after = f"element_at({moves}, i - 1).to_state", f"element_at({moves}, i).to_state"
    if field.initial is not None:
        before = f"if(i = 1, {quote_text(field.initial)}, {before})"
    names = "row(at bigint, from_state varchar, to_state varchar)"
    row = f"cast(row(element_at({moves}, i).at, {before}, {after}) as {names})"
    illegal = f"filter(sequence({first}, cardinality({moves})), i -> not ({legal_move(before, after, field)}))"
    return f"case when cardinality({moves}) >= {first} then transform({illegal}, i -> {row}) end"


def legal_move(before: str, after: str, field: Field) -> str:
    """Return the condition that a move is legal."""
    alike: dict[tuple[str, ...], list[str]] = {}
    for name, to in (field.moves or {}).items():
        alike.setdefault(tuple(to), []).append(name)
    known = [f"({among(before, names)} and {among(after, to)})" for to, names in alike.items() if to]
    return " or ".join(known) or NO


def among(text: str, names: Sequence[str]) -> str:
    """Return the condition that a text is one of some names."""
    return f"{text} in ({', '.join(quote_text(name) for name in names)})"
