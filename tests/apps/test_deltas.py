"""What the page Deltas is told: plain values, and a sentence where there is no answer."""

import io
import json
import shlex
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.views.deltas_log import make_log
from workbench.apps.answers import Request
from workbench.apps.deltas_answers import answer_deltas
from workbench.apps.jupyter import deltas_app
from workbench.apps.work import StoppedError
from workbench.cli import main
from workbench.errors import ArgumentError
from workbench.session import Session, connect
from workbench.views.deltas.choices import DeltasChoices
from workbench.views.deltas.export import pack_export, plan_export

LARGEST = 100_000


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """The log of letters, prices and lines."""
    with make_log(tmp_path_factory.mktemp("desk") / "log") as session:
        yield session


def ask(session: Session, asked: str, options: dict[str, Any] | None = None, /, **choices: str) -> dict[str, Any]:
    request = Request(
        id=1, kind=asked, choices={name: [value] for name, value in choices.items()}, options=options or {}
    )
    told, files = answer_deltas(session, request)
    assert files == []
    json.dumps(told)
    return told


def test_the_page_starts_with_what_the_log_declares(desk: Session) -> None:
    told = ask(desk, "start")
    assert told["kinds"] == ["letter", "line", "price"]
    assert (told["edited_within"], told["follows_text"], told["zone"]) == (120, True, None)
    assert ask(desk, "measure")["measured"] == told["head"]


def test_a_log_without_a_mapping_or_events_starts_all_the_same(tmp_path: Path) -> None:
    with connect(tmp_path) as empty:
        told = ask(empty, "start")
    assert (told["kinds"], told["events"]) == ([], 0)


@pytest.mark.parametrize("kind", ["split", "compare", "distances", "survival", "changes"])
def test_every_picture_is_small_and_says_what_it_asked(desk: Session, kind: str) -> None:
    told = ask(desk, kind, {"width": 440}, theme="dark")
    assert len(json.dumps(told["spec"])) < LARGEST
    assert "select" in told["sql"]


def test_the_overview_is_told_in_plain_values(desk: Session) -> None:
    figures = ask(desk, "figures", kind="letter")
    assert (figures["shown"], figures["all"]) == (60, 64)
    assert figures["retained"] is None
    rows = ask(desk, "rows", kind="price")
    assert [path["path"] for path in rows["rows"][0]["paths"]] == ["/rate"]
    assert [menu["name"] for menu in ask(desk, "facets")["menus"]][:2] == ["kind", "decision"]
    beside = ask(desk, "beside")
    assert [each["count"] for each in beside["orphans"]] == [1, 1, 1]
    assert ask(desk, "orphans")["total"] == 3
    drops = ask(desk, "drops", kind="price", field="topic=yes")["drops"]
    assert drops[0] == {"words": "kind", "changes": {"kind": None}, "deltas": 30}
    assert drops[1]["changes"] == {"field": []}


def test_prose_is_told_as_a_redline(desk: Session) -> None:
    told = ask(desk, "delta", {"width": 500}, delta="0")
    assert ["insert", "small ", None] in told["redline"]
    assert told["row"]["structure"] is False
    assert told["chain"][-1]["what"] == "shown"
    rejected = next(row for row in ask(desk, "rows", decision="rejected")["rows"] if row["kind"] == "letter")
    assert ask(desk, "delta", delta=str(rejected["position"]))["reasons"] == [
        {"text": "<b>rude</b>", "quote": None, "met": None}
    ]


def test_structure_is_told_path_by_path(desk: Session) -> None:
    positions = [row["position"] for row in ask(desk, "rows", kind="price")["rows"]]
    told = ask(desk, "delta", delta=str(positions[0]))
    assert told["sums"]["changed"] == 1
    changed = next(each for each in told["paths"] if not each["list"])
    assert (changed["proposed"], changed["value"], changed["value_stood"]) == ("4.25", "4.75", None)
    assert changed["proposed_stood"]["words"] == "NoteWritten"
    assert [each["who"] for each in told["held"]] == ["NoteWritten"]
    assert '"op": "replace"' in told["patch"]


def test_an_event_opens_and_rows_go_along(desk: Session) -> None:
    assert ask(desk, "event", event="3")["envelope"]["event_type"]
    assert ask(desk, "around", event="3")["stream_count"] >= 1
    _, files = answer_deltas(desk, Request(id=1, kind="export", choices={"kind": ["letter"]}, options={"form": "csv"}))
    assert pl.read_csv(files[0]).height == 60


def test_what_is_not_possible_is_refused(desk: Session) -> None:
    with pytest.raises(ArgumentError, match="'weather'"):
        ask(desk, "weather")
    reply, _ = deltas_app(desk).answer(Request(id=5, kind="rows", choices={"decision": ["maybe"]}))
    assert "decision=maybe" in reply["error"]["sentence"]


def test_an_export_is_counted_rule_by_rule_before_anything_is_written(desk: Session) -> None:
    told = ask(desk, "plan", {"rule": "unchanged"}, kind="letter", export='{"format": "dpo", "prompt": "Write."}')
    counts = {each["rule"]: each["dropped"] for each in told["rules"]}
    assert (counts["undecided"], counts["unchanged"], told["rule"]) == (6, 21, "unchanged")
    assert len(told["samples"]) == 3
    assert '"chosen"' in told["written"]["json"]
    assert told["command"].startswith("workbench deltas export --format dpo")
    assert ask(desk, "row", {"row": 10**9}, kind="letter", export='{"prompt": "Write."}')["written"] is None


def test_every_row_can_be_looked_at_yes_and_no_alike(desk: Session) -> None:
    plan = {"kind": "letter", "export": '{"format": "kto", "prompt": "Write."}'}
    told = ask(desk, "plan", **plan)
    assert told["formats"]["kto"] == told["kinds"]["own"] + told["kinds"]["no"] == sum(told["rows"].values())
    first, second = (ask(desk, "row", {"row": number}, **plan)["written"] for number in (0, 1))
    assert (first["position"], second["position"]) == (0, 0)
    assert '"label": true' in first["json"]
    assert '"label": false' in second["json"]


def test_more_of_what_a_rule_drops_is_shown_when_asked(desk: Session) -> None:
    told = ask(desk, "plan", {"rule": "unchanged", "samples": 40}, kind="letter", export='{"prompt": "Write."}')
    assert len(told["samples"]) == 21


def test_a_split_that_the_log_cannot_make_says_why(desk: Session) -> None:
    splits = ask(desk, "plan", kind="line", decision="rejected")["splits"]
    assert splits["none"] is None
    assert splits["time"] == "all were shown at one time"
    assert "names no field" in splits["log"]
    assert ask(desk, "plan", kind="letter")["splits"]["person"] is None
    assert ask(desk, "plan", kind="letter", decision="pending")["splits"]["person"] == "no person is recorded"
    assert ask(desk, "plan", kind="letter")["names"] == ["context", "model", "version", "kind", "topic"]


@pytest.mark.parametrize(
    "choices",
    [
        {
            "kind": "letter",
            "version": "p2",
            "export": '{"format": "kto", "messages": false, "prompt": "Write {kind}."}',
        },
        {"decision": "edited", "since": "2026-03-02T09:00:00Z", "export": '{"file": "parquet", "prompt": "-"}'},
        {"export": '{"distance": [0.125, 1.0], "split": "person", "prompt": "Write."}'},
    ],
)
def test_the_command_beside_the_button_writes_the_same_bytes(
    desk: Session, tmp_path: Path, choices: dict[str, str]
) -> None:
    command = shlex.split(ask(desk, "plan", **choices)["command"])
    assert "--manifest" not in command
    request = Request(id=1, kind="write", choices={name: [value] for name, value in choices.items()})
    _, files = answer_deltas(desk, request)
    assert main([*command[1:-1], str(tmp_path / "again"), "--log", str(desk.settings.folder)]) == 0
    assert read_archive(files[0]) == read_folder(tmp_path / "again")


def test_what_no_option_can_say_is_taken_from_the_manifest(desk: Session) -> None:
    for choices in ({"low": "0.1"}, {"person": "~"}, {"position": "5"}, {"place": "0"}):
        command = ask(desk, "plan", **choices)["command"]
        assert command == "workbench deltas export --manifest manifest.json --to FOLDER"


def test_an_export_that_is_stopped_leaves_nothing(
    desk: Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    told: list[tuple[int, int, int]] = []

    def stop(done: int, known: int, rows: int) -> None:
        told.append((done, known, rows))
        raise StoppedError

    export = plan_export(desk, DeltasChoices(kind=("letter",), export='{"format": "sft", "prompt": "Write."}'))
    with pytest.raises(StoppedError):
        pack_export(export, tell=stop)
    assert told == [(60, 60, 2)]
    assert list(tmp_path.iterdir()) == []


def read_archive(packed: bytes) -> dict[str, bytes]:
    """Return the files of an archive by name."""
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def read_folder(folder: Path) -> dict[str, bytes]:
    """Return the files of a folder by name."""
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_the_files_of_an_export_come_as_one_archive_the_same_each_time(desk: Session) -> None:
    request = Request(
        id=1, kind="write", choices={"kind": ["letter"], "export": ['{"format": "sft", "prompt": "Write."}']}
    )
    (told, first), (_, second) = answer_deltas(desk, request), answer_deltas(desk, request)
    assert first == second
    with zipfile.ZipFile(io.BytesIO(first[0])) as archive:
        names = archive.namelist()
        assert "manifest.json" in names
        assert set(names) - {"manifest.json"} == {each["name"] for each in told["manifest"]["files"]}


def test_a_plan_that_is_none_is_refused(desk: Session) -> None:
    with pytest.raises(ArgumentError, match="no plan"):
        ask(desk, "plan", export='{"format": "xls"}')
