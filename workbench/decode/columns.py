"""The columns that decoding hands to the log, as an Arrow schema. One row an event, in the order of the source."""

import pyarrow as pa

EVENT_ID = "event_id"
SOURCE = "source"
STREAM_ID = "stream_id"
EVENT_TYPE = "event_type"
SCHEMA_VERSION = "schema_version"
OCCURRED_AT = "occurred_at"
RECORDED_AT = "recorded_at"
ACTOR_ID = "actor_id"
ACTOR_KIND = "actor_kind"
CORRELATION_ID = "correlation_id"
CAUSATION_ID = "causation_id"
DATA = "data"
METADATA = "metadata"
DIGEST = "digest"
KEY = "key"
SALT = "salt"
OFFSET = "offset"
LINE = "line"

TIMESTAMP = pa.timestamp("us", tz="UTC")

# `metadata` holds the salt too (its member "salt", 32 hex digits); KEY is blake2b-128 over the idempotency key;
# SALT and KEY never reach the table, they spare the log a second pass. OFFSET and LINE say where the record stood.
DECODED = pa.schema(
    [
        pa.field(EVENT_ID, pa.string(), nullable=False),
        pa.field(SOURCE, pa.string(), nullable=False),
        pa.field(STREAM_ID, pa.string(), nullable=False),
        pa.field(EVENT_TYPE, pa.string(), nullable=False),
        pa.field(SCHEMA_VERSION, pa.int32(), nullable=False),
        pa.field(OCCURRED_AT, TIMESTAMP, nullable=False),
        pa.field(RECORDED_AT, TIMESTAMP),
        pa.field(ACTOR_ID, pa.string()),
        pa.field(ACTOR_KIND, pa.string()),
        pa.field(CORRELATION_ID, pa.string()),
        pa.field(CAUSATION_ID, pa.string()),
        pa.field(DATA, pa.string()),
        pa.field(METADATA, pa.string()),
        pa.field(DIGEST, pa.string(), nullable=False),
        pa.field(KEY, pa.binary(16), nullable=False),
        pa.field(SALT, pa.binary(16), nullable=False),
        pa.field(OFFSET, pa.int64(), nullable=False),
        pa.field(LINE, pa.int64()),
    ]
)
