"""How much of one taken text is still there: a line of steps to the document's end, dotted beyond it."""

from collections.abc import Sequence
from typing import Any, Final

import altair as alt

from workbench.charts.deltas import Size, ai_ink, box, draw_boxes, draw_words, lay, pixels, word
from workbench.charts.theme import Palette

LEFT: Final = 46
RIGHT: Final = 14
TOP: Final = 10
PLOT: Final = 40
HEIGHT: Final = TOP + PLOT + 24
CHECKS: Final = (0, 30, 120, 300, 600, 900)
# A label within this many pixels of the one before it is left out.
APART: Final = 34


def retained_chart(
    steps: Sequence[tuple[float, float]], end: float | None, palette: Palette, *, width: int
) -> alt.LayerChart:
    """Return the share retained as (seconds, share) from 0 on; ``end`` is when the document ends, None if later."""
    size = Size(width, HEIGHT)
    horizon = find_horizon(steps, end)
    stop = horizon if end is None else min(end, horizon)
    span = width - LEFT - RIGHT

    def across(seconds: float) -> float:
        return LEFT + span * seconds / horizon

    def down(share: float) -> float:
        return TOP + PLOT * (1 - share)

    kept = [(seconds, share) for seconds, share in steps if seconds <= stop]
    last = kept[-1][1]
    line = [{"x": across(seconds), "y": down(share)} for seconds, share in [*kept, (stop, last)]]
    after = [{"x": across(stop), "y": down(last)}, {"x": across(horizon), "y": down(last)}]
    ink = ai_ink(palette)
    marks = [box((LEFT, width - RIGHT), (down(share), down(share) + 1), palette.hairline) for share in (0, 0.5, 1)]
    if end is not None:
        marks.append(box((across(stop) - 0.75, across(stop) + 0.75), (down(last) - 6, down(last) + 6), ink))
    numbers = [
        word(LEFT - 8, down(share), text, palette.secondary) for share, text in ((1, "100 %"), (0.5, "50"), (0, "0"))
    ]
    layers: list[Any] = [draw_boxes(marks, size), _line(line, size, ink)]
    if stop < horizon:
        layers.append(_line(after, size, ink, dashed=True))
    ticks = _ticks(horizon, across, palette)
    return lay([*layers, draw_words(numbers, size, "right"), draw_words(ticks, size, "center")], size, palette)


def _ticks(horizon: float, across: Any, palette: Palette) -> list[dict[str, Any]]:
    ticks: list[dict[str, Any]] = []
    for at in (check for check in CHECKS if check <= horizon):
        if not ticks or across(at) - ticks[-1]["x"] >= APART:
            ticks.append(word(across(at), TOP + PLOT + 14, f"{at} s" if at == horizon else str(at), palette.secondary))
    return ticks


def find_horizon(steps: Sequence[tuple[float, float]], end: float | None) -> int:
    """Return where the axis ends: the first check from two minutes on after the last step and the document's end.

    >>> find_horizon([(0, 1.0), (16.4, 0.53)], 95.7)
    120
    """
    reach = max([seconds for seconds, _ in steps] + ([end] if end is not None else []))
    return next((check for check in CHECKS if check >= max(120, reach)), CHECKS[-1])


def _line(points: Sequence[dict[str, float]], size: Size, ink: str, *, dashed: bool = False) -> alt.Chart:
    x, y = pixels(size)
    dash = [2, 3] if dashed else [1, 0]
    chart: alt.Chart = (
        alt.Chart(alt.InlineData(values=list(points)))
        .mark_line(interpolate="step-after", strokeWidth=1.8, color=ink, strokeDash=dash)
        .encode(x=alt.X("x:Q", scale=x, axis=None), y=alt.Y("y:Q", scale=y, axis=None))
    )
    return chart
