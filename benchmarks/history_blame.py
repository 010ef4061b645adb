"""History and blame of a stream of 10,000 events, against `eventsourcing` replaying it once."""

import itertools
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from benchmarks.data import START
from benchmarks.fold_sourcing import cents, open_peer, read_accounts
from benchmarks.fold_story import STATUSES, projection
from benchmarks.harness import MIN_PAIRS, Part, Scale, clock, compare_times, measure_pairs, require_equal
from benchmarks.logs import open_log
from benchmarks.places import temporary_folder

if TYPE_CHECKING:
    import workbench
    from workbench.session import Session

TIMES_FASTER = 5.0
EVENTS: Final = 10_000
MORE: Final = 2 * MIN_PAIRS
BATCH: Final = 2_000
STREAM: Final = "account-1"


def run(scale: Scale) -> list[Part]:
    """Return how many times as long as both questions take the peer's replay takes."""
    account = projection()
    with temporary_folder() as folder, open_log(folder) as session:
        fill_stream(session)
        steps = {STREAM: read_accounts(session, [STREAM])[STREAM][:EVENTS]}
        # Each round asks up to another position, so that nothing of the round before answers it.
        positions = itertools.cycle(range(EVENTS - 1, EVENTS + MORE))
        with open_peer(steps) as (peer, replay):
            history = session.history(account, STREAM, position=next(positions))
            require_equal(
                "the state in the end", read_state(json.loads(history["state"][-1])), replay()["states"][STREAM][:3]
            )
            require_equal("rows of the history", history.height, EVENTS)

            def ask() -> float:
                asked: dict[str, Any] = {"projection": account, "stream_id": STREAM, "position": next(positions)}
                return clock(lambda: (session.history(**asked), session.blame(**asked)))

            pairs = measure_pairs(ask, lambda: replay()["seconds"], pairs=MIN_PAIRS, seconds=scale.seconds)
    detail = {"peer": f"eventsourcing {peer['version']}, its replay of the same stream", "events": EVENTS}
    return [compare_times("replay / history and blame", pairs, TIMES_FASTER, speed=True, detail=detail)]


def read_state(state: dict[str, Any]) -> list[Any]:
    """Return a state as the peer holds it: balance and limit in cents, status."""
    limit = None if state["credit"] is None else cents(state["credit"])
    return [cents(state["balance"]), limit, state["status"]]


def fill_stream(session: "Session") -> None:
    """Append the stream's events."""
    drawn = np.random.default_rng(EVENTS)
    for first in range(0, EVENTS + MORE, BATCH):
        last = min(first + BATCH, EVENTS + MORE)
        session.append([make_event(number, drawn) for number in range(first, last)])
    session.maintain()


def make_event(number: int, drawn: np.random.Generator) -> "workbench.Event":
    """Return one event of the stream."""
    import workbench

    amount = f"{int(drawn.integers(1, 1_000_000)) / 100:.2f}"
    kind, data = (
        ("MoneyDeposited", {"amount": amount}),
        ("MoneyWithdrawn", {"amount": amount}),
        ("LimitChanged", {"limit": amount if number % 8 else None}),
        ("StatusChanged", {"status": STATUSES[int(drawn.integers(len(STATUSES)))]}),
    )[int(drawn.integers(4))]
    moment = START + timedelta(minutes=number)
    return workbench.Event(
        event_id=f"e{number}", stream_id=STREAM, event_type=kind, occurred_at=moment, data={**data, "reference": number}
    )
