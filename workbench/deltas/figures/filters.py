"""Which deltas are meant, as a relation to stand in FROM; values are always bound."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from workbench.deltas.columns import DELTA_COLUMNS
from workbench.errors import ArgumentError
from workbench.replay.folding.paths import Path
from workbench.replay.sql.expressions import quote_path

# Argument → column of `deltas`.
MATCHED: Final = {
    "kinds": "kind",
    "decisions": "decision",
    "models": "model",
    "versions": "version",
    "persons": "person",
    "reasons": "reason",
    "stream_ids": "stream_id",
}
_CHANGED: Final = "first_change >= :changed_from and first_change <= :changed_to"
_UNTOUCHED: Final = "characters_taken is not null and (first_change is null or first_change > :changed_from)"
DECISIONS: Final = ("accepted", "edited", "rejected", "pending", "expired", "superseded")


class DeltaFilter(msgspec.Struct, frozen=True, kw_only=True):
    """What narrows the deltas of an answer; nothing narrows nothing.

    The sequences hold values of which one must match, None for "none recorded". ``since`` and ``until`` cut on the time
    a proposal was shown, [since, until). ``fields`` are further columns of the mapping by name. ``distance`` is the
    least and the greatest, both inclusive; ``edited`` a substitution (deleted, inserted) that a delta must hold;
    ``place`` a tenth of the proposal (0 to 9) in which words were changed; ``first_change`` from which second to which
    the text was changed first, both inclusive, up to None: not before that second, or never. ``edited_within`` puts the
    mapping's own time in seconds aside; below 0 decisions are as the log has them.
    """

    kinds: Sequence[str] = ()
    decisions: Sequence[str] = ()
    models: Sequence[str | None] = ()
    versions: Sequence[str | None] = ()
    persons: Sequence[str | None] = ()
    reasons: Sequence[str | None] = ()
    stream_ids: Sequence[str] = ()
    fields: Mapping[str, Sequence[str | None]] = {}
    since: datetime | None = None
    until: datetime | None = None
    distance: tuple[float, float] | None = None
    edited: tuple[str, str] | None = None
    place: int | None = None
    first_change: tuple[float, float | None] | None = None
    text: str | None = None
    edited_within: float | None = None

    def __post_init__(self) -> None:
        """Raise ArgumentError for a decision that is none."""
        for decision in self.decisions:
            if decision not in DECISIONS:
                raise ArgumentError(f"{decision!r} is no decision; there are {', '.join(DECISIONS)}.")


class Chosen(msgspec.Struct, frozen=True):
    """The deltas that a filter leaves: a WHERE clause, the values it binds, and what decisions are judged by."""

    where: str
    parameters: Mapping[str, Any]
    is_judged: bool = False

    def select(self, columns: str, tail: str = "", *, relation: str = "deltas") -> str:
        """Return a statement over the rows of `deltas`, or of `takings`, that are left.

        >>> choose(DeltaFilter(models=["m1"])).select("count(*) as proposals")
        'select count(*) as proposals from (select * from deltas where model = :model_0) as chosen'
        """
        return f"select {columns} from (select * from {self._rows(relation)}{self.where}) as chosen {tail}".rstrip()  # noqa: S608 - our own words; values are bound

    def _rows(self, relation: str) -> str:
        if not self.is_judged:
            return relation
        others = ", ".join(name for name in DELTA_COLUMNS if name != "decision")
        judged = "case when decided = 'accepted' and first_change <= :edited_within then 'edited' else decided end"
        return f"(select {others}, {judged} as decision from {relation}) as judged"  # noqa: S608 - the same


def choose(wanted: DeltaFilter) -> Chosen:
    """Return the deltas that a filter leaves. Raises ArgumentError for a field whose name no path can hold."""
    conditions: list[str] = []
    parameters: dict[str, Any] = {}
    for argument, column in MATCHED.items():
        _match(conditions, parameters, (column, column), getattr(wanted, argument))
    for number, (name, values) in enumerate(wanted.fields.items()):
        _match(conditions, parameters, (field_at(name), f"field_{number}"), values)
    for name, comparison in (("since", ">="), ("until", "<")):
        if getattr(wanted, name) is not None:
            conditions.append(f"shown_at {comparison} :{name}")
            parameters[name] = getattr(wanted, name)
    _match_measures(conditions, parameters, wanted)
    if wanted.edited_within is not None:
        parameters["edited_within"] = float(wanted.edited_within)
    where = f" where {' and '.join(conditions)}" if conditions else ""
    return Chosen(where, parameters, wanted.edited_within is not None)


def _match_measures(conditions: list[str], parameters: dict[str, Any], wanted: DeltaFilter) -> None:
    if wanted.distance is not None:
        parameters["nearest"], parameters["farthest"] = map(float, wanted.distance)
        conditions.append("distance >= :nearest and distance <= :farthest")
    if wanted.place is not None:
        conditions.append(f"json_extract_scalar(places, '$[{int(wanted.place)}][1]') <> '0'")
    if wanted.first_change is not None:
        low, high = wanted.first_change
        parameters["changed_from"] = float(low)
        conditions.append(_CHANGED if high is not None else _UNTOUCHED)
        if high is not None:
            parameters["changed_to"] = float(high)
    if wanted.text:
        parameters["text"] = wanted.text
        conditions.append("(strpos(lower(content), lower(:text)) > 0 or strpos(lower(value), lower(:text)) > 0)")
    if wanted.edited is not None:
        parameters["substitution"] = msgspec.json.encode(wanted.edited).decode()
        conditions.append("strpos(edits, :substitution) > 0")


def field_at(name: str) -> str:
    """Return the expression of a further column of the mapping, as text. Raises ArgumentError."""
    quoted = quote_path(Path("data", (name,)))
    if quoted is None:
        raise ArgumentError(f"No field can be called {name!r}. The mapping's `fields` lists those there are.")
    return f"json_extract_scalar(fields, {quoted})"


def _match(
    conditions: list[str], parameters: dict[str, Any], named: tuple[str, str], values: Sequence[str | None]
) -> None:
    column, name = named
    if not values:
        return
    present = {f"{name}_{number}": value for number, value in enumerate(values) if value is not None}
    parts = []
    if present:
        listed = ", ".join(f":{each}" for each in present)
        parts.append(f"{column} = {listed}" if len(present) == 1 else f"{column} in ({listed})")
    if len(present) < len(values):
        parts.append(f"{column} is null")
    parameters.update(present)
    conditions.append(f"({' or '.join(parts)})" if len(parts) > 1 else parts[0])
