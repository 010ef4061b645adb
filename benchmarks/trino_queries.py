"""Twelve questions of the dashboards, asked through the workbench on Trino and by Trino's own client alone."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from benchmarks.data import SPAN, START, Story
from benchmarks.harness import (
    MIN_PAIRS,
    Part,
    Scale,
    clock,
    estimate_ratio,
    measure_pairs,
    milliseconds,
    require_equal,
    show_estimate,
)
from benchmarks.stack import fetch_all, kept_log, open_client, open_lake, open_stack, recorded

if TYPE_CHECKING:
    from workbench.session import Session
    from workbench.views.timeline.choices import TimelineChoices

EVENTS = {Scale.SMOKE: 100_000, Scale.DEFAULT: 1_000_000, Scale.FULL: 10_000_000}
PAIRS = {Scale.SMOKE: MIN_PAIRS, Scale.DEFAULT: MIN_PAIRS, Scale.FULL: 2 * MIN_PAIRS}
# A smoke run has a minute for all twelve.
SECONDS = {Scale.SMOKE: 1.0, Scale.DEFAULT: None, Scale.FULL: None}
AGAIN = {Scale.SMOKE: 1, Scale.DEFAULT: MIN_PAIRS, Scale.FULL: MIN_PAIRS}
MOST_TIMES = 1.1
MOST_MORE = 0.025

Ask = Callable[["Session"], Any]


class Question(msgspec.Struct, frozen=True):
    """A name, what asks it, and which of the statements that this sends is meant; None: there is one, timed whole."""

    name: str
    ask: Ask
    which: int | None = 0


def run(scale: Scale) -> list[Part]:
    """Return a part for each question: its time over what the client's own time allows."""
    story = Story(total=EVENTS[scale], streams=EVENTS[scale] // 50)
    with open_stack(), open_lake(kept_log(story)) as session, open_client() as client:
        return [measure_question(question, session, client, scale) for question in list_questions(story)]


def choose_window(share: float, **more: Any) -> "TimelineChoices":
    """Return the choice of a window in the middle of the story's year."""
    from workbench.views.timeline.choices import TimelineChoices

    since = START + SPAN * 0.4
    return TimelineChoices(since=since, until=since + SPAN * share, **more)


def ask_bars(share: float, choices: "TimelineChoices") -> Ask:
    """Return what asks for the bars of a window as wide as the picture on the page."""
    from workbench.views.grain import choose_grain
    from workbench.views.timeline.overview import count_bars

    grain = choose_grain((SPAN * share).total_seconds(), 600)
    return lambda session: count_bars(session, choices, grain)


def list_questions(story: Story) -> list[Question]:
    """Return what the timeline's views and `session.events` ask of a log that holds a story."""
    from workbench.views.event import load_event
    from workbench.views.timeline.choices import Filter, TimelineChoices
    from workbench.views.timeline.facets import count_facet
    from workbench.views.timeline.rows import load_rows
    from workbench.views.timeline.summary import summarise_window

    month, place = choose_window(0.1), story.total // 2
    kinds = (Filter(field="event_type", values=("MoneyDeposited", "CardUsed")),)
    cut: dict[str, Any] = {
        "event_types": ["CardUsed", "LetterSent"],
        "since": month.since,
        "until": month.until,
        "limit": 1_000,
    }
    return [
        Question("bars_of_year", ask_bars(1.0, TimelineChoices())),
        Question("bars_of_month", ask_bars(0.1, month)),
        Question("bars_of_days_by_type", ask_bars(0.01, choose_window(0.01, filters=kinds))),
        Question("facet_of_types", lambda session: count_facet(session, month, "event_type")),
        Question("facet_of_actors", lambda session: count_facet(session, month, "actor_id")),
        Question("rows_page", lambda session: load_rows(session, month)),
        Question("rows_before", lambda session: load_rows(session, choose_window(0.2, row=place)), 1),
        Question("summary_by_type", lambda session: summarise_window(session, month)),
        Question("summary_of_streams", lambda session: summarise_window(session, month), 1),
        Question("event", lambda session: load_event(session, place)),
        Question("events_of_stream", lambda session: session.events(stream_ids=["account-7"]), None),
        Question("events_of_types", lambda session: session.events(**cut), None),
    ]


def measure_question(question: Question, session: "Session", client: Any, scale: Scale) -> Part:
    """Time one question against the very text that the workbench sent for it, sent again by the client."""
    with recorded(session) as asked:
        question.ask(session)
    meant = asked[question.which or 0]
    answer: Callable[[], Any] = (
        partial(question.ask, session)
        if question.which is None
        else partial(session.sql, meant.statement, meant.parameters)
    )
    found = answer()
    rows = fetch_all(client, meant.text)
    require_equal(question.name, list_values(found.rows()), list_values(rows))
    taken = measure_pairs(
        lambda: clock(answer),
        lambda: clock(lambda: fetch_all(client, meant.text)),
        pairs=PAIRS[scale],
        again=AGAIN[scale],
        seconds=SECONDS[scale],
    )
    allowed = [max(MOST_TIMES * seconds, seconds + MOST_MORE) for seconds in taken.peer]
    detail = {
        "question": question.name,
        "peer": "the same text through trino.dbapi, fetchall",
        "product_p50_ms": milliseconds(taken.product),
        "peer_p50_ms": milliseconds(taken.peer),
        "product / peer": show_estimate(estimate_ratio(taken.product, taken.peer)),
        "more_p50_ms": milliseconds([own - other for own, other in zip(taken.product, taken.peer, strict=True)]),
        "pairs": len(taken.product),
        "a_a": show_estimate(estimate_ratio(taken.again, taken.peer[: len(taken.again)])),
        "rows": len(rows),
    }
    name = f"{question.name} / max(1.1 client, client + 25 ms)"
    return Part(name=name, estimate=estimate_ratio(taken.product, allowed), limit=1.0, detail=detail)


def list_values(rows: Sequence[Sequence[Any]]) -> list[str]:
    """Return rows as sorted texts: the server gives rows that nothing orders as they come."""
    return sorted(str([_plain(value) for value in row]) for row in rows)


def _plain(value: Any) -> Any:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value
