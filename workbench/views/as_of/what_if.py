"""What would be otherwise: the same fold over other events, and what would undo them. Nothing is written."""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import msgspec

from workbench.errors import ArgumentError
from workbench.replay.folding.cut import Cut
from workbench.replay.folding.fact import Fact
from workbench.replay.projection import Projection
from workbench.replay.what_if import (
    Affected,
    Proposal,
    assume_facts,
    find_affected,
    imagine_facts,
    propose_compensations,
    write_states,
)
from workbench.session import Session
from workbench.views.as_of.choices import AsOfChoices
from workbench.views.as_of.entity import EntityHistory, load_history, start_texts, tell_history
from workbench.views.as_of.log import choose_projection


class Contrast(msgspec.Struct, frozen=True, kw_only=True):
    """A field as it is, as it would be, and as compensating events would make it: canonical JSON texts."""

    field: str
    true: str | None
    imagined: str | None
    compensated: str | None

    @property
    def differs(self) -> bool:
        """Tell whether it would be otherwise."""
        return self.true != self.imagined

    @property
    def is_reached(self) -> bool:
        """Tell whether the compensating events bring it there."""
        return self.compensated == self.imagined


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """What would be otherwise for one entity.

    ``imagined`` is its history as it would be; ``affected`` the events set aside and what came of them, ``elsewhere``
    how many of those stand in other entities; ``proposals`` what would undo them, the newest first. ``has_causes``
    tells whether the entity's events name what led to them.
    """

    history: EntityHistory
    imagined: EntityHistory
    contrasts: Sequence[Contrast]
    affected: Sequence[Affected]
    elsewhere: int
    proposals: Sequence[Proposal]
    has_causes: bool
    expected_version: int | None


def preview_change(session: Session, choices: AsOfChoices) -> Preview:
    """Return what would be otherwise. Raises ArgumentError where what is to change is not named, or not there."""
    history = load_history(session, choices)
    facts = history.facts
    if not facts:
        raise ArgumentError(f"{choices.entity} has no event, so nothing can be otherwise. Choose another entity.")
    aside = find_aside(choices, facts)
    added = read_added(choices, history) if choices.change == "added" else []
    other = choose_projection(session, choices.other) if choices.change == "other" and choices.other else None
    projection = other or history.projection
    kept = imagine_facts(facts, without=[fact.event_id for fact in aside], insert=added)
    imagined = tell_history(projection, kept, history.entity, history.cut)
    affected = find_affected(facts, [fact.event_id for fact in aside])
    proposals = propose(history, {each.fact.position for each in affected})
    assumed = assume_facts(proposals, behind=facts[-1]) if proposals else []
    return Preview(
        history=history,
        imagined=imagined,
        contrasts=contrast(history, projection, kept, [*facts, *assumed]),
        affected=affected,
        elsewhere=count_elsewhere(session, history, affected),
        proposals=proposals,
        has_causes=any(fact.causation_id is not None for fact in facts),
        expected_version=max((fact.stream_version for fact in facts if fact.stream_version is not None), default=None),
    )


def find_aside(choices: AsOfChoices, facts: Sequence[Fact]) -> list[Fact]:
    """Return the events set aside: those named, or all from the point on. Raises ArgumentError for one not there."""
    if choices.change == "without":
        found = [fact for fact in facts if fact.position in choices.without]
        if len(found) < len(set(choices.without)):
            missing = sorted(set(choices.without) - {fact.position for fact in found})
            raise ArgumentError(
                f"The link says without={missing[0]}, and the entity has no event there. Choose one of its events."
            )
        return found
    if choices.change != "back":
        return []
    point = choices.point if choices.point is not None else facts[-1].position
    return [fact for fact in facts if fact.position >= point]


def read_added(choices: AsOfChoices, history: EntityHistory) -> list[Fact]:
    """Return the events to add, which stand behind the entity's last one. Raises ArgumentError naming the line."""
    last = history.facts[-1]
    return [
        _read_line(line, number, last)
        for number, line in enumerate((line for line in (choices.added or "").splitlines() if line.strip()), start=1)
    ]


def _read_line(line: str, number: int, last: Fact) -> Fact:
    try:
        given: Any = msgspec.json.decode(line)
    except msgspec.DecodeError as error:
        raise ArgumentError(
            f"Line {number} of the added events is no JSON: {error}. One event stands on a line."
        ) from error
    if not isinstance(given, dict) or not isinstance(given.get("event_type"), str):
        raise ArgumentError(
            f'Line {number} of the added events names no type. Write {{"event_type": "…", "data": {{…}}}} on each line.'
        )
    return Fact(
        position=last.position + number,
        event_id=str(given.get("event_id") or f"assumed-{number}"),
        source=last.source,
        stream_id=str(given.get("stream_id") or last.stream_id),
        event_type=given["event_type"],
        occurred_at=last.occurred_at + timedelta(microseconds=number),
        actor_id=given.get("actor_id") if isinstance(given.get("actor_id"), str) else None,
        actor_kind=given.get("actor_kind") if isinstance(given.get("actor_kind"), str) else None,
        data=msgspec.json.encode(given.get("data")).decode(),
    )


def propose(history: EntityHistory, positions: set[int]) -> list[Proposal]:
    """Return what would undo the events at the positions, the newest first; None where nothing is declared for one."""
    if not positions:
        return []
    behind = Cut(up_to=min(positions) - 1)
    proposals = propose_compensations(history.projection, history.facts, history.entity, behind=behind)
    return [proposal for proposal in proposals if proposal.fact.position in positions]


def contrast(
    history: EntityHistory, projection: Projection, kept: Sequence[Fact], compensated: Sequence[Fact]
) -> list[Contrast]:
    """Return every field in its three states."""
    true, after = (_state(history.projection, facts, history.entity) for facts in (history.facts, compensated))
    imagined = _state(projection, kept, history.entity)
    return [
        Contrast(field=name, true=true.get(name), imagined=imagined.get(name), compensated=after.get(name))
        for name in dict.fromkeys((*true, *imagined))
    ]


def _state(projection: Projection, facts: Sequence[Fact], entity: str) -> Mapping[str, str]:
    return write_states(projection, facts).get(entity) or start_texts(projection)


def count_elsewhere(session: Session, history: EntityHistory, affected: Sequence[Affected]) -> int:
    """Return how many events of other entities the affected ones led to, as far as causes are named."""
    if not affected:
        return 0
    known = {fact.event_id for fact in history.facts}
    caused = session.affected([each.fact.event_id for each in affected])
    return sum(
        event_id not in known and position <= (history.cut.up_to or 0)
        for event_id, position in caused.select("event_id", "position").iter_rows()
    )


def write_proposals(proposals: Sequence[Proposal]) -> str:
    """Return the compensating events as JSON Lines, to be appended by whoever decides to."""
    return "\n".join(
        json.dumps(
            {
                "event_type": proposal.event_type,
                "stream_id": proposal.fact.stream_id,
                "causation_id": proposal.fact.event_id,
                "data": proposal.data,
            },
            ensure_ascii=False,
        )
        for proposal in proposals
        if proposal.event_type is not None
    )
