"""The fold in Python over events in memory, against a bare loop of msgspec and dicts, and eventsourcing's replay."""

from decimal import Decimal
from itertools import starmap
from typing import TYPE_CHECKING, Any

import msgspec

from benchmarks.fold_sourcing import measure_replay
from benchmarks.fold_story import STATUSES, Accounts, open_accounts, projection
from benchmarks.harness import MIN_PAIRS, Part, Scale, clock, compare_times, measure_pairs, require_equal

if TYPE_CHECKING:
    from workbench.replay.folding.fold import Entity

EVENTS = {Scale.SMOKE: 100_000, Scale.DEFAULT: 500_000, Scale.FULL: 1_000_000}
ACCOUNTS = {Scale.SMOKE: 100, Scale.DEFAULT: 400, Scale.FULL: 1_000}
RATE = 0.6
TIMES_FASTER = 10.0
SELECT = "select position, event_id, source, stream_id, event_type, occurred_at, data from events order by position"
Rows = list[tuple[Any, ...]]


def run(scale: Scale) -> list[Part]:
    """Return the rate by the bare loop's, and how much faster than eventsourcing's replay it is."""
    story = Accounts(total=EVENTS[scale], streams=EVENTS[scale] // 50)
    with open_accounts(story) as session:
        rows = session.sql(SELECT, row_limit=0).rows()
        require_equal("states", show(fold(rows)), fold_bare(rows))
        taken = measure_pairs(
            lambda: clock(lambda: fold(rows)),
            lambda: clock(lambda: fold_bare(rows)),
            pairs=MIN_PAIRS,
            again=MIN_PAIRS // 2,
            seconds=scale.seconds,
        )
        detail = {"peer": "a loop of msgspec and dicts", "events": story.total}
        own = compare_times("bare_loop / fold_python", taken, RATE, speed=True, detail=detail)
        replays, said = measure_replay(session, session.state(projection()), taken, ACCOUNTS[scale])
    return [own, compare_times("eventsourcing / fold_python", replays, TIMES_FASTER, speed=True, detail=said)]


def fold(rows: Rows) -> "dict[str, Entity]":
    """Return the states as the package folds them."""
    from workbench.replay.folding.fact import Fact
    from workbench.replay.folding.fold import fold_facts

    # The columns of SELECT are the first of a fact's, in its order.
    return fold_facts(projection(), starmap(Fact, rows))


def show(entities: "dict[str, Entity]") -> dict[str, Any]:
    """Return states as both sides show them: balance and limit in cents, status, illegal moves, events, times."""
    return {
        name: [*entity.slots[:2], entity.slots[2].state, entity.slots[2].count, entity.event_count, entity.position]
        for name, entity in entities.items()
    }


def fold_bare(rows: Rows) -> dict[str, Any]:
    """Return the same by the loop that one would write for this log alone."""
    decode = msgspec.json.Decoder().decode
    cancelled = {decode(row[6])["cancels"] for row in rows if row[4] == "WithdrawalCancelled"}
    states: dict[str, Any] = {}
    latest: dict[str, Any] = {}
    for position, event_id, _, stream_id, event_type, occurred_at, data in rows:
        if event_id in cancelled or event_type not in COUNTED:
            continue
        state = states.get(stream_id)
        if state is None:
            state = states[stream_id] = [None, None, None, 0, 0, -1]
        payload = decode(data)
        if event_type == "MoneyDeposited":
            state[0] = (state[0] or 0) + int(Decimal(payload["amount"]).scaleb(2))
        elif event_type == "MoneyWithdrawn":
            state[0] = (state[0] or 0) - int(Decimal(payload["amount"]).scaleb(2))
        elif event_type == "LimitChanged":
            state[1] = None if payload["limit"] is None else int(Decimal(payload["limit"]).scaleb(2))
        else:
            state[3] += state[2] == STATUSES[3] and payload["status"] != STATUSES[0]
            state[2] = payload["status"]
        state[4] += 1
        state[5] = position
        latest[stream_id] = max(latest.get(stream_id, occurred_at), occurred_at)
    return states


COUNTED = frozenset({"MoneyDeposited", "MoneyWithdrawn", "LimitChanged", "StatusChanged"})
