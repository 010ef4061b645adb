"""Measure a product against a peer in interleaved pairs, and say in one JSON line whether its goal holds.

A ratio is the median over pairs that ran one right after the other, the order alternating, because two shared cores
drift by tens of percent within a minute. Its interval is a percentile bootstrap over the pairs. A goal is missed only
when the interval's better end misses it.
"""

import gc
import time
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final

import msgspec
import numpy as np

MIN_PAIRS: Final = 15
LEAST_PAIRS: Final = 5
SMOKE_SECONDS: Final = 14.0
RESAMPLES: Final = 4000
SEED: Final = 20261121

# One run of one side: does it, and returns the seconds of the part that counts.
Run = Callable[[], float]


class Scale(StrEnum):
    """How large the inputs are."""

    SMOKE = "smoke"
    DEFAULT = "default"
    FULL = "full"

    @property
    def seconds(self) -> float | None:
        """How long one part of a task may measure: a smoke run ends in 60 s also where others use the machine."""
        return SMOKE_SECONDS if self is Scale.SMOKE else None


class Estimate(msgspec.Struct, frozen=True):
    """A median and its bootstrap 95 % interval."""

    ratio: float
    low: float
    high: float


class Pairs(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds of product and peer, pair by pair, and of the peer once more (shorter, where the peer is slow)."""

    product: Sequence[float]
    peer: Sequence[float]
    again: Sequence[float]


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One measured goal of a task. ``limit`` is the most the ratio may be, or with ``at_least`` the least."""

    name: str
    estimate: Estimate
    limit: float
    at_least: bool = False
    detail: dict[str, Any] = msgspec.field(default_factory=dict)

    @property
    def goal(self) -> str:
        """The goal in words a person and a program can read."""
        return f"{self.name} {'>=' if self.at_least else '<='} {self.limit:g}"

    @property
    def holds(self) -> bool:
        """Whether the better end of the interval reaches the goal."""
        return self.estimate.high >= self.limit if self.at_least else self.estimate.low <= self.limit


class UnequalAnswersError(AssertionError):
    """Product and peer do not give the same answer, so their times say nothing."""


class PeerMissingError(RuntimeError):
    """The peer cannot be had here, so the goal cannot be measured."""


class StackMissingError(RuntimeError):
    """Trino, REST catalog and MinIO neither run here nor can be started, so the task is left out."""


def clock(call: Callable[[], Any]) -> float:
    """Return the seconds that ``call`` takes, with the garbage of whatever ran before collected first."""
    gc.collect()
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def timed(call: Callable[[], Any]) -> Run:
    """Return a run that is timed as a whole."""
    return lambda: clock(call)


def measure_pairs(
    product: Run, peer: Run, *, pairs: int = MIN_PAIRS, again: int | None = None, seconds: float | None = None
) -> Pairs:
    """Run ``pairs`` rounds of product and peer, the order alternating, and the peer once more in the first ``again``.

    One untimed round goes first, so that imports and file lists are warm on both sides. Within a round the two runs
    that are compared stand next to each other: product, peer, peer or peer, peer, product. After ``seconds`` no round
    begins, unless there were fewer than five.
    """
    deadline = float("inf") if seconds is None else time.perf_counter() + seconds
    product(), peer()
    repeats = pairs if again is None else again
    taken: tuple[list[float], list[float], list[float]] = ([], [], [])
    for number in range(pairs):
        if number >= LEAST_PAIRS and time.perf_counter() > deadline:
            break
        sides = [(0, product), (1, peer)] + ([(2, peer)] if number < repeats else [])
        for side, run in sides if number % 2 == 0 else reversed(sides):
            taken[side].append(run())
    return Pairs(product=taken[0], peer=taken[1], again=taken[2])


def estimate_ratio(above: Sequence[float], below: Sequence[float]) -> Estimate:
    """Return the median of ``above[i] / below[i]`` with its bootstrap 95 % interval."""
    return estimate_median(np.asarray(above) / np.asarray(below))


def estimate_median(figures: Sequence[float] | np.ndarray[Any, np.dtype[np.float64]]) -> Estimate:
    """Return the median of ``figures`` with its bootstrap 95 % interval. The same figures give the same interval."""
    return estimate_quantile(figures, 0.5)


def estimate_quantile(figures: Sequence[float] | np.ndarray[Any, np.dtype[np.float64]], share: float) -> Estimate:
    """Return the figure below which ``share`` of the figures lie, with its bootstrap 95 % interval."""
    observed = np.asarray(figures, dtype=np.float64)
    drawn = np.random.default_rng(SEED).integers(0, len(observed), size=(RESAMPLES, len(observed)))
    low, high = np.quantile(np.quantile(observed[drawn], share, axis=1), [0.025, 0.975])
    return Estimate(float(np.quantile(observed, share)), float(low), float(high))


def compare_times(name: str, pairs: Pairs, limit: float, *, detail: Mapping[str, Any], speed: bool = False) -> Part:
    """Return the part that holds product ÷ peer at or below ``limit``; with ``speed`` peer ÷ product at or above it."""
    above, below = (pairs.peer, pairs.product) if speed else (pairs.product, pairs.peer)
    facts = {
        "product_p50_ms": milliseconds(pairs.product),
        "peer_p50_ms": milliseconds(pairs.peer),
        "pairs": len(pairs.product),
        "a_a": show_estimate(estimate_ratio(pairs.again, pairs.peer[: len(pairs.again)])) if pairs.again else None,
    }
    return Part(
        name=name, estimate=estimate_ratio(above, below), limit=limit, at_least=speed, detail={**facts, **detail}
    )


def fixed_part(name: str, figure: float, limit: float, *, detail: Mapping[str, Any]) -> Part:
    """Return a part for a figure that is counted, not timed: its interval is the figure itself."""
    return Part(name=name, estimate=Estimate(figure, figure, figure), limit=limit, detail=dict(detail))


def limit_median(name: str, seconds: Sequence[float], limit_ms: float, *, detail: Mapping[str, Any]) -> Part:
    """Return the part that holds the median of ``seconds`` at or below ``limit_ms``."""
    estimate = estimate_median(np.asarray(seconds) * 1000)
    return Part(name=name, estimate=estimate, limit=limit_ms, detail={"runs": len(seconds), **detail})


def milliseconds(seconds: Sequence[float]) -> float:
    """Return the median in milliseconds, to three digits behind the point."""
    return round(float(np.median(seconds)) * 1000, 3)


def require_equal(what: str, product: Any, peer: Any) -> None:
    """Refuse to compare times of different answers."""
    if product != peer:
        raise UnequalAnswersError(f"{what}: the product answers {str(product)[:300]}, the peer {str(peer)[:300]}.")


def show_estimate(estimate: Estimate) -> dict[str, float]:
    """Return an estimate as JSON, rounded to what it can carry."""
    return {name: round(getattr(estimate, name), 4) for name in ("ratio", "low", "high")}


def task_line(task: str, parts: Sequence[Part], scale: Scale) -> str:
    """Return the JSON line of a task: the first part that misses, else the first; all parts stand in its detail."""
    shown = next((part for part in parts if not part.holds), parts[0])
    listed = [show_estimate(part.estimate) | {"goal": part.goal, "holds": part.holds} | part.detail for part in parts]
    line = {
        "task": task,
        **show_estimate(shown.estimate),
        "goal": shown.goal,
        "holds": all(part.holds for part in parts),
        "detail": {"scale": str(scale), "parts": listed},
    }
    return msgspec.json.encode(line).decode()


def missing_line(task: str, reason: str, scale: Scale) -> str:
    """Return the JSON line of a task that could not be measured: a goal that was not shown does not hold."""
    line = {"task": task, "ratio": None, "low": None, "high": None, "goal": None, "holds": False}
    return msgspec.json.encode({**line, "detail": {"scale": str(scale), "not_measured": reason}}).decode()


def skipped_line(task: str, reason: str, scale: Scale) -> str:
    """Return the JSON line of a task that was left out, as what it runs against cannot be had here."""
    line = {"task": task, "ratio": None, "low": None, "high": None, "goal": None, "holds": None}
    return msgspec.json.encode({**line, "detail": {"scale": str(scale), "skipped": reason}}).decode()
