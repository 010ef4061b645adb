"""A log of four loans with what replay must tell: ties, a late fact, a move outside the machine, an error."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.builders import build_event
from workbench.event import Actor
from workbench.session import connect

HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script>"
MONDAY = datetime(2026, 3, 2, 8, tzinfo=UTC)
PROJECTION = """
name = "loan"
version = 2

[cancels]
event_types = ["Withdrawn"]
target = "data.cancels"

[fields.status]
rule = "machine"
moves = { requested = ["offered", "declined"], offered = ["accepted", "declined"], accepted = [], declined = [] }
[[fields.status.from]]
event_types = ["LoanRequested"]
constant = "requested"
[[fields.status.from]]
event_types = ["OfferMade"]
constant = "offered"
[[fields.status.from]]
event_types = ["OfferAccepted"]
constant = "accepted"
[[fields.status.from]]
event_types = ["LoanDeclined"]
constant = "declined"

[fields.amount]
rule = "last"
kind = "decimal"
scale = 2
event_types = ["LoanRequested", "AmountChanged"]
value = "data.amount"

[fields.calls]
rule = "count"
event_types = ["Called"]
value = "event_id"

[fields.handled_by]
rule = "set"
kind = "text"
event_types = ["Called"]
value = "actor_id"

[fields.in_hand_of]
rule = "last"
kind = "text"
event_types = ["Called"]
value = "actor_id"

[fields.note]
rule = "last"
kind = "text"
event_types = ["Noted"]
value = "data.note"

[fields.letters]
rule = "count"
event_types = ["LetterSent"]
value = "event_id"
"""
# Hours after Monday 8:00, stream, type, actor, payload, cause, days until it was recorded.
Line = tuple[float, str, str, str, dict[str, Any], str | None, int]
STORY: tuple[Line, ...] = (
    (0, "loan-1", "LoanRequested", "clerk-1", {"amount": "1000.00"}, None, 0),
    (1, "loan-2", "LoanRequested", "clerk-1", {"amount": "250.50"}, None, 0),
    (2, "loan-1", "Called", "clerk-1", {}, None, 0),
    (3, "loan-1", "Noted", "clerk-1", {"note": HOSTILE}, None, 0),
    (4, "loan-1", "AmountChanged", "clerk-1", {"amount": "12x"}, None, 0),
    (5, "loan-1", "AmountChanged", "clerk-1", {"amount": "1200.00"}, None, 0),
    (6, "loan-2", "LoanDeclined", "clerk-2", {}, None, 0),
    (24, "loan-1", "OfferMade", "bot", {}, "e0", 0),
    (24, "loan-1", "OfferMade", "bot", {}, "e7", 0),
    (25, "loan-3", "LoanRequested", "clerk-1", {"amount": "70"}, None, 0),
    (26, "loan-3", "Withdrawn", "clerk-1", {"cancels": "e9"}, None, 0),
    (48, "loan-1", "OfferAccepted", "clerk-2", {}, "e8", 0),
    (49, "loan-4", "LoanRequested", "clerk-2", {"amount": "5"}, "e11", 0),
    (50, "loan-1", HOSTILE, HOSTILE, {HOSTILE: HOSTILE}, None, 0),
    (30, "loan-1", "Called", "clerk-2", {}, None, 3),
)


def make_loans(folder: Path) -> Path:
    """Return the folder of the log, made with its projection."""
    (folder / "projections").mkdir()
    (folder / "projections" / "loan.toml").write_text(PROJECTION, encoding="utf-8")
    with connect(folder) as session:
        session.append([build_line(number, line) for number, line in enumerate(STORY)])
    return folder


def build_line(number: int, line: Line) -> Any:
    """Return the event of a line of the story."""
    hours, stream, event_type, actor, payload, cause, days = line
    occurred_at = MONDAY + timedelta(hours=hours)
    kind = "ai" if actor == "bot" else "human"
    return build_event(
        event_id=f"e{number}",
        stream_id=stream,
        event_type=event_type,
        occurred_at=occurred_at,
        recorded_at=occurred_at + timedelta(days=days),
        actor=Actor(actor, kind),
        causation_id=cause,
        data=payload,
    )
