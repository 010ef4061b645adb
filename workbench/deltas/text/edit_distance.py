"""Edit distance of words within a beam, and which words align: what TER rests on. Pure."""

import math
from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec
import numpy as np

from workbench.deltas.text.words import read_codes

# TERCOM's: words to each side of the diagonal that are looked at.
BEAM: Final = 25
_FAR: Final = 1 << 28

Matrix = np.ndarray[Any, np.dtype[np.int32]]


class Alignment(msgspec.Struct, frozen=True, gc=False):
    """How a hypothesis is edited into a reference, at the least cost.

    ``aligned[j]`` is the hypothesis' word at the reference's word j, or the last one before it (-1: none).
    ``wrong_hypothesis[i]`` and ``wrong_reference[j]`` count the words in error before each place.
    """

    distance: int
    aligned: list[int]
    wrong_hypothesis: list[int]
    wrong_reference: list[int]


def is_free(hypothesis: int, reference: int, distance: int) -> bool:
    """Whether the beam touches no cheapest edit of texts so long, so that plain Levenshtein is the same.

    A path of cost d leaves the line between the corners by (d + |difference of lengths|) / 2 words at most; one more
    goes for rounding down, and one as the beam is open at its upper end.
    """
    return reference < BEAM or distance + abs(reference - hypothesis) <= 2 * (BEAM - 3)


def measure_beam(hypotheses: Sequence[str], reference: str) -> list[int]:
    """Return the distance of each hypothesis from the reference within the beam; all hypotheses are equally long."""
    *_, (_, last) = _fill(np.array([read_codes(text) for text in hypotheses]), read_codes(reference))
    return [int(distance) for distance in last[:, -1]]


def align_in_beam(hypothesis: str, reference: str) -> Alignment:
    """Return how a hypothesis is edited into a reference where no path may leave the beam.

    Of edits equally cheap one is taken as TERCOM does: read from the end, a word kept or replaced goes before a word
    deleted, and that before a word inserted.
    """
    rows = [(first, row[0].tolist()) for first, row in _fill(read_codes(hypothesis)[None, :], read_codes(reference))]

    def cell(one: int, other: int) -> int:
        first, row = rows[one]
        return row[other - first] if 0 <= other - first < len(row) else _FAR

    one, other, edits = len(hypothesis), len(reference), []
    while one and other:
        is_same = hypothesis[one - 1] == reference[other - 1]
        if cell(one - 1, other - 1) + (not is_same) == cell(one, other):
            one, other = one - 1, other - 1
            edits.append("=" if is_same else "s")
        elif cell(one - 1, other) + 1 == cell(one, other):
            one -= 1
            edits.append("d")
        else:
            other -= 1
            edits.append("i")
    return _read(edits + ["d"] * one + ["i"] * other)


def align_freely(hypothesis: str, reference: str) -> Alignment:
    """Return the same for texts of which the beam touches no cheapest edit.

    Bit-parallel as in Hyyrö, A Bit-Vector Algorithm for Computing Levenshtein and Damerau Edit Distances, 2003, a row
    in a few numbers, which are as long as the reference.
    """
    mask = (1 << len(reference)) - 1
    places: dict[str, int] = {}
    for number, word in enumerate(reference):
        places[word] = places.get(word, 0) | 1 << number
    more, less = mask, 0
    diagonals, aboves = [0], [0]
    for word in hypothesis:
        same = places.get(word, 0)
        diagonal = (((same & more) + more) ^ more) | same | less
        above = less | (mask & ~(diagonal | more))
        diagonals.append(diagonal)
        aboves.append(above)
        down = (diagonal & more) << 1
        up = above << 1 | 1
        more = (down | ~(diagonal | up)) & mask
        less = up & diagonal & mask
    return _read(_walk(hypothesis, reference, diagonals, aboves))


def _walk(hypothesis: str, reference: str, diagonals: Sequence[int], aboves: Sequence[int]) -> list[str]:
    """Return the edits from the end; bits say where the diagonal costs nothing, and where one from above costs one."""
    one, other, edits = len(hypothesis), len(reference), []
    while one and other:
        if hypothesis[one - 1] == reference[other - 1]:
            one, other = one - 1, other - 1
            edits.append("=")
        elif not diagonals[one] >> (other - 1) & 1:
            one, other = one - 1, other - 1
            edits.append("s")
        elif aboves[one] >> (other - 1) & 1:
            one -= 1
            edits.append("d")
        else:
            other -= 1
            edits.append("i")
    return edits + ["d"] * one + ["i"] * other


def _read(edits: Sequence[str]) -> Alignment:
    """Return what edits say, the last first: ``=`` a word kept, ``s`` replaced, ``d`` deleted, ``i`` inserted."""
    aligned: list[int] = []
    wrong_hypothesis, wrong_reference = [0], [0]
    for edit in reversed(edits):
        wrong = edit != "="
        if edit != "i":
            wrong_hypothesis.append(wrong_hypothesis[-1] + wrong)
        if edit != "d":
            wrong_reference.append(wrong_reference[-1] + wrong)
            aligned.append(len(wrong_hypothesis) - 2)
    return Alignment(len(edits) - edits.count("="), aligned, wrong_hypothesis, wrong_reference)


def _fill(hypotheses: np.ndarray[Any, Any], reference: np.ndarray[Any, Any]) -> Iterator[tuple[int, Matrix]]:
    """Yield the rows of many hypotheses' matrices at once: the first column within the beam, and what is in it."""
    (count, length), end = hypotheses.shape, len(reference)
    slope = end / length if length else 1
    beam = math.ceil(slope / 2 + BEAM) if slope / 2 > BEAM else BEAM
    steps = np.arange(end + 1, dtype=np.int32)
    words = np.concatenate([np.zeros(1, dtype=reference.dtype), reference])  # in the first column nothing is replaced
    began, row = 0, np.tile(steps, (count, 1))
    yield began, row
    for number in range(1, length + 1):
        middle = math.floor(number * slope)
        first, last = max(0, middle - beam), end + 1 if number == length else min(end + 1, middle + beam)
        above: Matrix = np.full((count, last - first + 1), _FAR, dtype=np.int32)
        left, right = max(first - 1, began), min(last, began + row.shape[1])
        above[:, left - first + 1 : max(left, right) - first + 1] = row[:, left - began : max(left, right) - began]
        replaced = above[:, :-1] + (hypotheses[:, number - 1 : number] != words[None, first:last])
        best = np.minimum(replaced, above[:, 1:] + np.int32(1)) - steps[first:last]
        # What is inserted costs one a word, so the cheapest place to begin with it is found for all places at once.
        row = np.minimum(np.minimum.accumulate(best, axis=1) + steps[first:last], _FAR)
        began = first
        yield began, row
