from collections import Counter

from workbench.session import Session
from workbench.views.home import count_home
from workbench.views.timeline.choices import Filter, TimelineChoices
from workbench.views.timeline.summary import suggest_drops, summarise_window


def test_a_window_is_summed_up_exactly(bank: Session) -> None:
    events = bank.events()
    summary = summarise_window(bank, TimelineChoices())
    assert (summary.events, summary.streams, summary.event_types, summary.versions) == (48, 4, 3, 3)
    assert summary.actors == events["actor_id"].drop_nulls().n_unique()
    assert [summary.first, summary.last] == [min(events["occurred_at"].to_list()), max(events["occurred_at"].to_list())]
    week = Counter((moment.weekday() * 24 + moment.hour) for moment in events["occurred_at"].to_list())
    assert {hour: count for hour, count in enumerate(summary.week) if count} == dict(week)


def test_an_empty_window_has_no_times(bank: Session) -> None:
    summary = summarise_window(bank, TimelineChoices(text="nothing has this text"))
    assert (summary.events, summary.first, summary.last, sum(summary.week)) == (0, None, None, 0)


def test_what_each_dropped_filter_brings_back_is_counted(bank: Session) -> None:
    chosen = TimelineChoices(
        filters=(
            Filter(field="event_type", values=("LoanRequested",)),
            Filter(field="stream_id", values=("account-0",)),
        ),
    )
    assert suggest_drops(bank, chosen) == [("event_type", 12), ("stream_id", 12)]


def test_the_home_figures_say_that_no_position_is_missing_or_doubled(bank: Session) -> None:
    figures = count_home(bank)
    assert (figures.missing, figures.twice, figures.quarantined) == (0, 0, 0)
    assert (figures.streams, figures.without_actor, figures.overview.events) == (4, 8, 48)
    assert figures.event_types["events"].to_list() == [24, 12, 12]
