"""What the log's deltas do to a document."""

import json
from typing import Any

import pytest

from tests.deltas.writing import write
from workbench.deltas.document.documents import Document, read_edits, write_text


def test_edits_stand_where_the_edits_before_them_left_the_text() -> None:
    delta = [{"retain": 2}, {"delete": 1}, {"retain": 1}, {"insert": "xy"}, {"insert": ""}, {"delete": 1}]
    assert read_edits(json.dumps(delta), 5) == [(2, "", 1), (3, "xy", 0), (5, "", 1)]


def test_a_delta_may_be_a_json_string_that_holds_one() -> None:
    assert read_edits(json.dumps(json.dumps({"ops": [{"insert": "a"}]})), 0) == [(0, "a", 0)]


@pytest.mark.parametrize(
    "delta",
    [
        "",
        "{",
        "5",
        "null",
        '"text"',
        '{"ops": 5}',
        '["insert"]',
        '[{"retain": 6}]',
        '[{"delete": 3}, {"retain": 3}]',
        '[{"retain": -1}]',
        '[{"insert": 1}]',
    ],
)
def test_what_is_no_delta_of_the_text_has_no_edits(delta: str) -> None:
    assert read_edits(delta, 5) is None


def test_taking_nothing_out_is_no_edit() -> None:
    assert read_edits('[{"retain": 1}, {"delete": 0}]', 5) == []


def test_the_text_before_a_position_is_what_a_person_saw_there() -> None:
    operations: tuple[list[Any] | None, ...] = (
        [{"insert": "Dear "}],
        None,
        [{"retain": 4}, {"delete": 9}],
        [{"delete": 1}],
    )
    document = write(*((0.0, "human", each) for each in operations), start="Sir", first=10)
    assert [write_text(document, before=position) for position in (10, 11, 12, 13, 14)] == [
        "Sir",
        "Dear Sir",
        "Dear Sir",
        "Dear Sir",
        "ear Sir",
    ]


def test_a_document_ends_with_its_last_event_unless_told() -> None:
    assert write((3, "human", None), (2, "human", None)).end == 3_000_000
    assert write((3, "human", None), ended_at=9).end == 9_000_000
    assert Document(positions=[], moments=[], kinds=[], deltas=[]).end == 0
