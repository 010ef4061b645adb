"""How many entities have each value of a field over time, one band a value."""

from collections.abc import Sequence
from typing import Any, Final

import altair as alt
import msgspec
import polars as pl

from workbench.charts.theme import Palette, chart_config
from workbench.charts.time_axis import Window, time_axis, time_scale

LEFT: Final = 48
# At the right stand the names of the bands.
RIGHT: Final = 84
BOTTOM: Final = 26
TOP: Final = 8


class Ribbon(msgspec.Struct, frozen=True, kw_only=True):
    """One band of the picture: the words of its value, and its colour."""

    name: str
    colour: str


def population_chart(
    counts: pl.DataFrame, ribbons: Sequence[Ribbon], window: Window, palette: Palette, *, size: tuple[int, int]
) -> alt.LayerChart:
    """Return the bands over ``window``, the first on top, in a picture of ``size`` pixels, width and height.

    ``counts`` has the columns start and end (whole epoch milliseconds), ribbon (a number in ``ribbons``) and entities.
    """
    width, height = size
    plot = width - LEFT - RIGHT
    axis = time_axis(window, plot)
    axis.orient = "bottom"
    colours = alt.Scale(domain=list(range(len(ribbons))), range=[ribbon.colour for ribbon in ribbons])
    # Steps, not rectangles beside one another: between those the ground would show through as hairlines.
    bands = (
        alt.Chart(alt.InlineData(values=stack_ribbons(counts).write_csv(), format=_csv()))
        .mark_area(interpolate="step-after", clip=True, opacity=1, line=False)
        .encode(
            x=alt.X("start:T", scale=time_scale(window), axis=axis),
            y=alt.Y(
                "low:Q",
                title=None,
                stack=None,
                scale=alt.Scale(domain=[0, find_top(counts)], nice=False),
                axis=alt.Axis(tickCount=3, format=",d", domain=False),
            ),
            y2=alt.Y2("high"),
            color=alt.Color("ribbon:O", legend=None, scale=colours),
        )
    )
    return alt.LayerChart(
        layer=[bands],
        width=plot,
        height=height - TOP - BOTTOM,
        padding={"left": LEFT, "right": RIGHT, "top": TOP, "bottom": BOTTOM},
        autosize=alt.AutoSizeParams(type="none"),
        config=chart_config(palette),
    )


def find_top(counts: pl.DataFrame) -> int:
    """Return where the axis ends: the least of 1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8 times a power of ten above all sums.

    >>> find_top(pl.DataFrame({"start": [0, 0, 1], "entities": [300, 560, 200]}))
    1000
    """
    summed = counts.group_by("start").agg(pl.col("entities").sum())["entities"].to_list()
    most = max([1, *summed])
    power = 10 ** (len(str(most)) - 1)
    return next(
        int(step * power / 10) for step in (10, 12, 15, 20, 25, 30, 40, 50, 60, 80, 100) if step * power >= 10 * most
    )


def population_geometry(size: tuple[int, int]) -> dict[str, int]:
    """Return where the bands stand in the picture, in pixels: left, top, width and height."""
    return {"left": LEFT, "top": TOP, "width": size[0] - LEFT - RIGHT, "height": size[1] - TOP - BOTTOM}


def _csv() -> alt.CsvDataFormat:
    parse: Any = dict.fromkeys(("start", "ribbon", "low", "high"), "number")
    return alt.CsvDataFormat(type="csv", parse=parse)


def stack_ribbons(counts: pl.DataFrame) -> pl.DataFrame:
    """Return where each ribbon lies from which time on, stacked with the first on top, and once more at its end.

    A point at which nothing of a ribbon moves is left out.
    """
    stacked = (
        counts.sort("start", "ribbon", descending=[False, True])
        .with_columns(high=pl.col("entities").cum_sum().over("start"))
        .with_columns(low=pl.col("high") - pl.col("entities"))
        .sort("ribbon", "start")
    )
    moved = (
        (pl.col("low") != pl.col("low").shift())
        | (pl.col("high") != pl.col("high").shift())
        | (pl.col("ribbon") != pl.col("ribbon").shift())
    )
    columns = ("start", "ribbon", "low", "high")
    ends = stacked.group_by("ribbon").agg(
        pl.col("end").last().alias("start"), pl.col("low").last(), pl.col("high").last()
    )
    return pl.concat([stacked.filter(moved.fill_null(value=True)).select(columns), ends.select(columns)]).sort(
        "ribbon", "start"
    )
