"""A window in figures, its week, and what to drop when nothing matches."""

from datetime import datetime
from typing import Final

import msgspec

from workbench.session import Session
from workbench.views.timeline.choices import TimelineChoices
from workbench.views.timeline.where import Where, match_choices

HOUR: Final = 3_600
WEEK_HOURS: Final = 168
# 1970 began on a Thursday: Monday 00:00 is 72 hours before it.
MONDAY_SHIFT: Final = 72


class WindowSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What the events of a window come to.

    ``versions`` counts the schema versions of their types as they were written; in `events` every payload is of its
    type's current one. ``week`` counts the events by hour of the week, Monday 00:00 UTC first.
    """

    events: int
    streams: int
    actors: int
    event_types: int
    versions: int
    first: datetime | None
    last: datetime | None
    week: tuple[int, ...]


def summarise_window(session: Session, choices: TimelineChoices) -> WindowSummary:
    """Return the figures of the events of ``choices``; all counts are exact."""
    where = match_choices(choices)
    types = session.sql(
        where.select(
            "event_type, count(*) as events, min(occurred_at) as first, max(occurred_at) as last", "group by 1"
        ),
        where.parameters,
    )
    people = session.sql(
        where.select("count(distinct stream_id) as streams, count(distinct actor_id) as actors"),
        where.parameters,
    ).row(0, named=True)
    return WindowSummary(
        events=int(types["events"].sum()),
        event_types=types.height,
        versions=_count_versions(session, choices),
        first=min(types["first"].to_list(), default=None),
        last=max(types["last"].to_list(), default=None),
        week=_count_week(session, choices),
        **people,
    )


def _count_versions(session: Session, choices: TimelineChoices) -> int:
    """Return how many schema versions the events were written in.

    Text may be found in a lifted payload only, so it is looked for in `events`; all else is the same in both.
    """
    where, relation = match_choices(choices), "events_stored"
    if choices.text:
        found = where.select("source as found_source, event_id as found_id")
        relation = f"events_stored join ({found}) as found on source = found_source and event_id = found_id"
        where = Where("", where.parameters)
    text = where.select("event_type, schema_version", "group by 1, 2", relation=relation)
    return session.sql(text, where.parameters).height


def _count_week(session: Session, choices: TimelineChoices) -> tuple[int, ...]:
    where = match_choices(choices)
    hours = session.sql(
        where.select(
            f"cast(floor(to_unixtime(occurred_at) / {HOUR}) as bigint) as hour, count(*) as events", "group by 1"
        ),
        where.parameters,
    )
    week = [0] * WEEK_HOURS
    for hour, events in hours.iter_rows():
        week[(hour + MONDAY_SHIFT) % WEEK_HOURS] += events
    return tuple(week)


def count_matches(session: Session, choices: TimelineChoices) -> int:
    """Return how many events match."""
    where = match_choices(choices)
    return int(session.sql(where.select("count(*) as events"), where.parameters)["events"][0])


def suggest_drops(session: Session, choices: TimelineChoices) -> list[tuple[str, int]]:
    """Return what each filter, dropped alone, would bring back, as (name, events)."""
    return [(name, count_matches(session, choices.drop(name))) for name in choices.names]
