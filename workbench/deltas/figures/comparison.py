"""Two versions, or before and after a moment, side by side: shares, their difference, and how sure that is."""

from datetime import datetime
from typing import Final

import polars as pl

from workbench.deltas.figures.aggregates import Ask
from workbench.deltas.figures.filters import Chosen
from workbench.errors import ArgumentError

DECIDED: Final = ("accepted", "edited", "rejected")
DRAWS: Final = 2_000
SEED: Final = 7


def count_people(ask: Ask, chosen: Chosen, side: str, **parameters: object) -> pl.DataFrame:
    """Return what each person did on each side: person, side, shown, accepted, edited, rejected, taken, retained.

    ``side`` is an expression that is 1 or 2, null for what is on neither; taken and retained are characters.
    """
    bound = {**chosen.parameters, **parameters}
    shares = ", ".join(f"count_if(decision = '{name}') as {name}" for name in DECIDED)
    tail = f"where {side} is not null group by person, {side} order by min(position)"
    shown = ask(
        chosen.select(f"person, {side} as side, count(*) as shown, {shares}, min(position) as first", tail), bound
    )
    sums = (
        "cast(sum(case when retained_end is not null then characters_taken end) as bigint) as taken, "
        "cast(sum(retained_end) as bigint) as retained"
    )
    kept = ask(chosen.select(f"person, {side} as side, {sums}", tail, relation="takings"), bound)
    joined = shown.join(kept, on=["person", "side"], how="left", nulls_equal=True)
    # People in the order in which the log first names them: their order is part of the bootstrap.
    first = pl.col("first").min().over("person")
    return joined.with_columns(pl.col("taken", "retained").fill_null(0), first).sort("first", "side").drop("first")


def compare_versions(
    ask: Ask, chosen: Chosen, one: str, other: str, *, draws: int = DRAWS, seed: int = SEED
) -> pl.DataFrame:
    """Return what two versions came to, and the difference ``other`` - ``one`` with its 95 % interval over people.

    Columns: measure (accepted, edited, rejected: of those shown; retained: characters at the end of those taken), one,
    one_of, other, other_of (counts), difference, low, high (of shares, 0 to 1), people. Proposals of nobody are drawn
    together, as if of one more. Raises ArgumentError where a version has no proposals.
    """
    side = "case when version = :one then 1 when version = :other then 2 end"
    people = count_people(ask, chosen, side, one=one, other=other)
    for number, version in ((1, one), (2, other)):
        if not people.filter(pl.col("side") == number).height:
            raise ArgumentError(f"No proposal chosen is of version {version!r}. Choose one of those there are.")
    return compare_sides(people, draws=draws, seed=seed)


def compare_release(
    ask: Ask, chosen: Chosen, moment: datetime, *, draws: int = DRAWS, seed: int = SEED
) -> pl.DataFrame:
    """Return what came before a moment and from it on, by when proposals were shown; columns as compare_versions."""
    side = "case when shown_at < :moment then 1 else 2 end"
    return compare_sides(count_people(ask, chosen, side, moment=moment), draws=draws, seed=seed)


def compare_sides(people: pl.DataFrame, *, draws: int = DRAWS, seed: int = SEED) -> pl.DataFrame:
    """Return the comparison of two sides out of what each person did; see compare_versions."""
    from workbench.deltas.figures.statistics import bootstrap_difference

    rows = []
    for measure, count, of in (*((name, name, "shown") for name in DECIDED), ("retained", "retained", "taken")):
        sums = [people.filter(pl.col("side") == side).select(count, of).sum().row(0) for side in (1, 2)]
        difference, low, high = bootstrap_difference(people, count, of, draws=draws, seed=seed)
        rows.append((measure, *sums[0], *sums[1], difference, low, high, people["person"].drop_nulls().n_unique()))
    counts = dict.fromkeys(("one", "one_of", "other", "other_of"), pl.Int64())
    shares = dict.fromkeys(("difference", "low", "high"), pl.Float64())
    schema = {"measure": pl.String(), **counts, **shares, "people": pl.Int64()}
    return pl.DataFrame(rows, schema=schema, orient="row")
