"""CloudEvents lines into the log, validated, digested, committed: against a bare DuckDB copy and the official SDK."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from benchmarks import duck, sdk
from benchmarks.data import Story, cloud_events
from benchmarks.harness import MIN_PAIRS, Part, Run, Scale, clock, compare_times, measure_pairs, require_equal
from benchmarks.logs import open_log
from benchmarks.places import temporary_folder
from benchmarks.stock import open_table

if TYPE_CHECKING:
    from workbench.session import Session


class Sizes(msgspec.Struct, frozen=True):
    """Lines against each peer (the SDK's cost is the same for each line), and how often its A/A is taken."""

    duck: int
    sdk: int
    sdk_again: int


SIZES = {
    Scale.SMOKE: Sizes(200_000, 20_000, 5),
    Scale.DEFAULT: Sizes(1_000_000, 200_000, 5),
    Scale.FULL: Sizes(1_000_000, 1_000_000, MIN_PAIRS),
}
TOTALS = "select event_type, count(*) as events, sum(cast(json_extract_scalar(data, '$.amount') as bigint)) as amount"
DUCK_TOTALS = "select type, count(*), sum(cast(data->>'amount' as bigint))"


def run(scale: Scale) -> list[Part]:
    """Return the speed against DuckDB's copy, and against the SDK with PyIceberg."""
    sizes = SIZES[scale]
    with temporary_folder() as folder:
        return [measure_duck(folder, sizes, scale), measure_sdk(folder, sizes, scale)]


def write_lines(folder: Path, count: int) -> Path:
    """Write ``count`` CloudEvents, one a line."""
    path = folder / f"events-{count}.ndjson"
    with path.open("wb") as file:
        for chunk in Story(total=count, streams=max(1, count // 50)).chunks():
            file.write(("\n".join(cloud_events(chunk).to_pylist()) + "\n").encode())
    return path


def ingest_fresh(lines: Path, folder: Path) -> Run:
    """Return a run that ingests the lines into a new log, which stays until the next run."""

    def timed_ingest() -> float:
        shutil.rmtree(folder, ignore_errors=True)
        with open_log(folder) as session:
            return clock(lambda: session.ingest(lines))

    return timed_ingest


def measure_duck(folder: Path, sizes: Sizes, scale: Scale) -> Part:
    lines, log, target = write_lines(folder, sizes.duck), folder / "log", folder / "copy.parquet"
    connection = duck.open_duck()

    def copy() -> float:
        return clock(lambda: duck.copy_cloud_events(connection, lines, target))

    pairs = measure_pairs(ingest_fresh(lines, log), copy, seconds=scale.seconds)
    copied = duck.fetch_rows(connection, f"{DUCK_TOTALS} from '{target}' group by all")
    with open_log(log) as session:
        require_equal("events and amounts by type", totals(session), copied)
    detail = {
        "peer": "DuckDB COPY (read_json) to Parquet",
        "threads": duck.THREADS,
        "lines": sizes.duck,
        "bytes": lines.stat().st_size,
    }
    return compare_times("copy / ingest", pairs, 0.4, speed=True, detail=detail)


def measure_sdk(folder: Path, sizes: Sizes, scale: Scale) -> Part:
    lines, log, stock = write_lines(folder, sizes.sdk), folder / "log", folder / "stock"

    def read() -> float:
        shutil.rmtree(stock, ignore_errors=True)
        table = open_table(stock, sdk.SCHEMA)  # made before the clock starts, as the log is
        return clock(lambda: sdk.ingest_lines(lines, table))

    pairs = measure_pairs(ingest_fresh(lines, log), read, again=sizes.sdk_again, seconds=scale.seconds)
    with open_log(log) as session:
        expected = open_table(stock, sdk.SCHEMA).scan().to_arrow().group_by("event_type").aggregate([("data", "count")])
        counts = [row[:2] for row in totals(session)]
        require_equal("events by type", counts, sorted(zip(*expected.to_pydict().values(), strict=True)))
    detail = {"peer": "cloudevents SDK, then PyIceberg Table.append", "lines": sizes.sdk}
    return compare_times("sdk / ingest", pairs, 10.0, speed=True, detail=detail)


def totals(session: "Session") -> list[tuple[Any, ...]]:
    """Return events and amounts by type as the log has them, sorted."""
    return sorted(session.sql(f"{TOTALS} from events_stored group by event_type").rows())
