"""Can the log be trusted: what its files show, and what its rows say when they are asked."""

from collections.abc import Callable, Sequence
from typing import Final

import msgspec
import polars as pl

from workbench.errors import QueryFailedError
from workbench.eventlog import Finding, Log
from workbench.eventlog.upkeep.cluster import Cluster

Ask = Callable[[str], pl.DataFrame]

FINDINGS: Final = {"check": pl.String, "found": pl.Int64, "detail": pl.String, "holds": pl.Boolean}
FIGURES: Final = {"check": pl.String, "verdict": pl.String, "found": pl.String, "remedy": pl.String}

# Each statement gives one row: how many places break the check, and one of them as text.
COMPLETE: Final = """
select count(*) as found, min(concat('event ', coalesce(event_id, 'without an id'))) as place from events_stored
where event_id is null or stream_id is null or event_type is null or occurred_at is null
"""
KEYS: Final = """
select count(*) as found, min(concat('event ', event_id, ' of ', source)) as place from (
    select source, event_id from events_stored group by source, event_id having count(*) > 1
) doubled
"""
VERSIONS: Final = """
select count(*) as found, min_by(concat('stream ', stream_id), position) as place from (
    select stream_id, stream_version, position,
           row_number() over (partition by stream_id order by position) - 1 as expected
    from events_stored
) numbered where stream_version is null or stream_version <> expected
"""
POSITIONS: Final = """
select count(*) as found, concat('position ', cast(min(position) as varchar)) as place from (
    select position, count(*) as n from events_stored group by position
) counted where n > 1 or position is null
"""
ORDER: Final = """
select count(*) as found, concat('position ', cast(min(position) as varchar)) as place from (
    select position, recorded_at, lag(recorded_at) over (order by position) as before from events_stored
) ordered where recorded_at < before
"""


def verify_log(log: Log, ask: Ask) -> pl.DataFrame:
    """Return every finding, one row a check: check, found (places that break it), detail, holds."""
    findings = [*log.verify(), *check_rows(log, ask)]
    return pl.DataFrame([msgspec.structs.asdict(finding) for finding in findings], schema=FINDINGS, orient="row")


def examine_log(log: Log, *, cluster: Cluster | None = None) -> pl.DataFrame:
    """Return how the log and its cluster stand, one row a figure: check, verdict, found, remedy."""
    figures = [msgspec.structs.asdict(figure) for figure in log.figures(cluster=cluster)]
    return pl.DataFrame(figures, schema=FIGURES, orient="row")


def check_rows(log: Log, ask: Ask) -> Sequence[Finding]:
    """Return what asking the rows shows; of a mapped log only what its mapping gives can be asked."""
    mapping = log.settings.log.mapping
    checks = [
        ("complete", COMPLETE, "every event has its id, stream, type and time."),
        ("keys", KEYS, "no event stands twice."),
    ]
    if mapping is None or {"position", "stream_version"} <= mapping.keys():
        checks.append(("stream versions", VERSIONS, "each stream counts 0, 1, 2 … without a gap."))
    if mapping is not None and "position" in mapping:
        checks.append(("positions", POSITIONS, "no position is given twice."))
        if "recorded_at" in mapping:
            checks.append(("recorded_at", ORDER, "never decreases with position."))
    return [_check(ask, name, statement, good) for name, statement, good in checks]


def _check(ask: Ask, name: str, statement: str, good: str) -> Finding:
    try:
        found, place = ask(statement).row(0)
    except QueryFailedError as error:
        return Finding(check=name, found=1, detail=f"could not be asked: {error}", holds=False)
    detail = good if not found else f"broken at {place}" + (f" and {found - 1:,} more places." if found > 1 else ".")
    return Finding(check=name, found=found, detail=detail, holds=not found)
