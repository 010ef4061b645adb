"""A structured delta as a page shows it: path by path, side by side in the JSON's own order, and as the patch."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from workbench.deltas.structure.fields import PathDelta, StructureDelta, compare_values
from workbench.deltas.structure.numbers import write_value
from workbench.deltas.structure.sides import SideLine, list_sides

# A line of the list shows so many paths; a value is written in so many characters.
BRIEF: Final = 3
SHORT: Final = 60
MARKS: Final[Mapping[str, str]] = {"-": "del", "+": "ins"}


class BriefPath(msgspec.Struct, frozen=True, kw_only=True):
    """One path and its two values as short texts, None where there was none."""

    path: str
    sign: str
    proposed: str | None
    value: str | None


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a side: its sign, and its parts as (mark, text); marks are "", "del", "ins" and "more"."""

    sign: str
    parts: tuple[tuple[str, str], ...]


def write_short(value: Any, room: int = SHORT) -> str:
    """Return a value as one line of text: prose as it is, JSON else, cut to so many characters.

    >>> write_short("two  words"), write_short({"a": 1})
    ('two words', '{"a": 1}')
    """
    text = value if isinstance(value, str) else write_line(value)
    line = " ".join(text.split())
    return line if len(line) <= room else f"{line[: room - 1]}…"


def write_line(value: Any) -> str:
    """Return a value as JSON on one line with spaces between its parts, numbers as they were written.

    >>> write_line({"a": [1, 2]})
    '{"a": [1, 2]}'
    """
    return msgspec.json.format(write_value(value), indent=0)


def write_lines(value: Any) -> str:
    """Return a value as indented JSON, numbers as they were written."""
    return msgspec.json.format(write_value(value), indent=2)


def write_json(value: Any) -> str:
    """Return a value as JSON on one line, cut to what a cell shows."""
    text = write_line(value)
    return text if len(text) <= SHORT else f"{text[: SHORT - 1]}…"


def brief_paths(proposed: Any, value: Any) -> tuple[BriefPath, ...]:
    """Return the first few paths that were changed, for one line of the list."""
    changed = [brief_path(each) for each in compare_values(proposed, value).paths if each.sign != "="]
    return tuple(changed[:BRIEF])


def brief_path(path: PathDelta) -> BriefPath:
    """Return one path with its values written."""
    return BriefPath(
        path=path.path or "/",
        sign=path.sign,
        proposed=None if path.proposed_at is None else write_json(path.proposed),
        value=None if path.value_at is None else write_json(path.value),
    )


def group_paths(delta: StructureDelta) -> Iterator[PathDelta | tuple[str, str | None]]:
    """Return the changed paths in order, before those of a list the list's path and its keys in words."""
    within: str | None = None
    for path in delta.paths:
        if path.sign == "=":
            continue
        inside = max((each for each in delta.keys if path.path.startswith(f"{each}/")), key=len, default=None)
        if inside is not None and inside != within:
            yield inside or "/", ", ".join(delta.keys[inside]) or None
        within = inside
        yield path


def lay_sides(proposed: Any, value: Any) -> tuple[list[Line], list[Line]]:
    """Return both values as lines that stand beside each other; what differs is marked, runs of kept members fold."""
    lines = list_sides(proposed, value)
    return [_lay(each, each.proposed, "-") for each in lines], [_lay(each, each.value, "+") for each in lines]


def _lay(line: SideLine, text: str | None, sign: str) -> Line:
    if text is None:
        return Line(sign="", parts=(("", ""),))
    pad = "  " * line.depth
    more = (("more", f" … {line.folded} more"),) if line.folded else ()
    if line.sign not in {"~", sign}:
        return Line(sign="", parts=(("", f"{pad}{text}"), *more))
    label = "" if line.name is None else f"{write_value(line.name)}: "
    comma = "," if text.endswith(",") else ""
    marked = (MARKS[sign], text.removeprefix(label).removesuffix(","))
    return Line(sign=sign, parts=tuple(part for part in (("", f"{pad}{label}"), marked, ("", comma)) if part[1]))
