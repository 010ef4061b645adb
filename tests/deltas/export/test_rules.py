"""Exports for training: what each rule drops, what rows look like, and that the same plan writes the same bytes."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.deltas.export.files import Export, find_rows, preview_export, read_manifest, write_export
from workbench.deltas.export.rows import check_row
from workbench.deltas.export.rules import ExportPlan, read_candidate, write_prompt
from workbench.deltas.export.split import PARTS, Placed, split_by_person, split_by_time
from workbench.deltas.figures.filters import DeltaFilter, choose
from workbench.errors import ArgumentError

START = datetime(2026, 1, 1, tzinfo=UTC)


def make_row(position: int, proposed: str, value: str | None, decision: str = "edited", **more: Any) -> dict[str, Any]:
    """Return a row of `deltas`; its prompt is its context."""
    row = {
        "position": position,
        "proposal_id": f"p{position}",
        "kind": "letter",
        "model": "m1",
        "version": "v1",
        "person": f"person-{position % 3}",
        "stream_id": f"document-{position}",
        "decision": decision,
        "shown_at": START + timedelta(hours=position),
        "context": f"Write letter {position}.",
        "content": json.dumps(proposed),
        "value": None if value is None else json.dumps(value),
        "value_end": None,
        "fields": '{"split":"train"}',
        "hter": 0.5,
        "distance": 0.5,
    }
    return {**row, **more}


ROWS = [
    make_row(0, "Dear all", "Dear friends"),
    make_row(1, "The same", "The same", "accepted", distance=0.0),
    make_row(2, "A  Space", "a space", distance=0.0),
    make_row(3, "No", None, "rejected", distance=None, hter=None),
    make_row(4, "Dear all", "Dear friends", context="Write letter 0."),
    make_row(5, "Nearly as it was", "Nearly as it is", distance=0.01),
    make_row(6, "Quite otherwise", "Nothing left", distance=0.99),
    make_row(7, "Not yet", None, "pending", distance=None, hter=None),
    make_row(8, "Give me words", "  ", distance=0.4),
]


class Rows:
    """Rows that answer like an engine: those behind a position, by position."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self.frame = pl.DataFrame(rows, infer_schema_length=None).sort("position")

    def __call__(self, statement: str, parameters: Any) -> pl.DataFrame:
        """Return the columns asked for."""
        columns = statement.removeprefix("select ").split(" from ")[0].split(", ")
        return self.frame.filter(pl.col("position") > parameters.get("after", -1)).select(columns)


def make_export(plan: ExportPlan, rows: list[dict[str, Any]] = ROWS) -> Export:
    """Return an export of rows."""
    basis = {"position": 9, "registry_hash": "r", "mappings_hash": "m", "filter": {}}
    return Export(ask=Rows(rows), chosen=choose(DeltaFilter()), plan=plan, name="desk", basis=basis)


def test_a_proposal_is_counted_at_the_first_rule_that_drops_it() -> None:
    """Each rule drops the one row made for it, and what is left is what is written."""
    preview = preview_export(make_export(ExportPlan(format="dpo")))
    assert [(each.rule, each.dropped, each.left) for each in preview.rules] == [
        ("undecided", 1, 8),
        ("unchanged", 1, 7),
        ("blank", 1, 6),
        ("textless", 1, 5),
        ("twice", 1, 4),
        ("near", 1, 3),
        ("far", 1, 2),
        ("spread", 0, 2),
        ("empty", 1, 1),
    ]
    assert preview.rows == {"all": 1}
    assert preview.rules[5].samples == (5,)
    assert not preview.wrong


def test_what_was_right_teaches_by_itself_and_never_as_a_pair() -> None:
    """An unchanged proposal is an SFT row and a KTO yes; a rejected one without a text is a KTO no alone."""
    preview = preview_export(make_export(ExportPlan(format="kto")))
    assert preview.formats == {"sft": 5, "dpo": 1, "kto": 8, "openai": 1}
    rows = [row for _, row in find_rows(make_export(ExportPlan(format="kto", messages=False)), limit=100)]
    assert {"prompt": "Write letter 3.", "completion": "No", "label": False} in [
        {name: row[name] for name in ("prompt", "completion", "label")} for row in rows
    ]
    assert [row["label"] for row in rows if row["meta"]["position"] == 1] == [True]
    assert [row["label"] for row in rows if row["meta"]["position"] == 0] == [True, False]


@pytest.mark.parametrize("form", ["sft", "dpo", "kto", "openai"])
@pytest.mark.parametrize("messages", [True, False])
@pytest.mark.parametrize("file", ["jsonl", "parquet"])
def test_files_hold_the_rows_that_were_previewed(tmp_path: Path, form: Any, file: Any, *, messages: bool) -> None:
    """JSON lines and Parquet hold the same rows, each of its format's keys."""
    plan = ExportPlan(format=form, messages=messages, file=file)
    manifest = write_export(make_export(plan), tmp_path / "out")
    (named,) = manifest["files"]
    path = tmp_path / "out" / named["name"]
    rows = (
        pq.read_table(path).to_pylist()
        if file == "parquet"
        else [json.loads(line) for line in path.read_text().splitlines()]
    )
    assert len(rows) == named["rows"] == manifest["rows"] == preview_export(make_export(plan)).formats[form]
    assert not [wrong for row in rows for wrong in check_row(row, plan)]


@pytest.mark.parametrize("file", ["jsonl", "parquet"])
def test_the_same_manifest_gives_the_same_bytes(tmp_path: Path, file: Any) -> None:
    """What a manifest says is written again byte for byte, manifest included."""
    first = write_export(make_export(ExportPlan(file=file, split="person")), tmp_path / "one")
    plan, wanted, basis = read_manifest(tmp_path / "one" / "manifest.json")
    assert (wanted, basis["position"]) == (DeltaFilter(), 9)
    second = write_export(make_export(plan), tmp_path / "two")
    assert first == second
    for each in (tmp_path / "one").iterdir():
        assert each.read_bytes() == (tmp_path / "two" / each.name).read_bytes()


def test_an_export_that_fails_leaves_nothing(tmp_path: Path) -> None:
    """What the progress raises ends it, and neither the folder nor a part of it is there."""

    def stop(_rows: int, _proposals: int) -> None:
        raise KeyboardInterrupt

    rows = [make_row(number, f"Dear {number}", f"Hello {number}") for number in range(5_000)]
    with pytest.raises(KeyboardInterrupt):
        write_export(make_export(ExportPlan(), rows), tmp_path / "out", progress=stop)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_holds_something_is_not_written_into(tmp_path: Path) -> None:
    """The error names the folder."""
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ArgumentError, match="is not empty"):
        write_export(make_export(ExportPlan()), tmp_path)
    assert [each.name for each in tmp_path.iterdir()] == ["notes.txt"]


def test_a_file_that_is_no_manifest_is_refused(tmp_path: Path) -> None:
    """The error says what to name instead."""
    (tmp_path / "manifest.json").write_text('{"rows": 1}')
    with pytest.raises(ArgumentError, match=r"is no manifest of an export.*Name the manifest\.json"):
        read_manifest(tmp_path / "manifest.json")


def test_the_person_s_text_is_what_stands_today_where_it_was_followed() -> None:
    """The value at the end wins over the value decided on; an accepted proposal without either is its own."""
    followed = read_candidate(make_row(1, "a", "b", value_end='"c"'), ExportPlan(), None)
    assert followed.value == "c"
    assert read_candidate(make_row(1, "a", None, "accepted"), ExportPlan(), None).value == "a"
    assert read_candidate(make_row(1, "a", "b", "rejected"), ExportPlan(), None).value is None


def test_structured_content_is_written_as_its_json() -> None:
    """A number keeps the digits it was written with."""
    row = make_row(1, "a", "b") | {"content": '{"rate":1.10}', "value": '{"rate":1.20}'}
    candidate = read_candidate(row, ExportPlan(), None)
    assert (candidate.proposed, candidate.value) == ('{"rate":1.10}', '{"rate":1.20}')


def test_a_prompt_is_filled_in_from_the_proposal() -> None:
    """A template may ask for the context, the model, the version, the kind and further fields."""
    row = make_row(1, "a", "b", fields='{"source":"et","n":3,"none":null}')
    assert write_prompt("{source}/{kind}/{version}/{n}{none}: {context}", row) == "et/letter/v1/3: Write letter 1."
    assert write_prompt("About {topic}.", row, ["topic"]) == "About ."


def test_a_prompt_that_cannot_be_filled_in_says_what_it_may_hold() -> None:
    """The error lists the names there are."""
    with pytest.raises(ArgumentError, match=r"'\{src\}'.*\{context\}"):
        write_prompt("{src}", make_row(1, "a", "b"))
    with pytest.raises(ArgumentError, match="cannot be filled in"):
        write_prompt("{", make_row(1, "a", "b"))


@pytest.mark.parametrize("distance", [(-0.1, 0.5), (0.5, 0.4), (0.0, 1.1)])
def test_thresholds_that_are_no_range_are_refused(distance: Any) -> None:
    """The error names both."""
    with pytest.raises(ArgumentError, match="is no range"):
        ExportPlan(distance=distance)


def test_shares_that_do_not_add_up_are_refused() -> None:
    """The error repeats them."""
    with pytest.raises(ArgumentError, match="do not add up to 1"):
        ExportPlan(shares=(0.5, 0.1, 0.1))


def test_a_split_as_in_the_log_goes_by_its_field_and_drops_prompts_of_two(tmp_path: Path) -> None:
    """Each part is a file; a prompt that stands in two parts is in none."""
    rows = [
        make_row(0, "Dear all", "Dear friends"),
        make_row(1, "Dear you", "Dear me", fields='{"split":"test"}'),
        make_row(2, "Hi", "Ho", context="Write letter 1."),
    ]
    manifest = write_export(make_export(ExportPlan(split="log"), rows), tmp_path / "out")
    assert [(file["name"], file["rows"]) for file in manifest["files"]] == [("desk-dpo-train.jsonl", 1)]
    assert [each for each in manifest["rules"] if each["rule"] == "spread"] == [{"rule": "spread", "dropped": 2}]


def test_a_split_that_the_log_cannot_do_says_why() -> None:
    """No field, no person and no time are three errors."""
    nobody = [make_row(0, "a", "b", fields="{}", person=None), make_row(1, "c", "d", person=None, shown_at=START)]
    with pytest.raises(ArgumentError, match="no field `split`"):
        preview_export(make_export(ExportPlan(split="log"), nobody))
    with pytest.raises(ArgumentError, match="names no person"):
        preview_export(make_export(ExportPlan(split="person"), nobody))
    with pytest.raises(ArgumentError, match="at one time"):
        preview_export(make_export(ExportPlan(split="time"), nobody))


def test_rows_that_break_their_format_s_rules_are_named() -> None:
    """Keys of no format, messages beside plain text, and an empty text."""
    plan = ExportPlan(format="dpo")
    assert check_row({"prompt": "a", "chosen": [{"role": "assistant", "content": " "}]}, plan) == [
        "The keys chosen, prompt are no format of dpo.",
        "Some fields are messages and some are plain text.",
        "A text is empty.",
    ]


placed = st.lists(
    st.builds(
        Placed,
        st.integers(0, 10_000),
        st.integers(0, 20).map(lambda hour: START + timedelta(hours=hour)),
        st.integers(0, 15).map("document-{}".format),
        st.none() | st.integers(0, 8).map("person-{}".format),
    ),
    unique_by=lambda each: each.position,
    max_size=60,
)


@given(placed)
def test_no_document_and_no_person_stands_in_two_parts(rows: list[Placed]) -> None:
    """Whatever shares what with whom."""
    parts = split_by_person(rows, (0.8, 0.1, 0.1))
    assert set(parts) == {each.position for each in rows}
    for name in ("stream_id", "person"):
        seen: dict[str, set[str]] = {}
        for each in rows:
            if getattr(each, name) is not None:
                seen.setdefault(getattr(each, name), set()).add(parts[each.position])
        assert all(len(found) == 1 for found in seen.values())
    assert parts == split_by_person(rows[::-1], (0.8, 0.1, 0.1))


@given(placed)
def test_time_splits_so_that_no_part_begins_before_an_earlier_one_ends(rows: list[Placed]) -> None:
    """Those of one instant stay together, in any order of rows."""
    parts = split_by_time(rows, (0.5, 0.25, 0.25))
    shown = sorted((each.shown_at, PARTS.index(parts[each.position])) for each in rows)
    assert [part for _, part in shown] == sorted(part for _, part in shown)
    by_time: dict[datetime, set[int]] = {}
    for moment, part in shown:
        by_time.setdefault(moment, set()).add(part)
    assert all(len(found) == 1 for found in by_time.values())
    assert parts == split_by_time(rows[::-1], (0.5, 0.25, 0.25))
