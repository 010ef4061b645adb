"""JSON values whose numbers keep the text they were written with, and when two values are the same."""

from collections.abc import Callable
from typing import Any, Final, Self

import msgspec


class Number(float):
    """A number that remembers how it was written: 1.10 is equal to another 1.10, not to 1.1."""

    text: str

    def __new__(cls, text: str) -> Self:
        """Return the number that a JSON text holds."""
        number = super().__new__(cls, text)
        number.text = text
        return number

    def __eq__(self, other: object) -> bool:
        """Tell whether the other is written alike."""
        return isinstance(other, Number) and other.text == self.text

    def __ne__(self, other: object) -> bool:
        """Tell whether the other is written otherwise; float has a comparison of its own."""
        return not self == other

    def __hash__(self) -> int:
        return hash(self.text)


read_value: Final[Callable[[str | bytes], Any]] = msgspec.json.Decoder(float_hook=Number).decode


def write_value(value: Any) -> str:
    """Return a JSON value's text without white space, its numbers as they were written.

    >>> write_value(read_value('{"amount": 1.10, "count": 1}'))
    '{"amount":1.10,"count":1}'
    """
    return msgspec.json.encode(value, enc_hook=_write_number).decode()


def _write_number(number: Any) -> msgspec.Raw:
    return msgspec.Raw(number.text.encode())


_encode_sorted: Final = msgspec.json.Encoder(enc_hook=_write_number, order="sorted").encode


def is_same_scalar(one: Any, other: Any) -> bool:
    """Tell whether two values that are no objects and no lists are the same JSON value: 1 and 1.0 are, 1 and true not.

    >>> is_same_scalar(1, 1.0), is_same_scalar(1, True), is_same_scalar("1", 1)
    (True, False, False)
    """
    if isinstance(one, float) and isinstance(other, float):
        return float(one) == float(other)
    if isinstance(one, Number):
        one = float(one)
    if isinstance(other, Number):
        other = float(other)
    return (type(one) is bool) == (type(other) is bool) and bool(one == other)


def is_same(one: Any, other: Any, *, as_written: bool = False) -> bool:
    """Tell whether two JSON values of any depth are the same; ``as_written`` takes 1 and 1.0 for two.

    >>> is_same({"a": [1], "b": 2}, {"b": 2.0, "a": [1]})
    True
    """
    if _is_same_text(one, other):
        return True
    pairs = [(one, other)]
    while pairs:
        left, right = pairs.pop()
        inside = _pair_inside(left, right)
        if inside is not None:
            pairs += inside
        elif not _is_same_leaf(left, right, as_written=as_written):
            return False
    return True


def _is_same_text(one: Any, other: Any) -> bool:
    """Tell whether two values are written alike: for a million values at once, where they are not too deep for that."""
    try:
        return _encode_sorted(one) == _encode_sorted(other)
    except RecursionError:
        return False


def _pair_inside(left: Any, right: Any) -> list[tuple[Any, Any]] | None:
    """Return what two objects with the same members, or two lists of one length, hold in pairs; else None."""
    if isinstance(left, dict) and isinstance(right, dict) and left.keys() == right.keys():
        return [(child, right[name]) for name, child in left.items()]
    if isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        return list(zip(left, right, strict=True))
    return None


def _is_written_alike(one: Any, other: Any) -> bool:
    return not isinstance(one, float) | isinstance(other, float) or write_value(one) == write_value(other)


def _is_same_leaf(one: Any, other: Any, *, as_written: bool) -> bool:
    if isinstance(one, dict | list) or isinstance(other, dict | list):
        return False
    return is_same_scalar(one, other) and (not as_written or _is_written_alike(one, other))
