"""The pictures of the deltas: what they draw, where, and that no spec is ever large."""

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from workbench.charts.deltas import DECISIONS, ai_ink, decision_fill, decision_ink, find_ticks, shade_fill
from workbench.charts.deltas_compare import Contrast, compare_chart, find_end, write_points
from workbench.charts.deltas_distance import bar_place, distance_chart
from workbench.charts.deltas_places import places_chart
from workbench.charts.deltas_retained import find_horizon, retained_chart
from workbench.charts.deltas_split import SplitColumn, SplitRow, column_place, split_chart, tick_words
from workbench.charts.deltas_survival import Curve, find_floor, spread, survival_chart, survival_geometry
from workbench.charts.theme import DARK, LIGHT

STARTS = [datetime(2021, 8, 18, tzinfo=UTC) + timedelta(days=day) for day in range(3)]
LARGEST = 100_000


def read(chart: Any) -> tuple[dict[str, Any], list[str]]:
    """Return a chart's spec, checked to be small, and every text in it."""
    spec: dict[str, Any] = chart.to_dict()
    assert len(json.dumps(spec)) < LARGEST
    texts = [
        each["text"] for rows in spec["datasets"].values() if isinstance(rows, list) for each in rows if "text" in each
    ]
    return spec, texts


def boxes(spec: dict[str, Any]) -> list[list[str]]:
    """Return the rectangles of a picture as rows of x, x2, y, y2, fill and opacity."""
    drawn = next(rows for rows in spec["datasets"].values() if isinstance(rows, str) and rows.startswith("x,x2"))
    return [line.split(",") for line in drawn.strip().split("\n")[1:]]


def column(number: int, shown: int, **counts: int) -> SplitColumn:
    return SplitColumn(number=number, start=STARTS[number], shown=shown, counts=counts)


def test_a_column_stands_from_below_in_the_order_of_decisions_and_what_was_shown_hangs_under_it() -> None:
    row = SplitRow(words="0.9", shown=100, columns=[column(0, 100, accepted=50, edited=20, rejected=29, expired=1)])
    spec, texts = read(split_chart([row], STARTS[:1], LIGHT, width=600))
    drawn = [each for each in boxes(spec) if each[4] in {decision_fill(name, LIGHT) for name in DECISIONS}]
    assert [each[4] for each in drawn] == [decision_fill(name, LIGHT) for name in DECISIONS[:4]]
    tops = [float(each[2]) for each in drawn]
    assert tops == sorted(tops, reverse=True)
    assert float(drawn[0][3]) - tops[0] == pytest.approx(35, abs=0.6)
    hanging = next(each for each in boxes(spec) if each[4] == shade_fill(LIGHT))
    assert float(hanging[2]) > float(drawn[0][3])
    assert {"0.9", "n = 100", "shown", "✓", "✎", "✕", "18 Aug"} <= set(texts)


def test_days_under_twenty_are_pale_and_days_without_any_have_a_dash() -> None:
    row = SplitRow(words="0.2", shown=19, columns=[column(1, 19, accepted=19)])
    spec, texts = read(split_chart([row], STARTS, DARK, width=600))
    drawn = [each for each in boxes(spec) if each[4] == decision_fill("accepted", DARK)]
    assert [each[5] for each in drawn] == ["0.42"]
    assert texts.count("\N{EN DASH}") == 2


def test_a_version_without_columns_has_its_name_and_no_signs() -> None:
    _, texts = read(
        split_chart([SplitRow(words="a very long version name", shown=0, columns=[])], STARTS, LIGHT, width=400)
    )
    assert "a very long ve…" in texts
    assert "✓" not in texts


def test_columns_share_the_width_whatever_their_number() -> None:
    places = [column_place(number, 20, 900) for number in range(20)]
    assert all(first[1] < second[0] for first, second in pairwise(places))
    assert places[-1][1] <= 900 - 36


def test_ticks_are_hours_days_or_months() -> None:
    first = datetime(2021, 8, 18, tzinfo=UTC)
    assert tick_words([first, first + timedelta(hours=1)]) == ["18 Aug", "01:00"]
    assert tick_words([first.replace(day=1), datetime(2021, 9, 1, tzinfo=UTC)]) == ["Aug 2021", "Sep 2021"]
    assert tick_words([first]) == ["18 Aug"]


def test_two_years_of_columns_of_four_versions_stay_small() -> None:
    starts = [datetime(2020, 1, 1, tzinfo=UTC) + timedelta(days=7 * week) for week in range(62)]
    counts = dict.fromkeys(DECISIONS, 10)
    columns = [SplitColumn(number=number, start=start, shown=60, counts=counts) for number, start in enumerate(starts)]
    read(
        split_chart(
            [SplitRow(words=f"v{number}", shown=60, columns=columns) for number in range(4)], starts, LIGHT, width=1_200
        )
    )


def test_an_interval_without_zero_is_filled_and_strong() -> None:
    contrasts = [
        Contrast(measure="accepted", difference=8.1, low=4.0, high=13.2),
        Contrast(measure="edited", difference=-1.1, low=-4.6, high=1.5),
    ]
    assert [each.is_clear for each in contrasts] == [True, False]
    spec, texts = read(compare_chart(contrasts, LIGHT, width=220))
    points = next(rows for rows in spec["datasets"].values() if isinstance(rows, list) and "stroke" in rows[0])
    assert [point["fill"] for point in points] == [LIGHT.ink, LIGHT.ground]
    assert {"+8.1", "\N{MINUS SIGN}1.1", "+10", "0"} <= set(texts)
    assert [layer["mark"].get("fontWeight") for layer in spec["layer"]][2:4] == ["bold", "normal"]


def test_differences_alike_in_strength_are_drawn_in_one_layer() -> None:
    spec, _ = read(compare_chart([Contrast(measure="edited", difference=0, low=-0.5, high=0.5)], LIGHT, width=220))
    assert len(spec["layer"]) == 4
    assert find_end([]) == 1
    assert find_end([Contrast(measure="a", difference=0, low=-400, high=0)]) == 100
    assert write_points(-0.01) == "0.0"


def test_the_bars_of_distances_have_the_height_of_their_counts() -> None:
    spec, texts = read(distance_chart([10, 0, 5, 20], LIGHT, width=400))
    drawn = [each for each in boxes(spec) if each[4] == decision_fill("edited", LIGHT)]
    heights = [float(each[3]) - float(each[2]) for each in drawn]
    assert heights[0] * 2 == pytest.approx(heights[3])
    assert heights[1] == 0
    assert "20 rewritten or removed" in texts
    assert bar_place(0, 4, 400)[0] < bar_place(1, 4, 400)[0]


def test_nothing_is_said_of_rewriting_where_nothing_was_rewritten() -> None:
    _, texts = read(distance_chart([1, 0], DARK, width=400))
    assert not any("rewritten" in text for text in texts)
    assert find_ticks(1) == [0, 1]
    assert find_ticks(247) == [0, 100, 200]


def test_the_first_curve_is_solid_and_each_is_named_at_its_end() -> None:
    curves = [
        Curve(words="0.9", steps=[(0, 1, 1, 1), (30, 0.66, 0.64, 0.68), (700, 0.5, 0.4, 0.6)], at_risk=[10, 8, 5, 2]),
        Curve(words="0.2", steps=[(0, 1, 1, 1), (10, 0.655, 0.6, 0.7)], at_risk=[9, 7, 4, 1]),
    ]
    spec, texts = read(survival_chart(curves, LIGHT, width=440))
    assert {"0.9 · 66.0 %", "0.2 · 65.5 %", "at risk, 0.9", "600 s", "100 %", "60"} <= set(texts)
    dashes = next(
        layer["encoding"]["strokeDash"]["scale"]["range"]
        for layer in spec["layer"]
        if "strokeDash" in layer["encoding"]
    )
    assert dashes == [[1, 0], [5, 3]]
    assert survival_geometry(440)["horizon"] == 600


def test_the_axis_of_survival_begins_below_the_lowest_band() -> None:
    assert find_floor([Curve(words="a", steps=[(0, 1, 1, 1), (5, 0.5, 0.39, 0.6)], at_risk=[])]) == 0.2
    assert find_floor([]) == 0.8
    assert spread([(30, "b"), (10, "a")], 16) == [(10, "a"), (30, "b")]


def test_the_most_changed_tenth_is_the_strongest() -> None:
    spec, texts = read(places_chart([0.09, 0.07, 0.17], LIGHT, width=440))
    assert [each[5] for each in boxes(spec)][1:] == ["0.6", "1.0"]
    assert {"9", "7", "17", "first words of the proposal", "last words"} == set(texts)


def test_what_is_retained_is_dotted_behind_the_documents_end() -> None:
    spec, texts = read(retained_chart([(0, 1.0), (16.4, 0.53)], 95.7, LIGHT, width=600))
    dashes = [layer["mark"]["strokeDash"] for layer in spec["layer"] if "strokeDash" in layer["mark"]]
    assert dashes == [[1, 0], [2, 3]]
    assert {"0", "30", "120 s", "100 %"} <= set(texts)
    assert ai_ink(LIGHT) in json.dumps(spec)


def test_a_document_that_goes_on_has_no_end_and_near_ticks_give_way() -> None:
    spec, texts = read(retained_chart([(0, 1.0), (850, 0.2), (2_000, 0.1)], None, DARK, width=300))
    assert [layer["mark"]["strokeDash"] for layer in spec["layer"] if "strokeDash" in layer["mark"]] == [[1, 0]]
    assert "30" not in texts
    assert find_horizon([(0, 1.0)], 5_000) == 900


def test_what_nobody_decided_is_grey() -> None:
    assert decision_ink("accepted", LIGHT) != decision_ink("accepted", DARK)
    assert decision_ink("pending", LIGHT) == LIGHT.secondary
    assert shade_fill(DARK) != shade_fill(LIGHT)
