"""How long the time of one bar is: the same ladder for every view and every engine."""

from datetime import UTC, datetime
from typing import Final

import msgspec

DAY: Final = 86_400
# Weeks begin on a Monday; the first Monday after 1970 began was its fourth day later.
MONDAY: Final = 4 * DAY
NARROWEST: Final = 1.5


class Grain(msgspec.Struct, frozen=True, kw_only=True):
    """The time one bar counts: ``words`` for people, ``seconds``, or ``months`` where the calendar decides."""

    words: str
    seconds: int
    months: int = 0

    @property
    def anchor(self) -> int:
        """The epoch second from which bars of this grain are counted."""
        return MONDAY if self.seconds % (7 * DAY) == 0 and not self.months else 0


def _fixed(words: str, seconds: int) -> Grain:
    return Grain(words=words, seconds=seconds)


GRAINS: Final = (
    _fixed("1 s", 1),
    _fixed("5 s", 5),
    _fixed("15 s", 15),
    _fixed("1 min", 60),
    _fixed("5 min", 300),
    _fixed("15 min", 900),
    _fixed("1 h", 3_600),
    _fixed("3 h", 10_800),
    _fixed("6 h", 21_600),
    _fixed("1 day", DAY),
    _fixed("1 week", 7 * DAY),
    _fixed("2 weeks", 14 * DAY),
    *(
        Grain(words=words, seconds=months * 30 * DAY, months=months)
        for words, months in (("1 month", 1), ("3 months", 3), ("1 year", 12), ("5 years", 60), ("25 years", 300))
    ),
)


def choose_grain(seconds: float, width: int, *, narrowest: float = NARROWEST) -> Grain:
    """Return the finest grain whose bars are at least ``narrowest`` pixels wide, ``seconds`` drawn over ``width``."""
    most = width / narrowest
    return next((grain for grain in GRAINS if seconds / grain.seconds <= most), GRAINS[-1])


def bin_expression(grain: Grain) -> str:
    """Return SQL for the number of an event's bar, equal on every engine: whole grains since the anchor, in UTC."""
    if grain.months:
        months = "cast(year(occurred_at) * 12 + month(occurred_at) - 1 as double)"
        return f"cast(floor({months} / {grain.months}) as bigint)"
    shifted = f"(to_unixtime(occurred_at) - {grain.anchor})" if grain.anchor else "to_unixtime(occurred_at)"
    return f"cast(floor({shifted} / {grain.seconds}) as bigint)"


def bin_start(grain: Grain, number: int) -> int:
    """Return the epoch second at which bar ``number`` begins."""
    if not grain.months:
        return grain.anchor + number * grain.seconds
    year, month = divmod(number * grain.months, 12)
    return int(datetime(min(max(year, 1), 9999), month + 1, 1, tzinfo=UTC).timestamp())
