"""Cancels in SQL: which events a statement leaves out, and which cancels only a judgement of all of them can tell."""

from collections.abc import Sequence
from typing import Final

import msgspec

from workbench.replay.folding.cancels import judge_cancels
from workbench.replay.folding.fact import Fact, find_value
from workbench.replay.folding.fold import find_cancels
from workbench.replay.folding.paths import Path
from workbench.replay.projection import Projection
from workbench.replay.sql.expressions import Filter, quote_path, quote_texts, scalar_at

# More positions than this would make too long a statement.
MOST_CORRECTED: Final = 10_000


class Corrections(msgspec.Struct, frozen=True, kw_only=True):
    """Where chains of cancels have it otherwise than a statement: events that count after all, or do not."""

    restored: tuple[int, ...] = ()
    cancelled: tuple[int, ...] = ()


class Joined(msgspec.Struct, frozen=True, kw_only=True):
    """Pieces of a statement over events named e: WITH's ``parts``, the ``join``, and conditions on an event.

    ``is_cancel``: it is a cancel. ``is_spared``: no cancel leaves it out. ``doubt``: what becomes of it or of what it
    names, only a judgement of all cancels can tell.
    """

    parts: str = ""
    join: str = ""
    is_cancel: str = "false"
    is_spared: str = "true"
    doubt: str = "false"


def join_cancels(projection: Projection, chosen: Filter, relation: str) -> Joined:
    """Return how a statement leaves out what cancels name.

    A cancel leaves out its target where that stands before it, in its source and, where so declared, in its stream.
    Doubtful is a cancel that is named itself, and, by time, a target that is named twice.
    """
    rule = projection.cancels
    if rule is None:
        return Joined()
    own = Filter(cut=chosen.cut, event_types=rule.event_types, stream_ids=chosen.stream_ids if rule.in_stream else None)
    where, _ = own.conditions("c")
    owner = ["source", "stream_id"] if rule.in_stream else ["source"]
    by_time = projection.order != "position"
    places = ["position", "occurred_at"] if by_time else ["position"]
    latest = [f"max({name}) as {name}" for name in places] + (["count(*) as times"] if by_time else [])
    parts = (
        f"cancels as (select {', '.join(f'c.{name}' for name in (*owner, *places))}, {text_at(rule.target)} as target "  # noqa: S608 - names of our own, texts quoted
        f"from {relation} as c where {' and '.join(where)}), "
        f"named as (select target, {', '.join([*owner, *latest])} from cancels where target is not null "
        f"group by {', '.join(['target', *owner])}), "
    )
    keys = " and ".join(f"n.{name} = e.{name}" for name in owner)
    is_cancel = f"e.event_type in ({quote_texts(rule.event_types)})"
    return Joined(
        parts=parts,
        join=f" left join named as n on n.target = e.event_id and {keys}",
        is_cancel=is_cancel,
        is_spared=f"({' or '.join(spares(projection))})",
        doubt=f"(n.target is not null and ({is_cancel}{' or n.times > 1' if by_time else ''}))",
    )


def spares(projection: Projection) -> list[str]:
    """Return the conditions under which no cancel leaves an event out."""
    if projection.order == "position":
        return ["n.target is null", "n.position <= e.position"]
    tie = "(n.occurred_at = e.occurred_at and n.position <= e.position)"
    return ["n.target is null", "n.occurred_at < e.occurred_at", tie]


def text_at(path: Path) -> str:
    """Return the expression of the string at a path of a cancel; another value names no event."""
    if not path.in_json:
        return scalar_at(path, "c")
    value = f"json_extract(c.{path.column}, {quote_path(path)})"
    return f"case when substr(json_format({value}), 1, 1) = '\"' then json_extract_scalar({value}, '$') end"


def correct_cancels(projection: Projection, facts: Sequence[Fact]) -> Corrections | None:
    """Return what a statement gets wrong about the cancels of a cut; None where that is too much to tell it.

    ``facts`` are the cancels and the events they name.
    """
    judged = judge_cancels(find_cancels(projection, facts)).cancelled
    stated = state_cancelled(projection, facts)
    if len(judged ^ stated) > MOST_CORRECTED:
        return None
    return Corrections(restored=tuple(sorted(stated - judged)), cancelled=tuple(sorted(judged - stated)))


def state_cancelled(projection: Projection, facts: Sequence[Fact]) -> frozenset[int]:
    """Return the positions of the events that a statement takes for cancelled: what `join_cancels` says, in Python."""
    rule = projection.cancels
    if rule is None:
        return frozenset()
    named: dict[str, list[Fact]] = {}
    for fact in facts:
        target = find_value(fact, rule.target) if fact.event_type in rule.event_types else None
        if isinstance(target, str):
            named.setdefault(target, []).append(fact)
    return frozenset(
        fact.position for fact in facts if fact.event_id in named and is_named(projection, fact, named[fact.event_id])
    )


def is_named(projection: Projection, fact: Fact, cancels: Sequence[Fact]) -> bool:
    """Tell whether a statement takes an event for cancelled, by the cancels that have its id."""
    rule = projection.cancels
    own = [
        cancel
        for cancel in cancels
        if cancel.source == fact.source and (rule is None or not rule.in_stream or cancel.stream_id == fact.stream_id)
    ]
    if not own:
        return False
    # As in SQL, the greatest time and the greatest position may be those of different cancels.
    last = max(cancel.position for cancel in own)
    if projection.order == "position":
        return fact.position < last
    latest = max(cancel.occurred_at for cancel in own)
    return (fact.occurred_at, fact.position) < (latest, last)
