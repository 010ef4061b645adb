"""Rows as the client protocol has them, JSON, become columns with the types the server names."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from workbench.query.subset.types import Type, parse_type
from workbench.query.trino.columns import Column, read_columns, read_rows

Values = list[Any]


def read(kind: str, values: Values) -> pa.Array:
    return read_rows(json.dumps([[value] for value in values]).encode(), [Column("v", parse_type(kind))]).column(0)


CASES: list[tuple[str, Values, Values]] = [
    ("boolean", [True, None], [True, None]),
    ("tinyint", [1, None], [1, None]),
    ("bigint", [9223372036854775807, None], [9223372036854775807, None]),
    ("double", [1.5, None], [1.5, None]),
    ("double", ["Infinity", "-Infinity", None], [float("inf"), float("-inf"), None]),
    ("decimal(10, 2)", ["1.50", None], [Decimal("1.50"), None]),
    ("varchar", ["é😀", "", None], ["é😀", "", None]),
    ("json", ['{"a":1}', None], ['{"a":1}', None]),
    ("varbinary", ["w6k=", None], ["é".encode(), None]),
    ("date", ["2026-01-31", None], [date(2026, 1, 31), None]),
    ("timestamp(3)", ["2026-01-31 10:00:00.120", None], [datetime(2026, 1, 31, 10, 0, 0, 120000), None]),  # noqa: DTZ001 - a wall clock's time
    ("timestamp(9)", ["2026-01-31 10:00:00.123456789"], [datetime(2026, 1, 31, 10, 0, 0, 123456)]),  # noqa: DTZ001 - the same
    ("timestamp(0) with time zone", ["2026-01-31 10:00:00 UTC", None], [datetime(2026, 1, 31, 10, tzinfo=UTC), None]),
    (
        "timestamp(3) with time zone",
        ["2026-01-31 10:00:00.000 +02:00", "2026-07-01 10:00:00.500 Europe/Berlin", None],
        [datetime(2026, 1, 31, 8, tzinfo=UTC), datetime(2026, 7, 1, 8, 0, 0, 500000, tzinfo=UTC), None],
    ),
    ("array(bigint)", [[1, None], None, []], [[1, None], None, []]),
    ("array(decimal(3, 1))", [["1.5"]], [[Decimal("1.5")]]),
    ("map(bigint, varchar)", [{"1": "x"}, None], [[(1, "x")], None]),
    ("map(varchar, bigint)", [{"a": None}], [[("a", None)]]),
    ("row(a bigint, b varchar)", [[1, "x"], None], [{"a": 1, "b": "x"}, None]),
    ("row(bigint, varchar)", [[1, None]], [{"field0": 1, "field1": None}]),
]


@pytest.mark.parametrize(("kind", "sent", "expected"), CASES, ids=[case[0] for case in CASES])
def test_values_of_a_type_arrive_as_they_are(kind: str, sent: Values, expected: Values) -> None:
    assert read(kind, sent).to_pylist() == expected


@pytest.mark.parametrize("kind", [case[0] for case in CASES])
def test_a_page_without_rows_has_its_types(kind: str) -> None:
    assert read(kind, []).type == read(kind, [None]).type


def test_a_type_without_a_counterpart_arrives_as_text() -> None:
    column = [Column("v", Type("interval day to second"))]
    assert read_rows(b'[["1 00:00:00.000"]]', column).column(0).to_pylist() == ["1 00:00:00.000"]


def test_the_servers_description_of_types_is_read() -> None:
    long = {"kind": "LONG", "value": 2}
    varchar = {"rawType": "varchar", "arguments": [{"kind": "LONG", "value": 2147483647}]}
    named = {"kind": "NAMED_TYPE", "value": {"fieldName": {"name": "a"}, "typeSignature": varchar}}
    bare = {"kind": "NAMED_TYPE", "value": {"typeSignature": varchar}}
    described = [
        {"name": "d", "typeSignature": {"rawType": "decimal", "arguments": [{"kind": "LONG", "value": 10}, long]}},
        {"name": "s", "typeSignature": varchar},
        {"name": "z", "typeSignature": {"rawType": "timestamp with time zone", "arguments": [long]}},
        {"name": "a", "typeSignature": {"rawType": "array", "arguments": [{"kind": "TYPE", "value": varchar}]}},
        {"name": "r", "typeSignature": {"rawType": "row", "arguments": [named]}},
        {"name": "u", "typeSignature": {"rawType": "row", "arguments": [bare]}},
    ]
    kinds = ["decimal(10, 2)", "varchar", "timestamp(2) with time zone", "array(varchar)", "row(a varchar)"]
    assert [column.kind for column in read_columns(described)] == [
        *map(parse_type, kinds),
        Type("row", items=(Type("varchar"),)),
    ]
