"""The command that keeps states beside the log."""

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.builders import build_events
from workbench.cli import main
from workbench.session import connect


@pytest.fixture
def log(tmp_path: Path) -> Path:
    folder = tmp_path / "desk"
    (folder / "projections").mkdir(parents=True)
    declared = 'name = "account"\n[fields.latest]\nrule = "last"\nfrom = [{ value = "event_type" }]\n'
    (folder / "projections" / "account.toml").write_text(declared, encoding="utf-8")
    with connect(folder) as session:
        session.append(build_events(4))
    return folder


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, list[dict[str, Any]], str]:
    code = main([str(argument) for argument in arguments])
    printed = capsys.readouterr()
    return code, [json.loads(line) for line in printed.out.splitlines()], printed.err


def test_a_model_is_made_listed_and_dropped(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, [made], _ = run(capsys, "materialise", "account", "--log", log, "--json")
    assert (code, made["position"], made["entities"]) == (0, 3, 1)
    _, [listed], _ = run(capsys, "materialise", "--log", log, "--json")
    assert (listed["projection"], listed["lag"], listed["fields"], listed["usable"]) == ("account", 0, ["latest"], True)
    _, [again], _ = run(capsys, "materialise", "account", "--log", log, "--rebuild", "--field", "latest", "--json")
    assert again == made
    _, [dropped], _ = run(capsys, "materialise", "account", "--log", log, "--drop", "--json")
    assert dropped == {"dropped": 1}
    assert run(capsys, "materialise", "--log", log, "--json")[1] == []


def test_how_far_it_is_stands_on_a_terminal(
    log: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    shown = Terminal()
    monkeypatch.setattr(sys, "stderr", shown)
    assert run(capsys, "materialise", "account", "--log", log, "--json")[0] == 0
    assert shown.getvalue() == "4 of 4 events, 1 entities; 4 positions behind\n"


@pytest.mark.parametrize("option", ["--follow", "--rebuild", "--drop"])
def test_what_is_to_be_done_needs_a_projection(log: Path, capsys: pytest.CaptureFixture[str], option: str) -> None:
    code, _, error = run(capsys, "materialise", option, "--log", log)
    assert code == 1
    assert "Name the projection" in error
