"""The values of an entity's fields over its events: one row a field, one band a value."""

from collections.abc import Sequence
from typing import Final

import altair as alt
import polars as pl

from workbench.charts.theme import Palette, chart_config

LABELS: Final = 168
ROW: Final = 26
AXIS: Final = 24
# Pixels a character of 12 px needs; a band narrower than its words has none.
CHARACTER: Final = 6.6


def waves_chart(
    bands: pl.DataFrame, fields: Sequence[str], events: int, palette: Palette, *, width: int
) -> alt.LayerChart:
    """Return the bands of ``fields`` in their order over so many events, ``width`` pixels wide in all.

    ``bands`` has the columns field, start and end (numbers of events, [start, end)), words (of the value) and holds,
    whether it is the last one.
    """
    plot = width - LABELS
    step = plot / max(1, events)
    shown = bands.with_columns(
        words=pl.when((pl.col("end") - pl.col("start")) * step > pl.col("words").str.len_chars() * CHARACTER + 6)
        .then(pl.col("words"))
        .otherwise(pl.lit(""))
    )
    base = alt.Chart(alt.InlineData(values=shown.to_dicts()))
    x = alt.X(
        "start:Q",
        title=None,
        scale=alt.Scale(domain=[0, max(1, events)], nice=False),
        axis=alt.Axis(orient="top", tickMinStep=1, format=",d", grid=False, domain=False),
    )
    y = alt.Y(
        "field:N",
        title=None,
        scale=alt.Scale(domain=list(fields), paddingInner=0.35, paddingOuter=0.2),
        axis=alt.Axis(domain=False, ticks=False, labelColor=palette.ink, labelFontSize=13, labelLimit=LABELS - 12),
    )
    held = alt.Color(
        "holds:N", legend=None, scale=alt.Scale(domain=[False, True], range=[palette.hairline, palette.accent])
    )
    return alt.LayerChart(
        layer=[
            base.mark_bar(cornerRadius=1.5, opacity=0.45).encode(x=x, x2=alt.X2("end"), y=y, color=held),
            base.mark_text(align="left", dx=4, fontSize=12, color=palette.ink).encode(
                x=x, y=y, text=alt.Text("words:N")
            ),
        ],
        width=plot,
        height=ROW * max(1, len(fields)),
        padding={"left": LABELS, "right": 4, "top": AXIS, "bottom": 4},
        autosize=alt.AutoSizeParams(type="none"),
        config=chart_config(palette),
    )
