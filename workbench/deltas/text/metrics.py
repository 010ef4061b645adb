"""Measures of a text against what a person made of it. Pure.

Words are those of `find_words`: where a text was tokenised before, what stands between white space.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from workbench.deltas.text.alignment import load_distances
from workbench.deltas.text.chrf import measure_chrf
from workbench.deltas.text.redline import PROPOSED, Redline, compare_words
from workbench.deltas.text.ter import count_edits
from workbench.deltas.text.words import Words, encode_words, find_words, is_spaceless

TENTHS: Final = 10
# What stands in ``fallback``: TER's edits are those of Levenshtein by words; chrF was left out; characters or words
# were counted as the redline draws them.
LEVENSHTEIN_WORDS: Final = "levenshtein-words"
NO_CHRF: Final = "no-chrf"
AS_DRAWN: Final = "levenshtein-as-drawn"
# Cells that Levenshtein may fill, 64 of them at once: 0.2 s.
MAX_CELLS: Final = 4_000_000_000
# Characters from which more processes are started: they take 0.2 s to begin, and this many 0.7 s to measure.
MIN_CHARACTERS: Final = 500_000


class Places(msgspec.Struct, frozen=True, gc=False):
    """How many words of each tenth of a proposal were kept where they stood, and how many changed or moved."""

    kept: tuple[int, ...]
    changed: tuple[int, ...]


class TextMeasures(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What was measured of a text and its value; counts are of words, or characters, where their name says so.

    ``words_…`` and ``characters_…`` follow what the redline draws: kept + moved + deleted = the proposal's, kept +
    moved + inserted = the value's. ``ter_edits`` ÷ ``ter_words``, at most 1, is ``hter``. A Levenshtein distance stands
    beside the longer text's length (``…_of``), what it is divided by; ``distance`` is that by words, in scripts without
    spaces by characters, white space left out. ``chrf`` is 0 to 100. ``edits`` are the phrases deleted and what stands
    in their place, moves left out. ``fallback`` names, with commas, what was done where texts are too long; else None.
    """

    words_proposed: int
    words_value: int
    words_kept: int
    words_moved: int
    words_deleted: int
    words_inserted: int
    characters_kept: int
    characters_moved: int
    characters_deleted: int
    characters_inserted: int
    ter_edits: int
    ter_words: int
    hter: float
    levenshtein_words: int
    levenshtein_words_of: int
    levenshtein_characters: int
    levenshtein_characters_of: int
    chrf: float | None
    distance: float
    edits: tuple[tuple[str, str], ...]
    places: Places
    fallback: str | None


def measure_texts(proposed: str, value: str, *, tokenised: bool = False) -> TextMeasures:
    """Return all measures of a proposal and the value that a person made of it. Raises MissingExtraError.

    >>> measure_texts("a good plan", "a better plan").edits
    (('good', 'better'),)
    """
    texts = find_words(proposed, tokenised=tokenised), find_words(value, tokenised=tokenised)
    redline = compare_words(*texts)
    words, words_of, drawn_words = _words_apart(*texts, redline)
    characters, drawn_characters = _characters_apart(proposed, value, redline)
    edits, ter_words, searched = _ter(*texts, redline)
    chrf = measure_chrf(redline)
    marks = {
        LEVENSHTEIN_WORDS: not searched,
        AS_DRAWN: drawn_words or drawn_characters,
        NO_CHRF: chrf is None,
        redline.fallback: redline.fallback is not None,
    }
    return TextMeasures(
        words_proposed=len(texts[0].words),
        words_value=len(texts[1].words),
        **_drawn(redline),
        ter_edits=edits,
        ter_words=ter_words,
        hter=min(1.0, edits / ter_words) if ter_words else float(edits > 0),
        levenshtein_words=words,
        levenshtein_words_of=words_of,
        levenshtein_characters=characters,
        levenshtein_characters_of=max(len(proposed), len(value)),
        chrf=chrf,
        distance=words / words_of if words_of else 0.0,
        edits=list_edits(redline),
        places=count_places(redline, len(texts[0].words)),
        fallback=",".join(name for name, is_so in marks.items() if is_so and name) or None,
    )


def _drawn(redline: Redline) -> dict[str, int]:
    return {
        name: getattr(redline, name)
        for unit in ("words", "characters")
        for name in [f"{unit}_{kind}" for kind in ("kept", "moved", "deleted", "inserted")]
    }


def _ter(proposed: Words, value: Words, redline: Redline) -> tuple[int, int, bool]:
    """Return TER's edits and the value's words, and whether shifts were searched; letters are small, as by default."""
    if len(proposed.words) * len(value.words) > MAX_CELLS:
        return _drawn_distance(redline, is_words=True), len(value.words), False
    ours, theirs = (" ".join(text.words).lower().split() for text in (proposed, value))
    edits = count_edits(ours, theirs)
    if edits is None:
        return _levenshtein(*encode_words(ours, theirs)) or 0, len(theirs), False
    return edits, len(theirs), True


def _levenshtein(one: str, other: str) -> int | None:
    """Return the Levenshtein distance (1966) of two strings; None where it would take too long."""
    if one == other:
        return 0
    return int(load_distances().Levenshtein.distance(one, other)) if len(one) * len(other) <= MAX_CELLS else None


def _words_apart(proposed: Words, value: Words, redline: Redline) -> tuple[int, int, bool]:
    """Return Levenshtein by words, in scripts without spaces by characters; what it is of; whether it is as drawn."""
    is_words = not is_spaceless(proposed.text, value.text)
    if is_words:
        one, other = encode_words(proposed.words, value.words)
    else:
        one, other = ("".join(text.text.split()) for text in (proposed, value))
    distance, most = _levenshtein(one, other), max(len(one), len(other))
    if distance is not None:
        return distance, most, False
    return min(_drawn_distance(redline, is_words=is_words), most), most, True


def _characters_apart(proposed: str, value: str, redline: Redline) -> tuple[int, bool]:
    distance = _levenshtein(proposed, value)
    if distance is not None:
        return distance, False
    return min(_drawn_distance(redline, is_words=False), max(len(proposed), len(value))), True


def _drawn_distance(redline: Redline, *, is_words: bool) -> int:
    """Return what the redline's changes come to where each is as dear as its longer side: no less than Levenshtein."""
    total = ours = theirs = 0
    for part in redline.operations:
        size = part.words if is_words else len(part.text)
        if part.kind == "keep":
            total, ours, theirs = total + max(ours, theirs), 0, 0
        elif part.kind in PROPOSED:
            ours += size
        else:
            theirs += size
    return total + max(ours, theirs)


def list_edits(redline: Redline) -> tuple[tuple[str, str], ...]:
    """Return each change of a redline as the phrase deleted and the one inserted in its place; either may be empty."""
    edits = []
    sides: dict[str, list[str]] = {"delete": [], "insert": []}
    for part in [*redline.operations, None]:
        if part is None or (part.kind == "keep" and part.words):
            edit = tuple(" ".join(sides[kind]) for kind in ("delete", "insert"))
            if any(edit):
                edits.append((edit[0], edit[1]))
            sides = {"delete": [], "insert": []}
        elif part.kind in sides and part.words:
            sides[part.kind].append(part.text.strip())
    return tuple(edits)


def count_places(redline: Redline, words: int) -> Places:
    """Return how many words of each tenth of the proposal were kept and changed; word i of n is in tenth 10 i ÷ n."""
    counts: dict[bool, list[int]] = {True: [0] * TENTHS, False: [0] * TENTHS}
    place = 0
    for part in redline.operations:
        if part.kind in PROPOSED:
            tenths = counts[part.kind == "keep"]
            for word in range(place, place + part.words):
                tenths[word * TENTHS // words] += 1
            place += part.words
    return Places(tuple(counts[True]), tuple(counts[False]))


def measure_pairs(
    pairs: Sequence[tuple[str, str]], workers: int | None = None, *, tokenised: bool = False
) -> list[TextMeasures]:
    """Return the measures of many pairs of proposal and value, in their order.

    ``workers`` is how many processes measure, this one among them, by default as many as the cores it may use; few and
    short texts are measured here alone. Each pair is measured by itself: the answer is the same whatever their order.
    """
    if sum(len(proposed) + len(value) for proposed, value in pairs) < MIN_CHARACTERS or workers == 1:
        return [measure_texts(proposed, value, tokenised=tokenised) for proposed, value in pairs]
    from workbench.decode.workers import count_cores
    from workbench.deltas.measures.processes import measure_in_processes

    return measure_in_processes(pairs, count_cores() if workers is None else workers, tokenised=tokenised)
