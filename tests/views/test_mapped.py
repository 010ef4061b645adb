"""A log that others write and that has no positions is shown in the order of time, source and id."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from tests.eventlog.tables import open_catalog
from workbench.errors import ArgumentError, UnknownEventError
from workbench.session import Session, connect
from workbench.views.event import load_event, load_surroundings
from workbench.views.home import count_home
from workbench.views.place import Key, place_of
from workbench.views.timeline.choices import Filter, TimelineChoices
from workbench.views.timeline.density import show_timeline
from workbench.views.timeline.overview import load_overview
from workbench.views.timeline.rows import export_rows, load_previous, load_rows
from workbench.views.timeline.summary import summarise_window

MIDNIGHT = datetime(2026, 3, 2, tzinfo=UTC)
MAPPING = """
[log]
table = "crm.audit"
[log.mapping]
event_id = "id"
stream_id = "entity"
event_type = "kind"
occurred_at = "happened"
source = "system"
data = "payload"
causation_id = "cause"
"""


@pytest.fixture(scope="module")
def audit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """48 events of two sources, three an instant, written in an order of their own; the table has no position."""
    folder: Path = tmp_path_factory.mktemp("audit")
    catalog = open_catalog(folder)
    catalog.create_namespace("crm")
    numbers = sorted(range(48), key=lambda number: number * 29 % 48)
    rows = pa.table(
        {
            "id": [f"a{number:02}" for number in numbers],
            "entity": [f"order-{number % 4}" for number in numbers],
            "kind": ["Opened" if number < 4 else "Changed" for number in numbers],
            "happened": pa.array(
                [MIDNIGHT + timedelta(hours=number // 3) for number in numbers], pa.timestamp("us", "UTC")
            ),
            "system": ["crm" if number % 2 else "erp" for number in numbers],
            "payload": [f'{{"n":{number}}}' for number in numbers],
            "cause": [f"a{number - 1:02}" if number % 8 == 7 else None for number in numbers],
        }
    )
    catalog.create_table("crm.audit", rows.schema).append(rows)
    (folder / "workbench.toml").write_text(MAPPING, encoding="utf-8")
    with connect(folder) as session:
        yield session


@pytest.fixture
def short_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.views.timeline.rows.PAGE", 5)


def ids(session: Session) -> list[str]:
    return session.events()["event_id"].to_list()


@pytest.mark.usefixtures("short_pages")
def test_pages_forward_meet_every_event_once_in_the_logs_order(audit: Session) -> None:
    seen: list[str] = []
    page = load_rows(audit, TimelineChoices())
    while page.rows.height:
        assert page.before == len(seen)
        seen += page.rows["event_id"].to_list()
        page = load_rows(audit, TimelineChoices(row=place_of(page.rows.row(-1, named=True))), "after")
    assert seen == ids(audit)
    assert page.before == 48


@pytest.mark.usefixtures("short_pages")
@pytest.mark.parametrize("at", range(0, 48, 7))
def test_the_pages_at_and_before_an_event_meet_at_it(audit: Session, at: int) -> None:
    events = audit.events()
    choices = TimelineChoices(row=place_of(events.row(at, named=True)))
    here, before = load_rows(audit, choices), load_rows(audit, choices, "before")
    assert here.rows["event_id"].to_list() == ids(audit)[at : at + 5]
    assert before.rows["event_id"].to_list() == ids(audit)[max(0, at - 5) : at]
    assert (here.before, before.before) == (at, max(0, at - 5))


def test_the_event_before_in_the_stream_is_found_by_the_order_of_the_log(audit: Session) -> None:
    events = audit.events()
    previous = {row["event_id"]: row["previous_at"] for row in load_previous(audit, events).iter_rows(named=True)}
    last: dict[str, datetime] = {}
    expected: dict[str, datetime] = {}
    for row in events.iter_rows(named=True):
        if row["stream_id"] in last:
            expected[row["event_id"]] = last[row["stream_id"]]
        last[row["stream_id"]] = row["occurred_at"]
    assert previous == expected


def test_an_event_is_found_by_time_source_and_id_and_what_stands_around_it(audit: Session) -> None:
    details = load_event(audit, Key(MIDNIGHT + timedelta(hours=2), "crm", "a07"))
    assert [(line.name, line.text) for line in details.data] == [("n", "7")]
    around = load_surroundings(audit, details, None)
    assert around.instant["event_id"].to_list() == ["a07", "a06", "a08"]
    assert around.causes["event_id"].to_list() == ["a06"]
    assert around.stream["event_id"].to_list() == [f"a{number:02}" for number in range(3, 48, 4)]


def test_an_event_that_is_not_there_is_named_as_the_link_names_it(audit: Session) -> None:
    with pytest.raises(UnknownEventError, match="2026-03-02T02:00:00Z/crm/a99"):
        load_event(audit, Key(MIDNIGHT + timedelta(hours=2), "crm", "a99"))


def test_counts_window_and_overview_are_the_logs(audit: Session) -> None:
    overview = load_overview(audit, None)
    assert (overview.events, overview.position, dict(overview.event_types)) == (48, None, {"Changed": 44, "Opened": 4})
    assert load_overview(audit, None) is overview
    chosen = TimelineChoices(filters=(Filter(field="source", values=("crm",)),))
    view = show_timeline(audit, chosen)
    assert int(view.frame["events"].sum()) == 24
    assert (view.basis.position, view.basis.order) == (None, "occurred")
    summary = summarise_window(audit, chosen)
    assert (summary.events, summary.streams, summary.actors, summary.versions) == (24, 2, 0, 2)
    assert export_rows(audit, chosen)["event_id"].to_list() == [
        each for each in ids(audit) if int(each.removeprefix("a")) % 2
    ]


def test_home_says_nothing_of_positions(audit: Session) -> None:
    figures = count_home(audit)
    assert (figures.missing, figures.twice, figures.overview.events) == (None, None, 48)


def test_a_position_is_refused_and_the_names_of_events_are_shown(audit: Session) -> None:
    with pytest.raises(ArgumentError, match=r"2026-01-31T08:00:00Z/crm\.audit/a1"):
        load_event(audit, 5)
    with pytest.raises(ArgumentError, match="position 5"):
        load_overview(audit, 5)


def test_a_key_is_refused_where_events_have_positions(bank: Session) -> None:
    with pytest.raises(ArgumentError, match="named by position"):
        load_event(bank, Key(MIDNIGHT, "crm", "a1"))
