"""How a taken text came to read as it does: edits inside it as steps, and how much of it was left when. Pure."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import msgspec

from workbench.deltas.columns import CHECKS
from workbench.deltas.document.documents import OTHER, Document, Edit, apply_edits, read_edits
from workbench.deltas.document.runs import Runs
from workbench.deltas.document.spans import SECOND, Taken
from workbench.replay.folding.texts import join_units

_OWN: Final = 0


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """Events that changed a text in one place, one after another, and what stood before the first and after the last.

    ``moment`` is that of the last, in µs since 1970, ``seconds`` counted from when the text was taken; ``kind`` is the
    actor's.
    """

    first_position: int
    last_position: int
    moment: int
    seconds: float
    before: str
    after: str
    kind: str | None


class Trace(msgspec.Struct, frozen=True, kw_only=True):
    """What happened to one taken text.

    ``course`` has the characters left as steps: seconds, and how many stand from then on. ``positions`` go with CHECKS:
    the document's last event by then, None where the document ended before.
    """

    steps: tuple[Step, ...]
    course: tuple[tuple[float, int], ...]
    positions: tuple[int | None, ...]


def trace_text(document: Document, taken: Taken) -> Trace | None:
    """Return what happened to one text taken in a document; None where its event put no text in.

    The folding rule: an event that changes the text inside (between its first and last character that stand, or those
    themselves) goes on with the step before it where it touches the place that step has changed, the same kind of actor
    did it, and no other edit of the document came between. To take away characters of the taken text and put nothing in
    is a step of its own, apart from writing, so that what was struck and what was written are seen apart. A step after
    which the text reads as before is left out, so each one's text before is the text after the one before it; what was
    tried and taken back inside a step is not to be seen, its positions are where to look.

    >>> deltas = ['[{"insert":"a loan"}]', '[{"retain":2},{"insert":"larg"}]', '[{"retain":6},{"insert":"e "}]']
    >>> columns = {"positions": [3, 4, 5], "moments": [0, 2_000_000, 3_000_000], "kinds": ["ai", "human", "human"]}
    >>> trace = trace_text(Document(**columns, deltas=deltas), Taken(position=3, taken_at=0))
    >>> [(step.first_position, step.last_position, step.seconds, step.before, step.after) for step in trace.steps]
    [(4, 5, 3.0, 'a loan', 'a large loan')]
    """
    folding = _Folding(Runs(document.start, OTHER), taken)
    columns = (document.positions, document.moments, document.kinds, document.deltas)
    for event in zip(*columns, strict=True):
        edits = read_edits(event[3], folding.runs.length) if event[3] else None
        if edits:
            folding.read(edits, _Event(*event[:3]))
    if not folding.course:
        return None
    folding.close()
    return Trace(
        steps=tuple(folding.steps), course=tuple(folding.course), positions=tuple(_find_positions(document, taken))
    )


class _Event(NamedTuple):
    position: int
    moment: int
    kind: str | None


class _Open(msgspec.Struct, kw_only=True):
    """A step that is not over: its first and last event, and the place in the document that it has changed."""

    first: _Event
    last: _Event
    is_removal: bool
    before: str
    low: int
    high: int

    def goes_on(self, edits: Sequence[Edit], event: _Event, *, is_removal: bool) -> bool:
        """Tell whether an event goes on with the step: the same doing where the step has changed something."""
        is_alike = self.is_removal == is_removal and self.last.kind == event.kind
        return is_alike and any(at <= self.high and at + count >= self.low for at, _, count in edits)

    def take(self, edits: Sequence[Edit], event: _Event) -> None:
        """Take in an event and the places of its edits."""
        self.last = event
        for at, units, count in edits:
            self.low, self.high = min(self.low, at), max(self.high, at + count) + len(units) - count


class _Folding:
    """A document while it is read for one taking; ``course`` is empty until its text is put in."""

    def __init__(self, runs: Runs, taken: Taken) -> None:
        self.runs, self.taken = runs, taken
        self.steps: list[Step] = []
        self.course: list[tuple[float, int]] = []
        self._open: _Open | None = None
        self._text = ""

    def read(self, edits: Sequence[Edit], event: _Event) -> None:
        """Read one event that changes the document."""
        is_own = event.position == self.taken.position
        apply_edits(self.runs, edits, _OWN if is_own else OTHER)
        owned = zip(self.runs.owners, self.runs.texts, strict=True)
        standing = sum(len(units) for owner, units in owned if owner == _OWN)
        if is_own and standing:
            self.course.append((0.0, standing))
            self._text = self.runs.stretch(_OWN)
        elif self.course:
            self._follow(edits, event, standing)

    def _follow(self, edits: Sequence[Edit], event: _Event, standing: int) -> None:
        text = self.runs.stretch(_OWN)
        has_lost = standing < self.course[-1][1]
        if not has_lost and text == self._text:
            self.close()
            return
        if has_lost:
            self.course.append(((event.moment - self.taken.taken_at) / SECOND, standing))
        is_removal = has_lost and not any(units for _, units, _ in edits)
        if self._open is None or not self._open.goes_on(edits, event, is_removal=is_removal):
            self.close()
            at = edits[0][0]
            self._open = _Open(first=event, last=event, is_removal=is_removal, before=self._text, low=at, high=at)
        self._open.take(edits, event)
        self._text = text

    def close(self) -> None:
        """End the step that is open, if one is."""
        if self._open is None:
            return
        before, after = join_units(self._open.before).strip(), join_units(self._text).strip()
        last = self._open.last
        if before != after:
            step = Step(
                first_position=self._open.first.position,
                last_position=last.position,
                moment=last.moment,
                seconds=(last.moment - self.taken.taken_at) / SECOND,
                before=before,
                after=after,
                kind=last.kind,
            )
            self.steps.append(step)
        self._open = None


def _find_positions(document: Document, taken: Taken) -> Iterator[int | None]:
    """Yield for each check the position of the last event by then, the one that put the text in at the earliest."""
    for seconds in CHECKS:
        deadline = taken.taken_at + seconds * SECOND
        by_then = [
            position
            for position, moment in zip(document.positions, document.moments, strict=True)
            if position <= taken.position or moment <= deadline
        ]
        yield by_then[-1] if deadline <= document.end else None
