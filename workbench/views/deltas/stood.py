"""Where the values of a structured proposal stood before it: the events of its stream that an agent could have seen."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
import polars as pl

from workbench.deltas.structure.fields import PathDelta
from workbench.deltas.structure.numbers import write_value
from workbench.views.deltas.asking import Asking
from workbench.views.deltas.structure import write_json

# Of the events of one stream so many are shown.
SHOWN: Final = 8
# A value written shorter than this stands in too many events to say anything.
TELLING: Final = 3
AROUND: Final = 120


class SeenEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event before the proposal: who, what, when, and its payload as text."""

    position: int
    kind: str | None
    words: str
    data: str
    at: datetime | None = None


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """An event that holds a value of the proposal, as one line: prose, or the JSON around the value."""

    event: SeenEvent
    text: str
    is_code: bool


class Hint(msgspec.Struct, frozen=True, kw_only=True):
    """A value to be checked: all ``proposals`` agree on one that ``shown`` events hold, and none holds the other.

    ``text`` is the expected value as a filter finds it.
    """

    proposals: int
    shown: int
    proposed: str
    expected: str
    text: str


def load_seen(ask: Asking, row: Mapping[str, Any]) -> list[SeenEvent]:
    """Return the events of a proposal's stream before it, in order."""
    statement = (
        "select position, actor_kind, event_type, occurred_at, data from events where stream_id = :seen_stream "
        "and position < :seen_before order by position limit 2000"
    )
    events = ask(statement, {"seen_stream": row["stream_id"], "seen_before": row["position"]})
    return [
        SeenEvent(position=position, kind=kind, words=_name(data) or event_type, data=data, at=at)
        for position, kind, event_type, at, data in events.filter(pl.col("data").is_not_null()).iter_rows()
    ]


def _name(data: str) -> str | None:
    payload = json.loads(data)
    name = payload.get("name") or payload.get("tool") if isinstance(payload, dict) else None
    return name if isinstance(name, str) else None


def find_stood(seen: Sequence[SeenEvent], value: Any) -> SeenEvent | None:
    """Return the first event that holds a value, as a word of its own; None for none, or where it says nothing."""
    pattern = look_for(value)
    return None if pattern is None else next((each for each in seen if pattern.search(each.data)), None)


def look_for(value: Any) -> "re.Pattern[str] | None":
    r"""Return what finds a value in a payload's JSON text, escaped once or twice; None where it is too short to tell.

    >>> bool(look_for("1981-05-26").search(r'{"content": "{\"dob\": \"1981-05-26\"}"}')), look_for(0)
    (True, None)
    """
    if isinstance(value, dict | list | bool) or value is None:
        return None
    text = value if isinstance(value, str) else write_value(value)
    written = json.dumps(text, ensure_ascii=False)[1:-1] if isinstance(value, str) else text
    if len(written) < TELLING:
        return None
    return re.compile(rf"(?<![\w.]){re.escape(written)}(?![\w]|\.\d)")


def list_held(seen: Sequence[SeenEvent], paths: Sequence[PathDelta]) -> Iterator[Held]:
    """Return the events that hold a value of the proposal, the first eight, each cut to the line around the value."""
    patterns = [pattern for path in paths if path.proposed_at is not None and (pattern := look_for(path.proposed))]
    shown = 0
    for each in seen:
        found = next((match for pattern in patterns if (match := pattern.search(each.data))), None)
        if found is None or shown == SHOWN:
            continue
        shown += 1
        yield hold(each, found.start())


def hold(event: SeenEvent, start: int) -> Held:
    """Return one event as a line: the prose of its content, or its payload from a little before the value."""
    payload = json.loads(event.data)
    content = payload.get("content") if isinstance(payload, dict) else None
    if isinstance(content, str) and not content.lstrip().startswith(("{", "[")):
        return Held(event=event, text=" ".join(content.split())[: 2 * AROUND], is_code=False)
    first = max(0, start - AROUND // 3)
    text = event.data[first : first + 2 * AROUND].replace('\\"', '"')
    return Held(event=event, text=f"{'…' if first else ''}{text}", is_code=True)


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """What an agent's run was judged by: the assertion, whether it was met, and the judge's words."""

    text: str
    is_met: bool | None
    quote: str | None


def find_judgements(ask: Asking, row: Mapping[str, Any]) -> list[Judgement]:
    """Return what the run of a proposal was judged by, as the source of agent runs has it; nothing elsewhere."""
    statement = (
        "select json_format(json_extract(data, '$.reward_info.nl_assertions')) as judged from events "
        "where stream_id = :seen_stream and position > :seen_before and event_type = 'RunEvaluated' "
        "order by position limit 1"
    )
    found = ask(statement, {"seen_stream": row["stream_id"], "seen_before": row["position"]})
    listed = json.loads(found["judged"][0] or "null") if found.height else None
    return [
        Judgement(text=str(each["nl_assertion"]), is_met=each.get("met"), quote=each.get("justification"))
        for each in listed or []
        if isinstance(each, dict) and each.get("nl_assertion") is not None
    ]


def find_hint(
    ask: Asking, row: Mapping[str, Any], paths: Sequence[PathDelta], seen: Sequence[SeenEvent]
) -> Hint | None:
    """Return a hint where all proposals of the same fields agree on a value that their events show, and none the other.

    A hint, never a verdict: what was expected may be wrong.
    """
    changed = [each for each in paths if each.sign == "~" and look_for(each.proposed) and look_for(each.value)]
    if not changed or not row["fields"] or row["fields"] == "{}":
        return None
    alike = ask(
        "select content, value, stream_id from deltas where kind = :hint_kind and fields = :hint_fields "
        "and decision = 'edited' order by position limit 50",
        {"hint_kind": row["kind"], "hint_fields": row["fields"]},
    ).filter(pl.col("value") == row["value"])
    for path in changed:
        hint = _check(path, alike, seen)
        if hint is not None:
            return hint
    return None


def _check(path: PathDelta, alike: pl.DataFrame, seen: Sequence[SeenEvent]) -> Hint | None:
    proposed, expected = look_for(path.proposed), look_for(path.value)
    if proposed is None or expected is None or not all(proposed.search(content) for content in alike["content"]):
        return None
    shown = sum(bool(proposed.search(each.data)) for each in seen)
    if not shown or any(expected.search(each.data) for each in seen):
        return None
    return Hint(
        proposals=alike.height,
        shown=shown,
        proposed=write_json(path.proposed),
        expected=write_json(path.value),
        text=path.value if isinstance(path.value, str) else write_value(path.value),
    )
