from workbench.session import Session
from workbench.views.timeline import overview
from workbench.views.timeline.overview import load_overview


def test_the_overview_without_a_position_is_the_heads(bank: Session) -> None:
    assert load_overview(bank, None) is load_overview(bank, 47)


def test_an_earlier_position_counts_what_lies_before_it(bank: Session) -> None:
    assert load_overview(bank, 9).events == 10


def test_the_overviews_of_a_log_that_grows_are_bounded(bank: Session) -> None:
    for position in range(20):
        load_overview(bank, position)
    assert len(overview._known[bank]) == overview.KEPT
