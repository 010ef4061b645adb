"""Two moments beside one another, as known then and as known now."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.loans import MONDAY, make_loans
from workbench.errors import ArgumentError
from workbench.session import Session, connect
from workbench.views.as_of.choices import AsOfChoices
from workbench.views.as_of.compare import compare_moments
from workbench.views.as_of.export import export_moment
from workbench.views.as_of.two_times import PLACES, frame_points, show_two_times, two_times_size

BEFORE, AFTER = MONDAY + timedelta(hours=10), MONDAY + timedelta(hours=47)
CHOICES = AsOfChoices(mode="compare", entity="loan-1", before=BEFORE, after=AFTER, known_at=AFTER)


@pytest.fixture(scope="module")
def loans(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    with connect(make_loans(tmp_path_factory.mktemp("loans"))) as session:
        yield session


def test_what_changed_reads_otherwise_once_late_facts_are_there(loans: Session) -> None:
    found = compare_moments(loans, CHOICES)
    assert {each.field: (each.before, each.then, each.now) for each in found.differences} == {
        "status": ('"requested"', '"offered"', '"offered"'),
        "calls": ("1", "1", "2"),
        "handled_by": ('["clerk-1"]', '["clerk-1"]', '["clerk-1","clerk-2"]'),
        "in_hand_of": ('"clerk-1"', '"clerk-1"', '"clerk-2"'),
    }
    assert [each.field for each in found.differences if each.is_late] == ["calls", "handled_by", "in_hand_of"]
    assert list(found.untouched) == ["amount", "note", "letters"]


def test_the_states_are_those_of_the_session(loans: Session) -> None:
    found = compare_moments(loans, CHOICES)
    asked = loans.diff("loan", before=BEFORE, after=AFTER, stream_id="loan-1")
    assert {(each.field, each.before, each.now) for each in found.differences} == set(
        asked.select("field", "before", "after").iter_rows()
    )


def test_the_events_between_say_how_late_they_came_and_whether_they_were_known(loans: Session) -> None:
    found = compare_moments(loans, CHOICES)
    told = [(each.moment.fact.position, each.late_by, each.is_known) for each in found.between]
    assert told == [(7, None, True), (8, None, True), (14, timedelta(days=3), False)]


def test_without_moments_the_whole_history_is_compared(loans: Session) -> None:
    found = compare_moments(loans, AsOfChoices(mode="compare", entity="loan-1"))
    assert (found.before, found.after) == (MONDAY, MONDAY + timedelta(hours=50))
    assert found.known_position is None
    assert not any(each.is_late for each in found.differences)


def test_the_two_moments_may_be_swapped(loans: Session) -> None:
    found = compare_moments(loans, AsOfChoices(mode="compare", entity="loan-1", before=AFTER, after=BEFORE))
    assert [(each.field, each.before, each.now) for each in found.differences if each.field == "status"] == [
        ("status", '"offered"', '"requested"')
    ]
    assert len(found.between) == 3


def test_an_entity_without_events_is_refused(loans: Session) -> None:
    with pytest.raises(ArgumentError, match="has no event"):
        compare_moments(loans, AsOfChoices(mode="compare", entity="nobody"))


def test_both_times_are_drawn_with_late_events_apart(loans: Session) -> None:
    found = compare_moments(loans, CHOICES)
    picture = show_two_times(loans, found, CHOICES, size=two_times_size(500))
    assert picture.view.frame["late"].sum() == 1
    assert picture.since < picture.until
    assert "mark" in str(picture.view.chart.to_dict(validate=False)["layer"][0])


def test_many_events_on_time_are_counted_by_place(loans: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.views.as_of.two_times.MOST_POINTS", 3)
    found = compare_moments(loans, CHOICES)
    points = frame_points(found, 0, 2 * 10**15 * PLACES, timedelta(hours=1))
    assert points["events"].sum() == len(found.history.facts)
    assert points["late"].sum() == 1
    assert points.height < len(found.history.facts)


def test_the_differences_can_be_taken_along(loans: Session) -> None:
    assert export_moment(loans, CHOICES).columns == ["field", "before", "then", "now"]
