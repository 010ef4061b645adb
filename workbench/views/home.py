"""The log as a whole, in figures: whether it holds, what is in it, what waits."""

from datetime import datetime
from typing import Final

import msgspec
import polars as pl

from workbench.session import Session
from workbench.views.timeline.choices import TimelineChoices
from workbench.views.timeline.overview import Overview, load_overview
from workbench.views.timeline.where import match_choices

TYPE_COLUMNS: Final = "event_type, count(*) as events, min(occurred_at) as first, max(occurred_at) as last"
# As they were written: in `events` every payload is of its type's current version.
VERSIONS: Final = "select event_type, count(distinct schema_version) as versions from events_stored group by event_type"
LOG_COLUMNS: Final = (
    "count(distinct stream_id) as streams, count(distinct actor_id) as actors, "
    "count_if(actor_id is null) as without_actor"
)


class HomeFigures(msgspec.Struct, frozen=True, kw_only=True):
    """What stands on the home page.

    ``missing`` counts positions from 0 to the head that no event has, ``twice`` those that several have; None on a log
    without positions. ``event_types`` has event_type, events, versions, first, last, the most frequent first.
    """

    overview: Overview
    streams: int
    actors: int
    without_actor: int
    quarantined: int
    missing: int | None
    twice: int | None
    first: datetime | None
    last: datetime | None
    event_types: pl.DataFrame


def count_home(session: Session) -> HomeFigures:
    """Return the figures of the home page, at the log's head."""
    head = session.head()
    overview = load_overview(session, head.position)
    where = match_choices(TimelineChoices(position=head.position))
    types = session.sql(
        where.select(TYPE_COLUMNS, "group by event_type\norder by events desc, event_type"), where.parameters
    )
    counted = session.sql(where.select(LOG_COLUMNS), where.parameters).row(0, named=True)
    missing, twice = _check_positions(session, head.position)
    return HomeFigures(
        overview=overview,
        quarantined=session.basis().left_out.get("quarantined", 0),
        missing=missing,
        twice=twice,
        first=overview.first,
        last=overview.last,
        event_types=types.join(session.sql(VERSIONS), on="event_type", how="left", maintain_order="left"),
        **counted,
    )


def _check_positions(session: Session, head: int | None) -> tuple[int | None, int | None]:
    if head is None:
        return None, None
    where = match_choices(TimelineChoices(position=head))
    columns = "count(*) as events, count(distinct position) as positions"
    counted = session.sql(where.select(columns), where.parameters).row(0, named=True)
    return head + 1 - counted["positions"], counted["events"] - counted["positions"]
