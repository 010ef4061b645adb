"""The commands, from what is typed to what is printed, on a real log."""

import gzip
import io
import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.builders import build_cloud_event, encode_lines
from tests.cli.conftest import Run
from workbench.cli import main
from workbench.cli.parser import build_parser


@pytest.fixture
def records(tmp_path: Path) -> Path:
    """Three events, the second again, and one that cannot be an event."""
    good = [build_cloud_event(id=f"a{number}", subject="account-1", data={"amount": number}) for number in range(3)]
    file = tmp_path / "records.ndjson"
    file.write_bytes(encode_lines([*good, good[1]]) + b'{"specversion":"1.0","id":"x"}\n')
    return file


@pytest.fixture
def log(tmp_path: Path, records: Path, run: Run) -> Path:
    folder = tmp_path / "log"
    code, _, error = run("ingest", records, "--into", folder)
    assert code == 0, error
    return folder


def read_rows(printed: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in printed.splitlines()]


def test_ingest_prints_the_report_as_one_object(run: Run, records: Path, tmp_path: Path) -> None:
    code, printed, _ = run("ingest", records, "--into", tmp_path / "log", "--json")
    report = json.loads(printed)
    assert code == 0
    assert {name: report[name] for name in ("read", "appended", "duplicates", "quarantined")} == {
        "read": 5,
        "appended": 3,
        "duplicates": 1,
        "quarantined": 1,
    }
    assert report["seconds"] >= 0


def test_a_second_ingest_adds_nothing(run: Run, records: Path, log: Path) -> None:
    report = json.loads(run("ingest", records, "--into", log, "--json")[1])
    assert (report["appended"], report["duplicates"]) == (0, 4)


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "no file"), (b"", "empty"), (b"\x00\x01\x02\xff" * 100, ""), (gzip.compress(b"{}" * 9_000)[:40], "")],
    ids=["absent", "empty", "binary", "truncated gzip"],
)
def test_a_file_that_cannot_be_read_is_one_sentence_and_exit_1(
    run: Run, tmp_path: Path, content: bytes | None, said: str
) -> None:
    file = tmp_path / "input.ndjson"
    if content is not None:
        file.write_bytes(content)
    code, printed, error = run("ingest", file, "--into", tmp_path / "log")
    assert (code, printed) == (1, "")
    assert error.startswith("workbench: ")
    assert error.count("\n") == 1
    assert said in error


def test_wrong_usage_is_exit_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["sql"])
    assert stopped.value.code == 2
    assert "usage: workbench sql" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command", ["events", "tail", "quarantine", "maintain", "verify", "doctor", "trace e1", "sql 'select 1'"]
)
def test_asking_a_log_that_is_not_there_makes_none(run: Run, tmp_path: Path, command: str) -> None:
    folder = tmp_path / "typo"
    code, printed, error = run(*command.split(" ", 1), "--log", folder)
    assert code == 1
    assert "There is no log at" in printed + error
    assert not folder.exists()


def test_events_are_printed_in_the_order_of_the_log(run: Run, log: Path) -> None:
    code, printed, _ = run("events", "--log", log, "--json")
    assert code == 0
    assert [(row["position"], row["event_id"]) for row in read_rows(printed)] == [(0, "a0"), (1, "a1"), (2, "a2")]


def test_events_say_when_there_are_more(run: Run, log: Path) -> None:
    _, printed, error = run("events", "--log", log, "--json", "--limit", 2)
    assert len(read_rows(printed)) == 2
    assert "--after 1 goes on" in error


def test_a_filter_that_cannot_be_read_is_refused_with_its_name(run: Run, log: Path) -> None:
    code, _, error = run("events", "--log", log, "--since", "2026-01-01T00:00:00")
    assert code == 1
    assert "since" in error


def test_sql_binds_its_parameters(run: Run, log: Path) -> None:
    hostile = "a1' or '1'='1"
    statement = "select count(*) as n from events where event_id = :id"
    assert read_rows(run("sql", statement, "--param", "id=a1", "--log", log, "--json")[1]) == [{"n": 1}]
    assert read_rows(run("sql", statement, "--param", f"id={hostile}", "--log", log, "--json")[1]) == [{"n": 0}]


def test_sql_that_is_no_select_is_refused(run: Run, log: Path) -> None:
    code, printed, error = run("sql", "drop table events", "--log", log)
    assert (code, printed) == (1, "")
    assert error.count("\n") == 1


def test_a_payload_cannot_drive_the_terminal(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "hostile.ndjson"
    file.write_bytes(encode_lines([build_cloud_event(subject="s\u202e\x1b[2J", data={"text": "\x1b]0;owned\x07"})]))
    run("ingest", file, "--into", tmp_path / "log")
    for command in (["events"], ["sql", "select stream_id, data from events"], ["tail"], ["events", "--json"]):
        printed = run(*command, "--log", tmp_path / "log")[1]
        assert printed
        assert not {"\x1b", "\x07", "\u202e"} & set(printed)


def test_tail_prints_what_is_behind_a_position(run: Run, log: Path) -> None:
    assert [row["position"] for row in read_rows(run("tail", "--log", log, "--json")[1])] == [0, 1, 2]
    assert [row["position"] for row in read_rows(run("tail", "--after", 1, "--log", log, "--json")[1])] == [2]


@pytest.mark.parametrize(
    ("line", "outcome", "position"),
    [(1, "event", 0), (2, "event", 1), (4, "duplicate", 1), (5, "quarantined", None)],
)
def test_trace_says_what_became_of_each_line(
    run: Run, log: Path, records: Path, line: int, outcome: str, position: int | None
) -> None:
    code, printed, _ = run("trace", f"{records}:{line}", "--log", log, "--json")
    trace = json.loads(printed)
    assert (code, trace["outcome"], trace["position"]) == (0, outcome, position)


def test_trace_uses_the_mapping_and_source_that_ingest_used(run: Run, tmp_path: Path) -> None:
    table, mapping = tmp_path / "table.csv", tmp_path / "table.toml"
    table.write_text("who,what,moment\na,Came,2026-01-01T00:00:00Z\n", encoding="utf-8")
    mapping.write_text("[columns]\nstream_id = 'who'\nevent_type = 'what'\noccurred_at = 'moment'\n", encoding="utf-8")
    options = ["--mapping", mapping, "--source", "door", "--log", tmp_path / "log"]
    assert run("ingest", table, *options)[0] == 0
    assert "event at position 0" in run("trace", f"{table}:2", *options)[1]


def test_trace_finds_an_event_by_its_id(run: Run, log: Path) -> None:
    trace = json.loads(run("trace", "a2", "--log", log, "--json")[1])
    assert (trace["outcome"], trace["position"]) == ("event", 2)


def test_trace_of_something_unknown_is_exit_1(run: Run, log: Path) -> None:
    code, _, error = run("trace", "nobody", "--log", log)
    assert code == 1
    assert "'nobody'" in error


def test_verify_finds_a_sound_log_whole(run: Run, log: Path) -> None:
    code, printed, _ = run("verify", "--log", log, "--json")
    findings = read_rows(printed)
    assert code == 0
    assert {"positions", "digests", "keys"} <= {finding["check"] for finding in findings}
    assert all(finding["holds"] for finding in findings)


def test_verify_is_exit_1_when_a_file_of_the_log_is_gone(run: Run, log: Path) -> None:
    for file in (log / "warehouse" / "log" / "events").rglob("*.parquet"):
        file.unlink()
    assert run("verify", "--log", log)[0] == 1


def test_ingest_of_nothing_is_wrong_usage(run: Run, tmp_path: Path) -> None:
    code, _, error = run("ingest", "--into", tmp_path / "log")
    assert code == 2
    assert "--inbox" in error


def test_an_empty_inbox_has_nothing_to_take_in(run: Run, log: Path) -> None:
    code, printed, _ = run("ingest", "--inbox", "--log", log, "--json")
    assert (code, json.loads(printed)["read"]) == (0, 0)


def test_ingest_in_parts_gives_the_same_log(run: Run, records: Path, log: Path, tmp_path: Path) -> None:
    run("ingest", records, "--into", tmp_path / "parts", "--commit-every", 2)
    whole, parts = (run("events", "--log", folder, "--json")[1] for folder in (log, tmp_path / "parts"))
    ids = [[row["event_id"] for row in read_rows(printed)] for printed in (whole, parts)]
    assert ids[0] == ids[1] == ["a0", "a1", "a2"]


def test_there_is_nothing_to_adopt_in_a_log_of_ours(run: Run, log: Path) -> None:
    assert run("doctor", "--adopt", "x", "--log", log)[0] == 1
    code, printed, error = run("doctor", "--adopt", "--log", log, "--json")
    assert code == 1 or json.loads(printed)["read"] == 0, error


def test_quarantine_shows_the_reason_and_what_would_make_it_valid(run: Run, log: Path) -> None:
    (row,) = read_rows(run("quarantine", "--log", log, "--json")[1])
    assert (row["reason"], row["line"], row["raw"]) == ("missing_attribute", 5, '{"specversion":"1.0","id":"x"}')
    assert row["remedy"]


def test_a_retry_of_what_is_still_broken_leaves_it_waiting(run: Run, log: Path) -> None:
    report = json.loads(run("quarantine", "--retry", "--log", log, "--json")[1])
    assert (report["read"], report["appended"], report["quarantined"]) == (1, 0, 1)


def test_maintain_changes_no_answer(run: Run, log: Path) -> None:
    before = run("events", "--log", log, "--json")[1]
    code, printed, _ = run("maintain", "--log", log, "--json")
    assert code == 0
    assert "removed_files" in json.loads(printed)
    assert run("events", "--log", log, "--json")[1] == before


def test_doctor_finds_a_sound_log_in_order(run: Run, log: Path) -> None:
    code, printed, _ = run("doctor", "--log", log, "--json")
    rows = read_rows(printed)
    assert code == 0
    assert {"Python", "packages", "disk"} < {row["check"] for row in rows}
    assert "bad" not in {row["verdict"] for row in rows}


def test_the_demo_is_made_once_and_reads_like_any_log(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    made = json.loads(run("demo", folder, "--events", 1_500, "--json")[1])
    assert (made["events"], made["appended"], made["quarantined"]) == (1_500, 1_500, 13)
    again = json.loads(run("demo", folder, "--events", 1_500, "--json")[1])
    assert (again["events"], again["appended"]) == (1_500, 0)
    assert "event at position 0" in run("trace", f"{folder}/loan-desk.ndjson.gz:1", "--log", folder)[1]
    for projection in ("account", "loan"):
        states = read_rows(run("state", projection, "--limit", 0, "--log", folder, "--json")[1])
        assert len([row for row in states if row["entity_id"].startswith(projection)]) > 50
    reasons = {row["reason"] for row in read_rows(run("quarantine", "--log", folder, "--json")[1])}
    assert {"conflict", "duplicate_key", "malformed_json", "not_utf8", "time_without_zone"} <= reasons


def test_a_demo_that_cannot_be_written_is_one_sentence(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    code, printed, error = run("demo", tmp_path / "file" / "demo", "--events", 500)
    assert (code, printed) == (1, "")
    assert error.splitlines()[-1].startswith("workbench: ")


def test_a_demo_of_too_few_events_is_refused(run: Run, tmp_path: Path) -> None:
    code, _, error = run("demo", tmp_path / "demo", "--events", 5)
    assert code == 1
    assert "ask for at least 100" in error


def test_the_demo_can_be_served_without_a_display(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "workbench", "demo", str(tmp_path / "demo"), "--events", "500"]
    with subprocess.Popen(
        [*command, "--serve", "--no-open", "--port", "0"], stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        address = next(word for line in server.stdout for word in line.split() if word.startswith("http://"))
        with urllib.request.urlopen(address, timeout=60) as home:  # noqa: S310 — our own address
            page = home.read().decode()
        server.terminate()
        server.stdout.read()
    assert "Timeline" in page


def test_the_notebooks_can_be_opened(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "workbench", "lab", "--no-open", "--log", str(tmp_path)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True) as lab:
        assert lab.stderr is not None
        address = next((line for line in lab.stderr if "http://" in line), "")
        os.killpg(lab.pid, signal.SIGKILL)
        lab.stderr.read()
    assert "/lab" in address


def test_a_query_can_come_from_stdin(run: Run, log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("select count(*) as n from events"))
    assert read_rows(run("sql", "-", "--log", log, "--json")[1]) == [{"n": 3}]


def test_a_parameter_without_a_value_is_refused(run: Run, log: Path) -> None:
    code, _, error = run("sql", "select :a", "--param", "a", "--log", log)
    assert code == 1
    assert "NAME=VALUE" in error


def test_several_files_are_reported_one_by_one(run: Run, records: Path, log: Path) -> None:
    reports = read_rows(run("ingest", records, records, "--into", log, "--json")[1])
    assert [(report["file"], report["duplicates"]) for report in reports] == [(str(records), 4)] * 2


def test_every_command_has_help_with_examples() -> None:
    commands = build_parser()._subparsers
    assert commands is not None
    (group,) = (action for action in commands._group_actions if action.choices)
    choices: Any = group.choices
    for name, command in choices.items():
        assert f"workbench {name}" in command.epilog
        assert "--json" in command.format_help()


def test_a_reader_that_leaves_early_hears_no_complaint(log: Path) -> None:
    statement = "select 1 from events a, events b, events c"
    script = f"{sys.executable} -m workbench sql '{statement}' --log '{log}' | head -n 1"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)  # noqa: S607 — the bash on the PATH
    assert done.stderr == ""


def test_the_installed_command_says_its_version() -> None:
    done = subprocess.run([sys.executable, "-m", "workbench", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("workbench ")


def test_the_engine_can_be_named(run: Run, log: Path) -> None:
    code, _, error = run("sql", "select 1 as one", "--log", log, "--engine", "trino")
    assert code == 1
    assert "engine='trino' reads a shared catalog" in error
    assert run("sql", "select 1 as one", "--log", log, "--engine", "duckdb")[0] == 0
