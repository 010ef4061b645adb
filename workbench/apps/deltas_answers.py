"""A request of the page Deltas in, plain values out: times as epoch microseconds, everything of an event as text."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import polars as pl

from workbench.apps.answers import NARROWEST, Answer, Options, Page, answer_around, answer_event, read_form, tell_time
from workbench.errors import ArgumentError
from workbench.session import Session
from workbench.views.deltas.asking import Asking, holds_past
from workbench.views.deltas.choices import DROPS, DeltasChoices
from workbench.views.deltas.listing import ListedDelta, export_deltas, load_page
from workbench.views.deltas.overview import (
    ORPHAN_WORDS,
    Beside,
    Figures,
    count_figures,
    list_beside,
    list_menus,
    look_beside,
)
from workbench.views.deltas.overview import suggest_drops as find_drops
from workbench.views.deltas.picture import DeltaPicture
from workbench.views.timeline.overview import load_overview
from workbench.views.timeline.rows import write_rows

# A picture is at most as wide as the widest page, so that its spec stays below 100 kB.
SMALLEST, WIDEST = 160, 1_200


def _start(session: Session, choices: DeltasChoices, _options: Options) -> Answer:
    if session.order != ("position",):
        raise ArgumentError("This log has no positions, and deltas are named by them. Ingest its events into a log.")
    head = session.head()
    known = choices.position if choices.position is not None else head.position
    overview = load_overview(session, known)
    mappings = session.delta_mappings
    within = [each.edited_within for each in mappings.values() if each.edited_within is not None]
    return {
        "log": session.settings.name,
        "engine": {"duckdb": "DuckDB", "trino": "Trino"}.get(session.engine.name, session.engine.name),
        "quarantined": session.basis().left_out.get("quarantined", 0),
        "snapshot": None if head.snapshot_id is None else str(head.snapshot_id),
        "order": list(session.order),
        "head": head.position,
        "position": known,
        "events": overview.events,
        "first": tell_time(overview.first),
        "last": tell_time(overview.last),
        "types": [{"name": name, "hue": overview.hues[name]} for name in overview.event_types],
        "kinds": list(mappings),
        "proposed": {name: sorted(mapping.types("proposed")) for name, mapping in mappings.items()},
        "edited_within": within[0] if within else None,
        "follows_text": any(each.text is not None for each in mappings.values()),
        "zone": _zone(session, known) if overview.events else None,
        "can_export": bool(mappings),
        "holds_past": holds_past(session),
    }


def _zone(session: Session, position: int | None) -> str | None:
    """Return "unknown" where the source of the last event wrote its times without a zone."""
    found = session.ask(
        "select json_extract_scalar(metadata, '$.zone') as zone from events where position = :at", {"at": position or 0}
    )
    zone = found["zone"][0] if found.height else None
    return None if zone is None else str(zone)


def _measure(session: Session, _choices: DeltasChoices, _options: Options) -> Answer:
    return {"measured": session.bring_up_measures()}


def _figures(session: Session, choices: DeltasChoices, _options: Options) -> Answer:
    figures = count_figures(session, choices)
    return {**_tell_figures(figures), **_said("the figures", figures.asked)}


def _tell_figures(figures: Figures) -> Answer:
    taken, rejected = figures.medians.get("taken"), figures.medians.get("rejected")
    return {
        "shown": figures.shown,
        "all": figures.every,
        "people": figures.people,
        "decisions": [
            {"name": each.name, "count": each.count, "low": each.low, "high": each.high} for each in figures.shares
        ],
        "retained": {"kept": figures.kept, "taken": figures.characters} if figures.characters else None,
        "latency": {
            "taken_median": taken[0] if taken else None,
            "taken": taken[1] if taken else 0,
            "rejected_median": rejected[0] if rejected else None,
            "rejected": rejected[1] if rejected else 0,
        },
    }


def _said(asks: str, asked: Asking) -> Answer:
    return {
        "asks": asks,
        "sql": asked.sql,
        "parameters": {name: str(value) for name, value in asked.parameters.items()},
    }


def _drawn(name: str, words: str) -> Callable[[Session, DeltasChoices, Options], Answer]:
    def answer(session: Session, choices: DeltasChoices, options: Options) -> Answer:
        from workbench.views.deltas.changes import show_changes, show_distances, show_survival
        from workbench.views.deltas.over_time import show_compare, show_split

        shows: Mapping[str, Callable[..., DeltaPicture]] = {
            "split": show_split,
            "compare": show_compare,
            "distances": show_distances,
            "survival": show_survival,
            "changes": show_changes,
        }
        width = min(WIDEST, max(SMALLEST, int(options.get("width") or NARROWEST)))
        picture = shows[name](session, choices, width=width)
        spec = None if picture.view is None else picture.view.chart.to_dict(validate=False)
        return {**picture.told, "spec": spec, **_said(words, picture.asked)}

    return answer


def _rows(session: Session, choices: DeltasChoices, _options: Options) -> Answer:
    from workbench.views.deltas.listing import PAGE

    page = load_page(session, choices)
    return {
        "rows": [tell_row(each) for each in page.rows],
        "before": page.before,
        "total": page.total,
        "size": PAGE,
        **_said("the list", page.asked),
    }


def tell_row(listed: ListedDelta) -> Answer:
    """Return one line of the list as plain values."""
    row = listed.row
    paths = None
    if listed.paths is not None:
        paths = [
            {"path": each.path, "sign": each.sign, "proposed": each.proposed, "value": each.value}
            for each in listed.paths
        ]
    return {
        "position": row["position"],
        "kind": row["kind"],
        "shown": tell_time(row["shown_at"]),
        "decision": row["decision"],
        "person": row["person"],
        "version": row["version"],
        "latency": row["latency"],
        "distance": row["distance"],
        "retained": row["retained"],
        "alternatives": row["alternative_count"] or 0,
        "redline": None if listed.redline is None else tell_redline(listed.redline),
        "paths": paths,
        "text": listed.text,
    }


def tell_redline(operations: Sequence[Any]) -> list[list[Any]]:
    """Return a redline as lists of kind, text and the number of a move."""
    return [[each.kind, each.text, each.move] for each in operations]


def _facets(session: Session, choices: DeltasChoices, _options: Options) -> Answer:
    return {
        "menus": [
            {
                "name": menu.name,
                "words": menu.words,
                "field": menu.field,
                "total": menu.total,
                "values": [{"value": value, "deltas": shown} for value, shown in menu.values.iter_rows()],
            }
            for menu in list_menus(session, choices)
        ]
    }


def _beside(session: Session, choices: DeltasChoices, _options: Options) -> Answer:
    from workbench.deltas.figures.people import WATCH

    beside = look_beside(session, choices)
    return {
        "orphans": [
            {"count": records, "one": ORPHAN_WORDS[what][0], "many": ORPHAN_WORDS[what][1]}
            for what, records in beside.orphans
        ],
        "watch": {"threshold": WATCH.share, "least": WATCH.least, **_watch(beside)} if beside.people.height else None,
    }


def _watch(beside: Beside) -> Answer:
    def tell(row: Mapping[str, Any]) -> Answer:
        return {"person": row["person"], "share": row["share"], "of": row["shown"]}

    often = beside.people.filter(~pl.col("is_few"))
    alarms = often.filter(pl.col("is_alarm"))
    return {
        "alarms": [tell(row) for row in alarms.iter_rows(named=True)],
        "highest": tell(often.row(0, named=True)) if often.height else None,
    }


def _orphans(session: Session, choices: DeltasChoices, _options: Options) -> Answer:
    listed, total = list_beside(session, choices)
    rows = [
        {
            "position": row["position"],
            "what": row["what"],
            "stream": row["stream_id"],
            "occurred": tell_time(row["occurred_at"]),
        }
        for row in listed.iter_rows(named=True)
    ]
    return {"rows": rows, "total": total}


def _drops(session: Session, choices: DeltasChoices, _options: Options) -> Answer:
    drops = [
        {"words": name.removeprefix("field:"), "changes": _undo(choices, name), "deltas": deltas}
        for name, deltas in find_drops(session, choices)
    ]
    return {"drops": drops}


def _undo(choices: DeltasChoices, name: str) -> dict[str, Any]:
    """Return the parameters of a link that leave one filter out."""
    if name.startswith("field:"):
        return {"field": choices.drop(name).to_query().get("field", [])}
    return dict.fromkeys(DROPS.get(name, (name,)))


def _delta(session: Session, choices: DeltasChoices, options: Options) -> Answer:
    from workbench.apps.deltas_one_answers import tell_delta

    return tell_delta(session, choices, width=int(options.get("width") or NARROWEST))


def _reason(session: Session, choices: DeltasChoices, options: Options) -> Answer:
    from workbench.views.deltas.reason import add_reason

    person = str(options.get("person") or "").strip() or None
    position, is_new = add_reason(session, choices.delta or 0, str(options.get("text") or ""), person)
    return {"position": position, "new": is_new}


def _plan(session: Session, choices: DeltasChoices, options: Options) -> Answer:
    from workbench.apps.deltas_export_answers import tell_plan

    return tell_plan(session, choices, options)


def _row(session: Session, choices: DeltasChoices, options: Options) -> Answer:
    from workbench.apps.deltas_export_answers import tell_written

    return tell_written(session, choices, options)


def _export(session: Session, choices: DeltasChoices, options: Options) -> tuple[Answer, list[bytes]]:
    form = read_form(options)
    return {}, [write_rows(export_deltas(session, choices), form)]


def _write(session: Session, choices: DeltasChoices, _options: Options) -> tuple[Answer, list[bytes]]:
    from workbench.apps.deltas_export_answers import answer_write

    return answer_write(session, choices)


ANSWERS: Final[Mapping[str, Callable[[Session, DeltasChoices, Options], Answer]]] = {
    "start": _start,
    "measure": _measure,
    "figures": _figures,
    "split": _drawn("split", "decisions over time"),
    "compare": _drawn("compare", "versions compared"),
    "distances": _drawn("distances", "edit distances"),
    "survival": _drawn("survival", "how long texts stay untouched"),
    "changes": _drawn("changes", "what gets changed"),
    "rows": _rows,
    "facets": _facets,
    "beside": _beside,
    "orphans": _orphans,
    "drops": _drops,
    "delta": _delta,
    "reason": _reason,
    "event": lambda session, choices, _options: answer_event(session, choices.event or 0),
    "around": lambda session, choices, _options: answer_around(session, choices.event or 0, choices.position),
    "plan": _plan,
    "row": _row,
}
answer_deltas: Final = Page(DeltasChoices.from_query, ANSWERS, {"export": _export, "write": _write}).answer
