"""Filters of deltas: what they leave, as SQL with bound values."""

from datetime import UTC, datetime

import pytest

from workbench.deltas.figures.filters import DeltaFilter, choose, field_at
from workbench.errors import ArgumentError


def test_nothing_narrows_nothing() -> None:
    """Without a filter the statement reads all deltas."""
    chosen = choose(DeltaFilter())
    assert chosen.select("count(*) as n") == "select count(*) as n from (select * from deltas) as chosen"
    assert not chosen.parameters


def test_values_are_bound_and_never_part_of_the_statement() -> None:
    """A value that looks like SQL stays a value."""
    hostile = "x' or '1'='1"
    chosen = choose(DeltaFilter(persons=[hostile], fields={"topic": [hostile]}, text=hostile, edited=(hostile, "")))
    assert hostile not in chosen.select("*")
    assert chosen.parameters["person_0"] == chosen.parameters["field_0_0"] == chosen.parameters["text"] == hostile


def test_none_among_values_means_none_recorded() -> None:
    """Alone it is a test for null, beside others one more choice."""
    assert choose(DeltaFilter(reasons=[None])).where == " where reason is null"
    several = choose(DeltaFilter(versions=["a", "b", None]))
    assert several.where == " where (version in (:version_0, :version_1) or version is null)"


def test_times_and_measures_narrow_by_their_bounds() -> None:
    """Every bound is a condition of its own."""
    since, until = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
    chosen = choose(DeltaFilter(since=since, until=until, distance=(0, 1), place=3, first_change=(0, 30)))
    for condition in ("shown_at >= :since", "shown_at < :until", "distance >= :nearest", "$[3][1]", ":changed_to"):
        assert condition in chosen.where
    assert chosen.parameters == {
        "since": since,
        "until": until,
        "nearest": 0.0,
        "farthest": 1.0,
        "changed_from": 0.0,
        "changed_to": 30.0,
    }


def test_untouched_means_not_changed_before_a_second_or_never() -> None:
    """An open end leaves those that were followed and not changed."""
    chosen = choose(DeltaFilter(first_change=(120, None)))
    assert "first_change is null or first_change > :changed_from" in chosen.where


def test_a_time_of_one_s_own_judges_decisions_anew() -> None:
    """What was accepted and changed within it counts as edited; the mapping's own time is put aside."""
    chosen = choose(DeltaFilter(edited_within=30, decisions=["edited"]))
    statement = chosen.select("count(*) as n", relation="takings")
    assert "decided = 'accepted' and first_change <= :edited_within then 'edited'" in statement
    assert "from takings" in statement


def test_a_decision_that_is_none_is_refused() -> None:
    """The error lists those there are."""
    with pytest.raises(ArgumentError, match="'maybe' is no decision; there are accepted, edited"):
        DeltaFilter(decisions=["maybe"])


def test_a_field_that_no_path_can_name_is_refused() -> None:
    """A quote in a name would part the engines."""
    with pytest.raises(ArgumentError, match="No field can be called"):
        field_at('a"b')
