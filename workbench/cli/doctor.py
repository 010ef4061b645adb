"""Is everything in order, and what to do if not: one line a check."""

import platform
import shutil
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from workbench.cli.output import escape_text, to_json
from workbench.errors import WorkbenchError

if TYPE_CHECKING:
    from workbench.session import Session

PACKAGES: Final = ("duckdb", "pyiceberg", "polars", "pyarrow", "sqlglot", "marimo")
LOW_SPACE: Final = 1 << 30
SIGNS: Final = {"good": "✓", "note": "·", "bad": "✕"}


class Finding(msgspec.Struct, frozen=True):
    """One check: ``good``, a ``note`` worth knowing, or ``bad``; ``remedy`` says what to do."""

    check: str
    verdict: str
    found: str
    remedy: str | None = None


def examine(chosen: Namespace) -> int:
    """Print each check and its finding; return 1 when one is bad."""
    findings = [*_look_around(), *_look_at_log(chosen)]
    for finding in findings:
        if chosen.json:
            print(to_json(msgspec.structs.asdict(finding)))
        else:
            remedy = f" {finding.remedy}" if finding.remedy else ""
            print(escape_text(f"{SIGNS[finding.verdict]} {finding.check}: {finding.found}{remedy}"))
    return int(any(finding.verdict == "bad" for finding in findings))


def _look_around() -> Iterator[Finding]:
    yield Finding("Python", "good", f"{platform.python_version()} at {sys.executable}")
    yield Finding("Packages", "good", ", ".join(f"{name} {_version(name)}" for name in PACKAGES))


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "missing"


def _look_at_log(chosen: Namespace) -> Iterator[Finding]:
    from workbench.cli.commands import open_log

    try:
        session = open_log(chosen)
    except WorkbenchError as error:
        yield Finding("Log", "bad", str(error))
        return
    with session:
        for name, look in _CHECKS.items():
            try:
                yield look(session)
            except WorkbenchError as error:
                yield Finding(name, "bad", str(error))


def _look_at_head(session: "Session") -> Finding:
    head = session.head()
    return Finding(
        "Head", "good", f"{head.event_count:,} events, position {head.position}, recorded up to {head.recorded_at}."
    )


def _look_at_positions(session: "Session") -> Finding:
    head = session.head()
    if head.position is None:
        return Finding("Positions", "note", "a mapped log without positions.")
    row = session.sql("select count(*) as n, min(position) as low, max(position) as high from events_stored").row(0)
    whole = row == ((head.event_count, 0, head.position) if head.event_count else (0, None, None))
    found = (
        f"{row[0]:,} rows, positions {row[1]} to {row[2]}, gapless."
        if whole
        else f"{row[0]:,} rows, positions {row[1]} to {row[2]}: the head says {head.position}."
    )
    return Finding("Positions", "good" if whole else "bad", found, None if whole else "Restore the log from a copy.")


def _look_at_quarantine(session: "Session") -> Finding:
    waiting = session.basis().left_out.get("quarantined", 0)
    if not waiting:
        return Finding("Quarantine", "good", "nothing waits.")
    return Finding("Quarantine", "note", f"{waiting:,} records wait.", "See them with `workbench quarantine`.")


def _look_at_space(session: "Session") -> Finding:
    folder = Path(session.settings.folder)
    free = shutil.disk_usage(folder).free
    verdict = "good" if free > LOW_SPACE else "note"
    return Finding("Disk", verdict, f"{free / 1e9:,.1f} GB free where the log lies, {folder}.")


_CHECKS: Final[dict[str, Callable[["Session"], Finding]]] = {
    "Head": _look_at_head,
    "Positions": _look_at_positions,
    "Quarantine": _look_at_quarantine,
    "Disk": _look_at_space,
}
