"""What is measured of a decision rests on that decision alone."""

import json
from typing import Any

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from workbench.deltas.measures.measuring import Taking, measure_takings

words = st.lists(st.sampled_from(["the", "loan", "is", "granted", "refused", "é", "中文", "1,000", "\r\n"]), max_size=9)
texts = words.map(" ".join)
contents = texts | st.dictionaries(st.sampled_from("abc"), st.integers(0, 3) | texts, max_size=3) | st.none()


@st.composite
def list_takings(draw: st.DrawFn) -> list[Taking]:
    """Return takings of texts and structures, some of nothing."""
    sides = draw(st.lists(st.tuples(contents, contents, st.booleans()), max_size=8))
    return [
        Taking(
            kind="k",
            proposal_position=2 * number,
            decision_position=2 * number + 1,
            proposed=None if proposed is None else json.dumps(proposed),
            value=None if value is None else json.dumps(value),
            is_tokenised=is_tokenised,
        )
        for number, (proposed, value, is_tokenised) in enumerate(sides)
    ]


@given(list_takings(), st.randoms())
def test_measures_depend_on_no_batch_and_no_order(takings: list[Taking], chance: Any) -> None:
    """Measured together, one by one, or shuffled: the same rows."""
    together = measure_takings(takings)
    alone = [measure_takings([taking]) for taking in takings]
    assert together.equals(pl.concat([together.clear(), *alone]))
    shuffled = list(takings)
    chance.shuffle(shuffled)
    assert measure_takings(shuffled).sort("proposal_position").equals(together)


def make_taking(proposed: Any, value: Any, **more: Any) -> Taking:
    """Return a taking of two JSON values."""
    sides = [None if side is None else json.dumps(side) for side in (proposed, value)]
    return Taking(kind="k", proposal_position=0, decision_position=1, proposed=sides[0], value=sides[1], **more)


def test_two_texts_are_compared_by_words_and_two_values_by_paths() -> None:
    """Each kind of measure is null for the other kind of content."""
    (text, fields) = (
        measure_takings([make_taking(proposed, value)]).row(0, named=True)
        for proposed, value in (("a b c", "a b d"), ({"a": 1, "b": 2}, {"a": 1, "b": 3}))
    )
    assert (text["words_kept"], text["levenshtein_words"], text["paths_kept"]) == (2, 1, None)
    assert (fields["words_kept"], fields["paths_kept"], fields["field_acceptance"]) == (None, 1, 0.5)
    assert fields["distance"] == 0.5
    assert json.loads(fields["patch"]) == [{"op": "replace", "path": "/b", "value": 3}]


def test_a_text_against_a_structure_is_compared_as_values() -> None:
    """Nothing of the proposal is kept."""
    row = measure_takings([make_taking("a", {"a": 1})]).row(0, named=True)
    assert (row["paths_kept"], row["distance"]) == (0, 1.0)


def test_where_there_is_nothing_to_compare_the_measures_are_null() -> None:
    """A proposal whose content is not there, or a decision without a value."""
    rows = measure_takings([make_taking("a", None), make_taking(None, "b")])
    assert rows["distance"].to_list() == [None, None]


def test_what_stands_in_the_document_is_compared_where_it_was_followed() -> None:
    """The value at the end, not the value decided on; an empty one too."""
    followed = {"value_end": '"a b"', "characters_taken": 3}
    row = measure_takings([make_taking("a b", "x", followed=followed)]).row(0, named=True)
    assert (row["distance"], row["characters_taken"], row["value_end"]) == (0.0, 3, '"a b"')
    gone = measure_takings([make_taking("a b", "x", followed={"value_end": '""'})]).row(0, named=True)
    assert gone["words_deleted"] == 2
