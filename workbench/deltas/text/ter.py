"""Translation edit rate: the edits of a proposal into its value where a phrase moved counts once. Pure.

After Snover, Dorr, Schwartz, Micciulla and Makhoul, A Study of Translation Edit Rate with Targeted Human Annotation,
AMTA 2006, with the limits and the order of choices of their program TERCOM as sacrebleu documents them, so that the
numbers are sacrebleu's. What differs is how they are come by: candidates are judged by plain Levenshtein where the beam
cannot matter, and not at all where no order of the words could be nearer.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import Final

import msgspec

from workbench.deltas.text.alignment import load_distances
from workbench.deltas.text.edit_distance import Alignment, align_freely, align_in_beam, is_free, measure_beam
from workbench.deltas.text.words import encode_words

# TERCOM's: words a phrase that moves may have, and how far it may go; candidates tried before the search ends.
LONGEST: Final = 10
FARTHEST: Final = 50
MAX_CANDIDATES: Final = 1000
# Cells of one matrix, steps of the search, and rows within the beam, above which a fallback is named: some 0.5 s each.
MAX_CELLS: Final = 4_000_000
MAX_STEPS: Final = 1_000_000
MAX_BEAM_ROWS: Final = 500_000
# Shifts that are measured within the beam at once.
BATCH: Final = 32


class Shift(msgspec.Struct, frozen=True, gc=False):
    """A phrase of the hypothesis put elsewhere: how many words, from where, before which word, and what comes of it."""

    length: int
    start: int
    target: int
    text: str

    @property
    def rank(self) -> tuple[int, int, int]:
        """Return what decides between shifts that gain the same: the longest, then the first, then the least far."""
        return self.length, -self.start, -self.target


class _TooMuchError(Exception):
    """The search would take more than a person waits."""


def count_edits(proposed: Sequence[str], value: Sequence[str]) -> int | None:
    """Return how many edits make a proposal's words its value's: shifts, insertions, deletions, replacements.

    Equals what sacrebleu's ``TER`` counts for hypothesis ``proposed`` and reference ``value``. None where the search
    would be too long: then the Levenshtein distance is what can be had.
    """
    if proposed == value:
        return 0
    if not proposed or not value:
        return len(proposed) + len(value)
    if len(proposed) * len(value) > MAX_CELLS:
        return None
    hypothesis, reference = encode_words(proposed, value)
    try:
        return _Search(hypothesis, reference).run()
    except _TooMuchError:
        return None


class _Search:
    """The greedy search: while a shift brings the hypothesis nearer, take the one that does so most."""

    def __init__(self, hypothesis: str, reference: str) -> None:
        self.measure = load_distances().Levenshtein.distance
        self.hypothesis, self.reference = hypothesis, reference
        self.checked = self.steps = self.beam_rows = 0
        common = (Counter(hypothesis) & Counter(reference)).total()
        # No order of these words is nearer.
        self.least = max(len(hypothesis), len(reference)) - common
        self.places: dict[str, list[int]] = {}

    def run(self) -> int:
        shifts = 0
        distance = self.measure(self.hypothesis, self.reference)
        if is_free(len(self.hypothesis), len(self.reference), distance) and distance == self.least:
            return int(distance)
        for place, word in enumerate(self.reference):
            self.places.setdefault(word, []).append(place)
        while True:
            alignment = self._align()
            if alignment.distance == self.least:
                break
            best, gain = self._best_shift(alignment)
            if best is None or gain <= 0 or self.checked >= MAX_CANDIDATES:
                break
            shifts += 1
            self.hypothesis = best.text
        return shifts + alignment.distance

    def _align(self) -> Alignment:
        distance = self.measure(self.hypothesis, self.reference)
        if is_free(len(self.hypothesis), len(self.reference), distance):
            return align_freely(self.hypothesis, self.reference)
        return align_in_beam(self.hypothesis, self.reference)

    def _best_shift(self, alignment: Alignment) -> tuple[Shift | None, int]:
        """Return the shift that gains most, and its gain; shifts that gain nothing may be left out."""
        most = alignment.distance - 1
        best: Shift | None = None
        doubtful: list[tuple[int, Shift]] = []
        for shift in self._shifts(alignment):
            distance = self.measure(shift.text, self.reference, score_cutoff=most)
            if distance > most:
                continue
            if not is_free(len(self.hypothesis), len(self.reference), distance):
                doubtful.append((distance, shift))
            elif best is None or distance < most or shift.rank > best.rank:
                best, most = shift, distance
        return self._judge(doubtful, best, most, alignment.distance)

    def _judge(
        self, doubtful: Sequence[tuple[int, Shift]], best: Shift | None, most: int, now: int
    ) -> tuple[Shift | None, int]:
        """Return the best of a shift and those that the beam may have made dearer, the nearest without it first."""
        waiting = sorted(doubtful, key=itemgetter(0))
        for begin in range(0, len(waiting), BATCH):
            if waiting[begin][0] > most:
                break
            shifts = [shift for _, shift in waiting[begin : begin + BATCH]]
            self.beam_rows += len(shifts) * len(self.hypothesis)
            if self.beam_rows > MAX_BEAM_ROWS:
                raise _TooMuchError
            for shift, distance in zip(shifts, measure_beam([s.text for s in shifts], self.reference), strict=True):
                if distance < most or (distance == most and (best is None or shift.rank > best.rank)):
                    best, most = shift, distance
        return best, 0 if best is None else now - most

    def _shifts(self, alignment: Alignment) -> Iterator[Shift]:
        """Yield the shifts to try: phrases in error that the reference has elsewhere, where it is in error too."""
        hypothesis = self.hypothesis
        for start, place, length in self._phrases(alignment):
            phrase = hypothesis[start : start + length]
            last = -1
            for offset in range(place - 1, place + length):
                target = alignment.aligned[offset] + 1 if offset >= 0 else 0
                if target == last:
                    continue
                last = target
                self.checked += 1
                yield Shift(length, start, target, _shift(hypothesis, start, phrase, target))
            if self.checked >= MAX_CANDIDATES:
                return

    def _phrases(self, alignment: Alignment) -> Iterator[tuple[int, int, int]]:
        """Yield where phrases that may be worth a shift stand in both texts, and how many words they have."""
        hypothesis, reference = self.hypothesis, self.reference
        wrong_ours, wrong_theirs = alignment.wrong_hypothesis, alignment.wrong_reference
        for start, word in enumerate(hypothesis):
            for place in self.places.get(word, ()):
                if abs(place - start) > FARTHEST:
                    continue
                at = alignment.aligned[place]
                most = min(LONGEST, len(hypothesis) - start, len(reference) - place)
                for length in range(1, most + 1):
                    if length > 1 and hypothesis[start + length - 1] != reference[place + length - 1]:
                        break
                    self.steps += 1
                    is_wrong = (
                        wrong_ours[start + length] > wrong_ours[start]
                        and wrong_theirs[place + length] > wrong_theirs[place]
                    )
                    if is_wrong and not start <= at < start + length:
                        yield start, place, length
            if self.steps > MAX_STEPS:
                raise _TooMuchError


def _shift(words: str, start: int, phrase: str, target: int) -> str:
    """Return the words with a phrase put before the target, or behind as many words where the target lies within it."""
    end = start + len(phrase)
    if target < start:
        return words[:target] + phrase + words[target:start] + words[end:]
    if target > end:
        return words[:start] + words[end:target] + phrase + words[target:]
    return words[:start] + words[end : len(phrase) + target] + phrase + words[len(phrase) + target :]
