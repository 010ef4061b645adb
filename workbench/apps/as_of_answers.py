"""A request of the page As of in, plain values out: times as epoch microseconds, values of fields as JSON texts."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from workbench.apps.answers import Answer, Options, Page, answer_around, answer_event, read_form, tell_time
from workbench.replay.folding.fact import Fact
from workbench.replay.history.history import Origin
from workbench.session import Session
from workbench.views.as_of.choices import AsOfChoices
from workbench.views.as_of.compare import Comparison, compare_moments
from workbench.views.as_of.entity import EntityHistory, choose_lanes, describe_fields, find_words, load_history
from workbench.views.as_of.export import export_moment, write_question
from workbench.views.as_of.log import (
    check_positions,
    choose_projection,
    count_entities,
    find_cut,
    find_entities,
    list_projections,
)
from workbench.views.as_of.what_if import Preview, preview_change, write_proposals
from workbench.views.timeline.overview import load_overview
from workbench.views.timeline.rows import write_rows


def _start(session: Session, choices: AsOfChoices, _options: Options) -> Answer:
    check_positions(session)
    head = session.head()
    cut = find_cut(session, AsOfChoices(basis=choices.basis))
    overview = load_overview(session, cut.up_to)
    listed = list_projections(session)
    chosen = choose_projection(session, choices.projection)
    return {
        "log": session.settings.name,
        "engine": {"duckdb": "DuckDB", "trino": "Trino"}.get(session.engine.name, session.engine.name),
        "quarantined": session.basis().left_out.get("quarantined", 0),
        "snapshot": None if head.snapshot_id is None else str(head.snapshot_id),
        "order": list(session.order),
        "head": head.position,
        "position": cut.up_to,
        "events": overview.events,
        "first": tell_time(overview.first),
        "last": tell_time(overview.last),
        "types": [{"name": name, "hue": overview.hues[name]} for name in overview.event_types],
        "late_after": round(session.settings.log.late_after * 1_000_000),
        "entities": count_entities(session, chosen, cut) if overview.events and len(chosen.entity) == 1 else None,
        "projection": f"{chosen.name}@{chosen.version}",
        "hash": chosen.hash,
        "projections": [
            {
                "title": title,
                "name": each.name,
                "version": each.version,
                "order": each.order,
                "open": each.is_open,
                "fields": [field.name for field in each.fields],
            }
            for title, each in listed.items()
        ],
    }


def _entities(session: Session, choices: AsOfChoices, options: Options) -> Answer:
    projection = choose_projection(session, choices.projection)
    found = find_entities(session, projection, find_cut(session, choices), str(options.get("text", "")))
    rows = [
        {"entity": entity, "events": events, "first": tell_time(first), "last": tell_time(last)}
        for entity, events, first, last in found.iter_rows()
    ]
    return {"entities": rows}


def _history(session: Session, choices: AsOfChoices, options: Options) -> Answer:
    history = load_history(session, choices, is_cut=bool(options.get("cut")))
    return {
        **tell_history(history),
        "known_position": history.cut.up_to if choices.known_at is not None else None,
        "question": _question(session, choices),
    }


def _question(session: Session, choices: AsOfChoices) -> Answer:
    question = write_question(session, choices)
    return {"call": question.call, "sql": question.sql, "parameters": question.parameters}


def tell_history(history: EntityHistory) -> Answer:
    """Return an entity's history as columns, one entry an event, and its fields as bands."""
    facts, moments = history.facts, history.moments
    lanes, lane = choose_lanes(facts)
    names = list(history.bands)
    return {
        "entity": history.entity,
        "nearest": list(history.nearest),
        "in_time": history.in_time,
        "order": history.projection.order,
        **tell_facts(facts),
        "lanes": lanes,
        "lane": lane,
        "effects": {index: moment.effect for index, moment in enumerate(moments) if moment.effect},
        "errors": {index: dict(moment.errors) for index, moment in enumerate(moments) if moment.errors},
        "illegal": [[index, *move] for index, moment in enumerate(moments) for move in moment.illegal],
        "again": {name: list(indices) for name, indices in history.again.items()},
        "fields": describe_fields(history.projection, names),
        "bands": {name: [[band.start, band.text, band.setter] for band in history.bands[name]] for name in names},
    }


def tell_facts(facts: Sequence[Fact]) -> Answer:
    """Return events as columns."""
    return {
        "position": [fact.position for fact in facts],
        "event_id": [fact.event_id for fact in facts],
        "type": [fact.event_type for fact in facts],
        "word": find_words(facts),
        "occurred": [tell_time(fact.occurred_at) for fact in facts],
        "recorded": [tell_time(fact.recorded_at) for fact in facts],
        "actor": [fact.actor_id for fact in facts],
        "kind": [fact.actor_kind for fact in facts],
    }


def _compare(session: Session, choices: AsOfChoices, options: Options) -> Answer:
    from workbench.views.as_of.two_times import show_two_times, two_times_size

    found = compare_moments(session, choices)
    size = two_times_size(int(options.get("width", 516)))
    picture = show_two_times(session, found, choices, size=size)
    return {
        **tell_history(found.settled),
        **_differences(found),
        "total": len(found.history.moments),
        "before": tell_time(found.before),
        "after": tell_time(found.after),
        "known_at": tell_time(found.known_at),
        "known_position": found.known_position,
        "spec": picture.view.chart.to_dict(validate=False),
        "geometry": picture.geometry,
        "window": [picture.since, picture.until],
        "question": _question(session, choices),
    }


def _differences(found: Comparison) -> Answer:
    return {
        "differences": [
            {
                "field": each.field,
                "before": each.before,
                "then": each.then,
                "now": each.now,
                "late": each.is_late,
                **_setter(each.origin),
            }
            for each in found.differences
        ],
        "same_again": list(found.again),
        "untouched": list(found.untouched),
        "between": [
            {
                "position": each.moment.fact.position,
                "late_by": None if each.late_by is None else round(each.late_by.total_seconds() * 1e6),
                "known": each.is_known,
            }
            for each in found.between
        ],
    }


def _setter(origin: Origin | None) -> Answer:
    fact = None if origin is None else origin.fact
    return {"set_by": None if fact is None else fact.position}


def _what_if(session: Session, choices: AsOfChoices, _options: Options) -> Answer:
    preview = preview_change(session, choices)
    return {
        **tell_history(preview.history),
        "imagined": tell_history(preview.imagined),
        **_preview(preview),
        "question": _question(session, choices),
    }


def _preview(preview: Preview) -> Answer:
    proposed = {proposal.fact.position: proposal for proposal in preview.proposals}
    named = [proposal for proposal in preview.proposals if proposal.event_type is not None]
    places = {proposal.fact.position: number for number, proposal in enumerate(named, start=1)}
    return {
        "contrasts": [
            {
                "field": each.field,
                "true": each.true,
                "imagined": each.imagined,
                "compensated": each.compensated,
                "differs": each.differs,
                "reached": each.is_reached,
            }
            for each in preview.contrasts
        ],
        "affected": [
            {
                "position": each.fact.position,
                "cause": each.cause,
                "compensation": proposed[each.fact.position].event_type if each.fact.position in proposed else None,
                "place": places.get(each.fact.position),
                "needed": each.fact.position in proposed,
            }
            for each in preview.affected
        ],
        "elsewhere": preview.elsewhere,
        "has_causes": preview.has_causes,
        "proposed": len(named),
        "lines": write_proposals(preview.proposals),
        "expected_version": preview.expected_version,
    }


def _population(session: Session, choices: AsOfChoices, options: Options) -> Answer:
    from workbench.apps.as_of_population_answers import tell_population

    return {**tell_population(session, choices, options), "question": _question(session, choices)}


def _members(session: Session, choices: AsOfChoices, options: Options) -> Answer:
    from workbench.apps.as_of_population_answers import tell_moment

    return tell_moment(session, choices, options)


def _export(session: Session, choices: AsOfChoices, options: Options) -> tuple[Answer, list[bytes]]:
    form = read_form(options)
    return {}, [write_rows(export_moment(session, choices), form)]


ANSWERS: Final[Mapping[str, Callable[[Session, AsOfChoices, Options], Answer]]] = {
    "start": _start,
    "entities": _entities,
    "history": _history,
    "compare": _compare,
    "population": _population,
    "members": _members,
    "what_if": _what_if,
    "event": lambda session, choices, _options: answer_event(session, choices.event or 0),
    "around": lambda session, choices, _options: answer_around(session, choices.event or 0, choices.basis),
}
answer_as_of: Final = Page(AsOfChoices.from_query, ANSWERS, {"export": _export}).answer
