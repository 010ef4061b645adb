"""The commands that ask for states: the same answers as the session's, from a shell."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.builders import build_event
from tests.cli.conftest import Run
from workbench.session import connect

BALANCE = """
name = "account"
version = {version}
[cancels]
event_types = ["DepositCancelled"]
target = "data.cancels"
[fields.balance]
rule = "sum"
kind = "integer"
event_types = ["MoneyDeposited"]
value = "data.amount"
[fields.deposits]
rule = "{rule}"
kind = "integer"
event_types = ["MoneyDeposited"]
value = "data.amount"
"""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    folder = tmp_path / "log"
    with connect(folder) as session:
        session.append(
            [
                build_event(event_id="d1", data={"amount": 5}),
                build_event(event_id="d2", data={"amount": 7}),
                build_event(event_id="d3", stream_id="account-2", data={"amount": 1}),
                build_event(event_id="c1", event_type="DepositCancelled", data={"cancels": "d2"}),
            ]
        )
    projections = folder / "projections"
    projections.mkdir()
    (projections / "account-1.toml").write_text(BALANCE.format(version=1, rule="count"))
    (projections / "account-2.toml").write_text(BALANCE.format(version=2, rule="max"))
    return folder


def read_rows(printed: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in printed.splitlines()]


def test_state_prints_one_row_an_entity(run: Run, log: Path) -> None:
    code, printed, _ = run("state", "account@1", "--log", log, "--json")
    assert code == 0
    assert [(row["entity_id"], row["balance"], row["deposits"]) for row in read_rows(printed)] == [
        ("account-1", "5", 1),
        ("account-2", "1", 1),
    ]


def test_state_of_one_entity_is_a_line_a_field(run: Run, log: Path) -> None:
    code, printed, _ = run("state", "account", "--entity", "account-1", "--position", 1, "--log", log)
    assert code == 0
    assert dict(line.split(maxsplit=1) for line in printed.splitlines() if " " in line.strip())["balance"] == "12"


def test_state_says_when_there_are_more_entities(run: Run, log: Path) -> None:
    assert "first 1 of 2 entities" in run("state", "account", "--limit", 1, "--log", log)[2]


def test_a_projection_may_be_a_file(run: Run, log: Path) -> None:
    file = log / "projections" / "account-1.toml"
    assert run("state", file, "--log", log, "--json") == run("state", "account@1", "--log", log, "--json")


def test_history_shows_what_each_event_changed(run: Run, log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    rows = read_rows(run("history", "account@1", "account-1", "--log", log, "--json")[1])
    assert [json.loads(row["changed"]).get("balance") for row in rows] == [[None, "5"], ["5", "12"], ["12", "5"]]
    assert rows[-1]["effect"] == "cancels position 1"
    assert "cancels position 1" in run("history", "account@1", "account-1", "--log", log)[1]


def test_blame_names_the_event_behind_a_value(run: Run, log: Path) -> None:
    (balance,) = (
        row
        for row in read_rows(run("blame", "account", "account-1", "--log", log, "--json")[1])
        if row["field"] == "balance"
    )
    assert (balance["value"], balance["event_id"]) == ('"5"', "d1")


def test_diff_takes_positions_and_times(run: Run, log: Path) -> None:
    rows = read_rows(run("diff", "account@1", "--before", 0, "--after", 1, "--log", log, "--json")[1])
    assert [(row["field"], row["before"], row["after"]) for row in rows] == [
        ("balance", '"5"', '"12"'),
        ("deposits", "1", "2"),
    ]
    late = run("diff", "account@1", "--before", "2030-01-01T00:00:00Z", "--after", "2031-01-01T00:00:00Z", "--log", log)
    assert late[0] == 0
    assert "Nothing differs" in late[2]


def test_what_if_sets_events_aside_and_assumes_others(run: Run, log: Path, tmp_path: Path) -> None:
    def ask(*options: object) -> Any:
        rows = read_rows(run("what-if", "account", "--log", log, "--json", *options)[1])
        return {row["field"]: (row["true_value"], row["what_if_value"]) for row in rows}

    assert ask("--without", "d1")["balance"] == ('"5"', None)
    assumed = tmp_path / "assumed.jsonl"
    event = {"event_id": "h", "stream_id": "account-1", "event_type": "MoneyDeposited", "data": {"amount": 3}}
    assumed.write_text(json.dumps({**event, "occurred_at": "2027-01-01T00:00:00Z"}))
    assert ask("--insert", assumed)["balance"] == ('"5"', '"8"')
    assert ask("--entity", "account-1", "--until", 1)["balance"] == ('"5"', '"12"')
    assert ask("--entity", "account-1", "--other", "account@1")["deposits"] == ("5", "1")


def test_assumed_events_that_cannot_be_read_are_refused_by_line(run: Run, log: Path, tmp_path: Path) -> None:
    assumed = tmp_path / "assumed.jsonl"
    assumed.write_text('{"event_id": "h"}\n')
    code, _, error = run("what-if", "account", "--insert", assumed, "--log", log)
    assert code == 1
    assert "assumed.jsonl:1" in error
    assert run("what-if", "account", "--insert", tmp_path / "none", "--log", log)[0] == 1


def test_late_prints_what_the_log_took_only_afterwards(run: Run, log: Path) -> None:
    def ask(known_at: str) -> tuple[int, str, str]:
        return run("late", "account", "--as-of", "2030-01-01T00:00:00Z", "--known-at", known_at, "--log", log, "--json")

    assert [row["event_id"] for row in read_rows(ask("2026-01-01T00:00:00Z")[1])] == ["d1", "d2", "d3", "c1"]
    assert ask("2035-01-01T00:00:00Z")[1] == ""


def test_compare_names_the_event_at_which_two_versions_part(run: Run, log: Path) -> None:
    rows = read_rows(run("compare", "account@1", "account@2", "--log", log, "--json")[1])
    assert [(row["entity_id"], row["field"], row["one"], row["other"], row["event_id"]) for row in rows] == [
        ("account-1", "deposits", "1", "5", "d1")
    ]
    assert "same states" in run("compare", "account", "account@2", "--log", log)[2]


def test_rollback_proposes_what_undoes_and_writes_nothing(run: Run, log: Path) -> None:
    rows = read_rows(run("rollback", "account", "account-1", "--to", 0, "--log", log, "--json")[1])
    assert [(row["event_id"], row["compensation"], row["data"]) for row in rows] == [
        ("c1", "DepositCancelled", '{"cancels":"c1"}')
    ]
    assert "Nothing is to be undone" in run("rollback", "account", "account-1", "--to", 3, "--log", log)[2]
    with connect(log) as session:
        assert session.head().position == 3


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("state", "balance"), "There is no projection 'balance'; there are document, account"),
        (("state", "account", "--entity", "account-9"), "nearest names are account-1, account-2"),
        (("state", "account", "--position", 99), "positions are 0 to 3"),
        (
            ("history", "account", "account-1", "--as-of", "2020-01-01T00:00:00Z"),
            "has no events that count before 2026",
        ),
        (("what-if", "account"), "Name what the question is about"),
        (("what-if", "account", "--without", "nope"), "'nope'"),
    ],
)
def test_what_cannot_be_answered_is_one_sentence(
    run: Run, log: Path, arguments: tuple[object, ...], words: str
) -> None:
    code, printed, error = run(*arguments, "--log", log)
    assert (code, printed) == (1, "")
    assert words in error
    assert error.count("\n") == 1
