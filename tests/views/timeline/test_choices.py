from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import ArgumentError
from workbench.views.place import Key, read_place, read_time, write_place, write_time
from workbench.views.timeline.choices import (
    FIELDS,
    THEMES,
    ZONES,
    Filter,
    TimelineChoices,
    from_microseconds,
    to_microseconds,
)

TIMES = st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone
POSITIONS = st.integers(0, 2**63 - 1)
KEYS = st.builds(Key, TIMES, st.text(), st.text())
FILTERS = st.builds(
    Filter,
    field=st.sampled_from(FIELDS),
    values=st.lists(st.none() | st.text(min_size=1), min_size=1, unique=True).map(tuple),
    negated=st.booleans(),
)
CHOICES = st.builds(
    TimelineChoices,
    filters=st.lists(FILTERS, max_size=5).map(tuple),
    since=st.none() | TIMES,
    until=st.none() | TIMES,
    text=st.none() | st.text(min_size=1),
    position=st.none() | POSITIONS,
    event=st.none() | POSITIONS | KEYS,
    row=st.none() | POSITIONS | KEYS,
    zone=st.sampled_from(ZONES),
    theme=st.none() | st.sampled_from(THEMES),
)


@given(CHOICES)
def test_a_link_gives_back_the_choices_it_was_made_from(choices: TimelineChoices) -> None:
    assert TimelineChoices.from_query(choices.to_query()) == choices


def test_parameters_of_others_are_left_alone() -> None:
    assert TimelineChoices.from_query({"access_token": ["x"], "file": ["timeline.py"]}) == TimelineChoices()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("since", "yesterday"),
        ("since", "2026-03-02T00:00:00"),
        ("until", ""),
        ("position", "-1"),
        ("row", "1.5"),
        ("event", "9" * 30),
        ("event", "2026-03-02T00:00:00/crm/a1"),
        ("row", "2026-03-02T00:00:00Z/a1"),
        ("zone", "mars"),
        ("theme", "pink"),
    ],
)
def test_a_parameter_that_cannot_be_read_is_named_with_its_value(name: str, value: str) -> None:
    with pytest.raises(ArgumentError, match=f"{name}={value}"):
        TimelineChoices.from_query({name: [value]})


def test_a_missing_value_and_a_tilde_are_told_apart() -> None:
    chosen = TimelineChoices(filters=(Filter(field="actor_id", values=(None, "~", "~~x")),))
    assert chosen.to_query() == {"actor_id": ["~", "~~", "~~~x"]}
    assert TimelineChoices.from_query(chosen.to_query()) == chosen


def test_what_narrows_is_named_and_dropped_by_name() -> None:
    chosen = TimelineChoices.from_query(
        {
            "event_type": ["A"],
            "not_event_type": ["B"],
            "text": ["x"],
            "since": ["2026-01-01T00:00:00Z"],
            "zone": ["local"],
        }
    )
    assert chosen.names == ("event_type", "window", "text")
    for name in chosen.names:
        chosen = chosen.drop(name)
    assert chosen == TimelineChoices(zone="local")


@given(TIMES)
def test_a_time_keeps_its_microseconds_through_text_and_numbers(moment: datetime) -> None:
    assert read_time(write_time(moment)) == moment
    assert from_microseconds(to_microseconds(moment)) == moment


@given(POSITIONS | KEYS)
def test_a_place_is_the_same_after_a_link(place: int | Key) -> None:
    assert read_place(write_place(place)) == place
