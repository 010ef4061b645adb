import json

import pytest
import vl_convert
from hypothesis import given
from hypothesis import strategies as st

from tests.charts.test_lanes import draw
from workbench.charts.time_axis import Window, time_axis, time_scale

DAY = 86_400_000.0
START = 1_331_596_800_000.0


@pytest.mark.parametrize(
    ("days", "form"),
    [
        (0.000001, "%H:%M:%S.%L"),
        (0.002, "%H:%M:%S"),
        (1, "%H:%M"),
        (4, "%a %-d %b"),
        (10, "%-d %b"),
        (45, "%-d %b"),
        (200, "%b"),
        (3_650, "%Y"),
        (300_000, "%Y"),
    ],
)
def test_a_label_says_no_more_than_its_window_needs(days: float, form: str) -> None:
    axis = time_axis(Window(START, START + days * DAY), 480).to_dict()
    assert f"'{form}'" in axis["labelExpr"]


def test_where_a_day_begins_its_name_is_bold() -> None:
    axis = time_axis(Window(START, START + DAY), 480).to_dict()
    assert axis["labelFontWeight"]["condition"]["value"] == "bold"
    assert "'%a %-d %b'" in axis["labelExpr"]


def test_local_times_are_written_in_the_zone_of_the_reader() -> None:
    window = Window(START, START + DAY, "local")
    assert "utc" not in time_axis(window, 480).to_dict()["labelExpr"]
    assert time_scale(window).to_dict()["type"] == "time"
    assert time_scale(Window(START, START + DAY)).to_dict()["type"] == "utc"


@given(st.floats(0.00001, 300_000), st.floats(-400, 400), st.integers(300, 1_600))
def test_relative_ticks_lie_in_the_window_at_whole_units(days: float, before: float, width: int) -> None:
    window = Window(START, START + days * DAY, "relative", START + before * DAY)
    axis = time_axis(window, width).to_dict()
    values = json.loads(axis["values"]["expr"])
    assert len(values) <= width // 32 + 1
    assert all(window.start - 1 <= value <= window.end + 1 for value in values)


@pytest.mark.parametrize("zone", ["utc", "local", "relative"])
@pytest.mark.parametrize("days", [0.00001, 0.02, 1, 40, 400, 40_000])
def test_vega_draws_the_axis_without_a_warning(zone: str, days: float, capfd: pytest.CaptureFixture[str]) -> None:
    window = Window(START, START + days * DAY, zone, START + days * DAY)
    assert vl_convert.vegalite_to_svg(json.dumps(draw(window=window))).startswith("<svg")
    assert "WARN" not in capfd.readouterr().err
