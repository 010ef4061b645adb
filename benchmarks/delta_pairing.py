"""Proposals of CoAuthor's 1.07 M events paired with decisions, against the same windows hand-written in DuckDB."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copyfile
from typing import TYPE_CHECKING, Final

import workbench
from benchmarks import duck
from benchmarks.harness import (
    MIN_PAIRS,
    Part,
    PeerMissingError,
    Scale,
    clock,
    compare_times,
    measure_pairs,
    require_equal,
)
from benchmarks.logs import event_files
from benchmarks.places import cached_folder
from workbench.deltas.pairing.relations import relate_lifecycle

if TYPE_CHECKING:
    from workbench.session import Session

ROOT: Final = Path(__file__).resolve().parents[1]
WRITERS: Final = ROOT.parent / "shared" / "data" / "coauthor-argumentative"
MAPPING: Final = ROOT / "datasets" / "mappings" / "coauthor.toml"
DELTAS: Final = ROOT / "datasets" / "deltas" / "coauthor.toml"
RATIO = 1.3
COLUMNS: Final = (
    *("position", "event_id", "stream_id", "shown_at", "decision", "decision_position", "decided_at"),
    *("latency", "decision_count", "requested_position", "applied_position", "fields"),
)
# The pairing as one would write it for this log, in one pass: what the proposal before each event in its session is,
# which taking an inserted text follows, which request, of those on their way, a proposal answers; and what the first
# event of the session says its topic is.
RAW = """
with chosen as (
  select position, event_id, stream_id, occurred_at, event_type from {events}
  where event_type in ('suggestion-open', 'suggestion-select', 'suggestion-close', 'suggestion-get')
  or (event_type = 'text-insert' and actor_kind = 'ai')
), marked as (
  select *, max(position) filter (event_type = 'suggestion-open') over so_far as shown,
    max(position) filter (event_type = 'suggestion-select') over so_far as taken,
    case event_type when 'suggestion-get' then 0 when 'suggestion-open' then 1 end
      + count(*) filter (event_type = 'suggestion-get') over so_far
      - count(*) filter (event_type = 'suggestion-open') over so_far as depth
  from chosen window so_far as (
    partition by stream_id order by position rows between unbounded preceding and current row)
), answered as (
  select *, lag(case when event_type = 'suggestion-get' then position end)
    over (partition by stream_id, depth order by position) as asked from marked
), paired as (
  select shown as position,
    first(event_id) filter (event_type = 'suggestion-open') as event_id,
    first(stream_id) as stream_id,
    first(occurred_at) filter (event_type = 'suggestion-open') as shown_at,
    first(asked) filter (event_type = 'suggestion-open') as requested_position,
    min(position) filter (event_type = 'text-insert' and taken > shown) as applied_position,
    count(*) filter (event_type = 'suggestion-select') as takings,
    count(*) filter (event_type = 'suggestion-close') as rejections,
    arg_min(struct_pack(position, occurred_at), position)
      filter (event_type = 'suggestion-select') as taking,
    arg_min(struct_pack(position, occurred_at), position)
      filter (event_type = 'suggestion-close') as rejection
  from answered where shown is not null and event_type <> 'suggestion-get' group by shown
), decided as (
  select *, coalesce(taking, rejection) as decision,
    lead(position) over (partition by stream_id order by position) as follower,
    (select max(recorded_at) from {events}) as reached_at
  from paired
)
select position, event_id, stream_id, shown_at,
  case when taking is not null then 'accepted' when rejection is not null then 'rejected'
    when follower is not null or reached_at - shown_at >= interval 1 day then 'expired' else 'pending' end as decision,
  decision.position as decision_position, decision.occurred_at as decided_at,
  case when decision.occurred_at >= shown_at
    then (epoch_us(decision.occurred_at) - epoch_us(shown_at)) // 1000 / 1000 end as latency,
  case when takings > 0 then takings else least(rejections, 1) end as decision_count, requested_position,
  case when decision is not null then applied_position end as applied_position,
  coalesce('{{"topic":' || (topic::varchar) || '}}', '{{}}') as fields
from decided left join (
  select stream_id, data->'$.topic' as topic from {events} where stream_version = 0
) as first_events using (stream_id)
order by position
"""


def run(scale: Scale) -> list[Part]:
    """Return the ratio of `proposals` to raw DuckDB over the same files."""
    with open_writers() as session, duck.open_duck() as connection:
        statement = f"select {', '.join(COLUMNS)} from proposals order by position"
        raw = RAW.format(events=duck.files_sql(event_files(session)))
        # Past what the session keeps of pairings: each run pairs anew.
        relations = session.relations() | relate_lifecycle(session.delta_mappings, session.registry)
        paired, told = session.engine.query(statement, {}, relations), connection.sql(raw).pl().select(COLUMNS)
        require_equal("proposals", paired.rows(), told.rows())
        taken = measure_pairs(
            lambda: clock(lambda: session.engine.query(statement, {}, relations)),
            lambda: clock(lambda: connection.sql(raw).pl()),
            pairs=MIN_PAIRS,
            seconds=scale.seconds,
        )
        detail = {
            "peer": "DuckDB windows over the same files",
            "threads": duck.THREADS,
            "events": session.head().event_count,
            "proposals": paired.height,
        }
        return [compare_times("delta_pairing / raw", taken, RATIO, detail=detail)]


@contextmanager
def open_writers(name: str = "coauthor") -> Iterator["Session"]:
    """Yield a session on CoAuthor's log, ingested where it is not kept. Raises PeerMissingError without its rows."""
    if not WRITERS.is_dir():
        raise PeerMissingError("CoAuthor's rows are not at ../shared/data, and nothing else has so many proposals.")
    folder = cached_folder(name, {"mapping": MAPPING.read_text(encoding="utf-8")}, ingest_writers)
    (folder / "deltas").mkdir(exist_ok=True)
    copyfile(DELTAS, folder / "deltas" / DELTAS.name)
    with workbench.connect(folder) as session:
        yield session


def ingest_writers(folder: Path) -> None:
    """Make the log in a folder."""
    with workbench.connect(folder) as session:
        session.ingest(WRITERS / "events.parquet", mapping=MAPPING)
