"""The writers' lock: one at a time, in the order they asked, given back whatever happens."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.eventlog.logs import append, make_events, open_folder
from workbench.errors import LogBusyError
from workbench.eventlog.writing.lock import hold_lock


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The lock's file."""
    return tmp_path / "writer.lock"


def waiting_for(path: Path) -> int:
    """Return how many the system has waiting for the lock and its queue."""
    inodes = {str(file.stat().st_ino) for file in path.parent.glob("writer.lock*")}
    lines = Path("/proc/locks").read_text(encoding="ascii").splitlines()
    return sum("->" in line and line.split()[6].rpartition(":")[2] in inodes for line in lines)


def test_there_is_one_holder_at_a_time(path: Path) -> None:
    turns: list[int] = []
    inside = 0

    def work(number: int) -> None:
        nonlocal inside
        for _ in range(20):
            with hold_lock(path, 60):
                inside += 1
                assert inside == 1
                turns.append(number)
                inside -= 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert len(turns) == 160


def test_the_writer_that_has_just_finished_never_overtakes_the_one_that_is_next(path: Path) -> None:
    turns: list[str] = []

    def work(name: str) -> None:
        with hold_lock(path, 60):
            turns.append(name)

    with ThreadPoolExecutor(5) as pool:
        with hold_lock(path, 60):
            for number in range(5):
                pool.submit(work, f"waiter {number}")
                while waiting_for(path) <= number:
                    threading.Event().wait(0.001)
        work("first again")
    assert turns[0] == "waiter 0"
    assert sorted(turns) == ["first again", *(f"waiter {number}" for number in range(5))]


def test_a_lock_that_stays_taken_is_refused_in_one_sentence_and_can_be_had_later(path: Path) -> None:
    with hold_lock(path, 1):
        for _ in range(3):
            with (
                pytest.raises(LogBusyError, match=r"Other writers held .*writer\.lock for 0\.05 s\."),
                hold_lock(path, 0.05),
            ):
                pass
    with hold_lock(path, 5):
        pass


def test_a_queue_of_waiters_that_gave_up_lets_the_next_one_in(path: Path) -> None:
    entered = threading.Event()

    def wait_long() -> None:
        with hold_lock(path, 60):
            entered.set()

    with hold_lock(path, 1):
        with pytest.raises(LogBusyError), hold_lock(path, 0.05):
            pass
        waiter = threading.Thread(target=wait_long)
        waiter.start()
        with pytest.raises(LogBusyError), hold_lock(path, 0.05):
            pass
    assert entered.wait(30)
    waiter.join()


def test_an_error_inside_gives_the_lock_back(path: Path) -> None:
    with pytest.raises(ValueError, match="inside"), hold_lock(path, 1):
        raise ValueError("inside")
    with hold_lock(path, 0):
        pass


def test_no_file_stays_open(path: Path) -> None:
    def held_here() -> int:
        return sum(entry.readlink() == path for entry in Path("/proc/self/fd").iterdir() if entry.is_symlink())

    for _ in range(3):
        with hold_lock(path, 1):
            assert held_here() == 1
    assert held_here() == 0


def test_an_append_that_waits_too_long_says_so(folder: Path) -> None:
    log = open_folder(folder, lock_timeout=0.05)
    with hold_lock(folder / "writer.lock", 1), pytest.raises(LogBusyError):
        append(log, make_events(0, 1))
    assert append(log, make_events(0, 1)).appended_count == 1
