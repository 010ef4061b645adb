"""The samples through the door that every file takes."""

from pathlib import Path

import pytest

import workbench
from workbench import Session

SAMPLES = Path(__file__).resolve().parents[2] / "datasets" / "samples"
PLAIN = ["loan-desk.ndjson", "loan-desk.jsonl", "loan-desk.avro"]
MAPPED = ["loan-desk.csv", "loan-desk.parquet"]


def ingest(session: Session, name: str) -> workbench.IngestReport:
    return session.ingest(SAMPLES / name, mapping=SAMPLES / f"{name}.toml" if name in MAPPED else None)


@pytest.mark.parametrize("name", [*PLAIN, *MAPPED, "loan-desk.xes"])
def test_a_sample_comes_in_whole(name: str, tmp_path: Path) -> None:
    with workbench.connect(tmp_path / "log") as session:
        report = ingest(session, name)
        assert (report.read, report.appended, report.quarantined) == (1_000, 1_000, 0)
        assert session.head().position == 999


def test_the_object_centric_sample_brings_its_objects_too(tmp_path: Path) -> None:
    with workbench.connect(tmp_path / "log") as session:
        report = ingest(session, "loan-desk.sqlite")
        assert (report.read, report.appended, report.quarantined) == (1_255, 1_255, 0)
        kinds = session.sql("select event_type, count(*) as n from events group by 1")
        counts = dict(kinds.rows())
        assert (counts.pop("ObjectCreated"), counts.pop("ObjectChanged"), sum(counts.values())) == (164, 91, 1_000)


def test_the_sample_of_chats_brings_each_message_and_each_call(tmp_path: Path) -> None:
    with workbench.connect(tmp_path / "log") as session:
        report = ingest(session, "loan-desk.chats")
        assert (report.read, report.appended, report.quarantined) == (1_182, 1_182, 0)


@pytest.mark.parametrize("name", [*PLAIN[1:], *MAPPED])
def test_the_same_events_in_another_format_are_the_same_events(name: str, tmp_path: Path) -> None:
    with workbench.connect(tmp_path / "log") as session:
        ingest(session, "loan-desk.ndjson")
        report = ingest(session, name)
        assert (report.appended, report.duplicates, report.quarantined) == (0, 1_000, 0)


def test_a_sample_brings_its_own_recording_times(tmp_path: Path) -> None:
    with workbench.connect(tmp_path / "log") as session:
        ingest(session, "loan-desk.csv")
        recorded = session.events()["recorded_at"]
        assert recorded.is_sorted()
        assert (recorded[0].year, recorded[-1].year) == (2025, 2025)


def test_requests_are_lifted_to_their_third_version(tmp_path: Path) -> None:
    from workbench.cli.demo import place_schemas

    place_schemas(tmp_path / "log")
    with workbench.connect(tmp_path / "log") as session:
        ingest(session, "loan-desk.ndjson")
        versions = "select distinct schema_version from {} where event_type = 'LoanRequested' order by 1"
        stored = session.sql(versions.format("events_stored"))["schema_version"].to_list()
        lifted = session.sql(versions.format("events"))["schema_version"].to_list()
        assert (stored, lifted) == ([1, 2, 3], [3])
