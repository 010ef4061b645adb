"""What each event of an entity did to its state: one pass of the fold, kept as columns."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
import polars as pl

from workbench.replay.cancels import Cancel, Judge
from workbench.replay.fact import Fact
from workbench.replay.fold import Folder, Updater, counts, find_cancels, name_entities
from workbench.replay.projection import Field, Projection
from workbench.replay.rules import UNSET, show_slot
from workbench.replay.slot_texts import PLAIN, drop_unset, make_writer
from workbench.replay.values import write_value

Illegal = tuple[str, str | None, str]


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """The values of a field: from which row on each holds, and its canonical JSON text.

    The first is that before any event, of row -1. A text of null says that an open state has no such member.
    """

    rows: Sequence[int]
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


class _Recorder:
    """One field's values so far; the last of them is the one it has."""

    def __init__(self, field: Field, slot: int, start: Any) -> None:
        self.field, self.slot = field, slot
        self.is_plain = field.rule in PLAIN
        self.is_machine = field.rule == "machine"
        self.illegal = 0
        self.rows, self.values = [-1], [self.show(start)]

    def show(self, slot: Any) -> Any:
        """Return what is recorded of a slot: its value, a machine's state, or the text of what changes in place."""
        if self.is_plain:
            return slot
        return slot.state if self.is_machine else write_value(show_slot(self.field, slot))

    def look(self, slots: list[Any], row: int) -> None:
        """Record a value that is another than the one before."""
        slot = slots[self.slot]
        value = slot.state if self.is_machine else self.show(slot)
        if value != self.values[-1]:
            self.rows.append(row)
            self.values.append(value)

    def finish(self) -> Changes:
        """Return the field's values as texts, each unlike the one before."""
        rows, values = self.rows, self.values
        if not self.is_plain and not self.is_machine:
            return Changes(rows=rows, texts=pl.Series(values, dtype=pl.String))
        if self.field.rule == "first":
            values = drop_unset(values)
            kept = [n for n, value in enumerate(values) if not n or value != values[n - 1]]
            rows, values = [rows[n] for n in kept], [values[n] for n in kept]
        return Changes(rows=rows, texts=pl.Series(make_writer(self.field)(values), dtype=pl.String))


# What an event of a type does: the field's name, its slot and rule, what notes the row and the value of one that is
# replaced, and the recorder of one that is not.
_Step = tuple[str, int, Updater, Callable[[int], None], Callable[[Any], None], _Recorder | None]


class _Plan(msgspec.Struct, frozen=True):
    """What events of a type do, None where they do not count; ``names`` are the fields whose rules see them."""

    names: Sequence[str] = ()
    steps: Sequence[_Step] | None = None


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
        self._members: dict[str, tuple[list[int], list[str | None]]] = {
            name: ([-1], [text]) for name, text in self._write_members().items()
        }
        self._kept, self._touched = list[int](), list[Sequence[str]]()
        self._illegal: dict[int, list[Illegal]] = {}
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
        projection, entity, first = self._projection, self._entity, len(self._kept)
        if projection.is_by_stream:
            places = [place for place in range(start, end) if ordered[place].stream_id == entity]
        else:
            places = [place for place in range(start, end) if entity in name_entities(projection, ordered[place])]
        facts = [ordered[place] for place in places]
        self._kept += places
        for event_type, fact in {fact.event_type: fact for fact in facts}.items():
            if event_type not in self._plans:
                self._plans[event_type] = self._plan(fact)
        if self._cancels:
            self._touching.update(fact.position for fact in facts)
            self._taken += [fact for fact in facts if self._plans[fact.event_type].steps is not None]
        if projection.is_open:
            self._touched += [self._take_open(fact, row) for row, fact in enumerate(facts, first)]
            return
        names = {event_type: plan.names for event_type, plan in self._plans.items()}
        self._touched += [names[fact.event_type] for fact in facts]
        self._fold(facts, first)

    def _fold(self, facts: Sequence[Fact], first: int) -> None:
        """Take events into the state, and record each value that is another than before."""
        slots, plans = self._state.slots, {name: plan.steps or () for name, plan in self._plans.items()}
        for row, fact in enumerate(facts, first):
            for name, slot, update, note_row, note_value, recorder in plans[fact.event_type]:
                before = slots[slot]
                error = update(slots, fact)
                if error is not None:
                    self._errors.setdefault(row, {})[name] = error
                elif recorder is not None:
                    self._look(recorder, row)
                else:
                    value = slots[slot]
                    if value != before:
                        note_row(row)
                        note_value(value)

    def _plan(self, fact: Fact) -> _Plan:
        """Return what events of a fact's type do."""
        if not counts(self._projection, fact):
            return _Plan()
        steps = []
        for name, update in self._folder.find_updaters(fact) or ():
            recorder = self._recorders[name]
            own = None if recorder.is_plain else recorder
            steps.append((name, recorder.slot, update, recorder.rows.append, recorder.values.append, own))
        return _Plan(names=tuple(step[0] for step in steps), steps=tuple(steps))

    def _look(self, recorder: _Recorder, row: int) -> None:
        slots = self._state.slots
        recorder.look(slots, row)
        if recorder.is_machine and (machine := slots[recorder.slot]).count > recorder.illegal:
            recorder.illegal = machine.count
            moves = [(recorder.field.name, before, after) for _, before, after in machine.illegal[-1:]]
            self._illegal.setdefault(row, []).extend(moves)

    def _take_open(self, fact: Fact, row: int) -> Sequence[str]:
        """Take an event into a state whose members are its fields; return those it touched."""
        if self._plans[fact.event_type].steps is None:
            return ()
        change = self._folder.apply(self._state, fact)
        if change.errors:
            self._errors[row] = dict(change.errors)
        for name in dict.fromkeys(change.touched):
            shown = self._folder.show_field(self._state, name)
            self._note_member(name, None if shown is UNSET else write_value(shown), row)
        return change.touched

    def _note_member(self, name: str, text: str | None, row: int) -> None:
        rows, texts = self._members.setdefault(name, ([-1], [None]))
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
                self._folder.take(self._state, taken, self._folder.find_updaters(taken) or ())
        for recorder in self._recorders.values():
            recorder.look(self._state.slots, row)
            if recorder.is_machine:
                recorder.illegal = self._state.slots[recorder.slot].count
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
        members = {
            name: Changes(rows=rows, texts=pl.Series(texts, dtype=pl.String))
            for name, (rows, texts) in self._members.items()
        }
        return Told(
            kept=self._kept,
            changes={name: recorder.finish() for name, recorder in self._recorders.items()} | members,
            touched=self._touched,
            illegal=self._illegal,
            errors=self._errors,
            effects=self._effects,
        )
