"""How far what was kept is from what was proposed: the changed ones by distance, in steps of a twentieth."""

from collections.abc import Sequence
from typing import Final

import altair as alt

from workbench.charts.deltas import Size, box, decision_fill, draw_boxes, draw_words, find_ticks, lay, word
from workbench.charts.theme import Palette

LEFT: Final = 46
RIGHT: Final = 18
TOP: Final = 24
BOTTOM: Final = 42
HEIGHT: Final = 186


def distance_chart(counts: Sequence[int], palette: Palette, *, width: int) -> alt.LayerChart:
    """Return one bar for each of the ``counts``, which part 0 to 1 evenly; the last holds those at 1."""
    size = Size(width, HEIGHT)
    most = max([1, *counts])
    floor = HEIGHT - BOTTOM
    plot = floor - TOP
    fill = decision_fill("edited", palette)
    heights = {tick: floor - plot * tick / most for tick in find_ticks(most)}
    boxes = [box((LEFT, width - RIGHT), (y, y + 1), palette.hairline) for y in heights.values()]
    for number, count in enumerate(counts):
        x = bar_place(number, len(counts), width)
        boxes.append(box(x, (floor - plot * count / most, floor), fill))
    right = [word(LEFT - 8, y, f"{tick:,}", palette.secondary) for tick, y in heights.items()]
    span = width - LEFT - RIGHT
    ticks = [word(LEFT + span * at, floor + 13, f"{at:.2f}", palette.secondary) for at in (0, 0.25, 0.5, 0.75, 1)]
    notes = [word(LEFT, floor + 32, "words inserted, deleted, replaced ÷ longer text", palette.secondary)]
    rewritten = (
        [word(width - RIGHT, 8, f"{counts[-1]:,} rewritten or removed", palette.secondary)] if counts[-1] else []
    )
    return lay(
        [
            draw_boxes(boxes, size),
            draw_words([*right, *rewritten], size, "right"),
            draw_words(ticks, size, "center"),
            draw_words(notes, size),
        ],
        size,
        palette,
    )


def bar_place(number: int, bars: int, width: int) -> tuple[float, float]:
    """Return from where to where a bar stands, in pixels."""
    step = (width - LEFT - RIGHT) / bars
    return LEFT + number * step + 0.5, LEFT + (number + 1) * step - 0.5
