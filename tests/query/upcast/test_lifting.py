"""`events` shows payloads in their type's current schema version, `events_stored` as they were written."""

from pathlib import Path

import pytest

from tests.builders import build_event, declare_type
from tests.golden import Case, load_cases, read_lifted, write_events, write_schemas
from workbench.session import Session, connect
from workbench.views.event import load_event

TYPE = declare_type("Loan's request")


@pytest.fixture
def session(tmp_path: Path) -> Session:
    folder = tmp_path / "desk"
    (folder / "schemas").mkdir(parents=True)
    (folder / "schemas" / "loan.toml").write_text(TYPE)
    made = connect(folder)
    made.append(
        [
            build_event(event_type="Loan's request", schema_version=1, data={"sum": 5}),
            build_event(event_type="Loan's request", schema_version=2, data={"amount": 6}),
            build_event(event_type="Loan's request", schema_version=3, data={"amount": 7, "currency": "CHF"}),
            build_event(event_type="Loan's request", schema_version=4, data={"new": 8}),
            build_event(event_type="Other", schema_version=1, data={"sum": 9}),
        ]
    )
    return made


def test_events_are_lifted_to_the_current_version_of_their_type(session: Session) -> None:
    events = session.sql("select schema_version, data from events order by position")
    assert events.rows() == [
        (3, '{"amount":5,"currency":"EUR"}'),
        (3, '{"amount":6,"currency":"EUR"}'),
        (3, '{"amount":7,"currency":"CHF"}'),
        (4, '{"new":8}'),
        (1, '{"sum":9}'),
    ]


def test_events_stored_are_the_rows_as_written(session: Session) -> None:
    events = session.sql("select schema_version, data from events_stored order by position")
    assert events.rows()[:2] == [(1, '{"sum":5}'), (2, '{"amount":6}')]


def test_frames_agree_with_sql(session: Session) -> None:
    frame = session.events().select("schema_version", "data")
    assert frame.equals(session.sql("select schema_version, data from events order by position"))


def test_a_filter_on_a_payload_sees_the_lifted_one(session: Session) -> None:
    found = session.sql("select position from events where json_extract_scalar(data, '$.currency') = 'EUR'")
    assert sorted(found["position"].to_list()) == [0, 1]


def test_the_number_of_events_is_the_same_lifted_or_not(session: Session) -> None:
    counts = session.sql("select (select count(*) from events) as a, (select count(*) from events_stored) as b")
    assert counts.row(0) == (5, 5)


@pytest.fixture
def python_cases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Session, list[Case]]:
    """A log with the events of the golden file of Python steps, and those events."""
    cases = load_cases("python")
    write_schemas(tmp_path / "log" / "schemas", cases)
    monkeypatch.setenv("WORKBENCH_PYTHON_STEPS", "true")
    made = connect(tmp_path / "log")
    made.ingest(write_events(tmp_path, cases))
    return made, cases


def test_a_python_step_lifts_too_and_an_event_it_fails_at_keeps_its_version(
    python_cases: tuple[Session, list[Case]],
) -> None:
    session, cases = python_cases
    for case, row in zip(cases, read_lifted(session, cases), strict=True):
        assert row["data"] == bytes(case.lifted).decode()
        assert row["schema_version"] == (1 if case.fails else 3)
        assert row["scalar"] == case.values


def test_the_inspector_shows_a_payload_that_could_not_be_lifted_as_it_was_written(
    python_cases: tuple[Session, list[Case]],
) -> None:
    details = [load_event(python_cases[0], place) for place in (0, 1)]
    assert [(one.stored_version, one.envelope["schema_version"]) for one in details] == [(1, 3), (1, 1)]
    assert details[1].raw_data == details[1].stored_data == '{"sum":"a lot"}'
