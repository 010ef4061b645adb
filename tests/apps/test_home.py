from pathlib import Path

import msgspec
import pytest

from workbench.apps import home
from workbench.apps.home import render_home
from workbench.apps.server import APPS
from workbench.session import Session, connect
from workbench.views.home import HomeFigures, count_home


def test_an_empty_log_says_what_to_do(tmp_path: Path) -> None:
    with connect(tmp_path / "empty") as session:
        page = render_home(session, APPS)
    assert "This log has no event yet." in page
    assert "workbench ingest FILE" in page


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"missing": 3}, "The log is not whole."),
        ({"quarantined": 1}, "1 record waits in quarantine."),
        ({"quarantined": 12}, "12 records wait in quarantine."),
        ({"missing": None, "twice": None}, "without positions a gap cannot be told."),
    ],
)
def test_the_first_sentence_says_whether_the_log_holds(
    hostile_session: Session, monkeypatch: pytest.MonkeyPatch, changes: dict[str, int | None], sentence: str
) -> None:
    def count(session: Session) -> HomeFigures:
        return msgspec.structs.replace(count_home(session), **changes)

    monkeypatch.setattr(home, "count_home", count)
    assert sentence in render_home(hostile_session, APPS)
