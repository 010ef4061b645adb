"""A field over all entities: how many have each value at a moment, over time, and who they are."""

from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock
from typing import Any, Final
from weakref import WeakKeyDictionary

import msgspec
import numpy as np

from workbench.errors import ArgumentError
from workbench.replay.facts import fetch_facts
from workbench.replay.folding.fact import Fact
from workbench.replay.projection import Projection
from workbench.session import Session
from workbench.views.as_of.choices import AsOfChoices
from workbench.views.as_of.log import choose_projection, find_cut
from workbench.views.as_of.sweep import Sweep, order_values, sweep_field
from workbench.views.timeline.choices import from_microseconds, to_microseconds

# Every event of the projection passes through Python once: two millions take about 20 s.
MOST_EVENTS: Final = 2_000_000
MOST_POINTS: Final = 400
MINUTE, DAY = 60_000_000, 86_400_000_000
POINTS: Final = tuple(MINUTE * minutes for minutes in (1, 5, 15, 60, 180, 360, 720, 1_440, 10_080, 43_200, 525_600))
KEPT: Final = 6

_known: WeakKeyDictionary[Session, OrderedDict[tuple[Any, ...], Sweep]] = WeakKeyDictionary()
_lock = Lock()


class Population(msgspec.Struct, frozen=True, kw_only=True):
    """A field's values over all entities.

    ``open_values`` and ``ended_values`` are numbers in the sweep's values, in the order in which they are shown;
    ``first`` and ``last`` the times of the first and the last change, in microseconds, ``point`` how far apart the
    points over time are.
    """

    projection: Projection
    sweep: Sweep
    position: int | None
    open_values: Sequence[int]
    ended_values: Sequence[int]
    first: int
    last: int
    point: int


def load_population(session: Session, choices: AsOfChoices) -> Population:
    """Return the field of ``choices`` over all entities; the first state machine where none is chosen.

    Raises ArgumentError for a projection without fields, and for more events than can be counted.
    """
    projection = choose_projection(session, choices.projection)
    if projection.is_open:
        raise ArgumentError(
            f"{projection.name} declares no fields, so none can be counted over all entities. Choose a declared "
            "projection, or look at one entity."
        )
    cut = find_cut(session, choices)
    sweep = load_sweep(session, projection, choices.field or default_field(projection), cut.up_to)
    open_values, ended = order_values(projection, sweep)
    first, last = (int(sweep.times[0]), int(sweep.times[-1])) if len(sweep.times) else (0, DAY)
    point = next((step for step in POINTS if (last - first) / step <= MOST_POINTS), POINTS[-1])
    return Population(
        projection=projection,
        sweep=sweep,
        position=cut.up_to,
        open_values=open_values,
        ended_values=ended,
        first=first,
        last=last,
        point=point,
    )


def default_field(projection: Projection) -> str:
    """Return the field that says most of a population: a state machine with ends, else the first field."""
    machines = [field for field in projection.fields if field.rule == "machine"]
    ranked = [*(field for field in machines if field.moves), *machines, *projection.fields]
    return ranked[0].name


def load_sweep(session: Session, projection: Projection, name: str, position: int | None) -> Sweep:
    """Return the changes of a field; those of the last few questions are kept."""
    key = (projection.hash, name, position)
    with _lock:
        kept = _known.setdefault(session, OrderedDict()).get(key)
    if kept is not None:
        return kept
    counted = sweep_field(projection, load_all(session, projection, position), name)
    with _lock:
        sweeps = _known[session]
        sweeps[key] = counted
        while len(sweeps) > KEPT:
            sweeps.popitem(last=False)
    return counted


def load_all(session: Session, projection: Projection, position: int | None) -> list[Fact]:
    """Return every event of a projection up to a position. Raises ArgumentError beyond two millions."""
    conditions, parameters = ["position <= :up_to"], {"up_to": -1 if position is None else position}
    types = projection.event_types
    if types is not None:
        wanted = (*types, *(projection.cancels.event_types if projection.cancels else ()))
        named: dict[str, Any] = {f"type_{number}": name for number, name in enumerate(wanted)}
        conditions.append(f"event_type in ({', '.join(f':{name}' for name in named)})")
        parameters |= named
    ask = session._ask  # noqa: SLF001 - what the session's own questions read
    counted = ask(f"select count(*) as n from events where {' and '.join(conditions)}", parameters, None).item()  # noqa: S608 - our own names, values bound
    if counted > MOST_EVENTS:
        raise ArgumentError(
            f"{projection.name} counts {counted:,} events, and a population over time is counted for {MOST_EVENTS:,} "
            "at most. Ask session.state(…, as_of=…) for one moment, or look at one entity."
        )
    return fetch_facts(ask, conditions, parameters, None)


def count_moment(population: Population, at: int) -> list[dict[str, Any]]:
    """Return each value's count at a time and seven days before: value, entities, week_before, ended."""
    now, then = (population.sweep.count_at(moment) for moment in (at, at - 7 * DAY))
    ended = set(population.ended_values)
    return [
        {
            "value": population.sweep.values[number],
            "entities": int(now[number]),
            "week_before": int(then[number]),
            "ended": number in ended,
        }
        for number in (*population.open_values, *population.ended_values)
    ]


def moment_of(population: Population, choices: AsOfChoices) -> int:
    """Return the moment chosen in microseconds, the last change's without one."""
    return population.last if choices.as_of is None else to_microseconds(choices.as_of)


def next_change(population: Population, at: int, direction: str) -> int:
    """Return the time of the change ``forward`` or ``back`` of a moment; the moment itself where there is none."""
    times = population.sweep.times
    if direction == "forward":
        found = int(np.searchsorted(times, at, side="right"))
        return int(times[found]) if found < len(times) else at
    if direction == "back":
        found = int(np.searchsorted(times, at, side="left")) - 1
        return int(times[found]) if found >= 0 else at
    return at


def find_position(session: Session, population: Population, at: int) -> int | None:
    """Return the greatest position of what had happened by a moment."""
    found = session.sql(
        "select max(position) as position from events where occurred_at <= :at and position <= :up_to",
        {"at": from_microseconds(at), "up_to": population.position},
    ).item()
    return None if found is None else int(found)
