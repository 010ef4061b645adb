"""What became of a commit that did not answer well: overtaken, refused by the storage, or not known until looked at."""

import math
import random
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import pyarrow as pa
import requests
from pyiceberg.exceptions import CommitFailedException, RESTError
from pyiceberg.manifest import DataFile
from pyiceberg.table import Table

from workbench.errors import CommitUnknownError, StorageError
from workbench.eventlog.catalog import reason_of
from workbench.eventlog.files import remove_files
from workbench.eventlog.index.index import Index, key_words
from workbench.eventlog.storage.parts import NOWHERE, Places, explain_part, find_places, is_refusal, remedy

UNANSWERED: Final = 5
TRIES: Final = 60
# Between machines there is no queue, and a try may be overtaken often.
SHARED_TRIES: Final = 400
# SQLite's primary result codes for a disk that is full, a file that is read-only, cannot be opened or written.
REFUSED_BY_SQLITE: Final = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN)


LONGEST_TURN: Final = 2.0
MOST_TURNS: Final = 16
RECENT: Final = 10.0


class UnlandedError(Exception):
    """An attempt that another commit overtook, or whose reply never came: look again, then try again."""

    def __init__(self, cause: Exception, table: Table, files: Sequence[DataFile], sample: pa.Table) -> None:
        self.places = find_places(table.io.properties)
        super().__init__(explain_part(cause, self.places) or str(cause))
        self.cause = cause
        self.files = files
        self.in_doubt = not self.is_overtaken
        self._table = table
        self._sample = sample

    @property
    def is_overtaken(self) -> bool:
        """Whether the commit is known not to have taken effect, as another one came first."""
        return isinstance(self.cause, CommitFailedException)

    def has_landed(self, index: Index) -> bool:
        """Whether the commit took effect after all: one of its events stands in the log with the salt it had here."""
        which, records = index.find_events(key_words(self._sample.column("key")))
        return bool(len(which)) and records["salt"][0].tobytes() == self._sample.column("salt")[0].as_py()

    def remove_files(self) -> None:
        """Remove what the attempt wrote."""
        remove_files(self._table, [file.file_path for file in self.files])


class Patience:
    """How often one append is tried, and how long it waits before it is tried again."""

    def __init__(self, *, is_shared: bool) -> None:
        self._is_shared = is_shared
        self._left = SHARED_TRIES if is_shared else TRIES
        self._overtaken = self._unanswered = 0
        self._started = time.monotonic()

    def begin(self) -> bool:
        """Note when a try begins; return whether there is one left."""
        self._started = time.monotonic()
        self._left -= 1
        return self._left >= 0

    @property
    def was_overtaken(self) -> bool:
        """Whether another commit came first at least once."""
        return self._overtaken > 0

    @property
    def seconds(self) -> float:
        """How long this try has taken."""
        return time.monotonic() - self._started

    def give_way(self, error: UnlandedError) -> None:
        """Wait a little. The files of an overtaken attempt go; those of an unknown outcome stay.

        Raises CommitUnknownError when the catalog did not answer time and again.
        """
        if error.is_overtaken:
            error.remove_files()
            self._overtaken += 1
        elif self._unanswered >= UNANSWERED:
            raise unknown_outcome(error.cause, error.places) from error.cause
        else:
            self._unanswered += 1
        time.sleep(self._pause(error))

    def _pause(self, error: UnlandedError) -> float:
        chance = random.random()  # noqa: S311 - spreads writers, no secret
        if not self._is_shared:
            return chance * min(0.5, 0.005 * float(2 ** (self._overtaken + self._unanswered)))
        if not error.is_overtaken:
            return (0.5 + chance / 2) * min(2.0, 0.1 * float(2**self._unanswered))
        # A try's length at most, and less each time: whoever has waited longest asks most often.
        return chance * self.seconds * float(0.7**self._overtaken)


class Courtesy:
    """Lets the other machines have their turn after one's own, as long as they are seen to commit in between.

    Who has just committed knows the head and would win again. Four busy writers on two cores: the 95th of a hundred
    appends took 15.8 s; with turns, and only what was added read, 5.9 s.
    """

    def __init__(self) -> None:
        self._sequence = 0
        self._done = -math.inf
        self._pause = self._share = 0.0

    def wait(self) -> None:
        """Wait until the others have had a turn each since the last commit; not at all when that was a while ago."""
        time.sleep(max(0.0, min(LONGEST_TURN, self._done + self._pause - time.monotonic())))

    def note(self, base: int, reached: int, took: float, *, overtaken: bool) -> None:
        """Note a commit of ours on snapshot number ``base``, which made it ``reached`` and took so many seconds.

        Only who was overtaken gives way, and less each time it was not: others may commit often and never meet ours.
        """
        now = time.monotonic()
        others = min(base - self._sequence, MOST_TURNS) if now - self._done < RECENT else 0
        self._share = 1.0 if overtaken else self._share / 2
        self._sequence, self._done = reached, now
        self._pause = took * others * self._share


@contextmanager
def looking_again(last: UnlandedError | None, *, is_shared: bool) -> Iterator[None]:
    """Say that an outcome stays unknown when the look that would tell fails itself.

    A shared catalog that does not answer is looked at again, as after a lost reply: the same UnlandedError is raised.
    """
    try:
        yield
    except Exception as error:
        if last is None or not last.in_doubt:
            raise
        if is_shared and explain_part(error) is not None and not is_refusal(error):
            last.cause = error
            raise last from error
        raise unknown_outcome(error, last.places) from error


def settle_failure(last: UnlandedError, *, is_shared: bool) -> None:
    """Do what is due once a look has shown that an attempt did not take effect.

    On an embedded log nothing of it can land any more, so its files go; a shared catalog may still be at it. Raises
    StorageError when the storage refuses, so that a second try would fail as well.
    """
    if not is_shared and not last.is_overtaken:
        last.remove_files()
    reason = refusal(last.cause, last.places)
    if reason is not None:
        raise StorageError(
            f"Writing to the log failed: {reason}. Nothing of the batch is in the log; {remedy(last.cause)}"
        ) from last.cause


def refusal(cause: BaseException, places: Places = NOWHERE) -> str | None:
    """Return what the storage says when it refuses for good, None for an answer that may come at the next try."""
    if (part := explain_part(cause, places)) is not None:
        # The object store is asked before the catalog: what it refused was never committed.
        is_store = not isinstance(cause, (requests.RequestException, RESTError))
        return part if is_store or is_refusal(cause) else None
    if isinstance(cause, OSError):
        # A connection that broke or timed out says nothing about the storage.
        return None if isinstance(cause, ConnectionError | TimeoutError) else reason_of(cause)
    original = getattr(cause, "orig", None)
    if isinstance(original, sqlite3.Error) and (original.sqlite_errorcode & 0xFF) in REFUSED_BY_SQLITE:
        return f"the catalog's database says {original}"
    return None


def unknown_outcome(cause: BaseException, places: Places = NOWHERE) -> CommitUnknownError:
    """Return the error of a commit of which nobody can say whether it took effect."""
    return CommitUnknownError(
        f"Whether the commit took effect is not known: {explain_part(cause, places) or cause}. Append the same "
        "events again; known ones are not written twice."
    )
