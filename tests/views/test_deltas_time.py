"""Columns over time: the grain fits the extent, and columns begin where the engine's do."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from workbench.session import Session
from workbench.views.deltas.over_time import choose_grain, next_start, step_through, truncate
from workbench.views.deltas.picture import Versions, name_version

FIRST = datetime(2021, 8, 18, 13, 45, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("days", "grain"),
    [(0, "hour"), (2, "hour"), (3, "day"), (61, "day"), (62, "week"), (400, "week"), (1_000, "month")],
)
def test_the_grain_is_the_finest_there_is_room_for(days: int, grain: str) -> None:
    assert choose_grain(FIRST, FIRST + timedelta(days=days)) == grain


@pytest.mark.parametrize("grain", ["hour", "day", "week", "month"])
def test_columns_begin_where_the_engine_truncates(bank: Session, grain: str) -> None:
    start = f"date_trunc('{grain}', occurred_at)"
    asked = bank.sql(f"select {start} as start from events group by {start} order by {start}")["start"].to_list()  # noqa: S608 - our own words
    starts = list(step_through(asked[0], asked[-1], grain))
    assert set(asked) <= set(starts)
    assert all(truncate(start, grain) == start for start in starts)


def test_a_month_begins_on_its_first_also_in_december() -> None:
    assert next_start(datetime(2021, 12, 1, tzinfo=UTC), "month") == datetime(2022, 1, 1, tzinfo=UTC)
    assert next_start(datetime(2021, 8, 1, tzinfo=UTC), "month") == datetime(2021, 9, 1, tzinfo=UTC)


def versions(*rows: tuple[str | None, int, int]) -> Versions:
    frame = [(name, shown, FIRST + timedelta(days=day), FIRST + timedelta(days=day + 5)) for name, shown, day in rows]
    return Versions(frame=pl.DataFrame(frame, ["version", "shown", "first", "last"], orient="row"))


def test_the_latest_version_is_held_to_the_one_before() -> None:
    assert versions(("1", 900, 0), ("3", 400, 9), ("2", 300, 4), (None, 90, 20), ("4", 3, 30)).newest == ["3", "2", "1"]


def test_versions_shown_rarely_count_where_there_are_no_others() -> None:
    assert versions(("1", 3, 0), ("2", 2, 1)).newest == ["2", "1"]
    assert versions((None, 3, 0)).newest == []
    assert versions((None, 3, 0)).extent == (FIRST, FIRST + timedelta(days=5))


def test_a_bare_number_says_that_it_is_a_version() -> None:
    assert [name_version(each) for each in ("0.9", "prompt-3", None)] == ["version 0.9", "prompt-3", "no version"]
