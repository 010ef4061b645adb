import polars as pl
import pytest

from workbench.session import Session
from workbench.views.timeline.choices import Filter, TimelineChoices
from workbench.views.timeline.summary import count_matches
from workbench.views.timeline.where import match_choices


def positions(session: Session, choices: TimelineChoices) -> list[int]:
    where = match_choices(choices)
    return session.sql(where.select("position", "order by position"), where.parameters)["position"].to_list()


@pytest.fixture(scope="module")
def events(bank: Session) -> pl.DataFrame:
    return bank.events()


@pytest.mark.parametrize("negated", [False, True])
@pytest.mark.parametrize("values", [("clerk-1",), (None,), (None, "clerk-1"), ("clerk-1", "clerk-2"), ("nobody",)])
def test_a_filter_and_its_opposite_share_the_log_between_them(
    bank: Session, events: pl.DataFrame, values: tuple[str | None, ...], *, negated: bool
) -> None:
    chosen = TimelineChoices(filters=(Filter(field="actor_id", values=values, negated=negated),))
    wanted = [row["position"] for row in events.to_dicts() if (row["actor_id"] in values) is not negated]
    assert positions(bank, chosen) == wanted


def test_text_is_found_whatever_its_case_as_in_session_events(bank: Session) -> None:
    chosen = TimelineChoices(text="überWEISUNG")
    assert positions(bank, chosen) == bank.events(text="überWEISUNG")["position"].to_list() == [9]


def test_a_window_holds_its_beginning_and_not_its_end(bank: Session, events: pl.DataFrame) -> None:
    first, second = sorted(set(events["occurred_at"].to_list()))[:2]
    assert positions(bank, TimelineChoices(since=first, until=second)) == [0, 1]


def test_the_known_position_cuts_what_came_after(bank: Session) -> None:
    assert count_matches(bank, TimelineChoices(position=9)) == 10


@pytest.mark.parametrize("hostile", ["' or 1=1 --", "%", "_", "\\", "\x00", ":text", "<script>"])
def test_a_value_is_a_value_and_never_sql(bank: Session, hostile: str) -> None:
    chosen = TimelineChoices(text=hostile, filters=(Filter(field="stream_id", values=(hostile,)),))
    assert positions(bank, chosen) == []


def test_only_a_search_for_text_reads_the_payload() -> None:
    chosen = TimelineChoices.from_query({"actor_id": ["a"], "not_stream_id": ["s"], "since": ["2026-01-01T00:00:00Z"]})
    assert "data" not in match_choices(chosen).text
    assert "data" in match_choices(TimelineChoices(text="x")).text
