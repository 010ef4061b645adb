"""Where an event stands: its position, or, in a log without positions, its time, source and id."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote, unquote

import msgspec

KEY_PARTS: Final = 3
LARGEST: Final = 2**63


class Key(msgspec.Struct, frozen=True):
    """What names an event, and orders it, in a log that has no positions."""

    occurred_at: datetime
    source: str
    event_id: str


Place = int | Key


def read_place(text: str) -> Place:
    """Return the place that a link's text names. Raises ValueError."""
    parts = text.split("/")
    if len(parts) == KEY_PARTS:
        return Key(read_time(parts[0]), unquote(parts[1], errors="strict"), unquote(parts[2], errors="strict"))
    number = int(text)
    if not 0 <= number < LARGEST:
        raise ValueError(text)
    return number


def write_place(place: Place) -> str:
    """Return a place as the text that `read_place` reads.

    >>> write_place(Key(datetime(2026, 3, 1, tzinfo=UTC), "crm.audit", "a/1"))
    '2026-03-01T00:00:00Z/crm.audit/a%2F1'
    """
    if isinstance(place, int):
        return str(place)
    return f"{write_time(place.occurred_at)}/{quote(place.source, safe='')}/{quote(place.event_id, safe='')}"


def place_of(row: Mapping[str, Any]) -> Place:
    """Return where the event of a row stands; the row has position, occurred_at, source and event_id."""
    position = row["position"]
    return Key(row["occurred_at"], row["source"], row["event_id"]) if position is None else int(position)


def read_time(text: str) -> datetime:
    """Return the aware UTC time that ISO text names. Raises ValueError, also for a time without a zone."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(text)
    return moment.astimezone(UTC)


def write_time(moment: datetime) -> str:
    """Return a time as ISO text in UTC, ending in Z."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
