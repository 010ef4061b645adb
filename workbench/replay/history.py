"""How one entity's state came to be: the state after each event, and for each field the event that set it."""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

import msgspec

from workbench.replay.cancels import Cancel, Judge, judge_cancels
from workbench.replay.fact import Fact, place_of
from workbench.replay.fold import Change, Folder, counts, find_cancels, name_entities
from workbench.replay.projection import Projection
from workbench.replay.rules import UNSET, Machine
from workbench.replay.values import write_value

# Texts that are remembered: of values, and of the members of a state.
REMEMBERED: Final = 4096


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """One event of an entity and the state after it.

    ``changed`` has, by field, the canonical JSON texts before and after (None where an open state has no such member);
    ``illegal`` the moves outside a state machine: field, from, to. ``effect`` is what a cancel did. ``errors`` say by
    field why a value could not be taken; the field stays as it was.
    """

    fact: Fact
    changed: Mapping[str, tuple[str | None, str | None]]
    touched: Sequence[str]
    illegal: Sequence[tuple[str, str | None, str]]
    errors: Mapping[str, str]
    effect: str | None
    state: Mapping[str, str]


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Where a field's value comes from.

    ``fact`` set it, ``again`` set it to the same value later on; ``earlier`` are the values before, with the positions
    of the events that set them, oldest first. ``fact`` is None for a field that no event has set.
    """

    field: str
    value: str | None
    fact: Fact | None
    again: Fact | None
    earlier: Sequence[tuple[int, str]]


def find_history(projection: Projection, facts: Sequence[Fact], entity: str) -> Iterator[Moment]:
    """Yield the events of an entity in the projection's order, each with the state after it.

    ``facts`` are all events of a cut that touch the entity, and the cancels of those. It is the fold that makes states:
    a cancel takes effect at its place, and an event at which a rule fails is told of and passed over.
    """
    teller = _Teller(projection, facts, entity)
    for fact in teller.ordered:
        moment = teller.take(fact)
        if moment is not None:
            yield moment


def find_origins(projection: Projection, facts: Sequence[Fact], entity: str) -> list[Origin]:
    """Return, for each field, its value in a cut and the event that set it; cancelled events set nothing."""
    ordered = sorted(facts, key=lambda fact: place_of(fact, projection.order))
    cancelled = judge_cancels(find_cancels(projection, ordered)).cancelled
    teller = _Teller(projection, [fact for fact in ordered if fact.position not in cancelled], entity, judged=True)
    set_by: dict[str, list[tuple[Fact, str]]] = {name: [] for name in teller.texts}
    again: dict[str, Fact | None] = {}
    for fact in teller.ordered:
        change = teller.fold(fact)
        for name in dict.fromkeys(change.touched) if change is not None else ():
            before, text = teller.texts.get(name), teller.write(name)
            if text != before:
                set_by.setdefault(name, []).append((fact, text or "null"))
                again[name] = None
            elif text is not None and change is not None and name not in change.errors and set_by.get(name):
                again[name] = fact
    return [_origin(name, teller.texts.get(name), steps, again.get(name)) for name, steps in set_by.items()]


def _origin(name: str, value: str | None, steps: Sequence[tuple[Fact, str]], again: Fact | None) -> Origin:
    return Origin(
        field=name,
        value=value,
        fact=steps[-1][0] if steps else None,
        again=again,
        earlier=[(fact.position, text) for fact, text in steps[:-1]],
    )


class _Teller:
    """Folds one entity's events and tells what each did."""

    def __init__(self, projection: Projection, facts: Sequence[Fact], entity: str, *, judged: bool = False) -> None:
        self.projection, self.entity = projection, entity
        self.ordered = sorted(facts, key=lambda fact: place_of(fact, projection.order))
        self._cancels: dict[int, Cancel] = (
            {} if judged else {cancel.position: cancel for cancel in find_cancels(projection, self.ordered)}
        )
        self._judge, self._folder = Judge(), Folder(projection)
        self._state, self._taken = self._folder.start(), list[Fact]()
        self._touching: set[int] = set()
        self._written: dict[tuple[str, type, Any], str] = {}
        self._machines = {
            name: place
            for place, (name, slot) in enumerate(zip(self._names(), self._state.slots, strict=False))
            if isinstance(slot, Machine)
        }
        self._moves = self._count_moves()
        self.texts = self._write_all()

    def take(self, fact: Fact) -> Moment | None:
        """Take one event; return what it did, None where it does not touch the entity."""
        if fact.position in self._cancels:
            return self._cancel(fact, self._cancels[fact.position])
        if self.entity not in name_entities(self.projection, fact):
            return None
        self._touching.add(fact.position)
        if not counts(self.projection, fact):
            return self._moment(fact, self.texts)
        self._taken.append(fact)
        before = self.texts
        change = self._folder.apply(self._state, fact)
        self.texts = {**before, **self._write(change.touched)} if change.touched else before
        if self.projection.is_open and change.touched:
            self.texts = {name: text for name, text in self.texts.items() if text is not None}
        illegal = self._find_illegal(change.touched) if self._machines else ()
        return self._moment(fact, before, touched=change.touched, errors=change.errors, illegal=illegal)

    def fold(self, fact: Fact) -> Change | None:
        """Take one event and tell only what it touched, None where it does not count for the entity."""
        if self.entity not in name_entities(self.projection, fact) or not counts(self.projection, fact):
            return None
        return self._folder.apply(self._state, fact)

    def write(self, name: str) -> str | None:
        """Return a field's text as it is now, and remember it; None where an open state has no such member."""
        text = self._write_field(name, self._folder.show_field(self._state, name))
        if text is None:
            self.texts.pop(name, None)
        else:
            self.texts[name] = text
        return text

    def _cancel(self, fact: Fact, cancel: Cancel) -> Moment | None:
        """Let a cancel take effect: the entity's events are folded anew without what it leaves out."""
        before, left_out = self.texts, self._judge.cancelled
        target = self._judge.take(cancel)
        if cancel.target not in self._touching and self.entity not in name_entities(self.projection, fact):
            return None
        self._touching.add(fact.position)
        if target is None:
            return self._moment(
                fact, before, effect=f"changes nothing: its target is {self._judge.idle[fact.position]}"
            )
        restored = left_out - self._judge.cancelled
        self._state = self._folder.start()
        for taken in self._taken:
            if taken.position not in self._judge.cancelled:
                self._folder.apply(self._state, taken)
        self.texts, self._moves = self._write_all(), self._count_moves()
        told = f", restores position {', '.join(map(str, sorted(restored)))}" if restored else ""
        return self._moment(fact, before, touched=list(self.texts), effect=f"cancels position {target}{told}")

    def _moment(
        self,
        fact: Fact,
        before: Mapping[str, str],
        *,
        touched: Sequence[str] = (),
        errors: Mapping[str, str] | None = None,
        illegal: Sequence[tuple[str, str | None, str]] = (),
        effect: str | None = None,
    ) -> Moment:
        names = dict.fromkeys((*touched, *before)) if effect else dict.fromkeys(touched)
        changed = {
            name: (before.get(name), self.texts.get(name)) for name in names if before.get(name) != self.texts.get(name)
        }
        return Moment(
            fact=fact,
            changed=changed,
            touched=touched,
            illegal=illegal,
            errors=errors or {},
            effect=effect,
            state=self.texts,
        )

    def _write(self, names: Sequence[str]) -> dict[str, Any]:
        return {name: self._write_field(name, self._folder.show_field(self._state, name)) for name in names}

    def _write_field(self, name: str, shown: Any) -> str | None:
        """Return a value's canonical text; values come again and again, so that those of a kind are remembered."""
        if shown is UNSET:
            return None
        if not isinstance(shown, str | int):
            return write_value(shown)
        key = (name, type(shown), shown)
        text = self._written.get(key)
        if text is None:
            if len(self._written) >= REMEMBERED:
                self._written.clear()
            text = self._written[key] = write_value(shown)
        return text

    def _write_all(self) -> dict[str, str]:
        return {name: write_value(value) for name, value in self._folder.show(self._state).items()}

    def _names(self) -> list[str]:
        return [field.name for field in self.projection.fields]

    def _count_moves(self) -> dict[str, int]:
        return {name: self._state.slots[place].count for name, place in self._machines.items()}

    def _find_illegal(self, touched: Sequence[str]) -> list[tuple[str, str | None, str]]:
        """Return the moves outside a state machine that an event made: field, from, to."""
        found = []
        for name in touched:
            machine = self._state.slots[self._machines[name]] if name in self._machines else None
            if machine is not None and machine.count > self._moves[name]:
                self._moves[name] = machine.count
                found += [(name, before, after) for _, before, after in machine.illegal[-1:]]
        return found


def join_state(texts: Mapping[str, str]) -> str:
    """Return a state's canonical text from its fields' texts.

    >>> join_state({"b": "1", "a": '"x"'})
    '{"a":"x","b":1}'
    """
    return "{" + ",".join([f"{written}:{texts[name]}" for name, written in _order(tuple(texts))]) + "}"


@lru_cache(maxsize=REMEMBERED)
def _order(names: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return names as RFC 8785 orders members, by UTF-16 units, each with its text."""
    return [(name, write_value(name)) for name in sorted(names, key=lambda name: name.encode("utf-16-be"))]
