"""Find what is to be measured in the log, and measure it: the decisions of some events, and the texts they took."""

from bisect import bisect_right
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec
import polars as pl

from workbench.deltas.columns import CHECKS
from workbench.deltas.document.reading import AskStreams, Written, read_documents
from workbench.deltas.document.spans import Span, Taken, follow_texts
from workbench.deltas.mapping import DeltaMapping
from workbench.deltas.measures.frames import KEYS, SCHEMA
from workbench.deltas.measures.measuring import Taking, measure_takings
from workbench.replay.sql.expressions import quote_texts

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
_COLUMNS: Final = (
    "p.kind as kind, p.position as proposal_position, d.position as decision_position, p.stream_id as stream_id, "
    "p.shown_at as occurred_at, d.decided_at as decided_at, d.ordinal as ordinal, d.decision as decision, "
    "p.content as content, d.value as value"
)


def measure_since(ask: AskStreams, mappings: Mapping[str, DeltaMapping], after: int, up_to: int) -> pl.DataFrame:
    """Return the measures that events behind a position, and up to another, make new or other.

    Columns: those of `measures`, and occurred_at, when the proposal was shown. With ``after`` -1 it is everything.
    """
    found = find_takings(ask, mappings, after, up_to)
    takings: list[Taking] = []
    for (kind,), rows in found.group_by("kind", maintain_order=True):
        mapping = mappings[str(kind)]
        followed = follow_takings(ask, mapping, rows, up_to)
        takings += [_make_taking(mapping, row, followed) for row in rows.iter_rows(named=True)]
    measured = measure_takings(takings) if takings else pl.DataFrame(schema=SCHEMA)
    return measured.join(found.select(*KEYS, "occurred_at"), on=list(KEYS), how="left", maintain_order="left")


def find_takings(ask: AskStreams, mappings: Mapping[str, DeltaMapping], after: int, up_to: int) -> pl.DataFrame:
    """Return the decisions that took a proposal, of those that events behind a position touch."""
    touched = [_touching(name, mapping) for name, mapping in mappings.items() if mapping.text is not None]
    since = " or ".join(["d.position > :after", "p.position > :after", *touched])
    statement = (
        f"select {_COLUMNS} from decisions d join proposals p on p.position = d.proposal_position and p.kind = d.kind "  # noqa: S608 - our own words; names quoted, values bound
        "where d.decision in ('accepted', 'edited') and d.position <= :up_to and p.position <= :up_to "
        f"{f'and ({since}) ' if after >= 0 else ''}order by p.kind, d.position"
    )
    parameters = {"up_to": up_to} | ({"after": after} if after >= 0 else {})
    return ask(statement, parameters, None)


def _touching(name: str, mapping: DeltaMapping) -> str:
    """Return the condition that a proposal's document has grown."""
    types = () if mapping.text is None else mapping.text.events
    grown = f"select stream_id from events_stored where position > :after and event_type in ({quote_texts(types)})"  # noqa: S608 - the same
    return f"p.kind = {quote_texts([name])} and p.stream_id in ({grown})"


def _make_taking(mapping: DeltaMapping, row: Mapping[str, Any], followed: Mapping[int, Mapping[str, Any]]) -> Taking:
    """Return what is compared: of a further decision what it took itself, as the proposal shows the first one's."""
    is_first = row["ordinal"] == 1
    proposed = row["content"] if is_first or row["value"] is None else row["value"]
    return Taking(
        kind=mapping.name,
        proposal_position=row["proposal_position"],
        decision_position=row["decision_position"],
        proposed=proposed,
        value=row["content"] if row["value"] is None and row["decision"] == "accepted" else row["value"],
        is_tokenised=mapping.tokenised,
        followed=followed.get(row["decision_position"], {}),
    )


def follow_takings(ask: AskStreams, mapping: DeltaMapping, rows: pl.DataFrame, up_to: int) -> dict[int, dict[str, Any]]:
    """Return by decision what became of the text it took, as columns of `measures`; nothing without a document."""
    if mapping.text is None or mapping.applied is None:
        return {}
    streams = {str(stream[0]): part for stream, part in rows.group_by("stream_id", maintain_order=True)}
    found: dict[int, dict[str, Any]] = {}
    for written in read_documents(ask, mapping, list(streams), up_to):
        decided = dict(streams[written.stream_id].select("decision_position", "decided_at").iter_rows())
        takings = find_applied(mapping, written, decided)
        spans = follow_texts(written.document, [taken for taken, _ in takings])
        found |= {
            decision: write_span(span) for (_, decision), span in zip(takings, spans, strict=True) if span is not None
        }
    return found


def find_applied(mapping: DeltaMapping, written: Written, decided: Mapping[int, datetime]) -> list[tuple[Taken, int]]:
    """Return what was taken into a document, each with its decision: the first event behind it that puts a text in.

    An event puts in one decision's text; where a next decision comes first there is none.
    """
    applied = mapping.applied
    positions = [
        position
        for position, kind, event_type in zip(
            written.document.positions, written.document.kinds, written.types, strict=True
        )
        if applied is not None and event_type in applied.events and applied.actor_kind in (None, kind)
    ]
    found = []
    ordered = sorted(decided)
    for decision, following in zip(ordered, [*ordered[1:], None], strict=True):
        place = bisect_right(positions, decision)
        if place < len(positions) and (following is None or positions[place] < following):
            moment = (decided[decision] - EPOCH) // MICROSECOND
            found.append((Taken(positions[place], moment), decision))
    return found


def write_span(span: Span) -> dict[str, Any]:
    """Return what became of a text as columns of `measures`."""
    return {
        "characters_taken": span.characters_taken,
        **{f"retained_{seconds}": left for seconds, left in zip(CHECKS, span.retained, strict=True)},
        "retained_end": span.retained_end,
        "first_change": span.first_change,
        "document_seconds": span.document_seconds,
        "value_end": msgspec.json.encode(span.value_end).decode(),
        "human_inserted_share": span.human_inserted_share,
        "human_final_share": span.human_final_share,
    }
