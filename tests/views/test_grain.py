from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from tests.views.conftest import MIDNIGHT
from workbench.session import Session
from workbench.views.grain import DAY, GRAINS, bin_expression, bin_start, calendar_ticks, choose_grain


@given(st.floats(1, 400 * 365 * DAY), st.integers(200, 2_000))
def test_a_bar_is_at_least_one_and_a_half_pixels_wide(seconds: float, width: int) -> None:
    grain = choose_grain(seconds, width)
    assert width * grain.seconds / seconds >= 1.5 or grain == GRAINS[-1]


def test_the_finest_grain_that_fits_is_taken() -> None:
    words = {
        span: choose_grain(days * DAY, 480).words for span, days in (("hour", 1 / 24), ("week", 7), ("years", 3_650))
    }
    assert words == {"hour": "15 s", "week": "1 h", "years": "2 weeks"}


def test_weeks_begin_on_a_monday_and_months_on_their_first() -> None:
    week, month = (next(grain for grain in GRAINS if grain.words == words) for words in ("1 week", "1 month"))
    assert datetime.fromtimestamp(bin_start(week, 2_930), UTC).isoweekday() == 1
    assert datetime.fromtimestamp(bin_start(month, 2026 * 12 + 2), UTC) == datetime(2026, 3, 1, tzinfo=UTC)


def test_an_event_falls_into_the_bar_that_holds_its_time_at_every_grain(bank: Session) -> None:
    for grain in GRAINS:
        bars = bank.sql(f"select distinct occurred_at, {bin_expression(grain)} as bar from events")  # noqa: S608 - our own expression
        for occurred_at, bar in bars.iter_rows():
            assert bin_start(grain, bar) <= occurred_at.timestamp() < bin_start(grain, bar + 1), grain.words
    assert MIDNIGHT.isoweekday() == 1


def ticks(first: datetime, last: datetime) -> list[str]:
    return [words for _, words in calendar_ticks(int(first.timestamp()), int(last.timestamp()), 12)]


def test_a_calendar_is_named_by_days_months_or_years() -> None:
    assert ticks(MIDNIGHT, datetime(2026, 3, 5, tzinfo=UTC)) == ["2 Mar 2026", "3 Mar", "4 Mar", "5 Mar"]
    assert ticks(datetime(2011, 9, 30, tzinfo=UTC), datetime(2012, 2, 14, tzinfo=UTC)) == [
        *("Oct 2011", "Nov", "Dec", "Jan 2012", "Feb"),
    ]
    assert ticks(datetime(2023, 5, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC))[:4] == [
        *("Jul 2023", "Oct", "Jan 2024", "Apr"),
    ]
    assert ticks(datetime(2015, 1, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC))[-2:] == ["2024", "2025"]
    assert ticks(datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC))[:2] == ["1000", "2000"]


def test_a_calendar_of_hours_is_named_by_its_day() -> None:
    assert ticks(datetime(2026, 3, 2, 7, tzinfo=UTC), datetime(2026, 3, 2, 9, tzinfo=UTC)) == ["2 Mar 2026"]


@given(
    st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - hypothesis adds the zone
    st.integers(0, 60 * 365 * DAY),
)
def test_ticks_stand_in_their_time_in_order_and_not_too_many(first: datetime, span: int) -> None:
    begin = int(first.timestamp())
    found = calendar_ticks(begin, begin + span, 12)
    starts = [start for start, _ in found]
    assert starts == sorted(set(starts))
    assert all(begin <= start <= begin + span for start in starts)
    assert 1 <= len(starts) <= 19
