"""The one statement behind `session.events`: every filter, bound, in the order of the log."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from workbench.errors import ArgumentError

EVENT_COLUMNS: Final = (
    "position",
    "event_id",
    "source",
    "stream_id",
    "stream_version",
    "event_type",
    "schema_version",
    "occurred_at",
    "recorded_at",
    "actor_id",
    "actor_kind",
    "correlation_id",
    "causation_id",
    "data",
    "metadata",
    "digest",
    "erased_at_position",
)


class EventFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which events: a value of None leaves a filter out, an empty list matches nothing.

    ``since`` and ``until`` cut on occurred_at, [since, until); ``as_of`` keeps occurred_at ≤ as_of; ``up_to`` keeps
    position ≤ up_to (what known_at resolves to); ``after`` is a position, exclusive. ``text`` is looked for, ignoring
    case, in payload, type, stream, actor and event_id.
    """

    event_types: Sequence[str] | None = None
    stream_ids: Sequence[str] | None = None
    actor_ids: Sequence[str] | None = None
    since: datetime | None = None
    until: datetime | None = None
    as_of: datetime | None = None
    up_to: int | None = None
    after: int | None = None
    text: str | None = None


def select_events(
    chosen: EventFilter,
    *,
    columns: Sequence[str] = EVENT_COLUMNS,
    order: Sequence[str] = ("position",),
    limit: int | None = None,
) -> tuple[str, dict[str, Any]]:
    """Return the statement and its parameters for the events chosen, in the order of the log. Raises ArgumentError.

    >>> select_events(EventFilter(event_types=["MoneyDeposited"]), columns=["position"], limit=5)
    ('select position from events where event_type in (:event_types_0) order by position limit 5', {'event_types_0': \
'MoneyDeposited'})
    """
    if limit is not None and limit < 0:
        raise ArgumentError(f"limit={limit} is negative. Give the greatest number of events wanted, or leave it out.")
    where, parameters = filter_events(chosen)
    statement = f"select {', '.join(columns)} from events{where} order by {', '.join(order)}"  # noqa: S608 - our own names; values are bound
    return (statement if limit is None else f"{statement} limit {int(limit)}"), parameters


def filter_events(chosen: EventFilter) -> tuple[str, dict[str, Any]]:
    """Return the WHERE clause (empty when nothing is chosen) and its parameters."""
    conditions: list[str] = []
    parameters: dict[str, Any] = {}
    for column, field in (("event_type", "event_types"), ("stream_id", "stream_ids"), ("actor_id", "actor_ids")):
        values = getattr(chosen, field)
        if values is not None:
            named = {f"{field}_{number}": value for number, value in enumerate(values)}
            conditions.append(f"{column} in ({', '.join(f':{name}' for name in named)})" if named else "false")
            parameters |= named
    for field, condition in (
        ("since", "occurred_at >= :since"),
        ("until", "occurred_at < :until"),
        ("as_of", "occurred_at <= :as_of"),
        ("up_to", "position <= :up_to"),
        ("after", "position > :after"),
    ):
        if getattr(chosen, field) is not None:
            conditions.append(condition)
            parameters[field] = getattr(chosen, field)
    if chosen.text:
        names = ("data", "event_type", "stream_id", "actor_id", "event_id")
        conditions.append(f"({' or '.join(f'strpos(lower({name}), lower(:text)) > 0' for name in names)})")
        parameters["text"] = chosen.text
    return (f" where {' and '.join(conditions)}" if conditions else ""), parameters


def read_instant(name: str, value: datetime | str | None) -> datetime | None:
    """Return a time as an aware UTC datetime. Raises ArgumentError for one without a zone."""
    if value is None:
        return None
    try:
        instant = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError as error:
        raise ArgumentError(f"{name}={value!r} is no time. Write it like 2026-03-01T00:00:00Z.") from error
    if instant.tzinfo is None:
        raise ArgumentError(
            f"{name}={value!s} has no zone, so it names no moment. Write {value!s}Z, or give a datetime with tzinfo."
        )
    return instant.astimezone(UTC)


def read_names(values: str | Sequence[str] | None) -> Sequence[str] | None:
    """Return a list of names; a single one may stand without its list."""
    return [values] if isinstance(values, str) else values
