"""Small lanes of counts over time, one an event type, each on its own scale."""

import math
from collections.abc import Sequence
from typing import Any, Final

import altair as alt
import msgspec
import polars as pl

from workbench.charts.theme import Palette, chart_config
from workbench.charts.time_axis import Window, time_axis, time_scale

LANE_HEIGHT: Final = 23
LABELS: Final = 248
TALLEST: Final = 70
# The axis and, above it, room for the exact time of an event that is open.
AXIS: Final = 40
# A bar fills 0.84 of its lane, so that neighbours never touch; a single event among thousands keeps one pixel.
FULL, LEAST = 0.84, 0.045
# Pixels that a bar keeps inside the window, however little of its time lies there.
WITHIN: Final = 2
MILLION: Final = 1_000_000


class Lane(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the picture: what it counts, its hue (None for `other`), its count, its tallest bar."""

    name: str
    hue: str | None
    events: int
    tallest: int


def lanes_chart(
    bars: pl.DataFrame, lanes: Sequence[Lane], window: Window, palette: Palette, *, width: int
) -> alt.LayerChart:
    """Return the lanes over ``window``, ``width`` pixels wide in all.

    ``bars`` has the columns lane (from 0, in the order of ``lanes``), start, end (whole epoch seconds) and events.
    Each lane is scaled to its own tallest bar, which is written at its right.
    """
    plot = width - LABELS - TALLEST
    height = LANE_HEIGHT * len(lanes)
    x = alt.X("x:T", scale=time_scale(window), axis=time_axis(window, plot))
    layers = [*_frame(lanes, palette, plot), _bars(bars, lanes, palette, x, _edges(window, plot))]
    return alt.LayerChart(
        layer=layers,
        width=plot,
        height=height,
        padding={"left": LABELS, "right": TALLEST, "top": AXIS, "bottom": 2},
        autosize=alt.AutoSizeParams(type="none"),
        config=chart_config(palette),
    )


def geometry(lane_count: int, width: int) -> dict[str, int]:
    """Return where the bars stand in the picture, in pixels: left, top, width and height."""
    return {"left": LABELS, "top": AXIS, "width": width - LABELS - TALLEST, "height": LANE_HEIGHT * lane_count}


def _edges(window: Window, plot: int) -> tuple[int, int]:
    """Return before which time a bar begins, and behind which one it ends, to be seen in the window."""
    room = WITHIN * (window.end - window.start) / max(1, plot)
    return round(window.end - room), round(window.start + room)


def _bars(bars: pl.DataFrame, lanes: Sequence[Lane], palette: Palette, x: alt.X, edges: tuple[int, int]) -> alt.Chart:
    colours = [lane.hue or palette.secondary for lane in lanes]
    lines, origin, unit = _write_lines(bars)
    columns = lines.split("\n", 1)[0].split(",")
    end = "datum.end" if "end" in columns else "(datum.start + 1)"
    chart: alt.Chart = (
        alt.Chart(
            alt.InlineData(values=lines, format=alt.CsvDataFormat(type="csv", parse=dict.fromkeys(columns, "number")))
        )
        .transform_calculate(
            x=f"min(1000 * ({origin} + {unit} * datum.start), {edges[0]})",
            x2=f"max(1000 * ({origin} + {unit} * {end}), {edges[1]})",
            top=f"datum.lane + 1 - max({LEAST}, {FULL} * datum.events / {_tallest(lanes)}[datum.lane])",
            base="datum.lane + 1",
        )
        .mark_rect(clip=True, opacity=0.8)
        .encode(
            x=x,
            x2=alt.X2("x2"),
            y=_y("top", len(lanes)),
            y2=alt.Y2("base"),
            color=alt.Color("lane:O", legend=None, scale=alt.Scale(domain=list(range(len(lanes))), range=colours)),
        )
    )
    return chart


def _write_lines(bars: pl.DataFrame) -> tuple[str, int, int]:
    """Return the bars as CSV, in units of a bar since the first one, with that origin and unit in seconds.

    Text in such units costs a third of what objects cost: 5,600 bars are 75 kB as lines and 300 kB as JSON rows. Where
    every bar is as long as the unit its end goes without saying.
    """
    origin, unit = bar_unit(bars)
    counted = bars.select("lane", (pl.col("start") - origin) // unit, (pl.col("end") - origin) // unit, "events")
    equal = counted.select((pl.col("end") - pl.col("start") == 1).all()).item()
    return (counted.drop("end") if equal else counted).write_csv(), origin, unit


def bar_unit(bars: pl.DataFrame) -> tuple[int, int]:
    """Return the first bar's start and the longest time that divides every distance from it."""
    if bars.is_empty():
        return 0, 1
    origin = int(bars["start"].to_numpy().min())
    distances = pl.concat([bars["start"], bars["end"]]).unique() - origin
    return origin, math.gcd(*distances.to_list()) or 1


def _tallest(lanes: Sequence[Lane]) -> str:
    return str([max(1, lane.tallest) for lane in lanes])


def _x(pixels: float) -> Any:
    # Built as it is meant: `alt.value` would try every schema there is, 8 ms a call.
    return alt.XValue(pixels)  # type: ignore[no-untyped-call]  # altair generates it without types


def _x2(pixels: float) -> Any:
    return alt.X2Value(pixels)  # type: ignore[no-untyped-call]  # the same


def _y_value(pixels: float) -> Any:
    return alt.YValue(pixels)  # type: ignore[no-untyped-call]  # the same


def _y(field: str, count: int) -> alt.Y:
    return alt.Y(f"{field}:Q", scale=alt.Scale(domain=[0, max(1, count)], reverse=True, nice=False), axis=None)


def _frame(lanes: Sequence[Lane], palette: Palette, plot: int) -> list[alt.Chart]:
    rows: list[dict[str, Any]] = [
        {
            "lane": index,
            "middle": index + 0.5,
            **_words(lane),
            "hue": lane.hue or "transparent",
            "edge": lane.hue or palette.secondary,
        }
        for index, lane in enumerate(lanes)
    ]
    labels = alt.Chart(alt.InlineData(values=rows))
    y = _y("middle", len(lanes))
    text: dict[str, Any] = {"baseline": "middle", "fontSize": 13}
    # A name may reach up to the widest count, whose figures are 7.3 px wide each.
    room = LABELS - 42 - 7.3 * max((len(row["events"]) for row in rows), default=0)
    return [
        labels.mark_rule(color=palette.hairline).encode(
            y=_y("lane", len(lanes)), x=_x(-LABELS), x2=_x2(plot + TALLEST)
        ),
        labels.mark_point(shape="square", size=64, strokeWidth=1.5, opacity=1).encode(
            y=y,
            x=_x(6 - LABELS),
            fill=alt.Fill("hue:N", scale=None),
            stroke=alt.Stroke("edge:N", scale=None),
        ),
        labels.mark_text(align="left", limit=room, **text).encode(y=y, x=_x(18 - LABELS), text=alt.Text("name:N")),
        labels.mark_text(align="right", **text, color=palette.secondary).encode(
            y=y, x=_x(-12), text=alt.Text("events:N")
        ),
        labels.mark_text(align="right", **text, color=palette.secondary).encode(
            y=y, x=_x(plot + TALLEST), text=alt.Text("tallest:N")
        ),
        alt.Chart(alt.InlineData(values=[{"text": "tallest"}]))
        .mark_text(align="right", baseline="bottom", fontSize=12, color=palette.secondary)
        .encode(x=_x(plot + TALLEST), y=_y_value(-7), text=alt.Text("text:N")),
    ]


def _words(lane: Lane) -> dict[str, str]:
    return {"name": lane.name, "events": count_words(lane.events), "tallest": f"{lane.tallest:,}"}


def count_words(count: int) -> str:
    """Return a count in at most seven characters: whole up to a million, then in millions.

    >>> count_words(54_850), count_words(3_014_690)
    ('54,850', '3.01 M')
    """
    return f"{count:,}" if count < MILLION else f"{count / MILLION:,.2f} M"
