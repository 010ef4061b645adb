from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.runs import RUN, write_run
from workbench.session import Session, connect
from workbench.views.timeline.choices import Filter, TimelineChoices
from workbench.views.timeline.spans import MOST_SPANS, Span, load_spans

CHOSEN = TimelineChoices(filters=(Filter(field="stream_id", values=(RUN,)),))


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    folder = tmp_path_factory.mktemp("runs")
    with connect(folder / "log") as opened:
        opened.ingest(write_run(folder))
        yield opened


def show(span: Span) -> tuple[int | str | float, ...]:
    first = 1754042400_000001
    return (span.depth, span.title, span.words, *((time - first) / 1e6 for time in (span.start, span.at, span.end)))


def test_calls_stand_behind_their_message_and_results_behind_their_call(session: Session) -> None:
    run = load_spans(session, CHOSEN)
    assert run is not None
    assert [show(span) for span in run.spans] == [
        (0, "user", "Book 4A.", 0, 0, 0),
        (0, "agent", "look, Book 4A.", 0, 2, 5),
        (1, "look", '{"seat":"4A"}', 2, 2, 3),
        (2, "result", "free", 3, 3, 3),
        (1, "Book 4A.", '{"note":"Book 4A."}', 2, 2, 5),
        (2, "result", "Book 4A.", 5, 5, 5),
        (0, "agent", "book", 3, 8, 10),
        (1, "book", '{"seat":"4A"}', 8, 8, 10),
        (2, "result", "done", 10, 10, 10),
        (0, "pay", "{}", 12, 12, 12),
        (0, "reward", "0.0", 12, 12, 12),
    ]
    assert (run.calls, run.left_out, run.zone) == (3, 0, "unknown")
    assert (run.end - run.start) == 12_000_000


def test_a_call_says_what_was_expected_of_it(session: Session) -> None:
    run = load_spans(session, CHOSEN)
    assert run is not None
    judged = {span.title: span.judged for span in run.spans if span.judged}
    assert judged == {"look": "matches", "book": "differs", "pay": "never made"}


def test_a_run_is_told_up_to_the_position_of_the_choices(session: Session) -> None:
    run = load_spans(session, TimelineChoices(filters=CHOSEN.filters, position=2))
    assert run is not None
    assert [(span.depth, span.title) for span in run.spans] == [(0, "user"), (0, "agent"), (1, "look")]


@pytest.mark.parametrize(
    "filters",
    [
        (),
        (Filter(field="stream_id", values=(RUN, "other")),),
        (Filter(field="stream_id", values=(RUN,), negated=True),),
        (Filter(field="actor_id", values=(RUN,)),),
        (Filter(field="stream_id", values=("other",)),),
        (Filter(field="stream_id", values=(None,)),),
    ],
)
def test_what_is_not_one_run_has_no_spans(session: Session, filters: tuple[Filter, ...]) -> None:
    assert load_spans(session, TimelineChoices(filters=filters)) is None


def test_a_stream_without_calls_has_no_spans(bank: Session) -> None:
    stream = bank.sql("select min(stream_id) as stream_id from events")["stream_id"][0]
    assert load_spans(bank, TimelineChoices(filters=(Filter(field="stream_id", values=(stream,)),))) is None


def test_of_a_long_run_the_first_events_are_told_and_the_others_counted(tmp_path: Path) -> None:
    with connect(tmp_path / "log") as opened:
        opened.ingest(write_run(tmp_path, turns=MOST_SPANS))
        run = load_spans(opened, CHOSEN)
    assert run is not None
    assert len(run.spans) <= MOST_SPANS
    assert run.left_out == 13
