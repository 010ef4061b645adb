"""The command that asks for deltas and exports them."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import workbench

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def desk(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A loan desk of a thousand events that says which of them are proposals."""
    folder = tmp_path_factory.mktemp("desk")
    (folder / "deltas").mkdir()
    mapping = repository / "datasets" / "deltas" / "loan-desk.toml"
    (folder / "deltas" / mapping.name).write_bytes(mapping.read_bytes())
    with workbench.connect(folder) as session:
        session.ingest(repository / "datasets" / "samples" / "loan-desk.jsonl")
    return folder


def test_the_list_shows_proposals_by_position(run: Run, desk: Path) -> None:
    """A row a proposal, narrowed by the options."""
    code, printed, _ = run("deltas", "--log", desk, "--kind", "letter", "--decision", "edited", "--json", "--limit", 3)
    rows = [json.loads(line) for line in printed.splitlines()]
    assert code == 0
    assert [row["position"] for row in rows] == sorted(row["position"] for row in rows)
    assert {(row["kind"], row["decision"]) for row in rows} == {("letter", "edited")}


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (["split", "--by", "version"], "desk-2"),
        (["compare", "desk-1", "desk-2"], "accepted"),
        (["edits", "--kind", "letter"], "removed"),
        (["watch"], "clerk-"),
        (["orphans"], "what"),
    ],
)
def test_figures_are_printed_as_tables(run: Run, desk: Path, arguments: list[str], found: str) -> None:
    """Each figure has a word of its own."""
    code, printed, _ = run("deltas", *arguments, "--log", desk)
    assert code == 0
    assert found in printed


def test_one_delta_is_shown_by_its_position(run: Run, desk: Path) -> None:
    """The row of the proposal that stands there."""
    _, printed, _ = run("deltas", "--log", desk, "--limit", 1, "--json")
    position = json.loads(printed)["position"]
    code, printed, _ = run("deltas", "show", position, "--log", desk, "--json")
    assert code == 0
    assert json.loads(printed)["position"] == position


@pytest.mark.parametrize("arguments", [["compare", "desk-1"], ["show"], ["show", "here"], ["show", "999999"]])
def test_what_is_not_named_rightly_is_refused_with_what_to_name(run: Run, desk: Path, arguments: list[str]) -> None:
    """One sentence on stderr, nothing on stdout."""
    code, printed, error = run("deltas", *arguments, "--log", desk)
    assert (code, printed) == (1, "")
    assert "workbench deltas" in error


def test_a_log_without_a_mapping_says_where_to_put_one(run: Run, tmp_path: Path) -> None:
    """The error names the folder and the page."""
    code, _, error = run("deltas", "--log", tmp_path)
    assert code == 1
    assert "docs/deltas.md" in error


def test_an_export_is_previewed_written_and_written_again(run: Run, desk: Path, tmp_path: Path) -> None:
    """The preview's count is what is written; the manifest writes the same bytes though the log has grown."""
    options = ["--log", desk, "--kind", "letter", "--format", "kto", "--prompt", "Write: {purpose}", "--plain"]
    code, printed, _ = run("deltas", "export", "--preview", "--json", *options)
    rows = sum(json.loads(printed)["rows"].values())
    assert (code, rows > 0) == (0, True)
    assert run("deltas", "export", *options, "--to", tmp_path / "one", "--json")[0] == 0
    grow_log(desk)
    manifest = tmp_path / "one" / "manifest.json"
    code, printed, _ = run(
        "deltas", "export", "--manifest", manifest, "--to", tmp_path / "two", "--log", desk, "--json"
    )
    assert (code, json.loads(printed)["rows"]) == (0, rows)
    for file in (tmp_path / "one").iterdir():
        assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes()


def grow_log(desk: Path) -> None:
    """Decide on a proposal that waits, or propose once more."""
    with workbench.connect(desk) as session:
        (row,) = session.sql("select * from proposals where kind = 'letter' order by position limit 1").to_dicts()
        again = workbench.Event(
            event_id="again",
            stream_id=row["stream_id"],
            event_type="LetterEdited",
            occurred_at=row["shown_at"],
            actor=workbench.Actor("clerk-99", "human"),
            data={"proposal": row["event_id"], "text": "Otherwise"},
        )
        late = workbench.Event(
            event_id="more",
            stream_id="loan-more",
            event_type="LetterProposed",
            occurred_at=row["shown_at"],
            data={"text": "More", "prompt": "desk-9"},
        )
        session.append([again, late])


def test_a_manifest_of_another_mapping_is_refused(run: Run, desk: Path, tmp_path: Path) -> None:
    """The error says what differs."""
    options = ["--log", desk, "--format", "sft", "--prompt", "{kind}"]
    assert run("deltas", "export", *options, "--to", tmp_path / "one")[0] == 0
    manifest = tmp_path / "one" / "manifest.json"
    told = json.loads(manifest.read_text())
    told["basis"]["mappings_hash"] = "0" * 64
    manifest.write_text(json.dumps(told))
    code, _, error = run("deltas", "export", "--manifest", manifest, "--to", tmp_path / "two", "--log", desk)
    assert code == 1
    assert "another mappings" in error
    assert not (tmp_path / "two").exists()
