"""The values of fields over all entities as steps in time: what came and what went, when.

A population at an instant is the sum of the steps up to it. Every so many steps an edge says what they add up to, so
that only those behind the last edge are added. Steps are linear: what some entities' events change later on is a
further set of steps, and what it takes back stands in it with a minus.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from workbench.replay.folding.cancels import judge_cancels
from workbench.replay.folding.fact import Fact, find_value, place_of
from workbench.replay.folding.fold import NOTHING, Entity, Folder, counts, find_cancels
from workbench.replay.folding.rules import Items, Machine
from workbench.replay.folding.values import write_value
from workbench.replay.models.checkpoints import is_cancel
from workbench.replay.projection import Projection

# Between two edges: some 16,000 steps are added up within 10 ms.
SLICE: Final = 16_384
COUNTED: Final = frozenset({"last", "first", "machine"})
COUNTABLE: Final = COUNTED | {"sum", "count", "min", "max"}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)

# At a time: the texts of the fields before and after it; None where the entity is not there.
Change = tuple[datetime, Sequence[str] | None, Sequence[str] | None]


class Steps(msgspec.Struct, frozen=True, kw_only=True):
    """How many entities came to a value (below zero: left it) at a time, ordered by time, and the edges between.

    ``times`` are microseconds since 1970, ``codes`` number the ``values`` (canonical JSON texts).
    """

    values: Sequence[str]
    times: NDArray[np.int64]
    codes: NDArray[np.int64]
    counts: NDArray[np.int64]


def narrow_projection(projection: Projection, fields: Sequence[str]) -> Projection:
    """Return the projection with some of its fields."""
    return msgspec.structs.replace(projection, fields=tuple(projection.field(name) for name in fields))


class Sweep:
    """Follows entities through time: the state as of every instant, whatever the projection's order."""

    def __init__(self, projection: Projection, fields: Sequence[str]) -> None:
        self.fields = tuple(fields)
        self._projection = projection
        self._folder = Folder(narrow_projection(projection, fields))
        self._texts: dict[tuple[str, Any], str] = {}
        self._latest = self._folder.start()

    def find_changes(self, facts: Iterable[Fact]) -> Iterator[Change]:
        """Yield each time at which a field of one entity changes, given all its events that matter."""
        ordered = sorted(facts, key=lambda fact: (fact.occurred_at, fact.position))
        line = _Timeline(self._projection, self._folder, ordered)
        before: tuple[str, ...] | None = None
        for moment, group in groupby(ordered, key=lambda fact: fact.occurred_at):
            for fact in group:
                line.take(fact)
            after = self._show(line.entity)
            if after != before:
                yield moment, before, after
                before = after
        self._latest = line.entity

    def count_illegal(self) -> int:
        """Return how many moves outside state machines the entity has that was followed last, and to its end."""
        return sum(slot.count for slot in self._latest.slots if isinstance(slot, Machine))

    def _show(self, entity: Entity) -> tuple[str, ...] | None:
        return tuple(self._write(name, entity) for name in self.fields) if entity.event_count else None

    def _write(self, name: str, entity: Entity) -> str:
        shown = self._folder.show_field(entity, name)
        if not isinstance(shown, str | int):
            return write_value(shown)
        text = self._texts.get((name, shown))
        if text is None:
            if len(self._texts) >= SLICE:
                self._texts.clear()
            text = self._texts[name, shown] = write_value(shown)
        return text


class _Timeline:
    """One entity's state while its events come in the order of time."""

    def __init__(self, projection: Projection, folder: Folder, facts: Sequence[Fact]) -> None:
        rule = projection.cancels
        self.entity = folder.start()
        self._projection, self._folder = projection, folder
        self._places: list[tuple[Any, ...]] = []
        self._taken: list[Fact] = []
        self._cancelled: frozenset[int] = frozenset()
        targets = [find_value(fact, rule.target) for fact in facts if is_cancel(projection, fact)] if rule else []
        self._named = {target for target in targets if isinstance(target, str)}
        # The state before a place at which events came in between: the next one often does so right behind it.
        self._at, self._before = 0, folder.start()

    def take(self, fact: Fact) -> None:
        place = place_of(fact, self._projection.order)
        number = bisect_left(self._places, place)
        self._places.insert(number, place)
        self._taken.insert(number, fact)
        if self._may_judge(fact) and self._judge():
            self._at, self._before = 0, self._folder.start()
            self.entity = self._fold(copy_entity(self._before), self._taken)
        elif number == len(self._taken) - 1:
            self._fold(self.entity, (fact,))
        else:
            self._insert(number)

    def _may_judge(self, fact: Fact) -> bool:
        return fact.event_id in self._named or is_cancel(self._projection, fact)

    def _judge(self) -> bool:
        """Tell whether other events count than before."""
        known = self._cancelled
        self._cancelled = judge_cancels(find_cancels(self._projection, self._taken)).cancelled
        return known != self._cancelled

    def _insert(self, number: int) -> None:
        if self._at > number:
            self._at, self._before = 0, self._folder.start()
        self._before = self._fold(self._before, self._taken[self._at : number + 1])
        self._at = number + 1
        self.entity = self._fold(copy_entity(self._before), self._taken[self._at :])

    def _fold(self, entity: Entity, facts: Iterable[Fact]) -> Entity:
        for fact in facts:
            if fact.position not in self._cancelled and counts(self._projection, fact):
                # Events that no field here reads still say that the entity is there.
                self._folder.take(entity, fact, self._folder.find_updaters(fact) or NOTHING)
        return entity


def copy_entity(entity: Entity) -> Entity:
    """Return a state that can be folded on without changing the one given."""
    return msgspec.structs.replace(entity, slots=[_copy(slot) for slot in entity.slots], failed=dict(entity.failed))


def _copy(slot: Any) -> Any:
    if isinstance(slot, Machine):
        return Machine(slot.state, list(slot.illegal), slot.count)
    return Items(dict(slot.kept), list(slot.listed), slot.count) if isinstance(slot, Items) else slot


class Gatherer:
    """Collects the steps of one field."""

    def __init__(self) -> None:
        self._codes: dict[str, int] = {}
        self._times, self._steps, self._counts = array("q"), array("q"), array("b")

    def take(self, moment: datetime, value: str, count: int) -> None:
        """Take a step."""
        self._times.append((moment - _EPOCH) // _MICROSECOND)
        self._steps.append(self._codes.setdefault(value, len(self._codes)))
        self._counts.append(count)

    def finish(self) -> Steps:
        """Return the steps, those at one time and value added up."""
        times, codes = (np.frombuffer(part, dtype=np.int64) for part in (self._times, self._steps))
        counted = np.frombuffer(self._counts, dtype=np.int8).astype(np.int64)
        return add_steps(list(self._codes), times, codes, counted)


def take_changes(gatherers: Mapping[str, Gatherer], sweep: Sweep, facts: Iterable[Fact], sign: int) -> None:
    """Let each field's gatherer take the changes of one entity."""
    for moment, before, after in sweep.find_changes(facts):
        for number, gatherer in enumerate(gatherers.values()):
            old, new = (None if texts is None else texts[number] for texts in (before, after))
            if old != new:
                if old is not None:
                    gatherer.take(moment, old, -sign)
                if new is not None:
                    gatherer.take(moment, new, sign)


def add_steps(
    values: Sequence[str], times: NDArray[np.int64], codes: NDArray[np.int64], counted: NDArray[np.int64]
) -> Steps:
    """Return steps by time and value, those at one time and value added up and those that came to nothing left out."""
    order = np.lexsort((codes, times))
    times, codes, counted = times[order], codes[order], counted[order]
    if not len(times):
        return Steps(values=values, times=times, codes=codes, counts=counted)
    starts = np.flatnonzero(np.r_[True, (times[1:] != times[:-1]) | (codes[1:] != codes[:-1])])
    summed = np.add.reduceat(counted, starts)
    stays = starts[summed != 0]
    return Steps(values=values, times=times[stays], codes=codes[stays], counts=summed[summed != 0])


def find_edges(steps: Steps) -> Steps:
    """Return, every so many steps, what they and all before add up to: as steps of those times.

    Not more often than there are values, so that edges take no more room than the steps.
    """
    parts: list[tuple[int, NDArray[np.int64], NDArray[np.int64]]] = []
    counted = np.zeros(len(steps.values), dtype=np.int64)
    start, size = 0, max(SLICE, len(steps.values))
    while start + size < len(steps.times):
        # An edge has taken every step at its time.
        end = int(np.searchsorted(steps.times, steps.times[start + size - 1], side="right"))
        np.add.at(counted, steps.codes[start:end], steps.counts[start:end])
        present = np.flatnonzero(counted)
        parts.append((int(steps.times[end - 1]), present, counted[present]))
        start = end
    return Steps(
        values=steps.values,
        times=np.concatenate([np.full(len(codes), moment) for moment, codes, _ in parts] or [steps.times[:0]]),
        codes=np.concatenate([codes for _, codes, _ in parts] or [steps.codes[:0]]),
        counts=np.concatenate([counted for _, _, counted in parts] or [steps.counts[:0]]),
    )
