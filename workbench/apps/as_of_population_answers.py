"""The population as plain values: its pictures, its counts at a moment, and the entities with one value."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from workbench.apps.answers import Answer
from workbench.charts.population import find_top, population_geometry
from workbench.replay.folding.values import write_value
from workbench.replay.projection import Projection
from workbench.session import Session
from workbench.views.as_of.choices import AsOfChoices
from workbench.views.as_of.entity import describe_fields, word_of
from workbench.views.as_of.log import find_cut
from workbench.views.as_of.members import Member, find_members
from workbench.views.as_of.population import (
    Population,
    count_moment,
    find_position,
    load_population,
    load_sweep,
    moment_of,
    next_change,
)
from workbench.views.as_of.ribbons import shade_values, show_population, write_point
from workbench.views.as_of.sweep import ABSENT, order_values
from workbench.views.timeline.choices import to_microseconds

NARROWEST, WIDEST = 320, 1_100
SMALL, LARGE = 132, 250
# A table has room for so many fields beside the one picked.
BESIDE: Final = 4


def tell_population(session: Session, choices: AsOfChoices, options: Mapping[str, Any]) -> Answer:
    """Return the pictures of a field over time, the values with their colours, and what the picture spans."""
    population = load_population(session, choices)
    width = min(WIDEST, max(NARROWEST, int(options.get("width", 880))))
    sizes = {"all": (width, SMALL), "open": (width, LARGE)}
    pictures = {
        name: _picture(session, choices, name, size)
        for name, size in sizes.items()
        if name == "open" or population.ended_values
    }
    colours = dict(zip(*shade_values(population, choices.theme), strict=True))
    fields = [field.name for field in population.projection.fields]
    return {
        "field": population.sweep.field,
        "fields": describe_fields(population.projection, fields),
        "pictures": pictures,
        "point": write_point(population.point),
        "values": [
            {
                "value": population.sweep.values[number],
                "colour": colours[number],
                "ended": number in population.ended_values,
            }
            for number in (*population.open_values, *population.ended_values)
        ],
        "total": len(population.sweep.names),
        "illegal": population.sweep.illegal,
        "first": population.first,
        "last": population.last,
        "step": population.point,
        "ends": [entry["entities"] for entry in count_moment(population, population.last)],
    }


def _picture(session: Session, choices: AsOfChoices, name: str, size: tuple[int, int]) -> Answer:
    view = show_population(session, choices, ended=name == "all", size=size)
    geometry = {**population_geometry(size), "most": find_top(view.frame)}
    return {"spec": view.chart.to_dict(validate=False), "geometry": geometry}


def tell_moment(session: Session, choices: AsOfChoices, options: Mapping[str, Any]) -> Answer:
    """Return the counts at the moment chosen, another field of those still open, and who has the value picked."""
    population = load_population(session, choices)
    at = next_change(population, moment_of(population, choices), str(options.get("move", "")))
    first = max(0, int(options.get("first", 0)))
    members, durations = find_members(session, population, choices.value, at, first=first)
    beside = choose_beside(population.projection, population.sweep.field, str(options.get("beside", "")))
    shown = choose_columns(population.projection, population.sweep.field)
    counted = count_moment(population, at)
    there = sum(each["entities"] for each in counted)
    return {
        "at": at,
        "position": find_position(session, population, at),
        "counts": counted,
        "there": there,
        "total": len(population.sweep.names),
        "members": [_member(member, shown, at) for member in members],
        "columns": describe_fields(population.projection, shown),
        "first": first,
        "count": len(durations),
        "median": None if not len(durations) else float(np.median(durations)),
        "p90": None if not len(durations) else float(np.percentile(durations, 90)),
        "beside": None if beside is None else _beside(session, population, choices, beside, at),
    }


def choose_columns(projection: Projection, picked: str) -> list[str]:
    """Return the fields that stand beside the one picked: a state machine, then figures, then other short values."""
    ranks = {"count": 1, "sum": 1, "first": 2, "last": 2, "min": 3, "max": 3, "machine": 4}
    named = [field for field in projection.fields if field.name != picked and field.rule in ranks]
    machine = next((field.name for field in named if field.rule == "machine"), None)
    ranked = sorted(named, key=lambda field: 0 if field.name == machine else ranks[field.rule])
    return [field.name for field in ranked[:BESIDE]]


def choose_beside(projection: Projection, picked: str, asked: str) -> str | None:
    """Return the other field whose values are counted: the one asked for, else the next state machine."""
    names = [field.name for field in projection.fields if field.name != picked]
    machines = [field.name for field in projection.fields if field.name != picked and field.rule == "machine"]
    return asked if asked in names else next(iter([*machines, *names]), None)


def _beside(session: Session, population: Population, choices: AsOfChoices, name: str, at: int) -> Answer:
    """Return how many of the open entities (of all, where none ends) have each value of another field."""
    other = load_sweep(session, population.projection, name, find_cut(session, choices).up_to)
    values, _ = population.sweep.values_at(at)
    chosen = set(population.open_values)
    names = [name for name, value in zip(population.sweep.names, values.tolist(), strict=True) if value in chosen]
    numbers = {entity: number for number, entity in enumerate(other.names)}
    found, _ = other.values_at(at)
    counted: dict[int, int] = {}
    for entity in names:
        value = int(found[numbers[entity]]) if entity in numbers else ABSENT
        counted[value] = counted.get(value, 0) + 1
    opened, ended = order_values(population.projection, other)
    ranked = sorted((each for each in counted if each != ABSENT), key=lambda each: -counted[each])
    return {
        "field": name,
        "of": len(names),
        "shares": [{"value": other.values[each], "entities": counted[each], "ended": each in ended} for each in ranked],
        "open": len(opened),
    }


def _member(member: Member, columns: Sequence[str], at: int) -> Answer:
    return {
        "entity": member.entity,
        "since": to_microseconds(member.since),
        "for": at - to_microseconds(member.since),
        "values": {name: write_value(member.state.get(name)) for name in columns},
        "events": member.events,
        "position": member.last.position,
        "type": member.last.event_type,
        "word": word_of(member.last),
        "occurred": to_microseconds(member.last.occurred_at),
        "actor": member.last.actor_id,
        "kind": member.last.actor_kind,
    }
