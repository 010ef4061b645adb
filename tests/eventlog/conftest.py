"""An empty log in a folder of its own."""

from pathlib import Path

import pytest

from tests.eventlog.logs import open_folder
from workbench.eventlog import NativeLog


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the log lies."""
    return tmp_path / "bank"


@pytest.fixture
def log(folder: Path) -> NativeLog:
    """The log."""
    return open_folder(folder)
