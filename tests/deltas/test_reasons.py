"""A reason added later is an event of its own, which names the delta it belongs to."""

from datetime import UTC, datetime

import pytest

from workbench.deltas.reasons import EVENT_TYPE, LONGEST, make_reason
from workbench.errors import ArgumentError

NOW = datetime(2026, 11, 22, tzinfo=UTC)
LATER = datetime(2027, 1, 1, tzinfo=UTC)
ROW = {"kind": "letter", "stream_id": "loan-1", "event_id": "d7", "decision_event_id": "d8"}


def test_a_reason_is_an_event_caused_by_the_decision() -> None:
    event = make_reason(ROW, "  too long \n", person="anna", occurred_at=NOW)
    assert (event.event_type, event.stream_id, event.causation_id) == (EVENT_TYPE, "loan-1/reasons", "d8")
    assert event.data == {"kind": "letter", "stream": "loan-1", "proposal": "d7", "reason": "too long"}
    assert event.actor is not None
    assert (event.actor.id, event.actor.kind) == ("anna", "human")


def test_without_a_decision_it_is_caused_by_the_proposal_and_nobody_need_sign_it() -> None:
    event = make_reason(ROW | {"decision_event_id": None}, "nobody looked", person=None, occurred_at=NOW)
    assert (event.causation_id, event.actor) == ("d7", None)


def test_the_same_reason_for_the_same_delta_has_one_id() -> None:
    first = make_reason(ROW, "rude", person="anna", occurred_at=NOW)
    assert make_reason(ROW, " rude ", person=None, occurred_at=LATER).event_id == first.event_id
    assert make_reason(ROW, "rude!", person="anna", occurred_at=NOW).event_id != first.event_id
    assert make_reason(ROW | {"event_id": "d9"}, "rude", person="anna", occurred_at=NOW).event_id != first.event_id


@pytest.mark.parametrize("text", ["", " \n", "x" * (LONGEST + 1)])
def test_no_reason_and_one_too_long_are_refused(text: str) -> None:
    with pytest.raises(ArgumentError, match=r"Write 1 to 2,000 characters"):
        make_reason(ROW, text, person=None, occurred_at=NOW)
