"""The events themselves, a page at a time, in the order of the log."""

from typing import Any, Final

import msgspec
import polars as pl

from workbench.session import Session
from workbench.views.choices import TimelineChoices
from workbench.views.where import Where, match_choices

PAGE: Final = 50
ENVELOPE: Final = "position, occurred_at, event_type, stream_id, stream_version, actor_id, actor_kind"


class RowsPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of events in position order: ``rows`` and how many of the matching events stand ``before`` it."""

    rows: pl.DataFrame
    before: int


def load_rows(session: Session, choices: TimelineChoices, *, backwards: bool = False) -> RowsPage:
    """Return 50 events from position ``choices.row`` on, or, ``backwards``, the 50 before it."""
    where = match_choices(choices)
    start = choices.row or 0
    paged = where.also("position < :row" if backwards else "position >= :row", row=start) if start else where
    rows = session.sql(
        paged.select(ENVELOPE, f"order by position{' desc' if backwards else ''}\nlimit {PAGE}"),
        paged.parameters,
    ).sort("position")
    first = int(rows["position"][0]) if rows.height else start
    if not first:
        return RowsPage(rows=rows, before=0)
    earlier = where.also("position < :row", row=first)
    before = session.sql(earlier.select("count(*) as events"), earlier.parameters)
    return RowsPage(rows=rows, before=int(before["events"][0]))


def load_previous(session: Session, rows: pl.DataFrame) -> pl.DataFrame:
    """Return for each of ``rows`` when the event before it in its stream occurred: position, previous_at.

    The first event of a stream has none and is left out.
    """
    wanted = rows.filter(pl.col("stream_version") > 0)
    if wanted.is_empty():
        return pl.DataFrame(schema={"position": pl.Int64, "previous_at": rows.schema["occurred_at"]})
    streams = wanted["stream_id"].unique().to_list()
    versions = (wanted["stream_version"] - 1).unique().to_list()
    where = Where("", {}).also("position < :last", last=int(wanted["position"].to_list()[-1]))
    where = _among(_among(where, "stream_id", streams), "stream_version", versions)
    before = session.sql(
        where.select("stream_id, stream_version + 1 as stream_version, occurred_at as previous_at"), where.parameters
    )
    return wanted.join(before, on=["stream_id", "stream_version"]).select("position", "previous_at").sort("position")


def _among(where: Where, column: str, values: list[Any]) -> Where:
    names = {f"{column}_{place}": value for place, value in enumerate(values)}
    return where.also(f"{column} in ({', '.join(f':{name}' for name in names)})", **names)


def export_rows(session: Session, choices: TimelineChoices) -> pl.DataFrame:
    """Return every event of ``choices`` with all its columns, in position order. Raises RowLimitError beyond it."""
    where = match_choices(choices)
    return session.sql(where.select("*", "order by position"), where.parameters)


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
