"""What was decided over time, one row of columns a version: each column 100 % of what was shown then."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import altair as alt
import msgspec

from workbench.charts.deltas import (
    DECISIONS,
    SIGNS,
    Size,
    box,
    decision_fill,
    decision_ink,
    draw_boxes,
    draw_words,
    lay,
    shade_fill,
    word,
)
from workbench.charts.theme import Palette

LEFT: Final = 148
RIGHT: Final = 36
TOP: Final = 8
HIGH: Final = 70
PITCH: Final = 110
SHOWN: Final = 18
AXIS: Final = 26
# Below the last row no other begins.
GAP: Final = 12
# Below so many proposals a share says little: its column is pale.
FEW: Final = 20
PALE: Final = 0.42
LABEL: Final = 62
# Characters that fit before the scale.
LONGEST: Final = 15


class SplitColumn(msgspec.Struct, frozen=True, kw_only=True):
    """One stretch of time of one version: when it begins, its number in time, what was shown and what was decided."""

    number: int
    start: datetime
    shown: int
    counts: Mapping[str, int]


class SplitRow(msgspec.Struct, frozen=True, kw_only=True):
    """One version's columns, under the words by which it stands at the left."""

    words: str
    shown: int
    columns: Sequence[SplitColumn]


def split_size(rows: int, width: int) -> Size:
    """Return the pixels of the picture of so many versions."""
    return Size(width, TOP + PITCH * max(1, rows) + AXIS - GAP)


def split_chart(
    rows: Sequence[SplitRow], starts: Sequence[datetime], palette: Palette, *, width: int
) -> alt.LayerChart:
    """Return the columns of each version over the same ``starts``; below each a bar of how many were shown."""
    size = split_size(len(rows), width)
    most = max([1, *(column.shown for row in rows for column in row.columns)])
    tops = [TOP + PITCH * place for place in range(len(rows))]
    boxes = [
        each
        for row, top in zip(rows, tops, strict=True)
        for each in _row(row, len(starts), top, most, palette=palette, width=width)
    ]
    names = [word(0, top + 7, _short(row.words), palette.ink, 13) for row, top in zip(rows, tops, strict=True)]
    left = [each for row, top in zip(rows, tops, strict=True) for each in _notes(row, len(starts), top, width, palette)]
    scales = [
        word(LEFT - 10, top + height, text, palette.secondary)
        for top in tops
        for height, text in ((0, "100 %"), (HIGH / 2, "50"), (HIGH, "0"), (HIGH + 13, "shown"))
    ]
    ticks = _ticks(starts, width, size.height - AXIS + 16, palette)
    return lay(
        [
            draw_boxes(boxes, size),
            draw_words(names, size, is_bold=True),
            draw_words(left, size),
            draw_words(scales, size, "right"),
            draw_words(ticks, size, "center"),
        ],
        size,
        palette,
    )


def _short(words: str) -> str:
    return words if len(words) <= LONGEST else f"{words[: LONGEST - 1]}…"


def _row(row: SplitRow, columns: int, top: int, most: int, *, palette: Palette, width: int) -> list[dict[str, Any]]:
    boxes = [
        box((LEFT, width - RIGHT), (top + height, top + height + 1), palette.hairline) for height in (0, HIGH / 2, HIGH)
    ]
    for column in row.columns:
        boxes += _column(column, column_place(column.number, columns, width), top, most, palette)
    return boxes


def _notes(row: SplitRow, columns: int, top: int, width: int, palette: Palette) -> list[dict[str, Any]]:
    """Return how many were shown, the stretches without any, and the signs at the right end."""
    there = {column.number for column in row.columns}
    gaps = [sum(column_place(number, columns, width)) / 2 - 4 for number in range(columns) if number not in there]
    return [
        word(0, top + 26, f"n = {row.shown:,}", palette.secondary),
        *(word(x, top + HIGH / 2, "–", palette.secondary) for x in gaps),  # noqa: RUF001 - the sign of no value
        *_signs(row, top, width, palette),
    ]


def column_place(number: int, columns: int, width: int) -> tuple[float, float]:
    """Return from where to where a column stands, in pixels."""
    step = (width - LEFT - RIGHT) / max(1, columns)
    gap = min(4.0, step * 0.12)
    return LEFT + number * step + gap / 2, LEFT + (number + 1) * step - gap / 2


def _column(column: SplitColumn, x: tuple[float, float], top: int, most: int, palette: Palette) -> list[dict[str, Any]]:
    opacity = PALE if column.shown < FEW else 1
    boxes, below = [], float(top + HIGH)
    for decision in DECISIONS:
        count = column.counts.get(decision, 0)
        if count:
            above = below - HIGH * count / column.shown
            boxes.append(box(x, (above + 0.5, below), decision_fill(decision, palette), opacity))
            below = above
    hanging = top + HIGH + 5
    boxes.append(box(x, (hanging, hanging + max(1, SHOWN * column.shown / most)), shade_fill(palette)))
    return boxes


def _signs(row: SplitRow, top: int, width: int, palette: Palette) -> list[dict[str, Any]]:
    if not row.columns:
        return []
    last = row.columns[-1]
    signs, below, lowest = [], 0.0, float(top + HIGH + 20)
    for decision in DECISIONS[:3]:
        part = last.counts.get(decision, 0) / max(1, last.shown)
        y = min(top + HIGH * (1 - below - part / 2), lowest - 12)
        below += part
        if part:
            lowest = y
            signs.append(word(width - RIGHT + 10, y, SIGNS[decision], decision_ink(decision, palette), 13))
    return signs


def _ticks(starts: Sequence[datetime], width: int, y: float, palette: Palette) -> list[dict[str, Any]]:
    step = (width - LEFT - RIGHT) / max(1, len(starts))
    every = max(1, -(-LABEL // max(1, round(step))))
    written = tick_words(starts)
    return [
        word(sum(column_place(number, len(starts), width)) / 2, y, written[number], palette.secondary)
        for number in range(0, len(starts), every)
    ]


def tick_words(starts: Sequence[datetime]) -> list[str]:
    """Return how the beginnings of columns are written: hours within days, days within a year, months beyond.

    >>> tick_words([datetime(2021, 8, 18), datetime(2021, 8, 19)])
    ['18 Aug', '19 Aug']
    """
    if len(starts) > 1 and (starts[1] - starts[0]).total_seconds() < 86_400:  # noqa: PLR2004 - a day has so many seconds
        return [f"{start:%H:%M}" if start.hour else f"{start.day} {start:%b}" for start in starts]
    months = len(starts) > 1 and (starts[1] - starts[0]).days > 27  # noqa: PLR2004 - no month is shorter than 28 days
    return [f"{start:%b %Y}" if months else f"{start.day} {start:%b}" for start in starts]
