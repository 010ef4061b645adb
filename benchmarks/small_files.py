"""A log of a thousand small commits and a large one is read as fast as its files can be, and as one file can."""

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import duckdb
import msgspec

from benchmarks import duck
from benchmarks.data import Story
from benchmarks.harness import MIN_PAIRS, Part, Scale, clock, compare_times, measure_pairs, require_equal
from benchmarks.logs import build_log, event_files, make_batches, open_log
from benchmarks.places import temporary_folder

if TYPE_CHECKING:
    from workbench.session import Session

EVENTS = 100


class Sizes(msgspec.Struct, frozen=True):
    """Events of the large commit, how many small commits follow, and how many pairs are timed."""

    large: int
    commits: int
    pairs: int
    seconds: float | None


SIZES = {
    Scale.SMOKE: Sizes(200_000, 150, MIN_PAIRS, Scale.SMOKE.seconds),
    Scale.DEFAULT: Sizes(1_000_000, 1_000, 2 * MIN_PAIRS, None),
    Scale.FULL: Sizes(1_000_000, 1_000, 4 * MIN_PAIRS, None),
}
# One run asks all of them; `{after}` differs from run to run, so that no answer can come from a cache.
QUESTIONS = (
    "select event_type, count(*) as events from {events} where position > {after} group by event_type order by 1",
    (
        "select date_trunc('day', occurred_at) as day, count(*) as events, max(stream_version) as top from {events} "
        "where position > {after} group by 1 order by 1"
    ),
    (
        "select stream_id, count(*) as events, max(occurred_at) as latest from {events} where position > {after} "
        "group by stream_id order by events desc, stream_id limit 20"
    ),
)


def run(scale: Scale) -> list[Part]:
    """Return product against DuckDB on the same files, then, compacted, against one file."""
    sizes = SIZES[scale]
    story = Story(total=sizes.large + sizes.commits * EVENTS, streams=sizes.large // 50)
    with temporary_folder() as folder, duck.open_duck() as connection:
        build_log(folder / "log", story, sizes.large)
        with open_log(folder / "log") as session:
            for batch in make_batches(story, sizes.large, sizes.commits, EVENTS):
                session.append(batch)
            files = event_files(session)
            scattered = measure_reading("log / same_files", 1.2, (session, connection, files), sizes)
            session.maintain()
            one_file = folder / "one-file.parquet"
            duck.write_sorted(connection, event_files(session), one_file, "position")
            merged = measure_reading("compacted / one_file", 1.1, (session, connection, [str(one_file)]), sizes)
            merged.detail["files_after_maintain"] = len(event_files(session))
    return [scattered, merged]


def measure_reading(
    name: str, limit: float, sides: tuple["Session", duckdb.DuckDBPyConnection, Sequence[str]], sizes: Sizes
) -> Part:
    """Return the part of asking the session's `events` against asking DuckDB for the same of ``files``."""
    session, connection, files = sides
    own = [question.replace("{events}", "events") for question in QUESTIONS]
    peers = [question.replace("{events}", duck.files_sql(files)) for question in QUESTIONS]
    for one, other in zip(own, peers, strict=True):
        found = session.sql(one.format(after=EVENTS)).rows()
        require_equal(one, found, connection.sql(other.format(after=EVENTS)).pl().rows())
    afters, peer_afters = itertools.count(EVENTS), itertools.count(EVENTS)

    def ask_product() -> float:
        after = next(afters)
        return clock(lambda: [session.sql(question.format(after=after)) for question in own])

    def ask_peer() -> float:
        after = next(peer_afters)
        return clock(lambda: [connection.sql(question.format(after=after)).pl() for question in peers])

    pairs = measure_pairs(ask_product, ask_peer, pairs=sizes.pairs, seconds=sizes.seconds)
    detail = {"peer": f"DuckDB read_parquet of {len(files)} files", "threads": duck.THREADS, "commits": sizes.commits}
    return compare_times(name, pairs, limit, detail=detail)
