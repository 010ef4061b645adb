"""How long what was taken stays as it was: the share still untouched, one curve a version, with its band."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import altair as alt
import msgspec
import polars as pl

from workbench.charts.deltas import Size, ai_ink, box, draw_boxes, draw_words, lay, pixels, word
from workbench.charts.theme import Palette

LEFT: Final = 44
RIGHT: Final = 92
TOP: Final = 10
PLOT: Final = 116
LINE: Final = 16
AXIS: Final = 26
HORIZON: Final = 600
TICKS: Final = (0, 120, 300, 600)
DASHES: Final = ((1, 0), (5, 3), (2, 2), (8, 3, 2, 3))


class Curve(msgspec.Struct, frozen=True, kw_only=True):
    """One version: ``steps`` as (seconds, share, low, high), from 0 on, and how many were at risk at each tick."""

    words: str
    steps: Sequence[tuple[float, float, float, float]]
    at_risk: Sequence[int]

    @property
    def last(self) -> float:
        """The share at the end of the axis."""
        return [share for seconds, share, _, _ in self.steps if seconds <= HORIZON][-1]


def survival_size(curves: int, width: int) -> Size:
    """Return the pixels of the picture of so many curves."""
    return Size(width, TOP + PLOT + AXIS + LINE * curves + 4)


def survival_geometry(width: int) -> dict[str, int]:
    """Return where the curves stand in the picture, in pixels, and the seconds they reach to."""
    return {"left": LEFT, "top": TOP, "width": width - LEFT - RIGHT, "height": PLOT, "horizon": HORIZON}


def survival_chart(curves: Sequence[Curve], palette: Palette, *, width: int) -> alt.LayerChart:
    """Return the curves over ten minutes; the first is solid, the others dashed, each named at its end."""
    size = survival_size(len(curves), width)
    floor = find_floor(curves)

    def across(seconds: float) -> float:
        return LEFT + (width - LEFT - RIGHT) * seconds / HORIZON

    def down(share: float) -> float:
        return TOP + PLOT * (1 - share) / (1 - floor)

    heights = {percent: down(percent / 100) for percent in range(round(100 * floor), 101, 20)}
    marks = [box((LEFT, width - RIGHT), (y, y + 1), palette.hairline) for y in heights.values()]
    scale = [
        word(LEFT - 8, y, "100 %" if y == TOP else str(percent), palette.secondary) for percent, y in heights.items()
    ]
    ink = ai_ink(palette)
    ends = [(down(curve.last), f"{curve.words} · {100 * curve.last:.1f} %") for curve in curves]
    labels = [word(width - RIGHT + 8, y, text, ink) for y, text in spread(ends, LINE)]
    return lay(
        [
            draw_boxes(marks, size),
            *_lines(list(_points(curves, across, down)), len(curves), size, ink),
            draw_words(scale, size, "right"),
            draw_words([*labels, *_name_risks(curves, width, palette)], size),
            draw_words(_write_axis(curves, across, palette), size, "center"),
        ],
        size,
        palette,
    )


Place = Callable[[float], float]
BOTTOM: Final = TOP + PLOT + 13


def _points(curves: Sequence[Curve], across: Place, down: Place) -> Iterator[dict[str, Any]]:
    for number, curve in enumerate(curves):
        for seconds, share, low, high in to_horizon(curve.steps):
            places = {"y": share, "low": low, "high": high}
            drawn = {name: round(down(value), 1) for name, value in places.items()}
            yield {"curve": number, "x": round(across(seconds), 1), **drawn}


def _write_axis(curves: Sequence[Curve], across: Place, palette: Palette) -> list[dict[str, Any]]:
    """Return the ticks, and below each how many were at risk then."""
    ticks = [word(across(at), BOTTOM, f"{at} s" if at == HORIZON else str(at), palette.secondary) for at in TICKS]
    for number, curve in enumerate(curves, start=1):
        counts = zip(TICKS, curve.at_risk, strict=True)
        ticks += [word(across(at), BOTTOM + LINE * number, f"{left:,}", palette.secondary) for at, left in counts]
    return ticks


def _name_risks(curves: Sequence[Curve], width: int, palette: Palette) -> list[dict[str, Any]]:
    return [
        word(width - RIGHT + 22, BOTTOM + LINE * number, f"at risk, {curve.words}", palette.secondary)
        for number, curve in enumerate(curves, start=1)
    ]


def _lines(rows: Sequence[dict[str, Any]], curves: int, size: Size, ink: str) -> list[alt.Chart]:
    x, y = pixels(size)
    parse: Any = dict.fromkeys(("curve", "x", "y", "low", "high"), "number")
    form = alt.CsvDataFormat(type="csv", parse=parse)
    base = alt.Chart(alt.InlineData(values=pl.DataFrame(rows).write_csv(), format=form))
    across = alt.X("x:Q", scale=x, axis=None)
    dashes = alt.Scale(
        domain=list(range(curves)), range=[list(DASHES[number % len(DASHES)]) for number in range(curves)]
    )
    return [
        base.mark_area(interpolate="step-after", opacity=0.16, color=ink, line=False).encode(
            x=across, y=alt.Y("high:Q", scale=y, axis=None, stack=None), y2=alt.Y2("low"), detail="curve:N"
        ),
        base.mark_line(interpolate="step-after", strokeWidth=1.8, color=ink).encode(
            x=across,
            y=alt.Y("y:Q", scale=y, axis=None),
            detail="curve:N",
            strokeDash=alt.StrokeDash("curve:O", scale=dashes, legend=None),
        ),
    ]


def find_floor(curves: Sequence[Curve]) -> float:
    """Return where the axis begins: the fifth of the whole at or below the lowest end of all bands, at most 0.8."""
    lowest = min([0.99, *(low for curve in curves for _, _, low, _ in to_horizon(curve.steps))])
    return int(lowest * 5) / 5


def to_horizon(
    steps: Sequence[tuple[float, float, float, float]], horizon: float = HORIZON
) -> list[tuple[float, float, float, float]]:
    """Return the steps up to the end of the axis, and the last of them once more there.

    >>> to_horizon([(0, 1.0, 1.0, 1.0), (700, 0.5, 0.4, 0.6)])
    [(0, 1.0, 1.0, 1.0), (600, 1.0, 1.0, 1.0)]
    """
    kept = [step for step in steps if step[0] <= horizon]
    return [*kept, (horizon, *kept[-1][1:])]


def spread(places: Sequence[tuple[float, str]], apart: float) -> list[tuple[float, str]]:
    """Return labels at their places, moved down where one would stand on another.

    >>> spread([(10, "a"), (12, "b")], 16)
    [(10, 'a'), (26, 'b')]
    """
    placed: list[tuple[float, str]] = []
    for y, text in sorted(places):
        placed.append((max(y, placed[-1][0] + apart) if placed else y, text))
    return placed
