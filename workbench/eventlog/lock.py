"""One writer at a time on an embedded log: a lock on a file, given back by the system when its holder dies."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workbench.errors import LogBusyError, ReadOnlyLogError


@contextmanager
def hold_lock(path: Path, timeout: float) -> Iterator[None]:
    """Hold the writers' lock, waiting at most ``timeout`` seconds. Raises LogBusyError, ReadOnlyLogError."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise ReadOnlyLogError(
            f"{path} cannot be written: {error.strerror}. This log can be read here, not added to."
        ) from error
    try:
        _wait(handle, path, timeout)
        try:
            yield
        finally:
            # Said, not left to closing: a child forked meanwhile may hold the same file open.
            fcntl.flock(handle, fcntl.LOCK_UN)
    finally:
        os.close(handle)


def _wait(handle: int, path: Path, timeout: float) -> None:
    deadline = time.monotonic() + timeout
    pause = 0.001
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise LogBusyError(
                    f"Other writers held {path} for {timeout:g} s. Try again, or raise log.lock_timeout."
                ) from None
            time.sleep(pause)
            pause = min(pause * 1.5, 0.02)
        else:
            return
