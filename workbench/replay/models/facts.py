"""The events that models are made of, some entities at a time, so that memory does not grow with the log."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final
from zlib import crc32

import polars as pl

from workbench.replay.folding.cut import Cut
from workbench.replay.folding.fact import Fact
from workbench.replay.models.checkpoints import group_facts
from workbench.replay.projection import Projection
from workbench.replay.sql.expressions import Filter
from workbench.replay.states.fold import columns_of, fetch, needed_columns, where_of

# Events at a time: some 100 MB as Python values.
BATCH: Final = 200_000
# Names in one statement.
NAMES: Final = 500

Groups = dict[str, list[Fact]]
# Runs a statement with parameters; ``stream_ids`` allows the layout by stream.
Ask = Callable[..., pl.DataFrame]
# A condition over the events named ``e``, and its parameters.
Condition = tuple[str, Mapping[str, Any]]


def read_types(projection: Projection) -> tuple[str, ...] | None:
    """Return the types of events that matter, cancels among them; None where all do."""
    if projection.event_types is None:
        return None
    cancels = () if projection.cancels is None else projection.cancels.event_types
    return tuple(sorted({*projection.event_types, *cancels}))


def read_columns(projection: Projection) -> tuple[str, ...]:
    """Return the columns of events that a fold and its cancels read."""
    target = [] if projection.cancels is None else [projection.cancels.target]
    return tuple(dict.fromkeys((*needed_columns(projection), *columns_of(target))))


def fetch_matters(ask: Ask, projection: Projection, cut: Cut, condition: Condition = ("true", {})) -> list[Fact]:
    """Return the events that matter of a cut, by position, for which a condition over ``e`` holds too."""
    wanted = Filter(cut=cut, event_types=read_types(projection))
    return fetch(ask, read_columns(projection), wanted, within=(condition[0], dict(condition[1])))


def fetch_stream(ask: Ask, projection: Projection, cut: Cut, stream: str, *behind: Condition) -> list[Fact]:
    """Return the events of one stream that matter, from the layout by stream."""
    text = " and ".join(["e.stream_id = :stream", *(condition for condition, _ in behind)])
    bound = {"stream": stream, **{name: value for _, named in behind for name, value in named.items()}}
    return fetch_matters(_reading(ask, [stream]), projection, cut, (text, bound))


def find_touched(ask: Ask, projection: Projection, *, after: int, up_to: int) -> list[str]:
    """Return the entities that events behind a position, and up to another, touch."""
    if projection.is_by_stream:
        where, parameters = Filter(cut=Cut(up_to=up_to), event_types=read_types(projection)).conditions("e")
        where.append("e.position > :after")
        text = f"select e.stream_id from events_stored as e{where_of(where)} group by 1 order by 1"  # noqa: S608 - our own names
        return [str(name) for name in ask(text, {**parameters, "after": after})["stream_id"].to_list()]
    tail = fetch_matters(ask, projection, Cut(up_to=up_to), ("e.position > :after", {"after": after}))
    return sorted(group_facts(projection, tail))


def count_matters(ask: Ask, projection: Projection, up_to: int) -> int:
    """Return how many events up to a position matter."""
    where, parameters = Filter(cut=Cut(up_to=up_to), event_types=read_types(projection)).conditions("e")
    return int(ask(f"select count(*) as events from events_stored as e{where_of(where)}", parameters).item())  # noqa: S608 - our own names


def fetch_groups(ask: Ask, projection: Projection, up_to: int, names: Sequence[str] | None) -> Iterator[Groups]:
    """Yield the events up to a position by entity, every entity once and whole; of some entities where they are named.

    Streams are read from the layout by stream, a range of names at a time. Other entities need every event each time,
    so that as many are gathered at once as memory holds.
    """
    cut = Cut(up_to=up_to)
    if projection.is_by_stream:
        for wanted, condition in find_streams(ask, projection, up_to, names):
            yield group_facts(projection, fetch_matters(_reading(ask, wanted), projection, cut, condition))
        return
    passes = -(-count_matters(ask, projection, up_to) // (10 * BATCH)) or 1
    some = None if names is None else frozenset(names)
    for number in range(passes):
        groups: Groups = {}
        for low in range(0, up_to + 1, BATCH):
            page = ("e.position >= :low and e.position < :high", {"low": low, "high": low + BATCH})
            for name, group in group_facts(projection, fetch_matters(ask, projection, cut, page)).items():
                if crc32(name.encode()) % passes == number and (some is None or name in some):
                    groups.setdefault(name, []).extend(group)
        yield groups


def _reading(ask: Ask, streams: Sequence[str]) -> Ask:
    return lambda text, parameters: ask(text, parameters, stream_ids=list(streams))


def find_streams(
    ask: Ask, projection: Projection, up_to: int, names: Sequence[str] | None
) -> Iterator[tuple[list[str], Condition]]:
    """Yield batches of streams and the condition that chooses them: a range of all names, or those named."""
    if names is not None:
        for start in range(0, len(names), NAMES):
            part = list(names[start : start + NAMES])
            bound = {f"name_{number}": name for number, name in enumerate(part)}
            yield part, (f"e.stream_id in ({', '.join(f':{name}' for name in bound)})", bound)
        return
    where, parameters = Filter(cut=Cut(up_to=up_to), event_types=read_types(projection)).conditions("e")
    text = f"select e.stream_id, count(*) as events from events_stored as e{where_of(where)} group by 1 order by 1"  # noqa: S608 - our own names
    part, total = list[str](), 0
    for name, events in ask(text, parameters).iter_rows():
        if part and total + events > BATCH:
            yield part, _range(part)
            part, total = [], 0
        part.append(name)
        total += events
    if part:
        yield part, _range(part)


def _range(part: Sequence[str]) -> Condition:
    return "e.stream_id >= :low and e.stream_id <= :high", {"low": part[0], "high": part[-1]}
