"""A million rows from Trino as a Polars frame, against the client's `fetchall` and a frame made of its rows."""

from typing import TYPE_CHECKING, Any

import polars as pl

from benchmarks.data import Story
from benchmarks.harness import MIN_PAIRS, Part, Scale, clock, compare_times, measure_pairs, require_equal
from benchmarks.stack import fetch_all, kept_log, open_client, open_lake, open_stack, recorded

if TYPE_CHECKING:
    from workbench.session import Session

EVENTS = {Scale.SMOKE: 100_000, Scale.DEFAULT: 1_000_000, Scale.FULL: 1_000_000}
PAIRS = {Scale.SMOKE: MIN_PAIRS, Scale.DEFAULT: MIN_PAIRS, Scale.FULL: 2 * MIN_PAIRS}
FASTER = 2.0
STATEMENT = "select position, event_id, stream_id, event_type, occurred_at, data from events"


def run(scale: Scale) -> list[Part]:
    """Return how much faster the workbench has the rows of a whole log as a frame."""
    story = Story(total=EVENTS[scale], streams=EVENTS[scale] // 50)
    with open_stack(), open_lake(kept_log(story)) as session, open_client() as client:
        with recorded(session) as asked:
            found = ask_session(session)
        text = asked[0].text
        schema = dict(found.schema)
        peer = ask_client(client, text, schema)
        require_equal("rows", found.height, story.total)
        require_equal("frames", found.sort("position").hash_rows().sum(), peer.sort("position").hash_rows().sum())
        pairs = measure_pairs(
            lambda: clock(lambda: ask_session(session)),
            lambda: clock(lambda: ask_client(client, text, schema)),
            pairs=PAIRS[scale],
            again=PAIRS[scale] // 3,
            seconds=scale.seconds,
        )
    detail = {"peer": "trino.dbapi fetchall (json+zstd, spooled), pl.DataFrame", "rows": story.total}
    return [compare_times("fetchall_to_frame / frame", pairs, FASTER, speed=True, detail=detail)]


def ask_session(session: "Session") -> pl.DataFrame:
    return session.sql(STATEMENT, row_limit=0)


def ask_client(client: Any, text: str, schema: dict[str, Any]) -> pl.DataFrame:
    """Return the client's rows as a frame whose types need not be guessed."""
    return pl.DataFrame(fetch_all(client, text), schema=schema, orient="row")
