"""What replay needs of a session, and what its questions share: projections by name, moments, events of entities."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from workbench.errors import ArgumentError, UnknownEntityError, UnknownProjectionError, UnsupportedOnThisLogError

if TYPE_CHECKING:
    import polars as pl

    from workbench.config import Settings
    from workbench.decode.registry import Registry
    from workbench.event import Event
    from workbench.eventlog import Head
    from workbench.replay.folding.cut import Cut
    from workbench.replay.folding.fact import Fact
    from workbench.replay.projection import Projection

Instant = datetime | str
NEAREST = 3


class Asking(ABC):
    """What a session can be asked of states. A projection is given as a value, or by the name it is declared under."""

    settings: "Settings"
    registry: "Registry"

    @property
    @abstractmethod
    def order(self) -> tuple[str, ...]:
        """The columns that order the log."""

    @abstractmethod
    def head(self) -> "Head":
        """Return up to where the log reaches."""

    @abstractmethod
    def resolve_known_at(self, known_at: Instant) -> int:
        """Return the position of the last event the log had recorded at a time."""

    @abstractmethod
    def _ask(
        self, statement: str, parameters: Mapping[str, Any], stream_ids: Sequence[str] | None = None
    ) -> "pl.DataFrame":
        """Return the rows of one SELECT; given streams are read from the layout by stream."""

    @cached_property
    def _declared(self) -> "dict[str, Projection]":
        from workbench.replay.declaration import load_projections

        return load_projections(self.settings.projections)

    def projections(self) -> "dict[str, Projection]":
        """Return the projections there are, by name and, of several versions, by ``name@version``.

        They are the TOML files of the folder ``projections`` beside the log, and ``document``, the last value of every
        top-level member, which any log has. Raises ProjectionError.
        """
        return dict(self._declared)

    def projection(self, named: "str | Projection") -> "Projection":
        """Return a projection by its name, or the one given. Raises UnknownProjectionError, ProjectionError."""
        if not isinstance(named, str):
            return named
        try:
            return self._declared[named]
        except KeyError:
            raise UnknownProjectionError(
                f"There is no projection {named!r}; there are {', '.join(self._declared)}. Declare it in a TOML file "
                "of the folder projections beside the log."
            ) from None

    def _moment(self, as_of: Instant | None, known_at: Instant | None, position: int | None) -> "Cut":
        """Return the cut that the arguments of a question mean. Raises ArgumentError for a position past the head."""
        from workbench.query.events import read_instant
        from workbench.replay.folding.cut import Cut

        if self.order != ("position",):
            raise UnsupportedOnThisLogError(
                "A state rests on the order of its events by position, and this mapped log has none. Map a column of "
                "whole numbers that grow with each event to position."
            )
        limits = [] if known_at is None else [self.resolve_known_at(known_at)]
        if position is not None:
            limits.append(self._check_position(position))
        return Cut(as_of=read_instant("as_of", as_of), up_to=min(limits, default=None))

    def _check_position(self, position: int) -> int:
        """Return a position that is in the log. Raises ArgumentError naming those that are."""
        head = self.head().position
        if head is not None and 0 <= position <= head:
            return position
        found = "which is empty" if head is None or head < 0 else f"whose positions are 0 to {head}"
        raise ArgumentError(f"position={position} is not in the log, {found}. Leave it out for the head.")

    def _facts(self, named: "str | Projection", entity: str, cut: "Cut") -> "tuple[Projection, list[Fact]]":
        """Return a projection and the events of one entity in a cut. Raises UnknownEntityError where there are none."""
        from workbench.replay.facts import load_facts
        from workbench.replay.folding.fold import name_entities

        projection = self.projection(named)
        facts = load_facts(self._ask, projection, [entity], cut)
        if not any(entity in name_entities(projection, fact) for fact in facts):
            self._explain_absence(projection, entity, cut)
        return projection, facts

    def _explain_absence(self, projection: "Projection", entity: str, cut: "Cut") -> None:
        """Raise UnknownEntityError saying since when there is such an entity, or which names are nearest."""
        from workbench.decode.times import write_time
        from workbench.replay.facts import load_facts
        from workbench.replay.folding.cut import Cut
        from workbench.replay.folding.fold import name_entities

        facts = load_facts(self._ask, projection, [entity], Cut())
        mine = [fact for fact in facts if entity in name_entities(projection, fact)]
        if not mine:
            raise UnknownEntityError(f"No event touches {entity!r}{self._nearest(projection, entity)}.")
        first = min(mine, key=lambda fact: fact.occurred_at)
        lowest = min(fact.position for fact in mine)
        before = f"before {write_time(first.occurred_at)}"
        if cut.up_to is not None and cut.up_to < lowest:
            before = f"before position {lowest}"
        raise UnknownEntityError(
            f"{entity} has no events that count {before} for the projection {projection.name}. Ask for a later moment."
        )

    def _nearest(self, projection: "Projection", entity: str) -> str:
        """Return the names next to an unknown one, as the end of a sentence; nothing where a search is too wide."""
        if not projection.is_by_stream:
            return ""
        names = []
        for comparison, order in (("<", "desc"), (">", "asc")):
            statement = (
                f"select stream_id from events_stored where stream_id {comparison} :entity "  # noqa: S608 - our own words
                f"group by stream_id order by stream_id {order} limit {NEAREST}"
            )
            names += self._ask(statement, {"entity": entity})["stream_id"].to_list()
        return f"; the nearest names are {', '.join(sorted(names))}" if names else "; the log is empty"

    def _entities(
        self, projection: "Projection", stream_id: str | None, without: "Sequence[str]", assumed: "Sequence[Fact]"
    ) -> list[str]:
        """Return the entities a hypothesis is about: the one given, else those that its events touch."""
        from workbench.replay.facts import fetch_facts
        from workbench.replay.folding.fold import name_entities
        from workbench.replay.what_if import check_known

        if stream_id is not None:
            return [stream_id]
        named = {f"event_{number}": event_id for number, event_id in enumerate(without)}
        found = []
        if named:
            found = fetch_facts(self._ask, [f"event_id in ({', '.join(f':{name}' for name in named)})"], named, None)
        check_known(found, without)
        entities = [name for fact in (*found, *assumed) for name in name_entities(projection, fact)]
        if not entities:
            raise ArgumentError(
                "Name what the question is about: stream_id, events that are set aside, or events added."
            )
        return list(dict.fromkeys(entities))

    def _assume(self, events: "Sequence[Event]") -> "list[Fact]":
        """Return events as if they stood behind the head, lifted to their types' current versions."""
        from workbench.decode import encode_events
        from workbench.replay.facts import assume_rows

        if not events:
            return []
        rows = encode_events(events, self.settings.log.source)
        return assume_rows(rows, self.registry, behind=self.head().position)

    def _reread(self, facts: "list[Fact]", decoders: "str | Registry | None") -> "list[Fact]":
        """Return the events with their payloads as stored, lifted by another registry where one is given."""
        from workbench.decode.registry import EMPTY
        from workbench.replay.facts import reread_facts

        if decoders is None:
            return facts
        if isinstance(decoders, str) and decoders != "stored":
            raise ArgumentError(f'decoders={decoders!r} is not possible. Give a Registry, or "stored".')
        return reread_facts(self._ask, facts, EMPTY if isinstance(decoders, str) else decoders)
