"""Choices as the WHERE of a statement, values always bound. Envelope filters never touch the payload."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from workbench.views.timeline.choices import Filter, TimelineChoices

# Where text is looked for, ignoring case: as `session.events(text=…)` does. Of these only `data` is the payload.
SEARCHED: Final = ("data", "event_type", "stream_id", "actor_id", "event_id")


class Where(msgspec.Struct, frozen=True):
    """A WHERE clause (empty when nothing narrows) and the values of its parameters."""

    text: str
    parameters: Mapping[str, Any]

    def select(self, columns: str, tail: str = "", *, relation: str = "events") -> str:
        """Return the statement that reads ``columns`` of the events this clause leaves."""
        return "\n".join(line for line in (f"select {columns}", f"from {relation}", self.text, tail) if line)

    def also(self, condition: str, **parameters: Any) -> "Where":
        """Return this clause narrowed by one more condition."""
        text = f"{self.text} and {condition}" if self.text else f"where {condition}"
        return Where(text, {**self.parameters, **parameters})


def match_choices(choices: TimelineChoices, *, without: str | None = None) -> Where:
    """Return the clause that leaves the events of ``choices``, leaving out what is chosen for ``without``."""
    chosen = choices.drop(without) if without else choices
    where = Where("", {})
    if chosen.position is not None:
        where = where.also("position <= :known_position", known_position=chosen.position)
    if chosen.since is not None:
        where = where.also("occurred_at >= :since", since=chosen.since)
    if chosen.until is not None:
        where = where.also("occurred_at < :until", until=chosen.until)
    for number, each in enumerate(chosen.filters):
        where = _match_field(where, each, number)
    if chosen.text:
        found = " or ".join(f"strpos(lower({column}), lower(:text)) > 0" for column in SEARCHED)
        where = where.also(f"({found})", text=chosen.text)
    return where


def _match_field(where: Where, chosen: Filter, number: int) -> Where:
    present = [value for value in chosen.values if value is not None]
    names = {f"{chosen.field}_{number}_{place}": value for place, value in enumerate(present)}
    listed = ", ".join(f":{name}" for name in names)
    field, absent = chosen.field, len(present) < len(chosen.values)
    if chosen.negated:
        keep = [f"{field} not in ({listed})"] if names else []
        keep = [f"({field} is null or {keep[0]})"] if keep and not absent else keep
        return where.also(" and ".join([*keep, *([f"{field} is not null"] if absent else [])]), **names)
    keep = [*([f"{field} in ({listed})"] if names else []), *([f"{field} is null"] if absent else [])]
    return where.also(f"({' or '.join(keep)})" if len(keep) > 1 else keep[0], **names)
