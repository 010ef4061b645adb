from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from tests.views.conftest import MIDNIGHT
from workbench.session import Session
from workbench.views.grain import DAY, GRAINS, bin_expression, bin_start, choose_grain


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
