"""The peer `eventsourcing`, in an environment and a process of its own, given some accounts of a story."""

import json
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.environments import make_environment
from benchmarks.harness import Pairs, PeerMissingError, require_equal

if TYPE_CHECKING:
    import polars as pl

    from workbench.session import Session

# Asks for a replay of all accounts; answers seconds and states.
Replay = Callable[[], dict[str, Any]]


@contextmanager
def open_peer(accounts: dict[str, list[list[Any]]]) -> Iterator[tuple[dict[str, Any], Replay]]:
    """Yield what the peer says of itself, and the function that has it replay the accounts it was given."""
    script = Path(__file__).with_name("fold_peer.py")
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen([make_environment("eventsourcing"), script], text=True, **pipes) as process:

        def say(line: str) -> dict[str, Any]:
            if process.stdin is None or process.stdout is None:
                raise AssertionError
            print(line, file=process.stdin, flush=True)
            answer = process.stdout.readline()
            if not answer:
                raise PeerMissingError("The process of eventsourcing ended before it answered.")
            found: dict[str, Any] = json.loads(answer)
            return found

        yield say(json.dumps(accounts)), lambda: say("replay")
        if process.stdin is not None:
            process.stdin.close()


def read_accounts(session: "Session", names: Sequence[str]) -> dict[str, list[list[Any]]]:
    """Return the events of some accounts as the peer takes them: decoded, lifted, without the cancelled ones."""
    events = session.sql(
        "select stream_id, event_id, event_type, data from events where stream_id in (:names) order by position",
        {"names": list(names)},
    ).rows()
    payloads = [json.loads(data) for _, _, _, data in events]
    cancelled = {payload.get("cancels") for payload in payloads}
    accounts: dict[str, list[list[Any]]] = {name: [] for name in names}
    for (stream, event_id, event_type, _), payload in zip(events, payloads, strict=True):
        if event_id not in cancelled and (step := read_step(event_type, payload)):
            accounts[stream].append(step)
    return accounts


def read_step(event_type: str, payload: dict[str, Any]) -> list[Any] | None:
    """Return the method and the argument that an event is to the peer."""
    match event_type:
        case "MoneyDeposited":
            return ["move", cents(payload["amount"])]
        case "MoneyWithdrawn":
            return ["move", -cents(payload["amount"])]
        case "LimitChanged":
            return ["limit", None if payload["limit"] is None else cents(payload["limit"])]
        case "StatusChanged":
            return ["become", payload["status"]]
    return None


def cents(amount: str | int | Decimal) -> int:
    """Return an amount in cents."""
    return int(Decimal(amount) * 100)


def measure_replay(
    session: "Session", states: "pl.DataFrame", taken: Pairs, accounts: int
) -> tuple[Pairs, dict[str, Any]]:
    """Return pairs of the product's seconds and the peer's, and what the peer is.

    The peer replays some of the accounts as often as the product ran; its seconds are scaled to the events of all.
    """
    names = states["entity_id"][:: max(1, states.height // accounts)].to_list()
    chosen = states.filter(states["entity_id"].is_in(names)).select("entity_id", "balance", "credit", "status")
    own = {name: [cents(a or 0), None if b is None else cents(b), c] for name, a, b, c in chosen.rows()}
    with open_peer(read_accounts(session, names)) as (said, replay):
        found = {name: values[:3] for name, values in replay()["states"].items()}
        require_equal("replayed states", found, own)
        scaled = int(states["event_count"].sum()) / said["events"]
        seconds = [float(replay()["seconds"]) * scaled for _ in taken.product]
    detail = {"peer": f"eventsourcing {said['version']}, repository.get", "replayed_events": said["events"]}
    return Pairs(product=taken.product, peer=seconds, again=seconds[: len(seconds) // 2]), detail
