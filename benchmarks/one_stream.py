"""One entity's events out of 5 M: by the layout by stream, against a scan of time-ordered Parquet."""

import itertools

from benchmarks import duck
from benchmarks.data import Story
from benchmarks.harness import (
    MIN_PAIRS,
    Part,
    Scale,
    clock,
    compare_times,
    limit_median,
    measure_pairs,
    require_equal,
)
from benchmarks.logs import cached_log, event_files, open_log, pick_numbers
from benchmarks.places import temporary_folder

GOAL_EVENTS = 5_000_000
TIMES_FASTER = 20.0
LIMIT_MS = 15.0
EVENTS = {Scale.SMOKE: 500_000, Scale.DEFAULT: GOAL_EVENTS, Scale.FULL: GOAL_EVENTS}
PAIRS = {Scale.SMOKE: 2 * MIN_PAIRS, Scale.DEFAULT: 4 * MIN_PAIRS, Scale.FULL: 8 * MIN_PAIRS}
COLUMNS = "position, event_id, stream_version, data"


def run(scale: Scale) -> list[Part]:
    """Return the p50 of one stream's events, and how much faster than a scan that is; each run asks another stream."""
    story = Story(total=EVENTS[scale], streams=EVENTS[scale] // 50)
    with temporary_folder() as folder, open_log(cached_log(story)) as session, duck.open_duck() as connection:
        session.maintain()
        target = folder / "by-time.parquet"
        duck.write_sorted(connection, event_files(session), target, "occurred_at, position")
        names = story.stream_ids(pick_numbers(story.streams, 4 * PAIRS[scale], seed=len(COLUMNS))).to_pylist()

        def scan(stream: str) -> str:
            return f"select * from '{target}' where stream_id = '{stream}' order by position"

        for stream in names[:5]:
            found = session.events(stream_ids=[stream]).select(COLUMNS.split(", ")).rows()
            peer = connection.sql(f"select {COLUMNS} from ({scan(stream)})").fetchall()
            require_equal(f"events of {stream}", found, peer)
        product, peer_names = itertools.cycle(names), itertools.cycle(names)

        def ask_product() -> float:
            stream = next(product)
            return clock(lambda: session.events(stream_ids=[stream]))

        def ask_peer() -> float:
            statement = scan(next(peer_names))
            return clock(lambda: duck.fetch_arrow(connection, statement))

        pairs = measure_pairs(ask_product, ask_peer, pairs=PAIRS[scale], seconds=scale.seconds)
    detail = {"peer": "DuckDB scan of one time-ordered file", "threads": duck.THREADS, "events": story.total}
    faster = TIMES_FASTER * story.total / GOAL_EVENTS
    return [
        compare_times("scan / one_stream", pairs, faster, speed=True, detail=detail),
        limit_median("one_stream_p50_ms", pairs.product, LIMIT_MS, detail={"events": story.total}),
    ]
