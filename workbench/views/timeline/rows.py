"""The events themselves, a page at a time, in the order of the log."""

from typing import Any, Final, Literal

import msgspec
import polars as pl

from workbench.session import Session
from workbench.views.order import narrow, order_by
from workbench.views.place import place_of
from workbench.views.timeline.choices import TimelineChoices
from workbench.views.timeline.where import Where, match_choices

PAGE: Final = 50
ENVELOPE: Final = "position, event_id, source, occurred_at, event_type, stream_id, stream_version, actor_id, actor_kind"
# Which events a page holds, seen from the place it is asked for, and how they are ordered to be the first of those.
MOVES: Final = {"at": (">=", False), "after": (">", False), "before": ("<", True)}
Move = Literal["at", "after", "before"]
KEY: Final = ("position", "occurred_at", "source", "event_id")


class RowsPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of events in the order of the log: ``rows`` and how many of the matching events stand ``before`` it."""

    rows: pl.DataFrame
    before: int


def load_rows(session: Session, choices: TimelineChoices, move: Move = "at") -> RowsPage:
    """Return 50 events from place ``choices.row`` on, or the 50 right ``after`` or ``before`` it."""
    where = match_choices(choices)
    comparison, backwards = MOVES[move]
    paged = where if choices.row is None else narrow(session, where, comparison, choices.row)
    rows = session.sql(
        paged.select(ENVELOPE, f"{order_by(session, backwards=backwards)}\nlimit {PAGE}"), paged.parameters
    )
    rows = rows.reverse() if backwards else rows
    if choices.row is None or (backwards and rows.is_empty()):
        return RowsPage(rows=rows, before=0)
    first = place_of(rows.row(0, named=True)) if rows.height else choices.row
    earlier = narrow(session, where, "<=" if rows.is_empty() and move == "after" else "<", first)
    before = session.sql(earlier.select("count(*) as events"), earlier.parameters)
    return RowsPage(rows=rows, before=int(before["events"][0]))


def load_previous(session: Session, rows: pl.DataFrame) -> pl.DataFrame:
    """Return for each of ``rows`` when the event before it in its stream occurred.

    Columns position, occurred_at, source, event_id, previous_at. The first event of a stream has none and is left out.
    """
    if rows["stream_version"].null_count():
        return _previous_by_order(session, rows)
    wanted = rows.filter(pl.col("stream_version") > 0)
    if wanted.is_empty():
        return rows.clear().select(*KEY, previous_at="occurred_at")
    where = narrow(session, Where("", {}), "<", place_of(wanted.row(-1, named=True)))
    where = _among(where, "stream_id", wanted["stream_id"].unique().to_list())
    where = _among(where, "stream_version", (wanted["stream_version"] - 1).unique().to_list())
    before = session.sql(
        where.select("stream_id, stream_version + 1 as stream_version, occurred_at as previous_at"), where.parameters
    )
    return wanted.join(before, on=["stream_id", "stream_version"], maintain_order="left").select(*KEY, "previous_at")


def _previous_by_order(session: Session, rows: pl.DataFrame) -> pl.DataFrame:
    """Return the same for a log whose events have no version in their stream: the order of the log decides."""
    where = _among(Where("", {}), "stream_id", rows["stream_id"].drop_nulls().unique().to_list())
    order = ", ".join(session.order)
    before = session.sql(
        where.select(
            f"{', '.join(KEY)}, lag(occurred_at) over (partition by stream_id order by {order}) as previous_at"
        ),
        where.parameters,
        row_limit=0,
    )
    found = rows.select(KEY).join(before, on=KEY, nulls_equal=True, maintain_order="left")
    return found.filter(pl.col("previous_at").is_not_null())


def _among(where: Where, column: str, values: list[Any]) -> Where:
    names = {f"{column}_{place}": value for place, value in enumerate(values)}
    return where.also(f"{column} in ({', '.join(f':{name}' for name in names)})", **names)


def export_rows(session: Session, choices: TimelineChoices) -> pl.DataFrame:
    """Return every event of ``choices`` with all its columns, in the log's order. Raises RowLimitError beyond it."""
    where = match_choices(choices)
    return session.sql(where.select("*", order_by(session)), where.parameters)


def write_rows(rows: pl.DataFrame, form: str) -> bytes:
    """Return ``rows`` as the bytes of a file: ``csv``, ``json`` (one object a line) or ``parquet``."""
    from io import BytesIO

    file = BytesIO()
    if form == "parquet":
        rows.write_parquet(file)
    elif form == "json":
        rows.write_ndjson(file)
    else:
        rows.write_csv(file)
    return file.getvalue()
