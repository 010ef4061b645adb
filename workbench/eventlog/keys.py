"""Key and salt of stored events, computed again when the index is made from the log."""

from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from workbench.decode.digests import make_keys

SALT_PATTERN: Final = r'"salt":"(?P<salt>[0-9a-f]{32})"'


def add_keys(rows: pa.Table) -> pa.Table:
    """Return the rows with their ``key`` and ``salt``; an erased event's salt is all zero bytes."""
    keys = make_keys(rows.column("source").to_pylist(), map(str.encode, rows.column("event_id").to_pylist()))
    found = pc.extract_regex(rows.column("metadata").combine_chunks(), SALT_PATTERN)
    salts = pc.struct_field(found, [0]).to_pylist()
    values = [bytes(16) if salt is None else bytes.fromhex(salt) for salt in salts]
    with_keys = rows.append_column("key", pa.array(keys, pa.binary(16)))
    return with_keys.append_column("salt", pa.array(values, pa.binary(16)))
