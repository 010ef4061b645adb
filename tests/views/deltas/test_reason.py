"""A reason added later stands beside the decision: nothing of the log changes but that it has one event more."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.views.deltas_log import HOSTILE, MAPPINGS, PEOPLE, Writer, make_log, write_lines
from workbench.errors import ArgumentError, ReadOnlyLogError
from workbench.session import Session, connect
from workbench.views.deltas.reason import add_reason, list_added, offer_reasons


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Session]:
    """The log of letters, prices and lines, to write into."""
    with make_log(tmp_path / "log") as session:
        yield session


def find(session: Session, condition: str) -> dict[str, Any]:
    statement = f"select * from deltas where {condition} order by position limit 1"  # noqa: S608 - our own words
    return session.ask(statement, {}).row(0, named=True)


def test_an_added_reason_stands_in_the_delta_and_in_what_is_counted_by_reason(desk: Session) -> None:
    before, head = find(desk, "decision = 'edited' and reason is null"), desk.head().last
    position, is_new = add_reason(desk, before["position"], HOSTILE, "anna")
    assert (position, is_new) == (head + 1, True)
    after = find(desk, f"position = {before['position']}")
    assert after == before | {"reason": HOSTILE}
    assert list_added(desk.ask, after)[0].text == HOSTILE
    assert offer_reasons(desk.ask, "letter") == ["<b>rude</b>", HOSTILE]
    counted = desk.sql("select reason, count(*) as n from takings group by reason order by 2").rows()
    assert (HOSTILE, 1) in counted
    assert desk.sql("select document, person from reasons").rows() == [(before["stream_id"], "anna")]


def test_the_log_is_added_to_and_nothing_in_it_is_changed(desk: Session) -> None:
    whole, decisions = desk.events(), desk.sql("select * from decisions order by position, kind")
    add_reason(desk, 0, "it was wrong")
    assert desk.events().head(whole.height).equals(whole)
    assert desk.sql("select * from decisions order by position, kind").equals(decisions)


def test_the_same_reason_is_added_once(desk: Session) -> None:
    first = add_reason(desk, 0, "it was wrong", "anna")
    assert add_reason(desk, 0, "it was wrong ", "bert") == (first[0], False)
    assert desk.head().last == first[0]


def test_a_decision_keeps_the_reason_it_gave_and_the_last_one_added_counts_else(desk: Session) -> None:
    rejected = find(desk, "decision = 'rejected' and kind = 'letter'")
    add_reason(desk, rejected["position"], "and late")
    assert find(desk, f"position = {rejected['position']}")["reason"] == "<b>rude</b>"
    for text in ("first", "second"):
        add_reason(desk, 0, text)
    assert find(desk, "position = 0")["reason"] == "second"
    assert [each.text for each in list_added(desk.ask, find(desk, "position = 0"))] == ["first", "second"]


def test_a_document_ends_where_it_ended_before_a_reason_was_added(desk: Session) -> None:
    line = find(desk, "kind = 'line' and decision = 'edited'")
    add_reason(desk, line["position"], "said too much")
    assert find(desk, f"position = {line['position']}") == line | {"reason": "said too much"}


def test_a_reason_needs_a_proposal(desk: Session) -> None:
    with pytest.raises(ArgumentError, match="No proposal stands at position 1,"):
        add_reason(desk, 1, "why")


def test_a_log_that_cannot_be_written_refuses_and_says_so(desk: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object, **_named: object) -> None:
        raise ReadOnlyLogError("The log is mapped from a table that others write.")

    monkeypatch.setattr(desk._log, "append", refuse)
    with pytest.raises(ReadOnlyLogError, match="others write"):
        add_reason(desk, 0, "why")
    assert desk.sql("select count(*) as n from reasons").item() == 0


def test_who_was_quicker_with_the_same_reason_is_not_contradicted(
    desk: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between looking and appending another writer adds the very same reason, at another moment."""
    asked = desk.ask
    blind = [True]

    def look(statement: str, parameters: dict[str, Any], *streams: Any) -> pl.DataFrame:
        found = asked(statement, parameters, *streams)
        if "reason_event" in parameters and blind:
            blind.clear()
            with connect(tmp_path / "log") as other:
                add_reason(other, 0, "why")
        return found

    monkeypatch.setattr(desk, "ask", look)
    assert add_reason(desk, 0, "why") == (desk.head().last, False)


def test_a_reason_is_seen_without_pairing_everything_again(tmp_path: Path) -> None:
    """Where decisions are next to their proposals only what grew is read: here the reason's own stream."""
    (tmp_path / "log" / "deltas").mkdir(parents=True)
    (tmp_path / "log" / "deltas" / "line.toml").write_text(MAPPINGS["line"], encoding="utf-8")
    writer = Writer()
    write_lines(writer)
    with connect(tmp_path / "log") as session:
        session.append(writer.events)
        line = find(session, "decision = 'edited'")
        for text in ("first", "second"):
            add_reason(session, line["position"], text)
        assert find(session, f"position = {line['position']}")["reason"] == "second"
        writer.write("text-insert", "essay", PEOPLE[0], text_delta={"ops": [{"insert": "So "}]})
        session.append(writer.events[-1:])
        assert [each.text for each in list_added(session.ask, line)] == ["first", "second"]
        with connect(tmp_path / "log") as anew:
            assert anew.sql("select * from reasons order by position").equals(
                session.sql("select * from reasons order by position")
            )
