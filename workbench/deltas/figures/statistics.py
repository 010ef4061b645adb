"""How sure a figure is: intervals of shares and means, differences between two sides, curves of survival. Pure."""

from math import sqrt
from statistics import NormalDist
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

# The quantile of the normal distribution that a 95 % interval takes.
Z: Final = NormalDist().inv_cdf(0.975)
DRAWS: Final = 2_000
SEED: Final = 7
# People drawn at once: 8 MB of indexes, however many people and draws there are.
_AT_ONCE: Final = 1 << 20
_Sums = npt.NDArray[np.float64]


def wilson(count: float, of: float) -> tuple[float, float]:
    """Return the 95 % interval of the share ``count`` ÷ ``of``; (0, 1) of nothing.

    The score interval: (p + z²/2n ± z √(p(1 - p)/n + z²/4n²)) ÷ (1 + z²/n), p the share, n = ``of``. E. B. Wilson,
    Probable inference, the law of succession, and statistical inference, JASA 22 (1927).

    >>> [round(100 * bound, 1) for bound in wilson(2_868, 6_348)]
    [44.0, 46.4]
    >>> wilson(0, 0)
    (0.0, 1.0)
    """
    if of <= 0:
        return 0.0, 1.0
    share, squared = count / of, Z * Z
    middle = share + squared / (2 * of)
    half = Z * sqrt(share * (1 - share) / of + squared / (4 * of * of))
    low, high = (middle - half) / (1 + squared / of), (middle + half) / (1 + squared / of)
    # At the ends the bound is 0 or 1, which floating numbers miss by 1e-17.
    return (low if count > 0 else 0.0), (high if count < of else 1.0)


def bootstrap_ratio(
    people: pl.DataFrame, count: str, of: str, *, draws: int = DRAWS, seed: int = SEED
) -> tuple[float | None, float | None, float | None]:
    """Return the sum of one column ÷ the sum of another, and its 95 % interval over people; None where there is none.

    ``people`` has a column ``person`` and both columns named; with rows for ``of`` (1 each) the ratio is a mean. What
    is drawn is people with all their rows, as rows of one person are not independent; see draw_people. The bounds are
    the 2.5th and 97.5th percentile of the draws. B. Efron, R. Tibshirani, An Introduction to the Bootstrap (1993),
    chapter 13; for clusters A. C. Davison, D. V. Hinkley, Bootstrap Methods and their Application (1997), section 3.8.

    >>> bootstrap_ratio(pl.DataFrame({"person": ["a", "b"], "taken": [1, 3], "shown": [4, 4]}), "taken", "shown")
    (0.5, 0.25, 0.75)
    """
    sums = _sum_people(people, count, of)
    return _bound(_divide(sums.sum(axis=0)), _divide(draw_people(sums, draws=draws, seed=seed)))


def bootstrap_difference(
    people: pl.DataFrame, count: str, of: str, *, draws: int = DRAWS, seed: int = SEED
) -> tuple[float | None, float | None, float | None]:
    """Return by how much the ratio on side 2 is above that on side 1, and its 95 % interval over people.

    ``people`` has the columns person, ``side`` (1 or 2) and both columns named. A person who is drawn counts on both
    sides, so what one person did on either is compared with itself. A draw with nothing on one side is left out. Method
    and sources: bootstrap_ratio.

    >>> rows = {"person": ["a", "a", "b", "b"], "side": [1, 2, 1, 2], "taken": [1, 2, 3, 4], "shown": [4, 4, 4, 4]}
    >>> bootstrap_difference(pl.DataFrame(rows), "taken", "shown")
    (0.25, 0.25, 0.25)
    """
    order = people.select(pl.col("person").unique(maintain_order=True))
    sides = [
        _sum_people(pl.concat([order, people.filter(pl.col("side") == side)], how="diagonal"), count, of)
        for side in (1, 2)
    ]
    sums = np.concatenate(sides, axis=1)
    whole, drawn = sums.sum(axis=0), draw_people(sums, draws=draws, seed=seed)
    return _bound(_divide(whole[2:]) - _divide(whole[:2]), _divide(drawn[:, 2:]) - _divide(drawn[:, :2]))


def draw_people(sums: _Sums, *, draws: int = DRAWS, seed: int = SEED) -> _Sums:
    """Return the sums over people of each draw, as many people as there are with replacement: one row a draw.

    ``sums`` has one row a person. The order of people is part of the method: the n-th number that
    ``random.Random(seed).random()`` gives, times their count, is whose turn it is. So a figure stays the same on every
    machine and version. Figures over deltas take people in the order in which the log first names them.

    >>> draw_people(np.array([[1.0], [2.0], [4.0]]), draws=4).ravel().tolist()
    [4.0, 5.0, 4.0, 4.0]
    """
    # The same stream as random.Random(seed), many numbers at once; that of numpy's newer generators is not frozen.
    numbers = np.random.RandomState([seed])
    count = len(sums)
    found = np.full((draws, sums.shape[1]), np.nan)
    step = max(1, _AT_ONCE // max(1, count))
    for start in range(0, draws if count else 0, step):
        rows = min(step, draws - start)
        drawn = (numbers.random_sample((rows, count)) * count).astype(np.int64)
        found[start : start + rows] = sums[drawn].sum(axis=1)
    return found


def kaplan_meier(lives: pl.DataFrame) -> pl.DataFrame:
    """Return the share that lives on, one row for each time at which something ends: the Kaplan-Meier estimate.

    ``lives`` has the columns seconds, ``changed`` (how many end then) and ``censored`` (how many are not seen any
    longer), in any order, also several rows of one time. Columns: seconds, at_risk (those that reach this time),
    changed, censored, share, low, high; the first row is at 0. S(t) = Π (1 - dᵢ/nᵢ) over the times up to t; who is
    censored at a time counts as at risk there. E. L. Kaplan, P. Meier, JASA 53 (1958). The band is 95 %, Greenwood's
    variance V = Σ dᵢ/(nᵢ(nᵢ - dᵢ)) on the log-log scale, S^exp(±z √V / ln S), so that it stays within 0 and 1 (J. D.
    Kalbfleisch, R. L. Prentice, The Statistical Analysis of Failure Time Data, 1980); none once S is 0.

    >>> lives = pl.DataFrame({"seconds": [2.0, 3.0, 5.0], "changed": [1, 0, 1], "censored": [0, 1, 1]})
    >>> kaplan_meier(lives).select("seconds", "at_risk", "share").rows()
    [(0.0, 4, 1.0), (2.0, 4, 0.75), (3.0, 3, 0.75), (5.0, 2, 0.375)]
    """
    start = pl.DataFrame({"seconds": [0.0], "changed": [0], "censored": [0]})
    typed = lives.select(
        pl.col("seconds").cast(pl.Float64()), pl.col("changed").cast(pl.Int64()), pl.col("censored").cast(pl.Int64())
    )
    ends = pl.col("changed") + pl.col("censored")
    dying, reached = pl.col("changed"), pl.col("at_risk")
    share, variance = pl.col("share"), pl.col("variance")
    spread = (Z * variance.sqrt() / share.log()).exp()
    inside = share.is_between(0, 1, closed="none")
    return (
        pl.concat([start, typed])
        .group_by("seconds")
        .agg(pl.col("changed", "censored").sum())
        .sort("seconds")
        .with_columns(ends.reverse().cum_sum().reverse().alias("at_risk"))
        .with_columns(
            pl.when(dying > 0).then(1 - dying / reached).otherwise(1.0).cum_prod().alias("share"),
            pl.when(dying > 0).then(dying / (reached * (reached - dying))).otherwise(0.0).cum_sum().alias("variance"),
        )
        .with_columns(
            pl.when(inside).then(share.pow(1 / spread)).when(share == 1).then(1.0).alias("low"),
            pl.when(inside).then(share.pow(spread)).when(share == 1).then(1.0).alias("high"),
        )
        .select("seconds", "at_risk", "changed", "censored", "share", "low", "high")
    )


def survive(curve: pl.DataFrame, seconds: float) -> tuple[int, float, float | None, float | None]:
    """Return at_risk, share, low and high of a curve of kaplan_meier at one time from 0 on.

    >>> lives = pl.DataFrame({"seconds": [2.0, 3.0], "changed": [1, 0], "censored": [0, 1]})
    >>> survive(kaplan_meier(lives), 2.5)[:2]
    (1, 0.5)
    """
    at_risk = curve.filter(pl.col("seconds") >= seconds).select(pl.col("at_risk").max()).item()
    share, low, high = curve.filter(pl.col("seconds") <= seconds).select("share", "low", "high").row(-1)
    return at_risk or 0, share, low, high


def _sum_people(people: pl.DataFrame, count: str, of: str) -> _Sums:
    """Return the sums of two columns, one row a person in the order in which they are first named."""
    summed = people.group_by("person", maintain_order=True).agg(pl.col(count, of).cast(pl.Float64()).sum())
    return summed.select(count, of).to_numpy()


def _divide(sums: _Sums) -> _Sums:
    """Return the first ÷ the second of the last axis; NaN where that is none."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(sums[..., 1] > 0, sums[..., 0] / sums[..., 1], np.nan)


def _bound(value: _Sums, drawn: _Sums) -> tuple[float | None, float | None, float | None]:
    seen = drawn[~np.isnan(drawn)]
    if np.isnan(value) or not seen.size:
        return None, None, None
    low, high = np.percentile(seen, [2.5, 97.5])
    return float(value), float(low), float(high)
