import json

import pytest

from tests.apps.conftest import HOSTILE
from workbench.apps.answers import ANSWERS, Request, answer_request
from workbench.errors import ArgumentError
from workbench.session import Session

ASKED = {"event": ["8"], "position": ["119"]}


@pytest.mark.parametrize("kind", list(ANSWERS))
def test_every_answer_is_plain_json(hostile_session: Session, kind: str) -> None:
    answer, files = answer_request(hostile_session, Request(id=1, kind=kind, choices=ASKED))
    assert json.loads(json.dumps(answer)) == answer
    assert isinstance(answer["milliseconds"], int)
    assert files == []


@pytest.mark.parametrize(("form", "begins"), [("csv", b"position,"), ("json", b"{"), ("parquet", b"PAR1")])
def test_rows_are_answered_as_a_file(hostile_session: Session, form: str, begins: bytes) -> None:
    _, files = answer_request(hostile_session, Request(id=1, kind="export", options={"form": form}))
    assert files[0].startswith(begins)


@pytest.mark.parametrize(
    "request_", [Request(id=1, kind="drop"), Request(id=1, kind="export", options={"form": "exe"})]
)
def test_what_is_not_offered_is_refused(hostile_session: Session, request_: Request) -> None:
    with pytest.raises(ArgumentError):
        answer_request(hostile_session, request_)


@pytest.mark.parametrize(
    "choices", [{}, {"event_type": [HOSTILE]}, {"not_event_type": [HOSTILE]}, {"stream_id": ["account-1"]}]
)
def test_the_strip_counts_what_the_filters_leave_of_the_whole_log(
    hostile_session: Session, choices: dict[str, list[str]]
) -> None:
    window = {"since": ["2026-03-02T01:00:00Z"], "until": ["2026-03-02T02:00:00Z"]}
    strip, _ = answer_request(hostile_session, Request(id=1, kind="strip", choices=choices | window))
    whole, _ = answer_request(hostile_session, Request(id=2, kind="timeline", choices=choices))
    assert sum(strip["events"]) == whole["events"]


def test_times_travel_as_whole_microseconds(hostile_session: Session) -> None:
    answer, _ = answer_request(hostile_session, Request(id=1, kind="rows"))
    assert answer["rows"][1]["occurred_at"] - answer["rows"][0]["occurred_at"] == 600_000_000


def test_an_empty_window_has_no_busiest_bar(hostile_session: Session) -> None:
    answer, _ = answer_request(hostile_session, Request(id=1, kind="timeline", choices={"text": ["no such text"]}))
    assert (answer["events"], answer["busiest"]) == (0, None)
