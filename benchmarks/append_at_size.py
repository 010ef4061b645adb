"""Appending 100 events, half of them stored before anywhere in the log, costs the same in 50 M as in 1 M events."""

import json
import shutil
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.data import Story
from benchmarks.harness import (
    MIN_PAIRS,
    Part,
    Run,
    Scale,
    clock,
    compare_times,
    limit_median,
    measure_pairs,
    require_equal,
)
from benchmarks.logs import cached_log, is_kept, make_events, open_log, pick_numbers

if TYPE_CHECKING:
    from workbench.session import Session

NEW = KNOWN = 50
LIMIT_MS = 100.0
# Events a log; the first is the peer. The largest is built in the full run and used in every run once it is there.
SIZES = {
    Scale.SMOKE: (20_000, 200_000),
    Scale.DEFAULT: (1_000_000, 10_000_000),
    Scale.FULL: (1_000_000, 10_000_000, 50_000_000),
}
LARGEST = 50_000_000
PAIRS = {Scale.SMOKE: MIN_PAIRS, Scale.DEFAULT: 2 * MIN_PAIRS, Scale.FULL: 4 * MIN_PAIRS}


def run(scale: Scale) -> list[Part]:
    """Return for each larger size its ratio to the smallest and its p50, the largest size first."""
    stories = [Story(total=size, streams=max(1, size // 50)) for size in SIZES[scale]]
    if scale is Scale.DEFAULT and is_kept(Story(total=LARGEST, streams=LARGEST // 50)):
        stories.append(Story(total=LARGEST, streams=LARGEST // 50))
    elif scale is Scale.DEFAULT:
        print(
            f"append_at_size: {LARGEST:,} events need --full once; measured up to {SIZES[scale][-1]:,}.",
            file=sys.stderr,
        )
    with ExitStack() as stack:
        sessions = [stack.enter_context(open_log(cached_log(story))) for story in stories]
        rebuild = rebuilt_index(stories[-1], sessions[-1])
        parts = [
            part
            for story, session in reversed(list(zip(stories[1:], sessions[1:], strict=True)))
            for part in measure_size((story, session), (stories[0], sessions[0]), scale)
        ]
    parts[0].detail["index_rebuild"] = rebuild
    return parts


def measure_size(large: tuple[Story, "Session"], small: tuple[Story, "Session"], scale: Scale) -> Sequence[Part]:
    """Return the ratio of one size to the smallest, and its p50."""
    taken = measure_pairs(append_mixed(*large), append_mixed(*small), pairs=PAIRS[scale], seconds=scale.seconds)
    size = f"{large[0].total // 1000:,}k"
    detail = {"events": large[0].total, "peer": f"own p50 at {small[0].total:,} events", "new": NEW, "known": KNOWN}
    return [
        compare_times(f"append_{size} / append_{small[0].total // 1000:,}k", taken, 1.5, detail=detail),
        limit_median(f"append_{size}_p50_ms", taken.product, LIMIT_MS, detail={"events": large[0].total}),
    ]


def append_mixed(story: Story, session: "Session") -> Run:
    """Return a run that appends 50 new events shuffled with 50 stored ones, and checks every position.

    Event number n of a story stands at position n of its log, also those that earlier runs added.
    """
    draw = np.random.default_rng(session.head().event_count)

    def timed_append() -> float:
        stored = session.head().event_count
        known = pick_numbers(stored, KNOWN, seed=int(draw.integers(1 << 32)))
        numbers = draw.permutation(np.concatenate([known, np.full(NEW, stored)]))
        numbers[numbers == stored] = np.arange(stored, stored + NEW)
        events = make_events(story.rows(numbers))
        receipts = []
        seconds = clock(lambda: receipts.append(session.append(events)))
        receipt = receipts[0]
        require_equal("positions", list(receipt.positions), numbers.tolist())
        require_equal("appended, duplicates", (receipt.appended_count, receipt.duplicate_count), (NEW, KNOWN))
        return seconds

    return timed_append


def rebuilt_index(story: Story, session: "Session") -> dict[str, float]:
    """Return how long it took to rebuild a log's index; done once for each format of the index, and then remembered."""
    from workbench.eventlog.index.runs import MAGIC

    kept = session.settings.folder.parent / f"rebuilt-{MAGIC.decode()}.json"
    if not kept.is_file():
        kept.write_text(json.dumps(rebuild_index(story, session)), encoding="utf-8")
    remembered: dict[str, float] = json.loads(kept.read_text(encoding="utf-8"))
    return remembered


def rebuild_index(story: Story, session: "Session") -> dict[str, float]:
    """Remove what a log derives beside itself, append once, and return how long that took."""
    shutil.rmtree(session.settings.folder / "derived", ignore_errors=True)
    with open_log(session.settings.folder) as anew:
        return {"events": story.total, "seconds": round(append_mixed(story, anew)(), 2)}
