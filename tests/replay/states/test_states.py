"""One log, one state: whatever the files look like, whichever way it is asked, in any process."""

import os
import random
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import msgspec
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from workbench.config import load_settings
from workbench.query.canonical import hash_rows
from workbench.replay.declaration import load_projections, make_projection
from workbench.replay.folding.cut import Cut
from workbench.replay.folding.fact import FACT_COLUMNS, Fact
from workbench.replay.folding.fold import fold_facts
from workbench.replay.projection import Projection
from workbench.replay.states.frame import frame_entities
from workbench.session import Session, open_session
from workbench.sources.synthetic import generate_loan_desk

ROOT: Final = Path(__file__).resolve().parents[3]
SCHEMAS: Final = ROOT / "workbench" / "sources" / "loan_desk"
EVENTS: Final = 3_000
# How a log came to lie as it does: commits of so many records, merged or not, with the layout by stream or without.
LAYOUTS: Final[dict[str, dict[str, Any]]] = {
    "one commit": {},
    "many commits": {"commit_every": 150},
    "many commits, merged": {"commit_every": 150, "merged": True},
    "without the layout by stream": {"by_stream": False},
    "merged, without the layout by stream": {"commit_every": 150, "merged": True, "by_stream": False},
}


def open_desk(folder: Path, *, by_stream: bool = True) -> Session:
    settings = load_settings(folder)
    log = msgspec.structs.replace(settings.log, by_stream=by_stream)
    return open_session(msgspec.structs.replace(settings, schemas=SCHEMAS, log=log))


def fill_desk(folder: Path, layout: dict[str, Any], events: int = EVENTS) -> Path:
    """Ingest the loan desk in one layout; return the log's folder."""
    lines = folder.parent / f"desk-{events}.ndjson"
    if not lines.exists():
        lines.write_bytes(b"\n".join(generate_loan_desk(events, accidents=False)))
    with open_desk(folder, by_stream=layout.get("by_stream", True)) as session:
        session.ingest(lines, source="desk", commit_every=layout.get("commit_every"))
        if layout.get("merged"):
            session.maintain()
    return folder


def declare() -> list[Projection]:
    """The desk's projections, by position and in time, one by actor, and two that Python folds."""
    declared = load_projections(ROOT / "datasets" / "projections")
    account, loan = declared["account"], declared["loan"]
    letter = {"rule": "text", "event_types": ["LetterProposed", "LetterEdited"], "value": "data.text", "by": "actor_id"}
    return [
        account,
        loan,
        msgspec.structs.replace(account, order="occurred"),
        make_projection(
            {
                "name": "actor",
                "entity": "actor_id",
                "fields": {
                    "events": {"rule": "count", "from": [{}]},
                    "streams": {"rule": "set", "value": "stream_id"},
                    "latest": {"rule": "last", "value": "data"},
                },
            }
        ),
        make_projection({"name": "letter", "order": "occurred", "fields": {"letter": letter}}),
        declared["document"],
    ]


def read_facts(session: Session) -> list[Fact]:
    """The whole log as the reference fold takes it."""
    rows = session.sql(f"select {', '.join(FACT_COLUMNS)} from events order by position", row_limit=0)  # noqa: S608 - our own names
    return [Fact(**row) for row in rows.iter_rows(named=True)]


def draw_cuts(facts: Sequence[Fact], count: int, seed: int) -> list[Cut]:
    """Cuts in position, in time, in both: at, just before and just after events, one of three at a cancel."""
    chance = random.Random(seed)  # noqa: S311 - the same cuts each time
    cancels = [fact for fact in facts if fact.event_type == "WithdrawalCancelled"] or list(facts)
    found = []
    for number in range(count):
        near = chance.choice(cancels if number % 3 == 0 else facts)
        as_of = near.occurred_at + timedelta(microseconds=chance.choice((-1, 0, 1)))
        up_to = near.position + chance.choice((-1, 0, 1, 20, 400))
        found.append(Cut(as_of=chance.choice((None, as_of)), up_to=chance.choice((None, up_to, up_to))))
    return found


def expect(projection: Projection, facts: Sequence[Fact], cut: Cut) -> pl.DataFrame:
    """The states by the reference fold."""
    kept = [fact for fact in facts if cut.holds(fact.position, fact.occurred_at)]
    return frame_entities(projection, fold_facts(projection, kept))


def ask(session: Session, projection: Projection, cut: Cut) -> pl.DataFrame:
    """The states as a session answers."""
    up_to = cut.up_to if cut.up_to is None else max(-1, min(cut.up_to, session.head().position or 0))
    return session.state(projection, as_of=cut.as_of, position=up_to)


def digest(session: Session, cuts: Sequence[Cut], projections: Sequence[Projection] | None = None) -> str:
    """One hash over the canonical rows of every projection at every cut."""
    hashes = [hash_rows(ask(session, projection, cut)) for projection in projections or declare() for cut in cuts]
    return sha256("".join(hashes).encode()).hexdigest()


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("desks")
    return {name: fill_desk(folder / str(number), layout) for number, (name, layout) in enumerate(LAYOUTS.items())}


@pytest.fixture(scope="module")
def desk(logs: dict[str, Path]) -> Iterator[Session]:
    with open_desk(logs["one commit"]) as session:
        yield session


@pytest.mark.parametrize("projection", declare(), ids=lambda one: f"{one.name} by {one.order}")
def test_states_are_what_the_fold_makes_of_the_events_at_any_cut(desk: Session, projection: Projection) -> None:
    facts = read_facts(desk)
    for cut in [Cut(), *draw_cuts(facts, 6, seed=5)]:
        assert_frame_equal(ask(desk, projection, cut), expect(projection, facts, cut), check_exact=True)


def test_one_entity_is_asked_for_what_all_of_them_answer(desk: Session) -> None:
    for projection in declare():
        every = desk.state(projection)
        for name in every["entity_id"][:: max(1, every.height // 3)]:
            one = desk.state(projection, stream_id=name)
            assert_frame_equal(one, every.filter(pl.col("entity_id") == name))


def digest_layouts(logs: dict[str, Path], projections: Sequence[Projection], *, cuts: int, seed: int) -> dict[str, str]:
    digests = {}
    for name, folder in logs.items():
        with open_desk(folder, by_stream=LAYOUTS[name].get("by_stream", True)) as session:
            drawn = [Cut(), *draw_cuts(read_facts(session), cuts, seed=seed)]
            digests[name] = digest(session, drawn, projections)
    return digests


def test_the_files_of_a_log_do_not_show_in_its_states(logs: dict[str, Path]) -> None:
    """In every way states are asked for: in SQL by position and in time, by another entity, and folded in pages."""
    # Of this seed the first cut is on both axes, at a cancel.
    digests = digest_layouts(logs, [each for each in declare() if each.name != "loan"], cuts=1, seed=4)
    assert len(set(digests.values())) == 1, digests


@pytest.mark.long
def test_the_files_of_a_log_do_not_show_in_its_states_at_ten_cuts(logs: dict[str, Path]) -> None:
    digests = digest_layouts(logs, declare(), cuts=10, seed=7)
    assert len(set(digests.values())) == 1, digests


ASK_ELSEWHERE: Final = """
import sys
from pathlib import Path
from tests.replay.states.test_states import digest, draw_cuts, open_desk, read_facts
from workbench.replay.folding.cut import Cut
with open_desk(Path(sys.argv[1])) as session:
    print(digest(session, [Cut(), *draw_cuts(read_facts(session), 1, seed=3)]))
"""


def ask_elsewhere(folder: Path, seed: int, zone: str) -> str:
    """Return the digest that another process finds, with its own order of sets and its own local time."""
    surroundings = {**os.environ, "PYTHONHASHSEED": str(seed), "TZ": zone, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", ASK_ELSEWHERE, str(folder)], env=surroundings, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_neither_hash_seeds_nor_time_zones_show_in_states(logs: dict[str, Path]) -> None:
    folder = logs["many commits"]
    assert len({ask_elsewhere(folder, 1, "Asia/Kolkata"), ask_elsewhere(folder, 2, "America/St_Johns")}) == 1


@pytest.mark.long
def test_ten_hash_seeds_and_two_time_zones_give_one_state(logs: dict[str, Path]) -> None:
    zones = ("Asia/Kolkata", "America/St_Johns")
    assert len({ask_elsewhere(logs["many commits"], seed, zones[seed % 2]) for seed in range(10)}) == 1


@pytest.mark.long
@pytest.mark.parametrize("projection", declare(), ids=lambda one: f"{one.name} by {one.order}")
def test_a_thousand_cuts_of_twenty_thousand_events(tmp_path: Path, projection: Projection) -> None:
    with open_desk(fill_desk(tmp_path / "desk", {"commit_every": 1_000}, events=20_000)) as session:
        facts = read_facts(session)
        for cut in draw_cuts(facts, 1_000, seed=11):
            assert_frame_equal(ask(session, projection, cut), expect(projection, facts, cut), check_exact=True)


@pytest.mark.long
def test_twenty_cuts_of_a_million_events(tmp_path: Path) -> None:
    with open_desk(fill_desk(tmp_path / "desk", {}, events=1_000_000)) as session:
        facts = read_facts(session)
        for number, cut in enumerate(draw_cuts(facts, 20, seed=13)):
            projection = declare()[number % 3]
            assert_frame_equal(ask(session, projection, cut), expect(projection, facts, cut), check_exact=True)
