"""Which words of a proposal its value kept: longest runs first, a common subsequence where texts are long. Pure."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import pairwise
from typing import Any, Final

import numpy as np

from workbench.deltas.text.words import read_codes
from workbench.errors import MissingExtraError

# A run of words that both texts have: first word in the proposal, first word in the value, how many.
Block = tuple[int, int, int]
# Equal words, each of one text with each of the other, among which longest runs are looked for; some 1,400 words of
# English. Each run found costs a pass over what is left of them: at worst 1 s.
MAX_PAIRS: Final = 20_000
# Cells of the matrix that a longest common subsequence keeps, a bit each: 50 MB, 20,000 words against 20,000.
MAX_CELLS: Final = 400_000_000
# A run this long that each text has once is the same place in both.
ANCHOR: Final = 8
_PRIME: Final = np.uint64(0x9E3779B97F4A7C15)
# What stands in ``fallback``: words were aligned by a longest common subsequence; that between anchors only.
SUBSEQUENCE: Final = "subsequence"
BLOCKS: Final = "blocks"
# A run of fewer kept words between two changes of this many is drawn as changed.
CONFETTI: Final = 3


def align_words(proposed: str, value: str) -> tuple[list[Block], str | None]:
    """Return the runs of words kept, in order, and the name of what was done instead where texts are long.

    Takes words as `encode_words` makes them. Kept is the longest run that both texts have, then the longest on each
    side of it, and so on (Ratcliff and Metzener, Pattern Matching: The Gestalt Approach, 1988; difflib). Where too many
    words are equal, what both begin and end with and between these a longest common subsequence ("subsequence"); where
    both texts are very long, that between runs of eight words which each text has once ("blocks").
    """
    if count_pairs(proposed, value) <= MAX_PAIRS:
        return _join(_match_longest(proposed, value)), None
    head = common_prefix(proposed, value)
    tail = common_prefix(proposed[head:][::-1], value[head:][::-1])
    found, fallback = _align_inner(proposed[head : len(proposed) - tail], value[head : len(value) - tail])
    inner = [(one + head, other + head, count) for one, other, count in found]
    return _join([(0, 0, head), *inner, (len(proposed) - tail, len(value) - tail, tail)]), fallback


def _align_inner(proposed: str, value: str) -> tuple[list[Block], str | None]:
    if count_pairs(proposed, value) <= MAX_PAIRS:
        return _match_longest(proposed, value), None
    if len(proposed) * len(value) <= MAX_CELLS:
        return _match_most(proposed, value), SUBSEQUENCE
    return _match_between(proposed, value), BLOCKS


def count_pairs(proposed: str, value: str) -> int:
    """Return how many pairs of equal words there are, one of each text."""
    if len(proposed) * len(value) <= MAX_PAIRS:
        return 0
    theirs = Counter(value)
    return sum(count * theirs[word] for word, count in Counter(proposed).items())


def _match_longest(proposed: str, value: str) -> list[Block]:
    matcher = SequenceMatcher(None, proposed, value, autojunk=False)
    return [(block.a, block.b, block.size) for block in matcher.get_matching_blocks()]


def common_prefix(one: str, other: str) -> int:
    """Return how many characters two texts begin with alike."""
    if one[: len(other)] == other[: len(one)]:
        return min(len(one), len(other))
    low, high = 0, min(len(one), len(other))
    while low < high:  # by halves, as comparing slices is done in C
        middle = (low + high + 1) // 2
        low, high = (middle, high) if one[low:middle] == other[low:middle] else (low, middle - 1)
    return low


def _match_most(proposed: str, value: str) -> list[Block]:
    if not proposed or not value:
        return []
    blocks = load_distances().LCSseq.editops(proposed, value).as_matching_blocks()
    return [(block.a, block.b, block.size) for block in blocks if block.size]


def load_distances() -> Any:
    """Return rapidfuzz's distances. Raises MissingExtraError."""
    try:
        from rapidfuzz import distance
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            "Comparing texts needs rapidfuzz, which is not installed. Run: pip install 'eventlog-workbench[metrics]'"
        ) from error
    return distance


def _match_between(proposed: str, value: str) -> list[Block]:
    anchors = [*rising_pairs(anchor_pairs(proposed, value)), (len(proposed), len(value))]
    found: list[Block] = []
    one = other = 0
    for first, second in anchors:
        if first < one or second < other:  # inside the last anchor's eight words
            continue
        if (first - one) * (second - other) <= MAX_CELLS:
            gap = _match_most(proposed[one:first], value[other:second])
            found += [(one + start, other + begin, count) for start, begin, count in gap]
        one, other = min(first + ANCHOR, len(proposed)), min(second + ANCHOR, len(value))
        found.append((first, second, one - first))
    return found


def anchor_pairs(proposed: str, value: str) -> list[tuple[int, int]]:
    """Return where each run of eight words stands that each text has exactly once, in the proposal's order."""
    ones, others = _unique_runs(proposed), _unique_runs(value)
    _, ours, theirs = np.intersect1d(ones[0], others[0], assume_unique=True, return_indices=True)
    ours, theirs = ones[1][ours], others[1][theirs]
    order = np.argsort(ours)
    pairs = zip(ours[order].tolist(), theirs[order].tolist(), strict=True)
    # Two runs may have one fingerprint.
    return [pair for pair in pairs if proposed[pair[0] : pair[0] + ANCHOR] == value[pair[1] : pair[1] + ANCHOR]]


def _unique_runs(words: str) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return the fingerprints of the runs of eight words that a text has once, and where they stand."""
    codes = read_codes(words).astype(np.uint64)
    count = max(0, len(codes) - ANCHOR + 1)
    prints = np.zeros(count, dtype=np.uint64)
    for step in range(ANCHOR):
        prints = prints * _PRIME + codes[step : step + count]
    found, places, counts = np.unique(prints, return_index=True, return_counts=True)
    return found[counts == 1], places[counts == 1]


def rising_pairs(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the most pairs whose second members rise as the first do (patience sorting)."""
    tops: list[int] = []
    piles: list[int] = []
    before: list[int] = []
    for index, (_, second) in enumerate(pairs):
        pile = bisect_left(tops, second)
        before.append(piles[pile - 1] if pile else -1)
        if pile == len(tops):
            tops.append(second)
            piles.append(index)
        else:
            tops[pile], piles[pile] = second, index
    return [pairs[index] for index in reversed(list(_trace(piles[-1] if piles else -1, before)))]


def _trace(index: int, before: Sequence[int]) -> Iterator[int]:
    while index >= 0:
        yield index
        index = before[index]


def _join(blocks: Sequence[Block]) -> list[Block]:
    joined: list[Block] = []
    for one, other, count in blocks:
        if joined and joined[-1][0] + joined[-1][2] == one and joined[-1][1] + joined[-1][2] == other:
            one, other, count = joined[-1][0], joined[-1][1], joined[-1][2] + count  # noqa: PLW2901 - the run goes on
            joined.pop()
        if count:
            joined.append((one, other, count))
    return joined


def drop_confetti(blocks: Sequence[Block], proposed: int, value: int) -> tuple[list[Block], list[Block]]:
    """Return the runs kept that are worth drawing as kept, and those that are not.

    Not worth it is a run of fewer than three words between two changes of three or more, counting what was deleted and
    what was inserted. ``proposed`` and ``value`` are the texts' words.
    """
    ends = [(0, 0, 0), *blocks, (proposed, value, 0)]
    changes = [after[0] - before[0] - before[2] + after[1] - before[1] - before[2] for before, after in pairwise(ends)]
    small = [
        block[2] < CONFETTI and before >= CONFETTI and after >= CONFETTI
        for block, before, after in zip(blocks, changes, changes[1:], strict=False)
    ]
    kept = [block for block, is_small in zip(blocks, small, strict=True) if not is_small]
    return kept, [block for block, is_small in zip(blocks, small, strict=True) if is_small]
