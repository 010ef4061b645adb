"""Which item of one list is which of another: by what identifies an item, else by its value, else by its place."""

import re
from collections import defaultdict, deque
from collections.abc import Hashable, Sequence
from itertools import filterfalse
from typing import Any, Final

from workbench.decode.canonical import decode_canonical, write_canonical
from workbench.deltas.structure.numbers import Number, write_value

Keys = tuple[str, ...]
# An item's label, its place in the list before and its place in the list after.
Match = tuple[str, int | None, int | None]

IDENTIFIERS: Final = frozenset({"id", "uuid", "guid", "key", "code", "number", "sku"})
NAMES: Final = frozenset({"name"})
_WORD: Final = re.compile(r"[A-Z]*[a-z]+|[A-Z]+")


def match_items(before: Sequence[Any], after: Sequence[Any], *, by_place: bool = False) -> tuple[Keys, list[Match]]:
    """Return the members that two lists' items are matched by, and the matches: label, place before, place after.

    Where all items are objects with a key (`find_key`) they are matched by it, and an item's label is its key. Else
    equal items are matched first, each once, and then those left over in their order; a label is the place before, or
    the one after where there is none. ``by_place`` leaves equality out. What is only in ``after`` comes last.

    >>> match_items(["a", "b"], ["b", "c", "d"])
    ((), [('0', 0, 1), ('1', 1, 0), ('2', None, 2)])
    """
    keys = find_key(before, after)
    if keys:
        return keys, _match_keys(keys, before, after)
    partners = _match_places(before, after, by_place=by_place)
    taken = set(partners.values())
    matches: list[Match] = [(str(place), place, partners.get(place)) for place in range(len(before))]
    matches += [(str(place), None, place) for place in filterfalse(taken.__contains__, range(len(after)))]
    return (), matches


def find_key(before: Sequence[Any], after: Sequence[Any]) -> Keys:
    """Return the members that identify an item: scalar in every item of both lists, no two items of one alike in them.

    First choice is a member that by the last word of its name identifies (id, uuid, guid, key, code, number, sku); next
    all members of such names together, or all whose last word is ``name``; last any other in which at least one item of
    both lists meets. Of several that do, the one in which most items meet, then the first. None does: ().

    >>> find_key([{"first_name": "Aarav", "last_name": "Ahmed", "dob": "1981-05-26"}], [])
    ('first_name', 'last_name')
    """
    items = [*before, *after]
    if not items or not all(isinstance(item, dict) for item in items):
        return ()
    members = [name for name in items[0] if all(_is_scalar(item.get(name)) for item in items)]
    identifiers = tuple(name for name in members if _last_word(name) in IDENTIFIERS)
    names = tuple(name for name in members if _last_word(name) in NAMES)
    alone: list[Keys] = [(name,) for name in members]
    for choices, least in (([(name,) for name in identifiers], 0), ([identifiers, names], 0), (alone, 1)):
        meeting = {keys: _count_meeting(keys, before, after) for keys in choices if keys}
        best = max(meeting, key=meeting.__getitem__, default=())
        if best and meeting[best] >= least:
            return best
    return ()


def _last_word(name: str) -> str:
    words: list[str] = _WORD.findall(name)
    return words[-1].lower() if words else ""


def _is_scalar(value: Any) -> bool:
    return value is not None and not isinstance(value, dict | list)


def _count_meeting(keys: Keys, before: Sequence[Any], after: Sequence[Any]) -> int:
    """Return how many items of both lists have the same key; -1 where two items of one list have."""
    ones, others = ({_key(item, keys) for item in items} for items in (before, after))
    return len(ones & others) if (len(ones), len(others)) == (len(before), len(after)) else -1


def _key(item: dict[str, Any], keys: Keys) -> Hashable:
    return tuple(_form(item[name]) for name in keys)


def _form(value: Any) -> Hashable:
    """Return what two equal JSON values have in common, and no two others."""
    if isinstance(value, dict | list):
        return write_canonical(decode_canonical(write_value(value).encode()))
    return isinstance(value, bool), float(value) if isinstance(value, Number) else value


def _match_keys(keys: Keys, before: Sequence[Any], after: Sequence[Any]) -> list[Match]:
    places = {_key(item, keys): place for place, item in enumerate(after)}
    pairs: list[tuple[Any, int | None, int | None]] = [
        (item, place, places.pop(_key(item, keys), None)) for place, item in enumerate(before)
    ]
    pairs += [(after[place], None, place) for place in places.values()]
    labels = [" ".join(_write_label(item[name]) for name in keys) for item, *_ in pairs]
    if len(set(labels)) < len(labels):
        labels = [write_value([item[name] for name in keys]) for item, *_ in pairs]
    return [(label, one, other) for label, (_, one, other) in zip(labels, pairs, strict=True)]


def _write_label(value: Any) -> str:
    return value if isinstance(value, str) else write_value(value)


def _match_places(before: Sequence[Any], after: Sequence[Any], *, by_place: bool) -> dict[int, int]:
    partners: dict[int, int] = {}
    if not by_place:
        waiting: defaultdict[Hashable, deque[int]] = defaultdict(deque)
        for place, item in enumerate(after):
            waiting[_form(item)].append(place)
        for place, item in enumerate(before):
            if waiting[form := _form(item)]:
                partners[place] = waiting[form].popleft()
    taken = set(partners.values())
    free = filterfalse(taken.__contains__, range(len(after)))
    left = filterfalse(partners.__contains__, range(len(before)))
    return partners | dict(zip(left, free, strict=False))
