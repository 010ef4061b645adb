"""The thousandth commit costs what the first did, far less than stock PyIceberg's, and leaves little behind."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

import workbench
from benchmarks.data import Story
from benchmarks.harness import (
    MIN_PAIRS,
    Part,
    Run,
    Scale,
    clock,
    compare_times,
    fixed_part,
    measure_pairs,
    require_equal,
)
from benchmarks.logs import live_bytes, make_batches, make_events, open_log
from benchmarks.places import folder_bytes, restore, temporary_folder
from benchmarks.stock import build_table, open_table

EVENTS = 100
STORY = Story(total=200_000, streams=2_000)
# The goals are for 1,000 commits. Stock's append grows with the count, so at fewer the factor asked is less.
GOAL_COMMITS = 1_000
FASTER = 10.0

Batch = Sequence[workbench.Event]


class Sizes(msgspec.Struct, frozen=True):
    """How many commits come before, how many are timed as one block, and how often."""

    before: int
    block: int
    pairs: int
    again: int
    seconds: float | None


SIZES = {
    Scale.SMOKE: Sizes(96, 16, MIN_PAIRS, 4, Scale.SMOKE.seconds),
    Scale.DEFAULT: Sizes(950, 50, MIN_PAIRS, MIN_PAIRS, None),
    Scale.FULL: Sizes(950, 50, 2 * MIN_PAIRS, MIN_PAIRS, None),
}


def run(scale: Scale) -> list[Part]:
    """Return growth, speed against stock, and bytes on disk against live ones."""
    sizes = SIZES[scale]
    with temporary_folder() as folder:
        early, late = folder / "early", folder / "late"
        append_all(early, [])
        append_all(late, make_batches(STORY, 0, sizes.before, EVENTS))
        for place in (early, late):
            restore(place, kept(place))
        return [measure_growth(late, early, sizes), measure_stock(folder, late, sizes), measure_bytes(late, sizes)]


def kept(place: Path) -> Path:
    return place.with_name(f"{place.name}-kept")


def append_all(place: Path, batches: Sequence[Batch]) -> None:
    with open_log(place) as session:
        for batch in batches:
            session.append(batch)


def measure_growth(late: Path, early: Path, sizes: Sizes) -> Part:
    """Time a whole block of commits at the end against one at the beginning, merges included."""
    late_batches = make_batches(STORY, sizes.before * EVENTS, sizes.block, EVENTS)
    early_batches = make_batches(STORY, 0, sizes.block, EVENTS)
    late_run, early_run = append_block(late, late_batches), append_block(early, early_batches)
    pairs = measure_pairs(late_run, early_run, pairs=sizes.pairs, again=sizes.again, seconds=sizes.seconds)
    last = sizes.before + sizes.block
    detail = {
        "peer": f"own commits 1-{sizes.block}",
        "product": f"commits {sizes.before + 1}-{last} of {EVENTS} events",
    }
    return compare_times("commits_late / commits_early", pairs, 1.5, detail=detail)


def append_block(place: Path, batches: Sequence[Batch]) -> Run:
    """Return a run that puts a log back to where it was and times a block of commits to it."""

    def timed_block() -> float:
        restore(kept(place), place)
        with open_log(place) as session:
            return clock(lambda: [session.append(batch) for batch in batches])

    return timed_block


def measure_stock(folder: Path, late: Path, sizes: Sizes) -> Part:
    """Time single commits behind ``sizes.before`` others, ours against `Table.append`."""
    rounds = sizes.pairs + sizes.again + 2
    tables = [STORY.rows_of_batch(number, EVENTS) for number in range(sizes.before + rounds)]
    build_table(folder / "stock", tables[: sizes.before])
    stock = open_table(folder / "stock", tables[0].schema)
    restore(kept(late), late)
    with open_log(late) as session:
        product = append_each(session.append, [make_events(table) for table in tables[sizes.before :]])
        peer = append_each(stock.append, tables[sizes.before :])
        pairs = measure_pairs(product, peer, pairs=sizes.pairs, again=sizes.again, seconds=sizes.seconds)
        # One round more than was timed went first.
        stored = [sizes.before + 1 + len(pairs.product), sizes.before + 1 + len(pairs.peer) + len(pairs.again)]
        counts = [session.head().event_count, stock.scan().count()]
        require_equal("events of log and stock table", counts, [commits * EVENTS for commits in stored])
    faster = FASTER * min(1.0, (sizes.before + sizes.block) / GOAL_COMMITS)
    detail = {"peer": "PyIceberg Table.append", "snapshots_before": sizes.before}
    return compare_times("stock_append / append", pairs, faster, speed=True, detail=detail)


def append_each(append: Callable[[Any], Any], batches: Sequence[Any]) -> Run:
    """Return a run that appends the next batch each time."""
    following = iter(batches)

    def timed_append() -> float:
        batch = next(following)
        return clock(lambda: append(batch))

    return timed_append


def measure_bytes(late: Path, sizes: Sizes) -> Part:
    """Count what is on disk after all commits and `maintain`, against what the current snapshots need."""
    restore(kept(late), late)
    append_all(late, make_batches(STORY, sizes.before * EVENTS, sizes.block, EVENTS))
    before = folder_bytes(late)
    with open_log(late) as session:
        session.maintain()
    on_disk, live = folder_bytes(late), live_bytes(late)
    detail = {"on_disk": on_disk, "live": live, "before_maintain": before, "commits": sizes.before + sizes.block}
    return fixed_part("bytes_on_disk / live", on_disk / live, 1.5, detail=detail)
