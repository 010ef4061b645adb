"""What the page As of is answered: plain values, everything of an event as text."""

import json
from collections.abc import Iterator
from typing import Any

import polars as pl
import pytest

from tests.loans import HOSTILE, make_loans
from workbench.apps.answers import Request
from workbench.apps.as_of_answers import answer_as_of
from workbench.apps.jupyter import as_of_app
from workbench.errors import ArgumentError
from workbench.session import Session, connect


@pytest.fixture(scope="module")
def loans(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    with connect(make_loans(tmp_path_factory.mktemp("loans"))) as session:
        yield session


def ask(session: Session, kind: str, options: dict[str, Any] | None = None, **chosen: str) -> dict[str, Any]:
    choices = {name: [value] for name, value in chosen.items()}
    body, _ = answer_as_of(session, Request(id=1, kind=kind, choices=choices, options=options or {}))
    # What goes to the page is JSON.
    read: dict[str, Any] = json.loads(json.dumps(body))
    return read


def test_the_start_says_what_the_log_and_its_projections_are(loans: Session) -> None:
    start = ask(loans, "start")
    assert (start["projection"], start["entities"], start["position"], start["events"]) == ("loan@2", 4, 14, 15)
    assert [each["title"] for each in start["projections"]] == ["loan@2", "document@1"]


def test_a_history_is_one_answer_for_every_moment(loans: Session) -> None:
    told = ask(loans, "history", entity="loan-1")
    assert told["position"] == [0, 2, 3, 4, 5, 7, 8, 11, 13, 14]
    assert told["bands"]["status"] == [
        [-1, "null", -1],
        [0, '"requested"', 0],
        [5, '"offered"', 5],
        [7, '"accepted"', 7],
    ]
    assert told["illegal"] == [[6, "status", "offered", "offered"]]
    assert told["errors"] == {"3": {"amount": "'12x' is no decimal"}}
    assert told["again"] == {"status": [6]}
    assert HOSTILE in told["type"]
    assert {field["name"] for field in told["fields"] if field["people"]} == {"handled_by", "in_hand_of"}


def test_what_is_known_then_says_its_position(loans: Session) -> None:
    assert ask(loans, "history", entity="loan-1", known_at="2026-03-03T08:00:00Z")["known_position"] == 8
    assert ask(loans, "history", entity="loan-1")["known_position"] is None


def test_entities_come_with_their_events(loans: Session) -> None:
    assert [each["entity"] for each in ask(loans, "entities")["entities"]] == ["loan-1", "loan-2", "loan-3", "loan-4"]
    assert ask(loans, "entities", {"text": "loan-4"})["entities"][0]["events"] == 1


def test_two_moments_are_compared_with_their_picture(loans: Session) -> None:
    told = ask(loans, "compare", entity="loan-1", before="2026-03-02T18:00:00Z", after="2026-03-04T07:00:00Z")
    assert [each["field"] for each in told["differences"]] == ["status", "calls", "handled_by", "in_hand_of"]
    assert told["differences"][0]["set_by"] == 7
    assert [each["late_by"] for each in told["between"]] == [None, None, 3 * 86_400_000_000]
    assert told["spec"]["layer"]


def test_the_population_comes_with_its_pictures_counts_and_members(loans: Session) -> None:
    told = ask(loans, "population")
    assert [(each["value"], each["ended"]) for each in told["values"]] == [
        ('"offered"', False),
        ('"requested"', False),
        ('"accepted"', True),
        ('"declined"', True),
    ]
    assert set(told["pictures"]) == {"all", "open"}
    moment = ask(loans, "members", value='"requested"', as_of="2026-03-02T13:30:00Z")
    assert [each["entity"] for each in moment["members"]] == ["loan-1", "loan-2"]
    assert (moment["there"], moment["total"], moment["position"]) == (2, 4, 5)
    assert moment["beside"]["of"] == 2
    stepped = ask(loans, "members", {"move": "forward", "beside": "amount"}, as_of="2026-03-02T13:30:00Z")
    assert stepped["beside"]["field"] == "amount"
    assert stepped["at"] > moment["at"]


def test_a_projection_without_ends_has_one_picture(loans: Session) -> None:
    assert set(ask(loans, "population", field="calls")["pictures"]) == {"open"}


def test_what_would_be_comes_with_what_would_undo_it(loans: Session) -> None:
    told = ask(loans, "what_if", entity="loan-1", point="8")
    assert [(each["position"], each["place"], each["needed"]) for each in told["affected"]] == [
        (8, None, False),
        (11, 2, True),
        (13, None, False),
        (14, 1, True),
    ]
    assert told["proposed"] == 2
    assert told["imagined"]["position"] == [0, 2, 3, 4, 5, 7]


def test_an_event_opens_from_any_of_them(loans: Session) -> None:
    assert ask(loans, "event", event="3")["envelope"]["event_type"] == "Noted"
    assert ask(loans, "around", event="8")["stream_count"] == 10


@pytest.mark.parametrize("mode", ["entity", "compare", "population", "what_if"])
def test_rows_can_be_taken_along_from_every_mode(loans: Session, mode: str) -> None:
    choices = {"mode": [mode], "entity": ["loan-1"], "basis": ["14"]}
    _, files = answer_as_of(loans, Request(id=1, kind="export", choices=choices, options={"form": "parquet"}))
    assert pl.read_parquet(files[0]).height >= 2


def test_what_is_not_possible_is_refused(loans: Session) -> None:
    with pytest.raises(ArgumentError, match="'weather'"):
        ask(loans, "weather")
    with pytest.raises(ArgumentError, match="not as xls"):
        ask(loans, "export", {"form": "xls"})


def test_the_widget_answers_as_of(loans: Session) -> None:
    widget = as_of_app(loans, {"entity": ["loan-1"]})
    reply, _ = widget.answer(Request(id=4, kind="history", choices={"entity": ["loan-1"]}))
    assert (reply["id"], len(reply["body"]["position"])) == (4, 10)
    reply, _ = widget.answer(Request(id=5, kind="history", choices={"projection": ["nothing"]}))
    assert "projection=nothing" in reply["error"]["sentence"]
