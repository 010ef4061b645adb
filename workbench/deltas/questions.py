"""What a session can be asked of proposals and decisions; what it takes to measure them is kept beside the log."""

import re
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from workbench.errors import DeltaMappingError, UnsupportedOnThisLogError
from workbench.replay.asking import Instant
from workbench.replay.questions import Questions

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

    from workbench.deltas.delta import Delta
    from workbench.deltas.figures.aggregates import Ask
    from workbench.deltas.mapping import DeltaMapping
    from workbench.deltas.measures.kept import Keeper
    from workbench.deltas.pairing.lifecycle import Lifecycle
    from workbench.deltas.past import Past
    from workbench.query.base import Relation


# A statement with one of these words may read the lifecycle of proposals, or what must be measured first.
READING: Final = re.compile(r"\b(?:proposals|decisions|requests|deltas|takings|measures)\b", re.IGNORECASE)
MEASURED: Final = re.compile(r"\b(?:deltas|takings|measures)\b", re.IGNORECASE)


class DeltaQuestions(Questions):
    """The questions of deltas. A log says by ``[deltas.NAME]`` which of its events are proposals and decisions."""

    _preparing: ContextVar[bool] = ContextVar("preparing", default=False)

    @abstractmethod
    def relations(self, *, stream_ids: Sequence[str] | None = None) -> "dict[str, Relation]":
        """Return what may stand in FROM, at the current snapshot; for given streams, from the layout by stream."""

    @cached_property
    def delta_mappings(self) -> "dict[str, DeltaMapping]":
        """The kinds of proposals the log's settings declare, by name. Raises DeltaMappingError."""
        from workbench.deltas.mapping import load_mappings

        return load_mappings(self.settings.deltas)

    def deltas(  # noqa: PLR0913 - the filters of the public surface, all keyword-only
        self,
        *,
        kinds: Sequence[str] = (),
        decisions: Sequence[str] = (),
        models: Sequence[str | None] = (),
        versions: Sequence[str | None] = (),
        persons: Sequence[str | None] = (),
        stream_ids: Sequence[str] = (),
        fields: Mapping[str, Sequence[str | None]] | None = None,
        since: Instant | None = None,
        until: Instant | None = None,
        edited_within: float | None = None,
        limit: int | None = None,
    ) -> "pl.DataFrame":
        """Return proposals with what people made of them, one row a proposal, by position.

        Columns: those of the relation `deltas` (docs/deltas.md): the proposal, the decision that counts, the measures
        of what became of it; nulls where there is nothing to measure. None among values means "none recorded".
        ``since`` and ``until`` cut on the time it was shown; ``edited_within`` puts the mapping's seconds aside.
        Raises ArgumentError, DeltaMappingError where the log declares no proposals.
        """
        from workbench.deltas.figures.filters import DeltaFilter, choose
        from workbench.query.events import read_instant

        self.check_deltas()
        chosen = choose(
            DeltaFilter(
                kinds=_listed(kinds),
                decisions=_listed(decisions),
                models=_listed(models),
                versions=_listed(versions),
                persons=_listed(persons),
                stream_ids=_listed(stream_ids),
                fields=fields or {},
                since=read_instant("since", since),
                until=read_instant("until", until),
                edited_within=edited_within,
            )
        )
        tail = "order by position" + ("" if limit is None else f" limit {int(limit)}")
        return self.ask(chosen.select("*", tail), chosen.parameters)

    def delta(self, position: int, *, at: int | None = None) -> "Delta":
        """Return one proposal, named by its position, with all that became of it, by ``at`` where that is given.

        Raises ArgumentError.
        """
        from workbench.deltas.delta import load_delta

        self.check_deltas()
        return load_delta(self, position, at=at)

    def asking_at(self, position: int | None) -> "Ask":
        """Return a way to ask for deltas as the log had them at a position, by default as they are.

        Pairing and measuring them takes as long as for the whole log, and is kept until another position is asked for.
        """
        if position is None or position >= self.head().last:
            return self.ask
        if self.engine.reads_tables:
            raise UnsupportedOnThisLogError(
                f"Deltas at position {position} are measured in process, and {self.engine.name} reads tables only. "
                "Open the log with engine duckdb, or ask for its head."
            )

        def ask(statement: str, parameters: Mapping[str, Any], _streams: Sequence[str] | None = None) -> "pl.DataFrame":
            return self._past.ask(position, statement, parameters)

        return ask

    @cached_property
    def _past(self) -> "Past":
        from workbench.deltas.past import Past

        return Past(self, self._edited_within)

    def ask(
        self, statement: str, parameters: Mapping[str, Any], stream_ids: Sequence[str] | None = None
    ) -> "pl.DataFrame":
        """Return all rows of one SELECT of the workbench's own, without the limit of rows that people's have.

        Given streams are read from the layout by stream.
        """
        return self._ask(statement, parameters, stream_ids)

    def check_deltas(self) -> None:
        """Raise DeltaMappingError where the log does not say which of its events are proposals."""
        if not self.delta_mappings:
            raise DeltaMappingError(
                f"The log {self.settings.name!r} does not say which of its events are proposals. Add a file to its "
                "folder `deltas`, or [deltas.NAME] to workbench.toml; docs/deltas.md shows how."
            )

    def _with_deltas(self, relations: "dict[str, Relation]") -> "dict[str, Relation]":
        """Return relations with those of proposals, as they are without mappings or positions.

        A mapping at fault is told where proposals are asked for; what else the log answers does not depend on it.
        """
        try:
            is_declared = bool(self.delta_mappings)
        except DeltaMappingError:
            is_declared = False
        if not is_declared or self.order != ("position",):
            return relations
        return relations | self._related | self._lifecycle.relate(relations["events"].version)

    @property
    def _edited_within(self) -> dict[str, float]:
        return {name: each.edited_within for name, each in self.delta_mappings.items() if each.edited_within}

    @cached_property
    def _related(self) -> "dict[str, Relation]":
        from workbench.deltas.measures.relation import relate_deltas

        keeper = self._keeper
        find = keeper.find if self.engine.reads_tables else None
        return relate_deltas(self._edited_within, model=keeper.wanted.id, read=self._read_measures, find=find)

    @cached_property
    def _lifecycle(self) -> "Lifecycle":
        from workbench.deltas.pairing.lifecycle import Lifecycle
        from workbench.deltas.pairing.relations import relate_lifecycle

        return Lifecycle(self.delta_mappings, relate_lifecycle(self.delta_mappings, self.registry))

    def _prepare_deltas(self, statement: str) -> None:
        """Pair and measure what a statement may read of proposals, before it is asked."""
        if self._preparing.get() or not READING.search(statement) or not self.delta_mappings:
            return
        token = self._preparing.set(True)
        try:
            if not self.engine.reads_tables:
                self._lifecycle.pair(self.relations()["events"].version, self.head().last, self._ask_among)
            if MEASURED.search(statement):
                self.bring_up_measures()
        finally:
            self._preparing.reset(token)

    def _ask_among(
        self, statement: str, parameters: Mapping[str, Any], stream_ids: Sequence[str] | None
    ) -> "pl.DataFrame":
        """Return all rows of a statement over the log, or over a log that had these streams alone."""
        from workbench.deltas.pairing.lifecycle import narrow_events

        if stream_ids is None:
            return self.ask(statement, parameters)
        return self._ask_kept(statement, parameters, narrow_events(self.relations(stream_ids=stream_ids), stream_ids))

    def _read_measures(self) -> "pa.Table":
        """Return the rows of `measures`, for an engine in process."""
        from workbench.deltas.measures.relation import MEASURE_COLUMNS

        return self._keeper.rows(self.head().last).select(list(MEASURE_COLUMNS)).to_arrow()

    @cached_property
    def _keeper(self) -> "Keeper":
        from workbench.deltas.mapping import hash_mappings
        from workbench.deltas.measures.kept import NAME, SHAPE, Keeper, Measured

        table = self._log.model_table(NAME, SHAPE)
        log = self.settings.name if table is None else table.log_id
        hashed = hash_mappings(self.delta_mappings)
        wanted = Measured(mappings=hashed, registry_hash=self.registry.hash, log=log)
        return Keeper(table, wanted, self._measure, in_tables=self.engine.reads_tables)

    def _measure(self, after: int, up_to: int) -> "pl.DataFrame":
        from workbench.deltas.measures.following import measure_since

        return measure_since(self.ask, self.delta_mappings, after, up_to)

    def bring_up_measures(self) -> int:
        """Measure what the log took in since, and return up to which position everything is measured.

        It is kept beside the log; where this session may not write there, in its memory. Answers of `deltas` do it
        themselves. Raises ReadOnlyLogError where the engine reads tables only and they cannot be written.
        """
        return self._keeper.bring_up(self.head().last) if self.delta_mappings else -1


def _listed(values: Sequence[Any]) -> Sequence[Any]:
    return [values] if isinstance(values, str) else values
