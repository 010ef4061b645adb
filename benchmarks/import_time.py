"""What `import workbench` costs beyond starting Python: at most 150 ms."""

import subprocess
import sys
import time

from benchmarks.harness import MIN_PAIRS, Part, Scale, estimate_median, measure_pairs, milliseconds, show_estimate

LIMIT_MS = 150.0
ROUNDS = {Scale.SMOKE: 2 * MIN_PAIRS, Scale.DEFAULT: 4 * MIN_PAIRS, Scale.FULL: 8 * MIN_PAIRS}


def run(scale: Scale) -> list[Part]:
    """Return the milliseconds more, as a share of what is allowed."""
    pairs = measure_pairs(lambda: start("import workbench"), lambda: start("pass"), pairs=ROUNDS[scale])
    more = [(product - peer) * 1000 / LIMIT_MS for product, peer in zip(pairs.product, pairs.peer, strict=True)]
    noise = [(again - peer) * 1000 / LIMIT_MS for again, peer in zip(pairs.again, pairs.peer, strict=True)]
    estimate = estimate_median(more)
    detail = {
        "peer": "python -c pass",
        "ratio_is": f"(product - peer) / {LIMIT_MS:g} ms",
        "more_ms": round(estimate.ratio * LIMIT_MS, 1),
        "product_p50_ms": milliseconds(pairs.product),
        "peer_p50_ms": milliseconds(pairs.peer),
        "pairs": len(more),
        "a_a": show_estimate(estimate_median(noise)),
    }
    return [Part(name="import_ms_more / 150", estimate=estimate, limit=1.0, detail=detail)]


def start(statement: str) -> float:
    """Return the seconds a fresh interpreter takes to run one statement and end."""
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], check=True)
    return time.perf_counter() - begin
