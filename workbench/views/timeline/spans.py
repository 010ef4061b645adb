"""One run of an agent as spans: what was said, its calls of tools and what they returned, by what led to what."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Literal

import msgspec

from workbench.session import Session
from workbench.views.order import order_by
from workbench.views.place import place_of, write_place
from workbench.views.timeline.choices import TimelineChoices, to_microseconds
from workbench.views.timeline.where import Where

MOST_SPANS: Final = 500
MOST_WORDS: Final = 160
CALLED: Final = "ToolCalled"
RETURNED: Final = "ToolReturned"
ENDS: Final = ("RunEvaluated", "RunEnded")
JUDGED: Final = {"ActionMatched": "matches", "ActionDiffered": "differs", "ActionMissed": "never made"}
_SPEAKERS: Final = {"ai": "agent", "human": "user"}
Judgement = Literal["matches", "differs", "never made"]

_COLUMNS: Final = f"""position, event_id, source, event_type, occurred_at, actor_id, actor_kind, causation_id,
  json_extract_scalar(data, '$.name') as name,
  json_extract_scalar(metadata, '$.zone') as zone,
  substr(coalesce(json_extract_scalar(data, '$.content'), json_format(json_extract(data, '$.arguments')),
    json_extract_scalar(data, '$.arguments'), json_format(json_extract(data, '$.content')),
    json_extract_scalar(data, '$.reward')), 1, {MOST_WORDS}) as words"""


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the picture: an event, how deep it stands, and from when to when it went; times in microseconds.

    A message begins with what it follows from, was there at ``at``, and ends with the last result of its calls; a call
    goes from ``at`` to its result. ``judged`` says what an expected action says of a call.
    """

    place: str
    event_type: str
    depth: int
    actor: str | None
    actor_kind: str | None
    title: str
    words: str
    start: int
    at: int
    end: int
    judged: Judgement | None = None


class Spans(msgspec.Struct, frozen=True, kw_only=True):
    """A run's lines, in order, each behind what led to it; ``left_out`` events beyond the first 500 are not among them.

    ``zone`` is ``unknown`` where the source wrote none. ``sql`` and ``parameters`` are the statement it was asked with.
    """

    stream_id: str
    spans: tuple[Span, ...]
    start: int
    end: int
    calls: int
    left_out: int
    zone: str | None
    sql: str
    parameters: Mapping[str, Any]


def load_spans(session: Session, choices: TimelineChoices) -> Spans | None:
    """Return the run that is chosen as spans; None where not one stream is chosen, or it has no calls of tools.

    The whole run is told, up to the position of the choices, whatever else is chosen.
    """
    stream = _one_stream(choices)
    if stream is None:
        return None
    where = Where("", {}).also("stream_id = :stream", stream=stream)
    if choices.position is not None:
        where = where.also("position <= :known_position", known_position=choices.position)
    text = write_statement(session, where)
    rows = session.sql(text, where.parameters)
    if CALLED not in rows["event_type"]:
        return None
    left_out = 0
    if rows.height > MOST_SPANS:
        left_out = int(session.sql(where.select("count(*) as events"), where.parameters)["events"][0]) - MOST_SPANS
    told = list(rows.head(MOST_SPANS).iter_rows(named=True))
    spans = _Telling(told).spans
    return Spans(
        stream_id=stream,
        spans=spans,
        start=min(span.start for span in spans),
        end=max(span.end for span in spans),
        calls=sum(span.event_type == CALLED for span in spans),
        left_out=left_out,
        zone=next((row["zone"] for row in told if row["zone"]), None),
        sql=text,
        parameters=where.parameters,
    )


def write_statement(session: Session, where: Where) -> str:
    """Return the statement that reads a run's events: one more than are told."""
    return where.select(_COLUMNS, f"{order_by(session)} limit {MOST_SPANS + 1}")


def _one_stream(choices: TimelineChoices) -> str | None:
    chosen = [each for each in choices.filters if each.field == "stream_id" and not each.negated]
    return chosen[0].values[0] if len(chosen) == 1 and len(chosen[0].values) == 1 else None


class _Telling:
    """A run's rows put behind what led to them: calls behind their message, results and judgements at their call."""

    def __init__(self, rows: Sequence[Mapping[str, Any]]) -> None:
        self.by_id = {row["event_id"]: row for row in rows}
        self.effects: dict[str, list[Mapping[str, Any]]] = {}
        for row in rows:
            self.effects.setdefault(row["causation_id"] or "", []).append(row)
        tops = [row for row in rows if self._is_top(row)]
        self.spans = tuple(span for row in tops for span in self._tell(row))

    def _is_top(self, row: Mapping[str, Any]) -> bool:
        inside = row["event_type"] in {CALLED, RETURNED, *JUDGED}
        return not inside or row["causation_id"] not in self.by_id

    def _tell(self, row: Mapping[str, Any], depth: int = 0) -> Sequence[Span]:
        effects = self.effects.get(row["event_id"], [])
        wanted = RETURNED if row["event_type"] == CALLED else CALLED if row["event_type"] != RETURNED else None
        inside = [each for each in effects if each["event_type"] == wanted]
        below = [span for each in inside for span in self._tell(each, depth + 1)]
        judged = [JUDGED[each["event_type"]] for each in effects if each["event_type"] in JUDGED]
        return [self._make(row, depth, below, judged[0] if judged else JUDGED.get(row["event_type"])), *below]

    def _make(self, row: Mapping[str, Any], depth: int, below: Sequence[Span], judged: Any) -> Span:
        at = to_microseconds(row["occurred_at"])
        cause = self.by_id.get(row["causation_id"])
        waits = row["event_type"] not in {CALLED, RETURNED, *JUDGED, *ENDS} and cause is not None
        return Span(
            place=write_place(place_of(row)),
            event_type=row["event_type"],
            depth=depth,
            actor=row["actor_id"],
            actor_kind=row["actor_kind"],
            title=_name(row),
            words=row["words"] or ", ".join(span.title for span in below if span.event_type == CALLED),
            start=min(at, to_microseconds(_time(cause))) if waits and cause is not None else at,
            at=at,
            end=max([at, *(span.end for span in below)]),
            judged=judged,
        )


def _time(row: Mapping[str, Any]) -> datetime:
    moment: datetime = row["occurred_at"]
    return moment


def _name(row: Mapping[str, Any]) -> str:
    """Return what a line is called: the tool of a call, what came of a run, or who spoke."""
    kind = row["event_type"]
    if kind == RETURNED:
        return "result"
    if kind == CALLED or kind in JUDGED:
        return str(row["name"] or "call")
    if kind in ENDS:
        return "reward"
    return str(_SPEAKERS.get(row["actor_kind"], row["actor_id"] or kind))
