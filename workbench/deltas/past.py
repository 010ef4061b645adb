"""Deltas as the log had them at an earlier position: paired and measured once, kept until another is asked for."""

import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec
import polars as pl

from workbench.deltas.measures.following import measure_since
from workbench.deltas.measures.relation import MEASURE_COLUMNS, relate_deltas
from workbench.deltas.pairing.lifecycle import Lifecycle
from workbench.deltas.pairing.relations import relate_lifecycle
from workbench.query.base import Relation

if TYPE_CHECKING:
    from workbench.deltas.questions import DeltaQuestions

Relations = dict[str, Relation]
EVENTS: Final = ("events_stored", "events")
_GROWN: Final = "select distinct stream_id from events_stored where position > :after order by stream_id"
_KEPT: Final = f"select {', '.join(MEASURE_COLUMNS)} from measures where decision_position <= :last"  # noqa: S608 - our own names


class Past:
    """The log as it was at the position that was asked for last."""

    def __init__(self, session: "DeltaQuestions", edited_within: Mapping[str, float]) -> None:
        self._session = session
        self._edited_within = edited_within
        self._lock = threading.Lock()
        self._kept: tuple[int, Relations] | None = None

    def ask(self, position: int, statement: str, parameters: Mapping[str, Any]) -> pl.DataFrame:
        """Return all rows of a statement over what the log held at a position."""
        relations = self._session.relations()
        return self._ask(statement, parameters, cut_events(relations, position) | self._relate(position, relations))

    def _ask(self, statement: str, parameters: Mapping[str, Any], relations: Relations) -> pl.DataFrame:
        return self._session._ask_kept(statement, parameters, relations)  # noqa: SLF001 - a part of the session

    def _relate(self, position: int, relations: Relations) -> Relations:
        """Return the relations of deltas at a position: what stands up to it stays as it is when the log grows."""
        with self._lock:
            if self._kept is None or self._kept[0] != position:
                self._kept = None
                self._kept = position, self._make(position, relations)
            return self._kept[1]

    def _make(self, position: int, relations: Relations) -> Relations:
        mappings, cut = self._session.delta_mappings, cut_events(relations, position)
        lifecycle = Lifecycle(mappings, relate_lifecycle(mappings, self._session.registry, up_to=position))

        def ask(statement: str, parameters: Mapping[str, Any], _streams: Sequence[str] | None = None) -> pl.DataFrame:
            return self._ask(statement, parameters, cut | lifecycle.relate("past"))

        lifecycle.pair("past", position, ask)
        paired = lifecycle.relate("past")
        rows = self._measure(position, cut | paired).select(list(MEASURE_COLUMNS)).to_arrow()
        measured = relate_deltas(self._edited_within, model=f"at-{position}", read=lambda: rows, find=None)
        return paired | measured

    def _measure(self, position: int, relations: Relations) -> pl.DataFrame:
        """Return the measures at a position: of streams that have grown since anew, of the others as they are kept."""
        mappings, narrowed, kept = self._session.delta_mappings, dict(relations), pl.DataFrame()
        paired = relations["proposals"]
        if paired.arrow is not None:
            grown = self._session.ask(_GROWN, {"after": position})["stream_id"].to_list()
            proposals = pl.DataFrame(paired.arrow())
            is_grown = pl.col("stream_id").is_in(grown)
            still = proposals.filter(~is_grown).select("kind", pl.col("position").alias("proposal_position"))
            kept = self._session.ask(_KEPT, {"last": position}).join(still, on=still.columns, how="semi")
            narrowed["proposals"] = msgspec.structs.replace(paired, arrow=proposals.filter(is_grown).to_arrow)

        def ask(statement: str, parameters: Mapping[str, Any], _streams: Sequence[str] | None = None) -> pl.DataFrame:
            return self._ask(statement, parameters, narrowed)

        anew = measure_since(ask, mappings, -1, position).select(list(MEASURE_COLUMNS))
        return pl.concat([kept, anew], how="vertical_relaxed") if kept.height else anew


def cut_events(relations: Relations, position: int) -> Relations:
    """Return relations whose events are those up to a position, so that whatever is made of them is of these."""
    found = dict(relations)
    for name in EVENTS:
        whole = relations[name]
        if whole.select is None:
            select = f"select {', '.join(whole.columns)} from all_{name} where position <= {int(position)}"  # noqa: S608 - our own words
            found[f"all_{name}"] = msgspec.structs.replace(whole, name=f"all_{name}")
            version = f"{whole.version}-{int(position)}"
            found[name] = Relation(name=name, columns=whole.columns, version=version, select=select)
    return found
