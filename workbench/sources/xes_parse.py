"""Reads any XES text, element by element, with expat; what `workbench.sources.xes_scan` refuses comes here.

Expat tells the byte of every element and of every fault, and refuses a document type before any entity is read, so
neither entity expansion nor an external file can ever be reached.
"""

import json
import re
from collections.abc import Callable
from typing import Any
from xml.parsers import expat

import msgspec

from workbench.errors import SourceError
from workbench.sources.xes_scan import ACTOR_KEY, BARE_FORMS, ID_KEY, STREAM_KEY, TIME_KEY, TYPE_KEY

# json.dumps with arguments makes an encoder each time, 2 µs of the 5 µs an attribute takes.
_quote = json.JSONEncoder(ensure_ascii=False).encode
_BARE = {kind: re.compile(form) for kind, form in BARE_FORMS.items()}
_DEEPEST = 200
"""Attributes nested deeper are left out: decoding rejects the event at 128 already, and its bytes are kept whole."""


class ParsedEvent(msgspec.Struct, frozen=True, gc=False):
    """One event element: its mapped columns, and where its bytes begin and end in the parsed text."""

    event_id: str | None
    stream_id: str | None
    event_type: str | None
    occurred_at: str | None
    actor_id: str | None
    data: str
    metadata: str | None
    begin: int
    end: int
    line: int


class _Attribute:
    """An attribute, or an element that holds attributes, while it is open."""

    __slots__ = ("children", "kind", "listed", "name", "value")

    def __init__(self, kind: str, name: str, value: str | None) -> None:
        self.kind = kind
        self.name = name
        self.value = value
        self.children: list[tuple[str, str, str | None]] = []  # key, JSON text, plain value
        self.listed: list[tuple[str, str, str | None]] | None = None


class XesParser:
    """Feeds text to expat and gives the events whose traces are complete.

    ``begin`` of an event counts the bytes fed so far, not the bytes of the file: whoever skips text adds it.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._expat = expat.ParserCreate("utf-8")
        self._expat.StartElementHandler = self._open
        self._expat.EndElementHandler = self._close
        self._expat.StartDoctypeDeclHandler = self._refuse_doctype
        if hasattr(self._expat, "SetReparseDeferralEnabled"):  # expat 2.6 would hold back what was fed last
            self._expat.SetReparseDeferralEnabled(False)  # noqa: FBT003 - its own interface
        self._path: list[_Attribute] = []
        self._events: list[tuple[_Attribute, int, int, int]] = []
        self._begun = (0, 0)
        self._ready: list[ParsedEvent] = []

    @property
    def depth(self) -> int:
        """How many elements are open."""
        return len(self._path)

    @property
    def oldest_open(self) -> int | None:
        """The byte at which the earliest event not yet given begins, or None."""
        if self._events:
            return self._events[0][1]
        return self._begun[0] if any(open_.kind == "event" for open_ in self._path) else None

    def feed(self, text: bytes, explain: Callable[[int], str], *, is_last: bool = False) -> list[ParsedEvent]:
        """Return the events whose trace ended in this text; ``explain`` says which byte of the file a fed byte is."""
        try:
            self._expat.Parse(text, is_last)
        except expat.ExpatError as error:
            place = explain(self._expat.ErrorByteIndex)
            reason = expat.ErrorString(error.code)
            raise SourceError(
                f"{self._name} is not whole or not valid XML: {reason} at {place}. Give an undamaged XES file."
            ) from error
        ready, self._ready = self._ready, []
        return ready

    def _refuse_doctype(self, *_: Any) -> None:
        raise SourceError(
            f"{self._name} declares a document type (<!DOCTYPE), which could pull in other files or expand "
            "without bound, so it is refused. XES needs none: remove the declaration."
        )

    def _open(self, tag: str, attributes: dict[str, str]) -> None:
        kind = tag.rpartition(":")[2]
        if not self._path and kind != "log":
            raise SourceError(f"{self._name} is not XES: its outermost element is <{tag}>, not <log>.")
        if kind == "event" and self._is_place_of_events():
            self._begun = (self._expat.CurrentByteIndex, self._expat.CurrentLineNumber)
        self._path.append(_Attribute(kind, attributes.get("key", kind), attributes.get("value")))

    def _is_place_of_events(self) -> bool:
        """Say whether the innermost open element may hold events: a trace, or the log itself."""
        kinds = [element.kind for element in self._path[:3]]
        return kinds in (["log"], ["log", "trace"])

    def _close(self, _tag: str) -> None:
        closed = self._path.pop()
        if not self._path:
            return
        holder = self._path[-1]
        if closed.kind == "event" and self._is_place_of_events():
            self._events.append((closed, *self._begun[:1], self._expat.CurrentByteIndex, self._begun[1]))
            if holder.kind == "log":
                self._give(None)
        elif closed.kind == "trace" and holder.kind == "log":
            self._give(closed)
        elif closed.kind == "values" and holder.kind == "list":
            holder.listed = [*(holder.listed or []), *closed.children]
        elif 1 < len(self._path) < _DEEPEST and self._path[1].kind in {"trace", "event"}:
            holder.children.append((closed.name, _write_value(closed), closed.value))

    def _give(self, trace: _Attribute | None) -> None:
        plain = _plain_values(trace) if trace else {}
        metadata = f'{{"trace":{_write_object(trace.children)}}}' if trace else None
        for event, begin, end, line in self._events:
            values = _plain_values(event)
            parsed = ParsedEvent(
                event_id=values.get(ID_KEY),
                stream_id=plain.get(STREAM_KEY),
                event_type=values.get(TYPE_KEY),
                occurred_at=values.get(TIME_KEY),
                actor_id=values.get(ACTOR_KEY) or None,
                data=_write_object(event.children),
                metadata=metadata,
                begin=begin,
                end=end,
                line=line,
            )
            self._ready.append(parsed)
        self._events.clear()


def _plain_values(holder: _Attribute) -> dict[str, str | None]:
    """Return the first value of each key."""
    return {key: value for key, _, value in reversed(holder.children)}


def _write_value(attribute: _Attribute) -> str:
    """Write an attribute's value as JSON; one with attributes of its own becomes an object that holds both."""
    if attribute.kind == "list":
        items = _write_list(attribute.children if attribute.listed is None else attribute.listed)
        inner = [] if attribute.listed is None else attribute.children
        return f'{{"values":{items},"attributes":{_write_object(inner)}}}' if inner else items
    if attribute.kind == "container" and attribute.value is None:
        keys = {key for key, _, _ in attribute.children}
        alike = len(keys) < len(attribute.children)
        return _write_list(attribute.children) if alike else _write_object(attribute.children)
    scalar = _write_scalar(attribute.kind, attribute.value)
    return f'{{"value":{scalar},"attributes":{_write_object(attribute.children)}}}' if attribute.children else scalar


def _write_scalar(kind: str, value: str | None) -> str:
    if value is None:
        return "null"
    bare = _BARE.get(kind)
    return value if bare and bare.fullmatch(value) else _quote(value)


def _write_object(members: list[tuple[str, str, str | None]]) -> str:
    return "{" + ",".join(f"{_quote(key)}:{text}" for key, text, _ in members) + "}"


def _write_list(members: list[tuple[str, str, str | None]]) -> str:
    """Write attributes whose order counts and whose keys may repeat as an array of objects with one member each."""
    return "[" + ",".join(f"{{{_quote(key)}:{text}}}" for key, text, _ in members) + "]"
