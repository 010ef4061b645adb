"""A document as the log has it: events that put text in and take it out, and the edits their deltas are. Pure."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from workbench.deltas.document.runs import Runs
from workbench.replay.folding.texts import join_units, read_operation

# Owners of runs that no taking has: people, an AI's other texts, what a document starts with and everyone else.
HUMAN: Final = -1
AI: Final = -2
OTHER: Final = -3
KINDS: Final = {"human": HUMAN, "ai": AI}

# Where, which units are put in, and how many are taken out.
Edit = tuple[int, str, int]


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """A document's events in the log's order, as columns of one length.

    ``moments`` are microseconds since 1970, ``kinds`` the actors', ``deltas`` Quill deltas as JSON (or a JSON string
    that holds one), None or empty where an event leaves the text as it is. ``start`` is the text it starts with,
    ``ended_at`` the moment of its last event of any kind, by default the latest of those given.
    """

    positions: Sequence[int]
    moments: Sequence[int]
    kinds: Sequence[str | None]
    deltas: Sequence[str | None]
    start: str = ""
    ended_at: int | None = None

    @property
    def end(self) -> int:
        """The moment up to which anything is known of it."""
        return max(self.moments, default=0) if self.ended_at is None else self.ended_at


def read_edits(delta: str, length: int) -> list[Edit] | None:
    """Return what a delta does to a text of some length, None where it is no delta of such a text.

    Each edit's place is that after the edits before it.

    >>> read_edits('{"ops": [{"retain": 3}, {"insert": "ab"}, {"delete": 2}]}', 5)
    [(3, 'ab', 0), (5, '', 2)]
    >>> read_edits('[{"retain": 6}]', 5) is None
    True
    """
    edits: list[Edit] = []
    at = read = 0
    for operation in _decode(delta):
        inserted, count = read_operation(operation)
        if inserted is not None:
            if inserted:
                edits.append((at, inserted, 0))
            at += len(inserted)
            continue
        if count is None or (read := read + abs(count)) > length:
            return None
        if count < 0:
            edits.append((at, "", -count))
        else:
            at += count
    return edits


def write_text(document: Document, *, before: int) -> str:
    """Return a document's text as it was before the event at a position.

    >>> letters = Document(positions=[4, 9], moments=[0, 1], kinds=["human"] * 2, deltas=['[{"insert":"a"}]'] * 2)
    >>> write_text(letters, before=9)
    'a'
    """
    runs = Runs(document.start, OTHER)
    for position, delta in zip(document.positions, document.deltas, strict=True):
        if position >= before:
            break
        apply_edits(runs, read_edits(delta, runs.length) if delta else None, OTHER)
    return join_units("".join(runs.texts))


def apply_edits(runs: Runs, edits: Sequence[Edit] | None, owner: int) -> None:
    """Do to a text what edits say, its new units being those of an owner."""
    for at, inserted, deleted in edits or ():
        if inserted:
            runs.insert(at, inserted, owner)
        else:
            runs.delete(at, deleted)


def _decode(delta: str) -> Sequence[Any]:
    try:
        value = msgspec.json.decode(delta)
        if isinstance(value, str):
            value = msgspec.json.decode(value)
    except msgspec.DecodeError:
        return (None,)
    operations = value.get("ops") if isinstance(value, dict) else value
    return operations if isinstance(operations, list) else (None,)
