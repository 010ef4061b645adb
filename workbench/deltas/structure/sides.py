"""A structured proposal and its value as lines side by side, each in the order of the proposal."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec

from workbench.deltas.structure.fields import MOST_LEVELS, MOST_VALUES, Sign, measure_values
from workbench.deltas.structure.items import match_items
from workbench.deltas.structure.numbers import is_same, write_value

MOST_LINES: Final = 2_000
# Of a run of kept members as long as this the first is shown, the others are counted.
FOLDED_FROM: Final = 3


class SideLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line: how deep it is indented, its sign, and its text on both sides, None where that side has none.

    ``name`` is the member's name, which both texts begin with. ``folded`` counts the kept members it also stands for.
    """

    depth: int
    sign: Sign
    name: str | None = None
    proposed: str | None = None
    value: str | None = None
    folded: int = 0


class _Child(msgspec.Struct, frozen=True):
    """A member or an item: what stands on each side, and whether more comes behind it there."""

    name: str | None
    sides: tuple[Any, ...]
    commas: tuple[str, str]


_ABSENT: Final = msgspec.UNSET


def list_sides(proposed: Any, value: Any, *, fold: bool = True) -> list[SideLine]:
    """Return the lines of both values side by side, at most 2,000; what is kept whole is one line.

    Members and items stand in the order of the proposal, what only the value has behind them. Runs of three and more
    kept lines are folded into the first, which counts the others, unless ``fold`` is False. More than 50,000 values are
    one line.

    >>> [(line.sign, line.proposed, line.value) for line in list_sides({"a": 1, "b": [2]}, {"a": 1, "b": [3]})][1:-1]
    [('=', '"a": 1,', '"a": 1,'), ('=', '"b": [', '"b": ['), ('~', '2', '3'), ('=', ']', ']')]
    """
    levels, values = measure_values(proposed, value)
    whole = _Child(None, (proposed, value), ("", ""))
    if values > MOST_VALUES:
        return [_write_line(whole, "", 0)]
    lines: list[SideLine] = []
    for line in _list_lines(whole, 0, fold=fold, by_place=levels > MOST_LEVELS):
        if len(lines) == MOST_LINES:
            break
        lines.append(line)
    return lines


def _list_lines(child: _Child, depth: int, *, fold: bool, by_place: bool) -> Iterator[SideLine]:
    left, right = child.sides
    label = "" if child.name is None else write_value(child.name) + ": "
    if _ABSENT in child.sides or not _is_opened(left, right, depth):
        yield _write_line(child, label, depth)
        return
    opening, closing = ("{", "}") if isinstance(left, dict) else ("[", "]")
    yield SideLine(depth=depth, sign="=", name=child.name, proposed=label + opening, value=label + opening)
    pending: list[SideLine] = []
    for inner in _list_members(left, right) if isinstance(left, dict) else _list_items(left, right, by_place=by_place):
        for line in _list_lines(inner, depth + 1, fold=fold, by_place=by_place):
            is_kept = line.sign == "=" and line.depth == depth + 1 and fold and not _is_bracket(line)
            if not is_kept:
                yield from _fold(pending)
                pending = []
                yield line
            else:
                pending.append(line)
    yield from _fold(pending)
    yield SideLine(depth=depth, sign="=", proposed=closing + child.commas[0], value=closing + child.commas[1])


def _is_opened(left: Any, right: Any, depth: int) -> bool:
    """Tell whether two values are shown member by member: they are of one kind and differ inside."""
    both = any(isinstance(left, kind) and isinstance(right, kind) for kind in (dict, list))
    return both and bool(left) and bool(right) and depth < MOST_LEVELS and not is_same(left, right)


def _is_bracket(line: SideLine) -> bool:
    return (line.proposed or "").rstrip(",").endswith(("{", "[")) or (line.proposed or "").startswith(("}", "]"))


def _write_line(child: _Child, label: str, depth: int) -> SideLine:
    texts = [
        None if side is _ABSENT else label + _write(side) + comma
        for side, comma in zip(child.sides, child.commas, strict=True)
    ]
    return SideLine(depth=depth, sign=_sign(*child.sides), name=child.name, proposed=texts[0], value=texts[1])


def _write(value: Any) -> str:
    try:
        return write_value(value)
    except RecursionError:
        return "…"


def _sign(left: Any, right: Any) -> Sign:
    if left is _ABSENT:
        return "+"
    if right is _ABSENT:
        return "-"
    return "=" if is_same(left, right) else "~"


def _fold(lines: Sequence[SideLine]) -> Sequence[SideLine]:
    if len(lines) < FOLDED_FROM:
        return lines
    return [msgspec.structs.replace(lines[0], folded=len(lines) - 1)]


def _list_members(left: dict[str, Any], right: dict[str, Any]) -> list[_Child]:
    names = [*left, *(name for name in right if name not in left)]
    return _set_commas([(name, (left.get(name, _ABSENT), right.get(name, _ABSENT))) for name in names])


def _list_items(left: list[Any], right: list[Any], *, by_place: bool) -> list[_Child]:
    _, matches = match_items(left, right, by_place=by_place)
    pairs = [
        (None, (_ABSENT if one is None else left[one], _ABSENT if other is None else right[other]))
        for _, one, other in matches
    ]
    return _set_commas(pairs)


def _set_commas(pairs: Sequence[tuple[str | None, tuple[Any, Any]]]) -> list[_Child]:
    last = [
        max((at for at, (_, sides) in enumerate(pairs) if sides[side] is not _ABSENT), default=-1) for side in (0, 1)
    ]
    return [
        _Child(name, sides, ("," if at < last[0] else "", "," if at < last[1] else ""))
        for at, (name, sides) in enumerate(pairs)
    ]
