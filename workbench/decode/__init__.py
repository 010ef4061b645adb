"""RawRecord → Event or Rejection: normalisation, schemas, upcasting, digests. Pure: values in, values out."""

from workbench.decode.chunks import decode_chunk
from workbench.decode.digests import digest_rows, event_key
from workbench.decode.events import encode_events
from workbench.decode.registry import Registry, load_registry
from workbench.decode.rows import DecodeContext, Decoded
from workbench.decode.workers import decode_source

__all__ = [
    "DecodeContext",
    "Decoded",
    "Registry",
    "decode_chunk",
    "decode_source",
    "digest_rows",
    "encode_events",
    "event_key",
    "load_registry",
]
