"""chrF: how many runs of characters a proposal and its value share. Pure."""

from collections import Counter
from typing import Final

# Popović's: runs of one to six characters, recall twice as important as precision.
ORDER: Final = 6
BETA: Final = 2
# Characters of both texts that differ, above which runs are not counted: 0.5 s.
MAX_CHARACTERS: Final = 120_000


def measure_chrf(proposed: str, value: str) -> float | None:
    """Return chrF2 of a proposal (hypothesis) against its value (reference), 0 to 100; None for texts far too long.

    Popović, chrF: character n-gram F-score for automatic MT evaluation, WMT 2015, with the defaults of sacrebleu's
    ``CHRF``: white space left out, orders that either text is too short for left out. Per order, precision is the runs
    both have ÷ runs of the proposal, recall the same ÷ runs of the value; of their means P and R it is 5PR ÷ (4P + R).
    """
    hypothesis, reference = "".join(proposed.split()), "".join(value.split())
    orders = min(ORDER, len(hypothesis), len(reference))
    if not orders:
        return 0.0
    if hypothesis == reference:
        return 100.0
    head, tail = _shared_ends(hypothesis, reference)
    if len(hypothesis) + len(reference) - 2 * (head + tail) > MAX_CHARACTERS:
        return None
    precision = recall = 0.0
    for order in range(1, orders + 1):
        # What both begin and end with, both have: it is counted without being looked at.
        beyond = order - 1
        ours = hypothesis[max(0, head - beyond) : len(hypothesis) - max(0, tail - beyond)]
        theirs = reference[max(0, head - beyond) : len(reference) - max(0, tail - beyond)]
        shared = max(0, head - beyond) + max(0, tail - beyond) + _count_shared(ours, theirs, order)
        precision += shared / (len(hypothesis) - beyond)
        recall += shared / (len(reference) - beyond)
    precision, recall = precision / orders, recall / orders
    if not precision + recall:
        return 0.0
    weight = BETA**2
    return 100 * ((1 + weight) * precision * recall / (weight * precision + recall))


def _shared_ends(one: str, other: str) -> tuple[int, int]:
    from workbench.deltas.alignment import common_prefix

    head = common_prefix(one, other)
    return head, common_prefix(one[head:][::-1], other[head:][::-1])


def _count_shared(one: str, other: str, order: int) -> int:
    ours = Counter([one[start : start + order] for start in range(len(one) - order + 1)])
    theirs = Counter([other[start : start + order] for start in range(len(other) - order + 1)])
    return sum([min(count, theirs[run]) for run, count in ours.items() if run in theirs])
