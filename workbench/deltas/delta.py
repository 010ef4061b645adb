"""One proposal with all that became of it: its decisions, what it was compared with, and what the person saw."""

import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from workbench.deltas.columns import CHECKS
from workbench.deltas.document.documents import read_edits, write_text
from workbench.deltas.document.reading import Written, read_documents
from workbench.deltas.document.spans import Span, Taken, follow_texts
from workbench.deltas.document.steps import Trace, trace_text
from workbench.deltas.measures.following import EPOCH, MICROSECOND, find_applied
from workbench.errors import ArgumentError, UnknownEntityError

if TYPE_CHECKING:
    from workbench.deltas.questions import DeltaQuestions


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """What stood in the proposal's place: when taken, after some seconds, today.

    ``name`` is "taken", the seconds, or "today". ``value`` is a JSON text, None where nothing is known;
    ``position`` the event after which it stood so. A moment is censored where the document ended before.
    """

    name: str
    value: str | None
    position: int | None
    is_censored: bool = False


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """Events that changed a text in one place, one after another: the text before and after them.

    ``seconds`` are counted from the decision; ``person`` and ``kind`` are whose the first one is.
    """

    first_position: int
    last_position: int
    at: datetime
    seconds: float
    before: str
    after: str
    person: str | None
    kind: str | None


class Saw(msgspec.Struct, frozen=True, kw_only=True):
    """What stood before the person at a position: a document's text and the cursor in it, or a state as JSON."""

    position: int
    text: str | None = None
    cursor: int | None = None
    state: str | None = None


class Delta(msgspec.Struct, frozen=True, kw_only=True):
    """One row of `deltas` and what lies behind it.

    ``decisions`` are rows of `decisions` and ``request`` is one of `requests`; ``retained`` are seconds and the
    characters left then, as steps.
    """

    row: Mapping[str, Any]
    decisions: Sequence[Mapping[str, Any]]
    request: Mapping[str, Any] | None
    moments: Sequence[Moment]
    saw: Saw | None
    steps: Sequence[Step] = ()
    retained: Sequence[tuple[float, int]] = ()
    document_seconds: float | None = None


def load_delta(session: "DeltaQuestions", position: int, *, at: int | None = None) -> Delta:
    """Return the delta of the proposal at a position, as the log had it by ``at``, by default as it has it now.

    Raises ArgumentError where no proposal stands there.
    """
    ask, head = session.asking_at(at), session.head().last
    rows = ask("select * from deltas where position = :position", {"position": position}).to_dicts()
    if not rows:
        raise ArgumentError(f"No proposal stands at position {position}. `workbench deltas` lists those there are.")
    row = rows[0]
    decided = "select * from decisions where proposal_position = :position order by ordinal, position"
    requested = "select * from requests where proposal_position = :position order by position"
    decisions = ask(decided, {"position": position}).to_dicts()
    requests = ask(requested, {"position": position}).to_dicts()
    return Delta(
        row=row,
        decisions=decisions,
        request=requests[-1] if requests else None,
        **(
            _follow(session, row, head if at is None else min(at, head))
            or {"moments": _list_moments(row), "saw": _find_state(session, row)}
        ),
        document_seconds=row["document_seconds"],
    )


def _follow(session: "DeltaQuestions", row: Mapping[str, Any], last: int) -> dict[str, Any] | None:
    """Return what the document tells of a delta up to a position, None where the mapping has none."""
    mapping = session.delta_mappings[row["kind"]]
    if mapping.text is None or mapping.applied is None:
        return None
    (written,) = read_documents(session.ask, mapping, [row["stream_id"]], last)
    decided = row["decision_position"]
    seen = (decided if decided is not None else row["position"]) - 1
    text = write_text(written.document, before=seen + 1)
    takings = find_applied(mapping, written, {decided: row["decided_at"]}) if _is_taken(row) else []
    if not takings:
        return {"moments": (), "saw": Saw(position=seen, text=text)}
    taken = takings[0][0]
    cursor = _find_cursor(written, taken)
    (span,), trace = follow_texts(written.document, [taken]), trace_text(written.document, taken)
    return {
        "moments": () if span is None or trace is None else _list_values(row, taken, span, trace),
        "saw": Saw(position=seen, text=text, cursor=cursor),
        "steps": () if trace is None else [_make_step(written, step) for step in trace.steps],
        "retained": () if trace is None else trace.course,
    }


def _is_taken(row: Mapping[str, Any]) -> bool:
    return row["decision"] in ("accepted", "edited") and row["decision_position"] is not None


def _list_values(row: Mapping[str, Any], taken: Taken, span: Span, trace: Trace) -> list[Moment]:
    """Return what stood there when it was taken, at each check behind that, and today."""
    checks = [
        Moment(
            name=str(seconds),
            value=None if value is None else _write(value),
            position=position,
            is_censored=value is None,
        )
        for seconds, value, position in zip(CHECKS, span.values, trace.positions, strict=True)
        if seconds
    ]
    first = Moment(name="taken", value=row["value"] or row["content"], position=taken.position)
    last = trace.steps[-1].last_position if trace.steps else taken.position
    return [first, *checks, Moment(name="today", value=_write(span.value_end), position=last)]


def _find_cursor(written: Written, taken: Taken) -> int | None:
    """Return where in the document the text was put in, in UTF-16 units."""
    delta = written.document.deltas[written.document.positions.index(taken.position)]
    edits = read_edits(delta, sys.maxsize) if delta else None
    return edits[0][0] if edits else None


def _write(text: str) -> str:
    return msgspec.json.encode(text).decode()


def _make_step(written: Written, step: Any) -> Step:
    actor = written.actors[written.document.positions.index(step.first_position)]
    return Step(
        first_position=step.first_position,
        last_position=step.last_position,
        at=EPOCH + step.moment * MICROSECOND,
        seconds=step.seconds,
        before=step.before,
        after=step.after,
        person=actor,
        kind=step.kind,
    )


def _list_moments(row: Mapping[str, Any]) -> list[Moment]:
    """Return what was decided: the one moment of a proposal whose document is not followed."""
    if row["decision"] not in ("accepted", "edited"):
        return []
    value = row["value"] or row["content"]
    return [Moment(name="taken", value=value, position=row["decision_position"])]


def _find_state(session: "DeltaQuestions", row: Mapping[str, Any]) -> Saw | None:
    """Return the state of the proposal's stream just before the decision, or before the proposal without one."""
    position = (row["decision_position"] or row["position"]) - 1
    if position < 0:
        return None
    try:
        states = session.state("document", stream_id=row["stream_id"], position=position)
    except UnknownEntityError:
        # The proposal is the first event of its stream, and nobody has decided yet.
        return None
    return Saw(position=position, state=states.item(0, "document"))
