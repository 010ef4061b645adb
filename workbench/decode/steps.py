"""What one hop between two schema versions does to a payload: seven declarative steps, each expressible in SQL too.

A path names members of objects, joined by dots. A step whose path leads nowhere changes nothing, and no declarative
step fails on a payload: what it cannot do it leaves as it is, or as `cast` names it. Numbers keep their text. The
eighth, `python`, is a function (see functions.py).
"""

import re
from collections.abc import Mapping
from copy import deepcopy
from typing import Annotated, Any, Final, Literal

import msgspec

from workbench.decode.canonical import write_number
from workbench.decode.normalise import MAX_INTEGER, MIN_INTEGER

# Without "-0", whose text an engine that reads whole numbers does not give back.
INTEGER: Final = re.compile(r"0|-?[1-9][0-9]{0,18}")
NUMBER: Final = re.compile(r"(?!-0\Z)-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")

LONGEST: Final = len(str(MIN_INTEGER))

Kind = Literal["string", "integer", "number", "boolean"]
Failure = Literal["keep", "null", "absent"]


class Step(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One change to a payload."""

    def apply(self, payload: dict[str, Any]) -> None:
        """Change the payload in place; a bare step changes nothing."""


class Rename(Step, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Give the member at a path another name, in the same place."""

    rename: str
    to: str

    def apply(self, payload: dict[str, Any]) -> None:
        """Change the payload in place."""
        parent, name = find_parent(payload, self.rename)
        if parent is None or name not in parent:
            return
        members = {
            self.to if key == name else key: value for key, value in parent.items() if key == name or key != self.to
        }
        parent.clear()
        parent.update(members)


class Move(Step, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Take the member at a path to another path, making the objects on the way."""

    move: str
    to: str

    def apply(self, payload: dict[str, Any]) -> None:
        """Change the payload in place."""
        parent, name = find_parent(payload, self.move)
        if parent is None or name not in parent or f"{self.to}.".startswith(f"{self.move}."):
            return
        target, new = make_parent(payload, self.to)
        if target is not None:
            target[new] = parent.pop(name)


class Default(Step, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Give the member at a path a value where it is absent."""

    default: str
    value: Any

    def apply(self, payload: dict[str, Any]) -> None:
        """Change the payload in place."""
        parent, name = make_parent(payload, self.default)
        if parent is not None:
            parent.setdefault(name, deepcopy(self.value))


class Map(Step, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Replace the value at a path by the one listed for its text; others stay, or become ``otherwise`` when given."""

    map: str
    values: Mapping[str, Any]
    otherwise: Any | msgspec.UnsetType = msgspec.UNSET

    def apply(self, payload: dict[str, Any]) -> None:
        """Change the payload in place."""
        parent, name = find_parent(payload, self.map)
        if parent is None or name not in parent or isinstance(parent[name], dict | list):
            return
        fallback = parent[name] if self.otherwise is msgspec.UNSET else self.otherwise
        parent[name] = deepcopy(self.values.get(write_text(parent[name]), fallback))


class Cast(Step, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, rename={"kind": "as"}):
    """Make the value at a path a string, an integer, a number or a boolean, where its text is one.

    ``on_failure`` says what becomes of a value that is none, objects and arrays among them: it is kept as it is, is
    replaced by null, or is left out. A null is never cast, and stays.
    """

    cast: str
    kind: Kind
    on_failure: Failure = "keep"

    def apply(self, payload: dict[str, Any]) -> None:
        """Change the payload in place."""
        parent, name = find_parent(payload, self.cast)
        if parent is None or parent.get(name) is None:
            return
        value = parent[name]
        made = msgspec.UNSET if isinstance(value, dict | list) else cast_value(value, self.kind)
        if made is not msgspec.UNSET:
            parent[name] = made
        elif self.on_failure == "null":
            parent[name] = None
        elif self.on_failure == "absent":
            del parent[name]


class Split(Step, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Replace the string at a path by its parts around a separator, as members beside it; the last keeps the rest."""

    split: str
    by: Annotated[str, msgspec.Meta(min_length=1)]
    into: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]

    def __post_init__(self) -> None:
        """Refuse two parts of one name."""
        if len(set(self.into)) < len(self.into):
            message = "into names a member twice"
            raise ValueError(message)

    def apply(self, payload: dict[str, Any]) -> None:
        """Change the payload in place."""
        parent, name = find_parent(payload, self.split)
        if parent is not None and isinstance(parent.get(name), str):
            parts = parent.pop(name).split(self.by, len(self.into) - 1)
            parent.update(zip(self.into, parts, strict=False))


class Drop(Step, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Leave the member at a path out; the stored event keeps it."""

    drop: str

    def apply(self, payload: dict[str, Any]) -> None:
        """Change the payload in place."""
        parent, name = find_parent(payload, self.drop)
        if parent is not None:
            parent.pop(name, None)


STEPS: Final[dict[str, type[Step]]] = {
    "rename": Rename,
    "move": Move,
    "default": Default,
    "map": Map,
    "cast": Cast,
    "split": Split,
    "drop": Drop,
}


def find_parent(payload: dict[str, Any], path: str) -> tuple[dict[str, Any] | None, str]:
    """Return the object that would hold the member at the path, or None, and the member's name."""
    *way, name = path.split(".")
    parent: Any = payload
    for part in way:
        parent = parent.get(part) if isinstance(parent, dict) else None
    return (parent if isinstance(parent, dict) else None), name


def make_parent(payload: dict[str, Any], path: str) -> tuple[dict[str, Any] | None, str]:
    """Return the same as `find_parent`, with absent objects made; None where something else is in the way."""
    *way, name = path.split(".")
    parent: Any = payload
    for part in way:
        parent = parent.setdefault(part, {}) if isinstance(parent, dict) else None
    return (parent if isinstance(parent, dict) else None), name


def write_text(value: Any) -> str:
    """Return a scalar's text: a string's characters, a number's as written, ``true``, ``false`` or ``null``."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def cast_value(value: Any, kind: Kind) -> Any:
    """Return the scalar as another kind, or UNSET where its text is not of that kind."""
    text = write_text(value)
    if kind == "string":
        return text
    if kind == "boolean":
        return {"true": True, "false": False}.get(text, msgspec.UNSET)
    pattern = INTEGER if kind == "integer" else NUMBER
    return msgspec.Raw(text.encode()) if pattern.fullmatch(text) and is_in_range(text) else msgspec.UNSET


def is_in_range(text: str) -> bool:
    """Tell whether a number's text is one that the log may hold."""
    if text.lstrip("-").isdigit():
        return len(text) <= LONGEST and MIN_INTEGER <= int(text) <= MAX_INTEGER
    try:
        write_number(text)
    except ValueError:
        return False
    return True
