"""A payload as lines of text: every value as it is written, beside what it was before upcasting."""

import json
from collections.abc import Iterator
from typing import Any, Final

import msgspec

MOST_LINES: Final = 2_000


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a payload's tree.

    ``kind`` is object, array, string, number or word (true, false, null), ``text`` the value as it is written, a count
    for objects and arrays. ``written`` is the stored value where upcasting changed it, ``gone`` a member it dropped.
    """

    depth: int
    name: str
    kind: str
    text: str
    written: str | None = None
    gone: bool = False


class _Number(str):
    """A number by its text, so that none is rounded on its way to the screen."""

    __slots__ = ()


class _Missing:
    """What stands at a path that a payload does not have."""


def list_lines(current: str | None, stored: str | None) -> list[Line]:
    """Return the tree of ``current`` as lines, at most 2,000; ``stored`` is the same payload as it was written.

    Text that is no JSON is one line.
    """
    tree, before = _read(current), _read(stored)
    lines: list[Line] = []
    for line in _walk("", tree, before, 0):
        if len(lines) == MOST_LINES:
            lines.append(Line(depth=0, name="", kind="word", text="more lines are left out here; Raw shows all"))
            break
        lines.append(line)
    return lines[1:] if lines and lines[0].kind in {"object", "array"} else lines


def _read(text: str | None) -> Any:
    if text is None:
        return None
    try:
        return json.loads(text, parse_int=_Number, parse_float=_Number, parse_constant=_Number)
    except (ValueError, RecursionError):
        return text


def _walk(name: str, value: Any, before: Any, depth: int) -> Iterator[Line]:
    kind, text = _describe(value)
    written = None
    if type(before) is not type(value) or not isinstance(value, dict | list):
        old = _describe(before)
        written = None if before == value and old[0] == kind else _old_text(before, old)
    yield Line(depth=depth, name=name, kind=kind, text=text, written=written)
    for key, child, old in _children(value, before):
        if child is _Missing:
            gone_kind, gone_text = _describe(old)
            yield Line(depth=depth + 1, name=key, kind=gone_kind, text="", written=gone_text, gone=True)
        else:
            yield from _walk(key, child, old, depth + 1)


def _old_text(before: Any, old: tuple[str, str]) -> str:
    return "absent" if before is _Missing else old[1]


def _children(value: Any, before: Any) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(value, dict):
        other = before if isinstance(before, dict) else {}
        yield from ((key, child, other.get(key, _Missing)) for key, child in value.items())
        yield from ((key, _Missing, child) for key, child in other.items() if key not in value)
    elif isinstance(value, list):
        others = before if isinstance(before, list) else []
        for place, child in enumerate(value):
            yield str(place), child, others[place] if place < len(others) else _Missing


def _describe(value: Any) -> tuple[str, str]:
    match value:
        case dict():
            return "object", f"{len(value)} members" if len(value) != 1 else "1 member"
        case list():
            return "array", f"{len(value)} items" if len(value) != 1 else "1 item"
        case _Number():
            return "number", str(value)
        case str():
            return "string", json.dumps(value, ensure_ascii=False)
        case True | False | None:
            return "word", {True: "true", False: "false", None: "null"}[value]
        case _:
            return "word", "absent"
