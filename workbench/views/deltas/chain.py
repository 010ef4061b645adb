"""Why a value reads as it does: from today's value back over each edit to the decision, the proposal, the request."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from workbench.deltas.text.redline import Operation, compare_texts
from workbench.views.deltas.one import Alternative, OneDelta
from workbench.views.deltas.picture import name_version

# Of what an edit left alone so many characters are shown on each side of it.
AROUND: Final = 14
# Longer chains name how many edits lie between.
MOST: Final = 40


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """One step back: what it is, the positions it spans, when (seconds from the decision), and its own redline."""

    what: str
    title: str
    first: int | None
    last: int | None = None
    at: datetime | None = None
    seconds: float | None = None
    person: str | None = None
    kind: str | None = None
    words: str | None = None
    note: str | None = None
    redline: tuple[Operation, ...] | None = None


def elide(operations: Sequence[Operation]) -> Iterator[Operation]:
    """Return a redline without the middle of what was kept: of long stretches only what stands beside a change.

    >>> redline = compare_texts("It was a long and quiet day", "It was a long and quiet night")
    >>> [part.text for part in elide(redline.operations)]
    ['… long and quiet ', 'day', 'night']
    """
    for number, part in enumerate(operations):
        if part.kind != "keep" or len(part.text) <= 2 * AROUND:
            if part.kind == "keep" and number == 0 and len(operations) > 1 and len(part.text) > AROUND + 2:
                yield msgspec.structs.replace(part, text=_end(part.text))
            else:
                yield part
            continue
        before = "" if number == 0 else _start(part.text)
        after = "" if number == len(operations) - 1 else _end(part.text).removeprefix("…" if before else "")
        yield msgspec.structs.replace(part, text=before + after)


def _start(text: str) -> str:
    return f"{text[:AROUND].rpartition(' ')[0] or text[:AROUND]} …"


def _end(text: str) -> str:
    return f"… {text[-AROUND - 2 :].partition(' ')[2] or text[-AROUND:]}"


def list_chain(one: OneDelta, alternatives: Sequence[Alternative]) -> list[Link]:
    """Return the links from today's value to the request, the latest first."""
    later = sorted(
        [*_reasons(one), *_edits(one)], key=lambda link: -1 if link.first is None else link.first, reverse=True
    )
    return [*_value(one), *later, *_decisions(one, alternatives), _shown(one, alternatives), *_request(one)]


def _reasons(one: OneDelta) -> list[Link]:
    return [
        Link(what="reason", title="Reason added", first=each.position, at=each.at, person=each.person, words=each.text)
        for each in one.added
    ]


def _value(one: OneDelta) -> list[Link]:
    today = next((each for each in one.delta.moments if each.name == "today"), None)
    if today is None or not one.delta.steps:
        return []
    end = one.delta.document_seconds
    note = "end of the document" if one.at is None else "as far as the log went"
    title = "Value today" if one.at is None else f"Value at position {one.at:,}"
    decided = one.row["decided_at"]
    at = None if end is None or decided is None else decided + timedelta(seconds=end)
    return [Link(what="value", title=title, first=today.position, at=at, seconds=end, note=note)]


def _edits(one: OneDelta) -> list[Link]:
    steps = list(reversed(one.delta.steps))
    shown = [
        Link(
            what="edited",
            title="Edited",
            first=step.first_position,
            last=step.last_position,
            at=step.at,
            seconds=step.seconds,
            kind=step.kind,
            redline=tuple(elide(compare_texts(step.before, step.after, tokenised=one.tokenised).operations)),
        )
        for step in steps[:MOST]
    ]
    if len(steps) > MOST:
        shown.append(Link(what="event", title=f"{len(steps) - MOST:,} earlier edits", first=None))
    return shown


def _decisions(one: OneDelta, alternatives: Sequence[Alternative]) -> list[Link]:
    row = one.row
    if row["decision_position"] is None:
        return [Link(what="decision", title=f"No decision: {row['decision']}", first=row["superseded_by"])]
    taken = next((number for number, each in enumerate(alternatives, start=1) if each.is_taken), None)
    which = f", alternative {taken} of {len(alternatives)}" if taken and len(alternatives) > 1 else ""
    after = [] if row["latency"] is None else [f"{row['latency']:,.1f} s after it was shown"]
    if one.hovers:
        after.append(f"{one.hovers:,} hover{'s' if one.hovers > 1 else ''}")
    return [
        Link(
            what="decision",
            title=f"Decision: {row['decided']}{which}",
            first=row["decision_position"],
            at=row["decided_at"],
            seconds=0.0,
            person=row["person"],
            words=", ".join(after),
        )
    ]


def _shown(one: OneDelta, alternatives: Sequence[Alternative]) -> Link:
    row = one.row
    many = f"{len(alternatives)} alternatives" if len(alternatives) > 1 else None
    version = None if row["version"] is None else name_version(row["version"])
    confidence = None if row["confidence"] is None else f"confidence {row['confidence']:.3g}"
    words = ", ".join(each for each in (many, row["model"], version, confidence) if each)
    seconds = None if row["latency"] is None else -row["latency"]
    return Link(
        what="shown",
        title="Proposal shown",
        first=row["position"],
        at=row["shown_at"],
        seconds=seconds,
        words=words or None,
    )


def _request(one: OneDelta) -> list[Link]:
    request: Any = one.delta.request
    if request is None:
        return []
    at, decided = request["requested_at"], one.row["decided_at"]
    seconds = None if decided is None else (at - decided).total_seconds()
    return [
        Link(
            what="requested",
            title="Proposal requested",
            first=request["position"],
            at=at,
            seconds=seconds,
            words=_cursor(one),
        )
    ]


def _cursor(one: OneDelta) -> str | None:
    """Return where in the document the cursor stood, where that is the context of the proposal."""
    saw, context = one.delta.saw, one.row["context"]
    if saw is None or saw.text is None or context is None or not context.isdecimal():
        return None
    return f"cursor at character {int(context):,} of {len(saw.text):,}"
