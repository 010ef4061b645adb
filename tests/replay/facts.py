"""Events as folds see them, that mention only what a test is about."""

import json
from datetime import timedelta
from typing import Any

from tests.builders import START
from workbench.replay.folding.fact import Fact


def build_fact(position: int, *, data: Any = None, **fields: Any) -> Fact:
    """Return the event at a position of the log: of stream `a`, type `A`, an hour after the one before."""
    defaults: dict[str, Any] = {
        "position": position,
        "event_id": f"e{position}",
        "source": "tests",
        "stream_id": "a",
        "stream_version": position,
        "event_type": "A",
        "occurred_at": START + timedelta(hours=position),
        "recorded_at": START + timedelta(days=30, seconds=position),
        "data": None if data is None else json.dumps(data),
    }
    return Fact(**(defaults | fields))
