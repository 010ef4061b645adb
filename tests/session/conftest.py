"""A session on a log of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from workbench import connect
from workbench.session import Session


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the log lies."""
    return tmp_path / "bank"


@pytest.fixture
def session(folder: Path) -> Iterator[Session]:
    """The session."""
    with connect(folder) as opened:
        yield opened
