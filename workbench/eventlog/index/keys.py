"""Key and salt of stored events, computed again when the index is made from the log."""

from binascii import unhexlify
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from workbench.decode.arrays import cut_fixed, find_one, list_bytes, read_ends, write_fixed
from workbench.decode.digests import hash_ids, make_keys

SALT_PATTERN: Final = r'"salt":"(?P<salt>[0-9a-f]{32})"'
# Decoding writes the salt first, so that its digits stand at one place, between these.
BEFORE: Final = b'{"salt":"'
DIGITS: Final = 32
QUOTE: Final = ord('"')
# Rows worked on at a time: columns of them have ends of 32 bits, whatever a file holds.
BATCH: Final = 1 << 17


def add_keys(rows: pa.Table) -> pa.Table:
    """Return the rows with their ``key`` and ``salt``; an erased event's salt is all zero bytes."""
    parts = [rows.slice(start, BATCH) for start in range(0, rows.num_rows, BATCH)]
    keys = pa.chunked_array([_make_keys(part) for part in parts], pa.binary(16))
    salts = pa.chunked_array([_read_salts(part) for part in parts], pa.binary(16))
    return rows.append_column("key", keys).append_column("salt", salts)


def _make_keys(rows: pa.Table) -> pa.Array:
    sources, event_ids = _texts(rows, "source"), list_bytes(_texts(rows, "event_id"))
    source = find_one(sources)
    keys = make_keys(sources.to_pylist(), event_ids) if source is None else hash_ids(source, event_ids)
    return write_fixed(keys)


def _read_salts(rows: pa.Table) -> pa.Array:
    """Return the salts: 0.1 µs each where all stand in the usual place, else 1.5."""
    metadata = _texts(rows, "metadata")
    digits = _usual_digits(metadata)
    if digits is not None:
        return cut_fixed(unhexlify(digits.tobytes()))
    found = pc.extract_regex(metadata, SALT_PATTERN)
    salts = pc.struct_field(found, [0]).to_pylist()
    return write_fixed([bytes(16) if salt is None else bytes.fromhex(salt) for salt in salts])


def _usual_digits(metadata: pa.Array) -> NDArray[np.uint8] | None:
    """Return the digits of each row's salt, None unless all stand in the usual place."""
    size = len(BEFORE) + DIGITS + 1
    begun = pc.binary_slice(metadata.view(pa.binary()), 0, size)
    ends = read_ends(begun)
    if metadata.null_count or (ends[1:] - ends[:-1] != size).any():
        return None
    texts = np.frombuffer(begun.buffers()[2], np.uint8, size * len(begun), ends[0]).reshape(-1, size)
    digits = texts[:, len(BEFORE) : -1]
    is_digit = ((digits >= ord("0")) & (digits <= ord("9"))) | ((digits >= ord("a")) & (digits <= ord("f")))
    is_usual = (texts[:, : len(BEFORE)] == np.frombuffer(BEFORE, np.uint8)).all() and (texts[:, -1] == QUOTE).all()
    return digits if is_usual and is_digit.all() else None


def _texts(rows: pa.Table, name: str) -> pa.Array:
    return rows.column(name).cast(pa.string()).combine_chunks()
