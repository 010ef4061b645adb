"""The deltas that choices leave, and asking for them so that what was asked can be shown."""

from collections.abc import Mapping
from typing import Any

import msgspec
import polars as pl

from workbench.deltas.figures.filters import Chosen, DeltaFilter, choose
from workbench.session import Session
from workbench.views.deltas.choices import DeltasChoices


class Asking:
    """Asks a session and remembers the statements, which the page shows under SQL.

    With a position everything is as the log had it then; on an engine that reads tables as it is now.
    """

    def __init__(self, session: Session, position: int | None = None) -> None:
        self._ask = session.asking_at(position if holds_past(session) else None)
        self._statements: list[str] = []
        self.parameters: dict[str, Any] = {}

    def __call__(self, statement: str, parameters: Mapping[str, Any]) -> pl.DataFrame:
        """Return the rows of one SELECT."""
        self._statements.append(statement)
        self.parameters |= parameters
        return self._ask(statement, parameters)

    @property
    def sql(self) -> str:
        """Every statement that was asked, in order."""
        return ";\n\n".join(dict.fromkeys(self._statements))


def holds_past(session: Session) -> bool:
    """Tell whether decisions and measures can be had as they were at an earlier position."""
    return not session.engine.reads_tables


def choose_deltas(choices: DeltasChoices, *, without: str | None = None) -> Chosen:
    """Return the deltas that choices leave, of those the log held at the link's position; ``without`` one filter."""
    kept = choices if without is None else choices.drop(without)
    chosen = choose(make_filter(kept))
    return chosen if kept.position is None else _held(chosen, kept.position)


def make_filter(choices: DeltasChoices) -> DeltaFilter:
    """Return the filter that choices are, whatever the link's position."""
    has_distance = choices.low is not None or choices.high is not None
    has_edit = choices.removed is not None or choices.inserted is not None
    return DeltaFilter(
        kinds=choices.kind,
        decisions=choices.decision,
        models=choices.model,
        versions=choices.version,
        persons=choices.person,
        reasons=choices.reason,
        stream_ids=choices.stream,
        fields=_fields(choices),
        since=choices.since,
        until=choices.until,
        distance=(choices.low or 0.0, _or(choices.high, 1.0)) if has_distance else None,
        edited=(choices.removed or "", choices.inserted or "") if has_edit else None,
        place=choices.place,
        first_change=_first_change(choices),
        text=choices.text,
        edited_within=None if choices.within is None else choices.within or -1.0,
    )


def _or(value: float | None, default: float) -> float:
    return default if value is None else value


def _fields(choices: DeltasChoices) -> dict[str, list[str | None]]:
    fields: dict[str, list[str | None]] = {}
    for name, value in choices.field:
        fields.setdefault(name, []).append(value)
    return fields


def _first_change(choices: DeltasChoices) -> tuple[float, float | None] | None:
    if choices.after is None and choices.by is None:
        return None
    return choices.after or 0.0, choices.by


def _held(chosen: Chosen, position: int) -> Chosen:
    """Return only what stands at or below a position, where the rest of the answer may not be of then."""
    condition = "position <= :held_position"
    where = f"{chosen.where} and {condition}" if chosen.where else f" where {condition}"
    return msgspec.structs.replace(chosen, where=where, parameters={**chosen.parameters, "held_position": position})
