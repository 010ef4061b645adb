"""Generated logs of proposals and decisions, and what a plain reading of them in Python finds."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

from tests.builders import START, build_event
from workbench.deltas.mapping import DeltaMapping, make_mapping
from workbench.event import Actor, Event

DECIDED = {"Accepted": "accepted", "Edited": "edited", "Rejected": "rejected"}
EVENTS: dict[str, Any] = {
    "proposed": ["Proposed"],
    "accepted": ["Accepted"],
    "edited": ["Edited"],
    "rejected": ["Rejected"],
    "requested": ["Asked"],
    "content": "data.text",
    "reason": "data.why",
    "expires_after": 3600,
}
BY_NAME = make_mapping("by-name", {**EVENTS, "pair": "names", "names": "data.of", "id": "data.id"})
BY_PLACE = make_mapping(
    "by-place", {**EVENTS, "pair": "next", "applied": {"events": ["Put"], "actor_kind": "ai", "delta": "data.delta"}}
)
KINDS = ["Proposed"] * 4 + ["Accepted", "Edited", "Rejected"] * 2 + ["Asked", "Put", "Other"]
Row = dict[str, Any]


@st.composite
def lives(draw: st.DrawFn, *, most: int = 14) -> list[Event]:
    """Draw the events of a log: ties, late decisions, orphans, one id twice, several decisions of one proposal."""
    events = []
    for number in range(draw(st.integers(1, most))):
        kind = draw(
            st.sampled_from(["Proposed"] * 4 + ["Accepted", "Edited", "Rejected"] * 2 + ["Asked", "Put", "Other"])
        )
        data: Row = {"why": draw(st.sampled_from(["slow", "wrong"]))}
        if kind == "Proposed":
            data |= {"id": draw(st.sampled_from(["a", "b", "c", None])), "text": f"text {number}"}
        elif kind in DECIDED:
            data |= {"of": draw(st.sampled_from(["a", "b", "c", "nobody", None])), "text": f"edit {number}"}
        elif kind == "Put":
            data["delta"] = {"ops": [{"retain": 1}, {"insert": f"put {number}"}]}
        events.append(
            build_event(
                event_id=f"e{number}",
                stream_id=draw(st.sampled_from("xy")),
                event_type=kind,
                occurred_at=START + timedelta(minutes=draw(st.integers(0, 5))),
                actor=Actor("bot", draw(st.sampled_from(["ai", "human"]))),
                data=data,
            )
        )
    return events


def pair_events(mapping: DeltaMapping, events: Sequence[Event]) -> tuple[list[Row], list[Row], list[Row]]:
    """Return proposals, decisions and requests as a plain loop over the log pairs them, by position."""
    rows = [(position, event) for position, event in enumerate(events) if event.event_type != "Other"]
    shown = [row for row in rows if row[1].event_type == "Proposed"]
    decided = [(*row, _find_target(mapping, shown, row)) for row in rows if row[1].event_type in DECIDED]
    if mapping.pair == "next":
        decided = _drop_closings(decided)
    answers = _find_answers(rows)
    proposals = [_tell_proposal(mapping, row, shown, decided, rows) | {"asked": answers.get(row[0])} for row in shown]
    asked = {request: proposal for proposal, request in answers.items()}
    requests = [
        {"position": position, "proposal_position": asked.get(position)}
        for position, event in rows
        if event.event_type == "Asked"
    ]
    return proposals, [_tell_decision(mapping, row, decided, rows) for row in decided], requests


def _drop_closings(decided: Sequence[Any]) -> list[Any]:
    """Return the decisions without the rejections beside a taking, and without all but the first of a proposal."""
    kept: list[Any] = []
    rejected: set[int] = set()
    taken = {(event.stream_id, of) for _, event, of in decided if event.event_type != "Rejected"}
    for row in decided:
        _, event, target = row
        if event.event_type == "Rejected":
            if (event.stream_id, target) in taken or target in rejected:
                continue
            rejected |= set() if target is None else {target}
        kept.append(row)
    return kept


def _find_target(mapping: DeltaMapping, shown: Sequence[Any], row: Any) -> int | None:
    position, event = row
    if mapping.pair == "next":
        before = [at for at, each in shown if at < position and each.stream_id == event.stream_id]
        return max(before, default=None)
    name = event.data["of"]
    same = [at for at, each in shown if name is not None and each.data["id"] == name]
    return max((at for at in same if at < position), default=min(same, default=None))


def _find_answers(rows: Sequence[Any]) -> dict[int, int]:
    """Return the request that each proposal answers: the nearest before it that waits."""
    waiting: dict[str, list[int]] = {}
    found = {}
    for position, event in rows:
        open_now = waiting.setdefault(event.stream_id, [])
        if event.event_type == "Asked":
            open_now.append(position)
        elif event.event_type == "Proposed" and open_now:
            found[position] = open_now.pop()
    return found


def _rank(row: Any) -> tuple[bool, int]:
    return (row[1].event_type == "Rejected", row[0])


def _find_put(mapping: DeltaMapping, rows: Sequence[Any], position: int, stream: str) -> tuple[int, str] | None:
    """Return what was put in right after a taking: before the next taking or proposal of its stream."""
    if mapping.applied is None:
        return None
    for at, event in rows:
        if at <= position or event.stream_id != stream:
            continue
        if event.event_type in ("Accepted", "Edited", "Proposed"):
            return None
        if event.event_type == "Put" and event.actor.kind == "ai":
            return at, event.data["delta"]["ops"][1]["insert"]
    return None


def _tell_proposal(
    mapping: DeltaMapping, row: Any, shown: Sequence[Any], decided: Sequence[Any], rows: Sequence[Any]
) -> Row:
    position, event = row
    own = sorted((each for each in decided if each[2] == position), key=_rank)
    later = [at for at, each in shown if at > position and each.stream_id == event.stream_id]
    first = own[0] if own else None
    decision = DECIDED[first[1].event_type] if first else "pending"
    if first is None and later:
        decision = "superseded" if mapping.pair == "names" else "expired"
    seconds = None if first is None else (first[1].occurred_at - event.occurred_at).total_seconds()
    return {
        "position": position,
        "decision": decision,
        "decision_position": first[0] if first else None,
        "reason": first[1].data["why"] if first else None,
        "latency": seconds if seconds is not None and seconds >= 0 else None,
        "decision_count": len(own),
        "superseded_by": min(later) if decision == "superseded" else None,
        "content": event.data["text"],
        "applied": _first_put(mapping, rows, own, later, event.stream_id),
    }


def _first_put(
    mapping: DeltaMapping, rows: Sequence[Any], own: Sequence[Any], later: Sequence[int], stream: str
) -> int | None:
    takings = [each[0] for each in own if each[1].event_type != "Rejected"]
    if mapping.applied is None or not takings:
        return None
    end = min(later, default=len(rows) + 10**6)
    puts = [
        at for at, each in rows if each.event_type == "Put" and each.actor.kind == "ai" and each.stream_id == stream
    ]
    return min((at for at in puts if min(takings) < at < end), default=None)


def _tell_decision(mapping: DeltaMapping, row: Any, decided: Sequence[Any], rows: Sequence[Any]) -> Row:
    position, event, target = row
    own = sorted((each for each in decided if each[2] == target), key=_rank)
    put = _find_put(mapping, rows, position, event.stream_id)
    values = {"Edited": event.data["text"], "Rejected": None}
    values["Accepted"] = put[1] if put else next((each.data["text"] for at, each in rows if at == target), None)
    return {
        "position": position,
        "decision": DECIDED[event.event_type],
        "proposal_position": target,
        "ordinal": own.index(row) + 1 if target is not None else None,
        "value": values[event.event_type],
    }
