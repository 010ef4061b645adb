"""States kept at a cut, written as text and read back exactly, and folded on from there to a later cut.

A kept state costs time and never an answer: an entity is folded on only where that gives what folding all of its events
gives, and is named to be folded anew everywhere else.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

import msgspec

from workbench.decode.registry import read_kept
from workbench.decode.times import write_time
from workbench.replay.folding.cancels import judge_cancels
from workbench.replay.folding.cut import Cut
from workbench.replay.folding.fact import Fact, place_of
from workbench.replay.folding.fold import Entity, Folder, counts, find_cancels, name_entities
from workbench.replay.folding.rules import UNSET, Items, Machine
from workbench.replay.folding.texts import Text, split_units
from workbench.replay.projection import Field, Projection


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """The state of one entity at a checkpoint.

    ``position`` and ``occurred_at`` are the greatest of all events taken in, cancels and cancelled ones among them;
    ``left_out`` the positions of those at or below the checkpoint's that occur later. ``entity`` is None where a
    function made a state that text does not hold exactly.
    """

    entity: Entity | None
    position: int
    occurred_at: datetime
    left_out: tuple[int, ...] = ()


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A cut whose states are kept. ``has_cancels``: cancels are among its events."""

    position: int
    as_of: datetime | None = None
    has_cancels: bool = False

    @property
    def cut(self) -> Cut:
        """The events taken in."""
        return Cut(as_of=self.as_of, up_to=self.position)


class Resumed(msgspec.Struct, frozen=True, kw_only=True):
    """States folded on to a cut, by entity, and the entities whose events are all to be folded anew."""

    entities: Mapping[str, Entity]
    anew: frozenset[str]


def is_local(projection: Projection) -> bool:
    """Tell whether a cancel changes no entity but the one it stands in."""
    return projection.cancels is None or (projection.is_by_stream and projection.cancels.in_stream)


def is_cancel(projection: Projection, fact: Fact) -> bool:
    """Tell whether an event cancels another."""
    return projection.cancels is not None and fact.event_type in projection.cancels.event_types


def matters(projection: Projection, fact: Fact) -> bool:
    """Tell whether an event can change a state, by itself or as a cancel."""
    return is_cancel(projection, fact) or counts(projection, fact)


def group_facts(projection: Projection, facts: Iterable[Fact]) -> dict[str, list[Fact]]:
    """Return the events that matter by the entities they touch."""
    groups: dict[str, list[Fact]] = {}
    for fact in facts:
        if matters(projection, fact):
            for name in name_entities(projection, fact):
                groups.setdefault(name, []).append(fact)
    return groups


def keep_states(
    projection: Projection, facts: Sequence[Fact], checkpoint: Checkpoint, *, cancelled: frozenset[int] | None = None
) -> dict[str, Kept]:
    """Return the states to be kept at a checkpoint, given every event at or below its position that touches them.

    An entity of which all events are cancelled is kept as well: what comes later may restore them. ``cancelled`` are
    the positions of events that do not count, to be given where cancels of other entities say so.
    """
    return keep_groups(projection, group_facts(projection, facts), checkpoint, cancelled=cancelled)


def keep_groups(
    projection: Projection,
    groups: Mapping[str, Sequence[Fact]],
    checkpoint: Checkpoint,
    *,
    cancelled: frozenset[int] | None = None,
) -> dict[str, Kept]:
    """Return the same for the events of entities, each whole; without ``cancelled`` an entity's own cancels count."""
    cut, folder, kept = checkpoint.cut, Folder(projection), dict[str, Kept]()
    for name, group in groups.items():
        ordered = sorted(group, key=lambda fact: place_of(fact, projection.order))
        known = [fact for fact in ordered if cut.holds(fact.position, fact.occurred_at)]
        if known:
            idle = judge_cancels(find_cancels(projection, known)).cancelled if cancelled is None else cancelled
            kept[name] = Kept(
                entity=_fold(folder, folder.start(), known, idle),
                position=max(fact.position for fact in known),
                occurred_at=max(fact.occurred_at for fact in known),
                left_out=tuple(sorted({fact.position for fact in ordered} - {fact.position for fact in known})),
            )
    return kept


def _fold(folder: Folder, entity: Entity, ordered: Iterable[Fact], cancelled: frozenset[int]) -> Entity:
    for fact in ordered:
        updaters = folder.find_updaters(fact)
        if updaters is not None and fact.position not in cancelled:
            folder.take(entity, fact, updaters)
    return entity


def resume_states(
    projection: Projection, checkpoint: Checkpoint, kept: Mapping[str, Kept], tail: Sequence[Fact], cut: Cut
) -> Resumed | None:
    """Return the states at a cut out of those of a checkpoint; None where cancels may reach any of them.

    ``tail`` are the events of the cut that the checkpoint has not taken in; of some entities alone where ``kept`` and
    ``tail`` are of those. The states of ``kept`` are used up. An entity is folded anew where it has taken in events
    that the cut leaves out, where a later one comes before them in the projection's order, or cancels one of them.
    """
    if not is_local(projection) and (
        checkpoint.has_cancels or not holds_all(cut, checkpoint) or any(is_cancel(projection, fact) for fact in tail)
    ):
        return None
    folder, groups = Folder(projection), group_facts(projection, tail)
    cancelled = judge_cancels(find_cancels(projection, tail)).cancelled
    reaching = find_reaching(projection, tail)
    entities, anew = dict[str, Entity](), set[str]()
    for name in {**kept, **groups}:
        known, ordered = kept.get(name), groups.get(name, [])
        ordered.sort(key=lambda fact: place_of(fact, projection.order))
        if known is None:
            entity = folder.start()
        elif known.entity is not None and cut.holds(known.position, known.occurred_at):
            if ordered and (name in reaching or place_of(ordered[0], projection.order) <= _bound(projection, known)):
                anew.add(name)
                continue
            entity = known.entity
        else:
            anew.add(name)
            continue
        entities[name] = _fold(folder, entity, ordered, cancelled)
    return Resumed(entities={n: one for n, one in entities.items() if one.event_count}, anew=frozenset(anew))


def holds_all(cut: Cut, checkpoint: Checkpoint) -> bool:
    """Tell whether a cut has every event that a checkpoint may have taken in."""
    reaches = cut.up_to is None or checkpoint.position <= cut.up_to
    return reaches and (cut.as_of is None or (checkpoint.as_of is not None and checkpoint.as_of <= cut.as_of))


def find_reaching(projection: Projection, tail: Sequence[Fact]) -> set[str]:
    """Return the streams in which an event of the tail cancels one that is not in the tail."""
    if projection.cancels is None:
        return set()
    inside = {cancel.position for cancel in find_cancels(projection, tail) if cancel.target is not None}
    return {fact.stream_id for fact in tail if is_cancel(projection, fact) and fact.position not in inside}


def _bound(projection: Projection, kept: Kept) -> tuple[Any, ...]:
    """Return a place in the projection's order that no event taken in lies behind."""
    return (kept.position,) if projection.order == "position" else (kept.occurred_at, kept.position)


def write_slots(projection: Projection, entity: Entity) -> str | None:
    """Return an entity's state as text that `read_slots` makes the same state of; None where text cannot hold it."""
    if projection.reduce is not None:
        return _write_open(entity.slots[0])
    if projection.is_open:
        return msgspec.json.encode(entity.slots[0]).decode()
    written = {
        field.name: _write_slot(field, slot)
        for field, slot in zip(projection.fields, entity.slots, strict=True)
        if slot is not UNSET
    }
    return msgspec.json.encode(written).decode()


def _write_open(state: Any) -> str | None:
    """Return what a function made as text, None where reading it gives another value: of a tuple it would be a list."""
    try:
        text = json.dumps(state)
    except (TypeError, ValueError):
        return None
    return text if repr(json.loads(text)) == repr(state) else None


def read_slots(projection: Projection, text: str) -> list[Any]:
    """Return the slots of a state that `write_slots` wrote."""
    if projection.reduce is not None:
        return [json.loads(text)]
    if projection.is_open:
        return [read_kept(text.encode())]
    found = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
    return [_read_slot(field, found[field.name]) if field.name in found else UNSET for field in projection.fields]


def _write_slot(field: Field, slot: Any) -> Any:
    match field.rule:
        case "count" | "merge":
            return slot
        case "set":
            return [_write(field, item) for item in slot.kept]
        case "list":
            return [slot.count, [_write(field, item) for item in slot.listed]]
        case "machine":
            return [slot.state, slot.illegal, slot.count]
        case "text":
            # Halves of surrogate pairs are no text of Parquet or msgspec: they are written as escapes in a string.
            return None if slot is None else [json.dumps(slot.units), _runs(slot.owners), slot.authors]
        case _:
            return _write(field, slot)


def _read_slot(field: Field, text: msgspec.Raw) -> Any:
    found = read_kept(bytes(text)) if field.rule == "merge" else msgspec.json.decode(text)
    match field.rule:
        case "count" | "merge":
            return found
        case "set":
            return Items(kept={_read(field, item): None for item in found})
        case "list":
            return Items(listed=[_read(field, item) for item in found[1]], count=found[0])
        case "machine":
            return Machine(found[0], [(at, before, after) for at, before, after in found[1]], found[2])
        case "text":
            return None if found is None else _read_text(*found)
        case _:
            return _read(field, found)


def _runs(owners: str) -> list[tuple[int, int]]:
    return [(ord(code), sum(1 for _ in run)) for code, run in groupby(owners)]


def _read_text(units: str, runs: list[list[int]], authors: list[str | None]) -> Text:
    owners = "".join(chr(code) * length for code, length in runs)
    return Text(split_units(json.loads(units)), owners, tuple(authors))


def _write(field: Field, value: Any) -> Any:
    """Return a scalar as JSON holds it: integers of any size and times as texts."""
    if isinstance(value, datetime):
        return write_time(value)
    return str(value) if value is not None and field.kind in ("integer", "decimal") else value


def _read(field: Field, written: Any) -> Any:
    if written is None or field.kind not in ("integer", "decimal", "time"):
        return written
    return datetime.fromisoformat(written) if field.kind == "time" else int(written)
