"""The peer of CloudEvents ingest: the official SDK reads each line, PyIceberg appends them all at once."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from pyiceberg.table import Table

SCHEMA: Final = pa.schema(
    [
        pa.field("event_id", pa.string()),
        pa.field("source", pa.string()),
        pa.field("stream_id", pa.string()),
        pa.field("event_type", pa.string()),
        pa.field("occurred_at", pa.timestamp("us", tz="UTC")),
        pa.field("actor_id", pa.string()),
        pa.field("actor_kind", pa.string()),
        pa.field("correlation_id", pa.string()),
        pa.field("data", pa.string()),
    ]
)


def ingest_lines(lines: Path, table: Table) -> int:
    """Read a file of CloudEvents lines into a stock table and return how many there were."""
    columns = list(zip(*read_rows(lines), strict=True))
    events = pa.Table.from_arrays(
        [pa.array(column, field.type) for column, field in zip(columns, SCHEMA, strict=True)], schema=SCHEMA
    )
    table.append(events)
    return int(events.num_rows)


def read_rows(lines: Path) -> Iterator[tuple[Any, ...]]:
    """Yield each event's values in the order of `SCHEMA`."""
    events = JSONFormat()
    with lines.open("rb") as file:
        for line in file:
            event = events.read(CloudEvent, line)
            yield (
                event.get_id(),
                event.get_source(),
                event.get_subject(),
                event.get_type(),
                event.get_time(),
                event.get_extension("actorid"),
                event.get_extension("actorkind"),
                event.get_extension("correlationid"),
                json.dumps(event.get_data()),
            )
