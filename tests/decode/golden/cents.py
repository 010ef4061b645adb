"""What a registry's own function looks like."""

from decimal import Decimal
from typing import Any


def to_cents(payload: dict[str, Any]) -> dict[str, Any]:
    """Return the payload with its amount in cents."""
    payload["cents"] = int(Decimal(payload.pop("amount")) * 100)
    return payload
