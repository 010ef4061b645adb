"""A small bank's log: two days, three types, four streams, ties, a missing actor, one upcast."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.builders import build_event
from workbench.event import Actor
from workbench.session import Session, connect

MIDNIGHT = datetime(2026, 3, 2, tzinfo=UTC)
TYPES = ("MoneyDeposited", "MoneyDeposited", "MoneyWithdrawn", "LoanRequested")


@pytest.fixture(scope="session")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """48 events, one an hour, from Monday 2026-03-02; every fourth a loan request, every sixth without an actor."""
    folder: Path = tmp_path_factory.mktemp("bank")
    with connect(folder) as session:
        session.append(
            [
                build_event(
                    event_id=f"e{number}",
                    stream_id=f"account-{number % 4}",
                    event_type=TYPES[number % 4],
                    occurred_at=MIDNIGHT + timedelta(hours=number - number % 2),
                    actor=None if number % 6 == 0 else Actor(f"clerk-{number % 3}", "human" if number % 3 else "ai"),
                    causation_id=f"e{number - 1}" if number % 8 == 7 else None,
                    data={"amount": number, "note": "Überweisung" if number == 9 else "plain"},
                )
                for number in range(48)
            ]
        )
        yield session
