"""Following a log: every position once, in order, whoever writes meanwhile."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.builders import build_events
from tests.eventlog.logs import append, make_events, open_folder
from workbench import connect
from workbench.errors import ForeignWriteError
from workbench.eventlog import NativeLog
from workbench.session import Session


def native(session: Session) -> NativeLog:
    log = session._log
    assert isinstance(log, NativeLog)
    return log


def test_tail_gives_the_whole_log_in_batches_and_ends(session: Session) -> None:
    session.append(build_events(25))
    batches = [events["position"].to_list() for events in session.tail(batch=10)]
    assert [len(batch) for batch in batches] == [10, 10, 5]
    assert [position for batch in batches for position in batch] == list(range(25))


def test_tail_of_an_empty_log_ends_at_once(session: Session) -> None:
    assert list(session.tail()) == []


@pytest.mark.parametrize("after", [-1, 0, 11, 24, 1000])
def test_tail_begins_behind_the_position_given(session: Session, after: int) -> None:
    session.append(build_events(25))
    positions = [position for events in session.tail(after, batch=7) for position in events["position"].to_list()]
    assert positions == list(range(after + 1, 25))


def test_tail_goes_on_over_compaction(session: Session) -> None:
    seen: list[int] = []
    for number in range(20):
        native_events = make_events(number * 3, 3)
        append(native(session), native_events)
        if number % 6 == 5:
            session.maintain()
        for events in session.tail(seen[-1] if seen else -1):
            seen += events["position"].to_list()
    assert seen == list(range(60))


def follow_while_writing(folder: Path, *, writers: int, appends: int, size: int) -> list[int]:
    """Return the positions a follower sees while others append and one maintains, until it has seen all."""
    logs = [open_folder(folder) for _ in range(writers)]

    def write(number: int) -> None:
        for step in range(appends):
            append(logs[number], make_events(step * size, size, name=f"w{number}-"))
            if number == 0 and step % 7 == 6:
                logs[number].maintain()

    seen: list[int] = []
    with connect(folder) as session, ThreadPoolExecutor(writers) as pool:
        running = [pool.submit(write, number) for number in range(writers)]
        for events in session.tail(follow=True, batch=13, pause=0.01):
            seen += events["position"].to_list()
            if len(seen) >= writers * appends * size:
                break
        for writer in running:
            writer.result()
    return seen


def test_a_follower_sees_every_position_once_while_four_writers_append(folder: Path) -> None:
    assert follow_while_writing(folder, writers=4, appends=8, size=4) == list(range(128))


def test_a_foreign_write_ends_the_tail_before_its_rows_are_given(session: Session) -> None:
    session.append(build_events(25))
    tail = session.tail(batch=10)
    assert next(tail)["position"].to_list() == list(range(10))
    events = native(session)._store.tables.events
    events.append(events.scan().to_arrow().slice(0, 3))
    with pytest.raises(ForeignWriteError):
        next(tail)
