"""What every picture of the deltas shares: the decisions with their signs and fills, and a canvas of plain pixels."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

import altair as alt
import msgspec
import polars as pl

from workbench.charts.theme import DARK, Palette, chart_config

# From below in every column; what nobody decided comes last.
DECISIONS: Final = ("accepted", "edited", "rejected", "expired", "pending", "superseded")
SIGNS: Final[Mapping[str, str]] = {
    "accepted": "✓",
    "edited": "✎",
    "rejected": "✕",
    "expired": "⌛",
    "pending": "…",
    "superseded": "→",
}
# Softer than the words' colours: a column is seen by its area, a word by its strokes.
_LIGHT: Final = ("#77A87A", "#D19A55", "#D37F79", "#B4BAC5", "#CDD2DA", "#DFE2E8")
_DARK: Final = ("#4F9155", "#A87639", "#A75F5A", "#555D6B", "#444B58", "#383F4B")
_WORDS: Final = {False: ("#2F7D32", "#A85B00", "#B3261E"), True: ("#7CC77F", "#F0A94B", "#F28B82")}


Align = Literal["left", "center", "right"]


class Size(msgspec.Struct, frozen=True):
    """The pixels of a picture, width and height."""

    width: int
    height: int


def decision_fill(decision: str, palette: Palette) -> str:
    """Return the colour of a decision's area on this ground."""
    return (_DARK if palette == DARK else _LIGHT)[DECISIONS.index(decision)]


def decision_ink(decision: str, palette: Palette) -> str:
    """Return the colour of a decision's sign and word on this ground."""
    words = _WORDS[palette == DARK]
    place = DECISIONS.index(decision)
    return words[place] if place < len(words) else palette.secondary


def ai_ink(palette: Palette) -> str:
    """Return the colour of what an AI wrote."""
    return "#A996FF" if palette == DARK else "#6B4BD8"


def shade_fill(palette: Palette) -> str:
    """Return the grey of what is only counted."""
    return "#3D4450" if palette == DARK else "#C9CED9"


def draw_boxes(boxes: Sequence[Mapping[str, Any]], size: Size) -> alt.Chart:
    """Return rectangles at x, x2, y, y2 in pixels from the top left, each with its fill and opacity."""
    names = ("x", "x2", "y", "y2", "fill", "opacity")
    values = pl.DataFrame([[each[name] for name in names] for each in boxes], names, orient="row")
    x, y = pixels(size)
    parse: Any = dict.fromkeys(("x", "x2", "y", "y2", "opacity"), "number")
    rows = alt.InlineData(values=values.write_csv(), format=alt.CsvDataFormat(type="csv", parse=parse))
    chart: alt.Chart = (
        alt.Chart(rows)
        .mark_rect(strokeWidth=0)
        .encode(
            x=alt.X("x:Q", scale=x, axis=None),
            x2=alt.X2("x2"),
            y=alt.Y("y:Q", scale=y, axis=None),
            y2=alt.Y2("y2"),
            color=alt.Color("fill:N", scale=None),
            opacity=alt.Opacity("opacity:Q", scale=None),
        )
    )
    return chart


def draw_words(
    words: Sequence[Mapping[str, Any]], size: Size, align: Align = "left", *, is_bold: bool = False
) -> alt.Chart:
    """Return texts at x, y in pixels, on their middle line, each with its colour and size."""
    x, y = pixels(size)
    chart: alt.Chart = (
        alt.Chart(alt.InlineData(values=[dict(each) for each in words]))
        .mark_text(align=align, baseline="middle", fontWeight="bold" if is_bold else "normal")
        .encode(
            x=alt.X("x:Q", scale=x, axis=None),
            y=alt.Y("y:Q", scale=y, axis=None),
            text="text:N",
            color=alt.Color("fill:N", scale=None),
            size=alt.Size("size:Q", scale=None),
        )
    )
    return chart


def word(x: float, y: float, text: str, fill: str, size: int = 12) -> dict[str, Any]:
    """Return one text for `draw_words`."""
    return {"x": round(x, 1), "y": round(y, 1), "text": text, "fill": fill, "size": size}


def box(x: tuple[float, float], y: tuple[float, float], fill: str, opacity: float = 1) -> dict[str, Any]:
    """Return one rectangle for `draw_boxes`."""
    return {
        "x": round(float(x[0]), 1),
        "x2": round(float(x[1]), 1),
        "y": round(float(y[0]), 1),
        "y2": round(float(y[1]), 1),
        "fill": fill,
        "opacity": float(opacity),
    }


def find_ticks(most: float) -> list[int]:
    """Return two to five whole ticks from 0 up to ``most``: steps of 1, 2 or 5 times a power of ten.

    >>> find_ticks(247)
    [0, 100, 200]
    """
    power = 10 ** max(0, len(str(int(most))) - 2)
    step = next(each * power for each in (1, 2, 5, 10, 20, 50, 100) if each * power * 4 >= most)
    return list(range(0, int(most) + 1, step))


def pixels(size: Size) -> tuple[alt.Scale, alt.Scale]:
    """Return the scales on which a value is a pixel from the left and from the top."""
    return (
        alt.Scale(domain=[0, size.width], range=[0, size.width], nice=False, zero=False),
        alt.Scale(domain=[0, size.height], range=[0, size.height], nice=False, zero=False),
    )


def lay(layers: Sequence[Any], size: Size, palette: Palette) -> alt.LayerChart:
    """Return layers as one picture of exactly this size."""
    return alt.LayerChart(
        layer=list(layers),
        width=size.width,
        height=size.height,
        padding=0,
        autosize=alt.AutoSizeParams(type="none"),
        config=chart_config(palette),
    )
