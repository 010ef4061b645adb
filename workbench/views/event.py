"""One event in full: its envelope, its payload now and as written, where it came from, and what stands around it."""

import json
from collections.abc import Mapping
from typing import Any, Final

import msgspec
import polars as pl

from workbench.errors import UnknownEventError
from workbench.session import Session
from workbench.views.order import has_positions, narrow, order_by
from workbench.views.payload import Line, list_lines
from workbench.views.place import Place, place_of, write_place
from workbench.views.timeline.where import Where

MOST_NEIGHBOURS: Final = 12
MOST_TICKS: Final = 2_000
BRIEF: Final = "position, event_id, source, event_type, occurred_at, stream_id, actor_id"


class EventDetails(msgspec.Struct, frozen=True, kw_only=True):
    """One event: ``envelope`` by column name, the payload's and the metadata's lines, and both as raw text.

    ``stored_data`` is the payload as it was written, ``stored_version`` its schema version then. ``origin`` names the
    file and the byte offset the record was read from, where the source has such.
    """

    envelope: Mapping[str, Any]
    data: tuple[Line, ...]
    metadata: tuple[Line, ...]
    raw_data: str | None
    stored_data: str | None
    stored_version: int
    raw_metadata: str | None
    origin: Mapping[str, Any]


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """What stands around an event, in the log's order.

    Columns position, event_id, source, event_type, occurred_at, stream_id, actor_id. ``instant`` holds the events of
    the same occurred_at (the event among them), of ``instant_count``; ``causes`` the event named by its causation_id;
    ``effects`` those that name it; ``stream`` its stream's events, at most 2,000 of ``stream_count``.
    """

    instant: pl.DataFrame
    instant_count: int
    causes: pl.DataFrame
    effects: pl.DataFrame
    stream: pl.DataFrame
    stream_count: int


def load_event(session: Session, place: Place) -> EventDetails:
    """Return the event at a place. Raises UnknownEventError when there is none."""
    row = _row(session, "events", place)
    stored = _row(session, "events_stored", place)
    envelope = {name: value for name, value in row.items() if name not in {"data", "metadata"}}
    return EventDetails(
        envelope=envelope,
        data=tuple(list_lines(row["data"], stored["data"])),
        metadata=tuple(line for line in list_lines(row["metadata"], row["metadata"]) if line.name != "salt"),
        raw_data=row["data"],
        stored_data=stored["data"],
        stored_version=stored["schema_version"],
        raw_metadata=row["metadata"],
        origin=_read_origin(row["metadata"]),
    )


def _row(session: Session, relation: str, place: Place) -> dict[str, Any]:
    where = narrow(session, Where("", {}), "=", place)
    rows = session.sql(where.select("*", relation=relation), where.parameters)
    if rows.is_empty():
        raise UnknownEventError(_unknown(session, place))
    return rows.row(0, named=True)


def _unknown(session: Session, place: Place) -> str:
    if not has_positions(session):
        return f"No event stands at {write_place(place)}. Choose one of the rows."
    return f"No event stands at position {place:,}. Positions go up to {session.head().position:,}; choose one."


def _read_origin(metadata: str | None) -> dict[str, Any]:
    try:
        known = json.loads(metadata or "{}")
    except ValueError:
        return {}
    origin = known.get("ingested_from") if isinstance(known, dict) else None
    return dict(origin) if isinstance(origin, dict) else {}


def load_surroundings(session: Session, details: EventDetails, known_position: int | None) -> Surroundings:
    """Return what stands around an event, counting events up to ``known_position`` only (all when None)."""
    envelope = details.envelope
    until = known_position if known_position is not None else session.head().position
    instant = _ask(session, "occurred_at = :moment", until, moment=envelope["occurred_at"])
    cause = envelope["causation_id"]
    stream = _ask(session, "stream_id = :stream", until, limit=MOST_TICKS, stream=envelope["stream_id"])
    return Surroundings(
        instant=_near(instant, place_of(envelope)),
        instant_count=instant.height,
        causes=_ask(session, "event_id = :cause", until, cause=cause) if cause else instant.clear(),
        effects=_ask(session, "causation_id = :cause", until, limit=MOST_NEIGHBOURS, cause=envelope["event_id"]),
        stream=stream,
        stream_count=_count(session, "stream_id = :stream", until, stream=envelope["stream_id"])
        if stream.height == MOST_TICKS
        else stream.height,
    )


def _near(instant: pl.DataFrame, place: Place) -> pl.DataFrame:
    places = [place_of(row) for row in instant.iter_rows(named=True)]
    at = places.index(place) if place in places else 0
    first = max(0, min(at - MOST_NEIGHBOURS // 2, instant.height - MOST_NEIGHBOURS))
    return instant.slice(first, MOST_NEIGHBOURS)


def _ask(session: Session, condition: str, until: int | None, *, limit: int = 1_000, **parameters: Any) -> pl.DataFrame:
    where = _match(condition, until, parameters)
    return session.sql(where.select(BRIEF, f"{order_by(session)} limit {limit}"), where.parameters)


def _count(session: Session, condition: str, until: int | None, **parameters: Any) -> int:
    where = _match(condition, until, parameters)
    return int(session.sql(where.select("count(*) as events"), where.parameters)["events"][0])


def _match(condition: str, until: int | None, parameters: Mapping[str, Any]) -> Where:
    where = Where("", {}).also(condition, **parameters)
    return where if until is None else where.also("position <= :known_position", known_position=until)
