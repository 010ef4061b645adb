"""The values everything else speaks of: records, events, rejections, and what an answer rests on. No I/O."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

ACTOR_KINDS = ("human", "ai", "system")


class RawRecord(msgspec.Struct, frozen=True, gc=False):
    """One record of a source, not yet decoded.

    ``raw`` are its bytes as they stand in the (decompressed) source, ``offset`` the byte at which they begin there,
    ``line`` its line or row number from 1, where the source has such.
    """

    raw: bytes
    offset: int
    media_type: str
    line: int | None = None


class Actor(msgspec.Struct, frozen=True, gc=False):
    """Who did it: an id, and its kind, one of ``human``, ``ai`` and ``system``."""

    id: str
    kind: str | None = None


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """A fact to append to the log.

    ``source`` and ``event_id`` together are the idempotency key; ``source`` defaults to the settings'. ``data`` is any
    JSON value, or ``msgspec.Raw`` with JSON text whose numbers are kept as written. ``recorded_at`` is only for an
    import that carries its own recording time. Position and stream_version are the log's to give.

    >>> from datetime import UTC, datetime
    >>> event = Event(event_id="e1", stream_id="account-7", event_type="MoneyDeposited",
    ...               occurred_at=datetime(2026, 1, 1, tzinfo=UTC), data={"amount": 5})
    >>> event.schema_version
    1
    """

    event_id: str
    stream_id: str
    event_type: str
    occurred_at: datetime
    data: Any = None
    source: str | None = None
    schema_version: int = 1
    actor: Actor | None = None
    correlation_id: str | None = None
    causation_id: str | None = None
    metadata: Mapping[str, Any] = msgspec.field(default_factory=dict)
    recorded_at: datetime | None = None


class Rejection(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Why one record could not be an event.

    ``reason`` is a code such as ``duplicate_key``; ``detail`` says what was found, ``remedy`` what would make it
    valid; ``repaired`` is the record as it would be accepted, where a rule can repair it. ``mapped`` is the event as a
    line of plain JSON lines, its id included, where a mapping had computed it whole and only its schema refused it.
    """

    raw: bytes
    offset: int
    media_type: str
    reason: str
    detail: str
    remedy: str
    line: int | None = None
    repaired: bytes | None = None
    mapped: bytes | None = None


class Basis(msgspec.Struct, frozen=True, kw_only=True):
    """What an answer rests on; links and exports repeat it.

    ``position`` binds: the answer counts events up to it. ``left_out`` counts what the answer leaves out, by reason
    (quarantined, late, erased). ``sha256`` is taken over the answer's canonical rows.
    """

    position: int | None
    as_of: datetime | None = None
    known_at: datetime | None = None
    order: str = "position"
    registry_hash: str | None = None
    engine: str = "duckdb"
    snapshot_id: int | None = None
    left_out: Mapping[str, int] = msgspec.field(default_factory=dict)
    sha256: str | None = None
