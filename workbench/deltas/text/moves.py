"""Phrases that stand elsewhere in the value than in the proposal. Pure."""

from collections.abc import Iterator, Sequence
from heapq import heapify, heappop, heappush
from typing import Final

from workbench.deltas.text.alignment import ANCHOR, BLOCKS, Block, anchor_pairs
from workbench.deltas.text.words import Words

# A single word that stands elsewhere says little.
SHORTEST: Final = 2
# Equal words, each changed one of the proposal with each of the value, that are looked at one by one: 0.4 s.
MAX_PAIRS: Final = 200_000


class Changed:
    """Two texts word by word, and which words of each are changed and in no move yet."""

    def __init__(self, texts: tuple[Words, Words], codes: tuple[str, str], drawn: Sequence[Block]) -> None:
        self.proposed, self.value = texts
        self.ours, self.theirs = codes
        self.free = bytearray(b"\1") * len(self.ours), bytearray(b"\1") * len(self.theirs)
        for one, other, count in drawn:
            self.take(one, other, count)
        self.apart: set[tuple[int, int]] = set()

    def take(self, one: int, other: int, count: int) -> None:
        """Mark words as spoken for."""
        self.free[0][one : one + count] = bytes(count)
        self.free[1][other : other + count] = bytes(count)

    def is_match(self, one: int, other: int) -> bool:
        """Whether a word of the proposal may have moved to a word of the value."""
        in_texts = 0 <= one < len(self.ours) and 0 <= other < len(self.theirs)
        if not in_texts or self.ours[one] != self.theirs[other]:
            return False
        return bool(self.free[0][one] and self.free[1][other]) and (one, other) not in self.apart

    def goes_on(self, one: int, other: int) -> bool:
        """Whether what moved with a word goes on to the next, the white space between them included."""
        if not self.is_match(one + 1, other + 1):
            return False
        ours, theirs = self.proposed, self.value
        between = ours.text[ours.ends[one] : ours.starts[one + 1]]
        return between == theirs.text[theirs.ends[other] : theirs.starts[other + 1]]

    def run_from(self, one: int, other: int) -> int:
        """Return how many words go together from a match on."""
        count = 1
        while self.goes_on(one + count - 1, other + count - 1):
            count += 1
        return count

    def rank(self, one: int, other: int, count: int) -> tuple[int, int, int, int]:
        """Return what sorts runs: most words, most characters, first in the proposal, first in the value."""
        return -count, -len(self.proposed.between(one, one + count)), one, other


def find_moves(changed: Changed) -> tuple[list[Block], str | None]:
    """Return the phrases that moved, longest first, ties by characters; and ``"blocks"`` where they are many.

    A phrase is two or more words with the same white space between them, deleted here and inserted there; each word is
    in one move at most. Where there are too many equal words to try each with each, phrases are looked for around runs
    of eight words that each text has once.
    """
    places = _places(changed)
    pairs = sum(len(places.get(changed.ours[one], ())) for one in _free(changed.free[0]))
    if not pairs:
        return [], None
    if pairs <= MAX_PAIRS:
        runs = [run for run in _runs(changed, places) if run[2] >= SHORTEST]
        return _choose(changed, runs), None
    return _choose(changed, list(_anchored(changed))), BLOCKS


def _free(marks: bytearray) -> Iterator[int]:
    place = marks.find(1)
    while place >= 0:
        yield place
        place = marks.find(1, place + 1)


def _places(changed: Changed) -> dict[str, list[int]]:
    places: dict[str, list[int]] = {}
    for other in _free(changed.free[1]):
        places.setdefault(changed.theirs[other], []).append(other)
    return places


def _runs(changed: Changed, places: dict[str, list[int]]) -> Iterator[Block]:
    """Yield each run that is part of no longer one."""
    for one in _free(changed.free[0]):
        for other in places.get(changed.ours[one], ()):
            if (one, other) in changed.apart:
                continue
            if changed.is_match(one - 1, other - 1) and changed.goes_on(one - 1, other - 1):
                continue
            yield one, other, changed.run_from(one, other)


def _anchored(changed: Changed) -> Iterator[Block]:
    """Yield the runs around the anchors, one after another."""
    reached: dict[int, int] = {}  # diagonal → where its last run ended
    for one, other in anchor_pairs(changed.ours, changed.theirs):
        if reached.get(other - one, -1) > one or not changed.is_match(one, other):
            continue
        start, begin = one, other
        while changed.is_match(start - 1, begin - 1) and changed.goes_on(start - 1, begin - 1):
            start, begin = start - 1, begin - 1
        count = changed.run_from(start, begin)
        reached[other - one] = start + count
        if count >= ANCHOR:
            yield start, begin, count


def _choose(changed: Changed, runs: Sequence[Block]) -> list[Block]:
    """Take runs, longest first; of one whose words are taken in part, what is left comes up again."""
    heap = [(changed.rank(*run), run) for run in runs]
    heapify(heap)
    chosen = []
    while heap:
        _, run = heappop(heap)
        pieces = list(_left(changed, run))
        if pieces == [run]:
            changed.take(*run)
            chosen.append(run)
        else:
            for piece in pieces:
                heappush(heap, (changed.rank(*piece), piece))
    return chosen


def _left(changed: Changed, run: Block) -> Iterator[Block]:
    """Yield the pieces of a run that no move has taken."""
    one, other, count = run
    ours, theirs = changed.free[0][one : one + count], changed.free[1][other : other + count]
    free = bytes(a & b for a, b in zip(ours, theirs, strict=True))
    start = free.find(1)
    while start >= 0:
        end = free.find(0, start)
        end = count if end < 0 else end
        if end - start >= SHORTEST:
            yield one + start, other + start, end - start
        start = free.find(1, end)
