"""An agent's calls against the actions that were expected: structured deltas, by the mapping that comes with us."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.published import RealLogs
from tests.runs import write_run
from workbench.session import Session, connect

MAPPING = Path("datasets/deltas/agents.toml")


def make_log(folder: Path, repository: Path) -> Path:
    (folder / "log" / "deltas").mkdir(parents=True)
    shutil.copy(repository / MAPPING, folder / "log" / "deltas")
    return folder / "log"


def test_a_call_is_a_proposal_and_the_expected_action_its_decision(tmp_path: Path, repository: Path) -> None:
    with connect(make_log(tmp_path, repository)) as session:
        session.ingest(write_run(tmp_path))
        decided = session.sql("select decision, proposal_position as at from decisions order by position")
        assert decided.rows() == [("accepted", 2), ("edited", 7), ("edited", None)]
        calls = session.deltas().select("decision", "paths_proposed", "paths_kept", "paths_changed", "field_acceptance")
        assert calls.rows()[0][1:] == (1, 1, 0, 1.0)
        assert calls.rows()[2] == ("edited", 1, 0, 1, 0.0)


@pytest.fixture(scope="module")
def runs(real_logs: RealLogs) -> Iterator[Session]:
    """The eight files of tau2 in one log, in the order of their times, with the mapping of calls."""
    with connect(real_logs.take("runs").folder) as session:
        yield session


@pytest.mark.data
def test_of_1142_expected_actions_713_match_78_differ_and_351_were_never_made(runs: Session) -> None:
    counted = runs.sql(
        "select decision, proposal_position is null as alone, count(*) as n from decisions group by 1, 2 order by 1, 2"
    )
    assert counted.rows() == [("accepted", False, 713), ("edited", False, 78), ("edited", True, 351)]


@pytest.mark.data
def test_the_booking_kept_11_of_15_paths(runs: Session) -> None:
    asked = "json_extract_scalar(data, '$.id') = 'call_Kiy3nykTR9akwZOi1AQgIgch' and event_type = 'ToolCalled'"
    (run, position) = runs.sql(f"select stream_id, position from events where {asked}").row(0)  # noqa: S608 - our own words
    deltas = runs.deltas(stream_ids=[run])
    booking = deltas.filter(deltas["position"] == position).row(0, named=True)
    assert (booking["decision"], booking["paths_proposed"], booking["paths_kept"]) == ("edited", 15, 11)
    assert (booking["paths_changed"], booking["paths_removed"], booking["paths_added"]) == (2, 2, 4)
    assert round(booking["field_acceptance"], 2) == 0.73
