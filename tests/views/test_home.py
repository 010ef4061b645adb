from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.builders import build_event
from workbench.session import Session, connect
from workbench.views.home import count_home
from workbench.views.timeline.choices import TimelineChoices
from workbench.views.timeline.summary import summarise_window

LOAN = """
event_type = "LoanRequested"
current = 2

[[hop]]
from = 1
to = 2
steps = [{ rename = "sum", to = "amount" }]
"""


@pytest.fixture(scope="module")
def loans(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """Two loan requests, written in two schema versions, and a deposit."""
    folder: Path = tmp_path_factory.mktemp("loans") / "log"
    (folder / "schemas").mkdir(parents=True)
    (folder / "schemas" / "loan.toml").write_text(LOAN)
    with connect(folder) as session:
        written = [
            build_event(event_type="LoanRequested", schema_version=1, data={"sum": 7}),
            build_event(event_type="LoanRequested", schema_version=2, data={"amount": 7}),
        ]
        session.append([*written, build_event(data={"amount": 5})])
        yield session


def test_schema_versions_are_counted_as_they_were_written(loans: Session) -> None:
    types = count_home(loans).event_types
    assert dict(types.select("event_type", "versions").rows()) == {"LoanRequested": 2, "MoneyDeposited": 1}


@pytest.mark.parametrize(("text", "versions"), [(None, 3), ("loanrequested", 2), ('"amount":7', 2), ('"sum"', 0)])
def test_a_window_counts_the_versions_its_events_were_written_in(
    loans: Session, text: str | None, versions: int
) -> None:
    summary = summarise_window(loans, TimelineChoices(text=text))
    assert summary.versions == versions
