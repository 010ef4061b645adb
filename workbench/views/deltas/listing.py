"""The list of deltas, a page at a time: each with its one-line redline, in the order of any measure."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
import polars as pl

from workbench.deltas.figures.filters import Chosen
from workbench.deltas.structure.numbers import read_value
from workbench.deltas.text.redline import Operation, compare_texts
from workbench.session import Session
from workbench.views.deltas.asking import Asking, choose_deltas
from workbench.views.deltas.choices import DeltasChoices
from workbench.views.deltas.structure import BriefPath, brief_paths, write_short

PAGE: Final = 12
RETAINED: Final = "cast(retained_end as double) / nullif(characters_taken, 0)"
ORDERS: Final[Mapping[str, str]] = {
    "position": "position",
    "shown": "shown_at",
    "decision": "decision",
    "person": "person",
    "version": "version",
    "latency": "latency",
    "distance": "distance",
    "retained": RETAINED,
}
COLUMNS: Final = (
    "position, kind, shown_at, decision, person, version, model, latency, distance, content, value, value_end, "
    f"alternative_count, field_acceptance, {RETAINED} as retained"
)
# Characters of one line, and how many of them stand before its first change.
LINE: Final = 240
LEAD: Final = 56
TAKEN: Final = frozenset({"accepted", "edited"})


class ListedDelta(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the list: the columns of `deltas` it shows, and its redline, its paths or its text."""

    row: Mapping[str, Any]
    redline: tuple[Operation, ...] | None
    paths: tuple[BriefPath, ...] | None
    text: str


class DeltasPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the list: ``before`` stand before it, of ``total``."""

    rows: list[ListedDelta]
    before: int
    total: int
    asked: Asking


def load_page(session: Session, choices: DeltasChoices) -> DeltasPage:
    """Return the page of deltas that begins at ``choices.first``."""
    ask, chosen = Asking(session, choices.position), choose_deltas(choices)
    total = int(ask(chosen.select("count(*) as shown"), chosen.parameters)["shown"][0])
    first = min(choices.first, max(0, total - 1) // PAGE * PAGE)
    tail = f"{order_by(choices)} offset {first} limit {PAGE}" if first else f"{order_by(choices)} limit {PAGE}"
    rows = ask(chosen.select(COLUMNS, tail), chosen.parameters)
    mappings = session.delta_mappings
    listed = [list_delta(row, tokenised=mappings[row["kind"]].tokenised) for row in rows.iter_rows(named=True)]
    return DeltasPage(rows=listed, before=first, total=total, asked=ask)


def order_by(choices: DeltasChoices) -> str:
    """Return the ORDER BY of the list; what has no such measure comes last, and the position decides between equals."""
    way = " desc" if choices.down else ""
    if choices.order == "position":
        return f"order by position{way}"
    return f"order by {ORDERS[choices.order]}{way} nulls last, position"


def list_delta(row: Mapping[str, Any], *, tokenised: bool = False) -> ListedDelta:
    """Return one line of the list out of its row of `deltas`; texts may have been tokenised before."""
    shown = {name: each for name, each in row.items() if name not in {"content", "value", "value_end"}}
    proposed, value = read_json(row["content"]), read_json(row["value_end"] or row["value"])
    text = write_short(proposed, LINE)
    if row["decision"] not in TAKEN or value is None:
        return ListedDelta(row=shown, redline=None, paths=None, text=text)
    if isinstance(proposed, str) and isinstance(value, str):
        redline = None if proposed == value else shorten(compare_texts(proposed, value, tokenised=tokenised).operations)
        return ListedDelta(row=shown, redline=redline, paths=None, text=text)
    return ListedDelta(row=shown, redline=None, paths=brief_paths(proposed, value), text=text)


def read_json(text: str | None) -> Any:
    """Return what a JSON text of the log holds, None for none."""
    return None if text is None else read_value(text)


def shorten(operations: tuple[Operation, ...]) -> tuple[Operation, ...]:
    """Return a redline cut to one line: what is kept before its first change is cut where that would stand too far.

    >>> [part.text for part in shorten(compare_texts("word " * 30 + "old", "word " * 30 + "new").operations)][1:]
    ['old', 'new']
    """
    shown, room = [], LINE
    for number, part in enumerate(operations):
        text = " ".join(part.text.split("\n"))
        if number == 0 and part.kind == "keep" and len(operations) > 1 and len(text) > LEAD:
            text = f"… {text[-LEAD:].partition(' ')[2] or text[-LEAD:]}"
        shown.append(msgspec.structs.replace(part, text=text[:room]))
        room -= len(text)
        if room <= 0:
            break
    return tuple(shown)


def find_neighbours(session: Session, choices: DeltasChoices, chosen: Chosen | None = None) -> dict[str, int | None]:
    """Return where the open delta stands in the list: number (from 1), total, and the positions before and after it.

    A delta that the filters leave out has no number and no neighbours.
    """
    ask, chosen = Asking(session, choices.position), chosen or choose_deltas(choices)
    over = order_by(choices)
    inner = chosen.select(
        f"position, row_number() over ({over}) as number, count(*) over () as total, "
        f"lag(position) over ({over}) as before, lead(position) over ({over}) as after"
    )
    statement = f"select * from ({inner}) as listed where position = :open"  # noqa: S608 - our own words; values are bound
    found = ask(statement, {**chosen.parameters, "open": choices.delta})
    if found.is_empty():
        return {"number": None, "total": None, "before": None, "after": None}
    return dict(found.select("number", "total", "before", "after").row(0, named=True))


def export_deltas(session: Session, choices: DeltasChoices) -> pl.DataFrame:
    """Return every delta of the choices with all columns, in the order of the list."""
    ask, chosen = Asking(session, choices.position), choose_deltas(choices)
    return ask(chosen.select("*", order_by(choices)), chosen.parameters)
