"""What would have been otherwise: the same fold over other events. Nothing is written."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import msgspec

from workbench.errors import UnknownEventError
from workbench.replay.folding.cancels import judge_cancels
from workbench.replay.folding.cut import Cut
from workbench.replay.folding.fact import Fact, place_of
from workbench.replay.folding.fold import Folder, find_cancels, fold_facts
from workbench.replay.folding.values import write_value
from workbench.replay.history.history import find_history
from workbench.replay.projection import Projection


class Contrast(msgspec.Struct, frozen=True, kw_only=True):
    """One field of one entity, as it is and as it would be; canonical JSON texts, None where the entity is not."""

    entity_id: str
    field: str
    true_value: str | None
    what_if_value: str | None

    @property
    def differs(self) -> bool:
        """Tell whether the two are not the same."""
        return self.true_value != self.what_if_value


class Affected(msgspec.Struct, frozen=True, kw_only=True):
    """An event that is set aside, or that would not be there without one that is; ``cause`` is that one's event_id."""

    fact: Fact
    cause: str | None
    depth: int


def imagine_facts(
    facts: Sequence[Fact], *, without: Iterable[str] = (), insert: Sequence[Fact] = (), until: int | None = None
) -> list[Fact]:
    """Return the events with some set aside (by event_id), cut behind a position, and with others added."""
    gone = set(without)
    return [fact for fact in facts if fact.event_id not in gone and (until is None or fact.position <= until)] + list(
        insert
    )


def contrast_states(true: Mapping[str, Mapping[str, str]], imagined: Mapping[str, Mapping[str, str]]) -> list[Contrast]:
    """Return every field of every entity of both, ordered by entity and in the order of the fields."""
    return [
        _contrast(entity, name, true.get(entity), imagined.get(entity))
        for entity in sorted(true.keys() | imagined.keys())
        for name in dict.fromkeys((*true.get(entity, ()), *imagined.get(entity, ())))
    ]


def _contrast(entity: str, name: str, one: Mapping[str, str] | None, other: Mapping[str, str] | None) -> Contrast:
    return Contrast(
        entity_id=entity,
        field=name,
        true_value=None if one is None else one.get(name),
        what_if_value=None if other is None else other.get(name),
    )


def write_states(projection: Projection, facts: Sequence[Fact]) -> dict[str, dict[str, str]]:
    """Return the states that a fold makes, by entity and field, as canonical texts."""
    folder = Folder(projection)
    return {
        name: {field: write_value(value) for field, value in folder.show(entity).items()}
        for name, entity in fold_facts(projection, facts).items()
    }


def find_affected(facts: Sequence[Fact], chosen: Iterable[str]) -> list[Affected]:
    """Return the chosen events (by event_id) and every causal descendant of theirs among ``facts``, in their order."""
    effects: dict[str, list[Fact]] = {}
    for fact in facts:
        if fact.causation_id is not None:
            effects.setdefault(fact.causation_id, []).append(fact)
    known = {fact.event_id: fact for fact in facts}
    found: dict[str, Affected] = {}
    waiting: list[tuple[Fact, str | None, int]] = [(known[name], None, 0) for name in chosen if name in known]
    while waiting:
        fact, cause, depth = waiting.pop(0)
        if fact.event_id in found:
            continue
        found[fact.event_id] = Affected(fact=fact, cause=cause, depth=depth)
        waiting += [(effect, fact.event_id, depth + 1) for effect in effects.get(fact.event_id, ())]
    return sorted(found.values(), key=lambda affected: affected.fact.position)


def check_known(facts: Sequence[Fact], named: Iterable[str]) -> None:
    """Raise UnknownEventError for an event_id that none of the events has."""
    known = {fact.event_id for fact in facts}
    for name in named:
        if name not in known:
            raise UnknownEventError(
                f"No event of the streams asked about has the id {name!r}. workbench trace says where an event is."
            )


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """What would undo one event: the compensating event, or None where the projection declares none for its type."""

    fact: Fact
    event_type: str | None
    data: Mapping[str, Any] | None


def propose_compensations(projection: Projection, facts: Sequence[Fact], entity: str, *, behind: Cut) -> list[Proposal]:
    """Return what would undo the events of an entity that lie outside a cut, the newest first.

    An event that changed nothing, or is cancelled, needs nothing undone and is left out. What a type declares goes
    before a cancel; a cancel is undone by a cancel.
    """
    cancelled = judge_cancels(find_cancels(projection, facts)).cancelled
    moments = [
        moment
        for moment in find_history(projection, facts, entity)
        if moment.changed and moment.fact.position not in cancelled
    ]
    return [
        _propose(projection, moment.fact)
        for moment in sorted(moments, key=lambda moment: place_of(moment.fact, projection.order), reverse=True)
        if not behind.holds(moment.fact.position, moment.fact.occurred_at)
    ]


def _propose(projection: Projection, fact: Fact) -> Proposal:
    declared, cancels = projection.compensations.get(fact.event_type), projection.cancels
    if declared is not None:
        return Proposal(fact=fact, event_type=declared.event_type, data=_nest(declared.target.members, fact.event_id))
    if cancels is None:
        return Proposal(fact=fact, event_type=None, data=None)
    return Proposal(fact=fact, event_type=cancels.event_types[0], data=_nest(cancels.target.members, fact.event_id))


def _nest(members: Sequence[str], value: str) -> dict[str, Any]:
    nested: Any = value
    for name in reversed(members):
        nested = {name: nested}
    return nested if isinstance(nested, dict) else {}


def assume_facts(proposals: Sequence[Proposal], *, behind: Fact) -> list[Fact]:
    """Return the compensating events as if they stood behind the last event of the log, one microsecond apart."""
    assumed = []
    for number, proposal in enumerate((one for one in proposals if one.event_type is not None), start=1):
        fact = proposal.fact
        assumed.append(
            msgspec.structs.replace(
                fact,
                position=behind.position + number,
                event_id=f"compensates-{fact.event_id}",
                event_type=proposal.event_type or "",
                occurred_at=behind.occurred_at + timedelta(microseconds=number),
                recorded_at=None,
                causation_id=fact.event_id,
                actor_id=None,
                actor_kind=None,
                data=msgspec.json.encode(proposal.data).decode(),
                metadata=None,
            )
        )
    return assumed
