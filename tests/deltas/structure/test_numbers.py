import copy

import pytest

from workbench.deltas.structure.numbers import Number, is_same, is_same_scalar, read_value, write_value


@pytest.mark.parametrize("text", ["1.10", "1e2", "-0.0", "1E+2", "12345678901234567890", '{"a":[1.0,2.50]}'])
def test_a_number_is_written_as_it_was(text: str) -> None:
    assert write_value(copy.deepcopy(read_value(text))) == text


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (Number("1.0"), 1, True),
        (1, Number("1.0"), True),
        (Number("1.10"), Number("1.1"), True),
        (Number("1.10"), 1.1, True),
        (Number("1.0"), True, False),
        (2**53 + 1, Number("9007199254740992.0"), False),
        ("1", 1, False),
        (None, 0, False),
    ],
)
def test_numbers_are_the_same_when_their_values_are(one: object, other: object, *, same: bool) -> None:
    assert is_same_scalar(one, other) is same


def test_two_texts_of_one_number_are_told_apart_where_that_matters() -> None:
    assert Number("1.10") != Number("1.1")
    assert len({Number("1.10"), Number("1.1"), Number("1.10")}) == 2
    assert is_same([Number("1.10")], [Number("1.1")])
    assert not is_same([Number("1.10")], [Number("1.1")], as_written=True)
    assert not is_same([1], [1, 2])
    assert not is_same({"a": 1}, {"b": 1})
