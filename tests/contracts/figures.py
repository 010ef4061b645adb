"""The figures over deltas, for every log; one that declares no proposals has none of them."""

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING

import polars as pl

from workbench.deltas.figures.aggregates import (
    count_distances,
    count_values,
    find_medians,
    histogram_distances,
    split_decisions,
    split_over_time,
)
from workbench.deltas.figures.changes import change_by_place, count_lives, rank_edits
from workbench.deltas.figures.comparison import compare_release
from workbench.deltas.figures.filters import DeltaFilter, choose
from workbench.deltas.figures.people import (
    calibrate_confidence,
    count_orphans,
    list_orphans,
    measure_agreement,
    watch_stamps,
)
from workbench.session import Session

if TYPE_CHECKING:
    from tests.contracts.questions import Facts

Ask = Callable[[Session, "Facts"], pl.DataFrame]
EVERY = choose(DeltaFilter())
FIGURES: dict[str, Ask] = {}


def figure(name: str) -> Callable[[Ask], Ask]:
    """Declare a figure under a name; a log without mappings gives an empty frame."""

    def declare(ask: Ask) -> Ask:
        @wraps(ask)
        def answer(session: Session, facts: "Facts") -> pl.DataFrame:
            return ask(session, facts) if session.delta_mappings else pl.DataFrame()

        FIGURES[f"figures: {name}"] = answer
        return ask

    return declare


@figure("rows")
def ask_rows(session: Session, _facts: "Facts") -> pl.DataFrame:
    return session.deltas()


@figure("takings")
def ask_takings(session: Session, _facts: "Facts") -> pl.DataFrame:
    return session.sql("select * from takings order by position, decision_position", row_limit=0)


@figure("split by person and version")
def ask_split(session: Session, _facts: "Facts") -> pl.DataFrame:
    return split_decisions(session.ask, EVERY, ["kind", "version", "person"])


@figure("by month")
def ask_months(session: Session, _facts: "Facts") -> pl.DataFrame:
    return split_over_time(session.ask, EVERY, "month", "model")


@figure("values of a field")
def ask_values(session: Session, _facts: "Facts") -> pl.DataFrame:
    return count_values(session.ask, EVERY, "purpose")


@figure("distances")
def ask_distances(session: Session, _facts: "Facts") -> pl.DataFrame:
    return histogram_distances(session.ask, EVERY)


@figure("distances counted")
def ask_counts(session: Session, _facts: "Facts") -> pl.DataFrame:
    return count_distances(session.ask, EVERY)


@figure("medians")
def ask_medians(session: Session, _facts: "Facts") -> pl.DataFrame:
    return find_medians(session.ask, choose(DeltaFilter(decisions=["accepted", "edited", "rejected"])), "latency")


@figure("repeated edits")
def ask_edits(session: Session, _facts: "Facts") -> pl.DataFrame:
    return rank_edits(session.ask, EVERY, 50)


@figure("changes by place")
def ask_places(session: Session, _facts: "Facts") -> pl.DataFrame:
    return change_by_place(session.ask, EVERY)


@figure("lives")
def ask_lives(session: Session, _facts: "Facts") -> pl.DataFrame:
    return count_lives(session.ask, EVERY)


@figure("before and after")
def ask_release(session: Session, facts: "Facts") -> pl.DataFrame:
    return compare_release(session.ask, EVERY, facts.middle, draws=200)


@figure("rubber stamps")
def ask_stamps(session: Session, _facts: "Facts") -> pl.DataFrame:
    return watch_stamps(session.ask, EVERY)


@figure("calibration")
def ask_calibration(session: Session, _facts: "Facts") -> pl.DataFrame:
    return calibrate_confidence(session.ask, EVERY)


@figure("agreement")
def ask_agreement(session: Session, _facts: "Facts") -> pl.DataFrame:
    return measure_agreement(session.ask)


@figure("orphans")
def ask_orphans(session: Session, _facts: "Facts") -> pl.DataFrame:
    return list_orphans(session.ask, limit=10_000).sort("position", "what")


@figure("orphans counted")
def ask_orphan_counts(session: Session, _facts: "Facts") -> pl.DataFrame:
    return count_orphans(session.ask)


@figure("edited within a time of one's own")
def ask_judged(session: Session, _facts: "Facts") -> pl.DataFrame:
    return split_decisions(session.ask, choose(DeltaFilter(edited_within=30.0, distance=(0.0, 0.9))), ["version"])
