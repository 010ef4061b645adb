"""What people do to the texts they take: how far they change them, how long they leave them, where and how."""

from typing import Any, Final

import polars as pl

from workbench.charts.deltas_distance import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, distance_chart
from workbench.charts.deltas_places import HEIGHT as PLACES_HEIGHT
from workbench.charts.deltas_places import places_chart
from workbench.charts.deltas_survival import HORIZON, TICKS, Curve, survival_chart, survival_geometry
from workbench.charts.theme import choose_palette
from workbench.deltas.figures.aggregates import count_distances, histogram_distances
from workbench.deltas.figures.changes import change_by_place, count_lives, rank_edits
from workbench.deltas.figures.statistics import kaplan_meier, survive
from workbench.session import Session
from workbench.views.deltas.asking import Asking, choose_deltas
from workbench.views.deltas.choices import DeltasChoices
from workbench.views.deltas.picture import DeltaPicture, make_view

BINS: Final = 20
EDITS: Final = 4
CURVES: Final = 3
# Steps nearer than this many seconds, behind the first ten, are one on the screen.
APART: Final = 1.0
FINE: Final = 10.0


def show_distances(session: Session, choices: DeltasChoices, *, width: int) -> DeltaPicture:
    """Return how far what was taken is from what was proposed; the unchanged are a number beside the picture."""
    ask, chosen = Asking(session, choices.position), choose_deltas(choices)
    counts = count_distances(ask, chosen).row(0, named=True)
    told: dict[str, Any] = {name: counts[name] for name in ("taken", "changed", "unchanged")}
    if not counts["changed"]:
        return DeltaPicture(told={**told, "counts": []}, asked=ask)
    frame = histogram_distances(ask, chosen, BINS)
    bars = frame["takings"].to_list()
    palette = choose_palette(choices.theme)
    geometry = {"left": LEFT, "top": TOP, "width": width - LEFT - RIGHT, "height": HEIGHT - TOP - BOTTOM}
    view = make_view(
        session, ask, frame, lambda: distance_chart(bars, palette, width=width), "changed, by edit distance"
    )
    return DeltaPicture(told={**told, "counts": bars, "geometry": geometry}, asked=ask, view=view)


def show_survival(session: Session, choices: DeltasChoices, *, width: int) -> DeltaPicture:
    """Return the share of what was taken that is still untouched, by version: the three that were taken most."""
    ask, chosen = Asking(session, choices.position), choose_deltas(choices)
    lives = count_lives(ask, chosen, ("version",))
    curves = draw_curves(lives)
    told: dict[str, Any] = {
        "curves": [{"words": curve.words, "last": curve.last} for curve in curves],
        "geometry": survival_geometry(width),
        "why": "No document is followed: the mapping names no text, or nothing was taken.",
    }
    if not curves:
        return DeltaPicture(told=told, asked=ask)
    palette = choose_palette(choices.theme)
    view = make_view(session, ask, lives, lambda: survival_chart(curves, palette, width=width), "share still untouched")
    return DeltaPicture(told=told, asked=ask, view=view)


def draw_curves(lives: pl.DataFrame) -> list[Curve]:
    """Return a curve for each of the versions with the most lives; see count_lives."""
    sums = (
        lives.group_by("version")
        .agg((pl.col("changed") + pl.col("censored")).sum().alias("lives"))
        .sort("lives", "version", descending=[True, False], nulls_last=True)
        .head(CURVES)
    )
    return [
        make_curve(version, lives.filter(pl.col("version").eq_missing(pl.lit(version, pl.String))))
        for version in sums["version"].to_list()
    ]


def make_curve(version: str | None, lives: pl.DataFrame) -> Curve:
    """Return the Kaplan-Meier curve of one version, without steps too near one another to be seen."""
    curve = kaplan_meier(lives.select("seconds", "changed", "censored"))
    steps: list[tuple[float, float, float, float]] = []
    for seconds, share, low, high in curve.select("seconds", "share", "low", "high").iter_rows():
        step = (seconds, share, share if low is None else low, share if high is None else high)
        if steps and seconds > FINE and seconds < HORIZON and seconds - steps[-1][0] < APART:
            # The later of two that fall together tells where the curve stands behind both.
            steps[-1] = (steps[-1][0], *step[1:])
        else:
            steps.append(step)
    words = "all" if version is None else version
    return Curve(words=words, steps=steps, at_risk=[survive(curve, float(at))[0] for at in TICKS])


def show_changes(session: Session, choices: DeltasChoices, *, width: int) -> DeltaPicture:
    """Return where in proposals words are changed, and the substitutions made more than once."""
    ask, chosen = Asking(session, choices.position), choose_deltas(choices)
    taken = int(ask(chosen.select("count(*) as taken", relation="takings"), chosen.parameters)["taken"][0])
    places = change_by_place(ask, chosen)
    edits = rank_edits(ask, chosen, EDITS).filter(pl.col("takings") > 1)
    shares = [changed / words if words else 0.0 for _, words, changed in places.iter_rows()]
    told: dict[str, Any] = {
        "taken": taken,
        "shares": shares if sum(places["words"]) else [],
        "edits": [
            {"removed": removed, "inserted": inserted, "deltas": takings}
            for removed, inserted, takings in edits.iter_rows()
        ],
        "why": "What was taken is no prose: its words are not counted." if taken else "Nothing was taken.",
        "geometry": {"width": width, "height": PLACES_HEIGHT},
    }
    palette = choose_palette(choices.theme)
    view = make_view(session, ask, places, lambda: places_chart(shares, palette, width=width), "% of words changed")
    return DeltaPicture(told=told, asked=ask, view=view if told["shares"] else None)
