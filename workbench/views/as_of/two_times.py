"""The two times of an entity's events as a picture: when each happened, and when the log recorded it."""

from datetime import timedelta
from functools import partial
from typing import Final

import msgspec
import polars as pl

from workbench.charts.theme import choose_palette
from workbench.charts.time_axis import Window
from workbench.charts.two_times import two_times_chart, two_times_geometry
from workbench.session import Session
from workbench.views.as_of.choices import AsOfChoices
from workbench.views.as_of.compare import Comparison
from workbench.views.as_of.export import write_question
from workbench.views.base import View
from workbench.views.timeline.choices import to_microseconds

# Beyond so many events those on time are counted together by place; late ones stay single up to as many.
MOST_POINTS: Final = 500
PLACES: Final = 100


class TwoTimes(msgspec.Struct, frozen=True, kw_only=True):
    """The picture, where its plot stands, and the stretch of time of both axes in microseconds."""

    view: View
    geometry: dict[str, int]
    since: int
    until: int


def two_times_size(width: int) -> tuple[int, int]:
    """Return the size of the picture in a column of ``width`` pixels."""
    wide = min(640, max(320, width))
    return wide, round(wide * 0.72)


def show_two_times(
    session: Session, found: Comparison, choices: AsOfChoices, *, size: tuple[int, int] = (516, 372)
) -> TwoTimes:
    """Return the events around the two moments by occurred_at and recorded_at.

    The frame has one row a place: occurred and recorded (epoch milliseconds), late (0 or 1), events. The axes reach as
    far as the moments, what is known and the late facts, with a tenth to spare.
    """
    late_after = timedelta(seconds=session.settings.log.late_after)
    ends = [found.before, found.after, *([found.known_at] if found.known_at else [])]
    late_times = [
        each.moment.fact.recorded_at
        for each in found.between
        if each.late_by is not None and each.moment.fact.recorded_at is not None and found.known_at is not None
    ]
    since = to_microseconds(min(ends))
    until = max(to_microseconds(max([*ends, *late_times])), since + 1_000_000)
    room = (until - since) // 8
    since, until = since - room, until + room
    points = frame_points(found, since, until, late_after)
    window = Window(since / 1_000, until / 1_000, choices.zone, until / 1_000)
    question = write_question(session, choices)
    view = View(
        frame=points,
        draw=partial(two_times_chart, points, window, choose_palette(choices.theme), size=size),
        sql=question.sql,
        parameters=question.parameters,
        caption="recorded_at up, occurred_at across; the diagonal is on time",
        basis=session.basis(points, position=found.history.cut.up_to, known_at=found.known_at),
    )
    return TwoTimes(view=view, geometry=two_times_geometry(size), since=since, until=until)


def frame_points(found: Comparison, since: int, until: int, late_after: timedelta) -> pl.DataFrame:
    """Return the events within the axes: each alone, or, when there are many, those on time counted by place."""
    rows = [
        {
            "occurred": to_microseconds(fact.occurred_at) // 1_000,
            "recorded": to_microseconds(fact.recorded_at) // 1_000,
            "late": int(fact.recorded_at - fact.occurred_at > late_after),
            "events": 1,
        }
        for fact in found.history.facts
        if fact.recorded_at is not None and since <= to_microseconds(fact.occurred_at) <= until
    ]
    points = pl.DataFrame(rows, schema=dict.fromkeys(("occurred", "recorded", "late", "events"), pl.Int64))
    if points.height <= MOST_POINTS:
        return points
    late = points.filter(pl.col("late") == 1).sort("occurred").head(MOST_POINTS)
    width = max(1, (until - since) // 1_000 // PLACES)
    binned = (
        points.filter(pl.col("late") == 0)
        .group_by(pl.col("occurred") // width * width, pl.col("recorded") // width * width, "late")
        .agg(pl.col("events").sum())
        .select("occurred", "recorded", "late", "events")
        .sort("occurred", "recorded")
    )
    return pl.concat([binned, late])
