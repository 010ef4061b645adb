"""How two versions differ: a point and its interval for each measure, on one axis of percentage points."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import altair as alt
import msgspec

from workbench.charts.deltas import Size, box, draw_boxes, draw_words, lay, pixels, word
from workbench.charts.theme import Palette

ROW: Final = 42
AXIS: Final = 30
SIDE: Final = 18
ENDS: Final = (1, 2, 5, 10, 15, 20, 30, 50, 100)


class Contrast(msgspec.Struct, frozen=True, kw_only=True):
    """One measure of both versions: the difference of the shares with its interval, in percentage points."""

    measure: str
    difference: float
    low: float
    high: float

    @property
    def is_clear(self) -> bool:
        """Tell whether the interval leaves out no difference."""
        return self.low > 0 or self.high < 0


def compare_size(rows: int, width: int) -> Size:
    """Return the pixels of the picture of so many measures."""
    return Size(width, ROW * rows + AXIS)


def find_end(contrasts: Sequence[Contrast]) -> int:
    """Return where the axis ends on both sides: the least of 1, 2, 5, 10, 15, 20, 30, 50 and 100 above all intervals.

    >>> find_end([Contrast(measure="accepted", difference=8.1, low=4.0, high=13.2)])
    15
    """
    reach = max([0.0, *(max(abs(each.low), abs(each.high)) for each in contrasts)])
    return next((end for end in ENDS if end >= reach), ENDS[-1])


def compare_chart(contrasts: Sequence[Contrast], palette: Palette, *, width: int) -> alt.LayerChart:
    """Return the intervals, one a row; filled points and strong numbers where no difference is ruled out."""
    size = compare_size(len(contrasts), width)
    end = find_end(contrasts)
    plot = width - 2 * SIDE

    def place(points: float) -> float:
        return SIDE + plot * (max(-end, min(end, points)) + end) / (2 * end)

    bottom = ROW * len(contrasts)
    tick = max((each for each in ENDS if each < end), default=end)
    marks = [box((place(at), place(at) + 1), (0, bottom), palette.hairline) for at in (-tick, tick)]
    marks += [box((place(0), place(0) + 1), (y, y + 2), palette.secondary) for y in range(0, bottom, 4)]
    numbers: dict[bool, list[dict[str, Any]]] = {True: [], False: []}
    points = []
    for number, each in enumerate(contrasts):
        y = ROW * number + ROW / 2 + 4
        ink = palette.ink if each.is_clear else palette.secondary
        half = 1 if each.is_clear else 0.5
        marks.append(box((place(each.low), place(each.high)), (y - half, y + half), ink))
        x = place(each.difference)
        points.append({"x": x, "y": y, "stroke": ink, "fill": ink if each.is_clear else palette.ground})
        numbers[each.is_clear].append(word(x, y - 14, write_points(each.difference), ink, 13))
    ends = ((-tick, f"\N{MINUS SIGN}{tick}"), (0, "0"), (tick, f"+{tick}"))
    axis = [word(place(at), bottom + 16, text, palette.secondary) for at, text in ends]
    written = [draw_words(each, size, "center", is_bold=is_clear) for is_clear, each in numbers.items() if each]
    return lay(
        [draw_boxes(marks, size), _dots(points, size), *written, draw_words(axis, size, "center")], size, palette
    )


def _dots(points: Sequence[Mapping[str, Any]], size: Size) -> alt.Chart:
    x, y = pixels(size)
    chart: alt.Chart = (
        alt.Chart(alt.InlineData(values=[dict(each) for each in points]))
        .mark_circle(size=64, strokeWidth=1.6, opacity=1)
        .encode(
            x=alt.X("x:Q", scale=x, axis=None),
            y=alt.Y("y:Q", scale=y, axis=None),
            stroke=alt.Stroke("stroke:N", scale=None),
            fill=alt.Fill("fill:N", scale=None),
        )
    )
    return chart


def write_points(points: float) -> str:
    r"""Return a difference in percentage points with its sign.

    >>> write_points(8.14), write_points(-1.06), write_points(0.0)
    ('+8.1', '\u22121.1', '0.0')
    """
    text = f"{abs(points):.1f}"
    if text == "0.0":
        return text
    return f"+{text}" if points > 0 else f"\N{MINUS SIGN}{text}"
