"""Where in a proposal words are changed: ten parts from its first words to its last."""

from collections.abc import Sequence
from typing import Final

import altair as alt

from workbench.charts.deltas import Size, box, decision_fill, draw_boxes, draw_words, lay, word
from workbench.charts.theme import Palette

TOP: Final = 22
BARS: Final = 44
HEIGHT: Final = TOP + BARS + 20
# The most changed part has the full colour, the least this much of it.
PALEST: Final = 0.6


def places_chart(shares: Sequence[float], palette: Palette, *, width: int) -> alt.LayerChart:
    """Return one bar for each part, its percentage of changed words above it."""
    size = Size(width, HEIGHT)
    most, least = max([0.01, *shares]), min([1.0, *shares])
    floor = TOP + BARS
    fill = decision_fill("edited", palette)
    boxes, words = [], []
    for number, share in enumerate(shares):
        x = place_of_part(number, len(shares), width)
        top = floor - max(1, BARS * share / most)
        strength = PALEST + (1 - PALEST) * (share - least) / max(1e-9, most - least)
        boxes.append(box(x, (top, floor), fill, round(strength, 2)))
        words.append(word(sum(x) / 2, top - 9, f"{100 * share:.0f}", palette.ink))
    ends = [word(0, floor + 12, "first words of the proposal", palette.secondary)]
    last = [word(width, floor + 12, "last words", palette.secondary)]
    return lay(
        [
            draw_boxes(boxes, size),
            draw_words(words, size, "center"),
            draw_words(ends, size),
            draw_words(last, size, "right"),
        ],
        size,
        palette,
    )


def place_of_part(number: int, parts: int, width: int) -> tuple[float, float]:
    """Return from where to where a part's bar stands, in pixels."""
    step = width / parts
    return number * step + 0.5, (number + 1) * step - 0.5
