"""What is paired and measured once is not paired and measured again, and never changes an answer."""

from collections.abc import Iterator
from pathlib import Path
from shutil import rmtree
from typing import Any

import polars as pl
import pytest

import workbench
from tests.deltas.stories import ANN, START, WRITING, Writer, tell_stories
from workbench.deltas.measures import kept
from workbench.deltas.measures.following import measure_since
from workbench.deltas.measures.frames import SCHEMA
from workbench.deltas.measures.kept import FILES, FRAME, Keeper, Measured, find_kept, latest_measures
from workbench.deltas.pairing import lifecycle
from workbench.deltas.pairing.relations import relate_lifecycle
from workbench.errors import ReadModelError, ReadOnlyLogError
from workbench.session import Session


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A log of the stories, nothing paired or measured yet."""
    (tmp_path / "deltas").mkdir()
    (tmp_path / "deltas" / "text.toml").write_text(WRITING)
    with workbench.connect(tmp_path) as session:
        session.append(tell_stories())
    return tmp_path


@pytest.fixture
def session(folder: Path) -> Iterator[Session]:
    """A session on it."""
    with workbench.connect(folder) as opened:
        yield opened


def measure_anew(session: Session) -> pl.DataFrame:
    """Return the measures of everything, of proposals paired anew, past all that is kept."""
    relations = session.relations() | relate_lifecycle(session.delta_mappings, session.registry)

    def ask(statement: str, parameters: Any, _streams: Any = None) -> pl.DataFrame:
        return session.engine.query(statement, parameters, relations)

    return measure_since(ask, session.delta_mappings, -1, session.head().last).select(list(SCHEMA))


def read_measures(session: Session) -> pl.DataFrame:
    """Return what `measures` has."""
    return session.sql("select * from measures order by proposal_position, decision_position").select(list(SCHEMA))


def test_what_is_kept_is_what_measuring_anew_gives(session: Session) -> None:
    """After the first answer, and after the log has grown."""
    assert read_measures(session).equals(measure_anew(session))
    late = Writer()
    late.events = tell_stories()
    known = len(late.events)
    late.change(0, 3, " old")
    late.take(12, "something new")
    late.tell(11, "Taken", ANN)
    session.append(late.events[known:])
    assert read_measures(session).equals(measure_anew(session).sort("proposal_position"))
    assert session.sql("select decision from deltas where stream_id = 'document-11'").item() == "accepted"


def test_only_what_an_event_touches_is_measured_again(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """A change in one document measures its takings and no others."""
    measured: list[int] = []
    whole = Session._measure

    def note(self: Session, after: int, up_to: int) -> pl.DataFrame:
        rows = whole(self, after, up_to)
        measured.extend(rows["proposal_position"].to_list())
        return rows

    monkeypatch.setattr(Session, "_measure", note)
    assert len(session.deltas().filter(pl.col("decision_position").is_not_null())) == 11
    assert len(measured) == 10
    measured.clear()
    session.deltas()
    assert measured == []
    position = session.sql("select position from deltas where stream_id = 'document-4'").item()
    late = Writer()
    late.events = tell_stories()
    late.change(4, 2, "x")
    session.append(late.events[-1:])
    session.deltas()
    assert measured == [position]


def test_another_session_finds_what_was_measured(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It lies beside the log."""
    with workbench.connect(folder) as one:
        told = one.deltas()
    monkeypatch.setattr(Session, "_measure", lambda *_: pytest.fail("measured again"))
    with workbench.connect(folder) as other:
        assert other.deltas().equals(told)


def test_another_mapping_is_measured_for_itself(folder: Path) -> None:
    """The seconds within which a change counts as edited are part of it."""
    with workbench.connect(folder) as session:
        assert session.deltas(decisions=["edited"]).height == 5
    (folder / "deltas" / "text.toml").write_text(WRITING.replace("edited_within = 60", "edited_within = 5"))
    with workbench.connect(folder) as session:
        assert not session.deltas(decisions=["edited"]).height
        assert session.deltas(edited_within=60, decisions=["edited"]).height == 5


@pytest.mark.parametrize("lost", ["data", "metadata", "all"])
def test_what_is_lost_costs_time_and_no_answer(folder: Path, lost: str) -> None:
    """Files, metadata or the whole folder of what was kept."""
    with workbench.connect(folder) as session:
        told = session.deltas()
    (place,) = folder.glob("warehouse/*_derived/measures")
    rmtree(place if lost == "all" else place / lost)
    with workbench.connect(folder) as session:
        assert session.deltas().equals(told)
        assert session.deltas().equals(told)


def test_a_log_that_was_set_back_is_measured_anew() -> None:
    """What reaches past the head is not relied on; nor is a mark that cannot be read, or another's."""
    wanted = Measured(mappings="m", registry_hash="r", log="l")
    there = Measured(mappings="m", registry_hash="r", log="l", position=9)

    class Marked:
        def __init__(self, text: str) -> None:
            self.marks = {wanted.id: text}

    assert find_kept(None, wanted, 20) == wanted
    assert find_kept(Marked(there.write()), wanted, 20) == there  # type: ignore[arg-type] # a stand-in of the one method asked
    assert find_kept(Marked(there.write()), wanted, 8) == wanted  # type: ignore[arg-type] # a stand-in of the one method asked
    assert find_kept(Marked("{"), wanted, 20) == wanted  # type: ignore[arg-type] # a stand-in of the one method asked


class Refusing:
    """A table that this session may not write."""

    def read(self) -> None:
        """There is nothing."""

    def open(self) -> Any:
        """Raise what a catalog does."""
        raise ReadOnlyLogError("no")


def make_rows(position: int) -> pl.DataFrame:
    """Return one row of measures."""
    row = {"kind": "text", "proposal_position": position, "decision_position": position + 1, "occurred_at": START}
    return pl.DataFrame([row], schema={**SCHEMA, "occurred_at": FRAME["occurred_at"]})


def test_who_may_not_write_measures_for_itself() -> None:
    """In memory, brought up as the log grows; where the engine reads tables only, it is refused."""
    wanted = Measured(mappings="m", registry_hash="r", log="l")
    asked: list[tuple[int, int]] = []

    def measure(after: int, up_to: int) -> pl.DataFrame:
        asked.append((after, up_to))
        return make_rows(up_to)

    keeper = Keeper(Refusing(), wanted, measure, in_tables=False)  # type: ignore[arg-type] # a stand-in of the one method asked
    assert keeper.bring_up(4) == 4
    assert keeper.bring_up(4) == 4
    assert keeper.bring_up(7) == 7
    assert asked == [(-1, 4), (4, 7)]
    assert keeper.rows(7)["proposal_position"].to_list() == [4, 7]
    refused = Keeper(Refusing(), wanted, measure, in_tables=True)  # type: ignore[arg-type] # a stand-in of the one method asked
    with pytest.raises(ReadOnlyLogError):
        refused.bring_up(4)


def test_a_log_without_a_place_for_it_is_measured_in_memory() -> None:
    """And an engine that reads tables says so."""
    wanted = Measured(mappings="m", registry_hash="r", log="l")
    keeper = Keeper(None, wanted, lambda _after, up_to: make_rows(up_to), in_tables=False)
    assert not keeper.rows(3).height
    keeper.bring_up(3)
    assert keeper.rows(3).height == 1
    with pytest.raises(ReadModelError, match="no place"):
        keeper.find()


def test_files_that_come_together_are_made_one(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every so many bring-ups; the rows stay the latest of each decision."""
    monkeypatch.setattr(kept, "FILES", 2)
    late = Writer()
    late.events = tell_stories()
    with workbench.connect(folder) as session:
        for letter in "abcdef":
            late.change(3, 2, letter)
            session.append(late.events[-1:])
            assert session.deltas().height == 12
        assert read_measures(session).equals(measure_anew(session).sort("proposal_position"))
        reading = session._keeper._table.read()  # type: ignore[union-attr] # an embedded log has a table
        assert reading is not None
        assert len(reading.files) <= 3
    assert FILES > 2


def test_the_latest_row_of_a_decision_counts() -> None:
    """In whatever order the parts come."""
    parts = [
        make_rows(1).with_columns(model=pl.lit("m"), measured_position=pl.lit(position, pl.Int64), hter=pl.lit(hter))
        for position, hter in ((5, 0.5), (9, 0.9), (7, 0.7))
    ]
    assert latest_measures(parts)["hter"].to_list() == [0.9]


def test_pairing_in_memory_gives_what_pairing_anew_gives(session: Session) -> None:
    """At each step of a growing log, with a proposal that expires meanwhile in a document that did not grow."""
    late = Writer()
    late.events = tell_stories()
    for _ in range(4):
        known = len(late.events)
        late.take(known % 7, f"text {known}")
        late.change(known % 5, 1, "y")
        session.append(late.events[known:])
        relations = session.relations() | relate_lifecycle(session.delta_mappings, session.registry)
        for name in lifecycle.NAMES:
            statement = f"select * from {name} order by position"  # noqa: S608 - our own names
            anew = session.engine.query(statement, {}, relations)
            assert session.sql(statement).equals(anew)


def test_what_people_write_pairs_nothing_anew(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """No event of theirs in a document is one of the lifecycle, however much it grows; a text taken is."""
    session.deltas()
    asked: list[str] = []
    whole = Session._ask_among

    def note(self: Session, statement: str, *rest: Any) -> pl.DataFrame:
        asked.append(statement)
        return whole(self, statement, *rest)

    monkeypatch.setattr(Session, "_ask_among", note)
    late = Writer()
    late.events = tell_stories()
    late.change(4, 2, "x")
    session.append(late.events[-1:])
    session.deltas()
    waiting = session.sql("select count(*) as n from proposals where decision = 'pending'").item()
    assert sum("proposals" in each for each in asked) == (1 if waiting else 0)
    asked.clear()
    late.take(5, "more")
    session.append(late.events[-4:])
    session.deltas()
    assert sum("proposals" in each for each in asked) == 1


def test_above_a_bound_nothing_is_held_in_memory(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answers are the same, paired for each question."""
    told = session.deltas()
    monkeypatch.setattr(lifecycle, "MOST", 3)
    late = Writer()
    late.events = tell_stories()
    late.take(20, "one more")
    session.append(late.events[-4:])
    assert session.deltas().height == told.height + 1
    assert session._lifecycle._paired is not None
    monkeypatch.setattr(lifecycle, "STREAMS", 0)
    late.change(20, 1, "z")
    session.append(late.events[-1:])
    assert session.deltas().height == told.height + 1
