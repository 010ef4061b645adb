"""One field of every entity through time: each change of its value, in the order in which things happened."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from workbench.errors import ArgumentError, UnsupportedOnThisLogError
from workbench.replay.folding.fact import Fact
from workbench.replay.folding.values import write_value
from workbench.replay.models.checkpoints import group_facts
from workbench.replay.population.steps import Sweep as Timeline
from workbench.replay.projection import Projection
from workbench.views.timeline.choices import to_microseconds

# The value of an entity that does not exist yet.
ABSENT: Final = -1
NOTHING: Final = "null"


class Sweep(msgspec.Struct, frozen=True, kw_only=True):
    """The changes of one field over all entities, by when they happened.

    ``times`` are microseconds since 1970; ``entities``, ``before``, ``after`` are numbers in ``names`` and ``values``
    (canonical JSON texts), -1 for an entity that was not there. ``illegal`` counts the moves outside a state machine.
    """

    field: str
    names: Sequence[str]
    values: Sequence[str]
    times: NDArray[np.int64]
    entities: NDArray[np.int64]
    before: NDArray[np.int64]
    after: NDArray[np.int64]
    illegal: int

    def upto(self, micros: int) -> int:
        """Return how many changes had happened by a time."""
        return int(np.searchsorted(self.times, micros, side="right"))

    def count_at(self, micros: int) -> NDArray[np.int64]:
        """Return how many entities have each value at a time."""
        return self._counted(self.upto(micros))

    def count_over(self, edges: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the same at each of several times, one row a time."""
        return np.array([self._counted(int(end)) for end in np.searchsorted(self.times, edges, side="right")])

    def _counted(self, end: int) -> NDArray[np.int64]:
        size = len(self.values) + 1
        came = np.bincount(self.after[:end] + 1, minlength=size)
        went = np.bincount(self.before[:end] + 1, minlength=size)
        return (came - went)[1:].astype(np.int64)

    def values_at(self, micros: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return, by entity, its value at a time and since when it has it; -1 and 0 for one that is not there yet."""
        end = self.upto(micros)
        last = np.full(len(self.names), -1, dtype=np.int64)
        last[self.entities[:end]] = np.arange(end)
        there = last >= 0
        values = np.where(there, self.after[last], ABSENT)
        return values, np.where(there, self.times[last], 0)


def sweep_field(projection: Projection, facts: Iterable[Fact], name: str) -> Sweep:
    """Return the changes of a field over all entities that events touch.

    Raises ArgumentError for a field it has not, and UnsupportedOnThisLogError where a cancel may name another stream.
    """
    if projection.is_open or name not in {field.name for field in projection.fields}:
        raise ArgumentError(f"{projection.name} declares no field {name!r}. Choose one of its fields.")
    if projection.cancels is not None and not projection.cancels.in_stream:
        raise UnsupportedOnThisLogError(
            f"Cancels of {projection.name} may name an event of any stream, so a field cannot be counted over time. "
            "Ask for one entity."
        )
    timeline, found = Timeline(projection, [name]), _Found()
    ordered = sorted(facts, key=lambda fact: (fact.occurred_at, fact.position))
    # Entities are numbered in the order in which they came; each is followed by itself, as kept steps are counted.
    for entity, group in group_facts(projection, ordered).items():
        for moment, before, after in timeline.find_changes(group):
            found.take(entity, moment, None if before is None else before[0], None if after is None else after[0])
        found.illegal += timeline.count_illegal()
    return found.finish(name)


class _Found:
    """Collects the changes of one entity after another."""

    def __init__(self) -> None:
        self.illegal = 0
        self._names: list[str] = []
        self._values: dict[str, int] = {}
        self._rows: list[tuple[int, int, int, int]] = []

    def take(self, entity: str, moment: datetime, before: str | None, after: str | None) -> None:
        """Take a change of an entity's value: the texts before and after it, None where it is not there."""
        if not self._names or self._names[-1] != entity:
            self._names.append(entity)
        old, new = (ABSENT if text is None else self._number(text) for text in (before, after))
        self._rows.append((to_microseconds(moment), len(self._names) - 1, old, new))

    def _number(self, text: str) -> int:
        return self._values.setdefault(text, len(self._values))

    def finish(self, field: str) -> Sweep:
        """Return what was found, in the order of time."""
        rows = np.array(self._rows, dtype=np.int64).reshape(-1, 4)
        rows = rows[np.argsort(rows[:, 0], kind="stable")]
        return Sweep(
            field=field,
            names=self._names,
            values=list(self._values),
            times=rows[:, 0],
            entities=rows[:, 1],
            before=rows[:, 2],
            after=rows[:, 3],
            illegal=self.illegal,
        )


def order_values(projection: Projection, sweep: Sweep) -> tuple[list[int], list[int]]:
    """Return the numbers of a field's values: those still open, then those at which a state machine ends.

    A state machine's open ones stand with the furthest in its declaration first and no state last, its ends as they are
    declared; those of a field without moves by how often they were taken, and it has no ends.
    """
    taken = np.bincount(sweep.after[sweep.after >= 0], minlength=len(sweep.values))
    numbers = sorted(range(len(sweep.values)), key=lambda number: (-int(taken[number]), sweep.values[number]))
    moves: Mapping[str, Any] | None = projection.field(sweep.field).moves
    if not moves:
        return numbers, []
    declared = {write_value(state): rank for rank, state in enumerate(_states(moves))}
    numbers.sort(key=lambda number: declared.get(sweep.values[number], len(declared)))
    ended = [number for number in numbers if sweep.values[number] in declared and _is_end(moves, sweep.values[number])]
    opened = [number for number in reversed(numbers) if number not in ended]
    return sorted(opened, key=lambda number: sweep.values[number] == NOTHING), ended


def _states(moves: Mapping[str, Sequence[str]]) -> list[str]:
    return list(dict.fromkeys((*moves, *(state for following in moves.values() for state in following))))


def _is_end(moves: Mapping[str, Sequence[str]], text: str) -> bool:
    return not moves.get(msgspec.json.decode(text), ())
