"""One entity at any moment: every event of it with what it changed, in one answer that a page scrubs through."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from workbench.replay.folding.cut import Cut
from workbench.replay.folding.fact import Fact
from workbench.replay.folding.fold import Folder
from workbench.replay.folding.values import write_value
from workbench.replay.history.history import Moment, find_history, find_origins
from workbench.replay.projection import Projection
from workbench.session import Session
from workbench.views.as_of.choices import AsOfChoices
from workbench.views.as_of.log import choose_projection, find_cut, find_nearest, load_events

LIFECYCLE: Final = "lifecycle:transition"


class Band(msgspec.Struct, frozen=True, kw_only=True):
    """A value of a field: from which event on it holds, its canonical JSON text, and the event that set it.

    Events are numbers in the history; -1 is before the first, where ``setter`` is -1 too. ``text`` is None where a
    state without declared fields has no such member.
    """

    start: int
    text: str | None
    setter: int


class EntityHistory(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a page needs to show an entity at any moment of its own, without asking again.

    ``moments`` are the events in the projection's order, ``details`` a word beside each one's type; ``bands`` the
    values of each field, ``again`` the events that set a field to the value it had. ``nearest`` are ids beside an
    entity that no event of the cut touches.
    """

    projection: Projection
    entity: str
    cut: Cut
    moments: Sequence[Moment]
    bands: Mapping[str, Sequence[Band]]
    again: Mapping[str, Sequence[int]]
    nearest: Sequence[str] = ()

    @property
    def facts(self) -> list[Fact]:
        """The events."""
        return [moment.fact for moment in self.moments]

    @property
    def in_time(self) -> bool:
        """Tell whether the order of the events is also that of time, so that a moment is a place among them."""
        times = [fact.occurred_at for fact in self.facts]
        return times == sorted(times)


def load_history(session: Session, choices: AsOfChoices, *, is_cut: bool = False) -> EntityHistory:
    """Return the history of the entity chosen, up to the link's basis and what ``known_at`` knew.

    With ``is_cut`` only what had happened by ``as_of`` counts too. An entity that nothing touches has no moments.
    """
    projection = choose_projection(session, choices.projection)
    cut = find_cut(session, choices, as_of=choices.as_of if is_cut else None)
    entity = choices.entity or ""
    facts = load_events(session, projection, [entity], cut)
    told = tell_history(projection, facts, entity, cut)
    if told.moments or is_cut:
        return told
    return msgspec.structs.replace(told, nearest=find_nearest(session, projection, cut, entity))


def tell_history(projection: Projection, facts: Sequence[Fact], entity: str, cut: Cut) -> EntityHistory:
    """Return an entity's history out of the events that touch it."""
    moments = list(find_history(projection, facts, entity))
    bands = {name: [Band(start=-1, text=text, setter=-1)] for name, text in start_texts(projection).items()}
    again: dict[str, list[int]] = {}
    for index, moment in enumerate(moments):
        setters = _setters(projection, moments[: index + 1], entity) if moment.effect and moment.changed else {}
        for name, (_, after) in moment.changed.items():
            bands.setdefault(name, []).append(Band(start=index, text=after, setter=setters.get(name, index)))
        for name in moment.touched:
            if name not in moment.changed and name not in moment.errors:
                again.setdefault(name, []).append(index)
    return EntityHistory(projection=projection, entity=entity, cut=cut, moments=moments, bands=bands, again=again)


def start_texts(projection: Projection) -> dict[str, str]:
    """Return the values of an entity's fields before its first event, as canonical JSON texts."""
    folder = Folder(projection)
    return {name: write_value(value) for name, value in folder.show(folder.start()).items()}


def _setters(projection: Projection, moments: Sequence[Moment], entity: str) -> dict[str, int]:
    """Return which event set each field after a cancel, by number in the history; -1 for none."""
    numbers = {moment.fact.position: number for number, moment in enumerate(moments)}
    facts = [moment.fact for moment in moments]
    return {
        origin.field: -1 if origin.fact is None else numbers[origin.fact.position]
        for origin in find_origins(projection, facts, entity)
    }


def find_words(facts: Sequence[Fact]) -> list[str | None]:
    """Return a word that tells each event from others of its type: the step of a task's life, if there are several."""
    words = [word_of(fact) for fact in facts]
    known: dict[str, set[str | None]] = {}
    for fact, word in zip(facts, words, strict=True):
        known.setdefault(fact.event_type, set()).add(word)
    return [word if len(known[fact.event_type]) > 1 else None for fact, word in zip(facts, words, strict=True)]


def word_of(fact: Fact) -> str | None:
    """Return the step of a task's life that an event of an XES log tells of."""
    if fact.data is None or LIFECYCLE not in fact.data:
        return None
    payload = json.loads(fact.data)
    word = payload.get(LIFECYCLE) if isinstance(payload, dict) else None
    return word if isinstance(word, str) else None


def describe_fields(projection: Projection, names: Sequence[str]) -> list[dict[str, Any]]:
    """Return what a page must know of each field to show it: name, rule, kind, and whether its values are actors."""
    declared = {field.name: field for field in projection.fields}
    return [
        {
            "name": name,
            "rule": declared[name].rule if name in declared else "last",
            "kind": declared[name].kind if name in declared else "json",
            "people": name in declared
            and any(source.path is not None and source.path.column == "actor_id" for source in declared[name].sources),
            "moves": None if name not in declared or declared[name].moves is None else dict(declared[name].moves or {}),
        }
        for name in names
    ]


def choose_lanes(facts: Sequence[Fact]) -> tuple[list[str], list[int]]:
    """Return the lanes an entity's events stand in, and each one's: by the prefix of the type, else by actor kind.

    >>> prefix_of("A_SUBMITTED"), prefix_of("OrderPlaced")
    ('A', None)
    """
    found = [prefix_of(fact.event_type) or "" for fact in facts]
    if "" in found or not 1 < len(set(found)) <= 4:  # noqa: PLR2004 - four lanes are as many as there is room for
        found = [fact.actor_kind or "none" for fact in facts]
    lanes = sorted(Counter(found))
    return lanes, [lanes.index(name) for name in found]


def prefix_of(event_type: str) -> str | None:
    """Return what stands before the first ``_``, ``.`` or ``/`` of a type's name."""
    cuts = [event_type.find(sign) for sign in "_./" if event_type.find(sign) > 0]
    return event_type[: min(cuts)] if cuts else None
