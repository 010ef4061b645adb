"""What the page Deltas is told of an agent's call, and of a reason that is added."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.runs import write_run
from tests.views.deltas_log import HOSTILE
from workbench.apps.answers import Request
from workbench.apps.deltas_answers import answer_deltas
from workbench.errors import ArgumentError
from workbench.session import Session, connect


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Iterator[Session]:
    """One run of an agent, whose second call nobody expected."""
    folder = tmp_path_factory.mktemp("runs")
    (folder / "log" / "deltas").mkdir(parents=True)
    shutil.copy(repository / "datasets/deltas/agents.toml", folder / "log" / "deltas")
    with connect(folder / "log") as session:
        session.ingest(write_run(folder))
        yield session


def ask(session: Session, asked: str, options: dict[str, Any] | None = None, /, **choices: str) -> dict[str, Any]:
    query = {name: [value] for name, value in choices.items()}
    told, files = answer_deltas(session, Request(id=1, kind=asked, choices=query, options=options or {}))
    assert files == []
    json.dumps(told)
    return told


def test_a_call_is_told_against_the_action_expected_of_it(runs: Session) -> None:
    told = ask(runs, "delta", delta="7")
    assert told["row"]["is_expected"] is True
    assert told["row"]["what"] == "call book"
    assert told["whole"] == {"differ": 1, "match": 1, "never": 1, "total": 3}
    assert (told["expected"], told["value_word"]) == ("a2", "expected")
    assert told["sides"]["value_words"].endswith("· action a2")
    assert told["chain"][1]["title"] == "Expected action a2"


def test_a_call_that_nobody_expected_is_told_as_it_was_made(runs: Session) -> None:
    told = ask(runs, "delta", delta="3")
    assert told["row"]["decision"] == "expired"
    assert (told["expected"], told["sides"], told["paths"]) == (None, None, [])


def test_a_reason_is_added_once_and_told_with_the_delta(runs: Session) -> None:
    told = ask(runs, "reason", {"text": f" {HOSTILE} ", "person": " anna "}, delta="7")
    assert told["new"] is True
    again = ask(runs, "reason", {"text": HOSTILE}, delta="7")
    assert (again["position"], again["new"]) == (told["position"], False)
    one = ask(runs, "delta", delta="7")
    assert one["added"] == [{"text": HOSTILE, "person": "anna", "position": told["position"]}]
    assert one["reasons"][-1] == {"text": HOSTILE, "quote": None, "met": None}
    assert one["offered"] == [HOSTILE]
    assert ask(runs, "delta", delta="7", position=str(told["position"] - 1))["added"] == []


def test_a_reason_without_words_or_without_a_delta_is_refused(runs: Session) -> None:
    with pytest.raises(ArgumentError, match="A reason of 0 characters"):
        ask(runs, "reason", {}, delta="7")
    with pytest.raises(ArgumentError, match="No proposal stands at position 0"):
        ask(runs, "reason", {"text": "why"})
