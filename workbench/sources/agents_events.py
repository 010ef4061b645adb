"""The events that an agent run is told in: messages, calls of tools and what they returned, and how it was judged."""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from workbench.sources.agents_actions import MATCHED, Call, judge_action
from workbench.sources.agents_runs import Run, is_message, name_time, read_json

SENT: Final = "MessageSent"
CALLED: Final = "ToolCalled"
RETURNED: Final = "ToolReturned"
EVALUATED: Final = "RunEvaluated"
ENDED: Final = "RunEnded"
ACTORS: Final = {"assistant": "ai", "user": "human"}
TOOLS: Final = frozenset({"tool", "function"})
# When no time is written nothing is made up: the events stand at this instant, in their order.
NO_TIME: Final = "1970-01-01T00:00:00Z"
_ZONE: Final = re.compile(r"(?:[Zz]|[+-]\d\d:?\d\d)$")
_CALLS: Final = ("tool_calls", "function_call")


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """One event, or with a ``fault`` what could not be one; ``raw`` is what it stood as."""

    raw: Any
    stream_id: str | None = None
    event_id: str | None = None
    event_type: str | None = None
    occurred_at: str | None = None
    actor_id: str | None = None
    actor_kind: str | None = None
    causation_id: str | None = None
    data: Mapping[str, Any] | None = None
    metadata: Mapping[str, Any] | None = None
    fault: str | None = None


def list_events(run: Run) -> Iterator[Found]:
    """Yield a run's events: each message with its calls behind it, then each expected action, then the evaluation."""
    teller = _Teller(run)
    for turn, message in enumerate(run.messages):
        if is_message(message):
            yield from teller.tell_message(turn, message)
        else:
            yield Found(raw=message, fault="it is no message: it has no role")
    yield from teller.tell_evaluation()


class _Teller:
    """Tells one run, and remembers what its next event may follow from."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.calls: list[Call] = []
        self.call_of: dict[str, Call] = {}
        self.last: str | None = None
        self.moment = run.time

    def tell_message(self, turn: int, message: dict[str, Any]) -> Iterator[Found]:
        """Yield a message and the calls it makes."""
        event_id, is_result = f"{self.run.id}/{turn}", message["role"] in TOOLS
        answered = self._find_call(message) if is_result else None
        calls, time = _list_calls(message), name_time(message)
        data = {name: value for name, value in message.items() if value is not None and name not in (*_CALLS, time)}
        data |= {"name": answered.name} if answered is not None and answered.name else {}
        data |= {"tool_calls": [call.get("id") for call in calls if isinstance(call, dict)]} if calls else {}
        message_sent = Found(
            raw=message,
            event_id=event_id,
            event_type=RETURNED if is_result else SENT,
            causation_id=self.last if answered is None else answered.event_id,
            data=data,
            metadata={"run": self.run.rest} if turn == 0 and self.run.rest else {},
        )
        written = None if time is None else message[time]
        yield self._place(message_sent, self._name_actor(message), written)
        self.last = event_id
        for number, call in enumerate(calls):
            yield self._tell_call(message, call, f"{event_id}/{number}", written)

    def _tell_call(self, message: dict[str, Any], written: Any, event_id: str, time: Any) -> Found:
        if not isinstance(written, dict):
            return Found(raw=written, fault="it is no call of a tool: it has no name and no arguments")
        name, arguments = _read_call(written)
        call = Call(event_id=event_id, name=name, arguments=arguments, is_agents=message["role"] == "assistant")
        self.calls.append(call)
        self.call_of[str(written.get("id") or name)] = call
        told = {"id": written.get("id"), "name": name, "arguments": arguments, "requestor": written.get("requestor")}
        data = {key: value for key, value in told.items() if value is not None}
        data |= self.run.about if call.is_agents else {}
        called = Found(raw=written, event_id=event_id, event_type=CALLED, causation_id=self.last, data=data)
        return self._place(called, self._name_actor(message), time)

    def tell_evaluation(self) -> Iterator[Found]:
        """Yield the expected actions and the evaluation, where the run was judged."""
        run, evaluation = self.run, self.run.evaluation
        if evaluation is None:
            return
        actor, time = ("evaluator", "system"), evaluation.get("end_time")
        judged = [(number, action, *judge_action(action, self.calls)) for number, action in enumerate(run.expected)]
        # A call that is one of the expected actions was right, also where another comes near to it: that comes first.
        for number, action, event_type, call in sorted(judged, key=lambda each: each[2] != MATCHED):
            held = Found(
                raw=action,
                event_id=f"{run.id}/expected/{number}",
                event_type=event_type,
                causation_id=None if call is None else call.event_id,
                data={name: value for name, value in action.items() if value is not None} | dict(run.about),
            )
            yield self._place(held, actor, time)
        ended = Found(
            raw=evaluation,
            event_id=f"{run.id}/evaluation",
            event_type=ENDED if evaluation.get("reward") is None else EVALUATED,
            causation_id=self.last,
            data={name: value for name, value in evaluation.items() if value is not None},
        )
        yield self._place(ended, actor, time)

    def _place(self, found: Found, actor: tuple[str, str], written: Any) -> Found:
        """Return an event with its run, its actor and its time; without one it has that of the event before."""
        self.moment = self.moment if written is None else written
        occurred_at, told = read_time(self.moment)
        told |= {"time": "unknown"} if written is None else {}
        metadata = dict(found.metadata or {}) | told
        return msgspec.structs.replace(
            found,
            stream_id=self.run.id,
            occurred_at=occurred_at,
            actor_id=actor[0],
            actor_kind=actor[1],
            metadata=metadata or None,
        )

    def _name_actor(self, message: dict[str, Any]) -> tuple[str, str]:
        role = message["role"]
        if role in TOOLS:
            return "tool", "system"
        given = message.get("model") or self.run.about.get("model") if role == "assistant" else message.get("name")
        return given if isinstance(given, str) and given else role, ACTORS.get(role, "system")

    def _find_call(self, message: dict[str, Any]) -> Call | None:
        given = message.get("tool_call_id") or message.get("id") or message.get("name")
        return self.call_of.get(str(given))


def _list_calls(message: dict[str, Any]) -> list[Any]:
    calls = message.get("tool_calls")
    found = calls if isinstance(calls, list) else [] if calls is None else [calls]
    old = message.get("function_call")
    return found if old is None else [*found, {"function": old}]


def _read_call(call: dict[str, Any]) -> tuple[str | None, Any]:
    """Return a call's name and arguments; arguments that are JSON in a text are the value, other text stays text."""
    inside = next((call[kind] for kind in ("function", "custom") if isinstance(call.get(kind), dict)), call)
    arguments = inside.get("arguments", inside.get("input"))
    if isinstance(arguments, str):
        with suppress(ValueError):
            arguments = read_json(arguments)
    name = inside.get("name")
    return name if isinstance(name, str) else None, arguments


def read_time(written: Any) -> tuple[str, dict[str, str]]:
    """Return a time as the log wants it, and what has to be said of it: ``zone`` is unknown where none is written.

    >>> read_time("2025-08-01T16:22:23.177697"), read_time(1754065343)
    (('2025-08-01T16:22:23.177697Z', {'zone': 'unknown'}), ('2025-08-01T16:22:23Z', {}))
    """
    if written is None:
        return NO_TIME, {}
    if isinstance(written, int | float) and not isinstance(written, bool):
        try:
            return datetime.fromtimestamp(written, UTC).isoformat().replace("+00:00", "Z"), {}
        except (ValueError, OverflowError, OSError):
            return str(written), {}
    text = str(written)
    return (text, {}) if _ZONE.search(text) else (text + "Z", {"zone": "unknown"})
