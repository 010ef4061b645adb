"""A log whose every text is hostile, served on a free port."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.builders import build_event
from workbench.event import Actor
from workbench.session import Session, connect

HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script>"
MIDNIGHT = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.fixture(scope="session")
def hostile_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a log of 120 events, ten minutes apart."""
    folder = tmp_path_factory.mktemp("hostile")
    with connect(folder) as session:
        session.append(
            [
                build_event(
                    event_id=f"{HOSTILE}{number}",
                    stream_id=f"account-{number % 4}",
                    event_type=(HOSTILE, "MoneyDeposited", "{{datum}}", "LetterSent")[number % 4],
                    occurred_at=MIDNIGHT + timedelta(minutes=10 * number),
                    actor=Actor(HOSTILE, "human"),
                    data={HOSTILE: HOSTILE, "link": "javascript:alert(3)", "number": number},
                )
                for number in range(120)
            ]
        )
    return folder


@pytest.fixture(scope="session")
def hostile_session(hostile_log: Path) -> Iterator[Session]:
    """A session on that log."""
    with connect(hostile_log) as session:
        yield session
