"""What led to an event and what it led to, along causation ids, wherever in the log that stands."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from workbench.decode.registry import Registry
from workbench.errors import UnknownEventError
from workbench.replay.facts import Ask, fetch_facts, fetch_stored, merge_facts
from workbench.replay.folding.fact import Fact
from workbench.replay.what_if import Affected, find_affected

# How far a chain of causes is followed up, and effects down; chains of real logs were at most 6 long.
FARTHEST: Final = 64


def find_proposals(ask: Ask, find_facts: Callable[[], Sequence[Fact]], setters: Sequence[Fact]) -> dict[int, Fact]:
    """Return, by the position of an event, the nearest event of an AI among its causes, where there is one.

    ``find_facts`` returns the events that are at hand, and is called where a cause is looked for.
    """
    if all(fact.causation_id is None for fact in setters):
        return {}
    known = {fact.event_id: fact for fact in find_facts()}
    for _ in range(FARTHEST):
        missing = {cause for fact in setters if (cause := _open_cause(fact, known)) is not None}
        if not missing:
            break
        found = fetch_by_id(ask, "event_id", sorted(missing))
        if not found:
            break
        known |= {fact.event_id: fact for fact in found}
    proposals = {fact.position: _proposal(fact, known) for fact in setters}
    return {position: fact for position, fact in proposals.items() if fact is not None}


def _open_cause(fact: Fact, known: Mapping[str, Fact]) -> str | None:
    """Return the first cause up a chain that is not known yet; None where the chain ends, or reached an AI."""
    seen = set[str]()
    while fact.causation_id is not None and fact.event_id not in seen:
        seen.add(fact.event_id)
        cause = known.get(fact.causation_id)
        if cause is None:
            return fact.causation_id
        if cause.actor_kind == "ai":
            return None
        fact = cause
    return None


def _proposal(fact: Fact, known: Mapping[str, Fact]) -> Fact | None:
    seen = set[str]()
    while fact.causation_id is not None and fact.causation_id in known and fact.event_id not in seen:
        seen.add(fact.event_id)
        fact = known[fact.causation_id]
        if fact.actor_kind == "ai":
            return fact
    return None


def find_descendants(ask: Ask, event_ids: Sequence[str]) -> list[Affected]:
    """Return events and all that they led to, by position. Raises UnknownEventError."""
    facts = fetch_by_id(ask, "event_id", sorted(set(event_ids)))
    unknown = set(event_ids) - {fact.event_id for fact in facts}
    if unknown:
        raise UnknownEventError(f"No event has the id {min(unknown)!r}. workbench events lists them.")
    newest = facts
    for _ in range(FARTHEST):
        known = {fact.position for fact in facts}
        newest = fetch_by_id(ask, "causation_id", sorted({fact.event_id for fact in newest}))
        newest = [fact for fact in newest if fact.position not in known]
        if not newest:
            break
        facts = merge_facts(facts, newest)
    return find_affected(facts, event_ids)


def find_written_versions(ask: Ask, registry: Registry, setters: Sequence[Fact]) -> dict[int, int]:
    """Return, by position, the schema version that events were written with where they are shown as a later one.

    Events of types that the registry does not lift are not looked up.
    """
    lifted = [fact for fact in setters if registry.current_version(fact.event_type) is not None]
    stored = fetch_stored(ask, lifted)
    return {
        fact.position: stored[fact.position][0]
        for fact in lifted
        if fact.position in stored and stored[fact.position][0] != fact.schema_version
    }


def fetch_by_id(ask: Ask, column: str, names: Sequence[str]) -> list[Fact]:
    """Return the events that hold one of the names in a column, by position."""
    named = {f"name_{number}": name for number, name in enumerate(names)}
    condition = f"{column} in ({', '.join(f':{name}' for name in named)})" if named else "false"
    return fetch_facts(ask, [condition], named, None)
