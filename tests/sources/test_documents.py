"""JSON lines with names of their own, through a mapping."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from workbench.sources import open_source
from workbench.sources.documents import DocumentSource
from workbench.sources.mapping import load_mapping, read_mapping

COLUMNS = {"stream_id": "sessionId", "event_type": "eventName", "occurred_at": '"when"'}


def read_rows(path: Path, **content: Any) -> list[dict[str, Any]]:
    source = DocumentSource(path, mapping=read_mapping({"columns": COLUMNS, **content}))
    return [row for chunk in source.chunks() for row in chunk.rows.to_pylist()]


def write_lines(folder: Path, *lines: str) -> Path:
    path = folder / "rows.jsonl"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_the_whole_line_is_the_payload_where_the_mapping_gives_none(tmp_path: Path) -> None:
    line = '{"sessionId": "a", "eventName": "Sent", "when": "2026-01-01T00:00:00Z", "x": 1.50}'
    (row,) = read_rows(write_lines(tmp_path, line))
    assert (row["stream_id"], row["event_type"], row["occurred_at"]) == ("a", "Sent", "2026-01-01T00:00:00Z")
    assert row["data"] == line
    assert row["raw"] == line.encode()


def test_numbers_objects_and_absent_members_are_taken_as_they_are_written(tmp_path: Path) -> None:
    path = write_lines(
        tmp_path,
        '{"sessionId": 7, "eventName": "A", "when": "t", "n": 1.50, "o": {"a" : 12345678901234567890123}}',
        '{"sessionId": "\\u00e9", "eventName": "B", "when": "t", "n": null}',
    )
    rows = read_rows(path, data={"n": "n::json", "o": "o::json"})
    assert [row["stream_id"] for row in rows] == ["7", "é"]
    assert [row["data"] for row in rows] == ['{"n":1.50,"o":{"a" : 12345678901234567890123}}', "{}"]
    assert [row["line"] for row in rows] == [1, 2]


def test_a_line_that_is_no_object_or_names_a_member_twice_is_a_row_with_a_fault(tmp_path: Path) -> None:
    good = json.dumps({"sessionId": "a", "eventName": "A", "when": "t"})
    path = write_lines(tmp_path, good, "[1]", "{", '{"sessionId": "a", "sessionId": "b"}', good)
    rows = read_rows(path)
    assert [row["stream_id"] for row in rows] == ["a", None, None, None, "a"]
    assert [row["raw"] for row in rows[1:3]] == [b"[1]", b"{"]
    assert rows[3]["fault"] == "the line is no JSON object: a name comes twice in one object"


def test_what_only_decoding_may_judge_is_handed_on_as_written(tmp_path: Path) -> None:
    odd = ["1e400", '"\\u0000"', "12345678901234567890123", "[" * 600 + "]" * 600]
    lines = [f'{{"sessionId": "a", "eventName": "A", "when": "t", "x": {text}}}' for text in odd]
    assert [row["data"] for row in read_rows(write_lines(tmp_path, *lines))] == lines


@pytest.mark.data
def test_the_programmers_study_gives_its_published_counts(shared_data: Path, repository: Path) -> None:
    mapping = load_mapping(repository / "datasets/mappings/cups.toml")
    source = open_source(shared_data / "copilot-cups/events.jsonl.gz", mapping=mapping)
    rows = [row for chunk in source.chunks() for row in chunk.rows.to_pylist()]  # type: ignore[union-attr]  # these chunks are mapped rows
    counts = Counter(row["event_type"] for row in rows)
    assert counts == {"Shown": 1_150, "Replay": 1_239, "Rejected": 710, "Accepted": 386, "Browsing": 5}
    assert len({row["stream_id"] for row in rows}) == 21
    assert all(row["data"].encode() == row["raw"] for row in rows)
