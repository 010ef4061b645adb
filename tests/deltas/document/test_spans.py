"""What becomes of a taken text: retained characters, first change, value, against the plainest replay there is."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given

from tests.deltas.writing import documents, write
from workbench.deltas.columns import CHECKS
from workbench.deltas.document.documents import Document, read_edits
from workbench.deltas.document.spans import SECOND, Span, Taken, follow_document, follow_texts
from workbench.replay.folding.texts import join_units, split_units

# A unit, and whose it is: the position of the event that put it in, its actor's kind.
Unit = tuple[str, int, str | None]


def replay(document: Document) -> list[tuple[int, int, str | None, list[Unit], list[Unit]]]:
    """Return every event's position, moment and kind, and the document's units before and after it."""
    units: list[Unit] = [(unit, -1, None) for unit in split_units(document.start)]
    seen = []
    for position, moment, kind, delta in zip(
        document.positions, document.moments, document.kinds, document.deltas, strict=True
    ):
        before = list(units)
        for at, inserted, gone in read_edits(delta or "[]", len(units)) or ():
            units[at : at + gone] = [(unit, position, kind) for unit in inserted]
        seen.append((position, moment, kind, before, list(units)))
    return seen


def read_value(units: Sequence[Unit], position: int) -> tuple[int, str]:
    """Return how many units of a taking stand, and its value."""
    places = [place for place, unit in enumerate(units) if unit[1] == position]
    between = units[places[0] : places[-1] + 1] if places else []
    return len(places), join_units("".join(unit[0] for unit in between)).strip()


def share(units: Sequence[Unit]) -> float | None:
    kinds = [kind for _, _, kind in units if kind in ("human", "ai")]
    return kinds.count("human") / len(kinds) if kinds else None


@given(documents())
def test_a_span_is_what_a_plain_replay_finds(case: tuple[Document, Sequence[int]]) -> None:
    document, taken = case
    seen = replay(document)
    takings = [Taken(position, document.moments[position] - 3_000) for position in taken]
    followed = follow_document(document, takings)
    last = seen[-1][4]
    assert followed.skipped == 0
    assert followed.human_final_share == share(last)
    put_in = [unit for position, _, _, _, after in seen for unit in after if unit[1] == position]
    assert followed.human_inserted_share == share(put_in)
    for taking, span in zip(takings, followed.spans, strict=True):
        assert span is not None
        assert (span.retained_end, span.value_end) == read_value(last, taking.position)
        later = [event for event in seen if event[0] >= taking.position]
        assert span.characters_taken == read_value(later[0][4], taking.position)[0]
        for seconds, retained, value in zip(CHECKS, span.retained, span.values, strict=True):
            deadline = taking.taken_at + seconds * SECOND
            by_then = [event for event in later if event[1] <= deadline] or later[:1]
            known = read_value(by_then[-1][4], taking.position) if deadline <= document.end else (None, None)
            assert (retained, value) == known
        changes = [moment for owner, moment in list_changes(later[1:]) if owner == taking.position]
        assert span.first_change == ((changes[0] - taking.taken_at) / SECOND if changes else None)
        assert span.persistence[-1] == span.retained_end / span.characters_taken


def list_changes(events: Sequence[tuple[int, int, str | None, list[Unit], list[Unit]]]) -> list[tuple[int, int]]:
    """Return whose text was deleted from, or written into by a person between two of its characters, and when."""
    found = []
    for position, moment, kind, before, after in events:
        left_of = {owner: sum(unit[1] == owner for unit in after) for owner in {unit[1] for unit in before}}
        found += [(owner, moment) for owner, left in left_of.items() if left < sum(unit[1] == owner for unit in before)]
        own = [place for place, unit in enumerate(after) if unit[1] == position]
        if kind == "human" and own:
            # Operations are retain, insert, delete: what is put in stands before what is taken out.
            left_owner = after[own[0] - 1][1] if own[0] else None
            right_owner = before[own[0]][1] if own[0] < len(before) else None
            if left_owner is not None and left_owner == right_owner:
                found.append((left_owner, moment))
    return found


def follow_one(document: Document, position: int = 0) -> Span:
    (span,) = follow_texts(document, [Taken(position, document.moments[position])])
    assert span is not None
    return span


TAKEN = (0.0, "ai", [{"insert": "a loan\n"}])


@pytest.mark.parametrize(
    ("kind", "operations", "changed"),
    [
        ("human", [{"retain": 2}, {"insert": "n"}], 5.0),
        ("human", [{"retain": 6}, {"insert": "\n"}], 5.0),
        ("human", [{"retain": 6}, {"delete": 1}], 5.0),
        ("system", [{"retain": 6}, {"delete": 1}], 5.0),
        ("ai", [{"retain": 2}, {"insert": "n"}], None),
        ("system", [{"retain": 2}, {"insert": "n"}], None),
        ("human", [{"insert": "n"}], None),
        ("human", [{"retain": 7}, {"insert": "n"}], None),
        ("human", [{"retain": 7}, {"delete": 1}], None),
        (None, None, None),
    ],
)
def test_a_change_is_a_deletion_or_what_a_person_writes_inside(
    kind: str | None, operations: list[Any] | None, changed: float | None
) -> None:
    assert follow_one(write(TAKEN, (5.0, kind, operations), start=" in June")).first_change == changed


def test_a_change_at_the_very_moment_of_a_check_counts_for_it() -> None:
    gone = [{"delete": 2}]
    span = follow_one(write(TAKEN, (30.0, "human", gone), (30.000001, "human", gone), ended_at=120))
    assert span.retained == (7, 5, 3, None, None, None)


def test_a_text_that_is_gone_has_an_empty_value() -> None:
    span = follow_one(write(TAKEN, (1.0, "human", [{"insert": "x"}, {"delete": 7}]), ended_at=40))
    assert (span.retained_end, span.value_end, span.values[1]) == (0, "", "")


def test_what_is_no_delta_of_the_text_is_skipped_and_counted() -> None:
    lost = [{"retain": 99}, {"insert": "x"}]
    followed = follow_document(write(TAKEN, (1.0, "human", lost), (2.0, "human", [{"insert": 5}])), [Taken(0, 0)])
    assert followed.skipped == 2
    assert followed.spans[0] is not None
    assert followed.spans[0].retained_end == 7


def test_an_event_that_puts_nothing_in_has_no_span() -> None:
    document = write(TAKEN, (1.0, "ai", [{"delete": 1}]), (2.0, "ai", None))
    assert follow_texts(document, [Taken(1, 0), Taken(2, 0), Taken(7, 0)]) == [None, None, None]


def test_two_takings_of_one_event_have_one_span() -> None:
    one, other = follow_texts(write(TAKEN), [Taken(0, 0), Taken(0, 0)])
    assert one == other is not None


def test_nobody_has_a_share_of_nothing() -> None:
    followed = follow_document(write((0.0, None, [{"insert": "x"}]), start="Title"), [])
    assert (followed.human_inserted_share, followed.human_final_share) == (None, None)
