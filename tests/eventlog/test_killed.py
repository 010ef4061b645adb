"""A writer killed at each of the moments that matter: the next one finds a whole log and goes on."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.eventlog.logs import append, assert_whole, files_below, live_files, make_events, open_folder
from tests.eventlog.writers import ROOT

KILLED = """
import os, signal, sys
from pathlib import Path
from tests.eventlog.logs import append, make_events, open_folder
from workbench.eventlog import layout
from workbench.eventlog.writing import commit
from workbench.eventlog.index import index
from workbench.eventlog.writing import output
from workbench.eventlog.writing import write

moment = sys.argv[2]
log = open_folder(Path(sys.argv[1]))

def die(*_given, **_named):
    os.kill(os.getpid(), signal.SIGKILL)

def die_after(work):
    def run(*given, **named):
        work(*given, **named)
        die()
    return run

catalog = log._store.tables.catalog
places = {
    "before the file": lambda: setattr(output, "FileWriter", die),
    "between file and commit": lambda: setattr(write, "commit_change", die),
    "between metadata and catalog": lambda: setattr(catalog, "_write_metadata", die_after(catalog._write_metadata)),
    "between commit and index": lambda: setattr(index.Path, "write_bytes", die),
    "before the sweep": lambda: setattr(log._store.index, "_sweep", die),
    "between merge and commit": lambda: setattr(layout, "commit_change", die),
    "after the merge": lambda: setattr(layout, "commit_change", die_after(layout.commit_change)),
}
places[moment]()
append(log, make_events(15, 1))
"""
LANDED = {"between commit and index", "before the sweep", "between merge and commit", "after the merge"}


@pytest.mark.parametrize(
    "moment",
    [
        "before the file",
        "between file and commit",
        "between metadata and catalog",
        "between commit and index",
        "before the sweep",
        "between merge and commit",
        "after the merge",
    ],
)
def test_a_writer_killed_at_any_moment_leaves_a_whole_log_to_go_on_with(folder: Path, moment: str) -> None:
    log = open_folder(folder)
    for number in range(15):
        append(log, make_events(number, 1))
    done = subprocess.run([sys.executable, "-c", KILLED, str(folder), moment], cwd=ROOT, check=False)
    assert done.returncode == -9
    landed = moment in LANDED
    assert assert_whole(log).num_rows == (16 if landed else 15)
    fresh = open_folder(folder)
    written = append(fresh, make_events(14, 3))
    assert (written.positions.tolist(), written.appended_count) == ([14, 15, 16], 1 if landed else 2)
    fresh.maintain()
    assert {path for path in files_below(folder) if path.suffix == ".parquet"} == live_files(fresh)
    mark = fresh._store.index._mark
    assert {path.name for path in files_below(folder) if path.suffix == ".run"} == {*mark.events, *mark.streams}
    assert assert_whole(log).num_rows == 17
