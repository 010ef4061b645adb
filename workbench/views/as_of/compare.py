"""Two moments of an entity side by side, as it was known then and as it is known now."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from workbench.errors import ArgumentError
from workbench.replay.folding.fact import Fact
from workbench.replay.history.history import Moment, Origin, find_origins
from workbench.replay.what_if import write_states
from workbench.session import Session
from workbench.views.as_of.choices import AsOfChoices
from workbench.views.as_of.entity import EntityHistory, load_history, start_texts, tell_history


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """A field at both moments, as canonical JSON texts; ``then`` is the later one as it was known, ``now`` as it is."""

    field: str
    before: str | None
    then: str | None
    now: str | None
    origin: Origin | None

    @property
    def changed(self) -> bool:
        """Tell whether the later moment reads otherwise than the earlier one."""
        return self.before != self.then or self.before != self.now

    @property
    def is_late(self) -> bool:
        """Tell whether the later moment read otherwise when it was."""
        return self.then != self.now


class Between(msgspec.Struct, frozen=True, kw_only=True):
    """An event between the two moments: how late it was recorded, if it was, and whether the log knew it then."""

    moment: Moment
    late_by: timedelta | None
    is_known: bool


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """What changed between two moments of an entity.

    ``history`` is the whole one, ``settled`` what had happened by the later of the two, as it is known now. ``again``
    are the fields that were set to the value they had, ``untouched`` the rest. ``between`` are the events by when they
    happened. ``known_position`` is the last position the log held at ``known_at``, None for now.
    """

    history: EntityHistory
    settled: EntityHistory
    before: datetime
    after: datetime
    known_at: datetime | None
    known_position: int | None
    differences: Sequence[Difference]
    again: Sequence[str]
    untouched: Sequence[str]
    between: Sequence[Between]


def compare_moments(session: Session, choices: AsOfChoices) -> Comparison:
    """Return what changed between ``before`` and ``after``, the first and the last event where they are left out.

    ``known_at`` is what was known; the entity's events are all those up to the link's basis. Raises ArgumentError.
    """
    history = load_history(session, msgspec.structs.replace(choices, known_at=None))
    facts = history.facts
    if not facts:
        raise ArgumentError(f"{choices.entity} has no event, so there is nothing to compare. Choose another entity.")
    times = [fact.occurred_at for fact in facts]
    before, after = choices.before or min(times), choices.after or max(times)
    known = None if choices.known_at is None else session.resolve_known_at(choices.known_at)
    states = _states(history, before, after, known)
    settled = [fact for fact in facts if fact.occurred_at <= after]
    differences = compare_fields(states, find_origins(history.projection, settled, history.entity))
    first, last = min(before, after), max(before, after)
    happened = [fact for fact in facts if fact.occurred_at <= last]
    told = tell_history(history.projection, happened, history.entity, history.cut)
    late_after = timedelta(seconds=session.settings.log.late_after)
    between = list_between(told, first, last, known, late_after)
    touched = {name for each in between for name in each.moment.touched}
    same = [each.field for each in differences if not each.changed]
    return Comparison(
        history=history,
        settled=told,
        before=before,
        after=after,
        known_at=choices.known_at,
        known_position=known,
        differences=[each for each in differences if each.changed],
        again=[name for name in same if name in touched],
        untouched=[name for name in same if name not in touched],
        between=between,
    )


def _states(
    history: EntityHistory, before: datetime, after: datetime, known: int | None
) -> Mapping[str, Mapping[str, str]]:
    """Return the state before, and after as it was known ``then`` and is known ``now``."""
    facts = history.facts
    seen = facts if known is None else [fact for fact in facts if fact.position <= known]
    return {
        "before": _state(history, [fact for fact in seen if fact.occurred_at <= before]),
        "then": _state(history, [fact for fact in seen if fact.occurred_at <= after]),
        "now": _state(history, [fact for fact in facts if fact.occurred_at <= after]),
    }


def _state(history: EntityHistory, facts: Sequence[Fact]) -> Mapping[str, str]:
    """Return an entity's fields as canonical texts; those it starts with where no event counts."""
    return write_states(history.projection, facts).get(history.entity) or start_texts(history.projection)


def compare_fields(states: Mapping[str, Mapping[str, str]], origins: Sequence[Origin]) -> list[Difference]:
    """Return every field of the states ``before``, ``then`` and ``now``, in their order."""
    setters = {origin.field: origin for origin in origins}
    names = dict.fromkeys((*states["now"], *states["then"], *states["before"]))
    return [
        Difference(
            field=name,
            before=states["before"].get(name),
            then=states["then"].get(name),
            now=states["now"].get(name),
            origin=setters.get(name),
        )
        for name in names
    ]


def list_between(
    history: EntityHistory, before: datetime, after: datetime, known: int | None, late_after: timedelta
) -> list[Between]:
    """Return the events that happened in (before, after], by when."""
    found = []
    for moment in sorted(history.moments, key=lambda each: (each.fact.occurred_at, each.fact.position)):
        fact = moment.fact
        if before < fact.occurred_at <= after:
            late_by = None if fact.recorded_at is None else fact.recorded_at - fact.occurred_at
            found.append(
                Between(
                    moment=moment,
                    late_by=late_by if late_by is not None and late_by > late_after else None,
                    is_known=known is None or fact.position <= known,
                )
            )
    return found
