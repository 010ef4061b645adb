"""The deltas that choices leave, and asking for them so that what was asked can be shown."""

from collections.abc import Mapping
from typing import Any

import msgspec
import polars as pl

from workbench.deltas.filters import Chosen, DeltaFilter, choose
from workbench.session import Session
from workbench.views.deltas_choices import DeltasChoices


class Asking:
    """Asks a session and remembers the statements, which the page shows under SQL."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._statements: list[str] = []
        self.parameters: dict[str, Any] = {}

    def __call__(self, statement: str, parameters: Mapping[str, Any]) -> pl.DataFrame:
        """Return the rows of one SELECT."""
        self._statements.append(statement)
        self.parameters |= parameters
        return self._session.ask(statement, parameters)

    @property
    def sql(self) -> str:
        """Every statement that was asked, in order."""
        return ";\n\n".join(dict.fromkeys(self._statements))


def choose_deltas(choices: DeltasChoices, *, without: str | None = None) -> Chosen:
    """Return the deltas that choices leave, of those the log held at the link's position; ``without`` one filter."""
    kept = choices if without is None else choices.drop(without)
    chosen = choose(
        DeltaFilter(
            kinds=kept.kind,
            decisions=kept.decision,
            models=kept.model,
            versions=kept.version,
            persons=kept.person,
            reasons=kept.reason,
            stream_ids=kept.stream,
            fields=_fields(kept),
            since=kept.since,
            until=kept.until,
            distance=None if kept.low is None and kept.high is None else (kept.low or 0.0, _or(kept.high, 1.0)),
            edited=None
            if kept.removed is None and kept.inserted is None
            else (kept.removed or "", kept.inserted or ""),
            place=kept.place,
            first_change=_first_change(kept),
            text=kept.text,
            edited_within=None if kept.within is None else kept.within or -1.0,
        )
    )
    return chosen if kept.position is None else _held(chosen, kept.position)


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
    """Return only what stands at or below a position; decisions are those of today."""
    condition = "position <= :held_position"
    where = f"{chosen.where} and {condition}" if chosen.where else f" where {condition}"
    return msgspec.structs.replace(chosen, where=where, parameters={**chosen.parameters, "held_position": position})
