"""Which events count: what had happened by a time, up to a position of the log."""

from datetime import datetime
from typing import Any

import msgspec


class Cut(msgspec.Struct, frozen=True, kw_only=True):
    """``as_of``: occurred_at ≤ as_of. ``up_to``: position ≤ up_to; known_at resolves to it. None cuts nothing."""

    as_of: datetime | None = None
    up_to: int | None = None

    def conditions(self) -> tuple[list[str], dict[str, Any]]:
        """Return the SQL conditions and their parameters.

        >>> Cut(up_to=7).conditions()
        (['position <= :up_to'], {'up_to': 7})
        """
        named = {"as_of": ("occurred_at <= :as_of", self.as_of), "up_to": ("position <= :up_to", self.up_to)}
        given = {name: value for name, (_, value) in named.items() if value is not None}
        return [named[name][0] for name in given], given

    def holds(self, position: int, occurred_at: datetime) -> bool:
        """Tell whether an event counts.

        >>> Cut(up_to=7).holds(8, datetime(2026, 1, 1))
        False
        """
        return (self.up_to is None or position <= self.up_to) and (self.as_of is None or occurred_at <= self.as_of)
