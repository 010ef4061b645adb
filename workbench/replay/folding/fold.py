"""The fold: events in a projection's order become the states of its entities. Every question runs this one."""

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from copy import deepcopy
from datetime import datetime
from operator import attrgetter
from typing import Any, Final

import msgspec

from workbench.replay.folding.cancels import Cancel, judge_cancels
from workbench.replay.folding.fact import Fact, describe_fact, find_value, place_of, read_document
from workbench.replay.folding.payloads import (
    NO_PAYLOAD,
    Payload,
    PayloadReader,
    Read,
    make_finder,
    make_payload_reader,
    make_test,
)
from workbench.replay.folding.rules import UNSET, State, make_step, note_slot, show_slot, start_slot, write_state
from workbench.replay.folding.values import FAILED, make_reader, write_scalar
from workbench.replay.projection import FOLDED, Field, Projection, Source

# A rule for one event and its payload: changes the state, returns None, or why the field could not take the value.
Update = Callable[[State, Fact, Payload], str | None]
NULLED: Final = frozenset({"last", "first"})


class Updaters(msgspec.Struct, frozen=True):
    """What an event type does: how its payloads are read, and what becomes of the fields it may change, by name."""

    read: Read
    fields: Sequence[tuple[str, Update]]


# What events of a type do that no field reads.
NOTHING: Final = Updaters(make_payload_reader(()).read, ())


class Entity(msgspec.Struct):
    """An entity's state so far: its slots, how many events it counts, the last of them, and what could not be read."""

    slots: State
    event_count: int = 0
    position: int = -1
    occurred_at: datetime | None = None
    failed: dict[str, int] = msgspec.field(default_factory=dict)


class Change(msgspec.Struct, frozen=True, gc=False):
    """What one event did to one entity: the fields whose rules saw it, and why some could not take its value."""

    touched: Sequence[str]
    errors: Mapping[str, str]


UNTOUCHED: Final = Change((), {})


class Folder:
    """Folds the events of a projection's entities, one event after another in its order."""

    def __init__(self, projection: Projection) -> None:
        self.projection = projection
        self.known: dict[str, Updaters | None] = {}
        self._slots = {field.name: slot for slot, field in enumerate(projection.fields)}
        self._is_open = projection.is_open

    def start(self) -> Entity:
        """Return the state before the first event."""
        if self.projection.is_open:
            return Entity([{} if self.projection.reduce is None else deepcopy(self.projection.initial)])
        return Entity([start_slot(field) for field in self.projection.fields])

    def find_updaters(self, fact: Fact) -> Updaters | None:
        """Return what events of a fact's type do to the fields, by field; None where they do not count."""
        if fact.event_type not in self.known:
            found = make_updaters(self.projection, fact.event_type) if counts(self.projection, fact) else None
            self.known[fact.event_type] = found
        return self.known[fact.event_type]

    def apply(self, entity: Entity, fact: Fact) -> Change:
        """Take an event into an entity's state. A field that cannot take its value stays as it is."""
        self._count(entity, fact)
        if self._is_open:
            return self._open(entity, fact)
        updaters, errors = self.find_updaters(fact), {}
        if updaters is None:
            return UNTOUCHED
        payload = updaters.read(fact.data or NO_PAYLOAD)
        for name, update in updaters.fields:
            error = update(entity.slots, fact, payload)
            if error is not None:
                errors[name] = error
                entity.failed[name] = entity.failed.get(name, 0) + 1
        return Change([name for name, _ in updaters.fields], errors)

    def take(self, entity: Entity, fact: Fact, updaters: Updaters) -> None:
        """Do what `apply` does, and say nothing of it."""
        if self._is_open:
            self.apply(entity, fact)
            return
        entity.event_count += 1
        if fact.position > entity.position:  # noqa: PLR1730 - a call of max takes thrice as long, once an event
            entity.position = fact.position
        latest = entity.occurred_at
        if latest is None or fact.occurred_at > latest:
            entity.occurred_at = fact.occurred_at
        slots, payload = entity.slots, updaters.read(fact.data or NO_PAYLOAD)
        for name, update in updaters.fields:
            if update(slots, fact, payload) is not None:
                entity.failed[name] = entity.failed.get(name, 0) + 1

    def _count(self, entity: Entity, fact: Fact) -> None:
        entity.event_count += 1
        entity.position = max(entity.position, fact.position)
        if entity.occurred_at is None or fact.occurred_at > entity.occurred_at:
            entity.occurred_at = fact.occurred_at

    def _open(self, entity: Entity, fact: Fact) -> Change:
        """Take an event into a state whose members are its fields: by the function, or member by member."""
        before = entity.slots[0]
        if self.projection.reduce is None:
            payload = None if fact.data is None else read_document(fact.data)
            entity.slots[0] = {**before, **payload} if isinstance(payload, dict) else before
            return Change(list(payload) if isinstance(payload, dict) else (), {})
        try:
            entity.slots[0] = self.projection.reduce(deepcopy(before), describe_fact(fact))
            write_state(name_members(entity.slots[0]))
        except Exception as error:  # noqa: BLE001 - whatever a foreign function raises is told at its event
            entity.slots[0] = before
            entity.failed["state"] = entity.failed.get("state", 0) + 1
            return Change((), {"state": f"{type(error).__name__}: {error}"})
        return Change([*name_members(before), *name_members(entity.slots[0])], {})

    def show(self, entity: Entity) -> dict[str, Any]:
        """Return the fields' values as JSON holds them."""
        if self.projection.is_open:
            return name_members(entity.slots[0])
        return {
            field.name: show_slot(field, slot) for field, slot in zip(self.projection.fields, entity.slots, strict=True)
        }

    def show_field(self, entity: Entity, name: str) -> Any:
        """Return one field's value as JSON holds it; UNSET where an open state has no such member."""
        if self.projection.is_open:
            return name_members(entity.slots[0]).get(name, UNSET)
        slot = self._slots[name]
        return show_slot(self.projection.fields[slot], entity.slots[slot])

    def note(self, entity: Entity) -> dict[str, dict[str, Any]]:
        """Return what is to be said beside the values, by field: illegal moves, capped items, failed events."""
        notes: dict[str, dict[str, Any]] = {}
        for field, slot in zip(self.projection.fields, entity.slots, strict=False):
            if said := note_slot(field, slot):
                notes[field.name] = dict(said)
        for name, failed in sorted(entity.failed.items()):
            notes.setdefault(name, {})["failed"] = failed
        return notes

    def write(self, entity: Entity) -> str:
        """Return the state's canonical text."""
        return write_state(self.show(entity))


def name_members(state: Any) -> dict[str, Any]:
    """Return the fields of an open state: an object's members, any other value as ``state``."""
    return dict(state) if isinstance(state, dict) else {"state": state}


def make_updaters(projection: Projection, event_type: str) -> Updaters:
    """Return, for the fields that an event type may change, what it does to each.

    Texts and merges read the whole payload, as they keep numbers as they are written.
    """
    seen = {}
    for slot, field in enumerate(projection.fields):
        sources = [source for source in field.sources if source.event_types is None or event_type in source.event_types]
        if sources:
            seen[slot] = (field, sources)
    members = [source for field, sources in seen.values() if field.rule not in FOLDED for source in sources]
    reader, whole = make_payload_reader(members), make_payload_reader(())
    updates = tuple(
        (field.name, make_update(field, slot, sources, whole if field.rule in FOLDED else reader))
        for slot, (field, sources) in seen.items()
    )
    return Updaters(reader.read, updates)


def make_update(field: Field, slot: int, sources: Sequence[Source], reader: PayloadReader) -> Update:
    """Return what an event does to a field: the first of the sources whose conditions hold counts."""
    cases = [
        ([make_test(condition, reader) for condition in source.when], make_case(field, slot, source, reader))
        for source in sources
    ]
    if len(cases) == 1 and not cases[0][0]:
        return cases[0][1]

    def update(state: State, fact: Fact, payload: Payload) -> str | None:
        for tests, case in cases:
            if all(holds(fact, payload) for holds in tests):
                return case(state, fact, payload)
        return None

    return update


def make_case(field: Field, slot: int, source: Source, reader: PayloadReader) -> Update:
    """Return what an event does to a field through one source."""
    step, read = make_step(field, slot, removes=source.removes), make_reader(field)
    find, attribute = make_finder(source, reader), reader.attribute(source)
    if field.rule == "count":
        return lambda state, fact, payload: None if find(fact, payload) in (None, UNSET) else step(state, None, fact)
    if field.rule in FOLDED:
        return lambda state, fact, payload: (
            None if (value := find(fact, payload)) is UNSET else step(state, value, fact)
        )
    takes_null = field.takes_null and field.rule in NULLED
    takes_absent = field.takes_absent and field.rule in NULLED

    def update(state: State, fact: Fact, payload: Payload) -> str | None:
        # Most fields are members of payloads; a call less for each.
        found = find(fact, payload) if attribute is None else getattr(payload, attribute, UNSET)
        if found is UNSET:
            return step(state, None, fact) if takes_absent else None
        value = read(found)
        if value is None:
            return step(state, None, fact) if takes_null else None
        if value is FAILED:
            return f"{write_scalar(found) or 'its value'!r:.80} is no {field.kind}"
        return step(state, value, fact)

    return update


def name_entities(projection: Projection, fact: Fact) -> tuple[str, ...]:
    """Return the entities that an event touches, each once: the texts at the projection's entity paths."""
    if projection.is_by_stream:
        return (fact.stream_id,)
    names: dict[str, None] = {}
    for path in projection.entity:
        found = find_value(fact, path)
        for item in found if isinstance(found, list) else (found,):
            text = None if item is UNSET else write_scalar(item)
            if text is not None:
                names[text] = None
    return tuple(names)


def counts(projection: Projection, fact: Fact) -> bool:
    """Tell whether an event may change a state: it has a type of the projection's, and is no cancel."""
    if projection.cancels is not None and fact.event_type in projection.cancels.event_types:
        return False
    return projection.event_types is None or fact.event_type in projection.event_types


def find_cancels(projection: Projection, facts: Sequence[Fact]) -> list[Cancel]:
    """Return the cancels among events, each with its target among them."""
    rule = projection.cancels
    if rule is None:
        return []
    types = frozenset(rule.event_types)
    cancels = [fact for fact in facts if fact.event_type in types]
    targets = [find_value(fact, rule.target) for fact in cancels]
    wanted = {target for target in targets if isinstance(target, str)}
    named = {(fact.source, fact.event_id): fact for fact in facts if fact.event_id in wanted} if wanted else {}
    return [make_cancel(projection, fact, named) for fact in cancels]


def make_cancel(projection: Projection, fact: Fact, named: Mapping[tuple[str, str], Fact]) -> Cancel:
    """Return what an event cancels, given the events by source and id."""
    rule = projection.cancels
    target = None if rule is None else find_value(fact, rule.target)
    known = named.get((fact.source, target)) if isinstance(target, str) else None
    if known is not None and rule is not None and rule.in_stream and known.stream_id != fact.stream_id:
        known = None
    return Cancel(
        position=fact.position,
        place=place_of(fact, projection.order),
        target=None if known is None else known.position,
        target_place=None if known is None else place_of(known, projection.order),
    )


def fold_facts(projection: Projection, facts: Iterable[Fact]) -> dict[str, Entity]:
    """Return the state of every entity that the events of a cut touch, by its name.

    The events may come in any order.
    """
    by = ("position",) if projection.order == "position" else ("occurred_at", "position")
    ordered = sorted(facts, key=attrgetter(*by))
    cancelled = judge_cancels(find_cancels(projection, ordered)).cancelled
    entities: dict[str, Entity] = {}
    fold_ordered(Folder(projection), ordered, cancelled, entities)
    return entities


def fold_ordered(folder: Folder, facts: Iterable[Fact], cancelled: Container[int], entities: dict[str, Entity]) -> None:
    """Take events that stand in a projection's order into the states of the entities they touch."""
    projection, take = folder.projection, folder.take
    is_by_stream, known = projection.is_by_stream, folder.known
    for fact in facts:
        event_type = fact.event_type
        updaters = known[event_type] if event_type in known else folder.find_updaters(fact)
        if updaters is None or fact.position in cancelled:
            continue
        if is_by_stream:
            entity = entities.get(fact.stream_id)
            if entity is None:
                entity = entities[fact.stream_id] = folder.start()
            take(entity, fact, updaters)
            continue
        for name in name_entities(projection, fact):
            if name not in entities:
                entities[name] = folder.start()
            take(entities[name], fact, updaters)
