"""The population of a field out of a model's steps: an edge's counts, and the steps behind it up to an instant."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from workbench.query.base import Relation
from workbench.replay.folding.cut import Cut
from workbench.replay.folding.fact import Fact
from workbench.replay.models.facts import Ask, fetch_groups, find_touched
from workbench.replay.models.reading import MANY, AskKept, Nearest, relate
from workbench.replay.population.spread import POPULATION, sum_counts
from workbench.replay.population.steps import Sweep
from workbench.replay.projection import Projection

if TYPE_CHECKING:
    from collections.abc import Iterable

_END: Final = datetime(9999, 12, 31, tzinfo=UTC)


def reached_segment(nearest: Nearest, cut: Cut) -> int | None:
    """Return the last position up to which the steps of a model are within a cut."""
    within = [each for each in nearest.model.segments if cut.up_to is None or each <= cut.up_to]
    return max(within, default=None)


class KeptPopulation:
    """One field's population at any instant, of the events up to a position."""

    def __init__(self, ask_kept: AskKept, nearest: Nearest, field: str, reached: int) -> None:
        self._ask_kept, self._model, self._field = ask_kept, nearest.model.id, field
        self._segments = [each for each in nearest.model.segments if each <= reached]
        self._relations: dict[str, Relation] = {}
        for number, segment in enumerate(self._segments):
            for part in ("steps", "edges"):
                key, name = (self._model, field, part, str(segment)), f"{part}_{number}"
                self._relations[name] = relate(nearest.table, nearest.reading, key, name)
        # Of the streams that later events touch: their events, and up to which position they are in the steps.
        self._later: Sequence[Sequence[Fact]] = ()
        self._sweep: Sweep | None = None
        self._reached = reached

    def correct(self, ask: Ask, projection: Projection, up_to: int) -> bool:
        """Take in what happened behind the steps, up to a position; tell whether that were few enough streams."""
        if up_to <= self._reached:
            return True
        names = find_touched(ask, projection, after=self._reached, up_to=up_to)
        if len(names) > MANY:
            return False
        groups: Iterable[Mapping[str, list[Fact]]] = fetch_groups(ask, projection, up_to, names) if names else ()
        self._later = [facts for group in groups for facts in group.values()]
        self._sweep = Sweep(projection, [self._field])
        return True

    def count_at(self, moment: datetime | None) -> pl.DataFrame:
        """Return the population at an instant (None: of everything): value (JSON text), count."""
        moment = moment or _END
        parameters: dict[str, Any] = {"model": self._model, "field": self._field, "moment": moment}
        parameters |= {f"segment_{number}": segment for number, segment in enumerate(self._segments)}
        reached = self._find_edges(parameters)
        parts = []
        for number in range(len(self._segments)):
            since = reached.get(number)
            if since is not None:
                parameters[f"since_{number}"] = since
                parts.append(f"{self._select(number, 'edges', 'value, count')} and occurred_at = :since_{number}")
            behind = "" if since is None else f" and occurred_at > :since_{number}"
            parts.append(f"{self._select(number, 'steps', 'value, count')} and occurred_at <= :moment{behind}")
        text = f"select value, sum(count) as count from ({' union all '.join(parts)}) as spread group by value"  # noqa: S608 - our own names; values are bound
        counted = self._ask_kept(text, parameters, self._relations)
        counted = counted.select(pl.col("value"), pl.col("count").cast(pl.Int64))
        return sum_counts(pl.concat([counted, self._corrections(moment)]))

    def _find_edges(self, parameters: Mapping[str, Any]) -> dict[int, datetime | None]:
        """Return, by the segment's number, the last edge up to the moment."""
        selects = [
            self._select(number, "edges", f"{number} as number, max(occurred_at) as reached")
            for number in range(len(self._segments))
        ]
        text = " union all ".join(f"{select} and occurred_at <= :moment" for select in selects)
        return dict(self._ask_kept(text, parameters, self._relations).rows())

    def _select(self, number: int, part: str, columns: str) -> str:
        return (
            f"select {columns} from {part}_{number} "  # noqa: S608 - our own names; values are bound
            f"where model = :model and field = :field and part = '{part}' and segment = :segment_{number}"
        )

    def _corrections(self, moment: datetime) -> pl.DataFrame:
        """Return what the events behind the steps change of the population at an instant."""
        values: list[str] = []
        counts: list[int] = []
        for facts in self._later:
            known = [fact for fact in facts if fact.occurred_at <= moment]
            for sign, taken in ((1, known), (-1, [fact for fact in known if fact.position <= self._reached])):
                value = self._value_of(taken)
                if value is not None:
                    values.append(value)
                    counts.append(sign)
        return pl.DataFrame({"value": values, "count": counts}, schema=POPULATION)

    def _value_of(self, facts: Sequence[Fact]) -> str | None:
        last = None
        for _, _, after in self._sweep.find_changes(facts) if self._sweep is not None else ():
            last = after
        return None if last is None else last[0]
