"""Generated logs and projections: ties, late and back-dated events, nulls, absences, values of every kind, cancels."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import polars as pl
import pyarrow as pa
from hypothesis import strategies as st

from workbench.errors import ProjectionError
from workbench.query.base import Relation
from workbench.query.duckdb.engine import DuckDBEngine
from workbench.replay.declaration import make_projection
from workbench.replay.folding.cut import Cut
from workbench.replay.folding.fact import FACT_COLUMNS, Fact
from workbench.replay.folding.fold import fold_facts
from workbench.replay.projection import Projection
from workbench.replay.states.frame import frame_entities
from workbench.replay.states.states import Ask

START: Final = datetime(2026, 1, 31, 22, 0, tzinfo=UTC)
COLUMNS: Final = {
    "position": "bigint",
    "event_id": "varchar",
    "source": "varchar",
    "stream_id": "varchar",
    "event_type": "varchar",
    "occurred_at": "timestamp(6) with time zone",
    "recorded_at": "timestamp(6) with time zone",
    "stream_version": "bigint",
    "schema_version": "integer",
    "actor_id": "varchar",
    "actor_kind": "varchar",
    "correlation_id": "varchar",
    "causation_id": "varchar",
    "data": "varchar",
    "metadata": "varchar",
}
_ARROW: Final = {
    "bigint": pa.int64(),
    "integer": pa.int32(),
    "varchar": pa.string(),
    "timestamp(6) with time zone": pa.timestamp("us", tz="UTC"),
}
TYPES: Final = ("Opened", "Paid", "Moved", "Cancelled")
STREAMS: Final = ("s1", "s2", "é")
# Values as they may stand in a payload: every kind, and what is easily read wrongly.
VALUES: Final = (
    *("null", "0", "-0", "7", "-12", "9007199254740993", "9223372036854775807", "-9223372036854775808"),
    *("12.50", "12.5", "1e2", "0.00001", "-0.0", "1.005", "12345678901234567.89", "99999999999999999999.5", "1.0"),
    *('"7"', '"007"', '"+7"', '" 7"', '"7\\n"', '"-0"', '"12.50"', '"12.500"', '"1e2"', '"9223372036854775808"'),
    *(
        '"true"',
        "true",
        "false",
        '""',
        '"x"',
        '"y"',
        '"null"',
        '"{}"',
        '"[1]"',
        '"t.e"',
        '"a\\"b\\\\c"',
        '"\\u00e9\\n"',
    ),
    *('"99999999999999999999999999999999999999"', '"-99999999999999999999999999999999999.99"', '"é😀"', '"it\'s"'),
    *("{}", "[]", '{"b":1.50}', '{"b":"z"}', '{"b":null}', '{"c":1}', '[1,"x"]', '{"z":1,"a":[2.0,{"y":1e2}]}'),
)
PATHS: Final = (
    "data.a",
    "data.a.b",
    "data.n",
    "metadata.m",
    "actor_id",
    "actor_kind",
    "schema_version",
    "causation_id",
)
TEXTS: Final = ("7", "x", "true", "12.50", "z", "ai", "")


def members() -> st.SearchStrategy[str]:
    """Return payloads: mostly objects with some of the members the projections read."""
    value = st.sampled_from(VALUES)
    pairs = st.lists(st.tuples(st.sampled_from(("a", "n", "m", "t")), value), unique_by=lambda pair: pair[0])
    objects = pairs.map(lambda found: "{" + ",".join(f'"{name}":{text}' for name, text in found) + "}")
    return st.one_of(objects, objects, objects, st.sampled_from(("[1]", '"x"', "null")))


@st.composite
def logs(draw: st.DrawFn, *, most: int = 24) -> list[Fact]:
    """Return a log: positions without gaps, times that tie and run backwards, cancels of anything and of nothing."""
    count = draw(st.integers(1, most))
    return [_fact(draw, position) for position in range(count)]


def _fact(draw: st.DrawFn, position: int) -> Fact:
    event_type = draw(st.sampled_from(TYPES))
    data = draw(st.one_of(st.none(), members(), members(), members()))
    if event_type == "Cancelled":
        named = draw(
            st.one_of(st.integers(0, position + 2).map(lambda number: f'"e{number}"'), st.sampled_from(VALUES))
        )
        data = f'{{"t":{named}}}'
    return Fact(
        position=position,
        event_id=f"e{position}",
        source=draw(st.sampled_from(("one", "one", "one", "two"))),
        stream_id=draw(st.sampled_from((STREAMS[0], *STREAMS))),
        event_type=event_type,
        occurred_at=START + timedelta(microseconds=draw(st.integers(-3, 3))),
        recorded_at=draw(st.one_of(st.none(), st.just(START + timedelta(seconds=position)))),
        stream_version=position,
        schema_version=draw(st.integers(1, 2)),
        actor_id=draw(st.sampled_from((None, "7", "x", "it's"))),
        actor_kind=draw(st.sampled_from((None, "ai", "human"))),
        causation_id=draw(st.sampled_from((None, "e0", "12"))),
        data=data,
        metadata=draw(st.one_of(st.none(), members())),
    )


KINDS: Final = {
    "last": ("json", "text", "integer", "decimal", "boolean", "time"),
    "first": ("json", "text", "integer", "decimal", "boolean", "time"),
    "sum": ("integer", "decimal"),
    "count": ("integer",),
    "min": ("integer", "decimal", "text", "time"),
    "max": ("integer", "decimal", "text", "time"),
    "set": ("text", "integer"),
    "list": ("text", "integer"),
    "machine": ("text",),
}
FOLDED: Final = {"text": ("json",), "merge": ("json",), "set": ("json",), "list": ("json",)}


@st.composite
def conditions(draw: st.DrawFn) -> dict[str, Any]:
    """Return a condition of a source."""
    condition: dict[str, Any] = {"path": draw(st.sampled_from(PATHS))}
    if draw(st.booleans()):
        condition["in"] = draw(st.lists(st.sampled_from(TEXTS), min_size=1, max_size=2))
    if draw(st.booleans()):
        condition["negated"] = True
    return condition


@st.composite
def sources(draw: st.DrawFn, rule: str, kind: str) -> dict[str, Any]:
    """Return a source of a field."""
    source: dict[str, Any] = {}
    if draw(st.booleans()):
        source["event_types"] = draw(st.lists(st.sampled_from(TYPES[:3]), min_size=1, max_size=2, unique=True))
    if kind == "time":
        source["value"] = draw(st.sampled_from(("occurred_at", "recorded_at")))
    elif draw(st.integers(0, 4)) == 0:
        source["constant"] = draw(st.sampled_from(("x", 7, True, 12.5, "12.50", {"b": [1.5]})))
    elif rule == "last" and draw(st.integers(0, 6)) == 0:
        source["clears"] = True
    else:
        source["value"] = draw(st.sampled_from(("data", "data.a", *PATHS)))
        if draw(st.integers(0, 3)) == 0:
            replaced = st.sampled_from(("x", 7, None, "12.50", {"b": 1}))
            source["values"] = draw(st.dictionaries(st.sampled_from(TEXTS), replaced, min_size=1, max_size=2))
    if rule in ("set", "sum") and draw(st.booleans()):
        source["removes"] = True
    if draw(st.integers(0, 2)) == 0:
        source["when"] = draw(st.lists(conditions(), min_size=1, max_size=2))
    return source


@st.composite
def fields(draw: st.DrawFn, kinds: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Return a field of a projection."""
    rule = draw(st.sampled_from(sorted(kinds)))
    kind = draw(st.sampled_from(kinds[rule]))
    field: dict[str, Any] = {"rule": rule, "kind": kind}
    field["from"] = draw(st.lists(sources(rule, kind), min_size=1, max_size=3))
    if kind == "decimal":
        field["scale"] = draw(st.sampled_from((0, 2)))
    if rule in ("last", "first"):
        field["takes_null"], field["takes_absent"] = draw(st.booleans()), draw(st.booleans())
    if rule == "machine" and draw(st.booleans()):
        field["moves"] = draw(st.dictionaries(st.sampled_from(TEXTS), st.lists(st.sampled_from(TEXTS), max_size=3)))
        field["initial"] = draw(st.sampled_from((None, "x")))
    if rule == "text" and draw(st.booleans()):
        field["by"] = "actor_kind"
    return field


@st.composite
def projections(draw: st.DrawFn, *, kinds: Mapping[str, Sequence[str]] | None = None) -> Projection:
    """Return a projection of a few fields, by either order, with cancels or without."""
    made = draw(st.lists(fields(kinds or KINDS), min_size=1, max_size=4))
    table: dict[str, Any] = {
        "name": "generated",
        "order": draw(st.sampled_from(("position", "occurred"))),
        "entity": draw(
            st.sampled_from(("stream_id", "stream_id", "stream_id", "actor_id", ("actor_id", "causation_id")))
        ),
        "fields": {f"f{number}": field for number, field in enumerate(made)},
    }
    if draw(st.booleans()):
        table["cancels"] = {"event_types": ["Cancelled"], "target": "data.t", "in_stream": draw(st.booleans())}
    return make_projection(table)


@st.composite
def cuts(draw: st.DrawFn) -> Cut:
    """Return a cut of a generated log."""
    return Cut(
        up_to=draw(st.one_of(st.none(), st.integers(-1, 20))),
        as_of=draw(st.one_of(st.none(), st.integers(-3, 3).map(lambda step: START + timedelta(microseconds=step)))),
    )


def keep(facts: Sequence[Fact], cut: Cut) -> list[Fact]:
    """Return the events of a cut."""
    return [
        fact
        for fact in facts
        if (cut.up_to is None or fact.position <= cut.up_to) and (cut.as_of is None or fact.occurred_at <= cut.as_of)
    ]


def expect(projection: Projection, facts: Sequence[Fact], cut: Cut) -> pl.DataFrame | None:
    """Return the states that the reference fold makes of a cut, None for a sum beyond what it may be."""
    try:
        return frame_entities(projection, fold_facts(projection, keep(facts, cut)))
    except ProjectionError:
        return None


def to_table(facts: Sequence[Fact]) -> pa.Table:
    """Return events as rows of the log."""
    arrays = {name: pa.array([getattr(fact, name) for fact in facts], _ARROW[kind]) for name, kind in COLUMNS.items()}
    assert set(arrays) == set(FACT_COLUMNS)
    return pa.table(arrays)


def ask_facts(engine: DuckDBEngine, facts: Sequence[Fact]) -> Ask:
    """Return what asks an engine about events held in memory."""
    rows = to_table(facts)
    events = Relation(name="events", columns=COLUMNS, version="1", arrow=lambda: rows)

    def ask(statement: str, parameters: Mapping[str, Any], **_options: Any) -> pl.DataFrame:
        return engine.query(statement, parameters, {"events": events})

    return ask
