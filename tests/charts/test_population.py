from typing import Any

import polars as pl
import pytest

from workbench.charts.population import Ribbon, find_top, population_chart, population_geometry, stack_ribbons
from workbench.charts.theme import LIGHT
from workbench.charts.time_axis import Window

# Two points: three of the first ribbon and one of the second, then four and none.
COUNTS = pl.DataFrame(
    {"start": [0, 0, 10, 10], "end": [10, 10, 20, 20], "ribbon": [0, 1, 0, 1], "entities": [3, 1, 4, 0]}
)
RIBBONS = [Ribbon(name="open", colour="#2E5C8F"), Ribbon(name="ended", colour="#878FA3")]


def draw() -> dict[str, Any]:
    chart: dict[str, Any] = population_chart(COUNTS, RIBBONS, Window(0, 20), LIGHT, size=(600, 200)).to_dict()
    return chart


def test_ribbons_stand_on_one_another_the_first_on_top() -> None:
    assert stack_ribbons(COUNTS).rows() == [
        (0, 0, 1, 4),
        (10, 0, 0, 4),
        (20, 0, 0, 4),
        (0, 1, 0, 1),
        (10, 1, 0, 0),
        (20, 1, 0, 0),
    ]


def test_a_point_at_which_nothing_moves_is_left_out() -> None:
    still = COUNTS.with_columns(entities=pl.Series([3, 1, 3, 1]))
    assert stack_ribbons(still).rows() == [(0, 0, 1, 4), (20, 0, 1, 4), (0, 1, 0, 1), (20, 1, 0, 1)]


def test_the_picture_carries_lines_and_each_ribbons_colour() -> None:
    chart = draw()
    assert list(chart["datasets"].values()) == [
        "start,ribbon,low,high\n0,0,1,4\n10,0,0,4\n20,0,0,4\n0,1,0,1\n10,1,0,0\n20,1,0,0\n"
    ]
    colour = chart["layer"][0]["encoding"]["color"]["scale"]
    assert colour == {"domain": [0, 1], "range": ["#2E5C8F", "#878FA3"]}


def test_the_plot_stands_where_a_hand_is_told() -> None:
    chart, place = draw(), population_geometry((600, 200))
    assert (chart["padding"]["left"], chart["padding"]["top"]) == (place["left"], place["top"])
    assert (chart["width"], chart["height"]) == (place["width"], place["height"])


@pytest.mark.parametrize(
    ("most", "top"), [(0, 1), (1, 1), (7, 8), (9, 10), (860, 1_000), (1_100, 1_200), (13_087, 15_000)]
)
def test_the_axis_ends_at_a_plain_number_above_the_highest_sum(most: int, top: int) -> None:
    assert find_top(pl.DataFrame({"start": [0], "entities": [most]})) == top
