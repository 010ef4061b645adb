"""How long the time of one bar is: the same ladder for every view and every engine."""

from datetime import UTC, datetime
from typing import Final

import msgspec

DAY: Final = 86_400
# Weeks begin on a Monday; the first Monday after 1970 began was its fourth day later.
MONDAY: Final = 4 * DAY
NARROWEST: Final = 1.5
YEAR: Final = 12
# A calendar's ticks: days up to ten weeks, then months, quarters, and years.
TICK_DAYS: Final = 70
TICK_MONTHS: Final = (1, 3, YEAR, 5 * YEAR, 25 * YEAR, 100 * YEAR, 1_000 * YEAR)


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


def calendar_ticks(first: int, last: int, most: int) -> list[tuple[int, str]]:
    """Return where days, months or years begin between two epoch seconds, about ``most`` of them, with their names.

    The first one carries its year, and so does each January. A time without any such beginning has its first day.
    """
    days = (last - first) / DAY
    if days < TICK_DAYS:
        step = max(1, round(days / most)) * DAY
        found = [(start, f"{_date(start):%-d %b}") for start in range(-(-first // DAY) * DAY, last + 1, step)]
    else:
        months = next((count for count in TICK_MONTHS if days / (30 * count) <= most), TICK_MONTHS[-1])
        begin = _date(first).year * YEAR + _date(first).month - 1
        numbers = range(-(-begin // months) * months, _date(last).year * YEAR + _date(last).month, months)
        starts = [datetime(number // YEAR, number % YEAR + 1, 1, tzinfo=UTC) for number in numbers]
        found = [(int(start.timestamp()), _name_month(start, months)) for start in starts if start.timestamp() >= first]
    if not found:
        return [(first, f"{_date(first):%-d %b %Y}")]
    (start, words), *rest = found
    return [(start, words if words[-4:].isdigit() else f"{words} {_date(start):%Y}"), *rest]


def _name_month(start: datetime, months: int) -> str:
    return f"{start:%Y}" if months >= YEAR else f"{start:%b %Y}" if start.month == 1 else f"{start:%b}"


def _date(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)
