"""A payload as it stands after some steps: what there is at a path of it, said of the payload as it was written.

A state answers in six forms: the text of the scalar, the JSON, and whether there is a member, a null, a string, an
object. The first two are texts, NULL where there is none; the others are never NULL. A step says from where the state
after it takes what stands at a path: from another path of the state before, from a constant, from a text that it makes.
"""

from collections.abc import Iterable
from functools import singledispatch
from typing import Any, Final, Literal

import msgspec

from workbench.decode.canonical import encode_json
from workbench.decode.functions import Python
from workbench.decode.registry import read_kept
from workbench.decode.steps import Cast, Default, Drop, Kind, Map, Move, Rename, Split, Step, write_text
from workbench.query.upcast.text import (
    FALSE,
    NULL,
    TRUE,
    all_of,
    any_of,
    case,
    is_plain,
    none_of,
    quote_path,
    quote_text,
)

Form = Literal["scalar", "json", "exists", "null", "string", "object"]
Path = tuple[str, ...]
# An expression that is longer is dearer than lifting the payload.
LONGEST: Final = 20_000
_INTEGER: Final = r"'^(0|-?[1-9][0-9]{0,18})\z'"
_NUMBER: Final = r"'^-?(0|[1-9][0-9]*)([.][0-9]+)?([eE][+-]?[0-9]+)?\z'"


class UnknownError(Exception):
    """SQL cannot say what stands at a path; never leaves this package."""


class At(msgspec.Struct, frozen=True):
    """What stood at a path before the step; ``is_blurred`` where the step may have changed it inside."""

    path: Path
    is_blurred: bool = False


class Constant(msgspec.Struct, frozen=True):
    """A JSON value, UNSET for none."""

    value: Any


class Made(msgspec.Struct, frozen=True):
    """A scalar whose text is an expression."""

    text: str
    kind: Kind


class Opened(msgspec.Struct, frozen=True):
    """What stood at a path before, or an object that the step makes there under a condition."""

    path: Path
    condition: str


Origin = At | Constant | Made | Opened
Choices = tuple[list[tuple[str, Origin]], Origin]
ABSENT: Final = Constant(msgspec.UNSET)


class State:
    """The payload as it was written."""

    def __init__(self, alias: str | None = None) -> None:
        self._data = "data" if alias is None else f"{alias}.data"

    def find(self, path: Path, form: Form) -> str:
        """Return the expression of what stands at a path. Raises UnknownError."""
        if not all(map(is_plain, path)):
            raise UnknownError
        if not path and form == "object":
            return rf"coalesce(regexp_like({self._data}, '^[ \t\n\r]*[{{]'), false)"
        place = f"{self._data}, {quote_path(path)}"
        text = f"json_format(json_extract({place}))"
        return {
            "scalar": f"json_extract_scalar({place})",
            "json": text,
            "exists": f"json_extract({place}) is not null",
            "null": f"coalesce({text} = 'null', false)",
            "string": f"coalesce(starts_with({text}, '\"'), false)",
            "object": f"coalesce(starts_with({text}, '{{'), false)",
        }[form]


class Lifted(State):
    """The payload after one more step."""

    def __init__(self, before: State, step: Step) -> None:
        self._before = before
        self._step = step
        self._known: dict[tuple[Path, Form], str] = {}

    def find(self, path: Path, form: Form) -> str:
        """Return the expression of what stands at a path. Raises UnknownError."""
        if (path, form) not in self._known:
            branches, otherwise = choose(self._step, self._before, path, form)
            text = case(
                [(condition, self._show(origin, form)) for condition, origin in branches], self._show(otherwise, form)
            )
            if len(text) > LONGEST:
                raise UnknownError
            self._known[path, form] = text
        return self._known[path, form]

    def _show(self, origin: Origin, form: Form) -> str:
        match origin:
            case Constant(value):
                return show_constant(value, form)
            case Made():
                return show_made(origin, form)
            case Opened(path, condition):
                before = At(path, is_blurred=True)
                return (
                    any_of(condition, self._show(before, form))
                    if form in ("exists", "object")
                    else self._show(before, form)
                )
            case At(path, is_blurred):
                if is_blurred and form == "json":
                    raise UnknownError
                return self._before.find(path, form)


def lift_state(state: State, steps: Iterable[Step]) -> State:
    """Return the state after some steps."""
    for step in steps:
        state = Lifted(state, step)
    return state


def show_constant(value: Any, form: Form) -> str:
    """Return what a JSON value is in a form; UNSET is no value."""
    is_there = value is not msgspec.UNSET
    is_scalar = is_there and value is not None and not isinstance(value, dict | list)
    if form == "scalar":
        return quote_text(write_text(value)) if is_scalar else NULL
    if form == "json":
        # The way of any other member, so that each engine writes numbers and escapes as it does there.
        return (
            f"json_format(json_extract({quote_text(encode_json({'v': value}).decode())}, '$.v'))" if is_there else NULL
        )
    holds = {
        "exists": is_there,
        "null": value is None,
        "string": isinstance(value, str),
        "object": isinstance(value, dict),
    }
    return TRUE if holds[form] else FALSE


def show_made(made: Made, form: Form) -> str:
    """Return what a scalar that a step makes is in a form."""
    if form == "scalar":
        return made.text
    if form == "json":
        if made.kind == "string":
            return f"json_format(cast({made.text} as json))"
        # Not json_parse, which fails on a text that another branch is for.
        return f"json_format(json_extract('{{\"v\":' || {made.text} || '}}', '$.v'))"
    return TRUE if form == "exists" or (form == "string" and made.kind == "string") else FALSE


@singledispatch
def choose(step: Step, before: State, path: Path, form: Form) -> Choices:
    """Return from where the state after a step takes what stands at a path."""
    del step, before, path, form
    raise UnknownError


def _leads(path: Path, to: Path) -> bool:
    """Tell whether ``to`` is the path, or lies below it."""
    return to[: len(path)] == path


def _read(path: str) -> Path:
    return tuple(path.split("."))


def _dig(value: Any, rest: Path) -> Constant:
    found = read_kept(encode_json(value))
    for name in rest:
        if not isinstance(found, dict) or name not in found:
            return ABSENT
        found = found[name]
    return Constant(found)


def _can_make(before: State, path: Path) -> str:
    """Return the condition that no member on the way to a path is anything but an object."""
    ways = [path[:length] for length in range(1, len(path))]
    return all_of(*(any_of(none_of(before.find(way, "exists")), before.find(way, "object")) for way in ways))


@choose.register
def _(step: Rename, before: State, path: Path, form: Form) -> Choices:
    del form
    old = _read(step.rename)
    new = (*old[:-1], step.to)
    if old == new:
        return [], At(path)
    if _leads(new, path):
        return [(before.find(old, "exists"), At(old + path[len(new) :]))], At(path)
    return [], ABSENT if _leads(old, path) else At(path, is_blurred=_leads(path, old))


@choose.register
def _(step: Move, before: State, path: Path, form: Form) -> Choices:
    del form
    old, new = _read(step.move), _read(step.to)
    if _leads(old, new) or not any(
        _leads(one, other) for end in (old, new) for one, other in ((end, path), (path, end))
    ):
        return [], At(path)
    moves = all_of(before.find(old, "exists"), _can_make(before, new))
    if _leads(new, path):
        return [(moves, At(old + path[len(new) :]))], At(path)
    if _leads(old, path):
        return [(moves, ABSENT)], At(path)
    return [], Opened(path, moves) if _leads(path, new) else At(path, is_blurred=True)


@choose.register
def _(step: Default, before: State, path: Path, form: Form) -> Choices:
    del form
    place = _read(step.default)
    if not (_leads(place, path) or _leads(path, place)):
        return [], At(path)
    missing = none_of(before.find(place, "exists"))
    fills = all_of(before.find((), "object"), _can_make(before, place), missing)
    if _leads(place, path):
        return [(fills, _dig(step.value, path[len(place) :]))], At(path)
    return [], Opened(path, fills)


@choose.register
def _(step: Map, before: State, path: Path, form: Form) -> Choices:
    place = _read(step.map)
    if not _leads(place, path) or (path == place and form == "exists"):
        return [], At(path, is_blurred=_leads(path, place) and path != place)
    text = before.find(place, "scalar")
    if "null" in step.values or step.otherwise is not msgspec.UNSET:
        text = case([(before.find(place, "null"), "'null'")], text)
    if text == NULL:
        return [], At(path)
    rest = path[len(place) :]
    found = [(f"{text} = {quote_text(key)}", _dig(value, rest)) for key, value in step.values.items()]
    if step.otherwise is not msgspec.UNSET:
        found.append((f"{text} is not null", _dig(step.otherwise, rest)))
    return [*found], At(path)


@choose.register
def _(step: Cast, before: State, path: Path, form: Form) -> Choices:
    place = _read(step.cast)
    if path != place:
        is_gone = _leads(place, path) and step.on_failure != "keep"
        return [], ABSENT if is_gone else At(path, is_blurred=_leads(path, place))
    if form == "exists" and step.on_failure != "absent":
        return [], At(path)
    text = before.find(place, "scalar")
    made = (_is_kind(text, step.kind), Made(text, step.kind))
    if step.on_failure == "keep":
        return [made], At(path)
    left: Form = "exists" if step.on_failure == "null" else "null"
    return [made, (before.find(place, left), Constant(None))], ABSENT


def _is_kind(text: str, kind: Kind) -> str:
    """Return the condition that a text is one of a kind; it may be NULL."""
    if text == NULL:
        return FALSE
    if kind == "string":
        return f"{text} is not null"
    if kind == "boolean":
        return f"{text} in ('true', 'false')"
    whole = f"try_cast({text} as bigint) is not null"
    if kind == "integer":
        return f"regexp_like({text}, {_INTEGER}) and {whole}"
    number = f"try_cast({text} as double)"
    # A double that is zero must have been written as zero.
    fraction = rf"is_finite({number}) and ({number} <> 0e0 or not regexp_like({text}, '^[^eE]*[1-9]'))"
    held = rf"case when regexp_like({text}, '^-?[0-9]+\z') then {whole} else {fraction} end"
    return f"regexp_like({text}, {_NUMBER}) and {text} <> '-0' and {held}"


@choose.register
def _(step: Split, before: State, path: Path, form: Form) -> Choices:
    del form
    old = _read(step.split)
    found = path[: len(old)]
    number = step.into.index(found[-1]) if found[:-1] == old[:-1] and found and found[-1] in step.into else None
    if number is None or len(found) < len(old):
        if _leads(old, path):
            return [(before.find(old, "string"), ABSENT)], At(path)
        return [], At(path, is_blurred=_leads(path, old))
    splits, text = before.find(old, "string"), before.find(old, "scalar")
    part = f"split_part({text}, {quote_text(step.by)}, {number + 1})"
    has_part = TRUE if number == 0 else f"{part} is not null"
    made = Made(_rest_of(text, step), "string") if number == len(step.into) - 1 else Made(part, "string")
    branches: list[tuple[str, Origin]] = [(all_of(splits, has_part), made if path == found else ABSENT)]
    return [*branches, (splits if found == old else FALSE, ABSENT)], At(path)


def _rest_of(text: str, step: Split) -> str:
    """Return the last part, which keeps what further separators cut."""
    before = range(1, len(step.into))
    lengths = "".join(f" + length(split_part({text}, {quote_text(step.by)}, {number}))" for number in before)
    return f"substr({text}, {1 + len(before) * len(step.by)}{lengths})" if lengths else text


@choose.register
def _(step: Drop, before: State, path: Path, form: Form) -> Choices:
    del before, form
    place = _read(step.drop)
    return [], ABSENT if _leads(place, path) else At(path, is_blurred=_leads(path, place))


@choose.register
def _(step: Python, before: State, path: Path, form: Form) -> Choices:
    del step, before, path, form
    raise UnknownError
