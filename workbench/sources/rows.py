"""The rows a source hands on when it has computed the envelope itself, and the base of such sources."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

from workbench.event import RawRecord
from workbench.sources.base import MappedChunk, Source

ENVELOPE = {
    "event_id": pa.string(),
    "source": pa.string(),
    "stream_id": pa.string(),
    "event_type": pa.string(),
    "schema_version": pa.int32(),
    "occurred_at": pa.string(),
    "recorded_at": pa.string(),
    "actor_id": pa.string(),
    "actor_kind": pa.string(),
    "correlation_id": pa.string(),
    "causation_id": pa.string(),
    "data": pa.string(),
    "metadata": pa.string(),
}
"""The log's columns that a source may compute, in order. Times may also be timestamps, and what repeats in many rows
a dictionary of texts."""

PLACE = {"raw": pa.binary(), "offset": pa.int64(), "line": pa.int64()}


def complete_rows(columns: Mapping[str, Any], count: int, media_type: str) -> pa.Table:
    """Return mapped rows with every column in its order; those not given are null.

    ``fault`` is added where it is given: the text that says why an input row is no record at all. The kind of the
    bytes in ``raw`` stands in the schema's metadata under ``media_type``.
    """
    types = ENVELOPE | PLACE
    rows = {name: columns.get(name, pa.nulls(count, kind)) for name, kind in types.items()}
    faults = {"fault": columns["fault"]} if "fault" in columns else {}
    return pa.table({**rows, **faults}).replace_schema_metadata({"media_type": media_type})


class MappedSource(Source):
    """A source whose records are rows: `chunks` computes their envelopes, `records` gives what they stood as."""

    @abstractmethod
    def chunks(self) -> Iterator[MappedChunk]:
        """Yield the rows in bulk, in the order of the input."""

    def records(self) -> Iterator[RawRecord]:
        """Yield the records lazily, in the order of the input. Raises SourceError when the input is not whole."""
        for chunk in self.chunks():
            for row in chunk.rows.select(list(PLACE)).to_pylist():
                yield RawRecord(row["raw"], row["offset"], self.media_type, row["line"])
