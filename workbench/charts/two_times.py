"""The two times of events: when each happened, across, and when the log recorded it, up. The diagonal is on time."""

from typing import Any, Final, Literal

import altair as alt
import polars as pl

from workbench.charts.theme import DARK, Palette, chart_config
from workbench.charts.time_axis import Window, time_axis, time_scale

LEFT: Final = 60
RIGHT: Final = 10
TOP: Final = 10
BOTTOM: Final = 40
LATE: Final = {"light": "#B0127B", "dark": "#FF8AD1"}
ON_TIME: Final = {"light": "#0B7A6F", "dark": "#45C9B8"}


def two_times_chart(events: pl.DataFrame, window: Window, palette: Palette, *, size: tuple[int, int]) -> alt.LayerChart:
    """Return the events in a picture of ``size`` pixels, both axes over ``window``.

    ``events`` has the columns occurred and recorded (epoch milliseconds), late (0 or 1) and events, how many stand
    there. A late one is hollow, on a dashed stem from the diagonal.
    """
    plot = (size[0] - LEFT - RIGHT, size[1] - TOP - BOTTOM)
    scale = time_scale(window)
    x = alt.X("occurred:T", scale=scale, axis=_axis(window, plot[0], palette, orient="bottom", title="occurred_at"))
    y = alt.Y(
        "recorded:T", title=None, scale=scale, axis=_axis(window, plot[1] * 2, palette, orient="left", title=None)
    )
    theme = "dark" if palette.ground == DARK.ground else "light"
    base = alt.Chart(alt.InlineData(values=events.select("occurred", "recorded", "late", "events").to_dicts()))
    late: Any = base.transform_filter("datum.late")
    ends = [{"occurred": moment, "recorded": moment} for moment in (window.start, window.end)]
    point: dict[str, Any] = {"opacity": 1, "clip": True}
    layers = [
        alt.Chart(alt.InlineData(values=ends)).mark_line(color=palette.hairline, strokeWidth=1.5).encode(x=x, y=y),
        late.mark_rule(color=LATE[theme], strokeDash=[4, 3], strokeWidth=2, clip=True).encode(
            x=x, y=alt.Y("occurred:T", scale=scale), y2=alt.Y2("recorded")
        ),
        base.transform_filter("!datum.late")
        .mark_point(filled=True, size=44, color=ON_TIME[theme], **point)
        .encode(x=x, y=y),
        late.mark_point(filled=False, size=56, strokeWidth=2, color=LATE[theme], fill=palette.ground, **point).encode(
            x=x, y=y
        ),
    ]
    return alt.LayerChart(
        layer=layers,
        width=plot[0],
        height=plot[1],
        padding={"left": LEFT, "right": RIGHT, "top": TOP, "bottom": BOTTOM},
        autosize=alt.AutoSizeParams(type="none"),
        config=chart_config(palette),
    )


def _axis(
    window: Window, width: int, palette: Palette, *, orient: Literal["left", "bottom"], title: str | None
) -> alt.Axis:
    axis = time_axis(window, width)
    axis.orient = orient
    axis.grid = False
    if title is not None:
        axis.title = title
        axis.titleAnchor = "end"
        axis.titleColor = palette.secondary
        axis.titleFontSize = 12
        axis.titleFontWeight = "normal"
    return axis


def two_times_geometry(size: tuple[int, int]) -> dict[str, int]:
    """Return where the events stand in the picture, in pixels: left, top, width and height."""
    return {"left": LEFT, "top": TOP, "width": size[0] - LEFT - RIGHT, "height": size[1] - TOP - BOTTOM}
