"""What the page on scale extrapolates from: bytes an event, planning, optimize, maintenance and scans on the stack.

`python -m benchmarks.scale` prints one JSON line a measurement; none has a goal. `--smoke` takes small sizes.
"""

import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pyarrow.parquet as pq

from benchmarks.data import SPAN, START, Story
from benchmarks.harness import Scale
from benchmarks.logs import ingest_story, make_events
from benchmarks.places import folder_bytes, temporary_folder
from benchmarks.stack import (
    CATALOG,
    fetch_all,
    kept_log,
    measure_table,
    open_client,
    open_lake,
    open_stack,
    scratch_namespace,
)

if TYPE_CHECKING:
    from pyiceberg.table import Table

EVENTS = {Scale.SMOKE: 100_000, Scale.DEFAULT: 10_000_000}
LAID_OUT = {Scale.SMOKE: 100_000, Scale.DEFAULT: 2_000_000}
FILES = {Scale.SMOKE: (10, 100), Scale.DEFAULT: (10, 100, 1_000, 4_000)}
SMALL = {Scale.SMOKE: 20, Scale.DEFAULT: 200}
RUNS = 7
FILES_A_COMMIT = 100
BATCH = 2_000
ROWS = 10

Line = dict[str, Any]


def main() -> int:
    """Print every measurement and return 0."""
    scale = Scale.SMOKE if "--smoke" in sys.argv[1:] else Scale.DEFAULT
    with open_stack(), open_client() as client:
        for measure in (measure_bytes, measure_planning, measure_optimize, measure_scans):
            for line in measure(client, scale):
                print(msgspec.json.encode({"measured": measure.__name__, **line}).decode(), flush=True)
    return 0


def seconds_of(call: Callable[[], Any]) -> float:
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def median_ms(call: Callable[[], Any]) -> float:
    """Return the median milliseconds of some runs, one more going first."""
    return round(float(np.median([seconds_of(call) for _ in range(RUNS + 1)][1:])) * 1000, 1)


def measure_bytes(client: Any, scale: Scale) -> Iterator[Line]:
    """Yield what an event takes in rows, manifests, layout by stream and index, and how fast the layout is made."""
    del client
    story = Story(total=LAID_OUT[scale], streams=LAID_OUT[scale] // 50)
    with scratch_namespace() as name, open_lake(name, engine="duckdb") as session, temporary_folder() as folder:
        ingested = seconds_of(lambda: ingest_story(session, folder, story))
        index = folder_bytes(session.settings.folder)
        maintained = seconds_of(session.maintain)
        streams = measure_table(f"{name}_derived", "events_by_stream")
        figures = measure_table(name)
    rates = {"ingest": round(story.total / ingested), "maintain": round(story.total / maintained)}
    each = {
        "rows": figures["file_bytes"] / story.total,
        "manifests": figures["manifest_bytes"] / story.total,
        "by_stream": streams["file_bytes"] / story.total,
        "index": index / story.total,
    }
    yield {"events": figures, "by_stream": streams, "bytes_an_event": each, "events_per_second": rates}


def measure_planning(client: Any, scale: Scale) -> Iterator[Line]:
    """Yield the times to plan a look into one file, into all and into none, against the number of files."""
    with scratch_namespace() as name:
        table, there = make_table(name), 0
        for files in FILES[scale]:
            for first in range(there, files, FILES_A_COMMIT):
                add_files(table, range(first, min(first + FILES_A_COMMIT, files)))
            there = files
            one = f"position = {files * ROWS // 2}"
            text = f"SELECT count(event_type) FROM {CATALOG}.{name}.planned WHERE"
            yield {
                **measure_table(name, "planned"),
                "pyiceberg_one_ms": median_ms(partial(plan_files, table, one)),
                "pyiceberg_all_ms": median_ms(partial(plan_files, table, "position >= 0")),
                "trino_one_ms": median_ms(partial(fetch_all, client, f"{text} {one}")),
                "trino_none_ms": median_ms(partial(fetch_all, client, f"{text} position < 0")),
            }


def plan_files(table: "Table", row_filter: str) -> int:
    return sum(1 for _ in table.scan(row_filter=row_filter).plan_files())


def make_table(namespace: str) -> "Table":
    """Return a new table with the log's columns and properties."""
    from pyiceberg.catalog import load_catalog

    from workbench.eventlog.catalog import BY_POSITION, table_properties
    from workbench.eventlog.schema import EVENTS as SCHEMA

    # The server removes old metadata itself; PyIceberg's own catalog would try again and say so 20 times.
    properties = {name: value for name, value in table_properties(SCHEMA).items() if "delete-after-commit" not in name}
    catalog = load_catalog(CATALOG)
    catalog.create_namespace(namespace)
    return catalog.create_table((namespace, "planned"), SCHEMA, sort_order=BY_POSITION, properties=properties)


def add_files(table: "Table", numbers: range) -> None:
    """Add files of ten events each in one commit, which adds one manifest."""
    from pyiceberg.io.pyarrow import schema_to_pyarrow

    shape = schema_to_pyarrow(table.schema(), include_field_ids=False)
    paths = [f"{table.location()}/data/{number:07d}.parquet" for number in numbers]
    for number, path in zip(numbers, paths, strict=True):
        first = number * ROWS
        rows = [_row(position) for position in range(first, first + ROWS)]
        with table.io.new_output(path).create() as file:
            pq.write_table(shape.empty_table().from_pylist(rows, schema=shape), file, compression="zstd")
    table.add_files(paths, check_duplicate_files=False)


def _row(position: int) -> Line:
    moment = START + timedelta(seconds=position)
    names = {name: f"{name}-{position}" for name in ("event_id", "source", "stream_id", "event_type", "data", "digest")}
    times = {"occurred_at": moment, "recorded_at": moment}
    return {**names, **times, "position": position, "stream_version": 0, "schema_version": 1}


def measure_optimize(client: Any, scale: Scale) -> Iterator[Line]:
    """Yield how fast Trino makes one file of many small commits, and how fast it copies a whole log."""
    story = Story(total=SMALL[scale] * BATCH, streams=2_000)
    with scratch_namespace() as name, open_lake(name, engine="duckdb") as session:
        for number in range(SMALL[scale]):
            session.append(make_events(story.rows_of_batch(number, BATCH)))
        before = measure_table(name)
        seconds = seconds_of(
            lambda: fetch_all(
                client, f"ALTER TABLE {CATALOG}.{name}.events EXECUTE optimize(file_size_threshold => '1GB')"
            )
        )
        rate = round(story.total / seconds)
        yield {"before": before, "after": measure_table(name), "seconds": seconds, "events_per_second": rate}
    kept = kept_log(Story(total=EVENTS[scale], streams=EVENTS[scale] // 50))
    with scratch_namespace() as name:
        fetch_all(client, f"CREATE SCHEMA IF NOT EXISTS {CATALOG}.{name}")
        copied = f"CREATE TABLE {CATALOG}.{name}.planned AS SELECT * FROM {CATALOG}.{kept}.events"
        seconds = seconds_of(lambda: fetch_all(client, copied))
        rate = round(EVENTS[scale] / seconds)
        yield {"rewritten": measure_table(name, "planned"), "seconds": seconds, "events_per_second": rate}


def measure_scans(client: Any, scale: Scale) -> Iterator[Line]:
    """Yield how fast both engines count events by type and hour over S3, of the whole log and of 1 % of its time."""
    del client
    from workbench.views.grain import choose_grain
    from workbench.views.timeline.choices import TimelineChoices
    from workbench.views.timeline.overview import count_bars

    story = Story(total=EVENTS[scale], streams=EVENTS[scale] // 50)
    name = kept_log(story)
    for engine in ("trino", "duckdb"):
        with open_lake(name, engine=engine) as session:
            for share in (1.0, 0.01):
                window = TimelineChoices(since=START, until=START + SPAN * share)
                grain = choose_grain((SPAN * share).total_seconds(), 600)
                milliseconds = median_ms(partial(count_bars, session, window, grain))
                rate = round(story.total * share / milliseconds * 1000)
                yield {"engine": engine, "share": share, "p50_ms": milliseconds, "events_per_second": rate}


if __name__ == "__main__":
    sys.exit(main())
