"""Who has a value at a moment: the entities, the longest in it first, each with its state then."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from workbench.replay.folding.cut import Cut
from workbench.replay.folding.fact import Fact
from workbench.replay.folding.fold import Folder, fold_facts
from workbench.session import Session
from workbench.views.as_of.log import load_events
from workbench.views.as_of.population import Population
from workbench.views.as_of.sweep import ABSENT
from workbench.views.timeline.choices import from_microseconds

SHOWN: Final = 8


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """One entity that has the value picked: since when, its state, how many events it counts, the last of them."""

    entity: str
    since: datetime
    state: dict[str, Any]
    events: int
    last: Fact


def find_members(
    session: Session, population: Population, value: str | None, at: int, *, first: int = 0
) -> tuple[list[Member], NDArray[np.int64]]:
    """Return the entities with a value at a time, the longest in it first, eight from ``first`` on, and all durations.

    Without a value all entities that are there are meant. Durations are in microseconds.
    """
    sweep = population.sweep
    values, since = sweep.values_at(at)
    number = sweep.values.index(value) if value in sweep.values else -2
    chosen = np.flatnonzero(values != ABSENT if value is None else values == number)
    chosen = chosen[np.argsort(since[chosen], kind="stable")]
    names = [sweep.names[entity] for entity in chosen[first : first + SHOWN]]
    members = [member for name, member in load_members(session, population, names, at).items() if member is not None]
    began = {sweep.names[entity]: int(since[entity]) for entity in chosen[first : first + SHOWN]}
    dated = [msgspec.structs.replace(member, since=from_microseconds(began[member.entity])) for member in members]
    return dated, at - since[chosen]


def load_members(session: Session, population: Population, names: Sequence[str], at: int) -> dict[str, Member | None]:
    """Return the entities' states at a time."""
    if not names:
        return {}
    moment = from_microseconds(at)
    facts = load_events(session, population.projection, names, Cut(as_of=moment, up_to=population.position))
    states, folder = fold_facts(population.projection, facts), Folder(population.projection)
    found: dict[str, Member | None] = {}
    for name in names:
        state = states.get(name)
        last = None if state is None else next(fact for fact in facts if fact.position == state.position)
        found[name] = (
            None
            if state is None or last is None
            else Member(entity=name, since=moment, state=folder.show(state), events=state.event_count, last=last)
        )
    return found
