"""recorded_at: one a commit, never decreasing, and an import's own times within bounds."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.eventlog.logs import append, assert_whole, column, make_events, open_folder, read_events, utc
from workbench.decode import encode_events
from workbench.errors import ClockSkewError
from workbench.event import Event
from workbench.eventlog import NativeLog
from workbench.eventlog.writing.write import write_batches

NOON = datetime(2026, 5, 5, 12, tzinfo=UTC)


class Clock:
    """A clock that tests set; the writer asks it for the time."""

    now_is = NOON

    @classmethod
    def now(cls, zone: object) -> datetime:
        """Return the time it was set to."""
        assert zone is UTC
        return cls.now_is


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> type[Clock]:
    """The writer's clock."""
    monkeypatch.setattr("workbench.eventlog.writing.write.datetime", Clock)
    Clock.now_is = NOON
    return Clock


def times(log: NativeLog) -> list[datetime]:
    return column(read_events(log), "recorded_at")


def test_a_commit_has_one_recorded_at_whatever_its_size(log: NativeLog) -> None:
    before = datetime.now(UTC)
    append(log, make_events(0, 50))
    log.append([encode_events(make_events(start, 20), "workbench") for start in (50, 70)])
    given = times(log)
    assert len(set(given[:50])) == len(set(given[50:])) == 1
    assert before <= given[0] < given[50] <= datetime.now(UTC)


@pytest.mark.parametrize("behind", [0.5, 59.9, 60])
def test_a_clock_up_to_a_minute_behind_takes_the_heads_time(log: NativeLog, clock: type[Clock], behind: float) -> None:
    append(log, make_events(0, 1))
    clock.now_is = NOON - timedelta(seconds=behind)
    append(log, make_events(1, 1))
    assert times(log) == [NOON, NOON]
    assert log.head().recorded_at == NOON


def test_a_clock_more_than_a_minute_behind_refuses_and_names_both_times(log: NativeLog, clock: type[Clock]) -> None:
    append(log, make_events(0, 1))
    clock.now_is = NOON - timedelta(seconds=61)
    with pytest.raises(ClockSkewError, match=r"2026-05-05T11:58:59\+00:00.*61 s behind.*2026-05-05T12:00:00\+00:00"):
        append(log, make_events(1, 1))
    assert log.head().position == 0
    clock.now_is = NOON + timedelta(seconds=1)
    append(log, make_events(1, 1))
    assert_whole(log)


def test_the_tolerance_is_a_setting(folder: Path, clock: type[Clock]) -> None:
    log = open_folder(folder, clock_tolerance=5.0)
    append(log, make_events(0, 1))
    clock.now_is = NOON - timedelta(seconds=6)
    with pytest.raises(ClockSkewError):
        append(log, make_events(1, 1))


def imported(*moments: str | None, start: int = 0) -> list[Event]:
    """Return events that carry their own recording times, None for one without."""
    return [
        make_events(start + number, 1, recorded_at=None if text is None else utc(text))[0]
        for number, text in enumerate(moments)
    ]


def test_an_imported_recording_time_is_kept_and_the_true_one_stands_in_the_metadata(log: NativeLog) -> None:
    before = datetime.now(UTC)
    append(log, imported("2020-01-01T00:00:00+01:00", "2020-01-01T00:00:00+00:00"))
    assert times(log) == [utc("2019-12-31T23:00:00+00:00"), utc("2020-01-01T00:00:00+00:00")]
    for text in column(read_events(log), "metadata"):
        assert before <= utc(json.loads(text)["imported_at"]) <= datetime.now(UTC)
    assert_whole(log)
    append(log, make_events(2, 1))
    assert "imported_at" not in json.loads(column(read_events(log), "metadata")[2])


def test_an_import_may_go_on_where_the_last_one_ended(log: NativeLog) -> None:
    append(log, imported("2020-01-01T00:00:00+00:00"))
    append(log, imported("2020-01-01T00:00:00+00:00", "2021-01-01T00:00:00+00:00", start=1))
    assert_whole(log)


@pytest.mark.parametrize(
    ("moments", "named"),
    [
        (["2019-01-01T00:00:00+00:00"], "'e9'.*2019-01-01.*already at 2020-06-01"),
        (["2999-01-01T00:00:00+00:00"], "'e9'.*2999-01-01.*now is"),
        (["2021-01-02T00:00:00+00:00", "2021-01-01T00:00:00+00:00"], "'e10'.*2021-01-01"),
    ],
)
def test_an_impossible_recording_time_refuses_the_append(log: NativeLog, moments: list[str], named: str) -> None:
    append(log, imported("2020-06-01T00:00:00+00:00"))
    with pytest.raises(ClockSkewError, match=named):
        append(log, imported(*moments, start=9))
    assert log.head().position == 0


def test_rows_without_a_time_among_rows_that_have_one_never_make_it_decrease(log: NativeLog) -> None:
    append(log, imported(None, None, "2020-01-01T00:00:00+00:00", None, "2021-01-01T00:00:00+00:00", None))
    years = [moment.year for moment in times(log)]
    assert years == [2020, 2020, 2020, 2020, 2021, 2021]
    assert_whole(log)


def test_a_known_event_with_another_recording_time_is_still_a_duplicate(log: NativeLog) -> None:
    append(log, imported("2020-01-01T00:00:00+00:00"))
    append(log, make_events(5, 1))
    assert append(log, imported("2019-01-01T00:00:00+00:00")).positions.tolist() == [0]


def test_where_rows_can_be_left_out_the_impossible_ones_are_and_the_rest_stays_in_order(log: NativeLog) -> None:
    given = imported("2020-01-02T00:00:00+00:00", "2020-01-01T00:00:00+00:00", "2999-01-01T00:00:00+00:00", None)
    told: list[list[int]] = []
    rows = [encode_events(given, "workbench")]
    written = write_batches(log._store, rows, settle=lambda written: told.append(written.mistimed.tolist()))
    assert (written.positions.tolist(), told) == ([0, -1, -1, 1], [[1, 2]])
    again = write_batches(log._store, rows, settle=lambda _: None)
    assert (again.appended_count, again.duplicate_count, again.mistimed.tolist()) == (0, 2, [1, 2])
    assert_whole(log)


def test_an_import_of_which_no_row_fits_is_refused_as_a_whole(log: NativeLog) -> None:
    append(log, make_events(0, 1))
    rows = [encode_events(imported("2020-01-01T00:00:00+00:00", start=1), "workbench")]
    with pytest.raises(ClockSkewError):
        write_batches(log._store, rows, settle=lambda _: None)
