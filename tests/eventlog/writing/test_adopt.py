"""What others wrote into `events` itself: noticed, refused, and adopted on an explicit word."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyiceberg.table import Table

from tests.builders import START, build_event, build_events
from tests.eventlog.logs import assert_whole
from tests.eventlog.writing.test_guard import read_all, replace
from workbench import connect
from workbench.errors import ArgumentError, ForeignWriteError
from workbench.eventlog.files import arrow_schema
from workbench.eventlog.native import NativeLog
from workbench.eventlog.writing.adopt import _take_out, mark_metadata
from workbench.session import Session


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with connect(tmp_path / "bank") as opened:
        opened.append(build_events(3))
        yield opened


def log(session: Session) -> NativeLog:
    found = session._log
    assert isinstance(found, NativeLog)
    return found


def events(session: Session) -> Table:
    return log(session)._store.tables.events


def write_foreign(session: Session, *rows: dict[str, Any]) -> int:
    """Insert into `events` as Trino would, positions made up; return the snapshot."""
    table = events(session)
    defaults = {
        "position": 1,
        "source": "crm",
        "stream_id": "account-1",
        "stream_version": 0,
        "event_type": "MoneyDeposited",
        "schema_version": 1,
        "occurred_at": START,
        "recorded_at": datetime(2000, 1, 1, tzinfo=UTC),
        "digest": "none",
    }
    table.append(pa.Table.from_pylist([{**defaults, **row} for row in rows], schema=arrow_schema(table)))
    snapshot = table.current_snapshot()
    assert snapshot is not None
    return snapshot.snapshot_id


def counts(report: Any) -> tuple[int, int, int, int]:
    return report.read, report.appended, report.duplicates, report.quarantined


def test_foreign_rows_are_refused_until_they_are_adopted(session: Session) -> None:
    snapshot_id = write_foreign(session, {"event_id": "f1", "data": '{"n":1}'}, {"event_id": "f2"})
    for attempt in (session.head, lambda: session.append([build_event()]), session.maintain):
        with pytest.raises(ForeignWriteError, match=str(snapshot_id)):
            attempt()
    assert counts(session.adopt()) == (2, 2, 0, 0)
    rows = assert_whole(log(session)).to_pylist()
    assert [row["event_id"] for row in rows[3:]] == ["f1", "f2"]
    assert [row["stream_version"] for row in rows] == [0, 1, 2, 3, 4]
    assert rows[3]["data"] == '{"n":1}'
    assert f'"adopted_from_snapshot":"{snapshot_id}"' in rows[3]["metadata"]
    assert len(rows[3]["digest"]) == 64


def test_rows_of_several_snapshots_come_in_the_order_they_were_written(session: Session) -> None:
    for number in range(4):
        write_foreign(session, {"event_id": f"f{number}"})
    session.adopt()
    assert session.events(after=2)["event_id"].to_list() == ["f0", "f1", "f2", "f3"]


def test_copies_of_our_own_rows_are_duplicates(session: Session) -> None:
    ours = session.events()
    copied = [{**row, "position": row["position"] + 3} for row in ours.iter_rows(named=True)]
    write_foreign(session, *copied)
    assert counts(session.adopt()) == (3, 0, 3, 0)
    assert session.events().equals(ours)


def test_rows_that_cannot_be_events_are_quarantined(session: Session) -> None:
    write_foreign(session, {"event_id": "f1", "data": "no json"}, {"event_id": "f2", "metadata": "[1]"})
    assert counts(session.adopt()) == (2, 0, 0, 2)
    assert session.quarantine().height == 2
    assert session.head().event_count == 3


def test_the_log_goes_on_and_old_foreign_snapshots_expire(session: Session) -> None:
    write_foreign(session, {"event_id": "f1"})
    session.adopt()
    for _ in range(12):
        session.append([build_event()])
    session.maintain()
    assert len(assert_whole(log(session))) == 16


def test_adopting_is_only_done_for_the_snapshot_that_was_looked_at(session: Session) -> None:
    seen = write_foreign(session, {"event_id": "f1"})
    later = write_foreign(session, {"event_id": "f2"})
    with pytest.raises(ArgumentError, match=f"{seen} is not the last.*{later}"):
        session.adopt(seen)
    assert counts(session.adopt(later)) == (2, 2, 0, 0)
    assert counts(session.adopt(later)) == (0, 0, 0, 0)


def test_an_own_snapshot_cannot_be_adopted(session: Session) -> None:
    with pytest.raises(ArgumentError, match="theirs are none"):
        session.adopt(session.head().snapshot_id)


def test_with_nothing_foreign_it_changes_nothing(session: Session) -> None:
    head = session.head()
    assert counts(session.adopt()) == (0, 0, 0, 0)
    assert session.head() == head


def test_a_log_whose_first_rows_are_foreign_can_be_adopted(tmp_path: Path) -> None:
    with connect(tmp_path / "new") as session:
        write_foreign(session, {"event_id": "f1"})
        with pytest.raises(ForeignWriteError):
            session.append([build_event()])
        assert counts(session.adopt()) == (1, 1, 0, 0)
        session.append([build_event()])
        assert_whole(log(session))


def test_cut_short_before_the_inbox_is_drained_nothing_is_lost(session: Session) -> None:
    write_foreign(session, {"event_id": "f1"})
    _take_out(log(session)._store, None)
    assert session.head().event_count == 3
    assert counts(session.adopt()) == (1, 1, 0, 0)
    assert_whole(log(session))


def test_cut_short_after_the_copy_rows_are_not_doubled(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    write_foreign(session, {"event_id": "f1"})
    with monkeypatch.context() as patched:
        patched.setattr("workbench.eventlog.writing.adopt.adopted_snapshots", _interrupt)
        with pytest.raises(KeyboardInterrupt):
            session.adopt()
    with pytest.raises(ForeignWriteError):
        session.head()
    assert counts(session.adopt()) == (2, 1, 1, 0)
    assert_whole(log(session))


def _interrupt(_table: Table) -> set[int]:
    raise KeyboardInterrupt


def test_a_foreign_delete_cannot_be_adopted_and_rolling_back_heals(session: Session) -> None:
    ours = session.head().snapshot_id
    assert ours is not None
    events(session).delete("position = 1")
    with pytest.raises(ForeignWriteError, match=rf"cannot be adopted.*rollback_to_snapshot\({ours}\)"):
        session.adopt()
    events(session).manage_snapshots().rollback_to_snapshot(ours).commit()
    session.maintain()
    for _ in range(12):
        session.append([build_event()])
    assert len(assert_whole(log(session))) == 15


def test_foreign_rows_merged_with_ours_are_refused_with_the_way_out(session: Session) -> None:
    ours = session.head().snapshot_id
    write_foreign(session, {"event_id": "f1"})
    replace(events(session), [read_all(events(session))])
    with pytest.raises(ForeignWriteError, match=rf"merged with ours.*rollback_to_snapshot\({ours}\)"):
        session.adopt()


def test_foreign_rows_beside_a_rearrangement_are_adopted(session: Session) -> None:
    replace(events(session), [read_all(events(session))])
    write_foreign(session, {"event_id": "f1"})
    assert counts(session.adopt()) == (1, 1, 0, 0)
    assert_whole(log(session))
    assert session.verify()["holds"].all()


def test_metadata_names_the_snapshot_and_keeps_what_it_held() -> None:
    given = pa.chunked_array([[None, "{}", '{"a":1}', " { } ", "[1]", "x"]])
    mark = '{"adopted_from_snapshot":"7"'
    kept = [f"{mark}}}", f"{mark}}}", f'{mark},"a":1}}', f"{mark}}}", "[1]", "x"]
    assert mark_metadata(given, 7).to_pylist() == kept
