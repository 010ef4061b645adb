"""What happened, and when: the density of events over time, by type."""

from collections.abc import Mapping
from functools import partial
from typing import Final

import polars as pl

from workbench.charts.lanes import Lane, bar_unit, geometry, lanes_chart
from workbench.charts.theme import choose_palette
from workbench.charts.time_axis import Window
from workbench.session import Session
from workbench.views.base import View
from workbench.views.grain import NARROWEST, Grain, choose_grain
from workbench.views.timeline.choices import TimelineChoices, to_microseconds
from workbench.views.timeline.overview import bars_statement, count_bars, load_overview, window_of

WIDTH: Final = 760
MOST_LANES: Final = 13
# However wide the page, a picture has at most 400 bars a lane: 14 lanes of them are 75 kB of its 100 kB.
MOST_BARS: Final = 400


def show_timeline(session: Session, choices: TimelineChoices, *, width: int = WIDTH) -> View:
    """Return the density over time of the events of ``choices``, in one lane for each of the 13 largest types.

    The frame has one row a type and bar: event_type, start, end (epoch seconds, [start, end)), events. A bar is at
    least 1.5 pixels wide on a picture of ``width`` pixels.
    """
    overview = load_overview(session, choices.position)
    since, until = window_of(choices, overview)
    plot = geometry(0, width)["width"]
    grain = choose_grain((until - since).total_seconds(), min(plot, int(MOST_BARS * NARROWEST)))
    bars = count_bars(session, choices, grain)
    numbered, lanes = _stack_lanes(bars, overview.hues)
    window = Window(
        to_microseconds(since) / 1_000,
        to_microseconds(until) / 1_000,
        choices.zone,
        to_microseconds(overview.last or until) / 1_000,
    )
    text, parameters = bars_statement(choices, grain)
    return View(
        frame=bars,
        draw=partial(lanes_chart, numbered, lanes, window, choose_palette(choices.theme), width=width),
        sql=text,
        parameters=parameters,
        caption=_caption(lanes, grain),
        basis=session.basis(bars, position=choices.position),
    )


def picture_geometry(view: View, width: int = WIDTH) -> dict[str, int]:
    """Return where the bars stand in the view's picture and how they count time, for a hand that points at them."""
    lanes = min(view.frame["event_type"].n_unique(), MOST_LANES + 1)
    origin, unit = bar_unit(view.frame)
    return {**geometry(lanes, width), "origin": origin, "unit": unit, "lanes": lanes}


def _stack_lanes(bars: pl.DataFrame, hues: Mapping[str, str | None]) -> tuple[pl.DataFrame, list[Lane]]:
    totals = (
        bars.group_by("event_type").agg(pl.col("events").sum()).sort("events", "event_type", descending=[True, False])
    )
    names = totals["event_type"].to_list()
    # One type more than fits gets its lane: a lane `1 more` would say less in the same place.
    shown = names if len(names) <= MOST_LANES + 1 else names[:MOST_LANES]
    lane = {name: number for number, name in enumerate(shown)}
    numbered = (
        bars.with_columns(lane=pl.col("event_type").replace_strict(lane, default=len(shown), return_dtype=pl.Int64))
        .group_by("lane", "start", "end")
        .agg(pl.col("events").sum())
        .sort("lane", "start")
    )
    counts = numbered.group_by("lane").agg(pl.col("events").sum(), pl.col("events").max().alias("tallest")).sort("lane")
    words = [*shown, f"{len(names) - len(shown)} more"]
    lanes = [
        Lane(
            name=words[number],
            hue=hues.get(words[number]) if number < len(shown) else None,
            events=events,
            tallest=tallest,
        )
        for number, events, tallest in counts.iter_rows()
    ]
    return numbered, lanes


def _caption(lanes: list[Lane], grain: Grain) -> str:
    scale = "each lane on its own scale" if len(lanes) > 1 else "one lane"
    return f"Counts: 1 bar = {grain.words}, {scale}"
