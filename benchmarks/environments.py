"""Environments of their own for peers: what is compared with is never installed beside the project."""

import shutil
import subprocess
import sys
import venv
from pathlib import Path

from benchmarks.harness import PeerMissingError
from benchmarks.places import cache_folder


def make_environment(package: str) -> Path:
    """Return the Python of an environment that holds a package and nothing of ours, made on first use.

    The package has the name it is imported by. Raises PeerMissingError where it cannot be installed.
    """
    folder = cache_folder() / f"{package}-env"
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    check = [str(python), "-c", f"import {package}"]
    if python.exists() and not subprocess.run(check, capture_output=True, check=False).returncode:
        return python
    shutil.rmtree(folder, ignore_errors=True)
    venv.create(folder, with_pip=False)
    uv = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", str(python), package]
    done = subprocess.run(uv, capture_output=True, text=True, check=False)
    if done.returncode:
        shutil.rmtree(folder, ignore_errors=True)
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise PeerMissingError(f"{package} could not be installed into an environment of its own: {last}")
    return python
