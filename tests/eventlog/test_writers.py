"""Several writers at once, some of them killed: nothing acknowledged is lost, no event twice, no gap, no fork."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

from tests.eventlog.logs import append, assert_whole, make_events, open_folder, read_events
from tests.eventlog.writers import SIZE, acknowledged, run_and_kill, start_writer
from workbench.errors import ExpectedVersionError
from workbench.eventlog import NativeLog


def assert_nothing_lost(folder: Path, *, writers: int, count: int, log: NativeLog | None = None) -> None:
    """Assert that the log holds each writer's events once, each where it was acknowledged."""
    log = log or open_folder(folder)
    rows = assert_whole(log)
    assert rows.num_rows == writers * count * SIZE
    ids = rows.column("event_id").to_pylist()
    for name in (f"w{number}" for number in range(writers)):
        receipts = acknowledged(folder, name)
        assert len(receipts) == count
        for number, positions in enumerate(receipts):
            assert [ids[position] for position in positions] == [f"{name}{number * SIZE + at}" for at in range(SIZE)]
        again = append(log, make_events(0, count * SIZE, name=name))
        assert again.positions.tolist() == [position for positions in receipts for position in positions]
    assert_one_history(log)


def assert_one_history(log: NativeLog) -> None:
    """Assert that every kept snapshot follows the one before it."""
    snapshots = sorted(log._store.tables.events.snapshots(), key=lambda kept: kept.sequence_number or 0)
    for earlier, later in itertools.pairwise(snapshots):
        assert later.parent_snapshot_id == earlier.snapshot_id


def test_writers_that_are_killed_lose_nothing_that_was_acknowledged(folder: Path) -> None:
    open_folder(folder)
    killed = run_and_kill(folder, writers=3, count=12, pause=0.3, seed=7)
    assert killed >= 1
    assert_nothing_lost(folder, writers=3, count=12)
    open_folder(folder).maintain()
    assert_nothing_lost(folder, writers=3, count=12)


def test_sixteen_writers_that_race_for_one_stream_have_one_winner_a_version(folder: Path) -> None:
    logs = [open_folder(folder) for _ in range(16)]
    barrier = Barrier(16)

    def race(number: int) -> list[int]:
        won = []
        for version in range(4):
            barrier.wait()
            try:
                events = make_events(version, 1, name=f"w{number}-", stream_id="account-1")
                append(logs[number], events, expected=version - 1)
            except ExpectedVersionError:
                continue
            won.append(version)
        return won

    with ThreadPoolExecutor(16) as pool:
        winners = [version for won in pool.map(race, range(16)) for version in won]
    assert sorted(winners) == [0, 1, 2, 3]
    assert assert_whole(logs[0]).num_rows == 4


def test_processes_that_open_a_new_log_at_once_make_one_log(folder: Path) -> None:
    running = [start_writer("append", folder, f"w{number}", 1) for number in range(4)]
    messages = [process.communicate()[1].decode() for process in running]
    assert [process.returncode for process in running] == [0] * 4, messages
    assert assert_whole(open_folder(folder)).num_rows == 4 * SIZE


def test_readers_see_a_whole_log_at_every_moment_while_it_is_written_and_maintained(folder: Path) -> None:
    writer, keeper, reader = (open_folder(folder) for _ in range(3))
    append(writer, make_events(0, 3))
    with ThreadPoolExecutor(2) as pool:
        writing = pool.submit(lambda: [append(writer, make_events(number, 3)) for number in range(3, 60, 3)])
        keeping = pool.submit(lambda: [keeper.maintain() for _ in range(8)])
        while not (writing.done() and keeping.done()):
            for streams in (None, ["account-1"]):
                try:
                    rows = read_events(reader, streams)
                except FileNotFoundError:
                    continue  # merged away between listing and reading: the session asks again
                expected = 3 if streams is None else 1
                assert rows.num_rows % expected == 0
                if streams is None:
                    assert rows.column("position").to_pylist() == list(range(rows.num_rows))
        writing.result()
        keeping.result()
    assert_whole(reader)
