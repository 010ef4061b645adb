"""A request of the page in, plain values out: times as epoch microseconds, everything of an event as text."""

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

import msgspec
import polars as pl

from workbench.errors import ArgumentError
from workbench.session import Session
from workbench.views.event import load_event, load_surroundings
from workbench.views.order import order_by
from workbench.views.place import Place, place_of, write_place
from workbench.views.timeline.choices import TimelineChoices, to_microseconds
from workbench.views.timeline.density import picture_geometry, show_timeline
from workbench.views.timeline.facets import count_facets
from workbench.views.timeline.overview import Overview, load_overview, window_of
from workbench.views.timeline.rows import Move, export_rows, load_previous, load_rows, write_rows
from workbench.views.timeline.spans import load_spans
from workbench.views.timeline.summary import suggest_drops, summarise_window
from workbench.views.timeline.where import match_choices

# A picture is as wide as its column: 920 px on the widest page, where its spec stays below 100 kB.
NARROWEST, WIDEST = 480, 920

Answer = dict[str, Any]
Options = Mapping[str, Any]


class Request(msgspec.Struct, frozen=True):
    """What the page asks: ``kind`` names the answer, ``choices`` are a link's parameters, ``options`` the rest."""

    id: int
    kind: str
    choices: dict[str, list[str]] = {}
    options: dict[str, Any] = {}


class Page(msgspec.Struct, frozen=True):
    """What answers the page of an app, by kind of request.

    ``read`` returns a link's choices; ``answers`` give plain values, ``files`` plain values and files as bytes.
    """

    read: Callable[[Mapping[str, list[str]]], Any]
    answers: Mapping[str, Callable[[Session, Any, Options], Answer]]
    files: Mapping[str, Callable[[Session, Any, Options], tuple[Answer, list[bytes]]]]

    def answer(self, session: Session, request: Request) -> tuple[Answer, list[bytes]]:
        """Return the answer as plain values, and files as bytes. Raises WorkbenchError when there is none."""
        known = (*self.answers, *self.files)
        if request.kind not in known:
            raise ArgumentError(f"The page asked for {request.kind!r}; it can ask for {', '.join(known)}.")
        choices = self.read(request.choices)
        if request.kind in self.files:
            return self.files[request.kind](session, choices, request.options)
        began = time.perf_counter()
        answer = self.answers[request.kind](session, choices, request.options)
        return {**answer, "milliseconds": round((time.perf_counter() - began) * 1_000)}, []


def read_form(options: Options) -> str:
    """Return the form in which rows are asked for. Raises ArgumentError."""
    form = str(options.get("form"))
    if form not in {"csv", "json", "parquet"}:
        raise ArgumentError(f"Rows can be had as csv, json or parquet, not as {form}.")
    return form


def _start(session: Session, choices: TimelineChoices, _options: Options) -> Answer:
    head = session.head()
    known = choices.position if choices.position is not None else head.position
    overview = load_overview(session, known)
    strip = overview.bars.group_by("start", "end").agg(pl.col("events").sum()).sort("start")
    return {
        "log": session.settings.name,
        "engine": {"duckdb": "DuckDB", "trino": "Trino"}.get(session.engine.name, session.engine.name),
        "quarantined": session.basis().left_out.get("quarantined", 0),
        "order": list(session.order),
        "snapshot": None if head.snapshot_id is None else str(head.snapshot_id),
        "head": head.position,
        "head_events": head.event_count,
        "position": known,
        "events": overview.events,
        "first": tell_time(overview.first),
        "last": tell_time(overview.last),
        "grain": overview.grain.words,
        "bars": strip.to_dict(as_series=False),
        "types": [
            {"name": name, "events": events, "hue": overview.hues[name]}
            for name, events in overview.event_types.items()
        ],
    }


def _timeline(session: Session, choices: TimelineChoices, options: Options) -> Answer:
    width = min(WIDEST, max(NARROWEST, int(options.get("width", 760))))
    overview = load_overview(session, choices.position)
    view = show_timeline(session, choices, width=width)
    return {
        "spec": view.chart.to_dict(validate=False),
        "geometry": picture_geometry(view, width),
        "caption": view.caption,
        "sql": view.sql,
        "parameters": {name: str(value) for name, value in view.parameters.items()},
        "events": int(view.frame["events"].sum()),
        "event_types": view.frame["event_type"].n_unique(),
        "window": [to_microseconds(moment) for moment in window_of(choices, overview)],
        "busiest": _busiest(view.frame),
    }


def _busiest(bars: pl.DataFrame) -> Answer | None:
    totals = bars.group_by("start", "end").agg(pl.col("events").sum()).sort("events", "start", descending=[True, False])
    return totals.row(0, named=True) if totals.height else None


def _strip(session: Session, choices: TimelineChoices, _options: Options) -> Answer:
    from workbench.views.timeline.overview import count_bars

    overview = load_overview(session, choices.position)
    wide = choices.drop("window")
    bars = (
        _from_overview(overview, wide)
        if wide.names in {(), ("event_type",)}
        else count_bars(session, wide, overview.grain)
    )
    matching = bars.group_by("start").agg(pl.col("events").sum()).sort("start")
    return {"start": matching["start"].to_list(), "events": matching["events"].to_list()}


def _from_overview(overview: Overview, choices: TimelineChoices) -> pl.DataFrame:
    kept = overview.bars
    for each in choices.filters:
        wanted = pl.col("event_type").is_in(list(each.values))
        kept = kept.filter(~wanted if each.negated else wanted)
    return kept


def _facets(session: Session, choices: TimelineChoices, _options: Options) -> Answer:
    facets = [
        {"field": each.field, "title": each.title, "distinct": each.distinct, "values": each.values.to_dicts()}
        for each in count_facets(session, choices)
    ]
    return {"facets": facets}


def _rows(session: Session, choices: TimelineChoices, options: Options) -> Answer:
    page = load_rows(session, choices, _move(options))
    return {"rows": _placed(page.rows), "before": page.before}


def _previous(session: Session, choices: TimelineChoices, options: Options) -> Answer:
    page = load_rows(session, choices, _move(options))
    return {"rows": _placed(load_previous(session, page.rows))}


def _move(options: Options) -> Move:
    try:
        move: Move = msgspec.convert(options.get("move", "at"), Move)
    except msgspec.ValidationError as error:
        raise ArgumentError(f"A page is asked for at, after or before a place, not {options['move']}.") from error
    return move


def _summary(session: Session, choices: TimelineChoices, _options: Options) -> Answer:
    return _plain_values(msgspec.structs.asdict(summarise_window(session, choices)))


def _event(session: Session, choices: TimelineChoices, _options: Options) -> Answer:
    return answer_event(session, choices.event or 0)


def answer_event(session: Session, place: Place) -> Answer:
    """Return one event in full."""
    details = load_event(session, place)
    return {**_plain_values(msgspec.structs.asdict(details)), "place": write_place(place_of(details.envelope))}


def _around(session: Session, choices: TimelineChoices, _options: Options) -> Answer:
    return answer_around(session, choices.event or 0, choices.position)


def answer_around(session: Session, place: Place, until: int | None) -> Answer:
    """Return what stands around an event, up to a position."""
    around = load_surroundings(session, load_event(session, place), until)
    return {
        name: _placed(value) if isinstance(value, pl.DataFrame) else value
        for name, value in msgspec.structs.asdict(around).items()
    }


def _spans(session: Session, choices: TimelineChoices, _options: Options) -> Answer:
    spans = load_spans(session, choices)
    return {"run": None if spans is None else _plain_values(msgspec.structs.asdict(spans))}


def _drops(session: Session, choices: TimelineChoices, _options: Options) -> Answer:
    return {"drops": [{"name": name, "events": events} for name, events in suggest_drops(session, choices)]}


def _rows_sql(session: Session, choices: TimelineChoices, _options: Options) -> Answer:
    where = match_choices(choices)
    return {
        "sql": where.select("*", order_by(session)),
        "parameters": {name: str(value) for name, value in where.parameters.items()},
    }


def _export(session: Session, choices: TimelineChoices, options: Options) -> tuple[Answer, list[bytes]]:
    form = read_form(options)
    return {}, [write_rows(export_rows(session, choices), form)]


ANSWERS: Final[Mapping[str, Callable[[Session, TimelineChoices, Options], Answer]]] = {
    "start": _start,
    "timeline": _timeline,
    "strip": _strip,
    "facets": _facets,
    "rows": _rows,
    "previous": _previous,
    "summary": _summary,
    "event": _event,
    "around": _around,
    "spans": _spans,
    "drops": _drops,
    "rows_sql": _rows_sql,
}
answer_request: Final = Page(TimelineChoices.from_query, ANSWERS, {"export": _export}).answer


def tell_time(moment: datetime | None) -> int | None:
    """Return a time as microseconds since 1970."""
    return None if moment is None else to_microseconds(moment)


def _placed(frame: pl.DataFrame) -> list[Answer]:
    """Return the rows as plain values, each with the place a link names it by."""
    return [{**_plain_values(row), "place": write_place(place_of(row))} for row in frame.iter_rows(named=True)]


def _plain_values(values: Mapping[str, Any]) -> Answer:
    return {name: _plain_value(value) for name, value in values.items()}


def _plain_value(value: Any) -> Any:
    if isinstance(value, datetime):
        return to_microseconds(value)
    if isinstance(value, Mapping):
        return _plain_values(value)
    if isinstance(value, tuple):
        return [_plain_value(each) for each in value]
    return msgspec.structs.asdict(value) if isinstance(value, msgspec.Struct) else value
