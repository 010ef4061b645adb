"""What became of a commit that did not answer well: overtaken, refused by the storage, or not known until looked at."""

import random
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import pyarrow as pa
from pyiceberg.exceptions import CommitFailedException
from pyiceberg.manifest import DataFile
from pyiceberg.table import Table

from workbench.errors import CommitUnknownError, StorageError
from workbench.eventlog.catalog import reason_of
from workbench.eventlog.files import remove_files
from workbench.eventlog.index import Index, key_words

UNANSWERED: Final = 5
# SQLite's primary result codes for a disk that is full, a file that is read-only, cannot be opened or written.
REFUSED_BY_SQLITE: Final = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN)


class UnlandedError(Exception):
    """An attempt that another commit overtook, or whose reply never came: look again, then try again."""

    def __init__(self, cause: Exception, files: Sequence[DataFile], sample: pa.Table) -> None:
        super().__init__(str(cause))
        self.cause = cause
        self.files = files
        self._sample = sample

    @property
    def is_overtaken(self) -> bool:
        """Whether the commit is known not to have taken effect, as another one came first."""
        return isinstance(self.cause, CommitFailedException)

    def has_landed(self, index: Index) -> bool:
        """Whether the commit took effect after all: one of its events stands in the log with the salt it had here."""
        which, records = index.find_events(key_words(self._sample.column("key")))
        return bool(len(which)) and records["salt"][0].tobytes() == self._sample.column("salt")[0].as_py()


def give_way(table: Table, error: UnlandedError, attempt: int) -> None:
    """Wait a little before the next try. The files of an overtaken attempt go; those of an unknown outcome stay.

    Raises CommitUnknownError when the catalog did not answer time and again.
    """
    if error.is_overtaken:
        remove_files(table, [file.file_path for file in error.files])
    elif attempt >= UNANSWERED:
        raise unknown_outcome(error.cause) from error.cause
    time.sleep(random.uniform(0, min(0.5, 0.01 * 2**attempt)))  # noqa: S311 - spreads writers, no secret


@contextmanager
def looking_again(last: UnlandedError | None) -> Iterator[None]:
    """Say that an outcome stays unknown when the look that would tell fails itself."""
    try:
        yield
    except Exception as error:
        if last is None or last.is_overtaken:
            raise
        raise unknown_outcome(error) from error


def settle_failure(table: Table, last: UnlandedError, *, embedded: bool) -> None:
    """Do what is due once a look has shown that an attempt did not take effect.

    On an embedded log nothing of it can land any more, so its files go; a shared catalog may still be at it. Raises
    StorageError when the storage refuses, so that a second try would fail as well.
    """
    if embedded and not last.is_overtaken:
        remove_files(table, [file.file_path for file in last.files])
    reason = refusal(last.cause)
    if reason is not None:
        raise StorageError(
            f"Writing to the log failed: {reason}. Nothing of the batch is in the log; free space or mend the "
            "permission, then do it again."
        ) from last.cause


def refusal(cause: BaseException) -> str | None:
    """Return what the storage says when it refuses for good, None for an answer that may come at the next try."""
    if isinstance(cause, OSError):
        # A connection that broke or timed out says nothing about the storage.
        return None if isinstance(cause, ConnectionError | TimeoutError) else reason_of(cause)
    original = getattr(cause, "orig", None)
    if isinstance(original, sqlite3.Error) and (original.sqlite_errorcode & 0xFF) in REFUSED_BY_SQLITE:
        return f"the catalog's database says {original}"
    return None


def unknown_outcome(cause: BaseException) -> CommitUnknownError:
    """Return the error of a commit of which nobody can say whether it took effect."""
    return CommitUnknownError(
        f"Whether the commit took effect is not known: {cause}. Append the same events again; known ones are not "
        "written twice."
    )
