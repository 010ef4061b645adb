"""Compensation: which events count at a cut, after every cancel has taken effect at its own place."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec

Why = Literal["unknown", "later", "already cancelled"]


class Cancel(msgspec.Struct, frozen=True, kw_only=True):
    """A cancel and what it names: ``place`` and ``target_place`` stand in the projection's order.

    ``target`` and ``target_place`` are None where no event of the cut has the id named.
    """

    position: int
    place: tuple[Any, ...]
    target: int | None
    target_place: tuple[Any, ...] | None


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """``cancelled``: the positions of events that do not count; ``idle``: cancels that changed nothing, and why."""

    cancelled: frozenset[int]
    idle: Mapping[int, Why]


def judge_cancels(cancels: Iterable[Cancel]) -> Verdict:
    """Return which events the cancels of a cut leave out.

    They take effect in their order. A cancel of a cancel restores what that one had left out; one whose target is
    unknown, later than itself or already cancelled changes nothing, and so does its own cancelling later on.

    >>> first = Cancel(position=5, place=(5,), target=2, target_place=(2,))
    >>> judge_cancels([first]).cancelled
    frozenset({2})
    >>> judge_cancels([first, Cancel(position=7, place=(7,), target=5, target_place=(5,))]).cancelled
    frozenset({5})
    """
    judge = Judge()
    for cancel in sorted(cancels, key=lambda cancel: cancel.place):
        judge.take(cancel)
    return Verdict(cancelled=frozenset(judge.cancelled), idle=judge.idle)


class Judge:
    """The same, one cancel after another in their order. An event is cancelled while any cancel of it counts."""

    def __init__(self) -> None:
        self.idle: dict[int, Why] = {}
        self._weights: dict[int, int] = {}
        self._targets: dict[int, int] = {}

    @property
    def cancelled(self) -> frozenset[int]:
        """The positions of the events that do not count now."""
        return frozenset(position for position, weight in self._weights.items() if weight)

    def take(self, cancel: Cancel) -> int | None:
        """Let a cancel take effect; return the position of its target, None where it changes nothing."""
        why = self._why_idle(cancel)
        if why is not None or cancel.target is None:
            self.idle[cancel.position] = why or "unknown"
            return None
        self._targets[cancel.position] = cancel.target
        self._weigh(cancel.target, 1)
        return cancel.target

    def _weigh(self, position: int, change: int) -> None:
        """Count one cancel more or less of an event; a cancel among them gains or loses its own effect, and so on."""
        before = self._weights.get(position, 0)
        self._weights[position] = before + change
        target = self._targets.get(position)
        if target is not None and (before == 0) != (before + change == 0):
            self._weigh(target, -change)

    def _why_idle(self, cancel: Cancel) -> Why | None:
        if cancel.target is None or cancel.target_place is None:
            return "unknown"
        if cancel.target_place >= cancel.place:
            return "later"
        return "already cancelled" if self._weights.get(cancel.target) else None
