"""Dashboards that people leave open: a process that asks what the timeline's page asks, again and again."""

import multiprocessing
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from benchmarks.harness import clock
from benchmarks.stack import open_lake

if TYPE_CHECKING:
    from workbench.session import Session

# What the page asks when it is opened, and again when its reader goes to the new head.
KINDS: Final = ("start", "timeline", "strip", "facets", "rows", "summary")
GRACE: Final = 60.0


def ask_page(session: "Session") -> None:
    """Ask everything that one drawing of the timeline's page asks."""
    from workbench.apps.answers import Request, answer_request

    for number, kind in enumerate(KINDS):
        answer_request(session, Request(id=number, kind=kind))


def keep_asking(namespace: str, every: float, first: float, stop: Any, rounds: Any) -> None:
    """Draw the page every ``every`` seconds until ``stop``, telling ``rounds`` how long each took or what failed."""
    from workbench.errors import WorkbenchError

    with open_lake(namespace) as session:
        stop.wait(first)
        while not stop.is_set():
            begin = time.perf_counter()
            try:
                rounds.put(clock(lambda: ask_page(session)))
            except WorkbenchError as error:
                rounds.put(str(error))
            stop.wait(max(0.0, every - (time.perf_counter() - begin)))


def run_boards(namespace: str, boards: int, every: float, stop: Any, rounds: Any) -> None:
    """Keep several dashboards open in this process, a thread each as the server has them, evenly staggered."""
    threads = [
        threading.Thread(target=keep_asking, args=(namespace, every, number * every / boards, stop, rounds))
        for number in range(boards)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@contextmanager
def open_dashboards(namespace: str, *, boards: int, every: float) -> Iterator[list[float | str]]:
    """Have dashboards open in a process of their own; afterwards the list holds each round's seconds or its error."""
    context = multiprocessing.get_context("spawn")
    stop, rounds = context.Event(), context.SimpleQueue()
    process = context.Process(target=run_boards, args=(namespace, boards, every, stop, rounds))
    process.start()
    told: list[float | str] = []
    try:
        yield told
    finally:
        stop.set()
        process.join(GRACE)
        process.kill()
        while not rounds.empty():
            told.append(rounds.get())
