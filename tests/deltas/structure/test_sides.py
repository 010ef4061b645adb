from typing import Any

from hypothesis import given

from tests.deltas.values import VALUES
from workbench.deltas.structure.fields import MOST_VALUES, compare_values
from workbench.deltas.structure.numbers import is_same, read_value
from workbench.deltas.structure.sides import MOST_LINES, SideLine, list_sides

PROPOSED = {
    "user_id": "u1",
    "origin": "JFK",
    "cabin": "economy",
    "bags": 0,
    "flights": [{"flight_number": "HAT023", "date": "2024-05-24"}],
    "passengers": [{"first_name": "Aarav", "last_name": "Ahmed", "dob": "1981-05-26"}],
}
EXPECTED = PROPOSED | {
    "flights": [{"flight_number": "HAT069", "date": "2024-05-24"}],
    "passengers": [{"first_name": "Aarav", "last_name": "Ahmed", "dob": "1985-04-04"}],
}


def show(line: SideLine) -> tuple[int, str, str | None, str | None, int]:
    return line.depth, line.sign, line.proposed, line.value, line.folded


def test_what_changed_stands_side_by_side_and_what_is_kept_is_folded() -> None:
    assert [show(line) for line in list_sides(PROPOSED, EXPECTED)] == [
        (0, "=", "{", "{", 0),
        (1, "=", '"user_id": "u1",', '"user_id": "u1",', 3),
        (1, "=", '"flights": [', '"flights": [', 0),
        (2, "-", '{"flight_number":"HAT023","date":"2024-05-24"}', None, 0),
        (2, "+", None, '{"flight_number":"HAT069","date":"2024-05-24"}', 0),
        (1, "=", "],", "],", 0),
        (1, "=", '"passengers": [', '"passengers": [', 0),
        (2, "=", "{", "{", 0),
        (3, "=", '"first_name": "Aarav",', '"first_name": "Aarav",', 0),
        (3, "=", '"last_name": "Ahmed",', '"last_name": "Ahmed",', 0),
        (3, "~", '"dob": "1981-05-26"', '"dob": "1985-04-04"', 0),
        (2, "=", "}", "}", 0),
        (1, "=", "]", "]", 0),
        (0, "=", "}", "}", 0),
    ]


@given(VALUES, VALUES)
def test_the_lines_of_each_side_are_its_value_but_for_the_order_of_items(proposed: Any, value: Any) -> None:
    lines = list_sides(proposed, value, fold=False)
    for side, whole in (("proposed", proposed), ("value", value)):
        text = "".join(getattr(line, side) or "" for line in lines)
        again = compare_values(whole, read_value(text))
        assert again.field_acceptance == 1
        assert again.paths_added == 0
    assert is_same(read_value("".join(line.proposed or "" for line in lines)), proposed)


@given(VALUES)
def test_a_value_taken_as_it_is_is_one_line(value: Any) -> None:
    assert [line.sign for line in list_sides(value, value)] == ["="]


def test_no_more_lines_are_written_than_can_be_read() -> None:
    assert len(list_sides(list(range(5_000)), [str(n) for n in range(5_000)])) == MOST_LINES


def test_what_is_too_deep_to_be_written_is_left_out() -> None:
    deep: Any = 1
    for _ in range(5_000):
        deep = [deep]
    assert [line.proposed for line in list_sides(deep, 1)] == ["…"]
    assert [line.sign for line in list_sides([deep], [[deep]])].count("~") == 1


def test_more_values_than_can_be_walked_are_one_line() -> None:
    assert [line.sign for line in list_sides([*range(MOST_VALUES)], [])] == ["~"]
