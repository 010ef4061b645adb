"""One proposal with all that became of it: its decisions, what it was compared with, and what the person saw."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from workbench.errors import ArgumentError

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


def load_delta(session: "DeltaQuestions", position: int) -> Delta:
    """Return the delta of the proposal at a position. Raises ArgumentError where no proposal stands there."""
    rows = session.ask("select * from deltas where position = :position", {"position": position}).to_dicts()
    if not rows:
        raise ArgumentError(f"No proposal stands at position {position}. `workbench deltas` lists those there are.")
    row = rows[0]
    decided = "select * from decisions where proposal_position = :position order by ordinal, position"
    requested = "select * from requests where proposal_position = :position order by position"
    decisions = session.ask(decided, {"position": position}).to_dicts()
    requests = session.ask(requested, {"position": position}).to_dicts()
    return Delta(
        row=row,
        decisions=decisions,
        request=requests[-1] if requests else None,
        moments=_list_moments(row),
        saw=_find_state(session, row),
        document_seconds=row["document_seconds"],
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
    states = session.state("document", stream_id=row["stream_id"], position=position)
    return Saw(position=position, state=states.item(0, "document"))
