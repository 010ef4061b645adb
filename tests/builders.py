"""Events and records that mention only what a test is about; the rest has plain defaults."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from workbench.event import Event

START = datetime(2026, 1, 1, tzinfo=UTC)
_numbers = count(1)


def build_event(**fields: Any) -> Event:
    """Return an event with the fields given; id and time go up from call to call."""
    number = next(_numbers)
    defaults: dict[str, Any] = {
        "event_id": f"e{number}",
        "stream_id": "account-1",
        "event_type": "MoneyDeposited",
        "occurred_at": START + timedelta(seconds=number),
        "data": {"amount": number},
    }
    return Event(**(defaults | fields))


def build_events(size: int, **fields: Any) -> list[Event]:
    """Return as many events of one stream."""
    return [build_event(**fields) for _ in range(size)]


def build_cloud_event(**attributes: Any) -> dict[str, Any]:
    """Return a CloudEvents 1.0 envelope with the attributes given."""
    number = next(_numbers)
    return {
        "specversion": "1.0",
        "id": f"e{number}",
        "source": "/tests",
        "type": "MoneyDeposited",
        "subject": "account-1",
        "time": (START + timedelta(seconds=number)).isoformat(),
        "datacontenttype": "application/json",
        "data": {"amount": number},
    } | attributes


def encode_lines(values: Iterable[Any]) -> bytes:
    """Return the values as JSON lines."""
    return b"".join(json.dumps(value).encode() + b"\n" for value in values)


def declare_type(event_type: str) -> str:
    """Return the declaration of a type in its third version: what was `sum` is `amount`, and has a currency."""
    return f"""
event_type = "{event_type}"
current = 3

[[hop]]
from = 1
to = 2
steps = [{{ rename = "sum", to = "amount" }}]

[[hop]]
from = 2
to = 3
steps = [{{ default = "currency", value = "EUR" }}]
"""
