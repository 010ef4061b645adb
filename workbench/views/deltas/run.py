"""What an agent's call was held against, and how its run came to it: from the run's evaluation back to the request."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from workbench.deltas.structure.fields import PathDelta
from workbench.views.deltas.asking import Asking
from workbench.views.deltas.chain import Link
from workbench.views.deltas.one import OneDelta
from workbench.views.deltas.stood import SeenEvent, find_stood
from workbench.views.deltas.structure import write_short

# Of what was said so many characters stand in a chain; so many sources of what was changed are named.
SAID: Final = 140
SOURCES: Final = 3


class Whole(msgspec.Struct, frozen=True, kw_only=True):
    """How all decisions of a kind fell; ``is_expected`` where no person decides, but what was expected."""

    differ: int = 0
    match: int = 0
    never: int = 0
    is_expected: bool = False

    @property
    def total(self) -> int:
        """All that was expected."""
        return self.differ + self.match + self.never


def count_whole(ask: Asking, kind: str) -> Whole:
    """Return how all decisions of a kind fell: apart from the proposal, as it, and without one."""
    statement = (
        "select count_if(decision = 'edited' and proposal_position is not null) as differ, "
        "count_if(decision = 'accepted' and proposal_position is not null) as match, "
        "count_if(proposal_position is null) as never, count(person) as people from decisions where kind = :whole_kind"
    )
    differ, match, never, people = ask(statement, {"whole_kind": kind}).row(0)
    return Whole(differ=differ, match=match, never=never, is_expected=not people and bool(differ + match + never))


def name_expected(ask: Asking, row: Mapping[str, Any]) -> str | None:
    """Return what the expected action is called, as the source of agent runs has it; None elsewhere."""
    statement = "select json_extract_scalar(data, '$.action_id') as name from events where position = :expected_at"
    found = ask(statement, {"expected_at": row["decision_position"] or -1})
    return found["name"][0] if found.height else None


def list_run(one: OneDelta, seen: Sequence[SeenEvent], paths: Sequence[PathDelta], expected: str | None) -> list[Link]:
    """Return the links from the run's evaluation back to the call, what it rests on, and what was asked for."""
    row = one.row
    statement = (
        "select position, event_type, occurred_at, causation_id, data from events where stream_id = :seen_stream "
        "and position > :seen_before and (event_type = 'RunEvaluated' or causation_id = :seen_call) "
        "order by position desc limit 50"
    )
    named = {"seen_stream": row["stream_id"], "seen_before": row["position"], "seen_call": row["event_id"]}
    after = [_after(one, expected, each) for each in one.asked(statement, named).iter_rows(named=True)]
    tool = (json.loads(row["fields"] or "{}") or {}).get("tool") or row["kind"]
    made = Link(what="shown", title=f"Proposal: {tool}", first=row["position"], at=row["shown_at"], words=row["model"])
    return [*(each for each in after if each is not None), made, *_before(seen, paths)]


def _after(one: OneDelta, expected: str | None, event: Mapping[str, Any]) -> Link | None:
    """Return what came of the call: what it returned, what it was held against, what the run was judged by."""
    data = json.loads(event["data"] or "null")
    place = {"first": event["position"], "at": event["occurred_at"]}
    if not isinstance(data, dict):
        return None
    if event["event_type"] == "RunEvaluated":
        return Link(what="event", kind="system", title="Run evaluated", words=_judged(data), **place)
    if event["position"] == one.row["decision_position"]:
        against = "" if expected is None else f" {expected}"
        words = {"accepted": "the call matches it", "edited": "the call differs from it"}
        return Link(what="decision", title=f"Expected action{against}", words=words.get(one.row["decided"]), **place)
    if "content" not in data:
        return None
    return Link(what="event", kind="system", title="Result", words=write_short(_said(data), SAID), **place)


def _judged(data: Mapping[str, Any]) -> str | None:
    """Return the reward of a run, and whether it left the database as it should."""
    info = data.get("reward_info")
    if not isinstance(info, dict) or not isinstance(info.get("reward"), int | float):
        return None
    check = info.get("db_check")
    matches = check.get("db_match") if isinstance(check, dict) else None
    ended = "" if matches is None else f"; database {'matches' if matches else 'does not match'}"
    return f"reward {info['reward']:g}{ended}"


def _said(data: Mapping[str, Any]) -> str:
    content = data.get("content")
    return content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)


def _before(seen: Sequence[SeenEvent], paths: Sequence[PathDelta]) -> Iterator[Link]:
    """Return where what was changed came from, what the user said last, and what they asked for, the latest first."""
    stood = {each.position: each for path in paths if path.sign in "-~" and (each := find_stood(seen, path.proposed))}
    sources = {
        position: Link(
            what="event", kind=each.kind, title=each.words, first=position, at=each.at, note=_shows(each, paths)
        )
        for position, each in sorted(stood.items(), reverse=True)[:SOURCES]
    }
    spoken = [each for each in seen if each.kind == "human"]
    links = sources | {each.position: _speak("User", each) for each in spoken[-1:]}
    links |= {each.position: _speak("Request", each) for each in spoken[:1]}
    return (links[position] for position in sorted(links, reverse=True))


def _shows(event: SeenEvent, paths: Sequence[PathDelta]) -> str:
    """Return which changed values an event was the first to hold."""
    held = [path.proposed for path in paths if path.sign in "-~" and find_stood([event], path.proposed)]
    return f"first to show {', '.join(dict.fromkeys(write_short(value, 24) for value in held))}"


def _speak(title: str, event: SeenEvent) -> Link:
    said = _said(json.loads(event.data))
    return Link(
        what="event", kind="human", title=title, first=event.position, at=event.at, words=f"“{write_short(said, SAID)}”"
    )
