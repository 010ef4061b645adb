"""How one entity's state came to be: the state after each event, and for each field the event that set it."""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Final

import msgspec

from workbench.replay.folding.cancels import judge_cancels
from workbench.replay.folding.fact import Fact, place_of
from workbench.replay.folding.fold import find_cancels
from workbench.replay.folding.values import write_value
from workbench.replay.history.telling import Told, tell_events
from workbench.replay.projection import Projection

# Orders of the members of states that are remembered.
REMEMBERED: Final = 4096


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """One event of an entity and the state after it.

    ``changed`` has, by field, the canonical JSON texts before and after (None where an open state has no such member);
    ``illegal`` the moves outside a state machine: field, from, to. ``effect`` is what a cancel did. ``errors`` say by
    field why a value could not be taken; the field stays as it was.
    """

    fact: Fact
    changed: Mapping[str, tuple[str | None, str | None]]
    touched: Sequence[str]
    illegal: Sequence[tuple[str, str | None, str]]
    errors: Mapping[str, str]
    effect: str | None
    state: Mapping[str, str]


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Where a field's value comes from.

    ``fact`` set it, ``again`` set it to the same value later on; ``earlier`` are the values before, with the positions
    of the events that set them, oldest first. ``fact`` is None for a field that no event has set.
    """

    field: str
    value: str | None
    fact: Fact | None
    again: Fact | None
    earlier: Sequence[tuple[int, str]]


def find_history(projection: Projection, facts: Sequence[Fact], entity: str) -> Iterator[Moment]:
    """Yield the events of an entity in the projection's order, each with the state after it.

    ``facts`` are all events of a cut that touch the entity, and the cancels of those. It is the fold that makes states:
    a cancel takes effect at its place, and an event at which a rule fails is told of and passed over.
    """
    ordered = order_facts(projection, facts)
    told = tell_events(projection, ordered, entity)
    changed = list_changes(told)
    state = {name: changes.texts[0] for name, changes in told.changes.items() if changes.texts[0] is not None}
    for row, place in enumerate(told.kept):
        if row in changed:
            after = {**state, **{name: text for name, (_, text) in changed[row].items()}}
            state = {name: text for name, text in after.items() if text is not None}
        yield Moment(
            fact=ordered[place],
            changed=changed.get(row, {}),
            touched=told.touched[row],
            illegal=told.illegal.get(row, []),
            errors=told.errors.get(row, {}),
            effect=told.effects.get(row),
            state=state,
        )


def order_facts(projection: Projection, facts: Sequence[Fact]) -> list[Fact]:
    """Return events in a projection's order."""
    return sorted(facts, key=lambda fact: place_of(fact, projection.order))


def list_changes(told: Told) -> dict[int, dict[str, tuple[str | None, str | None]]]:
    """Return the texts before and after of what each row changed, by field."""
    found: dict[int, dict[str, tuple[str | None, str | None]]] = {}
    for name, changes in told.changes.items():
        texts = changes.texts.to_list()
        for row, before, after in zip(changes.rows[1:], texts, texts[1:], strict=False):
            found.setdefault(row, {})[name] = (before, after)
    return found


def find_origins(projection: Projection, facts: Sequence[Fact], entity: str) -> list[Origin]:
    """Return, for each field, its value in a cut and the event that set it; cancelled events set nothing."""
    told, counted = tell_counted(projection, order_facts(projection, facts), entity)
    again, rows = find_again(told), [counted[place] for place in told.kept]
    origins = []
    for name, changes in told.changes.items():
        texts = changes.texts.to_list()
        earlier = zip(changes.rows[1:-1], texts[1:-1], strict=True)
        origins.append(
            Origin(
                field=name,
                value=texts[-1],
                fact=rows[changes.rows[-1]] if len(texts) > 1 else None,
                again=rows[again[name]] if name in again else None,
                earlier=[(rows[row].position, text or "null") for row, text in earlier],
            )
        )
    return origins


def tell_counted(projection: Projection, ordered: Sequence[Fact], entity: str) -> tuple[Told, Sequence[Fact]]:
    """Return what the events did that are not cancelled in the end, and these events."""
    cancelled = judge_cancels(find_cancels(projection, ordered)).cancelled
    counted = [fact for fact in ordered if fact.position not in cancelled] if cancelled else ordered
    return tell_events(projection, counted, entity, judged=True), counted


def find_again(told: Told) -> dict[str, int]:
    """Return the last row at which each field was set to the value it had."""
    since = {
        name: changes.rows[-1]
        for name, changes in told.changes.items()
        if len(changes.rows) > 1 and changes.texts[-1] is not None
    }
    again: dict[str, int] = {}
    for row in range(len(told.touched) - 1, min(since.values(), default=len(told.touched)), -1):
        for name in told.touched[row]:
            if since.get(name, row) < row and name not in again and name not in told.errors.get(row, ()):
                again[name] = row
    return again


def join_state(texts: Mapping[str, str]) -> str:
    """Return a state's canonical text from its fields' texts.

    >>> join_state({"b": "1", "a": '"x"'})
    '{"a":"x","b":1}'
    """
    return "{" + ",".join([f"{written}:{texts[name]}" for name, written in order_names(tuple(texts))]) + "}"


@lru_cache(maxsize=REMEMBERED)
def order_names(names: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return names as RFC 8785 orders members, by UTF-16 units, each with its text."""
    return [(name, write_value(name)) for name in sorted(names, key=lambda name: name.encode("utf-16-be"))]
