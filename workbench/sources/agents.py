"""Agent runs: results of tau2, and lists of messages as OpenAI's chat has them; one JSON document or one run a line.

A run is a stream and a correlation of the run's id. Its events, in the order of the conversation:

- **MessageSent**: what somebody said. ``data`` is the message; ``tool_calls`` has the ids of its calls.
- **ToolCalled**: ``{"id", "name", "arguments", "requestor"}`` and, of an agent's call, model, domain and task.
- **ToolReturned**: the tool's message, and the ``name`` of the call it answers.
- **ActionMatched**, **ActionDiffered**, **ActionMissed**: an action that was expected of the agent, named with its
  arguments and held against the call it is caused by (`workbench.sources.agents_actions` has the rule); matches first.
- **RunEvaluated**: reward, its reasons, costs and what the task was; RunEnded where a run has no reward.

A result is caused by its call, a call by its message, a message by what was said or returned before it. Actors: the
agent by its model (ai), ``user`` (human), ``tool``, ``system`` and ``evaluator`` (system).

**Times.** A time without a zone is taken for UTC, and ``metadata.zone`` is ``unknown``. A message without a time has
that of the one before it, else the run's, else 1970-01-01, and ``metadata.time`` is ``unknown``. The runs of a tau2
file went on at once: its events come in the order of their times. Lists of messages come as they stand.

Of a tau2 document the texts that all runs share, the policy and the user's guidelines, are left where they are.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, Final

import pyarrow as pa

from workbench.errors import SourceError
from workbench.sources.agents_events import Found, list_events
from workbench.sources.agents_runs import (
    Run,
    is_message,
    is_record,
    is_results,
    list_results,
    make_run,
    read_json,
    write_json,
)
from workbench.sources.base import JSON_SPACE, MappedChunk
from workbench.sources.compression import open_bytes
from workbench.sources.jsonlines import split_lines
from workbench.sources.rows import MappedSource, complete_rows
from workbench.sources.tabular import number_rows

BATCH: Final = 20_000
HEAD: Final = 1 << 16
MAX_DOCUMENT: Final = 1 << 29
_TEXTS: Final = (
    *("event_id", "stream_id", "event_type", "occurred_at", "actor_id", "actor_kind", "causation_id", "correlation_id"),
    *("data", "metadata", "fault"),
)
_RESULTS: Final = re.compile(r'^\{.*"(?:simulations"\s*:\s*\[|agent_info"\s*:\s*\{.*"environment_info")', re.DOTALL)
_MESSAGES: Final = re.compile(r'^\[?\s*\{[^\[]*"messages"\s*:\s*\[\s*\{[^{]*?"role"\s*:\s*"', re.DOTALL)
_LIST: Final = re.compile(r'^\[\s*\{\s*"role"\s*:\s*"')
# What an event of another kind says of itself, so that its payload may hold messages.
_OTHERS: Final = re.compile(r'"(?:specversion|event_type)"\s*:')


class AgentRuns(MappedSource):
    """A file of agent runs. A record's offset is its number from 0 in the order above.

    Its line is that of its run where each run is a line, else its number from 1.
    """

    format: ClassVar[str] = "agents"
    media_type: ClassVar[str] = "application/json"

    def __init__(self, path: Path, *, name: str | None = None) -> None:
        self.path = path
        self.name = name or path.name

    def chunks(self) -> Iterator[MappedChunk]:
        """Yield 20,000 events at a time; raises SourceError where the file is not whole or holds no runs."""
        with open_bytes(self.path) as stream:
            first = stream.peek(HEAD)[:HEAD].lstrip(JSON_SPACE)
            found = self._list_lines(stream) if _is_lines(first) else self._list_document(stream)
            count = 0
            while batch := list(islice(found, BATCH)):
                yield MappedChunk(rows=_write_rows(batch, count, self.media_type))
                count += len(batch)

    def _list_lines(self, stream: BinaryIO) -> Iterator[tuple[Found, int | None]]:
        for chunk in split_lines(stream, self.path, self.media_type):
            for raw, line in zip(chunk.raws, chunk.lines or (), strict=True):
                for event in _list_line(raw, f"{self.name}:{line}"):
                    yield event, line

    def _list_document(self, stream: BinaryIO) -> Iterator[tuple[Found, int | None]]:
        raw = stream.read(MAX_DOCUMENT + 1)
        if len(raw) > MAX_DOCUMENT:
            raise SourceError(f"{self.path} is one JSON document of more than 512 MB. Write its runs one a line.")
        try:
            document = read_json(raw.removeprefix(b"\xef\xbb\xbf"))
        except ValueError as error:
            if _is_lines(raw):  # whose first line is longer than what was looked at
                yield from self._list_lines(BytesIO(raw))
                return
            raise SourceError(f"{self.path} is not whole: {error}. Get it again from where it came from.") from error
        if is_results(document):
            events = [event for run in list_results(document) for event in _tell(run)]
            events.sort(key=_find_instant)
        else:
            events = [event for run in self._read_runs(document) for event in _tell(run)]
        for event in events:
            yield event, None

    def _read_runs(self, document: Any) -> Iterator[Run | Any]:
        records = document if isinstance(document, list) else [document]
        if records and all(is_message(each) for each in records):
            records = [{"messages": records}]
        if not any(is_record(each) for each in records):
            raise SourceError(
                f"{self.path} holds no agent runs. A run has messages, each with a role; or it is the results of tau2."
            )
        for number, record in enumerate(records):
            yield make_run(record, f"{self.name}#{number}") if is_record(record) else record


def recognises(text: str) -> bool:
    """Tell whether a file's beginning shows agent runs."""
    found = _MESSAGES.match(text)
    if found is None:
        return bool(_LIST.match(text) or _RESULTS.match(text))
    before = found[0].partition('"messages"')[0]
    return before.count("{") == before.count("}") + 1 and not _OTHERS.search(before)


def _is_lines(head: bytes) -> bool:
    """Tell whether each line is a run: the first is whole, and it is no document by itself."""
    first, _, others = head.partition(b"\n")
    try:
        record = read_json(first)
    except ValueError:
        return others.lstrip(JSON_SPACE).startswith(b'{"messages"')
    return is_record(record) and not is_results(record)


def _list_line(raw: bytes, name: str) -> Iterator[Found]:
    try:
        record = read_json(raw)
    except ValueError as error:
        yield Found(raw=raw, fault=f"it is no JSON: {error}")
        return
    yield from _tell(make_run(record, name) if is_record(record) else record)


def _tell(run: Run | Any) -> Iterator[Found]:
    if isinstance(run, Run):
        yield from list_events(run)
    else:
        yield Found(raw=run, fault="it is no run: it has no list of messages, or no id")


def _find_instant(event: Found) -> tuple[bool, datetime]:
    """Return what to order by; what has no time that can be read comes last."""
    try:
        moment = datetime.fromisoformat(event.occurred_at or "")
    except ValueError:
        return True, datetime.max.replace(tzinfo=UTC)
    return False, moment


def _write_rows(batch: list[tuple[Found, int | None]], first: int, media_type: str) -> pa.Table:
    rows = [_write_row(event) for event, _ in batch]
    columns: dict[str, Any] = {name: pa.array([row.get(name) for row in rows], pa.string()) for name in _TEXTS}
    columns["raw"] = pa.array([row["raw"] for row in rows], pa.binary())
    columns["offset"] = number_rows(first, len(rows))
    lines = [first + number + 1 if line is None else line for number, (_, line) in enumerate(batch)]
    columns["line"] = pa.array(lines, pa.int64())
    return complete_rows(columns, len(rows), media_type)


def _write_row(event: Found) -> dict[str, Any]:
    raw = event.raw if isinstance(event.raw, bytes) else write_json(event.raw)
    if event.fault is not None:
        return {"raw": raw, "fault": event.fault}
    row: dict[str, Any] = {name: getattr(event, name, None) for name in _TEXTS}
    texts = {name: None if row[name] is None else write_json(row[name]).decode() for name in ("data", "metadata")}
    return row | texts | {"raw": raw, "correlation_id": event.stream_id}
