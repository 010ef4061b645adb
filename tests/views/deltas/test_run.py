"""An agent's call says what it was held against, how its run came to it, and how all calls of the log fell."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.runs import write_run
from workbench.deltas.structure.fields import compare_values
from workbench.session import Session, connect
from workbench.views.deltas.asking import Asking
from workbench.views.deltas.choices import DeltasChoices
from workbench.views.deltas.listing import read_json
from workbench.views.deltas.one import load_one
from workbench.views.deltas.run import Whole, count_whole, list_run, name_expected
from workbench.views.deltas.stood import load_seen

MATCHED, UNEXPECTED, DIFFERED = 2, 3, 7


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Iterator[Session]:
    """One run of an agent: a call as expected, one that nobody expected, one that differs; an action never made."""
    folder = tmp_path_factory.mktemp("runs")
    (folder / "log" / "deltas").mkdir(parents=True)
    shutil.copy(repository / "datasets/deltas/agents.toml", folder / "log" / "deltas")
    with connect(folder / "log") as session:
        session.ingest(write_run(folder))
        yield session


def test_all_calls_are_counted_and_the_actions_that_none_came_near(runs: Session) -> None:
    assert count_whole(Asking(runs), "call") == Whole(differ=1, match=1, never=1, is_expected=True)
    assert count_whole(Asking(runs), "call").total == 3
    assert count_whole(Asking(runs), "letter") == Whole()


def test_the_expected_action_is_named(runs: Session) -> None:
    one = load_one(runs, DeltasChoices(delta=DIFFERED))
    assert name_expected(one.asked, one.row) == "a2"
    unexpected = load_one(runs, DeltasChoices(delta=UNEXPECTED))
    assert name_expected(unexpected.asked, unexpected.row) is None


def test_a_call_that_nobody_expected_has_expired_and_is_not_superseded(runs: Session) -> None:
    decisions = runs.sql("select decision from deltas order by position")["decision"].to_list()
    assert decisions == ["accepted", "expired", "edited"]


def test_the_chain_leads_from_the_evaluation_back_to_the_request(runs: Session) -> None:
    one = load_one(runs, DeltasChoices(delta=DIFFERED))
    seen = load_seen(one.asked, one.row)
    paths = compare_values(one.proposed, read_json(one.row["value"])).paths
    chain = [(link.title, link.words) for link in list_run(one, seen, paths, "a2")]
    assert chain == [
        ("Run evaluated", "reward 0"),
        ("Expected action a2", "the call differs from it"),
        ("Result", "done"),
        ("Proposal: book", "gpt-4.1"),
        ("Request", "“Book 4A.”"),
    ]


def test_a_call_without_an_expected_action_has_none_in_its_chain(runs: Session) -> None:
    one = load_one(runs, DeltasChoices(delta=UNEXPECTED))
    titles = [link.title for link in list_run(one, load_seen(one.asked, one.row), (), None)]
    assert titles == ["Run evaluated", "Result", "Proposal: Book 4A.", "Request"]
