"""A structured proposal against its value, path by path, items of lists matched by what identifies them."""

from typing import Any, Final, Literal

import msgspec

from workbench.deltas.structure.items import match_items
from workbench.deltas.structure.numbers import is_same, is_same_scalar
from workbench.deltas.structure.patch import make_patch

# A value nested deeper has the rest of it compared whole; so has any value that holds more values than this.
MOST_LEVELS: Final = 64
MOST_VALUES: Final = 50_000

Sign = Literal["=", "~", "-", "+"]


class PathDelta(msgspec.Struct, frozen=True, kw_only=True):
    """One path: kept (=), changed (~), removed (-) or added (+), and what stood there; None where nothing did.

    ``path`` names an item of a list by its key (``/flights/HAT069/date``). ``proposed_at`` and ``value_at`` are its RFC
    6901 pointers into the two values, None where it is absent.
    """

    path: str
    sign: Sign
    proposed: Any = None
    value: Any = None
    proposed_at: str | None = None
    value_at: str | None = None


class StructureDelta(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a structured proposal.

    ``keys`` says of each list, by its path, which members its items were matched by; none: by value, then by place.
    ``patch`` is RFC 6902 and makes the value of the proposal. ``fallback`` is None, ``deep`` (what lies below 64 levels
    is compared whole) or ``whole`` (more than 50,000 values: the two are compared as one path).
    """

    paths: tuple[PathDelta, ...]
    keys: dict[str, tuple[str, ...]]
    paths_proposed: int
    paths_kept: int
    paths_changed: int
    paths_removed: int
    paths_added: int
    field_acceptance: float
    patch: list[dict[str, Any]]
    fallback: str | None = None


def compare_values(proposed: Any, value: Any) -> StructureDelta:
    """Return what a value kept, changed, removed and added of the paths that were proposed, for any two JSON values.

    A path leads to a scalar, an empty object or an empty list. Field acceptance is paths kept ÷ paths proposed. Numbers
    are the same when their values are (RFC 6902 §4.6: 1 and 1.0 are), so that path is kept; the patch writes the one as
    the other all the same. Where a list or object took a scalar's place, the scalar's path is removed and the paths
    inside are added. The order of items that are matched is no change of a path; the patch restores it.

    >>> delta = compare_values({"cabin": "economy", "bags": 1}, {"cabin": "economy", "bags": 2, "paid": True})
    >>> [(path.sign, path.path) for path in delta.paths], delta.field_acceptance
    ([('=', '/cabin'), ('~', '/bags'), ('+', '/paid')], 0.5)
    """
    levels, values = measure_values(proposed, value)
    if values > MOST_VALUES:
        return _count([_compare_leaf("", ("", ""), proposed, value)], {}, _patch_whole(proposed, value), "whole")
    is_deep = levels > MOST_LEVELS
    walk = _Walk(is_deep=is_deep)
    walk.visit("", ("", ""), proposed, value)
    patch = _patch_whole(proposed, value) if is_deep else make_patch(proposed, value)
    return _count(walk.paths, walk.keys, patch, "deep" if is_deep else None)


class _Absent:
    """What stands at a path that one of the values does not have."""


class _Walk:
    """Visits two values together, in the order of the proposal; what only the value has comes behind."""

    def __init__(self, *, is_deep: bool) -> None:
        self.is_deep = is_deep
        self.paths: list[PathDelta] = []
        self.keys: dict[str, tuple[str, ...]] = {}

    def visit(self, path: str, at: tuple[str, str], proposed: Any, value: Any, level: int = 0) -> None:
        kinds = {type(side) if _has_inside(side, level) else None for side in (proposed, value) if side is not _Absent}
        if len(kinds) > 1:
            self.visit(path, at, proposed, _Absent, level)
            self.visit(path, at, _Absent, value, level)
        elif kinds == {None}:
            self.paths.append(_compare_leaf(path, at, proposed, value))
        elif kinds == {dict}:
            self._visit_members(path, at, proposed, value, level + 1)
        else:
            self._visit_items(path, at, proposed, value, level + 1)

    def _visit_members(self, path: str, at: tuple[str, str], proposed: Any, value: Any, level: int) -> None:
        before = {} if proposed is _Absent else proposed
        after = {} if value is _Absent else value
        for name in (*before, *(name for name in after if name not in before)):
            step = _step(name)
            places = at[0] + step, at[1] + step
            self.visit(path + step, places, before.get(name, _Absent), after.get(name, _Absent), level)

    def _visit_items(self, path: str, at: tuple[str, str], proposed: Any, value: Any, level: int) -> None:
        before = [] if proposed is _Absent else proposed
        after = [] if value is _Absent else value
        keys, matches = match_items(before, after, by_place=self.is_deep)
        self.keys.setdefault(path, keys)
        for label, one, other in matches:
            places = f"{at[0]}/{one}", f"{at[1]}/{other}"
            left = _Absent if one is None else before[one]
            right = _Absent if other is None else after[other]
            self.visit(path + _step(label), places, left, right, level)


def _has_inside(value: Any, level: int) -> bool:
    return isinstance(value, dict | list) and bool(value) and level < MOST_LEVELS


def _step(name: str) -> str:
    return "/" + name.replace("~", "~0").replace("/", "~1")


def _compare_leaf(path: str, at: tuple[str, str], proposed: Any, value: Any) -> PathDelta:
    if value is _Absent:
        return PathDelta(path=path, sign="-", proposed=proposed, proposed_at=at[0])
    if proposed is _Absent:
        return PathDelta(path=path, sign="+", value=value, value_at=at[1])
    both = is_same_scalar if not isinstance(proposed, dict | list) else is_same
    sign: Sign = "=" if both(proposed, value) else "~"
    return PathDelta(path=path, sign=sign, proposed=proposed, value=value, proposed_at=at[0], value_at=at[1])


def measure_values(*values: Any) -> tuple[int, int]:
    """Return how deep the values nest and how many they hold in all; without recursion, as they may be of any depth."""
    levels, count = 0, 0
    inside: list[Any] = list(values)
    while inside and count <= MOST_VALUES:
        count += len(inside)
        inside = [
            child
            for value in inside
            if isinstance(value, dict | list)
            for child in (value.values() if isinstance(value, dict) else value)
        ]
        levels += bool(inside)
    return levels, count


def _patch_whole(proposed: Any, value: Any) -> list[dict[str, Any]]:
    return [] if is_same(proposed, value, as_written=True) else [{"op": "replace", "path": "", "value": value}]


def _count(
    paths: list[PathDelta], keys: dict[str, tuple[str, ...]], patch: list[dict[str, Any]], fallback: str | None
) -> StructureDelta:
    counts = {sign: sum(path.sign == sign for path in paths) for sign in "=~-+"}
    proposed = len(paths) - counts["+"]
    return StructureDelta(
        paths=tuple(paths),
        keys=keys,
        paths_proposed=proposed,
        paths_kept=counts["="],
        paths_changed=counts["~"],
        paths_removed=counts["-"],
        paths_added=counts["+"],
        field_acceptance=counts["="] / proposed,
        patch=patch,
        fallback=fallback,
    )
