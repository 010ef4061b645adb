"""A structured delta on the page: paths with their values, both sides line by line, and where values stood before."""

import json
import re
from typing import Any

import pytest

from workbench.deltas.structure.fields import PathDelta, compare_values
from workbench.views.deltas.stood import SeenEvent, find_stood, hold, list_held, look_for
from workbench.views.deltas.structure import brief_paths, group_paths, lay_sides, write_json, write_short

PROPOSED: dict[str, Any] = {
    "user_id": "aarav_ahmed_6699",
    "origin": "JFK",
    "destination": "SFO",
    "flights": [{"flight_number": "HAT023", "date": "2024-05-24"}],
    "passengers": [{"first_name": "Aarav", "dob": "1981-05-26"}],
}
EXPECTED: dict[str, Any] = PROPOSED | {
    "flights": [{"flight_number": "HAT069", "date": "2024-05-24"}],
    "passengers": [{"first_name": "Aarav", "dob": "1985-04-04"}],
}


def event(position: int, payload: Any, kind: str = "system") -> SeenEvent:
    return SeenEvent(position=position, kind=kind, words="search", data=json.dumps(payload))


SEEN = [
    event(3, {"content": "I'd like to fly from JFK to SFO."}, "human"),
    event(4, {"content": json.dumps({"dob": "1981-05-26", "amount": 163})}),
    event(5, {"flights": ["HAT023"]}),
]


def test_changed_paths_stand_under_their_list_and_its_keys() -> None:
    told = list(group_paths(compare_values(PROPOSED, EXPECTED)))
    lists = [each for each in told if isinstance(each, tuple)]
    assert [path for path, _ in lists] == ["/flights", "/passengers"]
    assert all(not isinstance(each, PathDelta) or each.sign != "=" for each in told)


def test_a_line_of_the_list_shows_three_changed_paths_at_most() -> None:
    brief = brief_paths({"a": 1, "b": 2, "c": 3, "d": 4}, {"a": 9, "b": 9, "c": 9})
    assert [(each.path, each.sign, each.proposed, each.value) for each in brief] == [
        ("/a", "~", "1", "9"),
        ("/b", "~", "2", "9"),
        ("/c", "~", "3", "9"),
    ]


def test_both_sides_have_as_many_lines_and_mark_what_differs() -> None:
    proposed, value = lay_sides(PROPOSED, EXPECTED)
    assert len(proposed) == len(value)
    gone = [text for line in proposed for mark, text in line.parts if mark == "del"]
    come = [text for line in value for mark, text in line.parts if mark == "ins"]
    assert '"1981-05-26"' in gone
    assert '"1985-04-04"' in come
    assert any(mark == "more" for line in proposed for mark, _ in line.parts)


def test_values_are_written_on_one_line_and_cut() -> None:
    assert write_short("two\nlines") == "two lines"
    assert write_short("x" * 100) == "x" * 59 + "…"
    assert write_json("x" * 100).endswith("…")


def test_a_value_stood_in_the_first_event_that_holds_it_as_a_word() -> None:
    assert getattr(find_stood(SEEN, "1981-05-26"), "position", None) == 4
    assert getattr(find_stood(SEEN, 163), "position", None) == 4
    assert find_stood(SEEN, 16) is None
    assert find_stood(SEEN, "1985-04-04") is None
    assert look_for([]) is None


@pytest.mark.parametrize("value", [{"a": 1}, [1], None, False, "ab", 12])
def test_a_value_too_short_to_tell_is_looked_for_nowhere(value: Any) -> None:
    assert look_for(value) is None


def test_events_that_hold_a_value_are_lines_of_prose_or_of_json() -> None:
    held = list(list_held(SEEN, compare_values(PROPOSED, EXPECTED).paths))
    assert [(each.event.position, each.is_code) for each in held] == [(3, False), (4, True), (5, True)]
    assert held[0].text == "I'd like to fly from JFK to SFO."
    assert '"dob": "1981-05-26"' in held[1].text


def test_at_most_eight_events_are_shown_and_a_long_payload_is_cut_around_its_value() -> None:
    many = [event(number, {"note": "x" * 200 + " HAT023 " + "y" * 500}) for number in range(20)]
    held = list(list_held(many, compare_values(PROPOSED, EXPECTED).paths))
    assert len(held) == 8
    assert held[0].text.startswith("…")
    assert re.search("HAT023", held[0].text)
    assert hold(event(1, ["HAT023"]), 0).is_code
