"""Is everything in order, and what to do if not: the machine, then the log, one line a check."""

import platform
import shutil
import sys
from argparse import Namespace
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from workbench.cli.output import escape_text, to_json
from workbench.errors import WorkbenchError

PACKAGES: Final = ("duckdb", "pyiceberg", "polars", "pyarrow", "sqlglot", "marimo")
LOW_SPACE: Final = 1 << 30
SIGNS: Final = {"good": "✓", "note": "·", "bad": "✕"}

Check = Mapping[str, str | None]


def examine(chosen: Namespace) -> int:
    """Print each check with its verdict (good, note, bad); return 1 when one is bad."""
    checks = [*look_around(), *look_at_log(chosen)]
    for check in checks:
        if chosen.json:
            print(to_json(check))
        else:
            words = (SIGNS[str(check["verdict"])], f"{check['check']}:", check["found"], check["remedy"])
            print(escape_text(" ".join(word for word in words if word)))
    return int(any(check["verdict"] == "bad" for check in checks))


def look_around() -> Iterator[Check]:
    """Yield what the machine offers."""
    yield make_check("Python", "good", f"{platform.python_version()} at {sys.executable}")
    yield make_check("packages", "good", ", ".join(f"{name} {read_version(name)}" for name in PACKAGES))
    found = shutil.which("chromium") or shutil.which("google-chrome")
    note = make_check("browser", "note", "no Chromium.", "Only the browser tests and `make screens` need one.")
    yield make_check("browser", "good", found) if found else note


def look_at_log(chosen: Namespace) -> Iterator[Check]:
    """Yield how the log stands, or why it cannot be opened."""
    from workbench.cli.commands import open_log

    try:
        with open_log(chosen) as session:
            folder = Path(session.settings.folder)
            free = shutil.disk_usage(folder).free
            yield make_check("disk", "good" if free > LOW_SPACE else "note", f"{free / 1e9:,.1f} GB free at {folder}.")
            yield from session.doctor().iter_rows(named=True)
    except WorkbenchError as error:
        yield make_check("log", "bad", str(error))


def make_check(check: str, verdict: str, found: str, remedy: str | None = None) -> Check:
    """Return one check in the words of `Session.doctor`."""
    return {"check": check, "verdict": verdict, "found": found, "remedy": remedy}


def read_version(name: str) -> str:
    """Return an installed package's version."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "missing"
