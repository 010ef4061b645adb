"""What each event of an entity did to its state: one pass of the fold, kept as columns."""

from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
import polars as pl

from workbench.replay.folding.cancels import Cancel, Judge
from workbench.replay.folding.fact import Fact
from workbench.replay.folding.fold import NOTHING, UNTOUCHED, Folder, Update, counts, find_cancels, name_entities
from workbench.replay.folding.payloads import NO_PAYLOAD, Read
from workbench.replay.folding.rules import UNSET, show_slot
from workbench.replay.folding.values import write_value
from workbench.replay.history.slot_texts import PLAIN, drop_unset, make_column, make_writer
from workbench.replay.projection import Field, Projection

Illegal = tuple[str, str | None, str]
# Rows are kept as numbers of 64 bits, which become columns as they are.
INTEGERS: Final = "q"


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """The values of a field: from which row on each holds, and its canonical JSON text.

    The first is that before any event, of row -1. A text of null says that an open state has no such member.
    """

    rows: "array[int]"
    texts: pl.Series


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What the events of an entity did. A row is an event that touches it; ``kept`` are their places among those given.

    ``changes`` has every field, ``touched`` the fields whose rules saw an event, ``illegal`` the moves outside a state
    machine, ``errors`` why fields could not take a value, ``effects`` what cancels did, all by row. ``is_whole``: no
    cancel took effect.
    """

    kept: Sequence[int]
    changes: Mapping[str, Changes]
    touched: Sequence[Sequence[str]]
    illegal: Mapping[int, Sequence[Illegal]]
    errors: Mapping[int, Mapping[str, str]]
    effects: Mapping[int, str]

    @property
    def is_whole(self) -> bool:
        """Tell whether every event counts that a row stands for: then what set a value is what changed it."""
        return not any(effect.startswith("cancels") for effect in self.effects.values())


def tell_events(projection: Projection, ordered: Sequence[Fact], entity: str, *, judged: bool = False) -> Told:
    """Return what events did to an entity's state, given in the projection's order, cancels among them.

    It is the fold that makes states: a cancel takes effect at its place, and an event at which a rule fails is told of
    and passed over. ``judged``: what is cancelled has been left out already, and cancels do nothing.
    """
    teller = _Teller(projection, entity, [] if judged else find_cancels(projection, ordered))
    teller.take_all(ordered)
    return teller.finish()


def tell_own_events(projection: Projection, ordered: Iterable[Fact], entity: str) -> Told:
    """Return the same of events that all touch the entity, no cancels among them; each is looked at but once."""
    teller = _Teller(projection, entity, [])
    teller.take(ordered)
    return teller.finish()


class _Recorder:
    """One field's values so far; the last of them is the one it has. ``illegal`` are the moves outside a machine."""

    def __init__(self, field: Field, slot: int, start: Any) -> None:
        self.field, self.slot = field, slot
        self.is_plain = field.rule in PLAIN
        self.is_machine = field.rule == "machine"
        self.rows, self.values = array(INTEGERS, [-1]), [self.show(start)]
        self.illegal: dict[int, Illegal] = {}
        self.illegal_count = 0

    def show(self, slot: Any) -> Any:
        """Return what is recorded of a slot: its value, a machine's state, or the text of what changes in place."""
        if self.is_plain:
            return slot
        return slot.state if self.is_machine else write_value(show_slot(self.field, slot))

    def look(self, slots: list[Any], row: int) -> None:
        """Record a value that is another than the one before."""
        value, before = self.show(slots[self.slot]), self.values[-1]
        if value != before:
            self.rows.append(row)
            self.values.append(value)

    def look_at_move(self, slots: list[Any], row: int) -> None:
        """Record where a state machine went, and whether it may."""
        machine, before = slots[self.slot], self.values[-1]
        if machine.count > self.illegal_count:
            self.illegal_count = machine.count
            self.illegal[row] = (self.field.name, before, machine.state)
        if machine.state != before:
            self.rows.append(row)
            self.values.append(machine.state)

    def finish(self) -> Changes:
        """Return the field's values as texts, each unlike the one before."""
        rows, values = self.rows, self.values
        if not self.is_plain and not self.is_machine:
            return Changes(rows=rows, texts=make_column(values))
        if self.field.rule == "first":
            values = drop_unset(values)
            kept = [n for n, value in enumerate(values) if not n or value != values[n - 1]]
            rows, values = array(INTEGERS, [rows[n] for n in kept]), [values[n] for n in kept]
        return Changes(rows=rows, texts=make_writer(self.field)(values))


# What an event of a type does to a field: its name, its slot and rule, what looks at a value that changes in place, and
# what notes the row and the value of one that is replaced.
_Step = tuple[str, int, Update, Callable[[list[Any], int], None] | None, Callable[[int], None], Callable[[Any], None]]
# What events of a type do: the fields whose rules see them, how their payloads are read, and a step for each field.
_Plan = tuple[Sequence[str], Read, Sequence[_Step]]


class _Teller:
    """Folds one entity's events and records what each did."""

    def __init__(self, projection: Projection, entity: str, cancels: Sequence[Cancel]) -> None:
        self._projection, self._entity = projection, entity
        self._cancels = {cancel.position: cancel for cancel in cancels}
        self._judge, self._folder = Judge(), Folder(projection)
        self._state, self._taken = self._folder.start(), list[Fact]()
        self._touching = set[int]()
        self._plans: dict[str, _Plan] = {}
        self._recorders = {
            field.name: _Recorder(field, slot, self._state.slots[slot]) for slot, field in enumerate(projection.fields)
        }
        self._members: dict[str, tuple[array[int], list[str | None]]] = {
            name: (array(INTEGERS, [-1]), [text]) for name, text in self._write_members().items()
        }
        self._kept, self._touched = list[int](), list[Sequence[str]]()
        self._errors: dict[int, dict[str, str]] = {}
        self._effects: dict[int, str] = {}

    def take_all(self, ordered: Sequence[Fact]) -> None:
        """Take events in the projection's order: those between two cancels at a time."""
        start = 0
        for place in [n for n, fact in enumerate(ordered) if fact.position in self._cancels] if self._cancels else ():
            self._take_run(ordered, start, place)
            self._cancel(ordered[place], place)
            start = place + 1
        self._take_run(ordered, start, len(ordered))

    def _take_run(self, ordered: Sequence[Fact], start: int, end: int) -> None:
        """Take those of some events that touch the entity."""
        projection, entity = self._projection, self._entity
        places = [place for place in range(start, end) if entity in name_entities(projection, ordered[place])]
        facts = [ordered[place] for place in places]
        if self._cancels:
            self._touching.update(fact.position for fact in facts)
            self._taken += [fact for fact in facts if counts(projection, fact)]
        self.take(facts)
        self._kept += places

    def take(self, facts: Iterable[Fact]) -> None:
        """Take events that touch the entity."""
        take = self._take_open if self._projection.is_open else self._take_fields
        take(facts, len(self._touched))

    def _take_fields(self, facts: Iterable[Fact], first: int) -> None:
        """Take events into the fields, and record each value that is another than before."""
        slots, plans, touch = self._state.slots, self._plans, self._touched.append
        for row, fact in enumerate(facts, first):
            names, read, steps = plans.get(fact.event_type) or self._plan(fact)
            touch(names)
            payload = read(fact.data or NO_PAYLOAD)
            for name, slot, update, look, note_row, note_value in steps:
                before = slots[slot]
                error = update(slots, fact, payload)
                if error is not None:
                    self._errors.setdefault(row, {})[name] = error
                elif look is not None:
                    look(slots, row)
                else:
                    value = slots[slot]
                    if value != before:
                        note_row(row)
                        note_value(value)

    def _plan(self, fact: Fact) -> _Plan:
        """Return what events of a fact's type do, and remember it."""
        updaters, steps = self._folder.find_updaters(fact) or NOTHING, []
        for name, update in updaters.fields:
            recorder = self._recorders[name]
            look = recorder.look_at_move if recorder.is_machine else None if recorder.is_plain else recorder.look
            steps.append((name, recorder.slot, update, look, recorder.rows.append, recorder.values.append))
        plan = self._plans[fact.event_type] = (tuple(step[0] for step in steps), updaters.read, steps)
        return plan

    def _take_open(self, facts: Iterable[Fact], first: int) -> None:
        """Take events into a state whose members are its fields."""
        for row, fact in enumerate(facts, first):
            change = self._folder.apply(self._state, fact) if counts(self._projection, fact) else UNTOUCHED
            if change.errors:
                self._errors[row] = dict(change.errors)
            for name in dict.fromkeys(change.touched):
                shown = self._folder.show_field(self._state, name)
                self._note_member(name, None if shown is UNSET else write_value(shown), row)
            self._touched.append(change.touched)

    def _note_member(self, name: str, text: str | None, row: int) -> None:
        rows, texts = self._members.setdefault(name, (array(INTEGERS, [-1]), [None]))
        if text != texts[-1]:
            rows.append(row)
            texts.append(text)

    def _cancel(self, fact: Fact, place: int) -> None:
        """Let a cancel take effect: the entity's events are folded anew without what it leaves out."""
        cancel, left_out = self._cancels[fact.position], self._judge.cancelled
        target = self._judge.take(cancel)
        if cancel.target not in self._touching and self._entity not in name_entities(self._projection, fact):
            return
        self._touching.add(fact.position)
        row = len(self._kept)
        self._kept.append(place)
        if target is None:
            self._touched.append(())
            self._effects[row] = f"changes nothing: its target is {self._judge.idle[fact.position]}"
            return
        restored = left_out - self._judge.cancelled
        told = f", restores position {', '.join(map(str, sorted(restored)))}" if restored else ""
        self._effects[row] = f"cancels position {target}{told}"
        self._fold_anew(row)

    def _fold_anew(self, row: int) -> None:
        """Fold what was taken without what is cancelled now, and record what is otherwise."""
        self._state, cancelled = self._folder.start(), self._judge.cancelled
        for taken in self._taken:
            if taken.position not in cancelled:
                self._folder.take(self._state, taken, self._folder.find_updaters(taken) or NOTHING)
        for recorder in self._recorders.values():
            recorder.look(self._state.slots, row)
            if recorder.is_machine:
                recorder.illegal_count = self._state.slots[recorder.slot].count
        found = self._write_members()
        for name in {**self._members, **found}:
            self._note_member(name, found.get(name), row)
        self._touched.append([*self._recorders, *found])

    def _write_members(self) -> dict[str, str]:
        """Return the members of an open state, as texts."""
        if not self._projection.is_open:
            return {}
        return {name: write_value(value) for name, value in self._folder.show(self._state).items()}

    def finish(self) -> Told:
        """Return what was found."""
        illegal: dict[int, list[Illegal]] = {}
        for recorder in self._recorders.values():
            for row, move in recorder.illegal.items():
                illegal.setdefault(row, []).append(move)
        members = {name: Changes(rows=rows, texts=make_column(texts)) for name, (rows, texts) in self._members.items()}
        return Told(
            kept=self._kept or range(len(self._touched)),
            changes={name: recorder.finish() for name, recorder in self._recorders.items()} | members,
            touched=self._touched,
            illegal=illegal,
            errors=self._errors,
            effects=self._effects,
        )
