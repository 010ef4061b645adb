"""Which part of an export a proposal goes to, so that nothing in one part gives away another. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

import msgspec

PARTS: Final = ("train", "dev", "test")


class Placed(msgspec.Struct, frozen=True, gc=False):
    """What decides about a proposal's part."""

    position: int
    shown_at: datetime
    stream_id: str
    person: str | None


def split_by_time(placed: Sequence[Placed], shares: Sequence[float]) -> dict[int, str]:
    """Return position → part: the oldest shown are train, the newest test; those of one instant stay together.

    >>> from datetime import UTC, timedelta
    >>> start = datetime(2026, 1, 1, tzinfo=UTC)
    >>> days = [Placed(day, start + timedelta(day), "s", None) for day in range(10)]
    >>> list(split_by_time(days, (0.8, 0.1, 0.1)).values()).count("train")
    8
    """
    ordered = sorted(placed, key=lambda each: (each.shown_at, each.position))
    ends = [round(sum(shares[: number + 1]) * len(ordered)) for number in range(len(PARTS))]
    parts: dict[int, str] = {}
    current = 0
    for index, each in enumerate(ordered):
        is_new = index == 0 or each.shown_at != ordered[index - 1].shown_at
        while is_new and current < len(PARTS) - 1 and index >= ends[current]:
            current += 1
        parts[each.position] = PARTS[current]
    return parts


def split_by_person(placed: Sequence[Placed], shares: Sequence[float]) -> dict[int, str]:
    """Return position → part such that no document and no person stands in two parts.

    Documents and persons that share a proposal belong together; such groups go, the largest first and then by their
    first position, to the part that lacks most of its share.
    """
    groups = _join(placed)
    wanted = [share * len(placed) for share in shares]
    filled = [0] * len(PARTS)
    parts: dict[int, str] = {}
    for positions in sorted(groups, key=lambda group: (-len(group), group[0])):
        lacking = max(range(len(PARTS)), key=lambda part: (wanted[part] - filled[part], -part))
        filled[lacking] += len(positions)
        parts.update(dict.fromkeys(positions, PARTS[lacking]))
    return parts


def _join(placed: Iterable[Placed]) -> list[list[int]]:
    """Return positions in groups that share no document and no person."""
    above: dict[tuple[str, str], tuple[str, str]] = {}

    def find(key: tuple[str, str]) -> tuple[str, str]:
        root = key
        while above.setdefault(root, root) != root:
            root = above[root]
        while above[key] != root:
            above[key], key = root, above[key]
        return root

    rows = sorted(placed, key=lambda each: each.position)
    for each in rows:
        document = find(("document", each.stream_id))
        if each.person is not None:
            above[find(("person", each.person))] = document
    groups: dict[tuple[str, str], list[int]] = {}
    for each in rows:
        groups.setdefault(find(("document", each.stream_id)), []).append(each.position)
    return list(groups.values())


def describe_split(parts: Mapping[int, str]) -> dict[str, int]:
    """Return how many proposals each part has, before any rule."""
    return {part: sum(1 for found in parts.values() if found == part) for part in dict.fromkeys(parts.values())}
