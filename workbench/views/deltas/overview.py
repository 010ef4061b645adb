"""The overview of deltas in figures: how proposals were decided, what is chosen among, and what is in no delta."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
import polars as pl

from workbench.deltas.figures.aggregates import count_values, find_medians, split_decisions
from workbench.deltas.figures.people import WATCH, count_orphans, list_orphans, watch_stamps
from workbench.deltas.figures.statistics import wilson
from workbench.session import Session
from workbench.views.deltas.asking import Asking, choose_deltas
from workbench.views.deltas.choices import DECISIONS, DeltasChoices

# Always shown, also when there is none; the others only where there are some.
ALWAYS: Final = ("accepted", "edited", "rejected")
UNDECIDED: Final = ("expired", "pending", "superseded")
# A menu lists so many values.
MENU: Final = 200
ORPHANS: Final = 200
ORPHAN_WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "request never shown": ("request never shown", "requests never shown"),
    "second decision": ("second decision", "second decisions"),
    "decision without a proposal": ("decision without a proposal", "decisions without a proposal"),
}


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """One decision: how many proposals came to it, and the share's Wilson 95 % interval."""

    name: str
    count: int
    low: float
    high: float


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """How the proposals chosen were decided; ``every`` counts those of the whole log.

    ``kept`` of ``characters`` taken are there at the end, None where no document is followed. ``medians`` are latencies
    in seconds and how many proposals have one, of ``taken`` and ``rejected``.
    """

    shown: int
    every: int
    people: int
    shares: Sequence[Share]
    kept: int | None
    characters: int | None
    medians: Mapping[str, tuple[float, int]]
    asked: Asking


def count_figures(session: Session, choices: DeltasChoices) -> Figures:
    """Return the figures at the head of the overview."""
    ask, chosen = Asking(session, choices.position), choose_deltas(choices)
    row = split_decisions(ask, chosen).row(0, named=True)
    medians = {
        decided: (median, proposals) for decided, median, proposals in find_medians(ask, chosen, "latency").iter_rows()
    }
    whole = choose_deltas(DeltasChoices(position=choices.position))
    every = row["shown"] if not chosen.where else ask(whole.select("count(*) as shown"), whole.parameters)["shown"][0]
    return Figures(
        shown=row["shown"],
        every=int(every),
        people=row["people"],
        shares=share_decisions(row),
        kept=row["retained_end"],
        characters=row["characters_taken"],
        medians=medians,
        asked=ask,
    )


def share_decisions(row: Mapping[str, Any]) -> list[Share]:
    """Return the shares of one row of counts, in their order; of what is undecided at least one kind."""
    undecided = [name for name in UNDECIDED if row[name]] or ["expired"]
    return [
        Share(name=name, count=row[name], low=low, high=high)
        for name in (*ALWAYS, *undecided)
        for low, high in (wilson(row[name], row["shown"]),)
    ]


class Menu(msgspec.Struct, frozen=True, kw_only=True):
    """What one filter can be: ``values`` with how many proposals have each, most first, of ``total`` values.

    ``name`` is the parameter of a link, ``words`` what the page says; ``field`` the mapping's own, else None.
    """

    name: str
    words: str
    field: str | None
    total: int
    values: pl.DataFrame


def list_menus(session: Session, choices: DeltasChoices) -> list[Menu]:
    """Return what can be filtered by, each counted under the other filters; one kind or one model is no choice."""
    fields = dict.fromkeys(name for mapping in session.delta_mappings.values() for name in mapping.fields)
    columns = {"kind": "kind", "decision": "decision", "version": "version", "model": "model", "person": "person"}
    menus = [_menu(session, choices, name, column) for name, column in columns.items()]
    menus += [_menu(session, choices, f"field:{name}", name) for name in fields]
    menus.append(_menu(session, choices, "reason", "reason"))
    return [
        menu for menu in menus if menu.name not in {"kind", "model"} or menu.total > 1 or getattr(choices, menu.name)
    ]


def _menu(session: Session, choices: DeltasChoices, name: str, column: str) -> Menu:
    ask, chosen = Asking(session, choices.position), choose_deltas(choices, without=name)
    if column == "decision":
        counts = split_decisions(ask, chosen).row(0, named=True)
        found = pl.DataFrame(
            [(each, counts[each]) for each in DECISIONS if counts[each]], ["value", "shown"], orient="row"
        )
    else:
        found = count_values(ask, chosen, column)
    named = found.filter(pl.col("value").is_not_null()) if found.height else found
    return Menu(
        name=name,
        words=column,
        field=column if name.startswith("field:") else None,
        total=named.height,
        values=found.head(MENU) if named.height else found.clear(),
    )


class Beside(msgspec.Struct, frozen=True, kw_only=True):
    """What the list does not hold, by kind, and who takes proposals as they are: ``people`` as of watch_stamps."""

    orphans: Sequence[tuple[str, int]]
    people: pl.DataFrame


def look_beside(session: Session, choices: DeltasChoices) -> Beside:
    """Return what stands beside the list: counts of what is no delta, and the rubber-stamp watch over those chosen."""
    ask = Asking(session, choices.position)
    counted = dict(count_orphans(ask).iter_rows())
    return Beside(
        orphans=[(what, counted.get(what, 0)) for what in ORPHAN_WORDS],
        people=watch_stamps(ask, choose_deltas(choices, without="decision"), WATCH),
    )


def list_beside(session: Session, choices: DeltasChoices) -> tuple[pl.DataFrame, int]:
    """Return the first 200 records that are in no delta, as list_orphans has them, and how many there are."""
    ask = Asking(session, choices.position)
    counted = count_orphans(ask).filter(pl.col("what").is_in(list(ORPHAN_WORDS)))
    listed = list_orphans(ask, limit=ORPHANS).filter(pl.col("what").is_in(list(ORPHAN_WORDS)))
    return listed, int(counted["records"].sum())


def suggest_drops(session: Session, choices: DeltasChoices) -> list[tuple[str, int]]:
    """Return how many proposals there would be without each filter, most first."""
    ask = Asking(session, choices.position)
    found = []
    for name in choices.names:
        chosen = choose_deltas(choices, without=name)
        found.append((name, int(ask(chosen.select("count(*) as shown"), chosen.parameters)["shown"][0])))
    return sorted(found, key=lambda each: -each[1])
