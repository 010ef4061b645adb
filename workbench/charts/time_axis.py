"""Where a time axis has its ticks, and how they are written."""

from typing import Any, Final, Literal

import altair as alt
import msgspec

# Pixels a label needs, its neighbour's distance included, by how it is written.
LABEL_WIDTHS: Final = {
    "%b": 36,
    "%Y": 46,
    "%H:%M": 58,
    "%-d %b": 62,
    "%a %-d %b": 84,
    "%H:%M:%S": 76,
    "%H:%M:%S.%L": 100,
}
RELATIVE_WIDTH: Final = 64
MINUTE, HOUR, DAY = 60, 3_600, 86_400
MIDNIGHT: Final = "{0}hours(datum.value) + {0}minutes(datum.value) == 0"
JANUARY: Final = "{0}month(datum.value) == 0"


class Step(msgspec.Struct, frozen=True):
    """A distance between ticks: so many of an interval, its length in seconds, and how a tick is written.

    ``start`` tests whether a larger unit begins at a tick, which is then written as ``larger``, in bold. Without an
    interval Vega picks the ticks itself: it knows no interval shorter than a day by the names Vega-Lite gives them.
    """

    interval: str | None
    count: int
    seconds: float
    form: str
    larger: str | None = None
    start: str | None = None


STEPS: Final = (
    Step(None, 1, 0.5, "%H:%M:%S.%L"),
    Step(None, 1, 45, "%H:%M:%S"),
    Step(None, 1, 16 * HOUR, "%H:%M", "%a %-d %b", MIDNIGHT),
    Step("day", 1, DAY, "%a %-d %b"),
    Step("day", 2, 2 * DAY, "%-d %b"),
    Step("week", 1, 7 * DAY, "%-d %b"),
    Step("month", 1, 30 * DAY, "%b", "%b %Y", JANUARY),
    Step("month", 3, 91 * DAY, "%b", "%Y", JANUARY),
    *(Step("year", count, count * 365 * DAY, "%Y") for count in (1, 2, 5, 10, 50, 200, 1000)),
)

# What a time before the reference is counted in: the unit's length in seconds, its sign, the steps that read well.
UNITS: Final = ((365 * DAY, "y", (1, 2, 5, 10)), (DAY, "d", (1, 2, 7, 14, 30, 90)), (HOUR, "h", (1, 2, 6, 12)))
SMALL_UNITS: Final = ((MINUTE, "min", (1, 5, 15, 30)), (1, "s", (1, 5, 15, 30)))


class Window(msgspec.Struct, frozen=True):
    """A stretch of time in epoch milliseconds, and the zone its axis is written in: utc, local or relative.

    Under ``relative`` a time is written as its distance to ``reference``.
    """

    start: float
    end: float
    zone: str = "utc"
    reference: float = 0

    @property
    def seconds(self) -> float:
        """How long it is."""
        return (self.end - self.start) / 1_000


def time_scale(window: Window) -> alt.Scale:
    """Return the x scale over exactly ``window``, in its zone."""
    kind: Literal["time", "utc"] = "time" if window.zone == "local" else "utc"
    return alt.Scale(type=kind, domain=alt.ExprRef(f"[{window.start}, {window.end}]"), nice=False)


def time_axis(window: Window, width: int) -> alt.Axis:
    """Return the axis on top of a chart ``width`` pixels wide: where a day or a year begins, its name is in bold."""
    ticks = _relative_ticks(window, width) if window.zone == "relative" else _calendar_ticks(window, width)
    return alt.Axis(orient="top", title=None, labelOverlap="greedy", ticks=False, labelPadding=6, domain=False, **ticks)


def _calendar_ticks(window: Window, width: int) -> dict[str, Any]:
    step = next((step for step in STEPS if window.seconds / step.seconds * LABEL_WIDTHS[step.form] <= width), STEPS[-1])
    room = max(2, width // LABEL_WIDTHS[step.form])
    call, prefix = ("timeFormat", "") if window.zone == "local" else ("utcFormat", "utc")
    label = f"{call}(datum.value, '{step.form}')"
    interval = {"interval": step.interval, "step": step.count}
    ticks: dict[str, Any] = {"tickCount": interval if step.interval else room}
    if step.start is None:
        return {**ticks, "labelExpr": label}
    test = step.start.format(prefix)
    bold = {"condition": {"test": test, "value": "bold"}, "value": "normal"}
    return {**ticks, "labelExpr": f"{test} ? {call}(datum.value, '{step.larger}') : {label}", "labelFontWeight": bold}


def _relative_ticks(window: Window, width: int) -> dict[str, Any]:
    room = max(2, width // RELATIVE_WIDTH)
    unit, sign, count = next(
        (
            (unit, sign, count)
            for unit, sign, counts in reversed((*UNITS, *SMALL_UNITS))
            for count in counts
            if window.seconds / (unit * count) <= room
        ),
        (365 * DAY, "y", 100),
    )
    step = unit * count * 1_000
    first = -int((window.reference - window.start) // step)
    last = -int(-((window.end - window.reference) // step))
    values = [window.reference + place * step for place in range(first, last + 1)]
    distance = f"round((datum.value - {window.reference}) / {unit * 1_000})"
    # As an expression: Vega-Lite would write datetime(…) around each value, which Vega's interpreter gets wrong.
    return {"values": alt.ExprRef(str(values)), "labelExpr": f"replace(format({distance}, '~'), '-', '−') + ' {sign}'"}  # noqa: RUF001 - a true minus
