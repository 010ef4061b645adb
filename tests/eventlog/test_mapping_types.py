"""Iceberg's types in Trino's words, and what has no words there."""

import pytest
from pyiceberg.schema import Schema
from pyiceberg.types import (
    DecimalType,
    DoubleType,
    IcebergType,
    ListType,
    LongType,
    MapType,
    NestedField,
    StringType,
    StructType,
    TimestampType,
    TimeType,
    UUIDType,
)

from workbench.eventlog.shapes.trino_types import readable_columns, trino_type
from workbench.query.subset.types import parse_type

PAIR = StructType(NestedField(8, "a b", LongType()), NestedField(9, "when", TimestampType()))
WITH_TIME = StructType(NestedField(8, "a", LongType()), NestedField(9, "at", TimeType()))


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (DecimalType(12, 2), "decimal(12, 2)"),
        (DoubleType(), "double"),
        (ListType(1, StringType()), "array(varchar)"),
        (MapType(1, StringType(), 2, ListType(3, LongType())), "map(varchar, array(bigint))"),
        (PAIR, 'row("a b" bigint, "when" timestamp(6))'),
        (ListType(1, PAIR), 'array(row("a b" bigint, "when" timestamp(6)))'),
    ],
)
def test_a_type_is_written_as_trino_writes_it_and_the_subset_reads_it(kind: IcebergType, text: str) -> None:
    assert trino_type(kind) == text
    parse_type(text)


@pytest.mark.parametrize(
    "kind", [TimeType(), UUIDType(), ListType(1, TimeType()), MapType(1, UUIDType(), 2, StringType()), WITH_TIME]
)
def test_a_type_the_subset_has_no_values_of_is_left_out(kind: IcebergType) -> None:
    assert trino_type(kind) is None
    schema = Schema(NestedField(20, "odd", kind), NestedField(21, "Plain", StringType()))
    assert readable_columns(schema) == {"plain": "varchar"}
