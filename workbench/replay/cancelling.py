"""Cancels in SQL: which events a statement leaves out, and which cancels only a judgement of all of them can tell."""

from collections.abc import Sequence
from typing import Final

import msgspec

from workbench.replay.cancels import judge_cancels
from workbench.replay.expressions import Filter, quote_path, scalar_at
from workbench.replay.fact import Fact, find_value
from workbench.replay.fold import find_cancels
from workbench.replay.paths import Path
from workbench.replay.projection import Projection

# More positions than this would make too long a statement.
MOST_CORRECTED: Final = 10_000


class Corrections(msgspec.Struct, frozen=True, kw_only=True):
    """Where chains of cancels have it otherwise than a statement: events that count after all, or do not."""

    restored: tuple[int, ...] = ()
    cancelled: tuple[int, ...] = ()


def join_cancels(projection: Projection, chosen: Filter) -> tuple[str, str, str, str]:
    """Return WITH's part, the join, the condition that an event is not cancelled, and the count of doubtful cancels.

    A cancel leaves out its target where that stands before it, in its source and, where so declared, in its stream.
    Doubtful is a cancel of a cancel, and a target named from several sources or streams, or, by time, twice.
    """
    rule = projection.cancels
    if rule is None:
        return "", "", "", "0"
    own = Filter(cut=chosen.cut, event_types=rule.event_types, stream_ids=chosen.stream_ids if rule.in_stream else None)
    where, _ = own.conditions("c")
    cancels = (
        f"cancels as (select c.event_id, c.source, c.stream_id, c.position, c.occurred_at, {text_at(rule.target)} as "  # noqa: S608 - names of our own, texts quoted
        f"target from events as c where {' and '.join(where)}), "
        "named as (select target, min(source) as source, max(source) as other_source, min(stream_id) as stream_id, "
        "max(stream_id) as other_stream, max(position) as position, max(occurred_at) as occurred_at, count(*) as times "
        "from cancels where target is not null group by target), "
        "doubts as (select count(*) as doubts from named as n left join (select distinct event_id from cancels) as c "
        f"on c.event_id = n.target where {' or '.join(doubts(projection))}), "
    )
    join = " left join named as n on n.target = e.event_id"
    return cancels, join, f"({' or '.join(spares(projection))})", "(select doubts from doubts)"


def doubts(projection: Projection) -> list[str]:
    """Return the conditions under which the statement cannot tell what becomes of a target."""
    rule = projection.cancels
    tests = ["c.event_id is not null", "n.source <> n.other_source"]
    tests += ["n.stream_id <> n.other_stream"] if rule is not None and rule.in_stream else []
    tests += ["n.times > 1"] if projection.order == "occurred" else []
    return tests


def spares(projection: Projection) -> list[str]:
    """Return the conditions under which no cancel leaves an event out."""
    rule = projection.cancels
    tests = ["n.target is null", "n.source <> e.source"]
    tests += ["n.stream_id <> e.stream_id"] if rule is not None and rule.in_stream else []
    if projection.order == "position":
        return [*tests, "n.position <= e.position"]
    tie = "(n.occurred_at = e.occurred_at and n.position <= e.position)"
    return [*tests, "n.occurred_at < e.occurred_at", tie]


def text_at(path: Path) -> str:
    """Return the expression of the string at a path of a cancel; another value names no event."""
    if not path.in_json:
        return scalar_at(path, "c")
    value = f"json_extract(c.{path.column}, {quote_path(path)})"
    return f"case when substr(json_format({value}), 1, 1) = '\"' then {scalar_at(path, 'c')} end"


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
    is_own = min(cancel.source for cancel in cancels) == fact.source
    if projection.cancels is not None and projection.cancels.in_stream:
        is_own = is_own and min(cancel.stream_id for cancel in cancels) == fact.stream_id
    # As in SQL, the greatest time and the greatest position may be those of different cancels.
    last = max(cancel.position for cancel in cancels)
    if projection.order == "position":
        return is_own and fact.position < last
    latest = max(cancel.occurred_at for cancel in cancels)
    return is_own and (fact.occurred_at, fact.position) < (latest, last)
