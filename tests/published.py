"""The real logs, whose figures are published: each is taken in once, from a shell, for every test that reads it."""

import fcntl
import gzip
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

ROOT = Path(__file__).resolve().parents[1]
DATASETS = ROOT / "datasets"


class TakenIn(NamedTuple):
    """A log, and what was printed when its files were taken in. Tests read it; one that writes makes its own."""

    folder: Path
    reports: list[dict[str, Any]]


class RealLog(msgspec.Struct, frozen=True):
    """The files of a log beside the repository, and the mappings that come with us."""

    files: str
    mapping: str | None = None
    deltas: str | None = None


REAL_LOGS = {
    "bank": RealLog("bpic2012/bpic2012.xes.gz"),
    "writers": RealLog("coauthor-argumentative/events.parquet", mapping="coauthor", deltas="coauthor"),
    "translations": RealLog("mlqe-pe/pairs.parquet", mapping="mlqe-pe", deltas="mlqe-pe"),
    "completions": RealLog("copilot-cups/events.jsonl.gz", mapping="cups", deltas="cups"),
    "logistics": RealLog("ocel2-logistics/logistics.sqlite.gz"),
    "runs": RealLog("tau2-sierra/*.json.gz", deltas="agents"),
}


class RealLogs:
    """The logs of one run of the tests, whichever of its processes needed them first."""

    def __init__(self, data: Path, factory: pytest.TempPathFactory) -> None:
        base = factory.getbasetemp()
        # Each process of pytest-xdist has a folder of its own within that of the run.
        self._folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "real-logs"
        self._data = data

    def take(self, name: str) -> TakenIn:
        """Return the log of that name, taken in now unless it has been; another process that does so is waited for."""
        self._folder.mkdir(exist_ok=True)
        log, printed = self._folder / name, self._folder / f"{name}.json"
        with (self._folder / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not printed.exists():
                printed.write_text(take_in(REAL_LOGS[name], self._data, log), encoding="utf-8")
        return TakenIn(log, [json.loads(line) for line in printed.read_text(encoding="utf-8").splitlines()])


def take_in(real: RealLog, data: Path, log: Path) -> str:
    """Make a log and return the reports, a line each."""
    (log / "deltas").mkdir(parents=True)
    if real.deltas:
        source = DATASETS / "deltas" / f"{real.deltas}.toml"
        (log / "deltas" / source.name).write_bytes(source.read_bytes())
    mapping = ["--mapping", str(DATASETS / "mappings" / f"{real.mapping}.toml")] if real.mapping else []
    files = sorted(data.glob(real.files), key=start_of)
    command = [sys.executable, "-m", "workbench", "ingest", *map(str, files), *mapping, "--into", str(log), "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def start_of(file: Path) -> str:
    """When the run in a file began: files of one log are taken in by time."""
    if not file.name.endswith(".json.gz"):
        return ""
    with gzip.open(file) as stream:
        start: str = json.load(stream)["timestamp"]
    return start
