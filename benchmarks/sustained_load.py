"""2,000 events a second for ten minutes with dashboards open: the time from append called to visible in Trino."""

import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from benchmarks.dashboards import open_dashboards
from benchmarks.data import Story
from benchmarks.harness import Part, Scale, estimate_quantile, fixed_part, require_equal
from benchmarks.logs import make_events
from benchmarks.stack import (
    CATALOG,
    fetch_all,
    measure_table,
    open_client,
    open_lake,
    open_stack,
    scratch_namespace,
)

if TYPE_CHECKING:
    from workbench.session import Session

RATE = 2_000
LIMIT_MS = 2_000.0
SECONDS = {Scale.SMOKE: 30, Scale.DEFAULT: 600, Scale.FULL: 3_600}
BOARDS, EVERY = 2, 10.0
# Between two looks of the one who waits for the events in Trino.
PAUSE = 0.1
PATIENCE = 60.0
SAMPLE = 60


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds of each append and until each was visible, how late each was called, all in all, growth by minute."""

    appends: list[float]
    visible: list[float]
    late: list[float]
    seconds: float
    growth: list[dict[str, Any]]


def run(scale: Scale) -> list[Part]:
    """Return the p95 until events are visible, and the rate that was offered over the one that was reached."""
    commits = SECONDS[scale]
    story = Story(total=commits * RATE, streams=20_000)
    with (
        open_stack(),
        scratch_namespace() as namespace,
        open_lake(namespace, engine="duckdb") as session,
        open_client() as client,
    ):
        session.append(make_events(Story(total=1, streams=1, seed=8).rows(np.arange(1))))
        with open_dashboards(namespace, boards=BOARDS, every=EVERY) as rounds:
            load = offer_load(session, Watcher(client, namespace), story, commits)
        check_answers(client, namespace, story.total + 1)
    asked = [took for took in rounds if isinstance(took, float)]
    detail = {
        "visible": show_spread(load.visible),
        "append": show_spread(load.appends),
        # A commit is due when its second is over, and called when the one before it has returned.
        "due_to_visible": show_spread([late + seen for late, seen in zip(load.late, load.visible, strict=True)]),
        "events": story.total,
        "commits": commits,
        "dashboards": {"open": BOARDS, "every_s": EVERY, "rounds": len(asked), "round": show_spread(asked)},
        "dashboard_errors": [error for error in rounds if isinstance(error, str)],
        "growth": load.growth,
    }
    late = estimate_quantile(np.asarray(load.visible) * 1000, 0.95)
    reached = story.total / load.seconds
    return [
        Part(name="visible_p95_ms", estimate=late, limit=LIMIT_MS, detail=detail),
        fixed_part("offered_rate / reached_rate", RATE / reached, 1.01, detail={"events_per_second": round(reached)}),
    ]


class Watcher:
    """Looks in Trino, by its own client, for the positions that were appended, and notes how long each commit took."""

    def __init__(self, client: Any, namespace: str) -> None:
        self._client, self._table = client, f"{CATALOG}.{namespace}.events"
        self._waiting: deque[tuple[int, float]] = deque()
        self._news, self._ended, self._reached = threading.Event(), threading.Event(), 0
        self.seconds: list[float] = []
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def expect(self, position: int) -> None:
        """Wait, from now on, for an event at ``position``."""
        self._waiting.append((position, time.perf_counter()))
        self._news.set()

    def end(self) -> list[float]:
        """Return the seconds of every commit, in order, once all are visible or a minute has gone."""
        deadline = time.perf_counter() + PATIENCE
        while self._waiting and time.perf_counter() < deadline and self._thread.is_alive():
            time.sleep(PAUSE)
        self._ended.set()
        self._news.set()
        self._thread.join()
        return self.seconds

    def _watch(self) -> None:
        while not self._ended.is_set():
            self._news.wait()
            # Cleared before the look at what is waited for: whatever comes after is told again.
            self._news.clear()
            while self._waiting and not self._ended.is_set():
                self._look()
                time.sleep(PAUSE)

    def _look(self) -> None:
        """Ask for the last position behind those seen; the server looks only into files that hold such."""
        found = fetch_all(self._client, f"SELECT max(position) FROM {self._table} WHERE position > {self._reached}")
        now = time.perf_counter()
        self._reached = found[0][0] or self._reached
        while self._waiting and self._waiting[0][0] <= self._reached:
            self.seconds.append(now - self._waiting.popleft()[1])


def offer_load(session: "Session", watcher: Watcher, story: Story, commits: int) -> Load:
    """Append the events of each second when it is over, one commit a second; what comes late is not left out."""
    appends, late, growth = [], [], []
    try:
        begin = time.perf_counter()
        for number in range(commits):
            events = make_events(story.rows_of_batch(number, RATE))
            due = begin + number + 1
            time.sleep(max(0.0, due - time.perf_counter()))
            watcher.expect((number + 1) * RATE)
            called = time.perf_counter()
            late.append(called - due)
            session.append(events)
            appends.append(time.perf_counter() - called)
            if (number + 1) % SAMPLE == 0 or number + 1 == commits:
                growth.append(
                    {
                        **measure_table(session.settings.log.namespace),
                        "append_p50_ms": show_spread(appends[-SAMPLE:])["p50_ms"],
                    }
                )
        # Whoever keeps up calls for the last commit when its second is over.
        seconds = commits + late[-1]
    finally:
        visible = watcher.end()
    require_equal("commits seen", len(visible), commits)
    return Load(appends=appends, visible=visible, late=late, seconds=seconds, growth=growth)


def check_answers(client: Any, namespace: str, events: int) -> None:
    """Refuse times of a log that lost or doubled an event."""
    text = f"SELECT count(*), count(DISTINCT position), max(position) FROM {CATALOG}.{namespace}.events"
    require_equal("events, positions, last position", fetch_all(client, text), [[events, events, events - 1]])


def show_spread(seconds: list[float]) -> dict[str, float]:
    """Return median, 95th percentile and greatest of some times, in milliseconds."""
    if not seconds:
        return {}
    p50, p95, most = np.quantile(np.asarray(seconds) * 1000, [0.5, 0.95, 1.0]).tolist()
    return {"p50_ms": round(p50, 1), "p95_ms": round(p95, 1), "max_ms": round(most, 1)}
