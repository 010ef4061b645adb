import json

from hypothesis import given
from hypothesis import strategies as st

from workbench.views.payload import MOST_LINES, list_lines

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(), children, max_size=4),
    max_leaves=20,
)


def test_a_number_keeps_its_text() -> None:
    text = '{"a":1.10,"b":12345678901234567890,"c":1E2}'
    assert [line.text for line in list_lines(text, text)] == ["1.10", "12345678901234567890", "1E2"]


def test_a_value_that_upcasting_changed_stands_beside_what_was_written() -> None:
    lines = list_lines('{"amount":"5.00","currency":"EUR"}', '{"amount":5.00,"term":60}')
    assert [(line.name, line.text, line.written, line.gone) for line in lines] == [
        ("amount", '"5.00"', "5.00", False),
        ("currency", '"EUR"', "absent", False),
        ("term", "", "60", True),
    ]


def test_nested_changes_are_found_in_their_place() -> None:
    lines = list_lines('{"a":{"b":[1,{"c":true}]}}', '{"a":{"b":[1,{"c":null}],"d":[]}}')
    changed = [(line.depth, line.name, line.written) for line in lines if line.written]
    assert changed == [(4, "c", "null"), (2, "d", "0 items")]


@given(JSON)
def test_a_payload_that_was_not_lifted_shows_no_difference(value: object) -> None:
    text = json.dumps(value)
    assert not [line for line in list_lines(text, text) if line.written is not None or line.gone]


@given(JSON, JSON)
def test_any_two_payloads_can_be_laid_side_by_side(current: object, stored: object) -> None:
    lines = list_lines(json.dumps(current), json.dumps(stored))
    assert all(line.depth >= 0 and line.name is not None for line in lines)


def test_what_is_no_json_is_one_line_of_text() -> None:
    lines = list_lines("<b>not json</b>", "<b>not json</b>")
    assert [(line.kind, line.text) for line in lines] == [("string", '"<b>not json</b>"')]


def test_an_erased_payload_is_null() -> None:
    assert [line.text for line in list_lines(None, None)] == ["null"]


def test_a_huge_payload_is_cut_and_says_so() -> None:
    lines = list_lines(json.dumps(list(range(5_000))), None)
    assert len(lines) == MOST_LINES
    assert "left out" in lines[-1].text


def test_a_payload_nested_beyond_reason_is_shown_as_text() -> None:
    text = "[" * 100_000
    assert list_lines(text, text)[0].kind == "string"
