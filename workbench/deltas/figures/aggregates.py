"""Figures over many deltas, counted by the engine: how proposals were decided, and what became of what was taken.

Each takes a way to ask (statement and parameters in, frame out) and the deltas chosen. Counts are whole numbers; sums
of measures are exact decimals, so that every engine gives the same.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import polars as pl

from workbench.deltas.figures.filters import Chosen, field_at
from workbench.errors import ArgumentError

Ask = Callable[[str, Mapping[str, Any]], pl.DataFrame]
GRAINS: Final = ("hour", "day", "week", "month")
GROUPS: Final = ("kind", "model", "version", "person", "reason", "stream_id", "proposer")
# A distance is kept to nine places in sums; a double's own sum depends on the order of its rows.
_EXACT: Final = "cast({} as decimal(20, 9))"
_COUNTS: Final = (
    "count(*) as shown, "
    "count_if(decision in ('accepted', 'edited')) as taken, "
    "count_if(decision = 'accepted') as accepted, "
    "count_if(decision = 'edited') as edited, "
    "count_if(decision = 'rejected') as rejected, "
    "count_if(decision = 'expired') as expired, "
    "count_if(decision = 'pending') as pending, "
    "count_if(decision = 'superseded') as superseded"
)


def split_decisions(ask: Ask, chosen: Chosen, by: Sequence[str] = ()) -> pl.DataFrame:
    """Return how proposals were decided, one row a group: its denominator is ``shown``.

    Columns: those of ``by``; shown, taken (accepted and edited), accepted, edited, rejected, expired, pending,
    superseded; people; characters_taken and retained_end, sums in characters over what was taken and is in the text at
    the end, null where no document is followed. Ordered by the group, nulls last. Raises ArgumentError.
    """
    groups = list_groups(by)
    listed = "".join(f'{expression} as "{name}", ' for name, expression in groups.items())
    tail = group_by(groups)
    shown = ask(chosen.select(f"{listed}{_COUNTS}, count(distinct person) as people", tail), chosen.parameters)
    sums = (
        "cast(sum(characters_taken) as bigint) as characters_taken, cast(sum(retained_end) as bigint) as retained_end"
    )
    taken = ask(chosen.select(f"{listed}{sums}", tail, relation="takings"), chosen.parameters)
    if not groups:
        return pl.concat([shown, taken], how="horizontal")
    return shown.join(taken, on=list(groups), how="left", nulls_equal=True, maintain_order="left")


def split_over_time(ask: Ask, chosen: Chosen, grain: str = "day", by: str = "version") -> pl.DataFrame:
    """Return how proposals were decided by the time they were shown (UTC) and one group.

    Columns: start, the group, shown, taken, accepted, edited, rejected, expired, pending, superseded; ordered by the
    group and start. Raises ArgumentError for a grain that is none of hour, day, week, month.
    """
    if grain not in GRAINS:
        raise ArgumentError(f"grain={grain!r} is not possible. Give one of {', '.join(GRAINS)}.")
    groups = {**list_groups([by]), "start": f"date_trunc('{grain}', shown_at)"}
    listed = "".join(f'{expression} as "{name}", ' for name, expression in groups.items())
    return ask(chosen.select(f"{listed}{_COUNTS}", group_by(groups)), chosen.parameters)


def count_values(ask: Ask, chosen: Chosen, name: str) -> pl.DataFrame:
    """Return how many proposals have each value of a column or of a field of the mapping: value, shown; most first."""
    expression = list_groups([name])[name]
    tail = f"group by {expression} order by count(*) desc, {expression} nulls last"
    return ask(chosen.select(f"{expression} as value, count(*) as shown", tail), chosen.parameters)


def histogram_distances(ask: Ask, chosen: Chosen, bins: int = 20) -> pl.DataFrame:
    """Return how far what was taken is from what was proposed: low, high, takings; ``bins`` of equal width.

    A bin is (low, high], so the first holds none at distance 0: those are counted by `count_distances`.
    """
    # Rounded, so that 0.35 of 20 bins is their seventh on every machine.
    bucket = f"cast(ceil(round(distance * {int(bins)}e0, 9)) as bigint)"
    statement = chosen.select(
        f"{bucket} as bin, count(*) as takings", f"where distance > 0e0 group by {bucket}", relation="takings"
    )
    counted = dict(ask(statement, chosen.parameters).iter_rows())
    return pl.DataFrame(
        [(each / bins, (each + 1) / bins, counted.get(each + 1, 0)) for each in range(bins)],
        schema={"low": pl.Float64, "high": pl.Float64, "takings": pl.Int64},
        orient="row",
    )


def count_distances(ask: Ask, chosen: Chosen) -> pl.DataFrame:
    """Return one row: taken, measured, unchanged (distance 0), changed and the mean distance of those measured."""
    mean = f"cast(sum({_EXACT.format('distance')}) as double) / nullif(count(distance), 0) as mean_distance"
    counts = (
        "count(*) as taken, count(distance) as measured, count_if(distance = 0e0) as unchanged, "
        "count_if(distance > 0e0) as changed"
    )
    return ask(chosen.select(f"{counts}, {mean}", relation="takings"), chosen.parameters)


def find_medians(ask: Ask, chosen: Chosen, column: str = "latency") -> pl.DataFrame:
    """Return the median of a measure for what was taken and what was rejected: decided, median, proposals.

    The median of an even number is the mean of its two middle values.
    """
    if column not in ("latency", "distance", "hter", "chrf", "field_acceptance", "first_change"):
        raise ArgumentError(f"There is no median of {column!r}. Ask for latency, distance, hter, chrf or first_change.")
    group = "case when decision in ('accepted', 'edited') then 'taken' else decision end"
    ranked = chosen.select(
        f"{group} as decided, {column} as measure, "
        f"row_number() over (partition by {group} order by {column}, position) as place, "
        f"count(*) over (partition by {group}) as proposals",
        f"where {column} is not null and decision in ('accepted', 'edited', 'rejected')",
    )
    statement = (
        "select decided, (min(measure) + max(measure)) / 2e0 as median, max(proposals) as proposals "  # noqa: S608 - our own words
        f"from ({ranked}) as ranked where place in ((proposals + 1) / 2, proposals / 2 + 1) "
        "group by decided order by decided"
    )
    return ask(statement, chosen.parameters)


def list_groups(names: Sequence[str]) -> dict[str, str]:
    """Return name → expression of what is grouped by: a column, or else a field of the mapping."""
    return {name: name if name in GROUPS else field_at(name) for name in names}


def group_by(groups: Mapping[str, str]) -> str:
    """Return the end of a statement that groups by expressions and orders by them, nulls last."""
    if not groups:
        return ""
    listed = ", ".join(groups.values())
    return f"group by {listed} order by {', '.join(f'{each} nulls last' for each in groups.values())}"
