from pathlib import Path

from tests.builders import build_event
from workbench.session import connect
from workbench.views.home import count_home

LOAN = """
event_type = "LoanRequested"
current = 2

[[hop]]
from = 1
to = 2
steps = [{ rename = "sum", to = "amount" }]
"""


def test_schema_versions_are_counted_as_they_were_written(tmp_path: Path) -> None:
    (tmp_path / "log" / "schemas").mkdir(parents=True)
    (tmp_path / "log" / "schemas" / "loan.toml").write_text(LOAN)
    with connect(tmp_path / "log") as session:
        loans = [build_event(event_type="LoanRequested", schema_version=version, data={}) for version in (1, 2)]
        session.append([*loans, build_event()])
        types = count_home(session).event_types
    assert dict(types.select("event_type", "versions").rows()) == {"LoanRequested": 2, "MoneyDeposited": 1}
