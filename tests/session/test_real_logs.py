"""Real logs through the door everyone uses: the figures their publishers give come out of the log."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.published import RealLogs
from workbench.session import Session, connect

pytestmark = pytest.mark.data
TYPES = "select event_type, count(*) as n from events group by event_type"


@pytest.fixture(scope="module")
def bank_file(shared_data: Path) -> Path:
    return shared_data / "bpic2012" / "bpic2012.xes.gz"


@pytest.fixture(scope="module")
def bank(real_logs: RealLogs) -> Iterator[tuple[Session, dict[str, Any]]]:
    """The bank's log, taken in from a shell, with the report that was printed."""
    folder, (report,) = real_logs.take("bank")
    with connect(folder) as session:
        yield session, report


@pytest.fixture(scope="module")
def writers(real_logs: RealLogs) -> Iterator[Session]:
    """The writing sessions, taken in through the mapping in the repository."""
    folder, (report,) = real_logs.take("writers")
    assert [report[name] for name in ("read", "appended", "quarantined")] == [1_069_788, 1_069_788, 0]
    with connect(folder) as session:
        yield session


def test_the_banks_log_comes_in_whole(bank: tuple[Session, dict[str, Any]]) -> None:
    session, report = bank
    assert {name: report[name] for name in ("read", "appended", "duplicates", "quarantined")} == {
        "read": 262_200,
        "appended": 262_200,
        "duplicates": 0,
        "quarantined": 0,
    }
    counted = session.sql(
        "select count(distinct stream_id) as streams, count(distinct event_type) as types, "
        "count(distinct actor_id) as actors, count_if(actor_id is null) as nobody from events"
    )
    assert counted.row(0) == (13_087, 24, 68, 18_010)


def test_the_banks_lifecycle_counts_are_the_published_ones(bank: tuple[Session, dict[str, Any]]) -> None:
    step = """json_extract_scalar(data, '$["lifecycle:transition"]')"""
    counted = bank[0].sql(f"select {step} as step, count(*) as n from events group by 1")  # noqa: S608 - our own text
    assert dict(counted.rows()) == {"COMPLETE": 164_506, "START": 71_376, "SCHEDULE": 26_318}


def test_neighbours_of_the_banks_streams_tie_and_never_go_back(bank: tuple[Session, dict[str, Any]]) -> None:
    gaps = bank[0].sql(
        "select count_if(occurred_at = previous) as ties, count_if(occurred_at < previous) as back from ("
        "select occurred_at, lag(occurred_at) over (partition by stream_id order by stream_version) as previous "
        "from events)"
    )
    assert gaps.row(0) == (13_995, 0)


def test_the_banks_events_stand_in_the_order_of_the_file(bank: tuple[Session, dict[str, Any]]) -> None:
    places = bank[0].sql(
        "select position, stream_version, stream_id, "
        "cast(json_extract_scalar(metadata, '$.ingested_from.offset') as bigint) as place from events order by position"
    )
    assert places["place"].is_sorted()
    rank = pl.col("position").rank("ordinal").over("stream_id") - 1
    assert places.filter(pl.col("stream_version") != rank).is_empty()


def test_a_second_run_of_the_banks_log_appends_none(bank: tuple[Session, dict[str, Any]], bank_file: Path) -> None:
    session, _ = bank
    again = session.ingest(bank_file)
    assert (again.appended, again.duplicates, again.quarantined) == (0, 262_200, 0)
    assert session.head().event_count == 262_200


def test_the_writing_sessions_come_in_with_their_published_counts(writers: Session) -> None:
    counts = dict(writers.sql(TYPES).rows())
    published = {
        "text-insert": 916_444,
        "text-delete": 78_918,
        "suggestion-hover": 31_170,
        "suggestion-get": 7_050,
        "suggestion-open": 6_348,
        "suggestion-select": 4_649,
    }
    assert {name: counts[name] for name in published} == published
    assert writers.sql("select count(distinct stream_id) as n from events").item() == 615


def test_the_session_whose_clock_goes_back_keeps_its_order(writers: Session) -> None:
    back = writers.sql(
        "select stream_id, stream_version from ("
        "select stream_id, stream_version, occurred_at, "
        "lag(occurred_at) over (partition by stream_id order by stream_version) as previous from events) "
        "where occurred_at < previous"
    )
    assert back["stream_id"].n_unique() == 1
    stream = str(back["stream_id"][0])
    events = writers.events(stream_ids=stream)
    numbers = [json.loads(text)["ingested_from"]["offset"] for text in events["metadata"]]
    assert numbers == sorted(numbers)
    assert events["stream_version"].to_list() == list(range(events.height))


def test_the_copilot_study_comes_in_with_its_published_counts(real_logs: RealLogs) -> None:
    folder, (report,) = real_logs.take("completions")
    assert (report["appended"], report["quarantined"]) == (3_490, 0)
    with connect(folder) as session:
        counts = sorted(count for _, count in session.sql(TYPES).rows())
    assert counts == [5, 386, 710, 1_150, 1_239]
