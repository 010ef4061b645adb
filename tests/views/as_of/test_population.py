"""A field over all entities: at a moment as over time it counts what states say."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import numpy as np
import pytest

from tests.loans import MONDAY, STORY, make_loans
from workbench.errors import ArgumentError
from workbench.session import Session, connect
from workbench.views.as_of.choices import AsOfChoices
from workbench.views.as_of.export import export_moment, write_question
from workbench.views.as_of.members import find_members
from workbench.views.as_of.population import (
    count_moment,
    default_field,
    find_position,
    load_population,
    moment_of,
    next_change,
)
from workbench.views.as_of.ribbons import count_points, show_population, write_point
from workbench.views.timeline.choices import to_microseconds

FIELDS = ("status", "calls", "handled_by", "in_hand_of", "amount", "note")


@pytest.fixture(scope="module")
def loans(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    with connect(make_loans(tmp_path_factory.mktemp("loans"))) as session:
        yield session


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("hours", [-1, 0, 5, 6, 24, 25.5, 26, 30, 47, 60])
def test_the_counts_are_those_of_the_states(loans: Session, field: str, hours: float) -> None:
    moment = MONDAY + timedelta(hours=hours)
    population = load_population(loans, AsOfChoices(field=field))
    counted = {
        each["value"]: each["entities"]
        for each in count_moment(population, to_microseconds(moment))
        if each["entities"]
    }
    asked = loans.population("loan", field, as_of=moment)
    assert counted == dict(asked.select("value", "count").iter_rows())


def test_the_first_state_machine_with_ends_is_shown_first(loans: Session) -> None:
    population = load_population(loans, AsOfChoices())
    assert default_field(population.projection) == population.sweep.field == "status"
    values = population.sweep.values
    assert [values[number] for number in population.open_values] == ['"offered"', '"requested"']
    assert [values[number] for number in population.ended_values] == ['"accepted"', '"declined"']
    assert population.sweep.illegal == 1


def test_over_time_every_point_counts_every_entity_there(loans: Session) -> None:
    population = load_population(loans, AsOfChoices())
    numbers = [*population.open_values, *population.ended_values]
    points = count_points(population, numbers)
    last = points.filter(points["start"] == points["start"].to_list()[-1])
    assert dict(zip(last["value"], last["entities"], strict=True)) == {
        '"requested"': 1,
        '"offered"': 0,
        '"accepted"': 1,
        '"declined"': 1,
    }
    view = show_population(loans, AsOfChoices(), ended=True)
    assert view.frame.equals(points)
    assert len(json.dumps(view.chart.to_dict(validate=False))) < 100_000
    assert view.basis.position == len(STORY) - 1
    assert "one point every" in view.caption
    assert view.chart.to_dict(validate=False)["layer"]


def test_values_beyond_eight_are_other(loans: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.views.as_of.ribbons.MOST_VALUES", 2)
    view = show_population(loans, AsOfChoices(field="amount"))
    assert set(view.frame["value"]) == {view.frame["value"][0], "other"}
    assert view.chart.to_dict(validate=False)["layer"]


def test_who_has_a_value_comes_longest_first_with_the_state_then(loans: Session) -> None:
    population = load_population(loans, AsOfChoices())
    at = to_microseconds(MONDAY + timedelta(hours=5.5))
    members, durations = find_members(loans, population, '"requested"', at)
    assert [(member.entity, member.state["amount"]) for member in members] == [
        ("loan-1", "1200.00"),
        ("loan-2", "250.50"),
    ]
    assert durations.tolist() == [5.5 * 3_600_000_000, 4.5 * 3_600_000_000]
    everyone, _ = find_members(loans, population, None, at, first=1)
    assert [member.entity for member in everyone] == ["loan-2"]
    nobody, none = find_members(loans, population, '"gone"', at)
    assert (nobody, none.tolist()) == ([], [])


def test_the_moment_steps_from_change_to_change(loans: Session) -> None:
    population = load_population(loans, AsOfChoices())
    first = to_microseconds(MONDAY)
    assert moment_of(population, AsOfChoices()) == population.last
    assert moment_of(population, AsOfChoices(as_of=MONDAY)) == first
    assert next_change(population, first, "forward") == to_microseconds(MONDAY + timedelta(hours=1))
    assert next_change(population, first, "back") == first
    assert next_change(population, population.last, "forward") == population.last
    assert next_change(population, population.last, "back") < population.last
    assert next_change(population, first, "") == first
    assert find_position(loans, population, first) == 0
    assert find_position(loans, population, first - 1) is None


def test_what_cannot_be_counted_is_refused(loans: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ArgumentError, match="declares no fields"):
        load_population(loans, AsOfChoices(projection="document"))
    with pytest.raises(ArgumentError, match="no field 'weight'"):
        load_population(loans, AsOfChoices(field="weight"))
    monkeypatch.setattr("workbench.views.as_of.population.MOST_EVENTS", 3)
    with pytest.raises(ArgumentError, match="at most"):
        load_population(loans, AsOfChoices(field="letters"))


def test_the_states_of_all_can_be_taken_along(loans: Session) -> None:
    moment = MONDAY + timedelta(hours=24)
    choices = AsOfChoices(mode="population", as_of=moment)
    assert Counter(export_moment(loans, choices)["status"].to_list()) == {"offered": 1, "declined": 1}
    assert "as_of=" in write_question(loans, choices).call


def test_points_are_written_in_the_largest_unit() -> None:
    minute = 60_000_000
    words = [write_point(minute * minutes) for minutes in (5, 60, 720, 1_440, 10_080, 43_200)]
    assert words == ["5 min", "1 h", "12 h", "day", "week", "30 days"]
    assert np.all(np.array([len(word) for word in words]) > 0)
