"""The columns of the log's tables, in the words of the field, and the properties they are made with."""

from typing import Final

from pyiceberg.schema import Schema
from pyiceberg.types import BinaryType, IntegerType, LongType, NestedField, StringType, TimestamptzType

POSITION: Final = "position"
STREAM_VERSION: Final = "stream_version"
ERASED_AT_POSITION: Final = "erased_at_position"

EVENTS: Final = Schema(
    NestedField(1, "position", LongType(), required=True),
    NestedField(2, "event_id", StringType(), required=True),
    NestedField(3, "source", StringType(), required=True),
    NestedField(4, "stream_id", StringType(), required=True),
    NestedField(5, "stream_version", LongType(), required=True),
    NestedField(6, "event_type", StringType(), required=True),
    NestedField(7, "schema_version", IntegerType(), required=True),
    NestedField(8, "occurred_at", TimestamptzType(), required=True),
    NestedField(9, "recorded_at", TimestamptzType(), required=True),
    NestedField(10, "actor_id", StringType()),
    NestedField(11, "actor_kind", StringType()),
    NestedField(12, "correlation_id", StringType()),
    NestedField(13, "causation_id", StringType()),
    NestedField(14, "data", StringType()),
    NestedField(15, "metadata", StringType()),
    NestedField(16, "digest", StringType(), required=True),
    NestedField(17, "erased_at_position", LongType()),
)

# What others may INSERT: the producer's columns only. Nothing here is required but what makes an event, so that a
# row that cannot be one reaches quarantine instead of failing the producer's INSERT.
INBOX: Final = Schema(
    NestedField(1, "event_id", StringType()),
    NestedField(2, "source", StringType()),
    NestedField(3, "stream_id", StringType()),
    NestedField(4, "event_type", StringType()),
    NestedField(5, "schema_version", IntegerType()),
    NestedField(6, "occurred_at", TimestamptzType()),
    NestedField(7, "actor_id", StringType()),
    NestedField(8, "actor_kind", StringType()),
    NestedField(9, "correlation_id", StringType()),
    NestedField(10, "causation_id", StringType()),
    NestedField(11, "data", StringType()),
    NestedField(12, "metadata", StringType()),
)

# Append-only too: a resolution is a second row with the same quarantine_id and `resolution` set.
QUARANTINE: Final = Schema(
    NestedField(1, "quarantine_id", StringType(), required=True),
    NestedField(2, "source", StringType(), required=True),
    NestedField(3, "byte_offset", LongType(), required=True),
    NestedField(4, "line", LongType()),
    NestedField(5, "media_type", StringType(), required=True),
    NestedField(6, "reason", StringType(), required=True),
    NestedField(7, "detail", StringType(), required=True),
    NestedField(8, "remedy", StringType(), required=True),
    NestedField(9, "raw", BinaryType(), required=True),
    NestedField(10, "repaired", BinaryType()),
    NestedField(11, "quarantined_at", TimestamptzType(), required=True),
    NestedField(12, "resolution", StringType()),
    NestedField(13, "resolved_position", LongType()),
    # A record whose form only its source can read (a row of a CSV file), as one JSON line under the log's own names.
    NestedField(14, "mapped", BinaryType()),
)
