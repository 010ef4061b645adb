"""How a field's values are spread over 200,000 entities at random instants: from a read model, against a fold."""

import itertools
from collections.abc import Iterator
from datetime import datetime

import numpy as np

from benchmarks.data import SPAN, START
from benchmarks.harness import (
    MIN_PAIRS,
    Part,
    Scale,
    clock,
    compare_times,
    estimate_quantile,
    measure_pairs,
    require_equal,
)
from benchmarks.logs import open_log
from benchmarks.scrub_story import PROJECTION, cached_scrub_log, make_story

LIMIT_MS = 150.0
TIMES_FASTER = 10.0
FIELDS = ("stage", "channel")
EVENTS = {Scale.SMOKE: 200_000, Scale.DEFAULT: 10_000_000, Scale.FULL: 10_000_000}
CHECKED = 3
MORE = 100


def run(scale: Scale) -> list[Part]:
    """Return the p95 of a population at an instant, and how much quicker than folding everything that is."""
    from workbench.replay.declaration import make_projection

    projection, size = make_projection(PROJECTION), EVENTS[scale]
    # Of another name, nothing is kept of it: each population folds every event.
    folded = make_projection({**PROJECTION, "name": "folded"})
    with open_log(cached_scrub_log(size)) as session:
        # Kept with the log: only the first run makes it.
        session.materialise(projection, fields=FIELDS)
        for moment in itertools.islice(instants(), CHECKED):
            for field in FIELDS:
                kept = session.population(projection, field, as_of=moment).rows()
                whole = session.population(folded, field, as_of=moment).rows()
                require_equal(f"{field} at {moment}", kept, whole)
        ours, theirs = itertools.cycle(FIELDS), itertools.cycle(FIELDS)
        moments, others = instants(), instants()

        def ask_kept() -> float:
            moment, field = next(moments), next(ours)
            return clock(lambda: session.population(projection, field, as_of=moment))

        def fold_all() -> float:
            moment, field = next(others), next(theirs)
            return clock(lambda: session.population(folded, field, as_of=moment))

        seconds = [ask_kept() for _ in range(MORE)]
        pairs = measure_pairs(ask_kept, fold_all, pairs=MIN_PAIRS, again=0, seconds=scale.seconds)
    detail = {"events": size, "entities": make_story(size).streams}
    # What a fold costs grows with the log; what steps cost does not.
    faster = max(1.0, TIMES_FASTER * size / EVENTS[Scale.DEFAULT])
    estimate = estimate_quantile(np.asarray(seconds) * 1000, 0.95)
    return [
        Part(name="population_p95_ms", estimate=estimate, limit=LIMIT_MS, detail={**detail, "runs": len(seconds)}),
        compare_times("full fold / population", pairs, faster, speed=True, detail=detail),
    ]


def instants() -> Iterator[datetime]:
    """Yield random instants of the story's year, the same each time."""
    drawn = np.random.default_rng(MORE)
    while True:
        yield START + SPAN * float(drawn.random())
