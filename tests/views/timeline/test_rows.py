from datetime import timedelta
from io import BytesIO

import polars as pl
import pytest

from workbench.errors import RowLimitError
from workbench.session import Session
from workbench.views.timeline.choices import Filter, TimelineChoices
from workbench.views.timeline.rows import PAGE, export_rows, load_previous, load_rows, write_rows

LOANS = TimelineChoices(filters=(Filter(field="event_type", values=("LoanRequested",)),))


@pytest.fixture
def short_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.views.timeline.rows.PAGE", 5)


@pytest.mark.usefixtures("short_pages")
def test_pages_forward_meet_every_event_once_in_position_order(bank: Session) -> None:
    seen: list[int] = []
    while True:
        page = load_rows(bank, TimelineChoices(row=seen[-1] + 1 if seen else None))
        if page.rows.is_empty():
            break
        assert page.before == len(seen)
        seen += page.rows["position"].to_list()
    assert seen == list(range(48))


@pytest.mark.usefixtures("short_pages")
def test_the_page_before_is_the_one_that_was_left(bank: Session) -> None:
    chosen = TimelineChoices(filters=LOANS.filters, row=23)
    page = load_rows(bank, chosen, "before")
    assert page.rows["position"].to_list() == [3, 7, 11, 15, 19]
    assert page.before == 0
    assert load_rows(bank, chosen).before == 5


def test_a_page_beyond_the_log_is_empty(bank: Session) -> None:
    page = load_rows(bank, TimelineChoices(row=1_000))
    assert (page.rows.height, page.before) == (0, 48)
    assert load_previous(bank, page.rows).is_empty()
    assert PAGE == 50


def test_the_time_since_the_event_before_is_taken_within_the_stream(bank: Session) -> None:
    page = load_rows(bank, TimelineChoices(row=40))
    previous = {row["position"]: row["previous_at"] for row in load_previous(bank, page.rows).to_dicts()}
    for row in page.rows.to_dicts():
        assert row["occurred_at"] - previous[row["position"]] == timedelta(hours=4)


def test_the_first_event_of_a_stream_has_none_before(bank: Session) -> None:
    page = load_rows(bank, TimelineChoices(position=5))
    assert load_previous(bank, page.rows)["position"].to_list() == [4, 5]


@pytest.mark.parametrize(
    ("form", "read"), [("csv", pl.read_csv), ("json", pl.read_ndjson), ("parquet", pl.read_parquet)]
)
def test_rows_can_be_taken_away_whole(bank: Session, form: str, read: object) -> None:
    assert callable(read)
    rows = read(BytesIO(write_rows(export_rows(bank, LOANS), form)))
    assert rows["position"].to_list() == list(range(3, 48, 4))
    assert set(rows.columns) >= {"event_id", "data", "metadata", "digest"}


def test_more_rows_than_the_limit_are_refused_and_none_is_written(
    bank: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    limited = bank.settings.query.__class__(row_limit=10)
    monkeypatch.setattr(bank, "settings", type("Settings", (), {"query": limited})())
    with pytest.raises(RowLimitError):
        export_rows(bank, TimelineChoices())
