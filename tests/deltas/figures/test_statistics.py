"""Intervals, differences over people and survival, against values worked out otherwise."""

import random
from math import exp, log, sqrt
from statistics import fmean, quantiles

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.deltas.figures.statistics import (
    Z,
    bootstrap_difference,
    bootstrap_ratio,
    draw_people,
    kaplan_meier,
    survive,
    wilson,
)

LIVES = st.lists(st.tuples(st.integers(0, 9), st.booleans()), min_size=1, max_size=40)


def count_lives(lives: list[tuple[int, bool]]) -> pl.DataFrame:
    rows = [(float(seconds), int(changed), int(not changed)) for seconds, changed in lives]
    return pl.DataFrame(rows, schema=["seconds", "changed", "censored"], orient="row")


def test_shares_have_the_score_interval() -> None:
    assert wilson(2_868, 6_348) == pytest.approx((0.43959, 0.46406), abs=5e-6)
    assert wilson(0, 10) == pytest.approx((0.0, 0.277533), abs=5e-6)
    assert wilson(10, 10) == pytest.approx((0.722467, 1.0), abs=5e-6)
    assert wilson(0, 0) == (0.0, 1.0)


@given(st.integers(1, 10_000), st.data())
def test_the_bounds_of_a_share_solve_the_score_equation(of: int, data: st.DataObject) -> None:
    count = data.draw(st.integers(0, of))
    for bound in wilson(count, of):
        if 0 < bound < 1:
            assert abs(count / of - bound) == pytest.approx(Z * sqrt(bound * (1 - bound) / of), rel=1e-6, abs=1e-9)


def test_people_are_drawn_by_a_stream_that_stays_the_same() -> None:
    sums = np.array([[1.0, 10.0], [2.0, 20.0], [4.0, 40.0], [8.0, 80.0]])
    chance = random.Random(7)  # noqa: S311 - a peer of the stream under test
    drawn = [[sum(values) for values in zip(*chance.choices(sums.tolist(), k=4), strict=True)] for _ in range(50)]
    assert draw_people(sums, draws=50).tolist() == drawn
    assert draw_people(sums, draws=50, seed=8).tolist() != drawn


def test_many_people_are_drawn_in_parts_as_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    sums = np.arange(30.0).reshape(10, 3)
    whole = draw_people(sums, draws=20).tolist()
    monkeypatch.setattr("workbench.deltas.figures.statistics._AT_ONCE", 25)
    assert draw_people(sums, draws=20).tolist() == whole


def test_a_mean_has_the_interval_of_its_people_not_of_its_rows() -> None:
    people = pl.DataFrame({"person": ["a", "b", "a", "c"], "hter": [0.1, 0.5, 0.3, 0.9], "rows": [1, 1, 1, 1]})
    chance = random.Random(7)  # noqa: S311 - a peer of the stream under test
    means = []
    for _ in range(2_000):
        rows = [value for values in chance.choices([[0.1, 0.3], [0.5], [0.9]], k=3) for value in values]
        means.append(fmean(rows))
    bounds = quantiles(means, n=40, method="inclusive")
    expected = (fmean([0.1, 0.5, 0.3, 0.9]), bounds[0], bounds[-1])
    assert bootstrap_ratio(people, "hter", "rows") == pytest.approx(expected)


def test_a_difference_is_side_two_less_side_one_over_the_same_people() -> None:
    rows = [("a", 1, 2, 4), ("a", 2, 3, 4), ("b", 2, 9, 10), ("c", 1, 0, 5), ("c", 2, 5, 5), ("c", None, 7, 7)]
    people = pl.DataFrame(rows, schema=["person", "side", "taken", "shown"], orient="row")
    difference, low, high = bootstrap_difference(people, "taken", "shown")
    assert difference == pytest.approx(17 / 19 - 2 / 9)
    assert difference is not None
    assert low is not None
    assert high is not None
    assert low < difference < high


def test_draws_with_nothing_on_one_side_are_left_out() -> None:
    people = pl.DataFrame({"person": ["a", "b"], "side": [1, 2], "taken": [1, 3], "shown": [4, 4]})
    assert bootstrap_difference(people, "taken", "shown") == (0.5, 0.5, 0.5)


def test_nothing_has_no_ratio() -> None:
    people = pl.DataFrame({"person": ["a"], "side": [1], "taken": [0], "shown": [0]})
    assert bootstrap_ratio(people, "taken", "shown") == (None, None, None)
    assert bootstrap_difference(people, "taken", "shown") == (None, None, None)
    assert bootstrap_ratio(people.clear(), "taken", "shown") == (None, None, None)


@given(LIVES)
def test_the_curve_is_the_product_over_the_times_at_which_something_changed(lives: list[tuple[int, bool]]) -> None:
    curve = kaplan_meier(count_lives(lives))
    share, variance, at = 1.0, 0.0, {}
    for moment in sorted({0, *(seconds for seconds, _ in lives)}):
        reached = sum(seconds >= moment for seconds, _ in lives)
        dying = sum(changed for seconds, changed in lives if seconds == moment)
        if dying:
            share *= 1 - dying / reached
            variance += dying / (reached * (reached - dying)) if dying < reached else 0
        at[float(moment)] = (reached, share, variance)
    for seconds, reached, drawn, low, high in curve.select("seconds", "at_risk", "share", "low", "high").iter_rows():
        assert reached == at[seconds][0]
        assert drawn == pytest.approx(at[seconds][1], abs=1e-12)
        if 1e-9 < drawn < 1 - 1e-9:
            wide = Z * sqrt(at[seconds][2]) / log(drawn)
            assert (low, high) == pytest.approx((drawn ** exp(-wide), drawn ** exp(wide)))
            assert low <= drawn <= high
    assert curve["at_risk"][0] == len(lives)


def test_a_curve_without_a_change_is_sure_and_one_that_ends_has_no_band() -> None:
    assert kaplan_meier(count_lives([(3, False)])).select("share", "low", "high").rows() == [(1.0, 1.0, 1.0)] * 2
    assert kaplan_meier(count_lives([(3, True)])).select("share", "low", "high").row(-1) == (0.0, None, None)


def test_a_curve_is_read_at_any_time() -> None:
    curve = kaplan_meier(count_lives([(2, True), (5, False), (5, True), (8, False)]))
    assert [survive(curve, seconds)[:2] for seconds in (0, 1.9, 2, 5, 7, 9)] == [
        (4, 1.0),
        (4, 1.0),
        (4, 0.75),
        (3, 0.5),
        (1, 0.5),
        (0, 0.5),
    ]
