"""The log's faults at full size: killed writers, races, lost replies, followers."""

from pathlib import Path

import pytest

from tests.eventlog.logs import append, assert_whole, make_events, open_folder, read_events
from tests.eventlog.test_writers import assert_nothing_lost
from tests.eventlog.writers import acknowledged, run_and_kill, start_writer
from tests.eventlog.writing.test_outcome import lose_at_random
from tests.session.test_tail import follow_while_writing

pytestmark = pytest.mark.long


def test_eight_writers_of_200_appends_with_one_killed_every_2_seconds_lose_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "bank"
    open_folder(folder)
    killed = run_and_kill(folder, writers=8, count=200, pause=2.0, seed=1)
    assert killed >= 10
    assert_nothing_lost(folder, writers=8, count=200)
    open_folder(folder).maintain()
    assert_nothing_lost(folder, writers=8, count=200)


def test_sixteen_processes_that_race_for_25_versions_have_one_winner_each(tmp_path: Path) -> None:
    folder = tmp_path / "bank"
    open_folder(folder)
    names = [f"r{number}" for number in range(16)]
    running = [start_writer("race", folder, name, 25) for name in names]
    messages = [process.communicate()[1].decode() for process in running]
    assert [process.returncode for process in running] == [0] * 16, messages
    won = [version for name in names for versions in acknowledged(folder, name) for version in versions]
    assert sorted(won) == list(range(25))
    assert assert_whole(open_folder(folder)).num_rows == 25


@pytest.mark.parametrize("seed", range(100, 200))
def test_replies_lost_at_random_double_nothing(tmp_path: Path, seed: int) -> None:
    lose_at_random(tmp_path / "bank", seed, appends=12)


def test_a_follower_sees_every_position_once_over_400_commits_of_four_writers(tmp_path: Path) -> None:
    seen = follow_while_writing(tmp_path / "bank", writers=4, appends=100, size=5)
    assert seen == list(range(2000))


def test_a_thousand_small_commits_stay_bounded_in_files_snapshots_and_runs(tmp_path: Path) -> None:
    log = open_folder(tmp_path / "bank")
    for number in range(1000):
        append(log, make_events(number * 10, 10))
    events = log._store.tables.events
    assert len(events.snapshots()) <= log.settings.log.snapshots_kept
    assert len(log.shapes()["events_stored"].parts[0].files) <= 48
    assert len(list((tmp_path / "bank/derived/index").glob("*.run"))) <= 24
    log.maintain()
    assert_whole(log)
    assert read_events(log, ["account-1"]).num_rows == read_events(log).num_rows // 3
