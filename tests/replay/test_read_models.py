"""States kept beside a log: brought up as it grows, quick where they help, and never another answer."""

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.builders import START, build_event
from tests.replay.logs import within
from workbench.errors import ArgumentError, ReadModelError, UnsupportedOnThisLogError
from workbench.event import Event
from workbench.eventlog import models as tables
from workbench.replay.declaration import make_projection
from workbench.replay.facts import make_facts
from workbench.replay.folding.cut import Cut
from workbench.replay.folding.fold import fold_facts
from workbench.replay.folding.reducers import make_reducer
from workbench.replay.models import build as model_build
from workbench.replay.models import reading as model_reading
from workbench.replay.models import rows as model_rows
from workbench.replay.models.build import ModelProgress
from workbench.replay.population import kept as population_kept
from workbench.replay.population.spread import count_values
from workbench.replay.projection import DOCUMENT, Projection
from workbench.replay.states.frame import frame_entities
from workbench.session import Session, connect

CANCELS = {"event_types": ["C"], "target": "data.cancels"}
FIELDS: dict[str, Any] = {
    "total": {"rule": "sum", "kind": "integer", "event_types": ["A", "B"], "value": "data.n"},
    "name": {"rule": "last", "kind": "json", "event_types": ["A"], "value": "data.name"},
    "stage": {"rule": "machine", "event_types": ["B"], "value": "data.stage", "moves": {"u": ["v"]}},
}
ACCOUNT = make_projection({"name": "account", "cancels": CANCELS, "fields": FIELDS})
OCCURRED = make_projection({"name": "occurred", "order": "occurred", "cancels": CANCELS, "fields": FIELDS})
MERGED = {"whole": {"rule": "merge", "event_types": ["A"], "value": "data"}}
FOLDED = make_projection({"name": "folded", "order": "occurred", "cancels": CANCELS, "fields": MERGED})
BY_PATH = make_projection({"name": "people", "entity": "data.who", "fields": FIELDS})
ANYWHERE = make_projection({"name": "anywhere", "cancels": {**CANCELS, "in_stream": False}, "fields": MERGED})
PROJECTIONS = {each.name: each for each in (ACCOUNT, OCCURRED, FOLDED, BY_PATH, ANYWHERE, DOCUMENT)}
MIDDLE = START + timedelta(hours=100)
CUTS = [(None, None), (MIDDLE, None), (None, 70), (MIDDLE, 70), (MIDDLE + timedelta(hours=60), None)]
MOMENTS = [None, START + timedelta(hours=40), MIDDLE, START + timedelta(hours=160)]


class StoppedError(Exception):
    """Someone pressed stop."""


def draw_events(count: int, *, first: int, seed: int = 1) -> list[Event]:
    """Return events of twelve streams: back-dated, of 1970 and of the far future, and cancels of some."""
    chance = random.Random(seed * 1000 + first)  # noqa: S311 - a seeded story
    events = []
    for number in range(first, first + count):
        moment = START + timedelta(hours=chance.randrange(200))
        odd = chance.random()
        moment = datetime(1970, 1, 1, tzinfo=UTC) if odd < 0.03 else moment
        moment = datetime(2099, 1, 1, tzinfo=UTC) if odd > 0.97 else moment
        data = {
            "n": chance.randrange(9),
            "name": chance.choice(["p", "q", None]),
            "stage": chance.choice("uvw"),
            "who": chance.choice([["x"], ["x", "y"], []]),
            "cancels": f"x{chance.randrange(number + 1)}",
        }
        stream, kind = f"s{chance.randrange(12)}", chance.choice("AAABBBC")
        events.append(
            build_event(event_id=f"x{number}", stream_id=stream, event_type=kind, occurred_at=moment, data=data)
        )
    return events


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with connect(tmp_path / "log") as opened:
        opened.append(draw_events(150, first=0))
        yield opened


@pytest.fixture(params=list(PROJECTIONS))
def projection(request: pytest.FixtureRequest) -> Projection:
    return PROJECTIONS[request.param]


def fold(session: Session, projection: Projection, cut: Cut, entity: str | None = None) -> pl.DataFrame:
    """Return what folding every event gives."""
    facts = within(make_facts(session.events()), cut)
    entities = fold_facts(projection, facts)
    kept = {name: state for name, state in entities.items() if entity in (None, name)}
    return frame_entities(projection, kept)


def check(session: Session, projection: Projection, cuts: Sequence[Any] = CUTS) -> None:
    """Compare every question that a model makes quick with folding every event."""
    for as_of, position in cuts:
        whole = fold(session, projection, Cut(as_of=as_of, up_to=position))
        assert session.state(projection, as_of=as_of, position=position).equals(whole)
        for entity in whole["entity_id"].to_list()[:2]:
            one = session.state(projection, as_of=as_of, position=position, stream_id=entity)
            assert one.equals(whole.filter(entity_id=entity))
        if projection.fields and projection.fields[-1].rule == "machine":
            counted = session.population(projection, "stage", as_of=as_of, position=position)
            assert counted.equals(count_values(whole, projection, "stage"))


def forbid(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing fold all events any more."""

    def refuse(*_: Any, **__: Any) -> pl.DataFrame:
        raise AssertionError("every event was folded")

    monkeypatch.setattr("workbench.replay.states.states.find_states", refuse)


def test_answers_are_the_same_with_and_without_what_is_kept(session: Session, projection: Projection) -> None:
    session.materialise(projection)
    check(session, projection, CUTS[:2])
    session.append(draw_events(25, first=150))
    check(session, projection)
    session.materialise(projection)
    check(session, projection, CUTS[1:3])


def test_answers_are_the_same_from_a_checkpoint_in_time(session: Session, projection: Projection) -> None:
    session.materialise(projection, as_of=MIDDLE)
    session.append(draw_events(25, first=150))
    check(session, projection)


def test_a_state_starts_from_the_nearest_checkpoint(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = fold(session, FOLDED, Cut())
    later = fold(session, FOLDED, Cut(as_of=MIDDLE))
    session.materialise(FOLDED)
    session.materialise(FOLDED, as_of=MIDDLE - timedelta(hours=1))
    session.materialise(FOLDED, as_of=START)
    forbid(monkeypatch)
    assert session.state(FOLDED).equals(wanted)
    assert session.state(FOLDED, as_of=MIDDLE).equals(later)
    nearest = session._nearest_model("checkpoints", FOLDED, Cut(as_of=MIDDLE))
    assert nearest is not None
    assert nearest.model.as_of == MIDDLE - timedelta(hours=1)


def test_only_the_tail_of_a_stream_is_read(session: Session) -> None:
    session.append([build_event(stream_id="long", event_type="A", data={"n": 1}) for _ in range(50)])
    session.materialise(ACCOUNT)
    session.append([build_event(stream_id="long", event_type="A", data={"n": 1}) for _ in range(3)])
    read: list[int] = []

    def ask(text: str, parameters: Any, stream_ids: Any = None) -> pl.DataFrame:
        rows = session._ask(text, parameters, stream_ids)
        read.append(rows.height)
        return rows

    nearest = session._nearest_model("checkpoints", ACCOUNT, Cut())
    assert nearest is not None
    found = model_reading.resume_entity(ask, session._ask_kept, ACCOUNT, nearest, Cut(), "long")
    assert found is not None
    assert (found["long"].event_count, read) == (53, [3])


def test_a_population_is_read_from_steps(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    session.materialise(ACCOUNT)
    wanted = [count_values(fold(session, ACCOUNT, Cut(as_of=moment)), ACCOUNT, "stage") for moment in MOMENTS]
    forbid(monkeypatch)
    assert [session.population(ACCOUNT, "stage", as_of=moment).rows() for moment in MOMENTS] == [
        each.rows() for each in wanted
    ]
    moments = [moment for moment in MOMENTS if moment is not None]
    over = session.population_over_time(ACCOUNT, "stage", at=moments)
    assert over.filter(as_of=MIDDLE).select("value", "count").equals(wanted[2])


def test_many_sets_of_steps_and_states_come_together(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_build, "FILES", 3)
    monkeypatch.setattr(model_build, "SEGMENTS", 2)
    for number in range(6):
        session.append(draw_events(10, first=150 + 10 * number))
        model = session.materialise(ACCOUNT)
        assert session.read_models().row(0, named=True)["entities"] == model.entities
        check(session, ACCOUNT, CUTS[:2])
    kept = session._nearest_model("populations", ACCOUNT, Cut())
    assert kept is not None
    assert len(kept.model.segments) <= 3


def test_a_population_of_many_changed_streams_is_folded(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    session.materialise(ACCOUNT)
    session.append(draw_events(25, first=150))
    monkeypatch.setattr(population_kept, "MANY", 1)
    monkeypatch.setattr(model_reading, "MANY", 0)
    session.materialise(FOLDED, as_of=MIDDLE)
    check(session, ACCOUNT)
    check(session, FOLDED)


def test_other_fields_are_counted_where_they_are_named(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    session.materialise(ACCOUNT)
    assert session.materialise(ACCOUNT, fields=["total"]).position == 149
    wanted = count_values(fold(session, ACCOUNT, Cut(as_of=MIDDLE)), ACCOUNT, "total")
    forbid(monkeypatch)
    assert session.population(ACCOUNT, "total", as_of=MIDDLE).equals(wanted)
    session.materialise(ACCOUNT)
    assert session.read_models()["fields"].to_list() == [["total"]]
    with pytest.raises(ArgumentError, match="has no field 'sum'"):
        session.materialise(ACCOUNT, fields=["sum"])


def test_progress_and_lag_are_told(session: Session) -> None:
    told: list[ModelProgress] = []
    session.materialise(ACCOUNT, progress=told.append)
    assert (told[-1].events_done, told[-1].events_total, told[-1].entities) == (150, 150, 12)
    session.append(draw_events(25, first=150))
    assert session.read_models()["lag"].to_list() == [25]
    session.materialise(ACCOUNT)
    assert session.read_models().select("position", "lag").row(0) == (174, 0)


def test_what_is_stopped_leaves_nothing_behind(session: Session, tmp_path: Path) -> None:
    session.materialise(ACCOUNT)
    before = set(tmp_path.rglob("*.parquet"))
    states = session.state(ACCOUNT)

    def stop(_: ModelProgress) -> None:
        raise StoppedError

    for options in ({"rebuild": True}, {"as_of": MIDDLE}):
        with pytest.raises(StoppedError):
            session.materialise(ACCOUNT, progress=stop, **options)
    assert set(tmp_path.rglob("*.parquet")) == before
    assert session.state(ACCOUNT).equals(states)
    assert session.read_models().height == 1


def test_a_model_is_followed_until_it_is_stopped(session: Session) -> None:
    told: list[ModelProgress] = []

    def watch(progress: ModelProgress) -> None:
        told.append(progress)
        if progress.lag == 0 and progress.position == 149:
            session.append(draw_events(5, first=150))
        if progress.position == 154 and progress.lag == 0:
            raise StoppedError

    with pytest.raises(StoppedError):
        session.materialise(ACCOUNT, follow=True, pause=0, progress=watch)
    assert session.read_models()["position"].to_list() == [154]
    check(session, ACCOUNT)


def test_two_versions_stand_side_by_side(session: Session) -> None:
    other = make_projection(
        {"name": "account", "version": 2, "fields": {**FIELDS, "events": {"rule": "count", "from": [{}]}}}
    )
    session.materialise(ACCOUNT)
    session.materialise(other)
    assert session.read_models().select("projection", "version").rows() == [("account", 1), ("account", 2)]
    check(session, ACCOUNT, CUTS[:1])
    check(session, other, CUTS[:1])
    assert session.drop_read_model("account", 1) == 1
    assert session.read_models()["version"].to_list() == [2]
    check(session, ACCOUNT, CUTS[:2])


def test_another_declaration_of_the_same_version_is_refused_until_it_is_rebuilt(session: Session) -> None:
    other = make_projection({"name": "account", "fields": {"events": {"rule": "count", "from": [{}]}}})
    session.materialise(ACCOUNT)
    assert session.state(other).equals(fold(session, other, Cut()))
    with pytest.raises(ReadModelError, match=rf"{ACCOUNT.hash[:12]}.* {other.hash[:12]}.*rebuild"):
        session.materialise(other)
    session.materialise(other, rebuild=True)
    assert session.read_models()["hash"].to_list() == [other.hash]
    assert session.state(ACCOUNT).equals(fold(session, ACCOUNT, Cut()))


def test_there_is_room_for_so_many(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MODELS", 1)
    session.materialise(ACCOUNT)
    with pytest.raises(ReadModelError, match="Drop one"):
        session.materialise(FOLDED)


def table_of(session: Session, name: str) -> Any:
    return session._log._store.tables.catalog.load_table(f"log_derived.{name}")  # type: ignore[attr-defined] # the same


def test_what_others_wrote_into_it_is_not_relied_on(session: Session) -> None:
    session.materialise(ACCOUNT)
    for name in ("checkpoints", "populations"):
        table = table_of(session, name)
        table.append(table.scan().to_arrow())
    assert session.read_models().is_empty()
    check(session, ACCOUNT, CUTS[:2])
    session.materialise(ACCOUNT)
    assert session.read_models().height == 1
    check(session, ACCOUNT)


@pytest.mark.parametrize("content", [None, b"", b"PAR1 no file PAR1"])
def test_files_that_are_lost_or_damaged_change_no_answer(session: Session, content: bytes | None) -> None:
    for each in (ACCOUNT, FOLDED):
        session.materialise(each)
    for name in ("checkpoints", "populations"):
        for task in table_of(session, name).scan().plan_files():
            path = Path(task.file.file_path.removeprefix("file://"))
            path.unlink() if content is None else path.write_bytes(content)
    check(session, ACCOUNT, CUTS[:2])
    check(session, FOLDED, CUTS[:1])
    session.materialise(ACCOUNT, rebuild=True)
    check(session, ACCOUNT, CUTS[:1])


def test_a_row_that_was_changed_is_not_relied_on(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    session.materialise(FOLDED)
    wanted = fold(session, FOLDED, Cut())
    written = model_rows.read_rows

    def change(projection: Projection, rows: Any) -> Any:
        return written(projection, [{**row, "event_count": row["event_count"] + 1} for row in rows])

    monkeypatch.setattr(model_reading, "read_rows", change)
    assert session.state(FOLDED).equals(wanted)


def test_another_log_of_the_same_name_has_none_of_it(session: Session) -> None:
    model = session.materialise(ACCOUNT)
    head = session.head().last
    marks = {model.id: model.write(), "x": "no mark", "y": model.write()}
    assert list(model_reading.list_models(marks, model.log, head)) == [model.id]
    assert model_reading.list_models(marks, "other", head) == {}
    assert model_reading.list_models(marks, model.log, head - 1) == {}


def test_a_log_that_others_write_has_no_place_for_states(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session._log, "model_table", lambda _: None)
    with pytest.raises(UnsupportedOnThisLogError, match="no place"):
        session.materialise(ACCOUNT)
    assert session.read_models().is_empty()
    assert "states" not in session.relations()
    check(session, ACCOUNT, CUTS[:2])


def test_a_state_that_is_no_json_is_not_kept(session: Session) -> None:
    def pair(state: Any, event: dict[str, Any]) -> Any:
        return (event["position"], state is None)

    with pytest.raises(Exception, match="no JSON value"):
        session.materialise(make_reducer(pair))
    assert session.read_models().is_empty()


def test_kept_states_stand_in_sql(tmp_path: Path) -> None:
    folder = tmp_path / "log" / "projections"
    folder.mkdir(parents=True)
    (folder / "account.toml").write_text(
        'name = "account"\n[fields.n]\nrule = "count"\nfrom = [{}]\n', encoding="utf-8"
    )
    with connect(tmp_path / "log") as session:
        assert session.sql("select count(*) as n from states").item() == 0
        session.append(draw_events(50, first=0))
        session.materialise("account")
        session.append(draw_events(20, first=50))
        session.materialise("account")
        rows = session.sql(
            "select entity_id, cast(json_extract_scalar(state, '$.n') as bigint) as n, event_count, position "
            "from states where projection = 'account@1' order by entity_id"
        )
        assert rows.equals(session.state("account").select("entity_id", "n", "event_count", "position"))
