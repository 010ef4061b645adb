"""A record that could not be an event waits with its reason until its cause is mended, and then comes in once."""

import json
from pathlib import Path

import pytest

from tests.builders import build_cloud_event, encode_lines
from workbench.session import Session, connect

MAPPING = """
[columns]
event_id = "id"
stream_id = "account"
event_type = "'MoneyDeposited'"
occurred_at = "{time}"

[data]
amount = "amount"
"""
ROWS = "id,account,happened,amount\n1,a,2026-01-01T00:00:00Z,5\n2,a,2026-01-02T00:00:00Z,6\n"
SCHEMA = """
event_type = "MoneyDeposited"
current = 1

[schema]
1 = "deposited.json"
"""


@pytest.fixture
def session(tmp_path: Path) -> Session:
    return connect(tmp_path / "log")


def write_mapping(folder: Path, time: str) -> Path:
    path = folder / "mapping.toml"
    path.write_text(MAPPING.replace("{time}", time))
    return path


def write_schema(folder: Path, kind: str) -> None:
    schemas = folder / "log" / "schemas"
    schemas.mkdir(parents=True, exist_ok=True)
    (schemas / "deposited.toml").write_text(SCHEMA)
    (schemas / "deposited.json").write_text(json.dumps({"properties": {"amount": {"type": kind}}}))


def test_a_file_read_again_through_its_mended_mapping_leaves_nothing_waiting(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "desk.csv"
    path.write_text(ROWS)
    wrong = session.ingest(path, mapping=write_mapping(tmp_path, "amount"))
    assert (wrong.appended, wrong.quarantined, session.quarantine().height) == (0, 2, 2)
    right = session.ingest(path, mapping=write_mapping(tmp_path, "happened"))
    assert (right.appended, right.quarantined, session.quarantine().height) == (2, 0, 0)
    again = session.ingest(path, mapping=write_mapping(tmp_path, "happened"))
    assert (again.appended, again.duplicates) == (0, 2)


def test_a_record_its_schema_refused_comes_in_once_the_schema_is_mended(tmp_path: Path) -> None:
    write_schema(tmp_path, "string")
    path = tmp_path / "desk.ndjson"
    path.write_bytes(encode_lines([build_cloud_event(data={"amount": 5})]))
    with connect(tmp_path / "log") as session:
        assert session.ingest(path).quarantined == 1
        assert session.retry_quarantine().quarantined == 1
        assert session.quarantine()["reason"].to_list() == ["schema_mismatch"]
    write_schema(tmp_path, "integer")
    with connect(tmp_path / "log") as session:
        assert session.retry_quarantine().appended == 1
        assert session.retry_quarantine().read == 0
        assert session.ingest(path).duplicates == 1
        assert (session.head().event_count, session.quarantine().height) == (1, 0)


def test_a_second_reading_of_a_file_quarantines_nothing_twice(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "desk.ndjson"
    path.write_bytes(b'{"specversion":"1.0"}\n{"specversion":"1.0"}\n')
    assert session.ingest(path).quarantined == 2
    assert session.ingest(path).quarantined == 2
    assert session.quarantine().height == 2


def test_equal_keys_with_other_content_are_quarantined_with_their_bytes(session: Session, tmp_path: Path) -> None:
    first, second = (build_cloud_event(id="x", data={"amount": amount}) for amount in (1, 2))
    path = tmp_path / "desk.ndjson"
    path.write_bytes(encode_lines([first, second]))
    report = session.ingest(path)
    assert (report.appended, report.quarantined) == (1, 1)
    waiting = session.quarantine().row(0, named=True)
    assert waiting["reason"] == "conflict"
    assert waiting["raw"].encode() + b"\n" == path.read_bytes().splitlines(keepends=True)[1]


def test_a_mapped_row_its_schema_refused_comes_in_once_the_schema_is_mended(tmp_path: Path) -> None:
    write_schema(tmp_path, "string")
    path = tmp_path / "desk.csv"
    path.write_text(ROWS)
    mapping = write_mapping(tmp_path, "happened")
    mapping.write_text(mapping.read_text().replace('amount = "amount"', 'amount = "amount::json"'))
    with connect(tmp_path / "log") as session:
        assert session.ingest(path, mapping=mapping).quarantined == 2
    write_schema(tmp_path, "integer")
    with connect(tmp_path / "log") as session:
        assert session.retry_quarantine().appended == 2
        assert session.ingest(path, mapping=mapping).duplicates == 2
        assert (session.head().event_count, session.quarantine().height) == (2, 0)
