"""Open the Jupyter notebooks."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

from workbench.config import is_catalog
from workbench.errors import ArgumentError, MissingExtraError


def open_lab(target: str | None, *, engine: str | None = None, open_browser: bool) -> int:
    """Run JupyterLab on the notebooks until Ctrl-C and return its exit code.

    They find the log in WORKBENCH_LOG and the engine in WORKBENCH_ENGINE.
    """
    if importlib.util.find_spec("jupyterlab") is None:
        raise MissingExtraError(
            "JupyterLab is not installed. Install it with: pip install 'eventlog-workbench[jupyter]'"
        )
    notebooks = Path(__file__).parents[2] / "notebooks"
    if not notebooks.is_dir():
        raise ArgumentError("There is no folder notebooks/ here. Run this in a checkout of the project.")
    chosen = {"WORKBENCH_LOG": target if is_catalog(target) else str(Path(target).resolve())} if target else {}
    chosen |= {"WORKBENCH_ENGINE": engine} if engine else {}
    # Jupyter refuses root unless told; in a container there is nobody else.
    options = ["--allow-root"] if os.geteuid() == 0 else []
    options += [] if open_browser else ["--no-browser"]
    command = [sys.executable, "-m", "jupyterlab", str(notebooks), *options]
    return subprocess.run(command, env=os.environ | chosen, check=False).returncode  # noqa: S603 — our own interpreter and folder
