"""What can be asked of a log, declared once: each question is put to every engine and the answers compared.

A question is a function of a session and of the log's facts, so that it asks about what is there. A later one (state,
history, blame, deltas …) joins by `@question`.
"""

import re
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec
import polars as pl

from tests.contracts.deltas import DELTAS
from tests.contracts.figures import FIGURES
from tests.contracts.models import MODELS
from tests.contracts.replay import REPLAY
from workbench.session import Session
from workbench.views.grain import GRAINS, Grain
from workbench.views.timeline.choices import Filter, TimelineChoices
from workbench.views.timeline.density import show_timeline
from workbench.views.timeline.facets import count_facets
from workbench.views.timeline.overview import count_bars, load_overview
from workbench.views.timeline.rows import load_rows
from workbench.views.timeline.spans import write_statement
from workbench.views.timeline.summary import summarise_window
from workbench.views.timeline.where import Where


class Facts(msgspec.Struct, frozen=True):
    """What a log holds, so that questions find something: two types, two streams, two actors, and times."""

    types: list[str]
    streams: list[str]
    actors: list[str]
    first: datetime
    middle: datetime
    last: datetime
    recorded: datetime
    position: int


Ask = Callable[[Session, Facts], pl.DataFrame]
QUESTIONS: dict[str, Ask] = {}


def question(ask: Ask) -> Ask:
    """Declare a question; its name is its function's."""
    QUESTIONS[ask.__name__] = ask
    return ask


def read_facts(session: Session) -> Facts:
    """Return what the questions ask about, found out in the plainest way."""
    ends = session.sql("select min(occurred_at) as a, max(occurred_at) as b, max(recorded_at) as c from events").row(0)
    return Facts(
        types=_some(session, "event_type"),
        streams=_some(session, "stream_id"),
        actors=_some(session, "actor_id"),
        first=ends[0],
        middle=ends[0] + (ends[1] - ends[0]) / 2,
        last=ends[1],
        recorded=ends[2],
        position=session.head().position or 0,
    )


def _some(session: Session, column: str) -> list[str]:
    text = (
        f"select {column} as v, count(*) as n from events where {column} is not null group by 1 order by 2, 1 limit 2"  # noqa: S608 - our own names
    )
    return session.sql(text)["v"].to_list()


@question
def head(session: Session, _facts: Facts) -> pl.DataFrame:
    found = session.head()
    return pl.DataFrame([{"position": found.position, "events": found.event_count, "recorded_at": found.recorded_at}])


@question
def tail(session: Session, facts: Facts) -> pl.DataFrame:
    return pl.concat(list(session.tail(after=facts.position - 250, batch=100)))


@question
def quarantine(session: Session, _facts: Facts) -> pl.DataFrame:
    return session.quarantine()


@question
def quarantine_by_sql(session: Session, _facts: Facts) -> pl.DataFrame:
    return session.sql("select * from quarantine order by quarantine_id")


@question
def basis(session: Session, facts: Facts) -> pl.DataFrame:
    """The hash of an answer's canonical rows is the same on any engine."""
    answer = session.events(event_types=facts.types)
    found = session.basis(answer)
    return pl.DataFrame([{"sha256": found.sha256, "position": found.position, "quarantined": str(found.left_out)}])


@question
def overview(session: Session, _facts: Facts) -> pl.DataFrame:
    found = load_overview(session, None)
    return found.bars.sort("event_type", "start").with_columns(first=pl.lit(found.first), last=pl.lit(found.last))


@question
def rows_page(session: Session, facts: Facts) -> pl.DataFrame:
    return load_rows(session, TimelineChoices(filters=(Filter(field="event_type", values=tuple(facts.types)),))).rows


@question
def facets(session: Session, facts: Facts) -> pl.DataFrame:
    found = count_facets(session, TimelineChoices(since=facts.first, until=facts.middle))
    return pl.DataFrame({"facet": [repr(facet) for facet in found]})


@question
def summary(session: Session, facts: Facts) -> pl.DataFrame:
    found = summarise_window(session, TimelineChoices(since=facts.first, until=facts.middle))
    return pl.DataFrame({"summary": [repr(found)]})


@question
def timeline(session: Session, facts: Facts) -> pl.DataFrame:
    return show_timeline(
        session, TimelineChoices(filters=(Filter(field="event_type", values=tuple(facts.types)),))
    ).frame.sort("event_type", "start")


@question
def spans(session: Session, facts: Facts) -> pl.DataFrame:
    """What a run's spans are made of, asked of a stream."""
    where = Where("", {}).also("stream_id = :stream", stream=facts.streams[0])
    return session.sql(write_statement(session, where), where.parameters)


def bars(session: Session, facts: Facts, grain: Grain) -> pl.DataFrame:
    """The timeline's bars at one grain, over no more than 2,000 of them."""
    window = min((facts.last - facts.first).total_seconds(), 2_000 * grain.seconds)
    choices = TimelineChoices(since=facts.last - timedelta(seconds=window), until=facts.last)
    return count_bars(session, choices, grain).sort("event_type", "start")


QUESTIONS |= REPLAY | MODELS | DELTAS | FIGURES
QUESTIONS |= {f"bars of {grain.words}": partial(bars, grain=grain) for grain in GRAINS}

FILTERS: dict[str, Callable[[Facts], dict[str, Any]]] = {
    "one type": lambda facts: {"event_types": facts.types[0]},
    "two types": lambda facts: {"event_types": facts.types, "limit": 50},
    "no type": lambda _facts: {"event_types": []},
    "one stream": lambda facts: {"stream_ids": facts.streams[0]},
    "two streams": lambda facts: {"stream_ids": facts.streams},
    "an unknown stream": lambda _facts: {"stream_ids": "nobody's"},
    "one actor": lambda facts: {"actor_ids": facts.actors[0], "limit": 50},
    "since": lambda facts: {"since": facts.middle, "limit": 20},
    "until": lambda facts: {"until": facts.middle, "limit": 20},
    "since and until": lambda facts: {"since": facts.first, "until": facts.middle, "limit": 30},
    "as of": lambda facts: {"as_of": facts.middle, "limit": 30},
    "as of the first": lambda facts: {"as_of": facts.first},
    "known at": lambda facts: {"known_at": facts.recorded, "limit": 10},
    "known before anything": lambda facts: {"known_at": facts.first - timedelta(days=36_500)},
    "a text": lambda facts: {"text": facts.types[0][:4].upper(), "limit": 20},
    "a text like SQL": lambda _facts: {"text": "%' or 1=1 --"},
    "after": lambda facts: {"after": facts.position - 5},
    "after the head": lambda facts: {"after": facts.position},
    "everything": lambda facts: {
        "event_types": facts.types,
        "stream_ids": facts.streams,
        "actor_ids": facts.actors,
        "since": facts.first,
        "until": facts.last,
        "as_of": facts.last,
        "text": "e",
        "after": -1,
        "limit": 5,
    },
    "a limit of none": lambda _facts: {"limit": 0},
}


def events(session: Session, facts: Facts, chosen: Callable[[Facts], dict[str, Any]]) -> pl.DataFrame:
    """`session.events` with one choice of filters."""
    return session.events(**chosen(facts))


QUESTIONS |= {f"events: {name}": partial(events, chosen=chosen) for name, chosen in FILTERS.items()}

SELECTS: Final = """
select event_type, count(*) as n, count(distinct stream_id) as s from events group by 1 order by 2 desc, 1;
select count(*) as n, max(position) as p, min(occurred_at) as a, max(recorded_at) as b from events_stored;
select date_trunc('month', occurred_at) as m, count(*) as n from events group by 1 order by 1;
select date_trunc('week', at_timezone(occurred_at, 'Europe/Berlin')) as w, count(*) as n from events group by 1 order
by 1;
select date_trunc('hour', at_timezone(occurred_at, 'Asia/Kolkata')) as w, count(*) as n from events group by 1 order
by 2 desc, 1 limit 50;
select stream_id, max_by(event_type, position) as last, count(*) as n from events group by 1 order by 1 limit 200;
select stream_id, array_agg(event_type order by position) as path from events where stream_version < 5 group by 1
order by 1 limit 50;
select event_type, lead(event_type) over (partition by stream_id order by stream_version) as next, position from
events order by position limit 300;
with steps as (select event_type as a, lead(event_type) over (partition by stream_id order by stream_version) as b
from events) select a, b, count(*) as n from steps group by 1, 2 order by 3 desc, 1, 2 limit 60;
select actor_kind, event_type, count(*) as n from events group by rollup (actor_kind, event_type) order by 1, 2, 3;
select length(data) as n, count(*) as c from events group by 1 order by 1 limit 40;
select position, json_extract_scalar(data, '$.amount') as a, json_size(data, '$') as s from events order by position
limit 400;
select position, data, metadata from events order by position desc limit 60;
select position, date_diff('second', occurred_at, recorded_at) as late, occurred_at < recorded_at as b from events
order by position limit 100;
select a.stream_id, count(*) as n from events a join events b on a.stream_id = b.stream_id and b.stream_version =
a.stream_version + 1 and b.occurred_at < a.occurred_at group by 1 order by 1;
select * from events where position < 20 order by position;
select position from events except select position from events_stored;
select event_type from events intersect select event_type from events_stored order by 1;
select sum(cast(stream_version as decimal(18, 2))) as d, avg(stream_version) as f, avg(cast(position as double)) as g
from events;
select digest, event_id, source from events where position % 97 = 5 order by position limit 100;
select hour(occurred_at) as h, day_of_week(occurred_at) as d, count(*) as n from events group by 1, 2 order by 1, 2;
select approx.v, count(*) as n from (select width_bucket(length(data), 0e0, 500e0, 10) as v from events) as approx
group by 1 order by 1;
select regexp_extract(event_id, '[0-9]+') as digits, upper(event_type) as u from events order by position limit 80;
select count_if(actor_id is null) as nobody, count_if(data is null) as erased, count(correlation_id) as c from events;
"""


def select(session: Session, _facts: Facts, text: str) -> pl.DataFrame:
    """`session.sql` with one statement."""
    return session.sql(text)


QUESTIONS |= {" ".join(text.split()): partial(select, text=text) for text in SELECTS.split(";") if text.strip()}


ROOT: Final = Path(__file__).resolve().parents[2]
# A SELECT in a text: in a call of session.sql, or behind `workbench sql`.
WRITTEN: Final = re.compile(
    r"""(?:\.sql\(|workbench sql )(?P<quote>\"{3}|["'])(?P<text>[\s.]*(?:select|with)\b.*?)(?P=quote)""",
    re.IGNORECASE | re.DOTALL,
)

OF_DELTAS: Final = re.compile(r"\bfrom (?:proposals|decisions|requests|reasons|deltas|takings)\b", re.IGNORECASE)


def find_written() -> dict[str, str]:
    """Return every SELECT in the texts of the repository, by where it stands."""
    found = {}
    for file in sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("datasets/*.md")]):
        for place, match in enumerate(WRITTEN.finditer(file.read_text(encoding="utf-8")), start=1):
            # A doctest goes on behind three dots.
            text = re.sub(r"^\.\.\. ?", "", match["text"], flags=re.MULTILINE)
            found[f"{file.relative_to(ROOT)}, SELECT {place}"] = text
    return found


def select_written(session: Session, facts: Facts, text: str) -> pl.DataFrame:
    """A SELECT of the texts, its parameters given a type's name; in an order that it may not ask for.

    One over proposals is no question to a log that declares none.
    """
    if OF_DELTAS.search(text) and not session.delta_mappings:
        return pl.DataFrame()
    names = re.findall(r"(?<!:):([a-z_]+)\b", text)
    answer = session.sql(text, dict.fromkeys(names, facts.types[0]))
    return answer if "order by" in text.lower() else answer.sort(answer.columns)


QUESTIONS |= {place: partial(select_written, text=text) for place, text in find_written().items()}


def ask_parameters(session: Session, facts: Facts) -> Iterable[pl.DataFrame]:
    """Statements with values bound: texts, numbers, times, lists, an empty list, nothing."""
    count = "select count(*) as n from events where "
    yield session.sql(f"{count}event_type = :t", {"t": facts.types[0]})
    yield session.sql(f"{count}event_type in (:t)", {"t": facts.types})
    yield session.sql(f"{count}event_type not in (:t)", {"t": []})
    yield session.sql(f"{count}occurred_at >= :since and position < :n", {"since": facts.middle, "n": 1_000})
    yield session.sql(f"{count}actor_id = :nobody or :nobody is null", {"nobody": None})
    yield session.sql(
        "select date_trunc('day', at_timezone(occurred_at, :z)) as n from events order by 1 limit 1",
        {"z": "Asia/Tokyo"},
    )


@question
def parameters(session: Session, facts: Facts) -> pl.DataFrame:
    return pl.DataFrame({"answers": [repr(answer.rows()) for answer in ask_parameters(session, facts)]})
