"""What each rule does with a value: a step for one event, and the value that frames and pictures show.

A state is a list with one slot a field. A step changes its slot and returns None, or the reason why it could not.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, NoReturn

import msgspec

from workbench.decode.canonical import decode_canonical, write_canonical
from workbench.decode.times import write_time
from workbench.errors import ProjectionError
from workbench.replay.folding.fact import Fact, find_value
from workbench.replay.folding.texts import Text, apply_delta, is_delta, set_text
from workbench.replay.folding.values import DIGITS, show_value
from workbench.replay.projection import LONGEST, Field

State = list[Any]
# Changes the slot of a field by a value that was read: slots, value, event.
Step = Callable[[State, Any, Fact], str | None]
UNSET: Final = msgspec.UNSET
GREATEST: Final = 10**DIGITS - 1
LEAST: Final = -GREATEST


class Items(msgspec.Struct):
    """The items of a list or a set, and how many there were; a set's are the keys."""

    kept: dict[Any, None] = msgspec.field(default_factory=dict)
    listed: list[Any] = msgspec.field(default_factory=list)
    count: int = 0


class Machine(msgspec.Struct):
    """A state machine's state, and the moves outside its rules: position, from, to."""

    state: str | None
    illegal: list[tuple[int, str | None, str]] = msgspec.field(default_factory=list)
    count: int = 0


def start_slot(field: Field) -> Any:
    """Return a field's slot before the first event."""
    match field.rule:
        case "count":
            return 0
        case "first" | "merge":
            return UNSET
        case "set" | "list":
            return Items()
        case "machine":
            return Machine(field.initial)
        case _:
            return None


def make_step(field: Field, slot: int, *, removes: bool = False) -> Step:
    """Return what a field's rule does with a value."""
    if removes:
        return _subtract(field, slot) if field.rule == "sum" else _remove(slot)
    return _STEPS[field.rule](field, slot)


def _last(_field: Field, slot: int) -> Step:
    def step(state: State, value: Any, _fact: Fact) -> None:
        state[slot] = value

    return step


def _first(_field: Field, slot: int) -> Step:
    def step(state: State, value: Any, _fact: Fact) -> None:
        if state[slot] is UNSET:
            state[slot] = value

    return step


def _count(_field: Field, slot: int) -> Step:
    def step(state: State, _value: Any, _fact: Fact) -> None:
        state[slot] += 1

    return step


def _sum(field: Field, slot: int) -> Step:
    def step(state: State, value: Any, fact: Fact) -> None:
        total = (state[slot] or 0) + value
        if not LEAST <= total <= GREATEST:
            _refuse_sum(field, fact)
        state[slot] = total

    return step


def _subtract(field: Field, slot: int) -> Step:
    def step(state: State, value: Any, fact: Fact) -> None:
        total = (state[slot] or 0) - value
        if not LEAST <= total <= GREATEST:
            _refuse_sum(field, fact)
        state[slot] = total

    return step


def _refuse_sum(field: Field, fact: Fact) -> NoReturn:
    raise ProjectionError(
        f"The sum {field.name} of stream {fact.stream_id} has more than {DIGITS} digits from the event at "
        f"position {fact.position} ({fact.event_type}) on. Give it a smaller scale, or fewer events."
    )


def _extreme(field: Field, slot: int) -> Step:
    is_least = field.rule == "min"

    def step(state: State, value: Any, _fact: Fact) -> None:
        known = state[slot]
        if known is None or (value < known if is_least else value > known):
            state[slot] = value

    return step


def _add(_field: Field, slot: int) -> Step:
    def step(state: State, value: Any, _fact: Fact) -> None:
        state[slot].kept[value] = None

    return step


def _remove(slot: int) -> Step:
    def step(state: State, value: Any, _fact: Fact) -> None:
        state[slot].kept.pop(value, None)

    return step


def _append(_field: Field, slot: int) -> Step:
    def step(state: State, value: Any, _fact: Fact) -> None:
        items = state[slot]
        items.count += 1
        if items.count <= LONGEST:
            items.listed.append(value)

    return step


def _move(field: Field, slot: int) -> Step:
    moves = field.moves

    def step(state: State, value: Any, fact: Fact) -> None:
        machine = state[slot]
        if moves is not None and machine.state is not None and value not in moves.get(machine.state, ()):
            machine.count += 1
            if machine.count <= LONGEST:
                machine.illegal.append((fact.position, machine.state, value))
        machine.state = value

    return step


def _edit(field: Field, slot: int) -> Step:
    by = field.by

    def step(state: State, value: Any, fact: Fact) -> str | None:
        author = None if by is None else find_value(fact, by)
        author = author if isinstance(author, str) else None
        if isinstance(value, str):
            state[slot] = set_text(value, author)
            return None
        edited = apply_delta(state[slot] or Text(), value, author) if is_delta(value) else None
        if edited is None:
            return "it is no text, and no delta of this one"
        state[slot] = edited
        return None

    return step


def _merge(_field: Field, slot: int) -> Step:
    def step(state: State, value: Any, _fact: Fact) -> None:
        state[slot] = merge_patch(state[slot], value)

    return step


def merge_patch(target: Any, patch: Any) -> Any:
    """Return a JSON value with a merge patch applied, as RFC 7396 says; neither is changed.

    >>> merge_patch({"a": 1, "b": {"c": 2}}, {"a": None, "b": {"d": 3}})
    {'b': {'c': 2, 'd': 3}}
    """
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge_patch(merged.get(name), value)
    return merged


_STEPS: Final[Mapping[str, Callable[[Field, int], Step]]] = {
    "last": _last,
    "first": _first,
    "count": _count,
    "sum": _sum,
    "min": _extreme,
    "max": _extreme,
    "set": _add,
    "list": _append,
    "machine": _move,
    "text": _edit,
    "merge": _merge,
}


def show_slot(field: Field, slot: Any) -> Any:
    """Return a field's value as JSON holds it: None for none, a decimal and a time as text, items as a list."""
    match field.rule:
        case "set":
            return [_show(field, item) for item in sorted(slot.kept)[:LONGEST]]
        case "list":
            return [_show(field, item) for item in slot.listed]
        case "machine":
            return slot.state
        case "text":
            return None if slot is None else show_text(slot, field)
        case "merge":
            return None if slot is UNSET else slot
        case _:
            return _show(field, None if slot is UNSET else slot)


def show_text(text: Text, field: Field) -> Any:
    """Return a text, with its spans where the field says whose its characters are."""
    return text.content if field.by is None else {"spans": text.spans, "text": text.content}


def _show(field: Field, value: Any) -> Any:
    if value is None:
        return None
    if field.rule == "sum":
        # Exact beyond what a JSON number holds everywhere, so a text also where the values are integers.
        return str(show_value(value, "decimal", field.scale))
    match field.kind:
        case "json":
            return msgspec.Raw(value.encode())
        case "decimal":
            return str(show_value(value, "decimal", field.scale))
        case "time":
            return write_time(value)
        case _:
            return value


def note_slot(field: Field, slot: Any) -> Mapping[str, Any]:
    """Return what is to be said of a field beside its value: illegal moves, and how many items a capped one had."""
    if field.rule == "machine" and slot.count:
        return {"illegal": [list(move) for move in slot.illegal], "illegal_count": slot.count}
    if field.rule == "list" and slot.count > LONGEST:
        return {"capped": slot.count}
    if field.rule == "set" and len(slot.kept) > LONGEST:
        return {"capped": len(slot.kept)}
    return {}


def write_state(values: Any) -> str:
    """Return a state's canonical text (RFC 8785)."""
    return write_canonical(decode_canonical(msgspec.json.encode(values))).decode()
