"""The density over time by type of 10 M events, whole and in windows, against the same count in raw DuckDB."""

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np

from benchmarks import duck
from benchmarks.data import SPAN, START, Story
from benchmarks.harness import (
    MIN_PAIRS,
    Part,
    Scale,
    clock,
    compare_times,
    fixed_part,
    measure_pairs,
    milliseconds,
    require_equal,
)
from benchmarks.logs import cached_log, event_files, open_log
from benchmarks.places import temporary_folder

if TYPE_CHECKING:
    from workbench.session import Session
    from workbench.views.grain import Grain
    from workbench.views.timeline.choices import TimelineChoices

EVENTS = {Scale.SMOKE: 500_000, Scale.DEFAULT: 10_000_000, Scale.FULL: 10_000_000}
PAIRS = {Scale.SMOKE: MIN_PAIRS, Scale.DEFAULT: 2 * MIN_PAIRS, Scale.FULL: 4 * MIN_PAIRS}
WINDOWS = {"whole": 1.0, "10_percent": 0.1, "1_percent": 0.01}
WIDTH = 1_600
MOST_BYTES = 100_000


def run(scale: Scale) -> list[Part]:
    """Return a part for each window and one for the largest chart spec."""
    story = Story(total=EVENTS[scale], streams=EVENTS[scale] // 50)
    with temporary_folder() as folder, open_log(cached_log(story)) as session, duck.open_duck() as connection:
        target = folder / "by-time.parquet"
        duck.write_sorted(connection, event_files(session), target, "occurred_at, position")
        sides = (session, connection, f"'{target}'")
        parts = [measure_window(name, share, sides, scale) for name, share in WINDOWS.items()]
    largest = max(int(part.detail["spec_bytes"]) for part in parts)
    return [*parts, fixed_part("chart_spec_bytes / 100 kB", largest / MOST_BYTES, 1.0, detail={"bytes": largest})]


def choose_windows(share: float, count: int) -> "list[TimelineChoices]":
    """Return different windows of one length; of the whole log, the ends move by microseconds."""
    from workbench.views.timeline.choices import TimelineChoices

    drawn = np.random.default_rng(int(share * 100)).random(count)
    length = SPAN * share
    starts = [START + (SPAN - length) * float(place) for place in drawn]
    slack = [timedelta(microseconds=number if share == 1 else 0) for number in range(count)]
    return [
        TimelineChoices(since=start - wider, until=start + length + wider)
        for start, wider in zip(starts, slack, strict=True)
    ]


def measure_window(
    name: str, share: float, sides: tuple["Session", duckdb.DuckDBPyConnection, str], scale: Scale
) -> Part:
    """Time the bars of one length of window; what the whole view takes, chart included, stands in the detail."""
    from workbench.charts.lanes import geometry
    from workbench.views.grain import choose_grain
    from workbench.views.timeline.density import show_timeline
    from workbench.views.timeline.overview import count_bars

    session, connection, events = sides
    windows = choose_windows(share, 3 * PAIRS[scale])
    grain = choose_grain((SPAN * share).total_seconds(), geometry(0, WIDTH)["width"])
    for window in windows[:2]:
        bars = count_bars(session, window, grain).select("event_type", "start", "events").rows()
        require_equal(f"bars of {name}", sorted(bars), duck.fetch_rows(connection, raw_bars(window, grain, events)))
    product, peer = iter(windows), iter(windows)

    def ask_product() -> float:
        window = next(product)
        return clock(lambda: count_bars(session, window, grain))

    def ask_peer() -> float:
        statement = raw_bars(next(peer), grain, events)
        return clock(lambda: connection.sql(statement).pl())

    pairs = PAIRS[scale]
    taken = measure_pairs(ask_product, ask_peer, pairs=pairs, again=pairs // 2, seconds=scale.seconds)
    views, specs = draw_views(session, windows[-5:], show_timeline)
    detail = {
        "peer": "DuckDB over one time-ordered file",
        "threads": duck.THREADS,
        "grain": grain.words,
        "view_with_chart_p50_ms": milliseconds(views),
        "spec_bytes": max(specs),
    }
    return compare_times(f"timeline_{name} / raw", taken, 1.3, detail=detail)


def draw_views(session: "Session", windows: "Sequence[TimelineChoices]", show: Any) -> tuple[list[float], list[int]]:
    """Return the seconds of drawing each window's view to its chart spec, and the spec's bytes."""
    specs: list[str] = []
    seconds = [
        clock(lambda window=window: specs.append(show(session, window, width=WIDTH).chart.to_json(indent=None)))  # type: ignore[misc]  # bound now
        for window in windows
    ]
    return seconds, [len(spec.encode()) for spec in specs]


def raw_bars(choices: "TimelineChoices", grain: "Grain", events: str) -> str:
    """Return the count by type and bar as one would write it for DuckDB alone: whole numbers, no function in WHERE."""
    unit = grain.seconds * 1_000_000
    shift = grain.anchor * 1_000_000
    start = f"((epoch_us(occurred_at) - {shift}) // {unit}) * {grain.seconds} + {grain.anchor}"
    where = f"occurred_at >= timestamptz '{choices.since}' and occurred_at < timestamptz '{choices.until}'"
    return f"select event_type, {start} as start, count(*) as events from {events} where {where} group by all"
