"""The state of every account out of 10 M events, against the same fold hand-written in DuckDB, and eventsourcing.

The peer makes the promises that any analyst would have to make with it: a cancel reaches only earlier events of its
own source and stream, and what is no amount is left out and counted. Other promises of the product it leaves out:
cancels of cancels, payloads that are no object, a limit that is absent instead of null, 38 digits, any moves.
A fold that makes no promise at all (`BARE`) is run as well; the detail says how long it takes.
"""

import json
from typing import TYPE_CHECKING, Any

import polars as pl

from benchmarks import duck
from benchmarks.fold_sourcing import measure_replay
from benchmarks.fold_story import Accounts, open_accounts, projection
from benchmarks.harness import (
    MIN_PAIRS,
    Part,
    Scale,
    clock,
    compare_times,
    measure_pairs,
    milliseconds,
    require_equal,
)
from benchmarks.logs import event_files

if TYPE_CHECKING:
    from workbench.session import Session

EVENTS = {Scale.SMOKE: 200_000, Scale.DEFAULT: 10_000_000, Scale.FULL: 10_000_000}
ACCOUNTS = {Scale.SMOKE: 100, Scale.DEFAULT: 400, Scale.FULL: 2_000}
RATIO = 1.15
TIMES_FASTER = 100.0
# The fold as one would write it for this log alone, which has nothing unexpected in it: the cancels' targets by their
# ids, the old name of the amount by the version, the moves by a window over the events that have one.
BARE = """
with cancelled as (
  select data->>'$.cancels' as event_id from {events} where event_type = 'WithdrawalCancelled'
), counted as (
  select stream_id, position, occurred_at, event_type, schema_version, data from {events}
  where event_type in ('MoneyDeposited', 'MoneyWithdrawn', 'LimitChanged', 'StatusChanged')
  and event_id not in (select event_id from cancelled where event_id is not null)
), moves as (
  select stream_id, position, data->>'$.status' as status,
    lag(data->>'$.status') over (partition by stream_id order by position) as before
  from counted where event_type = 'StatusChanged'
), illegal as (
  select stream_id, list(position order by position) as positions from moves
  where before = 'closed' and status <> 'active' group by stream_id
), folded as (
  select stream_id,
    sum(case event_type
      when 'MoneyDeposited' then
        (case when schema_version = 1 then data->>'$.sum' else data->>'$.amount' end)::decimal(18, 2)
      when 'MoneyWithdrawn' then -((data->>'$.amount')::decimal(18, 2)) end) as balance,
    arg_max_null((data->>'$.limit')::decimal(18, 2), position) filter (where event_type = 'LimitChanged') as credit,
    arg_max(data->>'$.status', position) filter (where event_type = 'StatusChanged') as status,
    count(*) as event_count, max(position) as position, max(occurred_at) as occurred_at
  from counted group by stream_id
)
select folded.*, illegal.positions from folded left join illegal using (stream_id) order by stream_id
"""
# The same with what the product has to promise of any log: a cancel reaches an earlier event of its own source and
# stream; a text that is no amount, or one of more than two places (a cast would round it), is left out and counted.
RAW = """
with cancelled as (
  select source, stream_id, data->>'$.cancels' as event_id, max(position) as position from {events}
  where event_type = 'WithdrawalCancelled' group by all
), counted as (
  select e.stream_id, e.position, e.occurred_at, e.event_type, e.schema_version, e.data from {events} e
  left join cancelled c on c.event_id = e.event_id and c.source = e.source and c.stream_id = e.stream_id
  where e.event_type in ('MoneyDeposited', 'MoneyWithdrawn', 'LimitChanged', 'StatusChanged')
  and (c.position is null or c.position < e.position)
), texts as (
  select *, case event_type
    when 'MoneyDeposited' then case when schema_version = 1 then data->>'$.sum' else data->>'$.amount' end
    when 'MoneyWithdrawn' then data->>'$.amount' when 'LimitChanged' then data->>'$.limit' end as text
  from counted
), amounts as (
  select *, case when regexp_full_match(text, '-?[0-9]+([.][0-9]{{1,2}}0*)?') then try_cast(text as decimal(18, 2)) end
    as amount
  from texts
), moves as (
  select stream_id, position, data->>'$.status' as status,
    lag(data->>'$.status') over (partition by stream_id order by position) as before
  from counted where event_type = 'StatusChanged'
), illegal as (
  select stream_id, list(position order by position) as positions from moves
  where before = 'closed' and status <> 'active' group by stream_id
), folded as (
  select stream_id,
    sum(case event_type when 'MoneyDeposited' then amount when 'MoneyWithdrawn' then -amount end) as balance,
    arg_max_null(amount, position) filter (where event_type = 'LimitChanged' and (amount is not null or text is null))
      as credit,
    arg_max(data->>'$.status', position) filter (where event_type = 'StatusChanged') as status,
    count(*) as event_count, max(position) as position, max(occurred_at) as occurred_at,
    count(*) filter (where text is not null and amount is null and event_type <> 'LimitChanged') as failed_amounts,
    count(*) filter (where text is not null and amount is null and event_type = 'LimitChanged') as failed_limits
  from amounts group by stream_id
)
select folded.*, illegal.positions from folded left join illegal using (stream_id) order by stream_id
"""
BARE_RUNS = 3


def run(scale: Scale) -> list[Part]:
    """Return the ratio to raw DuckDB, and how much faster than eventsourcing's replay it is, event by event."""
    story = Accounts(total=EVENTS[scale], streams=EVENTS[scale] // 50)
    fold = projection()
    with open_accounts(story) as session, duck.open_duck() as connection:
        # The files themselves, not lifted: the peer reads the old name where the version says so.
        statement = RAW.format(events=duck.files_sql(stored_files(session)))
        bare = BARE.format(events=duck.files_sql(stored_files(session)))
        states, raw = session.state(fold), connection.sql(statement).pl()
        require_equal("states", describe(states), describe_raw(raw))
        require_equal("states without promises", describe_raw(connection.sql(bare).pl()), describe_raw(raw))
        taken = measure_pairs(
            lambda: clock(lambda: session.state(fold)),
            lambda: clock(lambda: connection.sql(statement).pl()),
            pairs=MIN_PAIRS,
            again=MIN_PAIRS // 2,
            seconds=scale.seconds,
        )
        without = milliseconds([clock(lambda: connection.sql(bare).pl()) for _ in range(BARE_RUNS)])
        detail = {
            "peer": "DuckDB over the same files",
            "bare_p50_ms": without,
            "threads": duck.THREADS,
            "events": story.total,
        }
        parts = [compare_times("fold_sql / raw", taken, RATIO, detail={**detail, "entities": states.height})]
        replays, said = measure_replay(session, states, taken, ACCOUNTS[scale])
        return [*parts, compare_times("eventsourcing / fold_sql", replays, TIMES_FASTER, speed=True, detail=said)]


def stored_files(session: "Session") -> list[str]:
    """Return the files that hold the events as they were written."""
    parts = session.relations()["events_stored"].parts
    return [file for part in parts for file in part.files] or event_files(session)


def describe(states: pl.DataFrame) -> list[tuple[Any, ...]]:
    """Return states as both sides show them; of the notes, where the moves outside the machine were."""
    notes = [json.loads(text or "{}").get("status", {}).get("illegal", []) for text in states["notes"]]
    moves = [[move[0] for move in listed] or None for listed in notes]
    names = ("entity_id", "balance", "credit", "status", "event_count", "position", "occurred_at")
    return [(*row, listed) for row, listed in zip(states.select(names).rows(), moves, strict=True)]


def describe_raw(states: pl.DataFrame) -> list[tuple[Any, ...]]:
    """Return the peer's states likewise."""
    names = ("stream_id", "balance", "credit", "status", "event_count", "position", "occurred_at", "positions")
    return states.select(names).rows()
