"""What all tabular inputs share: batches of rows go through a mapping and come out as rows of the log."""

from abc import abstractmethod
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from workbench.sources.base import MappedChunk
from workbench.sources.lookup import LookupTable
from workbench.sources.mapper import RowMapper
from workbench.sources.mapping import Mapping
from workbench.sources.rows import ENVELOPE, MappedSource, complete_rows

BATCH = 50_000
"""Rows mapped at once; the memory a source needs is some such batches, whatever the size of its file."""


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """Neighbouring rows of an input. Without ``raws`` a row's bytes are its columns as JSON.

    ``faults`` says of each row why it is no record (its columns are null then), or is None where none has a fault.
    """

    inputs: pa.Table
    offsets: pa.Array
    lines: pa.Array
    raws: pa.Array | None = None
    faults: list[str | None] | None = None


class TabularSource(MappedSource):
    """A file of rows read through a mapping, or by its columns' names. Raises MappingError where they do not fit."""

    jsons: Collection[str] = ()
    whole: str | None = None

    def __init__(self, path: Path, *, mapping: Mapping | None = None, name: str | None = None) -> None:
        self.path = path
        self.mapping = mapping
        self.name = name or path.name

    @abstractmethod
    def read_batches(self) -> Iterator[Batch]:
        """Yield the input's rows in its own order."""

    def chunks(self) -> Iterator[MappedChunk]:
        """Yield the mapped rows, 50,000 at a time, in the order of the file; offset and line count rows or bytes."""
        mappers: list[RowMapper] = []
        lookup = self._open_lookup()
        for batch in self.read_batches():
            inputs = batch.inputs if lookup is None else lookup.join(batch.inputs)
            if not mappers:
                own, mapping = batch.inputs.schema.names, self.mapping
                several = mapping.events if mapping is not None and mapping.events else (mapping,)
                how = {"jsons": self.jsons, "whole": self.whole, "own": own}
                mappers = [RowMapper(each, inputs.schema, **how) for each in several]
            yield MappedChunk(rows=_interleave([self._map(each, inputs, batch) for each in mappers]))

    def _open_lookup(self) -> LookupTable | None:
        mapping = self.mapping
        return (
            None if mapping is None or mapping.lookup is None else LookupTable(mapping.lookup, self.path, mapping.name)
        )

    def _map(self, mapper: RowMapper, inputs: pa.Table, batch: Batch) -> pa.Table:
        """Return the rows of one event a row of the input."""
        mapped = mapper.map_rows(inputs, with_raw=batch.raws is None)
        columns: dict[str, Any] = {name: mapped[name].combine_chunks() for name in mapped.column_names}
        columns["raw"] = columns["raw"].cast(pa.binary()) if batch.raws is None else batch.raws
        if batch.faults is not None:
            columns = _clear_faulty(columns, pa.array(batch.faults, pa.string()))
        places = {"offset": batch.offsets, "line": batch.lines}
        return complete_rows(columns | places, mapped.num_rows, self.media_type)


def _interleave(events: list[pa.Table]) -> pa.Table:
    """Return the first event of the first row, its second, then those of the second row.

    The offset of each counts events, so that no two have the same: a row's offset times their number, and its place.
    """
    if len(events) == 1:
        return events[0]
    count, several = events[0].num_rows, len(events)
    place = events[0].schema.get_field_index("offset")
    placed = [
        rows.set_column(place, "offset", pc.add(pc.multiply(rows["offset"], several), number))
        for number, rows in enumerate(events)
    ]
    if any("fault" in rows.column_names for rows in placed):
        sound = pa.nulls(count, pa.string())
        placed = [rows if "fault" in rows.column_names else rows.append_column("fault", sound) for rows in placed]
    order = np.arange(count * several).reshape(several, count).T.ravel()
    return pa.concat_tables(placed).take(pa.array(order)).replace_schema_metadata(events[0].schema.metadata)


def _clear_faulty(columns: dict[str, Any], faults: pa.Array) -> dict[str, Any]:
    """Return the columns with the envelope of every faulty row emptied, so that it cannot pass for an event."""
    is_sound = faults.is_null()
    cleared = {name: pc.if_else(is_sound, column, None) for name, column in columns.items() if name in ENVELOPE}
    found = pc.coalesce(faults, columns["fault"]) if "fault" in columns else faults
    return columns | cleared | {"fault": found}


def number_rows(first: int, count: int) -> pa.Array:
    """Return row numbers from ``first`` on."""
    return pa.array(np.arange(first, first + count))
