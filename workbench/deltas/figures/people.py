"""What people do with proposals: who takes them unread, who agrees with whom, and what lies outside every delta."""

from datetime import timedelta
from typing import Final

import msgspec
import polars as pl

from workbench.deltas.figures.aggregates import Ask
from workbench.deltas.figures.filters import Chosen
from workbench.deltas.figures.statistics import wilson


class Watch(msgspec.Struct, frozen=True, kw_only=True):
    """When taking proposals as they are is a warning: a share above ``share`` of at least ``least`` that were shown.

    They must lie at least ``during`` apart, first to last: too little editing for too long, not on one afternoon.
    """

    share: float = 0.85
    least: int = 50
    during: timedelta = timedelta(days=1)


WATCH: Final = Watch()


def watch_stamps(ask: Ask, chosen: Chosen, watch: Watch = WATCH) -> pl.DataFrame:
    """Return how often each person takes proposals as they are, most first.

    Columns: person, shown (those that were decided or expired), unchanged (accepted), share (unchanged ÷ shown), low
    and high (its Wilson 95 % interval), since and until (first and last decision), is_alarm, is_few (fewer shown than
    the watch asks for).
    """
    statement = chosen.select(
        "person, count(*) as shown, count_if(decision = 'accepted') as unchanged, "
        "min(decided_at) as since, max(decided_at) as until",
        "where person is not null and decision in ('accepted', 'edited', 'rejected', 'expired') "
        "group by person order by person",
    )
    people = ask(statement, chosen.parameters)
    intervals = [wilson(unchanged, shown) for shown, unchanged in people.select("shown", "unchanged").iter_rows()]
    few = pl.col("shown") < watch.least
    stamped = (pl.col("share") > watch.share) & ~few & (pl.col("until") - pl.col("since") >= watch.during)
    return (
        people.with_columns(
            (pl.col("unchanged") / pl.col("shown")).alias("share"),
            pl.Series("low", [low for low, _ in intervals], dtype=pl.Float64),
            pl.Series("high", [high for _, high in intervals], dtype=pl.Float64),
        )
        .with_columns(stamped.fill_null(value=False).alias("is_alarm"), few.alias("is_few"))
        .select("person", "shown", "unchanged", "share", "low", "high", "since", "until", "is_alarm", "is_few")
        .sort("is_few", "share", "person", descending=[False, True, False])
    )


def measure_agreement(ask: Ask, kind: str | None = None) -> pl.DataFrame:
    """Return how far several people agree who decided on the same proposal, one row a proposal.

    Columns: kind, position, people, decisions, pairs (of decisions by different people), same_decision and same_value
    (pairs that agree), agreement (same_decision ÷ pairs). Only proposals that more than one person decided on.
    """
    chosen = "where d.proposal_position is not null and d.person is not null" + (
        "" if kind is None else " and d.kind = :kind"
    )
    decided = f"select d.* from decisions d {chosen}"  # noqa: S608 - our own words; values are bound
    statement = (
        "select one.kind as kind, one.proposal_position as position, "  # noqa: S608 - the same
        "count(*) as pairs, count_if(one.decision = other.decision) as same_decision, "
        "count_if(one.value is not distinct from other.value) as same_value "
        f"from ({decided}) as one join ({decided}) as other on one.proposal_position = other.proposal_position "
        "and one.kind = other.kind and one.position < other.position and one.person <> other.person "
        "group by one.kind, one.proposal_position order by one.proposal_position"
    )
    pairs = ask(statement, {} if kind is None else {"kind": kind})
    return pairs.with_columns((pl.col("same_decision") / pl.col("pairs")).alias("agreement"))


def calibrate_confidence(ask: Ask, chosen: Chosen, bins: int = 10) -> pl.DataFrame:
    """Return how confidence goes with what became of proposals, by ``bins`` of equal width over [0, 1].

    Columns: low, high; shown, accepted, edited, rejected; measured and mean_distance of what was taken. A confidence
    outside [0, 1] counts in the first or last bin; proposals without one are not counted.
    """
    # Rounded, so that 0.7 is in the eighth of ten bins on every machine.
    number = f"cast(floor(round(confidence * {int(bins)}e0, 9)) as bigint)"
    place = f"least(greatest({number}, 0), {int(bins) - 1}) + 1"
    counts = (
        "count(*) as shown, count_if(decision = 'accepted') as accepted, count_if(decision = 'edited') as edited, "
        "count_if(decision = 'rejected') as rejected, "
        "count_if(distance is not null and decision in ('accepted', 'edited')) as measured, "
        "cast(sum(case when decision in ('accepted', 'edited') then cast(distance as decimal(20, 9)) end) as double) "
        "as distances"
    )
    statement = chosen.select(
        f"{place} as bin, {counts}", f"where confidence is not null group by {place} order by {place}"
    )
    counted = ask(statement, chosen.parameters)
    return counted.select(
        ((pl.col("bin") - 1) / bins).alias("low"),
        (pl.col("bin") / bins).alias("high"),
        *("shown", "accepted", "edited", "rejected", "measured"),
        pl.when(pl.col("measured") > 0).then(pl.col("distances") / pl.col("measured")).alias("mean_distance"),
    )


ORPHANS: Final = {
    "request never shown": (
        "select 'request never shown' as what, kind, position, stream_id, requested_at as occurred_at, person "
        "from requests where proposal_position is null"
    ),
    "second decision": (
        "select 'second decision' as what, kind, position, stream_id, decided_at as occurred_at, person "
        "from decisions where proposal_position is not null and ordinal > 1"
    ),
    "decision without a proposal": (
        "select 'decision without a proposal' as what, kind, position, stream_id, decided_at as occurred_at, person "
        "from decisions where proposal_position is null"
    ),
    "taken, another one hovered": (
        "select 'taken, another one hovered' as what, kind, position, stream_id, shown_at as occurred_at, person "
        "from proposals where taken is not null and hovered is not null and taken <> hovered"
    ),
}


def count_orphans(ask: Ask) -> pl.DataFrame:
    """Return how many records of proposals lie outside the list of deltas: what, records; those of none left out."""
    parts = " union all ".join(ORPHANS.values())
    return ask(f"select what, count(*) as records from ({parts}) as orphans group by what order by what", {})  # noqa: S608 - our own words


def list_orphans(ask: Ask, *, after: int = -1, limit: int = 200) -> pl.DataFrame:
    """Return records of proposals that lie outside the list of deltas, by position behind ``after``.

    Columns: what (request never shown, second decision, decision without a proposal; taken, another one hovered),
    kind, position, stream_id, occurred_at, person.
    """
    parts = " union all ".join(ORPHANS.values())
    statement = (
        f"select what, kind, position, stream_id, occurred_at, person from ({parts}) as orphans "  # noqa: S608 - the same
        f"where position > :after order by position, what limit {int(limit)}"
    )
    return ask(statement, {"after": after})
