"""A redline: what became of each word of a proposal, drawn so that a person can read it. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Literal

import msgspec

from workbench.deltas.text.alignment import Block, align_words, drop_confetti
from workbench.deltas.text.moves import Changed, find_moves
from workbench.deltas.text.words import Words, encode_words, find_words
from workbench.errors import ArgumentError

Kind = Literal["keep", "delete", "insert", "move_from", "move_to"]
# What stands in the proposal, and what in the value.
PROPOSED: Final = frozenset({"keep", "delete", "move_from"})
VALUE: Final = frozenset({"keep", "insert", "move_to"})


class Operation(msgspec.Struct, frozen=True, gc=False):
    """A stretch of text and what became of it; both ends of a move carry its number. ``words`` counts those in it."""

    kind: Kind
    text: str
    move: int | None = None
    words: int = 0


class Redline(msgspec.Struct, frozen=True, gc=False):
    """A proposal against its value, stretch by stretch. ``fallback`` names what was done where texts are too long."""

    operations: tuple[Operation, ...]
    fallback: str | None = None

    @property
    def words_kept(self) -> int:
        """Words drawn as kept: with moved and deleted ones the proposal's, with moved and inserted ones the value's."""
        return self.count_words("keep")

    @property
    def words_moved(self) -> int:
        """Words of phrases that stand elsewhere in the value."""
        return self.count_words("move_to")

    @property
    def words_deleted(self) -> int:
        """Words of the proposal that are not in the value, as drawn."""
        return self.count_words("delete")

    @property
    def words_inserted(self) -> int:
        """Words of the value that are not in the proposal, as drawn."""
        return self.count_words("insert")

    @property
    def characters_kept(self) -> int:
        """Characters drawn as kept, white space included; the same sums hold as for words."""
        return self.count_characters("keep")

    @property
    def characters_moved(self) -> int:
        """Characters of phrases that stand elsewhere in the value."""
        return self.count_characters("move_to")

    @property
    def characters_deleted(self) -> int:
        """Characters of the proposal that are not in the value, as drawn."""
        return self.count_characters("delete")

    @property
    def characters_inserted(self) -> int:
        """Characters of the value that are not in the proposal, as drawn."""
        return self.count_characters("insert")

    def count_words(self, kind: Kind) -> int:
        """Return the words of all operations of one kind."""
        return sum(operation.words for operation in self.operations if operation.kind == kind)

    def count_characters(self, kind: Kind) -> int:
        """Return the characters of all operations of one kind."""
        return sum(len(operation.text) for operation in self.operations if operation.kind == kind)


def compare_texts(proposed: str, value: str, *, readable: bool = True, tokenised: bool = False) -> Redline:
    """Return the redline of a proposal against the value that a person made of it, by words.

    Kept is the longest run of words that both have, then the longest on each side of it, and so on. Made ``readable``,
    a kept run of under three words between two changes of three or more is drawn as changed. Then phrases of two words
    or more that were deleted here and inserted there are moves, longest first, ties by characters. With ``tokenised``
    words are what stands between white space.

    >>> [(part.kind, part.text) for part in compare_texts("a good plan", "a better plan").operations]
    [('keep', 'a '), ('delete', 'good'), ('insert', 'better'), ('keep', ' plan')]
    """
    texts = find_words(proposed, tokenised=tokenised), find_words(value, tokenised=tokenised)
    return compare_words(*texts, readable=readable)


def compare_words(proposed: Words, value: Words, *, readable: bool = True) -> Redline:
    """Return the redline of two texts whose words were found."""
    if proposed.text == value.text:
        same = (Operation("keep", value.text, None, len(value.words)),)
        return Redline(same if value.text else ())
    ours, theirs = encode_words(proposed.words, value.words)
    blocks, fallback = align_words(ours, theirs)
    dropped: list[Block] = []
    if readable:
        blocks, dropped = drop_confetti(blocks, len(ours), len(theirs))
    changed = Changed((proposed, value), (ours, theirs), blocks)
    # What was kept where it stood is no move, even where it is drawn as changed.
    changed.apart.update((one + step, other + step) for one, other, count in dropped for step in range(count))
    moves, coarse = find_moves(changed)
    drawing = _Drawing(proposed, value, blocks, moves)
    return Redline(tuple(_number(_coalesce(drawing.draw()))), fallback or coarse)


def apply_operations(proposed: str, redline: Redline) -> str:
    """Return the value that a redline makes of its proposal. Raises ArgumentError where it is another proposal's."""
    stood = "".join([part.text for part in redline.operations if part.kind in PROPOSED])
    if stood != proposed:
        raise ArgumentError(
            f"The redline was drawn over a text of {len(stood)} characters, and this proposal, of {len(proposed)}, is "
            "not that text. Compare this proposal with its value first."
        )
    return "".join([part.text for part in redline.operations if part.kind in VALUE])


class _Drawing:
    """Two texts with their kept runs and moves, drawn from left to right."""

    def __init__(self, proposed: Words, value: Words, blocks: Sequence[Block], moves: Sequence[Block]) -> None:
        self.proposed, self.value = proposed, value
        self.blocks = blocks
        # The first word of a move → its number and its words; numbers are given anew in the order drawn.
        self.leaving = {one: (number, count) for number, (one, _, count) in enumerate(moves)}
        self.arriving = {other: (number, count) for number, (_, other, count) in enumerate(moves)}

    def draw(self) -> Iterator[Operation]:
        """Yield the operations; neighbours may be of one kind."""
        one = other = 0
        for first, second, count in [*self.blocks, (len(self.proposed.words), len(self.value.words), 0)]:
            yield from self._draw_gap((one, first), (other, second))
            if count:
                yield from self._draw_kept(first, second, count)
            one, other = first + count, second + count

    def _draw_kept(self, one: int, other: int, count: int) -> Iterator[Operation]:
        ours, theirs = self.proposed, self.value
        text = ours.between(one, one + count)
        if text == theirs.between(other, other + count):
            yield Operation("keep", text, None, count)
            return
        yield Operation("keep", ours.words[one], None, 1)
        for step in range(1, count):
            yield from self._draw_gap((one + step, one + step), (other + step, other + step))
            yield Operation("keep", ours.words[one + step], None, 1)

    def _draw_gap(self, ours: tuple[int, int], theirs: tuple[int, int]) -> Iterator[Operation]:
        """Draw what stands between two kept words: white space both have at an end stays."""
        one, other = _region(self.proposed, *ours), _region(self.value, *theirs)
        texts = self.proposed.text[slice(*one)], self.value.text[slice(*other)]
        if texts[0] == texts[1] and ours[0] == ours[1]:
            yield from _spaces("keep", texts[0])
            return
        lead, trail = _shared_ends(*texts)
        yield from _spaces("keep", texts[0][:lead])
        yield from self._draw_side("delete", ours, (one[0] + lead, one[1] - trail))
        yield from self._draw_side("insert", theirs, (other[0] + lead, other[1] - trail))
        yield from _spaces("keep", texts[0][len(texts[0]) - trail :])

    def _draw_side(self, kind: Kind, words: tuple[int, int], region: tuple[int, int]) -> Iterator[Operation]:
        """Draw a stretch of one text: its moves, and between them what was deleted or inserted."""
        side, moves = (self.proposed, self.leaving) if kind == "delete" else (self.value, self.arriving)
        moved: Kind = "move_from" if kind == "delete" else "move_to"
        reached, count, word = region[0], 0, words[0]
        while word < words[1]:
            if word not in moves:
                word, count = word + 1, count + 1
                continue
            number, length = moves[word]
            start, end = side.starts[word], side.ends[word + length - 1]
            yield from _spaces(kind, side.text[reached:start], count)
            yield Operation(moved, side.text[start:end], number, length)
            reached, count, word = end, 0, word + length
        yield from _spaces(kind, side.text[reached : region[1]], count)


def _region(side: Words, first: int, end: int) -> tuple[int, int]:
    """Return where the text begins and ends that lies between the kept words before ``first`` and at ``end``."""
    start = side.ends[first - 1] if first else 0
    return start, side.starts[end] if end < len(side.words) else len(side.text)


def _shared_ends(one: str, other: str) -> tuple[int, int]:
    """Return how many characters of white space both begin with, and how many both end with, beside those."""
    lead = _edge(one) if one[: _edge(one)] == other[: _edge(other)] else 0
    one, other = one[lead:][::-1], other[lead:][::-1]
    return lead, _edge(one) if one[: _edge(one)] == other[: _edge(other)] else 0


def _edge(text: str) -> int:
    return len(text) - len(text.lstrip())


def _spaces(kind: Kind, text: str, words: int = 0) -> Iterator[Operation]:
    if text:
        yield Operation(kind, text, None, words)


def _coalesce(operations: Iterable[Operation]) -> list[Operation]:
    """Join neighbours of one kind, moves apart."""
    joined: list[Operation] = []
    for one in operations:
        last = joined[-1] if joined else None
        if last is not None and last.kind == one.kind and last.move is None and one.move is None:
            joined[-1] = Operation(last.kind, last.text + one.text, None, last.words + one.words)
        else:
            joined.append(one)
    return joined


def _number(operations: Iterable[Operation]) -> Iterator[Operation]:
    """Give moves the numbers 1, 2 … in the order in which a reader meets them."""
    numbers: dict[int, int] = {}
    for operation in operations:
        if operation.move is None:
            yield operation
        else:
            number = numbers.setdefault(operation.move, len(numbers) + 1)
            yield Operation(operation.kind, operation.text, number, operation.words)
