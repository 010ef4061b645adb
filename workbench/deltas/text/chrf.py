"""chrF: how many runs of characters a proposal and its value share. Pure."""

from collections import Counter
from collections.abc import Container
from itertools import chain
from typing import Final

from workbench.deltas.text.redline import PROPOSED, VALUE, Redline

# Popović's: runs of one to six characters, recall twice as important as precision.
ORDER: Final = 6
BETA: Final = 2
# Characters neither kept nor moved, above which runs are not counted: 0.5 s.
MAX_CHARACTERS: Final = 120_000

Span = tuple[int, int]


def measure_chrf(redline: Redline) -> float | None:
    """Return chrF2 of a proposal (hypothesis) against its value (reference), 0 to 100; None for texts far too long.

    Popović, chrF: character n-gram F-score for automatic MT evaluation, WMT 2015, with the defaults of sacrebleu's
    ``CHRF``: white space left out, orders that either text is too short for left out. Per order, precision is the runs
    both have ÷ runs of the proposal, recall the same ÷ runs of the value; of their means P and R it is 5PR ÷ (4P + R).
    What a redline keeps or moves both texts have, so runs within it are counted without being looked at.
    """
    hypothesis, ours = _read_side(redline, PROPOSED)
    reference, theirs = _read_side(redline, VALUE)
    orders = min(ORDER, len(hypothesis), len(reference))
    if not orders:
        return 0.0
    if hypothesis == reference:
        return 100.0
    shared = sum(end - start for start, end in ours)
    if len(hypothesis) + len(reference) - 2 * shared + 2 * ORDER * len(ours) > MAX_CHARACTERS:
        return None
    precision = recall = 0.0
    for order in range(1, orders + 1):
        known = sum([end - start - order + 1 for start, end in ours if end - start >= order])
        both = known + _count_shared(_list_runs(hypothesis, ours, order), _list_runs(reference, theirs, order))
        precision += both / (len(hypothesis) - order + 1)
        recall += both / (len(reference) - order + 1)
    precision, recall = precision / orders, recall / orders
    if not precision + recall:
        return 0.0
    weight = BETA**2
    return 100 * ((1 + weight) * precision * recall / (weight * precision + recall))


def _read_side(redline: Redline, kinds: Container[str]) -> tuple[str, list[Span]]:
    """Return one side's text without white space, and which stretches of it the other side has too."""
    parts, spans, reached = [], [], 0
    for part in redline.operations:
        if part.kind in kinds:
            text = "".join(part.text.split())
            parts.append(text)
            if part.kind == "keep" or part.move is not None:
                spans.append((reached, reached + len(text)))
            reached += len(text)
    return "".join(parts), spans


def _list_runs(text: str, spans: list[Span], order: int) -> list[str]:
    """Return the runs of so many characters that lie in no span as a whole."""
    starts, reached = [], 0
    for start, end in spans:
        if end - start >= order:
            starts.append(range(reached, start))
            reached = end - order + 1
    starts.append(range(reached, len(text) - order + 1))
    return [text[start : start + order] for start in chain.from_iterable(starts)]


def _count_shared(ours: list[str], theirs: list[str]) -> int:
    counts = Counter(theirs)
    return sum([min(count, counts[run]) for run, count in Counter(ours).items() if run in counts])
