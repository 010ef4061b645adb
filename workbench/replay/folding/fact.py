"""One event as a fold sees it: its envelope, and its payload as text until a rule asks for it."""

from datetime import datetime
from typing import Any, Final

import msgspec

from workbench.decode.registry import decode_kept, read_kept
from workbench.replay.folding.paths import Path, find_member


class Fact(msgspec.Struct, frozen=True, gc=False):
    """An event of the log, lifted to its current schema version. ``data`` and ``metadata`` are JSON text."""

    position: int
    event_id: str
    source: str
    stream_id: str
    event_type: str
    occurred_at: datetime
    data: str | None = None
    recorded_at: datetime | None = None
    stream_version: int | None = None
    schema_version: int = 1
    actor_id: str | None = None
    actor_kind: str | None = None
    correlation_id: str | None = None
    causation_id: str | None = None
    metadata: str | None = None


FACT_COLUMNS: Final = Fact.__struct_fields__


# The payload that was read last and its value: its fields and entities come one after another.
_latest: Final[list[tuple[str | None, Any]]] = [(None, None)]


def read_document(text: str) -> Any:
    """Return the JSON value of a payload, its floats as they are written. One payload is read for all its fields."""
    known, value = _latest[0]
    if known is text:
        return value
    value = read_kept(text.encode()) if "-0" in text else decode_kept(text)
    # One assignment, so that threads see a text with its own value.
    _latest[0] = (text, value)
    return value


def describe_fact(fact: Fact) -> dict[str, Any]:
    """Return an event as a reducer sees it: the envelope by name, and payload and metadata as values of its own."""
    described = {name: getattr(fact, name) for name in FACT_COLUMNS}
    for name in ("data", "metadata"):
        text = described[name]
        described[name] = None if text is None else msgspec.json.decode(text)
    return described


def find_value(fact: Fact, path: Path) -> Any:
    """Return what stands at a path of an event: a JSON value, an envelope's text, number or time; UNSET for nothing."""
    value = getattr(fact, path.column)
    if value is None:
        return msgspec.UNSET
    return find_member(read_document(value), path.members) if path.in_json else value


def place_of(fact: Fact, order: str) -> tuple[Any, ...]:
    """Return where an event stands in a projection's order."""
    return (fact.position,) if order == "position" else (fact.occurred_at, fact.position)
