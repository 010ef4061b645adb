"""Stories of documents that an AI and a person write together, told as events."""

from datetime import UTC, datetime, timedelta
from typing import Any

import workbench

WRITING = """
proposed = ["Shown"]
accepted = ["Taken"]
rejected = ["Closed"]
requested = ["Asked"]
pair = "next"
content = "data.text"
version = "data.version"
applied = { events = ["Typed"], actor_kind = "ai", delta = "data.delta" }
text = { events = ["Typed"], delta = "data.delta" }
edited_within = 60
expires_after = 3600
"""
START = datetime(2026, 1, 1, tzinfo=UTC)
AI, ANN = workbench.Actor("model", "ai"), workbench.Actor("ann", "human")


class Writer:
    """Tells stories of documents, event by event."""

    def __init__(self) -> None:
        self.events: list[workbench.Event] = []

    def tell(self, document: int, event_type: str, actor: workbench.Actor, **data: Any) -> None:
        """Note one event, ten seconds after the one before."""
        number = len(self.events)
        self.events.append(
            workbench.Event(
                event_id=f"e{number}",
                stream_id=f"document-{document}",
                event_type=event_type,
                occurred_at=START + timedelta(seconds=10 * number),
                actor=actor,
                data=data,
            )
        )

    def take(self, document: int, text: str) -> None:
        """A proposal is asked for, shown, taken and typed in at the beginning of the document."""
        self.tell(document, "Asked", ANN)
        self.tell(document, "Shown", AI, text=text, version="v1")
        self.tell(document, "Taken", ANN)
        self.tell(document, "Typed", AI, delta={"ops": [{"insert": text}]})

    def change(self, document: int, at: int, text: str) -> None:
        """A person types into it."""
        self.tell(document, "Typed", ANN, delta={"ops": [{"retain": at}, {"insert": text}]})


def tell_stories() -> list[workbench.Event]:
    """Twelve documents: some changed soon, some late, one closed, one that waits."""
    writer = Writer()
    for document in range(10):
        writer.take(document, f"the text of number {document}")
        if document % 2:
            writer.change(document, 4, "whole ")
    writer.tell(10, "Shown", AI, text="never taken", version="v1")
    writer.tell(10, "Closed", ANN)
    writer.tell(11, "Shown", AI, text="it waits", version="v2")
    return writer.events
