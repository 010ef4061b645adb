"""Iceberg's types in Trino's words."""

from collections import Counter
from typing import Final

from pyiceberg.schema import Schema
from pyiceberg.types import (
    BinaryType,
    BooleanType,
    DateType,
    DecimalType,
    DoubleType,
    FixedType,
    FloatType,
    IcebergType,
    IntegerType,
    ListType,
    LongType,
    MapType,
    StringType,
    StructType,
    TimestampType,
    TimestamptzType,
)

PLAIN: Final[dict[type[IcebergType], str]] = {
    BooleanType: "boolean",
    IntegerType: "integer",
    LongType: "bigint",
    FloatType: "real",
    DoubleType: "double",
    DateType: "date",
    StringType: "varchar",
    BinaryType: "varbinary",
    FixedType: "varbinary",
    TimestampType: "timestamp(6)",
    TimestamptzType: "timestamp(6) with time zone",
}


def trino_type(kind: IcebergType) -> str | None:
    """Return a type as Trino writes it; None for one that the declared subset of SQL has no values of (time, uuid)."""
    if isinstance(kind, DecimalType):
        return f"decimal({kind.precision}, {kind.scale})"
    if isinstance(kind, ListType | MapType | StructType):
        return _nested_type(kind)
    return PLAIN.get(type(kind))


def _nested_type(kind: ListType | MapType | StructType) -> str | None:
    if isinstance(kind, StructType):
        inner = [(_quote(field.name), trino_type(field.field_type)) for field in kind.fields]
        known = [f"{name} {item}" for name, item in inner if item is not None]
        return f"row({', '.join(known)})" if len(known) == len(inner) else None
    name = "array" if isinstance(kind, ListType) else "map"
    items = [kind.element_type] if isinstance(kind, ListType) else [kind.key_type, kind.value_type]
    types = [item for item in map(trino_type, items) if item is not None]
    return f"{name}({', '.join(types)})" if len(types) == len(items) else None


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def readable_columns(schema: Schema) -> dict[str, str]:
    """Return the columns that SQL can read, lower-cased as Trino does, with their types.

    Names that differ in case alone name nothing in SQL and are left out.
    """
    counts = Counter(field.name.lower() for field in schema.fields)
    named = {field.name.lower(): trino_type(field.field_type) for field in schema.fields}
    return {name: kind for name, kind in named.items() if kind is not None and counts[name] == 1}
