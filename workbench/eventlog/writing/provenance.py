"""When an imported event was taken in, written into its metadata as it is committed."""

from datetime import datetime
from typing import Final

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from workbench.decode.metadata import ORIGIN

IMPORTED: Final = "imported_at"
# `{"salt":"` + 32 digits + `"`: decoding puts the salt first, so what follows begins at a known place.
AFTER_SALT: Final = 42


def complete_metadata(rows: pa.Table, imported: pa.Array, commit_at: datetime, origin: str | None) -> pa.Array:
    """Return the rows' metadata with ``imported_at`` and ``ingested_from`` (file, offset, line) for imports.

    ``origin`` is the file's name, None for events that came from none; of all events but imports decoding has told it.
    A member that the producer already gave under one of these names stays as it is.
    """
    metadata = rows.column("metadata")
    if not pc.any(imported).as_py():
        return metadata
    metadata = metadata.combine_chunks()
    mark = pa.repeat(f',"{IMPORTED}":"{commit_at.isoformat()}"', len(metadata))
    metadata = _insert(metadata, IMPORTED, pc.if_else(imported, mark, ""))
    return metadata if origin is None else _insert(metadata, ORIGIN, pc.if_else(imported, _places(rows, origin), ""))


def _places(rows: pa.Table, origin: str) -> pa.Array:
    name = msgspec.json.encode(origin).decode()
    offsets = rows.column("offset").combine_chunks().cast(pa.string())
    lines = rows.column("line").combine_chunks().cast(pa.string())
    numbered = pc.fill_null(pc.binary_join_element_wise(',"line":', lines, ""), "")
    return pc.binary_join_element_wise(f',"{ORIGIN}":{{"file":{name},"offset":', offsets, numbered, "}", "")


def _insert(metadata: pa.Array, member: str, texts: pa.Array) -> pa.Array:
    given = pc.match_substring(metadata, f'"{member}":')
    start, rest = pc.utf8_slice_codeunits(metadata, 0, AFTER_SALT), pc.utf8_slice_codeunits(metadata, AFTER_SALT)
    return pc.if_else(given, metadata, pc.binary_join_element_wise(start, texts, rest, ""))
