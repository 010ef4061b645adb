"""The events that an entity's state rests on, fetched from an engine."""

import re
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from itertools import repeat
from typing import Any, Final

import msgspec
import polars as pl
import pyarrow as pa

from workbench.decode.registry import Registry
from workbench.replay.folding.cut import Cut
from workbench.replay.folding.fact import FACT_COLUMNS, Fact
from workbench.replay.projection import Projection

# Asks an engine: statement, parameters, the streams it is about (None: all).
Ask = Callable[[str, Mapping[str, Any], Sequence[str] | None], pl.DataFrame]
# Events that are asked for by their positions: those that set an entity's fields, of a stream of thousands.
FEW: Final = 64
# A name that stands in a payload's text as it is, so that the engine can look for it before JSON is read.
PLAIN: Final = re.compile(r"[A-Za-z0-9 _.:/@+-]+")


def load_facts(ask: Ask, projection: Projection, entities: Sequence[str], cut: Cut) -> list[Fact]:
    """Return the events of a cut that touch the entities, with the cancels that may leave some out, by position."""
    return make_facts(load_events(ask, projection, entities, cut))


def load_events(
    ask: Ask, projection: Projection, entities: Sequence[str], cut: Cut, columns: Sequence[str] = FACT_COLUMNS
) -> pl.DataFrame:
    """Return the same events as a frame, some of a fact's columns, position among them."""
    conditions, parameters = cut.conditions()
    streams = None
    if projection.is_by_stream:
        streams = list(entities)
        named = {f"entity_{number}": name for number, name in enumerate(entities)}
        conditions.append(f"stream_id in ({', '.join(f':{name}' for name in named)})")
        parameters |= named
    elif all(map(PLAIN.fullmatch, entities)):
        paths = sorted({path.column for path in projection.entity})
        named = {f"entity_{number}": name for number, name in enumerate(entities)}
        found = [f"strpos({column}, :{name}) > 0" for column in paths for name in named]
        conditions.append(f"({' or '.join([*found, _is_cancel(projection, parameters)])})")
        parameters |= named
    events = fetch_events(ask, columns, conditions, parameters, streams)
    if streams is None or projection.cancels is None or projection.cancels.in_stream:
        return events
    # Cancels of the whole log: their targets may stand in any stream.
    conditions, parameters = cut.conditions()
    conditions.append(_is_cancel(projection, parameters))
    elsewhere = fetch_events(ask, columns, conditions, parameters, None)
    return pl.concat([events, elsewhere]).unique("position").sort("position")


def merge_facts(*groups: Iterable[Fact]) -> list[Fact]:
    """Return the events of several groups, each once, by position."""
    found = {fact.position: fact for group in groups for fact in group}
    return [found[position] for position in sorted(found)]


def _is_cancel(projection: Projection, parameters: dict[str, Any]) -> str:
    types = () if projection.cancels is None else projection.cancels.event_types
    named = {f"cancel_{number}": name for number, name in enumerate(types)}
    parameters |= named
    return f"event_type in ({', '.join(f':{name}' for name in named)})" if named else "false"


def fetch_facts(
    ask: Ask, conditions: Sequence[str], parameters: Mapping[str, Any], streams: Sequence[str] | None
) -> list[Fact]:
    """Return the events that meet all conditions, by position."""
    return make_facts(fetch_events(ask, FACT_COLUMNS, conditions, parameters, streams))


def fetch_events(
    ask: Ask,
    columns: Sequence[str],
    conditions: Sequence[str],
    parameters: Mapping[str, Any],
    streams: Sequence[str] | None,
) -> pl.DataFrame:
    """Return columns of the events that meet all conditions, by position."""
    where = f" where {' and '.join(conditions)}" if conditions else ""
    statement = f"select {', '.join(columns)} from events{where}"  # noqa: S608 - our own names; values are bound
    events = ask(statement, parameters, streams)
    # Files are ordered by position, so that an engine in process returns them so: no engine need sort payloads.
    return events if events["position"].is_sorted() else events.sort("position")


def make_facts(events: pl.DataFrame, names: Container[str] = FACT_COLUMNS) -> list[Fact]:
    """Return the rows of a frame as facts, in their order, with those of the named columns that it has."""
    return list(iterate_facts(events, names, {}))


def iterate_facts(events: pl.DataFrame, names: Container[str], instead: Mapping[str, Any]) -> Iterator[Fact]:
    """Yield the same, with values ``instead`` of columns that are not read."""
    known = {name for name in events.columns if name in names}
    last = max(number for number, name in enumerate(FACT_COLUMNS, 1) if name in known or name in instead)
    columns = [events[name].to_list() if name in known else repeat(instead.get(name)) for name in FACT_COLUMNS[:last]]
    return map(Fact, *columns)


def assume_rows(rows: pa.Table, registry: Registry, *, behind: int | None) -> list[Fact]:
    """Return encoded events as if they stood behind a position of the log, lifted by a registry."""
    facts = []
    for position, row in enumerate(rows.to_pylist(), start=-1 if behind is None else behind + 1):
        given = {name: row[name] for name in FACT_COLUMNS if name in row}
        fact = Fact(**{**given, "position": max(position, 0)})
        facts.append(_lift(fact, registry, fact.schema_version, fact.data))
    return facts


def reread_facts(ask: Ask, facts: Sequence[Fact], registry: Registry) -> list[Fact]:
    """Return events with their payloads as they were written, lifted by another registry than the session's."""
    stored = fetch_stored(ask, facts)
    return [_lift(fact, registry, *stored.get(fact.position, (fact.schema_version, fact.data))) for fact in facts]


def fetch_stored(ask: Ask, facts: Sequence[Fact]) -> dict[int, tuple[int, str | None]]:
    """Return the schema versions and payloads of events as they were written, by position."""
    streams = sorted({fact.stream_id for fact in facts})
    named: dict[str, Any] = {f"stream_{number}": name for number, name in enumerate(streams)}
    if not named:
        return {}
    conditions = [f"stream_id in ({', '.join(f':{name}' for name in named)})"]
    if len(facts) <= FEW:
        places = {f"position_{number}": fact.position for number, fact in enumerate(facts)}
        conditions.append(f"position in ({', '.join(f':{name}' for name in places)})")
        named |= places
    statement = f"select position, schema_version, data from events_stored where {' and '.join(conditions)}"  # noqa: S608 - our own names; values are bound
    rows = ask(statement, named, streams).rows()
    return {position: (version, data) for position, version, data in rows}


def _lift(fact: Fact, registry: Registry, version: int, data: str | None) -> Fact:
    version, data = registry.upcast(fact.event_type, version, data)
    return msgspec.structs.replace(fact, schema_version=version, data=data)
