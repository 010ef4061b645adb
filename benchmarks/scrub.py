"""One entity's state at random instants, out of a log with late, far-future and 1970 events: as_of, known_at, both."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from benchmarks.data import SPAN, START
from benchmarks.harness import Estimate, Part, Scale, clock, estimate_quantile, require_equal
from benchmarks.logs import open_log, pick_numbers
from benchmarks.scrub_story import PROJECTION, cached_scrub_log, make_story

if TYPE_CHECKING:
    from workbench.replay.projection import Projection
    from workbench.session import Session

LIMIT_MS = 50.0
GROWTH = 2.0
SIZES = {Scale.SMOKE: (500_000,), Scale.DEFAULT: (5_000_000,), Scale.FULL: (5_000_000, 50_000_000)}
RUNS = {Scale.SMOKE: 40, Scale.DEFAULT: 200, Scale.FULL: 400}
CHECKED = 10
KINDS: Mapping[str, Sequence[str]] = {"as_of": ["as_of"], "known_at": ["known_at"], "both": ["as_of", "known_at"]}


def run(scale: Scale) -> list[Part]:
    """Return the p95 of each kind of cut, at each size, and how it grows from the smallest log to the largest."""
    taken = {size: measure_log(size, RUNS[scale]) for size in SIZES[scale]}
    parts = []
    for kind in KINDS:
        for size, seconds in taken.items():
            estimate = estimate_quantile(np.asarray(seconds[kind]) * 1000, 0.95)
            detail = {"events": size, "entities": make_story(size).streams, "runs": len(seconds[kind])}
            parts.append(Part(name=f"scrub_{kind}_p95_ms", estimate=estimate, limit=LIMIT_MS, detail=detail))
        if len(taken) > 1:
            least, most = min(taken), max(taken)
            growth = estimate_growth(taken[least][kind], taken[most][kind])
            detail = {"from": least, "to": most}
            parts.append(Part(name=f"scrub_{kind}_p95_growth", estimate=growth, limit=GROWTH, detail=detail))
    return parts


def estimate_growth(small: Sequence[float], large: Sequence[float]) -> Estimate:
    """Return the ratio of two p95, with the interval that both theirs leave."""
    below, above = (estimate_quantile(seconds, 0.95) for seconds in (small, large))
    return Estimate(above.ratio / below.ratio, above.low / below.high, above.high / below.low)


def measure_log(size: int, runs: int) -> dict[str, list[float]]:
    """Return the seconds of each question, by kind of cut; the answers are compared with a bare fold first."""
    from workbench.replay.declaration import make_projection

    story, projection = make_story(size), make_projection(PROJECTION)
    with open_log(cached_scrub_log(size)) as session:
        names = story.stream_ids(pick_numbers(story.streams, runs, seed=size)).to_pylist()
        drawn = np.random.default_rng(size).random((len(KINDS), runs, 2))
        cuts = {
            kind: [
                {name: START + SPAN * (0.1 + 0.9 * float(share)) for name, share in zip(axes, pair, strict=False)}
                for pair in drawn[number]
            ]
            for number, (kind, axes) in enumerate(KINDS.items())
        }
        for number in range(CHECKED):
            for kind in KINDS:
                check_state(session, projection, names[number], cuts[kind][number])
        return {
            kind: [clock(asking(session, projection, name, cut)) for name, cut in zip(names, cuts[kind], strict=True)]
            for kind in KINDS
        }


def asking(session: "Session", projection: "Projection", name: str, cut: Mapping[str, Any]) -> Any:
    """Return what asks for a state; an entity that is not there yet is an answer too."""
    from workbench.errors import UnknownEntityError

    def ask() -> Any:
        try:
            return session.state(projection, stream_id=name, **cut).row(0)
        except UnknownEntityError:
            return None

    return ask


def check_state(session: "Session", projection: "Projection", name: str, cut: Mapping[str, Any]) -> None:
    """Compare a state with a fold of a few lines over the entity's events."""
    balance, channel, stage, count = 0, None, None, 0
    for event in session.events(stream_ids=[name], **cut).iter_rows(named=True):
        payload = msgspec.json.decode(event["data"])
        if event["event_type"] in ("MoneyDeposited", "CardUsed"):
            balance += payload["amount"]
        if event["event_type"] in ("LimitChanged", "LetterSent", "AddressChanged", "BalanceChecked"):
            stage = event["event_type"]
        channel, count = payload["channel"], count + 1
    found = asking(session, projection, name, cut)()
    shown = None if found is None else (int(found[1] or 0), *found[2:5])
    require_equal(f"state of {name} at {cut}", shown, (balance, channel, stage, count) if count else None)
