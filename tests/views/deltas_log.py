"""A log with three kinds of proposals: letters (prose), prices (structure), and lines taken into a document."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.builders import build_event
from workbench.event import Actor, Event
from workbench.session import Session, connect

MAPPINGS = {
    "letter": """
proposed = ["LetterProposed"]
accepted = ["LetterAccepted"]
edited = ["LetterEdited"]
rejected = ["LetterRejected"]
pair = "names"
names = "data.proposal"
content = "data.text"
version = "data.prompt"
reason = "data.reason"
fields = { topic = "data.topic" }
""",
    "price": """
proposed = ["PriceProposed"]
accepted = ["PriceAccepted"]
edited = ["PriceEdited"]
pair = "names"
names = "data.proposal"
content = { rate = "data.rate", months = "data.months" }
version = "data.prompt"
""",
    "line": """
proposed = ["suggestion-open"]
accepted = ["suggestion-select"]
rejected = ["suggestion-close"]
requested = ["suggestion-get"]
pair = "next"
version = "data.temperature"
alternatives = { list = "data.suggestions", content = "trimmed", confidence = "probability" }
hovered = "data.hover"
applied = { events = ["text-insert"], actor_kind = "ai", delta = "data.text_delta" }
text = { events = ["text-insert", "text-delete"], delta = "data.text_delta" }
edited_within = 120
expires_after = 86400
""",
}
FIRST = datetime(2026, 3, 2, 8, tzinfo=UTC)
TEXT = "We are glad to tell you that your loan was granted."
EDITED = "We are glad to tell you that your small loan was granted today."
HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script>"
LINE = "the most important thing is to listen"


class Writer:
    """Writes events a minute apart, each known by its id."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def write(self, event_type: str, stream: str, actor: Actor, *, seconds: float = 60, **data: Any) -> str:
        """Add one event and return its id."""
        last = self.events[-1].occurred_at if self.events else FIRST
        event = build_event(
            event_id=f"d{len(self.events)}",
            stream_id=stream,
            event_type=event_type,
            occurred_at=last + timedelta(seconds=seconds),
            actor=actor,
            data=data,
        )
        self.events.append(event)
        return event.event_id


AI = Actor("writer", "ai")
PEOPLE = [Actor(f"clerk-{number}", "human") for number in range(3)]


def write_letters(writer: Writer) -> None:
    """Sixty letters of two prompts: of the first most are taken as they are, of the second most are edited."""
    for number in range(60):
        stream, person, prompt = f"loan-{number:02}", PEOPLE[number % 3], "p1" if number < 30 else "p2"
        text = HOSTILE if number == 59 else TEXT
        topic = "yes" if number % 2 else None
        proposal = writer.write("LetterProposed", stream, AI, seconds=3_600, text=text, prompt=prompt, topic=topic)
        kind = number % 10
        edits = kind < (2 if prompt == "p1" else 7)
        if kind == 9:
            continue
        if kind == 8:
            writer.write("LetterRejected", stream, person, proposal=proposal, reason="<b>rude</b>")
        elif edits:
            writer.write("LetterEdited", stream, person, proposal=proposal, text=EDITED)
        else:
            writer.write("LetterAccepted", stream, person, proposal=proposal)
    writer.write("LetterAccepted", "loan-00", PEOPLE[1], proposal="d0")
    writer.write("LetterAccepted", "loan-99", PEOPLE[1], proposal="nothing")


def write_prices(writer: Writer) -> None:
    """Two prices, one of them edited."""
    seen = "The customer asked for 4.25 per cent."
    writer.write("NoteWritten", "loan-70", PEOPLE[0], content=seen)
    first = writer.write("PriceProposed", "loan-70", AI, rate=4.25, months=120, prompt="p1")
    writer.write("PriceEdited", "loan-70", PEOPLE[0], proposal=first, rate=4.75, months=120)
    second = writer.write("PriceProposed", "loan-71", AI, rate=3.5, months=60, prompt="p1")
    writer.write("PriceAccepted", "loan-71", PEOPLE[1], proposal=second)


def write_lines(writer: Writer) -> None:
    """A document with one line taken and changed after ten seconds, and one line that nobody took."""
    person, stream = PEOPLE[2], "essay"
    writer.write("text-insert", stream, person, text_delta={"ops": [{"insert": "I think "}]})
    for taken in (True, False):
        writer.write("suggestion-get", stream, person, seconds=5)
        shown = [{"trimmed": "something else", "probability": 0.25}, {"trimmed": LINE, "probability": 3.4e-4}]
        writer.write("suggestion-open", stream, AI, seconds=1, suggestions=shown, temperature="0.2")
        if not taken:
            writer.write("suggestion-close", stream, person, seconds=4)
            continue
        writer.write("suggestion-select", stream, person, seconds=4, hover=1)
        writer.write("text-insert", stream, AI, seconds=0.1, text_delta={"ops": [{"retain": 8}, {"insert": LINE}]})
        writer.write("text-delete", stream, person, seconds=10, text_delta={"ops": [{"retain": 8}, {"delete": 4}]})
        writer.write("text-insert", stream, person, seconds=1, text_delta={"ops": [{"retain": 8}, {"insert": "our "}]})
    writer.write("suggestion-get", stream, person)


def make_log(folder: Path) -> Session:
    """Return a session on a new log of all of it, 60 + 2 + 2 proposals."""
    (folder / "deltas").mkdir(parents=True)
    for name, text in MAPPINGS.items():
        (folder / "deltas" / f"{name}.toml").write_text(text, encoding="utf-8")
    writer = Writer()
    write_letters(writer)
    write_prices(writer)
    write_lines(writer)
    session = connect(folder)
    session.append(writer.events)
    return session
