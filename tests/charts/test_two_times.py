from typing import Any

import polars as pl
import pytest

from workbench.charts.theme import DARK, LIGHT, Palette
from workbench.charts.time_axis import Window
from workbench.charts.two_times import two_times_chart, two_times_geometry

DAY = 86_400_000
EVENTS = pl.DataFrame({"occurred": [DAY, 2 * DAY], "recorded": [DAY, 5 * DAY], "late": [0, 1], "events": [3, 1]})


def draw(palette: Palette = LIGHT) -> dict[str, Any]:
    chart: dict[str, Any] = two_times_chart(EVENTS, Window(0, 7 * DAY), palette, size=(500, 360)).to_dict()
    return chart


def test_both_axes_span_the_same_time_and_the_diagonal_is_on_time() -> None:
    chart = draw()
    scales = [layer["encoding"][axis]["scale"] for layer in chart["layer"] for axis in ("x", "y")]
    assert all(scale["domain"] == {"expr": f"[0, {7 * DAY}]"} for scale in scales)
    ends = next(rows for rows in chart["datasets"].values() if rows[0]["occurred"] == 0)
    assert ends == [{"occurred": 0, "recorded": 0}, {"occurred": 7 * DAY, "recorded": 7 * DAY}]


def test_a_late_event_is_hollow_on_a_dashed_stem() -> None:
    stem, _, late = draw()["layer"][1:]
    assert (stem["mark"]["type"], stem["mark"]["strokeDash"]) == ("rule", [4, 3])
    assert (late["mark"]["filled"], late["mark"]["fill"]) == (False, LIGHT.ground)


@pytest.mark.parametrize(("palette", "colour"), [(LIGHT, "#B0127B"), (DARK, "#FF8AD1")])
def test_late_has_one_colour_on_each_ground(palette: Palette, colour: str) -> None:
    assert draw(palette)["layer"][1]["mark"]["color"] == colour


def test_the_plot_stands_where_a_hand_is_told() -> None:
    chart, place = draw(), two_times_geometry((500, 360))
    assert (chart["padding"]["left"], chart["padding"]["top"]) == (place["left"], place["top"])
    assert (chart["width"], chart["height"]) == (place["width"], place["height"])
