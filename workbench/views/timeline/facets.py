"""How often each value of a field occurs, counted under all the other filters."""

from typing import Final

import msgspec
import polars as pl

from workbench.session import Session
from workbench.views.timeline.choices import TimelineChoices
from workbench.views.timeline.where import match_choices

FACETS: Final = {"event_type": "Event type", "actor_kind": "Actor kind", "actor_id": "Actor", "source": "Source"}
MOST_VALUES: Final = 200


class Facet(msgspec.Struct, frozen=True, kw_only=True):
    """One field's values: ``values`` has value, kind (of an actor) and events; ``distinct`` says how many there are."""

    field: str
    title: str
    values: pl.DataFrame
    distinct: int


def count_facets(session: Session, choices: TimelineChoices) -> list[Facet]:
    """Return the facets of the timeline; the 200 most frequent values of each, and how many there are."""
    return [count_facet(session, choices, field) for field in FACETS]


def count_facet(session: Session, choices: TimelineChoices, field: str) -> Facet:
    """Return the values of one field among the events of all the other filters, the most frequent first."""
    where = match_choices(choices, without=field)
    kind = "max(actor_kind)" if field == "actor_id" else "cast(null as varchar)"
    values = session.sql(
        where.select(
            f"{field} as value, {kind} as kind, count(*) as events, count(*) over () as distinct_values",
            f"group by {field}\norder by events desc, value\nlimit {MOST_VALUES}",
        ),
        where.parameters,
    )
    distinct = int(values["distinct_values"][0]) if values.height else 0
    return Facet(field=field, title=FACETS[field], values=values.drop("distinct_values"), distinct=distinct)
