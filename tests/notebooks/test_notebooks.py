"""The notebooks run in both toolkits, and their cells only call the library."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.builders import build_events
from workbench.session import connect


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What a notebook's process sees: a log of twenty events."""
    folder = tmp_path_factory.mktemp("log")
    with connect(folder) as session:
        session.append(build_events(20))
    return {**os.environ, "WORKBENCH_LOG": str(folder)}


def run(*command: str, environment: dict[str, str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


NOTEBOOKS = pytest.mark.parametrize("name", ["timeline", "as_of", "deltas"])


@NOTEBOOKS
def test_the_marimo_notebook_passes_marimos_own_check(repository: Path, environment: dict[str, str], name: str) -> None:
    checked = run(
        "-m", "marimo", "check", "--strict", f"notebooks/{name}.py", environment=environment, folder=repository
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


@NOTEBOOKS
def test_the_marimo_notebook_runs_as_a_script(repository: Path, environment: dict[str, str], name: str) -> None:
    ran = run(f"notebooks/{name}.py", environment=environment, folder=repository)
    assert ran.returncode == 0, ran.stderr


def test_a_script_takes_its_log_as_an_argument(repository: Path, environment: dict[str, str], tmp_path: Path) -> None:
    ran = run("notebooks/timeline.py", "--log", str(tmp_path / "new"), environment=environment, folder=repository)
    assert ran.returncode == 0, ran.stderr
    assert (tmp_path / "new" / "catalog.db").is_file()


@NOTEBOOKS
def test_the_jupyter_notebook_runs_and_shows_the_widget(
    repository: Path, environment: dict[str, str], tmp_path: Path, name: str
) -> None:
    copy = tmp_path / f"{name}.ipynb"
    command = (
        "import nbformat, nbclient, sys\n"
        "book = nbformat.read(sys.argv[1], as_version=4)\n"
        "nbclient.NotebookClient(book, timeout=300, kernel_name='python3').execute()\n"
        "nbformat.write(book, sys.argv[2])\n"
    )
    ran = run(
        "-c",
        command,
        str(repository / "notebooks" / f"{name}.ipynb"),
        str(copy),
        environment=environment,
        folder=repository,
    )
    assert ran.returncode == 0, ran.stderr
    last = json.loads(copy.read_text(encoding="utf-8"))["cells"][-1]["outputs"][0]
    assert "application/vnd.jupyter.widget-view+json" in last["data"]


@NOTEBOOKS
def test_the_jupyter_notebook_is_stored_without_outputs(repository: Path, name: str) -> None:
    book = json.loads((repository / "notebooks" / f"{name}.ipynb").read_text(encoding="utf-8"))
    assert all(not cell.get("outputs") and not cell.get("execution_count") for cell in book["cells"])
