"""Turn an engine's Arrow rows into the frame a caller gets: the same types from every engine."""

from collections.abc import Mapping

import polars as pl
import pyarrow as pa

from workbench.query.subset.types import Type

_ARROW = {
    "boolean": pa.bool_(),
    "tinyint": pa.int8(),
    "smallint": pa.int16(),
    "integer": pa.int32(),
    "bigint": pa.int64(),
    "real": pa.float32(),
    "double": pa.float64(),
    "varchar": pa.string(),
    "json": pa.string(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
    "timestamptz": pa.timestamp("us", tz="UTC"),
    "varbinary": pa.binary(),
    "unknown": pa.int32(),
}


def arrow_type(kind: Type) -> pa.DataType:
    """Return the Arrow type that holds the values of a type; text for one without a counterpart."""
    if kind.name == "array":
        return pa.list_(arrow_type(kind.items[0]))
    if kind.name == "map":
        return pa.map_(arrow_type(kind.items[0]), arrow_type(kind.items[1]))
    if kind.name == "row":
        names = kind.fields or tuple(f"field{index}" for index in range(len(kind.items)))
        return pa.struct([pa.field(name, arrow_type(item)) for name, item in zip(names, kind.items, strict=True)])
    if kind.name == "decimal":
        return pa.decimal128(*kind.numbers)
    return _ARROW.get(kind.name, pa.string())


def make_frame(table: pa.Table, columns: Mapping[str, Type]) -> pl.DataFrame:
    """Return the rows as a frame with the types the statement declares: times are µs, zoned ones in UTC."""
    names = list(columns) or table.column_names
    fields = []
    for name, field in zip(names, table.schema, strict=True):
        wanted = arrow_type(columns[name]) if columns else _native_type(field.type)
        fields.append(pa.field(name, wanted))
    table = table.rename_columns(names).cast(pa.schema(fields))
    frame = pl.from_arrow(table)
    if not isinstance(frame, pl.DataFrame):
        raise TypeError("rows were expected")
    return frame


def _native_type(found: pa.DataType) -> pa.DataType:
    if pa.types.is_timestamp(found):
        return pa.timestamp("us", tz="UTC" if found.tz else None)
    return found
