"""Documents for tests: events in one line each, and generated ones."""

import json
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from workbench.deltas.document.documents import Document
from workbench.deltas.document.spans import SECOND

# Seconds, actor kind, and the delta's operations; None for an event that leaves the text as it is.
Line = tuple[float, str | None, list[Any] | None]


def write(*lines: Line, start: str = "", first: int = 0, ended_at: float | None = None) -> Document:
    """Return a document of events at positions from ``first`` on."""
    return Document(
        positions=range(first, first + len(lines)),
        moments=[round(seconds * SECOND) for seconds, _, _ in lines],
        kinds=[kind for _, kind, _ in lines],
        deltas=[None if operations is None else json.dumps({"ops": operations}) for _, _, operations in lines],
        start=start,
        ended_at=None if ended_at is None else round(ended_at * SECOND),
    )


@st.composite
def documents(draw: st.DrawFn) -> tuple[Document, Sequence[int]]:
    """Draw a document that makes sense all along, and the positions of the events by which an AI's text was taken."""
    start = draw(st.sampled_from(["", "To whom\n", "\U0001f44d"]))
    length, seconds, lines, taken = len(start.encode("utf-16-le")) // 2, 0.0, [], []
    for position in range(draw(st.integers(1, 25))):
        seconds += draw(st.sampled_from([0, 0.5, 10, 29.5, 100]))
        kind = draw(st.sampled_from(["human", "human", "ai", "system"]))
        at = draw(st.integers(0, length))
        gone = draw(st.integers(0, min(4, length - at)))
        units = draw(st.sampled_from(["", "a", "b c", "\n", "de\U0001f44df", " "])) if gone else "xyz\n"
        operations: list[Any] = [{"retain": at}, *([{"insert": units}] if units else []), {"delete": gone}]
        if kind == "ai" and units and draw(st.booleans()):
            taken.append(position)
        length += len(units.encode("utf-16-le")) // 2 - gone
        lines.append((seconds, kind, operations))
    return write(*lines, start=start, ended_at=seconds + draw(st.sampled_from([0, 31, 1_000]))), taken
