import json

import pytest

from benchmarks.harness import (
    Estimate,
    Pairs,
    Part,
    Scale,
    UnequalAnswersError,
    compare_times,
    estimate_median,
    estimate_quantile,
    estimate_ratio,
    measure_pairs,
    missing_line,
    require_equal,
    skipped_line,
    task_line,
)


def part(low: float, high: float, limit: float, *, at_least: bool = False) -> Part:
    return Part(name="a / b", estimate=Estimate((low + high) / 2, low, high), limit=limit, at_least=at_least)


def test_a_ratio_is_the_median_over_pairs_and_not_the_ratio_of_medians() -> None:
    assert estimate_ratio([1.0, 10.0, 100.0], [1.0, 5.0, 100.0]).ratio == 1.0


def test_an_interval_holds_its_median_and_narrows_with_more_pairs() -> None:
    few, many = estimate_median([0.8, 1.0, 1.2] * 5), estimate_median([0.8, 1.0, 1.2] * 500)
    assert few.low <= few.ratio <= few.high
    assert many.high - many.low <= few.high - few.low


def test_the_same_figures_give_the_same_interval() -> None:
    assert estimate_median([1.0, 1.3, 0.9, 1.1]) == estimate_median([1.0, 1.3, 0.9, 1.1])


@pytest.mark.parametrize(
    ("low", "high", "limit", "at_least", "holds"),
    [
        (1.1, 1.4, 1.2, False, True),
        (1.21, 1.4, 1.2, False, False),
        (0.3, 0.41, 0.4, True, True),
        (0.3, 0.39, 0.4, True, False),
    ],
)
def test_a_goal_is_missed_when_the_better_end_misses_it(
    low: float, high: float, limit: float, *, at_least: bool, holds: bool
) -> None:
    assert part(low, high, limit, at_least=at_least).holds is holds


def test_product_and_peer_take_turns_in_alternating_order() -> None:
    ran = []

    def product() -> float:
        ran.append("product")
        return 1.0

    def peer() -> float:
        ran.append("peer")
        return 2.0

    pairs = measure_pairs(product, peer, pairs=3, again=1)
    assert ran[:2] == ["product", "peer"]
    assert ran[2:] == ["product", "peer", "peer", "peer", "product", "product", "peer"]
    assert (len(pairs.product), len(pairs.peer), len(pairs.again)) == (3, 3, 1)


def test_a_speed_is_peer_over_product_and_has_its_a_a_ratio_beside_it() -> None:
    pairs = Pairs(product=[1.0, 1.0], peer=[4.0, 4.0], again=[4.4, 4.4])
    slower = compare_times("p / q", pairs, 1.5, detail={})
    faster = compare_times("q / p", pairs, 3.0, speed=True, detail={"peer": "q"})
    assert (slower.estimate.ratio, faster.estimate.ratio) == (0.25, 4.0)
    assert faster.holds
    assert faster.detail["a_a"] == {"ratio": 1.1, "low": 1.1, "high": 1.1}
    assert (faster.detail["peer"], faster.detail["pairs"]) == ("q", 2)


def test_a_line_shows_the_part_that_misses_and_keeps_them_all() -> None:
    line = json.loads(task_line("t", [part(1.0, 1.1, 1.5), part(2.0, 2.2, 1.5)], Scale.SMOKE))
    assert list(line) == ["task", "ratio", "low", "high", "goal", "holds", "detail"]
    assert (line["task"], line["low"], line["goal"], line["holds"]) == ("t", 2.0, "a / b <= 1.5", False)
    assert [shown["holds"] for shown in line["detail"]["parts"]] == [True, False]


def test_a_goal_that_was_not_measured_does_not_hold() -> None:
    line = json.loads(missing_line("t", "no peer", Scale.DEFAULT))
    assert (line["holds"], line["ratio"], line["detail"]["not_measured"]) == (False, None, "no peer")


def test_the_interval_of_a_late_figure_holds_it_and_ends_at_the_latest() -> None:
    late = estimate_quantile([float(number) for number in range(100)], 0.95)
    assert late.low <= late.ratio <= late.high <= 99
    assert 90 < late.ratio < 99


def test_a_task_that_was_left_out_neither_holds_nor_misses() -> None:
    line = json.loads(skipped_line("t", "no Java", Scale.SMOKE))
    assert (line["holds"], line["ratio"], line["detail"]["skipped"]) == (None, None, "no Java")


def test_times_of_different_answers_are_not_compared() -> None:
    with pytest.raises(UnequalAnswersError, match="rows: the product answers 1, the peer 2"):
        require_equal("rows", 1, 2)


def test_no_round_begins_after_the_time_is_up_but_five_are_always_run() -> None:
    pairs = measure_pairs(lambda: 1.0, lambda: 1.0, pairs=20, seconds=-1.0)
    assert len(pairs.product) == len(pairs.peer) == 5
