"""Answering off the thread that receives: while one request is worked on, the word to stop it can arrive."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from contextvars import Context, ContextVar, copy_context
from typing import Any, Final

from workbench.apps.answers import Request
from workbench.errors import WorkbenchError
from workbench.query.base import QueryProgress

CANCEL: Final = "cancel"
# Seconds between two words about how far a statement is.
TELL_EVERY: Final = 0.25

Tell = Callable[[dict[str, Any]], None]


class StoppedError(WorkbenchError):
    """The page no longer wants the answer."""


class Watch:
    """Follows the statements of one request: tells how far each is, and stops the one under way when cancelled."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._cancelled = threading.Event()
        self._began = time.monotonic()
        self._counts = False
        self._statement = 0
        self._seconds = 0.0
        self._told = time.monotonic()

    def cancel(self) -> None:
        """Stop at the next look, which is at most 50 ms away in process and one round trip on a server."""
        self._cancelled.set()

    def __call__(self, progress: QueryProgress) -> None:
        """Hear of a statement. Raises StoppedError once cancelled."""
        self.check()
        # Its clock begins again with each statement.
        self._statement += 1 if progress.seconds < self._seconds or not self._statement else 0
        self._seconds = progress.seconds
        if not self._counts and self._is_due():
            share = progress.splits_done / progress.splits_known if progress.splits_known else None
            self._tell({"statement": self._statement, "share": share, "seconds": progress.seconds})

    def count(self, done: int, known: int, rows: int) -> None:
        """Hear how far work is that many statements do: proposals done of those known, rows made of them.

        From then on this is told, and no longer the statements. Raises StoppedError once cancelled.
        """
        self.check()
        if self._is_due() or not self._counts:
            seconds = time.monotonic() - self._began
            share = done / known if known else None
            self._tell({"done": done, "known": known, "rows": rows, "share": share, "seconds": seconds})
        self._counts = True

    def _is_due(self) -> bool:
        now = time.monotonic()
        is_due = now - self._told >= TELL_EVERY
        self._told = now if is_due else self._told
        return is_due

    def check(self) -> None:
        """Raise StoppedError once cancelled."""
        if self._cancelled.is_set():
            raise StoppedError("Stopped, as you asked. Nothing of the log has changed.")


_watch: ContextVar[Watch | None] = ContextVar("watch", default=None)


def count_work(done: int, known: int, rows: int) -> None:
    """Tell the page whose request is worked on how far its work is. Raises StoppedError once it wants it no longer."""
    watch = _watch.get()
    if watch is not None:
        watch.count(done, known, rows)


class Work:
    """Requests one after the other, in a thread that lives as long as there are any.

    ``answer`` works on a request under a watch and sends its own reply; ``tell`` sends a message beside it.
    """

    def __init__(self, answer: Callable[[Request, Watch], None], tell: Tell) -> None:
        self._answer = answer
        self._tell = tell
        self._lock = threading.Lock()
        self._waiting: deque[tuple[Request, Watch, Context]] = deque()
        self._watches: dict[int, Watch] = {}
        self._busy = False

    def take(self, request: Request) -> None:
        """Work on a request, or stop the one that a ``cancel`` names."""
        if request.kind == CANCEL:
            self.cancel(request.options.get("request"))
            return
        watch = Watch(lambda progress: self._tell({"id": request.id, "progress": progress}))
        with self._lock:
            # In the context of the message: the toolkits find their session, and what is printed its cell, by it.
            self._waiting.append((request, watch, copy_context()))
            self._watches[request.id] = watch
            if self._busy:
                return
            self._busy = True
        threading.Thread(target=self._run, name="workbench-answers", daemon=True).start()

    def cancel(self, request_id: object = None) -> None:
        """Stop the request with this id, or, without one, every request."""
        with self._lock:
            watches = [watch for known, watch in self._watches.items() if request_id in {None, known}]
        for watch in watches:
            watch.cancel()

    def _run(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._busy = False
                    return
                request, watch, context = self._waiting.popleft()
            try:
                context.run(_watch.set, watch)
                context.run(self._answer, request, watch)
            except Exception:
                # The page went away while its answer was sent: the next request still gets one.
                logging.getLogger(__name__).exception("The answer to %r was not sent", request.kind)
            with self._lock:
                self._watches.pop(request.id, None)
