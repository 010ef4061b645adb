"""Edits inside a taken text, folded into steps."""

from collections.abc import Sequence
from itertools import pairwise

from hypothesis import given

from tests.deltas.writing import Line, documents, write
from workbench.deltas.columns import CHECKS
from workbench.deltas.document.documents import Document
from workbench.deltas.document.spans import SECOND, Taken, follow_texts
from workbench.deltas.document.steps import Step, trace_text

TAKEN: Line = (0.0, "ai", [{"retain": 5}, {"insert": "\nIt is a loan for one year.\n"}])


def list_steps(*lines: Line, start: str = "Dear ") -> list[tuple[int, int, str, str]]:
    trace = trace_text(write(TAKEN, *lines, start=start), Taken(0, 0))
    assert trace is not None
    return [(step.first_position, step.last_position, step.before, step.after) for step in trace.steps]


def insert(at: int, text: str, gone: int = 0) -> Line:
    return (1.0, "human", [{"retain": at}, {"insert": text}, {"delete": gone}])


def delete(at: int, count: int) -> Line:
    return (1.0, "human", [{"retain": at}, {"delete": count}])


def test_key_strokes_in_one_place_are_one_step_with_what_was_taken_back() -> None:
    typed = [insert(14, "l"), insert(15, "o"), insert(16, "m"), delete(16, 1), insert(16, "ng ")]
    assert list_steps(*typed) == [(1, 5, "It is a loan for one year.", "It is a long loan for one year.")]


def test_another_place_is_another_step() -> None:
    steps = list_steps(insert(14, "big "), insert(30, "1"), insert(15, "x"))
    assert [step[:2] for step in steps] == [(1, 1), (2, 2), (3, 3)]


def test_striking_out_and_writing_there_are_two_steps() -> None:
    steps = list_steps(delete(21, 10), delete(20, 1), insert(20, "."))
    assert [step[:2] for step in steps] == [(1, 2), (3, 3)]


def test_replacing_in_one_event_is_writing() -> None:
    assert [step[:2] for step in list_steps(insert(14, "gra", 3), insert(17, "nt", 1))] == [(1, 2)]


def test_an_edit_elsewhere_ends_a_step_and_is_none() -> None:
    assert [step[:2] for step in list_steps(insert(14, "x"), insert(0, "My "), insert(18, "y"))] == [(1, 1), (3, 3)]


def test_another_kind_of_actor_begins_another_step() -> None:
    other: Line = (1.0, "ai", [{"retain": 15}, {"insert": "y"}])
    assert [step[:2] for step in list_steps(insert(14, "x"), other)] == [(1, 1), (2, 2)]


def test_a_step_that_changes_nothing_to_be_seen_is_left_out() -> None:
    assert list_steps(insert(6, "="), delete(6, 1), delete(5, 1)) == []


def test_events_that_leave_the_text_as_it_is_end_no_step() -> None:
    assert [step[:2] for step in list_steps(insert(14, "x"), (1.0, "human", None), insert(15, "y"))] == [(1, 3)]


def test_a_trace_says_how_much_was_left_when_and_where_the_document_stood() -> None:
    document = write(
        TAKEN, (2.0, "human", [{"delete": 7}]), (31.0, "human", [{"delete": 1}]), (200.0, "human", None), start="Dear "
    )
    trace = trace_text(document, Taken(0, 0))
    assert trace is not None
    assert trace.course == ((0.0, 28), (2.0, 26), (31.0, 25))
    assert trace.positions == (0, 1, 2, None, None, None)


def test_what_puts_no_text_in_leaves_no_trace() -> None:
    document = write((0.0, "human", [{"insert": "a"}]), (1.0, "ai", [{"delete": 1}]), (2.0, "ai", None))
    assert [trace_text(document, Taken(position, 0)) for position in (1, 2, 9)] == [None, None, None]


@given(documents())
def test_steps_lead_from_what_was_taken_to_the_value_today(case: tuple[Document, Sequence[int]]) -> None:
    document, taken = case
    takings = [Taken(position, document.moments[position]) for position in taken]
    for taking, span in zip(takings, follow_texts(document, takings), strict=True):
        trace = trace_text(document, taking)
        assert trace is not None
        assert span is not None
        assert (trace.course[0][1], trace.course[-1][1]) == (span.characters_taken, span.retained_end)
        check_chain(trace.steps, span.value_end)
        assert [position is None for position in trace.positions] == [left is None for left in span.retained]
        assert len(trace.positions) == len(CHECKS)


def check_chain(steps: Sequence[Step], value: str) -> None:
    for one, other in pairwise(steps):
        assert one.after == other.before
        assert one.last_position < other.first_position
        assert one.moment <= other.moment
    for step in steps:
        assert step.before != step.after
        assert step.seconds * SECOND <= step.moment
    if steps:
        assert steps[-1].after == value
