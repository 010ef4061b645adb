"""JSON lines whose members have names of their own, through a mapping.

Each member that the mapping speaks of is a text column: a string's characters, or any other value's JSON as written.
``record`` is the whole line, of type JSON, and the payload where the mapping gives none.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import pyarrow as pa

from workbench.sources.base import FileLines, LineChunk
from workbench.sources.compression import open_bytes
from workbench.sources.expressions import find_columns
from workbench.sources.jsonlines import split_lines
from workbench.sources.mapping import Mapping
from workbench.sources.tabular import Batch, TabularSource

WHOLE = "record"
_members = msgspec.json.Decoder(dict[str, msgspec.Raw])


class DocumentSource(TabularSource):
    """A file of JSON lines with foreign names; offsets count the bytes of its decompressed text."""

    format: ClassVar[str] = "jsonlines"
    media_type: ClassVar[str] = "application/json"
    jsons = (WHOLE,)
    whole = WHOLE

    def __init__(self, path: Path, *, mapping: Mapping, name: str | None = None) -> None:
        super().__init__(path, mapping=mapping, name=name)
        self._names = sorted(find_columns(mapping) - {WHOLE})

    def read_batches(self) -> Iterator[Batch]:
        """Yield some megabytes of lines at a time; raises SourceError where the file breaks off."""
        with open_bytes(self.path) as stream:
            for chunk in split_lines(stream, self.path, self.media_type):
                yield self._gather(chunk)

    def _gather(self, chunk: LineChunk | FileLines) -> Batch:
        columns: dict[str, list[str | None]] = {name: [] for name in (*self._names, WHOLE)}
        faults: list[str | None] = []
        for raw in chunk.raws:
            members, fault = _read_members(raw)
            faults.append(fault)
            for name in self._names:
                columns[name].append(_as_text(members.get(name)))
            columns[WHOLE].append(None if fault else raw.decode())
        return Batch(
            inputs=pa.table({name: pa.array(column, pa.string()) for name, column in columns.items()}),
            offsets=pa.array(chunk.offsets, pa.int64()),
            lines=pa.array(chunk.lines, pa.int64()),
            raws=pa.array(chunk.raws, pa.binary()),
            faults=faults if any(faults) else None,
        )


def _read_members(raw: bytes) -> tuple[dict[str, msgspec.Raw], str | None]:
    """Return a line's members, or none and why it has none. A name that comes twice is a fault: neither is the one."""
    try:
        members = _members.decode(raw)
        json.loads(raw, object_pairs_hook=_refuse_twice)
    except (ValueError, RecursionError) as error:
        return {}, f"the line is no JSON object: {error}"
    return members, None


def _refuse_twice(pairs: list[tuple[str, Any]]) -> None:
    if len(pairs) != len({name for name, _ in pairs}):
        raise ValueError("a name comes twice in one object")


def _as_text(value: msgspec.Raw | None) -> str | None:
    if value is None:
        return None
    text = bytes(value).decode()
    if text == "null":
        return None
    return str(json.loads(text)) if text.startswith('"') else text
