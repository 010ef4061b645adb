import json
from collections.abc import Sequence
from datetime import timedelta

import polars as pl
import pytest

from tests.views.conftest import MIDNIGHT
from workbench.charts.lanes import Lane, lanes_chart
from workbench.charts.theme import HUES, LIGHT
from workbench.charts.time_axis import Window
from workbench.session import Session
from workbench.views.timeline.choices import TimelineChoices
from workbench.views.timeline.density import MOST_BARS, MOST_LANES, picture_geometry, show_timeline
from workbench.views.timeline.overview import load_overview, window_of


def lanes_of(chart: dict[str, object]) -> list[dict[str, object]]:
    datasets = chart["datasets"]
    assert isinstance(datasets, dict)
    found: Sequence[dict[str, object]] = next(
        rows for rows in datasets.values() if isinstance(rows, list) and "name" in rows[0]
    )
    return list(found)


def test_every_event_of_the_choices_is_counted_once(bank: Session) -> None:
    view = show_timeline(bank, TimelineChoices())
    assert view.frame["events"].sum() == 48
    assert view.basis.position == 47


def test_the_sql_of_a_view_gives_its_counts_again(bank: Session) -> None:
    view = show_timeline(bank, TimelineChoices.from_query({"not_event_type": ["LoanRequested"], "position": ["30"]}))
    again = bank.sql(view.sql, view.parameters)
    assert sorted(again["events"].to_list()) == sorted(view.frame["events"].to_list())


def test_lanes_stand_by_count_and_keep_the_hue_of_the_whole_log(bank: Session) -> None:
    chosen = TimelineChoices.from_query(
        {"event_type": ["LoanRequested", "MoneyDeposited"], "stream_id": ["account-3", "account-0"]}
    )
    lanes = lanes_of(show_timeline(bank, chosen).chart.to_dict())
    assert [(lane["name"], lane["events"]) for lane in lanes] == [("LoanRequested", "12"), ("MoneyDeposited", "12")]
    order = list(load_overview(bank, 47).event_types)
    assert [lane["hue"] for lane in lanes] == [HUES[order.index(str(lane["name"]))] for lane in lanes]


def test_beyond_thirteen_lanes_the_rest_is_one(bank: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.views.timeline.density.MOST_LANES", 1)
    view = show_timeline(bank, TimelineChoices())
    lanes = lanes_of(view.chart.to_dict())
    assert [(lane["name"], lane["events"]) for lane in lanes] == [("MoneyDeposited", "24"), ("2 more", "24")]
    assert picture_geometry(view)["lanes"] == 2
    assert MOST_LANES == 13


def test_a_window_without_events_is_an_empty_picture(bank: Session) -> None:
    later = MIDNIGHT + timedelta(days=900)
    view = show_timeline(bank, TimelineChoices(since=later, until=later + timedelta(hours=1)))
    assert view.frame.is_empty()
    assert view.chart.to_dict()["height"] == 0


def test_a_window_is_drawn_from_what_was_chosen_and_else_from_the_log(bank: Session) -> None:
    overview = load_overview(bank, 47)
    assert window_of(TimelineChoices(), overview)[0] == MIDNIGHT
    since, until = window_of(TimelineChoices(since=MIDNIGHT + timedelta(days=99)), overview)
    assert since < until
    since, until = window_of(TimelineChoices(until=MIDNIGHT - timedelta(days=99)), overview)
    assert since < until


def test_the_overview_of_a_position_stays_as_it_was(bank: Session) -> None:
    assert load_overview(bank, 30) is load_overview(bank, 30)
    assert load_overview(bank, 30).events == 31
    assert sum(load_overview(bank, 30).event_types.values()) == 31


@pytest.mark.parametrize("width", [480, 760, 1_600, 4_000])
def test_a_picture_of_any_width_has_bars_of_at_least_one_and_a_half_pixels(bank: Session, width: int) -> None:
    view = show_timeline(bank, TimelineChoices(), width=width)
    place = picture_geometry(view, width)
    pixels = place["width"] * place["unit"] / (46 * 3_600)
    assert pixels >= 1.5
    assert place["width"] / pixels <= MOST_BARS


def test_the_widest_picture_stays_below_a_hundred_kilobytes() -> None:
    width, grain, most = 920, 14 * 86_400, MOST_BARS
    bars = pl.DataFrame(
        [
            {"lane": lane, "start": grain * place, "end": grain * (place + 1), "events": 40_000 + place}
            for lane in range(MOST_LANES + 1)
            for place in range(most)
        ]
    )
    lanes = [Lane(name="A" * 64, hue=None, events=9_999_999, tallest=40_000) for _ in range(MOST_LANES + 1)]
    spec = json.dumps(lanes_chart(bars, lanes, Window(0, 1_000.0 * grain * most), LIGHT, width=width).to_dict())
    assert len(spec) < 100_000


def test_the_basis_of_an_earlier_position_names_it_and_hashes_the_rows(bank: Session) -> None:
    earlier = TimelineChoices.from_query({"position": ["30"]})
    view, again, head = (
        show_timeline(bank, earlier),
        show_timeline(bank, earlier),
        show_timeline(bank, TimelineChoices()),
    )
    assert (view.basis.position, head.basis.position) == (30, 47)
    assert view.basis.sha256 == again.basis.sha256 != head.basis.sha256
