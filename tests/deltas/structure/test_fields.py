import json
from typing import Any

import pytest
from hypothesis import given

from tests.deltas.values import VALUES
from workbench.deltas.structure.fields import MOST_LEVELS, MOST_VALUES, StructureDelta, compare_values
from workbench.deltas.structure.numbers import is_same, read_value, write_value
from workbench.deltas.structure.patch import apply_patch

PROPOSED = {
    "user_id": "aarav_ahmed_6699",
    "origin": "JFK",
    "destination": "SFO",
    "flight_type": "one_way",
    "cabin": "economy",
    "flights": [{"flight_number": "HAT023", "date": "2024-05-24"}],
    "passengers": [{"first_name": "Aarav", "last_name": "Ahmed", "dob": "1981-05-26"}],
    "payment_methods": [{"payment_id": "credit_card_9074831", "amount": 163}],
    "total_baggages": 0,
    "nonfree_baggages": 0,
    "insurance": "no",
}
EXPECTED = PROPOSED | {
    "flights": [
        {"flight_number": "HAT069", "date": "2024-05-24"},
        {"flight_number": "HAT258", "date": "2024-05-24"},
    ],
    "passengers": [{"first_name": "Aarav", "last_name": "Ahmed", "dob": "1985-04-04"}],
    "payment_methods": [{"payment_id": "credit_card_9074831", "amount": 290}],
}


def signs(delta: StructureDelta) -> list[tuple[str, str]]:
    return [(path.sign, path.path) for path in delta.paths if path.sign != "="]


def test_a_booking_is_counted_path_by_path() -> None:
    delta = compare_values(PROPOSED, EXPECTED)
    assert (delta.paths_proposed, delta.paths_kept) == (15, 11)
    assert (delta.paths_changed, delta.paths_removed, delta.paths_added) == (2, 2, 4)
    assert round(delta.field_acceptance, 2) == 0.73
    assert delta.fallback is None


def test_items_are_matched_by_what_identifies_them() -> None:
    delta = compare_values(PROPOSED, EXPECTED)
    assert delta.keys == {
        "/flights": ("flight_number",),
        "/passengers": ("first_name", "last_name"),
        "/payment_methods": ("payment_id",),
    }
    assert signs(delta) == [
        ("-", "/flights/HAT023/flight_number"),
        ("-", "/flights/HAT023/date"),
        ("+", "/flights/HAT069/flight_number"),
        ("+", "/flights/HAT069/date"),
        ("+", "/flights/HAT258/flight_number"),
        ("+", "/flights/HAT258/date"),
        ("~", "/passengers/Aarav Ahmed/dob"),
        ("~", "/payment_methods/credit_card_9074831/amount"),
    ]


def test_a_path_points_to_where_it_stands_in_each_value() -> None:
    delta = compare_values({"a/b": [{"id": 1, "n": 1}, {"id": 2, "n": 2}]}, {"a/b": [{"id": 2, "n": 3}]})
    (changed,) = [path for path in delta.paths if path.sign == "~"]
    assert (changed.path, changed.proposed_at, changed.value_at) == ("/a~1b/2/n", "/a~1b/1/n", "/a~1b/0/n")
    assert (changed.proposed, changed.value) == (2, 3)


@pytest.mark.parametrize(
    ("proposed", "value", "expected"),
    [
        (1, 1.0, []),
        (1, True, [("~", "")]),
        (0, False, [("~", "")]),
        ("1", 1, [("~", "")]),
        (None, {}, [("~", "")]),
        ({}, [], [("~", "")]),
        ({"a": None}, {}, [("-", "/a"), ("+", "")]),
        ({"a": 1}, {"a": {"b": 1}}, [("-", "/a"), ("+", "/a/b")]),
        ({"a": [1]}, {"a": {"0": 1}}, [("-", "/a/0"), ("+", "/a/0")]),
        ({"a": []}, {"a": [1]}, [("-", "/a"), ("+", "/a/0")]),
        ([1, 2, 3], [3, 1, 2], []),
        ([1, 1, 2], [1, 2, 2], [("~", "/1")]),
        (["a", "b"], ["b"], [("-", "/0")]),
        ([[1], [2]], [[2], [1, 3]], [("+", "/0/1")]),
    ],
)
def test_awkward_values_have_one_reading(proposed: Any, value: Any, expected: list[tuple[str, str]]) -> None:
    assert signs(compare_values(proposed, value)) == expected


@pytest.mark.parametrize(
    ("before", "after", "keys"),
    [
        ([{"id": 1, "x": 1}], [{"id": 1, "x": 1}], ("id",)),
        ([{"orderId": 1, "itemId": 1}, {"orderId": 1, "itemId": 2}], [], ("itemId",)),
        ([{"order_id": o, "item_id": i} for o in (1, 2) for i in (1, 2)], [], ("order_id", "item_id")),
        ([{"first_name": "A", "age": 3}], [{"first_name": "B", "age": 3}], ("first_name",)),
        ([{"first_name": "A", "age": 3}, {"first_name": "A", "age": 4}], [{"first_name": "A", "age": 3}], ("age",)),
        ([{"x": 1, "y": 5}], [{"x": 2, "y": 5}], ("y",)),
        ([{"x": 1}], [{"x": 2}], ()),
        ([{"id": 1}, {"id": 1}], [{"id": 1}], ()),
        ([{"id": None}], [{"id": 1}], ()),
        ([{"id": [1]}], [{"id": [1]}], ()),
        ([{"id": 1}, {"x": 1}], [{"id": 1}], ()),
        ([{"id": 1}, 7], [{"id": 1}], ()),
        ([{"#": 1}], [{"#": 1}], ("#",)),
    ],
)
def test_a_key_is_what_every_item_has_and_no_two_share(
    before: list[Any], after: list[Any], keys: tuple[str, ...]
) -> None:
    assert compare_values(before, after).keys[""] == keys


def test_items_whose_keys_read_alike_are_told_apart() -> None:
    delta = compare_values([{"id": 1}], [{"id": "1"}])
    assert signs(delta) == [("-", "/[1]/id"), ("+", '/["1"]/id')]


def test_a_number_that_is_written_otherwise_is_kept_and_patched() -> None:
    proposed, value = read_value('{"a":1.10,"b":1}'), read_value('{"a":1.1,"b":1.0}')
    delta = compare_values(proposed, value)
    assert delta.field_acceptance == 1
    assert write_value(apply_patch(proposed, delta.patch)) == '{"a":1.1,"b":1.0}'


@given(VALUES, VALUES)
def test_the_patch_makes_the_value_of_the_proposal(proposed: Any, value: Any) -> None:
    delta = compare_values(proposed, value)
    patch = read_value(write_value(delta.patch))
    assert is_same(apply_patch(proposed, patch), value, as_written=True)


@given(VALUES, VALUES)
def test_every_path_of_both_values_is_counted_once(proposed: Any, value: Any) -> None:
    delta = compare_values(proposed, value)
    assert delta.paths_proposed == delta.paths_kept + delta.paths_changed + delta.paths_removed
    for side, other in (("proposed_at", "+"), ("value_at", "-")):
        places = [getattr(path, side) for path in delta.paths if path.sign != other]
        assert len(set(places)) == len(places)
        names = [path.path for path in delta.paths if path.sign != other]
        assert None not in places
        assert len(set(names)) == len(names)


@given(VALUES)
def test_a_value_taken_as_it_is_keeps_every_path(value: Any) -> None:
    delta = compare_values(value, read_value(write_value(value)))
    assert delta.field_acceptance == 1
    assert (delta.paths_added, delta.patch) == (0, [])


def nest(levels: int, inner: Any) -> Any:
    for _ in range(levels):
        inner = {"a": [inner]}
    return inner


@pytest.mark.parametrize("levels", [100, 10_000])
def test_what_lies_too_deep_is_compared_whole(levels: int) -> None:
    delta = compare_values(nest(levels, 1), nest(levels, 2))
    assert delta.fallback == "deep"
    assert [path.sign for path in delta.paths] == ["~"]
    assert delta.paths[0].path.count("/") == MOST_LEVELS
    assert is_same(apply_patch(nest(levels, 1), delta.patch), nest(levels, 2))
    assert compare_values(nest(levels, 1), nest(levels, 1)).patch == []


def test_ten_thousand_keys_are_compared_path_by_path() -> None:
    proposed = {f"key {place}": place for place in range(10_000)}
    value = {f"key {place}": place + (place % 3 == 0) for place in range(5_000, 15_000)}
    delta = compare_values(proposed, value)
    assert delta.fallback is None
    assert (delta.paths_removed, delta.paths_added) == (5_000, 5_000)
    assert apply_patch(proposed, delta.patch) == value


def test_more_values_than_can_be_walked_are_one_path() -> None:
    proposed = [*range(MOST_VALUES)]
    delta = compare_values(proposed, [*proposed, 1])
    assert (delta.fallback, delta.paths_proposed, delta.field_acceptance) == ("whole", 1, 0)
    assert json.dumps(delta.patch) == json.dumps([{"op": "replace", "path": "", "value": [*proposed, 1]}])
