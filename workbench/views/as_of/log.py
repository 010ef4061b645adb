"""The log as As of sees it: its projections, its entities, and the events of one of them at a cut."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

import polars as pl

from workbench.errors import ArgumentError, UnsupportedOnThisLogError
from workbench.replay.facts import load_facts
from workbench.replay.folding.cut import Cut
from workbench.replay.folding.fact import Fact
from workbench.replay.folding.paths import Path
from workbench.replay.projection import Projection
from workbench.session import Session
from workbench.views.as_of.choices import AsOfChoices
from workbench.views.order import has_positions

SUGGESTED: Final = 8
COUNTED: Final = "count(*) as events, min(occurred_at) as first, max(occurred_at) as last"


def list_projections(session: Session) -> Mapping[str, Projection]:
    """Return the projections of the log by title, ``name@version``; ``document`` comes last."""
    found = {f"{each.name}@{each.version}": each for each in session.projections().values()}
    return dict(sorted(found.items(), key=lambda item: (item[1].is_open, item[1].name, -item[1].version)))


def choose_projection(session: Session, named: str | None) -> Projection:
    """Return the projection of a link, the first declared one without a name. Raises ArgumentError."""
    listed = list_projections(session)
    if named is None:
        return next(iter(listed.values()))
    known: Mapping[str, Projection] = {**session.projections(), **listed}
    if named not in known:
        raise ArgumentError(
            f"The link says projection={named}, and this log has {', '.join(listed)}. Choose one of them."
        )
    return known[named]


def check_positions(session: Session) -> None:
    """Refuse a log without positions. Raises UnsupportedOnThisLogError."""
    if not has_positions(session):
        raise UnsupportedOnThisLogError(
            "As of counts events by position, and this mapped log has none. Map a position column, or look at it in "
            "Timeline."
        )


def find_cut(session: Session, choices: AsOfChoices, *, as_of: datetime | None = None) -> Cut:
    """Return up to which position an answer counts: the link's basis, and what ``known_at`` allows."""
    head = session.head().position
    position = head if head is not None else -1
    if choices.basis is not None:
        position = min(position, choices.basis)
    if choices.known_at is not None:
        position = min(position, session.resolve_known_at(choices.known_at))
    return Cut(up_to=position, as_of=as_of)


def load_events(session: Session, projection: Projection, entities: Sequence[str], cut: Cut) -> list[Fact]:
    """Return the events of a cut that touch the entities, and the cancels that may leave some out, by position."""
    return load_facts(session._ask, projection, entities, cut)  # noqa: SLF001 - what the session's own questions read


def find_entities(session: Session, projection: Projection, cut: Cut, text: str) -> pl.DataFrame:
    """Return entities whose id begins with a text, in their order; without one those with the most events.

    Columns entity, events, first, last; eight rows at most.
    """
    name, (counted, types) = _expression(projection), _match_types(projection)
    order = "entity" if text else "events desc, entity"
    narrowed = f"{counted} and strpos({name}, :text) = 1" if text else counted
    return session.sql(
        f"select {name} as entity, {COUNTED} from events "  # noqa: S608 - a path of the projection, values bound
        f"where position <= :cut and {name} is not null {narrowed} group by 1 order by {order} limit {SUGGESTED}",
        {"cut": cut.up_to, **types, **({"text": text} if text else {})},
    )


def find_nearest(session: Session, projection: Projection, cut: Cut, entity: str) -> list[str]:
    """Return the ids beside one that is not there, in their order."""
    name = _expression(projection)
    found = []
    for sign, order in (("<", "desc"), (">", "asc")):
        beside = session.sql(
            f"select distinct {name} as entity from events where position <= :cut and {name} {sign} :entity "  # noqa: S608 - as above
            f"order by 1 {order} limit 3",
            {"cut": cut.up_to, "entity": entity},
        )
        found += beside["entity"].to_list()
    return sorted(found)


def count_entities(session: Session, projection: Projection, cut: Cut) -> int:
    """Return how many entities the events of a cut touch that a projection counts."""
    name, (counted, types) = _expression(projection), _match_types(projection)
    found = session.sql(
        f"select count(distinct {name}) as n from events where position <= :cut {counted}",  # noqa: S608 - as above
        {"cut": cut.up_to, **types},
    )
    return int(found.item())


def _match_types(projection: Projection) -> tuple[str, dict[str, str]]:
    """Return the condition that leaves the events a projection counts, and its parameters."""
    if projection.event_types is None:
        return "", {}
    named = {f"type_{number}": name for number, name in enumerate(projection.event_types)}
    return f"and event_type in ({', '.join(f':{name}' for name in named)})", named


def _expression(projection: Projection) -> str:
    """Return the SQL of an entity's name. Raises UnsupportedOnThisLogError for several paths."""
    if len(projection.entity) != 1:
        raise UnsupportedOnThisLogError(
            f"The events of {projection.name} touch several entities each, and a list of those is not to be had here. "
            "Name one entity in full."
        )
    return write_path(projection.entity[0])


def write_path(path: Path) -> str:
    """Return the SQL of the text at a path of an event."""
    if not path.in_json:
        return f"cast({path.column} as varchar)" if path.column == "position" else path.column
    members = "".join(f'["{member}"]' for member in path.members).replace("'", "''")
    return f"json_extract_scalar({path.column}, '${members}')"
