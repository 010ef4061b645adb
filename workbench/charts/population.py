"""How many entities have each value of a field over time, one band a value."""

from collections.abc import Sequence
from typing import Any, Final

import altair as alt
import msgspec
import polars as pl

from workbench.charts.theme import Palette, chart_config
from workbench.charts.time_axis import Window, time_axis, time_scale

LEFT: Final = 48
RIGHT: Final = 8
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
    x = alt.X("start:T", scale=time_scale(window), axis=axis)
    bands = (
        alt.Chart(alt.InlineData(values=stack_ribbons(counts).write_csv(), format=_csv()))
        .mark_rect(clip=True, opacity=1)
        .encode(
            x=x,
            x2=alt.X2("end"),
            y=alt.Y(
                "low:Q", title=None, scale=alt.Scale(nice=True), axis=alt.Axis(tickCount=4, format=",", domain=False)
            ),
            y2=alt.Y2("high"),
            color=alt.Color(
                "ribbon:O",
                legend=None,
                scale=alt.Scale(domain=list(range(len(ribbons))), range=[ribbon.colour for ribbon in ribbons]),
            ),
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


def population_geometry(size: tuple[int, int]) -> dict[str, int]:
    """Return where the bands stand in the picture, in pixels: left, top, width and height."""
    return {"left": LEFT, "top": TOP, "width": size[0] - LEFT - RIGHT, "height": size[1] - TOP - BOTTOM}


def _csv() -> alt.CsvDataFormat:
    columns = ("start", "end", "ribbon", "low", "high")
    parse: Any = dict.fromkeys(columns, "number")
    return alt.CsvDataFormat(type="csv", parse=parse)


def stack_ribbons(counts: pl.DataFrame) -> pl.DataFrame:
    """Return the counts as rectangles, one on the other, the first ribbon on top; neighbours of one height are one."""
    stacked = (
        counts.sort("start", "ribbon", descending=[False, True])
        .with_columns(high=pl.col("entities").cum_sum().over("start"))
        .with_columns(low=pl.col("high") - pl.col("entities"))
        .filter(pl.col("entities") > 0)
        .sort("ribbon", "start")
    )
    apart = (
        (pl.col("low") != pl.col("low").shift())
        | (pl.col("high") != pl.col("high").shift())
        | (pl.col("ribbon") != pl.col("ribbon").shift())
        | (pl.col("start") != pl.col("end").shift())
    )
    return (
        stacked.with_columns(run=apart.fill_null(value=True).cum_sum())
        .group_by("run", "ribbon", "low", "high")
        .agg(pl.col("start").min(), pl.col("end").max())
        .sort("run")
        .select("start", "end", "ribbon", "low", "high")
    )
