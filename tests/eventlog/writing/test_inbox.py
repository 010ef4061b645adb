"""Others insert into the inbox; the log takes it in, once."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from pyiceberg.exceptions import CommitFailedException
from pyiceberg.table import Table

from tests.builders import START, build_event
from tests.eventlog.tables import delete_positions
from workbench import connect
from workbench.decode import DecodeContext
from workbench.eventlog.files import arrow_schema
from workbench.eventlog.native import NativeLog
from workbench.eventlog.store import Store
from workbench.eventlog.writing.inbox import InboxSource, remove_drained
from workbench.eventlog.writing.ingest import ingest_source
from workbench.session import Session


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with connect(tmp_path / "bank") as opened:
        yield opened


def inbox(session: Session) -> Table:
    return store(session).tables.inbox


def store(session: Session) -> Store:
    log = session._log
    assert isinstance(log, NativeLog)
    return log._store


def insert(session: Session, *rows: dict[str, Any]) -> None:
    """Insert as Trino would: one statement, one snapshot."""
    table = inbox(session)
    defaults = {"source": "crm", "stream_id": "account-1", "event_type": "MoneyDeposited", "occurred_at": START}
    table.append(pa.Table.from_pylist([{**defaults, **row} for row in rows], schema=arrow_schema(table)))


def standing(session: Session) -> int:
    return int(inbox(session).scan().to_arrow().num_rows)


def counts(report: Any) -> tuple[int, int, int, int]:
    return report.read, report.appended, report.duplicates, report.quarantined


def test_rows_become_events_in_the_order_they_were_inserted(session: Session) -> None:
    for number in range(5):
        insert(session, {"event_id": f"e{number}", "data": f'{{"n": {number}.50}}', "actor_id": "ann"})
    assert counts(session.drain_inbox()) == (5, 5, 0, 0)
    events = session.events()
    assert events["event_id"].to_list() == ["e0", "e1", "e2", "e3", "e4"]
    assert events["stream_version"].to_list() == [0, 1, 2, 3, 4]
    assert events["data"][1] == '{"n":1.50}'
    assert events["recorded_at"][0] > datetime.now(UTC) - timedelta(minutes=1)
    assert standing(session) == 0


def test_an_empty_inbox_changes_nothing(session: Session) -> None:
    session.append([build_event()])
    head = session.head()
    assert counts(session.drain_inbox()) == (0, 0, 0, 0)
    assert session.head() == head


def test_a_known_event_inserted_later_is_a_duplicate(session: Session) -> None:
    insert(session, {"event_id": "e1", "data": "{}"})
    session.drain_inbox()
    insert(session, {"event_id": "e1", "data": "{ }"}, {"event_id": "e2"})
    assert counts(session.drain_inbox()) == (2, 1, 1, 0)
    assert session.head().position == 1


def test_a_known_event_with_other_content_is_quarantined(session: Session) -> None:
    session.append([build_event(event_id="e1", source="crm", data={"n": 1})])
    insert(session, {"event_id": "e1", "data": '{"n":2}'})
    assert counts(session.drain_inbox()) == (1, 0, 0, 1)
    waiting = session.quarantine().row(0, named=True)
    assert (waiting["reason"], waiting["source"]) == ("conflict", "events_inbox")
    assert '"data":{"n":2}' in waiting["raw"]


def test_rows_that_cannot_be_events_are_quarantined_with_what_was_inserted(session: Session) -> None:
    insert(
        session,
        {"event_id": "good"},
        {"event_id": "no-stream", "stream_id": None},
        {"event_id": "no-time", "occurred_at": None},
        {"event_id": "bad-json", "data": '{"n":'},
        {"event_id": "twice", "data": '{"n":1,"n":2}'},
    )
    assert counts(session.drain_inbox()) == (5, 1, 0, 4)
    waiting = {row["line"]: row for row in session.quarantine().iter_rows(named=True)}
    assert sorted(waiting) == [2, 3, 4, 5]
    assert '"event_id":"no-stream"' in waiting[2]["raw"]
    assert '"data":"{\\"n\\":"' in waiting[4]["raw"]
    assert waiting[5]["reason"] == "duplicate_key"
    assert standing(session) == 0


def test_rows_quarantined_by_two_drains_are_two_records(session: Session) -> None:
    for number in range(2):
        insert(session, {"event_id": f"bad{number}", "stream_id": None})
        session.drain_inbox()
    assert session.quarantine().height == 2


def test_retrying_a_row_that_is_still_wrong_leaves_it_waiting(session: Session) -> None:
    insert(session, {"event_id": "bad-json", "data": "1,2"}, {"event_id": "no-stream", "stream_id": None})
    session.drain_inbox()
    assert counts(session.retry_quarantine()) == (2, 0, 0, 2)
    assert session.head().event_count == 0


def test_rows_inserted_while_it_is_drained_stay(session: Session) -> None:
    insert(session, {"event_id": "e1"})
    report = session.drain_inbox(progress=lambda _: insert(session, {"event_id": "e2"}))
    assert counts(report) == (1, 1, 0, 0)
    assert standing(session) == 1
    assert counts(session.drain_inbox()) == (1, 1, 0, 0)
    assert session.events()["event_id"].to_list() == ["e1", "e2"]


def test_producers_go_on_inserting_while_it_is_drained(session: Session) -> None:
    def produce(name: str) -> None:
        for number in range(6):
            while True:
                with suppress(CommitFailedException):
                    insert(session, {"event_id": f"{name}{number}", "stream_id": name})
                    break

    producers = [Thread(target=produce, args=(name,)) for name in ("left", "right")]
    for producer in producers:
        producer.start()
    while any(producer.is_alive() for producer in producers):
        session.drain_inbox()
    session.drain_inbox()
    events = session.events()
    for name in ("left", "right"):
        own = events.filter(pl.col("stream_id") == name)
        assert own["event_id"].to_list() == [f"{name}{number}" for number in range(6)]
    assert standing(session) == 0


def test_cut_short_between_its_two_commits_it_goes_on_without_a_second_event(session: Session) -> None:
    insert(session, {"event_id": "e1"}, {"event_id": None, "data": '{"n":1}'}, {"event_id": "bad", "stream_id": None})
    ingest_source(store(session), InboxSource(inbox(session)), DecodeContext(source_name="events_inbox"), path=None)
    assert standing(session) == 3
    assert counts(session.drain_inbox()) == (3, 0, 2, 1)
    assert session.head().event_count == 2
    assert session.quarantine().height == 1
    assert standing(session) == 0


def test_a_row_without_an_id_is_one_event_each_time_it_is_inserted(session: Session) -> None:
    for _ in range(2):
        insert(session, {"event_id": None, "data": '{"n":1}'})
        session.drain_inbox()
    assert session.events()["event_id"].n_unique() == 2


def test_rows_their_producer_deleted_are_not_taken_in(session: Session) -> None:
    insert(session, {"event_id": "e1"}, {"event_id": "e2"})
    table = inbox(session)
    delete_positions(table, next(iter(table.scan().plan_files())).file.file_path, [0])
    assert counts(session.drain_inbox()) == (1, 1, 0, 0)
    assert session.events()["event_id"].to_list() == ["e2"]
    assert standing(session) == 0


def test_files_rearranged_meanwhile_are_left_and_known_next_time(session: Session) -> None:
    insert(session, {"event_id": "e1"})
    table = inbox(session)
    files = InboxSource(table).files
    rows = table.scan().to_arrow()
    session.drain_inbox()
    inbox(session).append(rows)
    remove_drained(table, files)
    assert counts(session.drain_inbox()) == (1, 0, 1, 0)


def test_a_row_without_a_source_has_the_inbox_for_one(session: Session) -> None:
    insert(session, {"event_id": "e1", "source": None, "metadata": '{"salt":"theirs","trace":"t1"}'})
    session.drain_inbox()
    event = session.events().row(0, named=True)
    assert event["source"] == "events_inbox"
    assert '"source_salt":"theirs"' in event["metadata"]
