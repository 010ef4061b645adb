"""Taken texts of many documents: events and takings as frames in, what became of each as rows out. Pure."""

from typing import Any, Final

import msgspec
import polars as pl

from workbench.deltas.columns import CHECKS, SPAN_MEASURES
from workbench.deltas.documents import Document
from workbench.deltas.spans import Span, Taken, follow_texts

_TYPES: Final = {"bigint": pl.Int64(), "double": pl.Float64(), "varchar": pl.String()}
SCHEMA: Final = {"decision_position": pl.Int64(), **{name: _TYPES[kind] for name, kind in SPAN_MEASURES.items()}}
_OWN: Final = ("characters_taken", "retained_end", "first_change", "document_seconds")
_SHARES: Final = ("human_inserted_share", "human_final_share")


def measure_spans(events: pl.DataFrame, takings: pl.DataFrame) -> pl.DataFrame:
    """Return what became of taken texts, one row a taking that put a text in, by document and decision.

    ``events`` are whole documents: stream_id, position, occurred_at, actor_kind, delta (JSON text; null where an event
    leaves the text as it is: the last one of any kind says when the document ends), start (the text the document starts
    with, the first that is not null). ``takings``: stream_id, decision_position, applied_position, decided_at. Columns
    given back: SCHEMA, where value_end is JSON. Memory goes with the documents given at once.
    """
    wanted = takings.filter(pl.col("applied_position").is_not_null()).sort("stream_id", "decision_position")
    by_stream = {stream: rows for (stream,), rows in wanted.group_by("stream_id", maintain_order=True)}
    chosen = events.filter(pl.col("stream_id").is_in(list(by_stream))).sort("stream_id", "position")
    rows: list[dict[str, Any]] = []
    for (stream,), own in chosen.group_by("stream_id", maintain_order=True):
        decisions = by_stream[stream]
        spans = follow_texts(read_document(own), _read_takings(decisions))
        found = zip(decisions["decision_position"], spans, strict=True)
        rows += [{"decision_position": decision, **write_span(span)} for decision, span in found if span is not None]
    return pl.DataFrame(rows, schema=SCHEMA)


def read_document(events: pl.DataFrame) -> Document:
    """Return the events of one document, columns as measure_spans takes them, as a Document."""
    starts = events["start"].drop_nulls()
    return Document(
        positions=events["position"].to_list(),
        moments=_moments(events["occurred_at"]),
        kinds=events["actor_kind"].to_list(),
        deltas=events["delta"].to_list(),
        start=starts[0] if len(starts) else "",
    )


def write_span(span: Span) -> dict[str, Any]:
    """Return a span as columns of `measures`."""
    return {
        **{name: getattr(span, name) for name in (*_OWN, *_SHARES)},
        **{f"retained_{seconds}": count for seconds, count in zip(CHECKS, span.retained, strict=True)},
        "value_end": msgspec.json.encode(span.value_end).decode(),
    }


def _read_takings(rows: pl.DataFrame) -> list[Taken]:
    moments = _moments(rows["decided_at"])
    return [Taken(position, moment) for position, moment in zip(rows["applied_position"], moments, strict=True)]


def _moments(times: pl.Series) -> list[int]:
    """Return moments in microseconds since 1970."""
    return times.cast(pl.Datetime("us", "UTC")).cast(pl.Int64()).to_list()
