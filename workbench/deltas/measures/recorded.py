"""What a log itself records of how far a taken text was changed, at checks of its own: CUPS' EditPercentage."""

from typing import Final

import polars as pl

from workbench.deltas.figures.aggregates import Ask
from workbench.errors import ArgumentError
from workbench.replay.folding.paths import read_path
from workbench.replay.sql.expressions import quote_path

# Shares are summed to 12 places: exact, so that every engine gives the same.
_SHARE: Final = "cast(cast(json_extract_scalar(share, '$') as double) as decimal(24, 12))"


def average_recorded(ask: Ask, path: str, kind: str | None = None) -> pl.DataFrame:
    """Return by check how much of what was taken had been changed, as the accepting events say: one row a check.

    ``path`` leads to a list of numbers in the decision's event, one a check. It counts every acceptance, also one whose
    proposal the log does not have. Columns: check (1, 2, …), taken (how many say something of it), mean (of the
    shares), untouched (how many say 0). Raises ArgumentError, ProjectionError.
    """
    read = read_path(path)
    members = quote_path(read)
    if not read.in_json or members is None:
        raise ArgumentError(f"{path!r} leads to no member of an event's payload. Give a path like data.EditPercentage.")
    of_kind = "" if kind is None else "and d.kind = :kind "
    statement = (
        f"select number as check, count(*) as taken, cast(sum({_SHARE}) as double) as total, "  # noqa: S608 - our own words; the path is quoted, values are bound
        f"count_if({_SHARE} = 0) as untouched "
        f"from (select json_extract(e.{read.column}, {members}) as shares from decisions d "
        "join events_stored e on e.position = d.position "
        f"where d.decision = 'accepted' {of_kind}) as accepted "
        "cross join unnest(cast(shares as array(json))) with ordinality as t(share, number) "
        "where json_extract_scalar(share, '$') is not null group by number order by number"
    )
    checks = ask(statement, {} if kind is None else {"kind": kind})
    return checks.select("check", "taken", (pl.col("total") / pl.col("taken")).alias("mean"), "untouched")
