"""One proposal with all that became of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import workbench
from tests.deltas.stories import AI, ANN, WRITING, Writer
from workbench.deltas.delta import Delta, Moment
from workbench.errors import ArgumentError, DeltaMappingError
from workbench.session import Session


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """A document with a taken text that is changed twice, one closed, one that waits, one taken and never put in."""
    folder = tmp_path_factory.mktemp("writing")
    (folder / "deltas").mkdir()
    (folder / "deltas" / "text.toml").write_text(WRITING)
    writer = Writer()
    writer.tell(0, "Typed", ANN, delta={"ops": [{"insert": "Before. "}]})
    writer.tell(0, "Asked", ANN)
    writer.tell(0, "Shown", AI, text="the text of it", version="v1")
    writer.tell(0, "Taken", ANN)
    writer.tell(0, "Typed", AI, delta={"ops": [{"retain": 8}, {"insert": "the text of it"}]})
    writer.change(0, 12, "whole ")
    writer.tell(0, "Typed", ANN, delta={"ops": [{"retain": 22}, {"delete": 6}]})
    writer.tell(1, "Shown", AI, text="closed", version="v1")
    writer.tell(1, "Closed", ANN)
    writer.tell(2, "Shown", AI, text="waits", version="v2")
    writer.tell(3, "Shown", AI, text="lost", version="v2")
    writer.tell(3, "Taken", ANN)
    with workbench.connect(folder) as opened:
        opened.append(writer.events)
        yield opened


def find(session: Session, document: int) -> Delta:
    """Return the one delta of a document."""
    at = session.sql("select position from deltas where stream_id = :s", {"s": f"document-{document}"}).item()
    return session.delta(at)


def test_a_taken_text_shows_what_stood_when_and_how_it_came_to(session: Session) -> None:
    """What was taken, what stands after its checks, today, and the steps between."""
    delta = find(session, 0)
    assert delta.moments[0] == Moment(name="taken", value='"the text of it"', position=4)
    told = {moment.name: (moment.value, moment.is_censored) for moment in delta.moments[1:]}
    assert told["30"] == ('"the whole text"', False)
    assert told["120"] == (None, True)
    assert told["today"] == ('"the whole text"', False)
    assert [(step.before, step.after, step.person) for step in delta.steps] == [
        ("the text of it", "the whole text of it", "ann"),
        ("the whole text of it", "the whole text", "ann"),
    ]
    assert delta.retained[0] == (0.0, 14)
    assert delta.retained[-1][1] == 8


def test_what_the_person_saw_is_the_document_just_before_the_decision(session: Session) -> None:
    """With the place where the text was put in."""
    saw = find(session, 0).saw
    assert saw is not None
    assert (saw.position, saw.text, saw.cursor) == (2, "Before. ", 8)


@pytest.mark.parametrize("document", [1, 2])
def test_what_was_not_taken_has_no_moments(session: Session, document: int) -> None:
    """The document as it stood is there all the same."""
    delta = find(session, document)
    assert (delta.moments, delta.steps) == ((), ())
    assert delta.saw is not None
    assert delta.saw.text == ""


def test_what_was_taken_and_never_put_in_has_no_moments(session: Session) -> None:
    """There is nothing to follow."""
    delta = find(session, 3)
    assert delta.row["decision"] == "accepted"
    assert delta.moments == ()
    assert delta.row["characters_taken"] is None


def test_a_position_without_a_proposal_is_refused(session: Session) -> None:
    """The error says how to find one."""
    with pytest.raises(ArgumentError, match="No proposal stands at position 0"):
        session.delta(0)


def test_a_mapping_at_fault_is_told_where_proposals_are_asked_for_and_nowhere_else(tmp_path: Path) -> None:
    (tmp_path / "deltas").mkdir()
    (tmp_path / "deltas" / "text.toml").write_text('proposed = ["Shown"]\nanswered = ["Taken"]\n')
    with workbench.connect(tmp_path) as opened:
        writer = Writer()
        writer.tell(0, "Shown", AI, text="the text of it", version="v1")
        opened.append(writer.events)
        assert opened.sql("select count(*) as events from events").item() == 1
        with pytest.raises(DeltaMappingError, match="text"):
            opened.sql("select * from deltas")
        with pytest.raises(DeltaMappingError, match="text"):
            opened.deltas()
