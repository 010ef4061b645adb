from typing import Any

import altair as alt
import polars as pl
import pytest

from workbench.charts.lanes import Lane, bar_unit, count_words, geometry, lanes_chart
from workbench.charts.theme import DARK, HUES, LIGHT, assign_hues, choose_palette
from workbench.charts.time_axis import Window

HOUR = 3_600
BARS = pl.DataFrame(
    {"lane": [0, 0, 1], "start": [0, HOUR, 5 * HOUR], "end": [HOUR, 2 * HOUR, 6 * HOUR], "events": [3, 1, 7]}
)
LANES = [Lane(name="A", hue=HUES[0], events=4, tallest=3), Lane(name="B", hue=None, events=7, tallest=7)]


def draw(**changes: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        "bars": BARS,
        "lanes": LANES,
        "window": Window(0, 6_000.0 * HOUR),
        "palette": LIGHT,
    } | changes
    chart = lanes_chart(given["bars"], given["lanes"], given["window"], given["palette"], width=760)
    assert isinstance(chart, alt.LayerChart)
    return chart.to_dict()


def datasets(chart: dict[str, Any], kind: type) -> list[Any]:
    return [rows for rows in chart["datasets"].values() if isinstance(rows, kind)]


def test_bars_are_carried_as_lines_in_units_of_a_bar() -> None:
    assert datasets(draw(), str) == ["lane,start,events\n0,0,3\n0,1,1\n1,5,7\n"]


def test_bars_of_unequal_length_carry_their_ends() -> None:
    months = BARS.with_columns(end=BARS["end"] + HOUR * (BARS["start"] == 0).cast(pl.Int64))
    assert datasets(draw(bars=months), str) == ["lane,start,end,events\n0,0,2,3\n0,1,2,1\n1,5,6,7\n"]


def test_a_bar_at_the_edge_of_the_window_keeps_two_pixels_within() -> None:
    bars = next(layer for layer in draw(window=Window(0, 442_000.0))["layer"] if "transform" in layer)
    steps = {step["as"]: step["calculate"] for step in bars["transform"]}
    assert steps["x"] == "min(1000 * (0 + 3600 * datum.start), 440000)"
    assert steps["x2"] == "max(1000 * (0 + 3600 * (datum.start + 1)), 2000)"


def test_a_lane_has_its_name_its_counts_and_a_hollow_swatch_beyond_the_ten_hues() -> None:
    first, second = next(rows for rows in datasets(draw(), list) if len(rows) == 2)
    assert (first["name"], first["events"], first["tallest"], first["hue"]) == ("A", "4", "3", HUES[0])
    assert (second["hue"], second["edge"]) == ("transparent", LIGHT.secondary)


def test_a_name_is_data_and_never_part_of_an_expression() -> None:
    hostile = "'] + alert(1) + datum['"
    lanes = [Lane(name=hostile, hue=None, events=1, tallest=1), LANES[1]]
    chart = draw(lanes=lanes)
    chart.pop("datasets")
    assert "alert" not in str(chart)


def test_the_picture_has_the_size_it_says() -> None:
    chart = draw()
    assert chart["width"] + chart["padding"]["left"] + chart["padding"]["right"] == 760
    place = geometry(2, 760)
    assert (place["left"], place["width"], place["height"]) == (
        chart["padding"]["left"],
        chart["width"],
        chart["height"],
    )


def test_the_dark_picture_stands_on_the_dark_ground() -> None:
    assert draw(palette=DARK)["config"]["background"] == DARK.ground
    assert [choose_palette(name) for name in ("dark", "light", None)] == [DARK, LIGHT, LIGHT]


def test_nothing_is_switched_globally() -> None:
    before = (alt.theme.active, alt.renderers.active, alt.data_transformers.active)
    draw()
    assert (alt.theme.active, alt.renderers.active, alt.data_transformers.active) == before


def test_no_bars_are_a_picture_of_no_height() -> None:
    assert draw(bars=BARS.clear(), lanes=[])["height"] == 0
    assert bar_unit(BARS.clear()) == (0, 1)


def test_hues_go_by_frequency_and_end_after_ten() -> None:
    hues = assign_hues(str(number) for number in range(12))
    assert [hues["0"], hues["9"], hues["10"]] == [HUES[0], HUES[9], None]


@pytest.mark.parametrize(("count", "words"), [(0, "0"), (999_999, "999,999"), (1_000_000, "1.00 M")])
def test_a_count_is_at_most_seven_characters(count: int, words: str) -> None:
    assert count_words(count) == words
