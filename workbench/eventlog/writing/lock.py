"""One writer at a time on an embedded log, each in its turn: a lock that the system takes back from the dead."""

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workbench.errors import LogBusyError, ReadOnlyLogError


@contextmanager
def hold_lock(path: Path, timeout: float) -> Iterator[None]:
    """Hold the writers' lock, waiting at most ``timeout`` seconds. Raises LogBusyError, ReadOnlyLogError.

    Whoever is next holds a lock of its own, the queue's, while it waits: the writer that has just finished cannot
    overtake it, however quickly it asks again, so that of eight busy writers none takes most of the turns.
    """
    deadline = time.monotonic() + timeout
    turn = _open(path)
    try:
        queue = _open(path.with_name(f"{path.name}.queue"))
        try:
            _take(queue, path, deadline, timeout)
            _take(turn, path, deadline, timeout)
        finally:
            queue.release()
        yield
    finally:
        turn.release()


class _Lock:
    """An open lock file."""

    def __init__(self, handle: int) -> None:
        self._handle = handle
        self._guard = threading.Lock()
        self._answered = threading.Event()
        self._waiting = self._left = False

    def try_now(self) -> bool:
        """Take the lock if it is free."""
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def wait(self, timeout: float) -> bool:
        """Take the lock in the order the system gives it; asking again and again would let the quickest in first.

        A thread waits, as a wait in the system cannot be told to end in time.
        """
        self._waiting = True
        threading.Thread(target=self._block, daemon=True).start()
        return self._answered.wait(max(0.0, timeout))

    def release(self) -> None:
        """Give the lock back; when it is still waited for, the waiting thread does so as soon as it has it."""
        with self._guard:
            self._left = self._waiting and not self._answered.is_set()
            if not self._left:
                # Said, not left to closing: a child forked meanwhile may hold the same file open.
                fcntl.flock(self._handle, fcntl.LOCK_UN)
                os.close(self._handle)

    def _block(self) -> None:
        fcntl.flock(self._handle, fcntl.LOCK_EX)
        with self._guard:
            if self._left:
                fcntl.flock(self._handle, fcntl.LOCK_UN)
                os.close(self._handle)
            else:
                self._answered.set()


def _open(path: Path) -> _Lock:
    try:
        return _Lock(os.open(path, os.O_RDWR | os.O_CREAT, 0o644))
    except OSError as error:
        raise ReadOnlyLogError(
            f"{path} cannot be written: {error.strerror}. This log can be read here, not added to."
        ) from error


def _take(lock: _Lock, path: Path, deadline: float, timeout: float) -> None:
    if not lock.try_now() and not lock.wait(deadline - time.monotonic()):
        raise LogBusyError(
            f"Other writers held {path} for {timeout:g} s. Try again, or raise log.lock_timeout in workbench.toml."
        )
