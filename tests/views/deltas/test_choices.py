"""What a person chooses in Deltas goes into a link and comes back the same."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import ArgumentError
from workbench.views.deltas.choices import DECISIONS, LAYOUTS, ORDERS, DeltasChoices

WORDS = st.text(st.characters(codec="utf-8"), min_size=1)
VALUES = st.lists(st.none() | WORDS, max_size=3).map(tuple)
TIMES = st.none() | st.datetimes(min_value=datetime(1970, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis wants naive bounds
NUMBERS = st.none() | st.integers(0, 10_000).map(lambda number: number / 4)
CHOICES = st.builds(
    DeltasChoices,
    kind=st.lists(WORDS, max_size=2).map(tuple),
    decision=st.lists(st.sampled_from(DECISIONS), max_size=2).map(tuple),
    version=VALUES,
    person=VALUES,
    field=st.lists(st.tuples(WORDS.filter(lambda name: "=" not in name), st.none() | WORDS), max_size=2).map(tuple),
    since=TIMES,
    low=NUMBERS,
    within=NUMBERS,
    removed=st.none() | st.text(),
    place=st.none() | st.integers(0, 9),
    position=st.none() | st.integers(0, 2**62),
    one=st.none() | WORDS,
    order=st.sampled_from(ORDERS),
    down=st.booleans(),
    first=st.integers(0, 10_000),
    delta=st.none() | st.integers(0, 2**62),
    view=st.none() | st.sampled_from(LAYOUTS),
)


@given(CHOICES)
def test_a_link_gives_back_every_choice(choices: DeltasChoices) -> None:
    assert DeltasChoices.from_query(choices.to_query()) == choices


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("decision", "maybe", "one of accepted"),
        ("place", "10", "a tenth"),
        ("low", "-1", "a number"),
        ("low", "nan", "a number"),
        ("delta", "first", "a position"),
        ("field", "topic", "topic=school"),
        ("since", "2026-01-31 08:00", "with its zone"),
        ("order", "beauty", "one of position"),
        ("down", "yes", "0 or 1"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(name: str, value: str, wanted: str) -> None:
    with pytest.raises(ArgumentError, match=f"{name}={value}") as caught:
        DeltasChoices.from_query({name: [value]})
    assert wanted in str(caught.value)


def test_each_filter_can_be_dropped_by_its_name() -> None:
    choices = DeltasChoices(
        version=("0.9", None),
        field=(("topic", "school"), ("channel", None)),
        since=datetime(2026, 1, 1, tzinfo=UTC),
        low=0.5,
        removed="also",
        by=30.0,
        place=3,
    )
    assert choices.names == (
        "version",
        "place",
        "field:topic",
        "field:channel",
        "shown",
        "distance",
        "edit",
        "first change",
    )
    left = choices
    for name in choices.names:
        left = left.drop(name)
    assert left == DeltasChoices()
    assert choices.drop("field:topic").field == (("channel", None),)
