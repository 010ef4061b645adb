"""Why a decision fell so, said later: the reasons added to a delta, and a way to add one."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from workbench.deltas.figures.aggregates import Ask, count_values
from workbench.deltas.figures.filters import DeltaFilter, choose
from workbench.deltas.reasons import make_reason
from workbench.errors import ArgumentError, EventConflictError
from workbench.session import Session

# Of the reasons that others gave so many are offered.
OFFERED: Final = 6
_KNOWN: Final = "select position from reasons where event_id = :reason_event order by position limit 1"


class AddedReason(msgspec.Struct, frozen=True, kw_only=True):
    """A reason that was added to a delta: the event that says it, and by whom."""

    position: int
    at: datetime
    person: str | None
    text: str


def list_added(ask: Ask, row: Mapping[str, Any]) -> list[AddedReason]:
    """Return the reasons that were added to a delta, a row of `deltas`, the first one first."""
    statement = (
        "select position, added_at, person, reason from reasons "
        "where kind = :added_kind and document = :added_document and proposal = :added_to order by position"
    )
    named = {"added_kind": row["kind"], "added_document": row["stream_id"], "added_to": row["event_id"]}
    return [
        AddedReason(position=position, at=at, person=person, text=text)
        for position, at, person, text in ask(statement, named).iter_rows()
    ]


def offer_reasons(ask: Ask, kind: str) -> Sequence[str]:
    """Return the reasons most often given for proposals of a kind."""
    counted = count_values(ask, choose(DeltaFilter(kinds=[kind])), "reason")
    return [value for value in counted["value"].head(OFFERED + 1) if value is not None][:OFFERED]


def add_reason(session: Session, position: int, text: str, person: str | None = None) -> tuple[int, bool]:
    """Add a reason to the delta of the proposal at a position; return its event's position, and whether it is new.

    The event is appended to the log, in which nothing else changes. A reason that stands there already is not added
    again. Raises ArgumentError, and what append raises: ReadOnlyLogError where the log cannot be written here.
    """
    rows = session.ask("select * from deltas where position = :open", {"open": position}).to_dicts()
    if not rows:
        raise ArgumentError(f"No proposal stands at position {position}, so that no reason can be added to it.")
    event = make_reason(rows[0], text, person=person, occurred_at=datetime.now(UTC))
    known = {"reason_event": event.event_id}
    found = session.ask(_KNOWN, known)
    if found.height:
        return int(found["position"][0]), False
    try:
        receipt = session.append([event])
    except EventConflictError:
        # Someone else gave the same reason meanwhile.
        return int(session.ask(_KNOWN, known)["position"][0]), False
    return int(receipt.positions[0]), bool(receipt.appended_count)
