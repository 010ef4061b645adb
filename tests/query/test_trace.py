"""What became of a record is said for every record: event, duplicate, quarantined, resolved or not ingested."""

from pathlib import Path

import pytest

from tests.builders import build_cloud_event, encode_lines
from workbench.errors import UnknownEventError
from workbench.session import Session, connect


@pytest.fixture
def records(tmp_path: Path) -> Path:
    path = tmp_path / "desk.ndjson"
    first = build_cloud_event(id="t1")
    lines = encode_lines([first, build_cloud_event(id="t2"), first])
    path.write_bytes(lines + b'{"specversion":"1.0","id":"t3"}\n')
    return path


@pytest.fixture
def session(tmp_path: Path) -> Session:
    return connect(tmp_path / "log")


def test_a_record_not_yet_taken_in_is_said_to_be_so(session: Session, records: Path) -> None:
    assert session.trace(f"{records}:2").outcome == "not ingested"


def test_a_record_that_became_an_event_is_traced_to_its_position(session: Session, records: Path) -> None:
    session.ingest(records)
    trace = session.trace(f"{records}:2")
    assert (trace.outcome, trace.position, trace.event_id) == ("event", 1, "t2")


def test_a_second_record_with_a_known_key_is_a_duplicate_of_the_first(session: Session, records: Path) -> None:
    session.ingest(records)
    trace = session.trace(f"{records}:3")
    assert (trace.outcome, trace.position) == ("duplicate", 0)


def test_a_record_that_could_not_be_an_event_is_traced_to_quarantine(session: Session, records: Path) -> None:
    session.ingest(records)
    trace = session.trace(f"{records}:4")
    assert trace.outcome == "quarantined"
    assert trace.reason == "missing_attribute"


def test_a_record_that_contradicts_an_event_is_no_duplicate_of_it(
    session: Session, records: Path, tmp_path: Path
) -> None:
    session.ingest(records)
    changed = tmp_path / "changed.ndjson"
    changed.write_bytes(encode_lines([build_cloud_event(id="t2", data={"amount": -1})]))
    trace = session.trace(f"{changed}:1")
    assert (trace.outcome, trace.reason) == ("not ingested", "conflict")
    session.ingest(changed)
    assert session.trace(f"{changed}:1").outcome == "quarantined"


def test_a_file_with_a_mapping_is_traced_with_the_same(session: Session, tmp_path: Path) -> None:
    table, mapping = tmp_path / "table.csv", tmp_path / "table.toml"
    table.write_text("who,what,moment\na,Came,2026-01-01T00:00:00Z\nb,Went,2026-01-02T00:00:00Z\n", encoding="utf-8")
    mapping.write_text("[columns]\nstream_id = 'who'\nevent_type = 'what'\noccurred_at = 'moment'\n", encoding="utf-8")
    session.ingest(table, "door", mapping)
    trace = session.trace(f"{table}:3", source="door", mapping=mapping)
    assert (trace.outcome, trace.position, trace.source) == ("event", 1, "door")


def test_an_event_is_found_by_its_id(session: Session, records: Path) -> None:
    session.ingest(records)
    assert session.trace("t2").position == 1


def test_an_unknown_id_is_an_error_that_says_what_to_do(session: Session) -> None:
    with pytest.raises(UnknownEventError, match="workbench events --text"):
        session.trace("nobody")


def test_a_line_before_the_first_record_is_an_error(session: Session, records: Path) -> None:
    with pytest.raises(UnknownEventError, match="no record at line 0"):
        session.trace(f"{records}:0")
