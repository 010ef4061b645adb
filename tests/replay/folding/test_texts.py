"""Texts grown by deltas: what editors in a browser send, counted in UTF-16 units."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.replay.folding.texts import Text, apply_delta, is_delta, set_text


def grow(*deltas: Any, author: str | None = None) -> Text:
    text = Text()
    for delta in deltas:
        after = apply_delta(text, delta, author)
        assert after is not None
        text = after
    return text


def test_what_lies_behind_the_last_operation_stays() -> None:
    assert grow([{"insert": "Hello world"}], [{"retain": 5}, {"insert": ","}]).content == "Hello, world"


def test_a_delta_may_be_an_object_with_its_operations() -> None:
    assert grow({"ops": [{"insert": "ab"}]}, {"ops": [{"delete": 1}]}).content == "b"


def test_attributes_of_an_operation_are_passed_over() -> None:
    assert grow([{"insert": "a", "attributes": {"italic": True}}]).content == "a"


def test_each_character_keeps_its_author() -> None:
    text = set_text("To be", None)
    for author, delta in (("ai", [{"retain": 5}, {"insert": " or not"}]), ("me", [{"retain": 2}, {"insert": "!"}])):
        after = apply_delta(text, delta, author)
        assert after is not None
        text = after
    assert text.content == "To! be or not"
    assert text.spans == [[None, 2], ["me", 1], [None, 3], ["ai", 7]]


@pytest.mark.parametrize(
    "delta",
    [
        [{"retain": 3}],
        [{"delete": 3}],
        [{"retain": -1}],
        [{"retain": True}],
        [{"retain": 1.5}],
        [{"insert": 5}],
        ["insert"],
        [{}],
    ],
)
def test_an_operation_that_is_none_or_leads_out_of_the_text_makes_it_no_delta(delta: Any) -> None:
    assert apply_delta(grow([{"insert": "ab"}]), delta, None) is None


@pytest.mark.parametrize(
    ("value", "is_one"), [([], True), ({"ops": []}, True), ({"ops": 1}, False), ({}, False), ("a", False)]
)
def test_the_form_of_a_delta_is_known(value: Any, is_one: bool) -> None:  # noqa: FBT001 - a case's expectation
    assert is_delta(value) is is_one


def test_characters_beyond_the_first_plane_count_two_units() -> None:
    text = grow([{"insert": "a😀b"}], [{"retain": 3}, {"delete": 1}])
    assert (text.content, text.spans) == ("a😀", [[None, 3]])


def test_half_a_character_is_shown_as_its_replacement() -> None:
    assert grow([{"insert": "😀"}], [{"delete": 1}]).content == "�"


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 10), st.text(max_size=5)), max_size=30))
def test_a_text_is_what_an_array_of_units_would_be(edits: list[tuple[int, int, str]]) -> None:
    text, units = Text(), b""
    for at, length, inserted in edits:
        at, coded = min(at, len(units) // 2), inserted.encode("utf-16-le", "surrogatepass")  # noqa: PLW2901 - kept within the text
        length = min(length, len(units) // 2 - at)  # noqa: PLW2901 - the same
        after = apply_delta(text, [{"retain": at}, {"delete": length}, {"insert": inserted}], "me")
        assert after is not None
        text, units = after, units[: 2 * at] + coded + units[2 * (at + length) :]
    assert text.content == units.decode("utf-16-le", "replace")
    assert len(text.owners) == len(text.units)


def test_an_embedded_object_is_one_unit_of_the_text() -> None:
    """The writers' log has one: a picture that was pasted into a document."""
    text = apply_delta(grow([{"insert": "ab"}]), [{"retain": 1}, {"insert": {"image": "x"}}], None)
    assert text is not None
    assert text.content == "a\ufffcb"
    removed = apply_delta(text, [{"retain": 1}, {"delete": 1}], None)
    assert removed is not None
    assert removed.content == "ab"
