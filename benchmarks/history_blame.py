"""History and blame of a stream of 10,000 events, against `eventsourcing` replaying it once."""

import json
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from benchmarks.data import START
from benchmarks.fold_sourcing import open_peer, read_accounts
from benchmarks.harness import MIN_PAIRS, Part, Scale, clock, compare_times, measure_pairs, require_equal
from benchmarks.logs import open_log
from benchmarks.places import temporary_folder

if TYPE_CHECKING:
    import workbench
    from workbench.session import Session

TIMES_FASTER = 5.0
EVENTS: Final = 10_000
BATCH: Final = 2_000
STREAM: Final = "account-1"
STATUSES: Final = ("active", "frozen", "closed")
PROJECTION: Final[dict[str, Any]] = {
    "name": "account",
    "fields": {
        "paid_in": {
            "rule": "sum",
            "kind": "decimal",
            "scale": 2,
            "event_types": ["MoneyDeposited"],
            "value": "data.amount",
        },
        "paid_out": {
            "rule": "sum",
            "kind": "decimal",
            "scale": 2,
            "event_types": ["MoneyWithdrawn"],
            "value": "data.amount",
        },
        "limit": {
            "rule": "last",
            "kind": "decimal",
            "scale": 2,
            "event_types": ["LimitChanged"],
            "value": "data.limit",
        },
        "status": {
            "rule": "machine",
            "event_types": ["StatusChanged"],
            "value": "data.status",
            "moves": {"active": ["active", "frozen", "closed"], "frozen": list(STATUSES), "closed": ["active"]},
        },
    },
}


def run(scale: Scale) -> list[Part]:
    """Return how many times as long as both questions take the peer's replay takes."""
    from workbench.replay.declaration import make_projection

    projection = make_projection(PROJECTION)
    with temporary_folder() as folder, open_log(folder) as session:
        fill_stream(session)
        with open_peer(read_accounts(session, [STREAM])) as (peer, replay):
            history = session.history(projection, STREAM)
            require_equal(
                "the state in the end", read_state(json.loads(history["state"][-1])), replay()["states"][STREAM][:3]
            )
            require_equal("rows of the history", history.height, EVENTS)

            def ask() -> float:
                return clock(lambda: (session.history(projection, STREAM), session.blame(projection, STREAM)))

            pairs = measure_pairs(ask, lambda: replay()["seconds"], pairs=MIN_PAIRS, seconds=scale.seconds)
    detail = {"peer": f"eventsourcing {peer['version']}, its replay of the same stream", "events": EVENTS}
    return [compare_times("replay / history and blame", pairs, TIMES_FASTER, speed=True, detail=detail)]


def read_state(state: dict[str, Any]) -> list[Any]:
    """Return a state as the peer holds it: balance and limit in cents, status."""
    balance = Decimal(state["paid_in"]) - Decimal(state["paid_out"])
    limit = None if state["limit"] is None else int(Decimal(state["limit"]) * 100)
    return [int(balance * 100), limit, state["status"]]


def fill_stream(session: "Session") -> None:
    """Append the stream's events."""
    drawn = np.random.default_rng(EVENTS)
    for first in range(0, EVENTS, BATCH):
        session.append([make_event(number, drawn) for number in range(first, first + BATCH)])
    session.maintain()


def make_event(number: int, drawn: np.random.Generator) -> "workbench.Event":
    """Return one event of the stream."""
    import workbench

    amount = f"{int(drawn.integers(1, 1_000_000)) / 100:.2f}"
    kind, data = (
        ("MoneyDeposited", {"amount": amount}),
        ("MoneyWithdrawn", {"amount": amount}),
        ("LimitChanged", {"limit": amount if number % 8 else None}),
        ("StatusChanged", {"status": STATUSES[int(drawn.integers(3))]}),
    )[int(drawn.integers(4))]
    moment = START + timedelta(minutes=number)
    return workbench.Event(
        event_id=f"e{number}", stream_id=STREAM, event_type=kind, occurred_at=moment, data={**data, "reference": number}
    )
