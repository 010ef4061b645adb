"""All text measures of MLQE-PE's pairs, against sacrebleu's TER and chrF called pair by pair."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

from benchmarks.harness import (
    MIN_PAIRS,
    Part,
    PeerMissingError,
    Scale,
    compare_times,
    measure_pairs,
    require_equal,
    timed,
)

TIMES_FASTER: Final = 5.0
PAIRS: Final = Path(__file__).resolve().parents[2] / "shared" / "data" / "mlqe-pe" / "pairs.parquet"
# Pairs a round; sacrebleu takes 45 s for all. Before that, numbers are compared on all, in a smoke run on those.
SIZES: Final = {Scale.SMOKE: 3_000, Scale.DEFAULT: 6_000, Scale.FULL: 36_000}
AGAIN: Final = 3

Texts = Sequence[tuple[str, str]]


def run(scale: Scale) -> list[Part]:
    """Return how many times as long as all our measures sacrebleu's two take, the same pairs on the same cores."""
    pairs = load_pairs()
    chosen = np.random.default_rng(7).permutation(len(pairs))
    texts = [pairs[index] for index in chosen[: SIZES[scale]]]
    check_numbers(texts if scale is Scale.SMOKE else pairs)
    from workbench.deltas.text import metrics

    taken = measure_pairs(
        timed(lambda: metrics.measure_pairs(texts, tokenised=True)),
        timed(lambda: measure_peer(texts)),
        pairs=MIN_PAIRS,
        again=AGAIN,
        seconds=scale.seconds,
    )
    detail = {"text_pairs": len(texts), "peer": "sacrebleu TER and CHRF, sentence_score"}
    return [compare_times("delta_measures_times_faster", taken, TIMES_FASTER, detail=detail, speed=True)]


def load_pairs() -> list[tuple[str, str]]:
    """Return proposal and value of each pair of MLQE-PE, or say that it is not here."""
    if not PAIRS.is_file():
        raise PeerMissingError("MLQE-PE is not at ../shared/data/mlqe-pe, so there are no pairs to measure.")
    return list(pl.read_parquet(PAIRS).select("mt", "pe").iter_rows())


def measure_peer(texts: Texts) -> list[tuple[int, int, float]]:
    """Return TER's edits, the value's words and chrF of each pair as sacrebleu has them."""
    from sacrebleu.metrics.chrf import CHRF
    from sacrebleu.metrics.ter import TER

    ter, chrf = TER(), CHRF()
    found = []
    for proposed, value in texts:
        edits: Any = ter.sentence_score(proposed, [value])
        found.append((edits.num_edits, int(edits.ref_length), chrf.sentence_score(proposed, [value]).score))
    return found


def check_numbers(texts: Texts) -> None:
    """Compare our numbers with the peer's, one by one."""
    from workbench.deltas.text.metrics import measure_pairs as measure

    ours = [(one.ter_edits, one.ter_words, one.chrf) for one in measure(texts, tokenised=True)]
    for pair, product, peer in zip(texts, ours, measure_peer(texts), strict=True):
        require_equal(f"measures of {pair!r}", product, peer)
