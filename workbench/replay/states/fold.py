"""States by the fold in Python: the engine selects and orders the events, in pages, so that memory does not grow."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import msgspec
import polars as pl

from workbench.replay.facts import make_facts
from workbench.replay.folding.cancels import judge_cancels
from workbench.replay.folding.fact import FACT_COLUMNS, Fact
from workbench.replay.folding.fold import Entity, Folder, find_cancels, fold_ordered
from workbench.replay.folding.paths import Path
from workbench.replay.projection import Field, Projection
from workbench.replay.sql.expressions import Filter, is_quotable, scalar_at

# Runs a statement with parameters; ``stream_ids`` allows the layout by stream.
Ask = Callable[..., pl.DataFrame]
# Events that are fetched at once: about 100 MB as Python values.
PAGE: Final = 100_000
NEEDED: Final = ("position", "source", "stream_id", "event_type", "occurred_at", "event_id")


def fold_states(ask: Ask, projection: Projection, chosen: Filter) -> dict[str, Entity]:
    """Return the states of the entities that the chosen events touch, by name."""
    cancelled = find_cancelled(ask, projection, chosen)
    folder, entities = Folder(projection), dict[str, Entity]()
    for facts in fetch_pages(ask, projection, chosen):
        fold_ordered(folder, facts, cancelled, entities)
    return entities


def find_cancelled(ask: Ask, projection: Projection, chosen: Filter) -> frozenset[int]:
    """Return the positions of the events that cancels of the cut leave out."""
    facts = fetch_cancels(ask, projection, chosen)
    return judge_cancels(find_cancels(projection, facts)).cancelled


def fetch_cancels(ask: Ask, projection: Projection, chosen: Filter) -> list[Fact]:
    """Return the cancels of a cut and the events they name, without payloads where those cancel nothing."""
    rule = projection.cancels
    if rule is None:
        return []
    own = msgspec.structs.replace(
        chosen, event_types=rule.event_types, stream_ids=chosen.stream_ids if rule.in_stream else None
    )
    facts = fetch(ask, (*NEEDED, *columns_of([rule.target])), own)
    if not facts:
        return []
    within = None
    if is_quotable(rule.target):
        named, parameters = msgspec.structs.replace(own, stream_ids=None).conditions("c")
        targets = f"e.event_id in (select {scalar_at(rule.target, 'c')} from events as c{where_of(named)})"  # noqa: S608 - our own names; values are bound or quoted
        within = (targets, parameters)
    others = fetch(ask, NEEDED, msgspec.structs.replace(own, event_types=None), within=within)
    return list({fact.position: fact for fact in [*others, *facts]}.values())


def fetch_pages(ask: Ask, projection: Projection, chosen: Filter) -> Iterator[list[Fact]]:
    """Yield the events that may count, in the projection's order."""
    columns = needed_columns(projection)
    chosen = msgspec.structs.replace(chosen, event_types=projection.event_types)
    if chosen.stream_ids is not None:
        yield fetch(ask, columns, chosen, order=projection.order)
        return
    for extra, parameters in find_pages(ask, projection, chosen):
        yield fetch(ask, columns, chosen, order=projection.order, within=(extra, parameters))


def find_pages(ask: Ask, projection: Projection, chosen: Filter) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the conditions of the pages: ranges of positions, or of hours, of about PAGE events each."""
    where, parameters = chosen.conditions("e")
    by = place(projection)
    key = f"e.position / {PAGE // 10}" if by == "position" else "date_trunc('hour', e.occurred_at)"
    text = (
        f"select {key} as page, count(*) as events, min(e.{by}) as low, max(e.{by}) as high "  # noqa: S608 - our own names
        f"from events as e{where_of(where)} group by 1 order by 1"
    )
    low, high, total = None, None, 0
    for _, events, least, most in ask(text, parameters).iter_rows():
        if total and total + events > PAGE:
            yield page_of(projection, low, high)
            low, total = None, 0
        low, high, total = least if low is None else low, most, total + events
    if total:
        yield page_of(projection, low, high)


def place(projection: Projection) -> str:
    """Return the column by which a projection's events are paged."""
    return "position" if projection.order == "position" else "occurred_at"


def page_of(projection: Projection, low: Any, high: Any) -> tuple[str, dict[str, Any]]:
    """Return the condition of a page and its parameters."""
    column = place(projection)
    return f"e.{column} >= :page_low and e.{column} <= :page_high", {"page_low": low, "page_high": high}


def fetch(
    ask: Ask,
    columns: Sequence[str],
    chosen: Filter,
    *,
    order: str = "position",
    within: tuple[str, dict[str, Any]] | None = None,
) -> list[Fact]:
    """Return chosen events in an order."""
    where, parameters = chosen.conditions("e")
    if within is not None:
        where, parameters = [*where, within[0]], {**parameters, **within[1]}
    names = ", ".join(f"e.{name}" for name in columns)
    by = "e.position" if order == "position" else "e.occurred_at, e.position"
    text = f"select {names} from events as e{where_of(where)} order by {by}"  # noqa: S608 - our own names; values are bound or quoted
    options = {} if chosen.stream_ids is None else {"stream_ids": list(chosen.stream_ids)}
    return make_facts(ask(text, parameters, **options), columns)


def where_of(conditions: Sequence[str]) -> str:
    """Return a WHERE clause, empty for no conditions."""
    return f" where {' and '.join(conditions)}" if conditions else ""


def needed_columns(projection: Projection) -> tuple[str, ...]:
    """Return the columns that a fold of the projection reads."""
    if projection.is_open:
        return (*NEEDED, "data") if projection.reduce is None else FACT_COLUMNS
    paths = [*projection.entity, *(path for field in projection.fields for path in field_paths(field))]
    return tuple(dict.fromkeys((*NEEDED, *columns_of(paths))))


def columns_of(paths: Sequence[Path]) -> tuple[str, ...]:
    """Return the columns that paths lead into, beside those every fold needs."""
    return tuple(dict.fromkeys(path.column for path in paths if path.column not in NEEDED))


def field_paths(field: Field) -> Iterator[Path]:
    """Yield the paths that a field reads."""
    for source in field.sources:
        if source.path is not None:
            yield source.path
        for condition in source.when:
            yield condition.path
    if field.by is not None:
        yield field.by
