"""Read models at their edges: in small batches, beside others, half declared, and as a table that an engine reads."""

import itertools
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.builders import START, build_event
from tests.replay.test_read_models import ACCOUNT, CUTS, FOLDED, MERGED, MIDDLE, StoppedError, check, draw_events, fold
from workbench.errors import ReadModelError
from workbench.replay.declaration import make_projection
from workbench.replay.folding.cut import Cut
from workbench.replay.models import build as model_build
from workbench.replay.models import facts as model_facts
from workbench.replay.models.build import ModelProgress
from workbench.replay.models.relation import relate_states, select_states
from workbench.replay.population import kept as population_kept
from workbench.replay.population.spread import count_values
from workbench.session import Session, connect

PEOPLE = make_projection({"name": "people", "entity": "data.who", "order": "occurred", "fields": MERGED})


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with connect(tmp_path / "log") as opened:
        opened.append(draw_events(90, first=0))
        yield opened


def test_small_batches_and_files_make_the_same_model(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_facts, "BATCH", 8)
    monkeypatch.setattr(model_facts, "NAMES", 2)
    monkeypatch.setattr(model_build, "ROWS", 3)
    told: list[ModelProgress] = []
    for projection in (ACCOUNT, PEOPLE):
        session.materialise(projection, progress=told.append)
    session.append(draw_events(9, first=90))
    for projection in (ACCOUNT, PEOPLE):
        session.materialise(projection)
        check(session, projection, CUTS[:2])
    assert len(told) > 4


def test_entities_of_paths_that_are_to_be_folded_anew_are_all_folded(session: Session) -> None:
    session.materialise(PEOPLE, as_of=MIDDLE)
    late = {"who": ["x"], "n": 1}
    session.append([build_event(event_type="A", occurred_at=START + timedelta(hours=1), data=late)])
    check(session, PEOPLE, CUTS[:2])


def test_events_that_do_not_matter_only_move_a_model_on(session: Session) -> None:
    before = session.materialise(ACCOUNT)
    session.append([build_event(event_type="Z", stream_id="s1", data={})])
    after = session.materialise(ACCOUNT)
    assert (after.position, after.entities) == (90, before.entities)
    check(session, ACCOUNT, CUTS[:1])


def test_whoever_is_later_takes_what_another_has_kept(session: Session) -> None:
    calls = itertools.count()

    def hurry(_: ModelProgress) -> None:
        if next(calls) == 0:
            with connect(session.settings.folder) as other:
                other.materialise(ACCOUNT)

    assert session.materialise(ACCOUNT, progress=hurry).position == 89
    assert session.read_models().height == 1
    check(session, ACCOUNT, CUTS[:1])


def test_a_model_is_followed_without_a_word(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(_: float) -> None:
        raise StoppedError

    monkeypatch.setattr("workbench.replay.models.read_models.time.sleep", stop)
    with pytest.raises(StoppedError):
        session.materialise(FOLDED, follow=True)
    assert session.read_models()["lag"].to_list() == [0]


def test_the_population_of_a_document_is_counted(session: Session) -> None:
    counted = session.population("document", "stage", as_of=MIDDLE)
    assert counted["count"].sum() == session.state("document", as_of=MIDDLE).height
    assert set(counted["value"]) <= {'"u"', '"v"', '"w"', "null"}


def test_a_population_that_cannot_be_read_is_folded(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    session.materialise(ACCOUNT)
    session.append(draw_events(5, first=90))

    def fail(*_: Any, **__: Any) -> list[str]:
        raise LookupError

    monkeypatch.setattr(population_kept, "find_touched", fail)
    wanted = count_values(fold(session, ACCOUNT, Cut()), ACCOUNT, "stage")
    assert session.population(ACCOUNT, "stage").equals(wanted)


def test_a_declaration_that_cannot_be_read_leaves_states_empty(tmp_path: Path) -> None:
    (tmp_path / "log" / "projections").mkdir(parents=True)
    (tmp_path / "log" / "projections" / "odd.toml").write_text("name = 1", encoding="utf-8")
    with connect(tmp_path / "log") as session:
        session.append([build_event()])
        session.materialise(ACCOUNT)
        assert session.sql("select count(*) as n from states").item() == 0
        assert session.sql("select count(*) as n from events").item() == 1


def test_an_engine_that_reads_tables_is_given_the_latest_rows(session: Session) -> None:
    kept = session._log.model_table("checkpoints")
    assert kept is not None
    relation = relate_states(kept, ["a1"], lambda: pl.DataFrame().to_arrow())
    assert relation.select == select_states(["a1"])
    assert "model in ('a1')" in str(relation.select)
    assert "where false" in select_states([])
    [find] = relation.tables.values()
    assert (find().namespace, find().name, find().snapshot_id) == ("log_derived", "checkpoints", None)
    session.materialise(ACCOUNT)
    assert find().snapshot_id is not None
    table = session._log._store.tables.catalog.load_table("log_derived.checkpoints")  # type: ignore[attr-defined] # the log of an embedded session
    table.append(table.scan().to_arrow())
    with pytest.raises(ReadModelError, match="Others have written"):
        find()


def test_a_population_as_it_was_known_is_read_from_the_steps_of_then(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    for first in (90, 110):
        session.materialise(ACCOUNT)
        session.append(draw_events(20, first=first))
    session.materialise(ACCOUNT)
    cuts = [Cut(as_of=MIDDLE, up_to=position) for position in (89, 95, 109, 115)]
    wanted = [count_values(fold(session, ACCOUNT, cut), ACCOUNT, "stage").rows() for cut in cuts]

    def refuse(*_: Any, **__: Any) -> pl.DataFrame:
        raise AssertionError("every event was folded")

    monkeypatch.setattr("workbench.replay.states.states.find_states", refuse)
    known = [session.population(ACCOUNT, "stage", as_of=cut.as_of, position=cut.up_to).rows() for cut in cuts]
    assert known == wanted
