"""Reasons that were added later: each an event of its own, so that nothing of a decision is changed."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid5

from workbench.errors import ArgumentError
from workbench.event import Actor, Event

EVENT_TYPE: Final = "ReasonAdded"
# A reason is a sentence or two; a document belongs elsewhere.
LONGEST: Final = 2_000
_NAMESPACE: Final = UUID("5f0a8a3e-6a0c-4a57-9b53-0d6d0f1f2c11")
_INSTANT: Final = "timestamp(6) with time zone"
# ``stream_id`` is the reason's own stream; ``document`` is that of the proposal, ``proposal`` the proposal's event.
REASON_COLUMNS: Final = {
    "kind": "varchar",
    "position": "bigint",
    "event_id": "varchar",
    "stream_id": "varchar",
    "added_at": _INSTANT,
    "person": "varchar",
    "reason": "varchar",
    "document": "varchar",
    "proposal": "varchar",
}
_MEMBERS: Final = {"kind": "kind", "reason": "reason", "document": "stream", "proposal": "proposal"}


def select_reasons(*, up_to: int | None = None) -> str:
    """Return the SELECT of `reasons`, of the events up to a position; what was erased is none."""
    read = {name: f"json_extract_scalar(e.data, '$.{member}')" for name, member in _MEMBERS.items()}
    columns = {
        **{name: f"e.{name}" for name in ("position", "event_id", "stream_id")},
        "added_at": "e.occurred_at",
        "person": "e.actor_id",
        **read,
    }
    listed = ", ".join(f"{columns[name]} as {name}" for name in REASON_COLUMNS)
    until = "" if up_to is None else f" and e.position <= {int(up_to)}"
    wanted = f"e.event_type = '{EVENT_TYPE}'{until} and {read['reason']} is not null"
    return f"select {listed} from events_stored as e where {wanted}"  # noqa: S608 - our own words


def select_last_reasons() -> str:
    """Return the SELECT of the reason added last to each proposal: kind, document, proposal, reason."""
    return (
        "select kind, document, proposal, max_by(reason, position) as reason from reasons "
        "group by kind, document, proposal"
    )


def make_reason(row: Mapping[str, Any], text: str, *, person: str | None, occurred_at: datetime) -> Event:
    """Return the event that adds a reason to a delta, a row of `deltas`. Raises ArgumentError for no text, or too long.

    It is caused by the decision, or by the proposal where nobody decided. The same reason for the same delta has the
    same id whoever gives it, and whenever. It stands in a stream of its own, as a document ends with its last event.
    """
    reason = text.strip()
    if not reason or len(reason) > LONGEST:
        raise ArgumentError(
            f"A reason of {len(reason):,} characters cannot be added. Write 1 to {LONGEST:,} characters."
        )
    named = (row["kind"], row["stream_id"], row["event_id"], reason)
    return Event(
        event_id=str(uuid5(_NAMESPACE, "\n".join(named))),
        stream_id=f"{row['stream_id']}/reasons",
        event_type=EVENT_TYPE,
        occurred_at=occurred_at,
        actor=Actor(person, "human") if person else None,
        correlation_id=row["stream_id"],
        causation_id=row["decision_event_id"] or row["event_id"],
        data={"kind": row["kind"], "stream": row["stream_id"], "proposal": row["event_id"], "reason": reason},
    )
