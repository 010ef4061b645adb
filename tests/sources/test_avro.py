"""Avro: every logical type comes out without loss, and what is damaged is said."""

import io
import json
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import fastavro
import pytest

from workbench.errors import SourceError
from workbench.sources.avro import AvroSource
from workbench.sources.mapping import read_mapping

ENVELOPE = [
    {"name": "stream_id", "type": "string"},
    {"name": "event_type", "type": {"type": "enum", "name": "Kind", "symbols": ["Sent", "Read"]}},
    {"name": "occurred_at", "type": {"type": "long", "logicalType": "timestamp-micros"}},
]
NOW = datetime(2026, 1, 1, 9, 30, 0, 123456, tzinfo=UTC)


def write_avro(folder: Path, fields: list[Any], values: list[dict[str, Any]], codec: str = "deflate") -> Path:
    schema = fastavro.parse_schema({"type": "record", "name": "Row", "fields": [*ENVELOPE, *fields]})
    path = folder / "rows.avro"
    rows = [{"stream_id": "a", "event_type": "Sent", "occurred_at": NOW, **row} for row in values]
    with path.open("wb") as file:
        fastavro.writer(file, schema, rows, codec=codec)
    return path


def read_rows(path: Path, **content: Any) -> list[dict[str, Any]]:
    source = AvroSource(path, mapping=read_mapping(content) if content else None)
    return [row for chunk in source.chunks() for row in chunk.rows.to_pylist()]


def test_fields_with_the_logs_names_need_no_mapping(tmp_path: Path) -> None:
    (row,) = read_rows(write_avro(tmp_path, [{"name": "amount", "type": "long"}], [{"amount": 2**62}]))
    assert (row["stream_id"], row["event_type"], row["occurred_at"]) == ("a", "Sent", "2026-01-01T09:30:00.123456Z")
    assert row["data"] == '{"amount":4611686018427387904}'
    assert (row["offset"], row["line"]) == (0, 1)


def test_every_kind_of_value_keeps_what_it_says(tmp_path: Path) -> None:
    decimal = {"type": "bytes", "logicalType": "decimal", "precision": 30, "scale": 2}
    record = {"type": "record", "name": "Inner", "fields": [{"name": "x", "type": "double"}]}
    other = {"type": "record", "name": "Other", "fields": [{"name": "y", "type": "int"}]}
    kinds: dict[str, tuple[Any, Any]] = {
        "money": (decimal, Decimal("12345678901234567890.10")),
        "small": (
            {"type": "fixed", "name": "F", "size": 4, "logicalType": "decimal", "precision": 4, "scale": 2},
            Decimal("1.50"),
        ),
        "bytes": ("bytes", b"\x00\xff"),
        "fixed": ({"type": "fixed", "name": "G", "size": 2}, b"ab"),
        "flag": ("boolean", True),
        "nothing": (["null", "string"], None),
        "either": (["null", "long", "string"], "5"),
        "inner": (record, {"x": 1e-300}),
        "which": ([other, "Inner"], {"y": 7}),
        "items": ({"type": "array", "items": "long"}, [1, 2]),
        "named": ({"type": "map", "values": "string"}, {"é": 'q"'}),
        "millis": ({"type": "long", "logicalType": "timestamp-millis"}, NOW.replace(microsecond=123000)),
        "local": ({"type": "long", "logicalType": "local-timestamp-micros"}, datetime(2026, 1, 1, 9)),  # noqa: DTZ001 - Avro's local time has no zone
        "day": ({"type": "int", "logicalType": "date"}, date(2026, 1, 2)),
        "hour": ({"type": "int", "logicalType": "time-millis"}, time(9, 30)),
        "uuid": ({"type": "string", "logicalType": "uuid"}, UUID(int=5)),
        "nan": ("double", float("nan")),
    }
    path = write_avro(
        tmp_path,
        [{"name": name, "type": kind} for name, (kind, _) in kinds.items()],
        [{name: value for name, (_, value) in kinds.items()}],
    )
    (row,) = read_rows(path)
    assert json.loads(row["data"], parse_float=str, parse_int=str) == {
        "money": "12345678901234567890.10",
        "small": "1.50",
        "bytes": "AP8=",
        "fixed": "YWI=",
        "flag": True,
        "either": "5",
        "inner": {"x": "1e-300"},
        "which": {"Other": {"y": "7"}},
        "items": ["1", "2"],
        "named": {"é": 'q"'},
        "millis": "2026-01-01T09:30:00.123000Z",
        "local": "2026-01-01T09:00:00.000000",
        "day": "2026-01-02",
        "hour": "09:30:00",
        "uuid": "00000000-0000-0000-0000-000000000005",
        "nan": "nan",
    }


def test_a_mapping_speaks_of_fields_and_of_what_is_inside_of_them(tmp_path: Path) -> None:
    record = {"type": "record", "name": "Inner", "fields": [{"name": "x", "type": "long"}]}
    path = write_avro(tmp_path, [{"name": "nested", "type": record}], [{"nested": {"x": 5}}])
    (row,) = read_rows(
        path,
        columns={
            "stream_id": "'s-' || (nested->>'$.x')",
            "event_type": "event_type",
            "occurred_at": "make_timestamptz((nested->>'$.x')::bigint * 1000000)",
        },
        data={"inner": "nested"},
    )
    assert (row["stream_id"], row["data"]) == ("s-5", '{"inner":{"x":5}}')
    assert row["occurred_at"] == datetime(1970, 1, 1, 0, 0, 5, tzinfo=UTC)


@pytest.mark.parametrize("codec", ["null", "deflate", "bzip2", "xz"])
def test_the_codecs_read_the_same(tmp_path: Path, codec: str) -> None:
    path = write_avro(tmp_path, [], [{"stream_id": str(number)} for number in range(5_000)], codec)
    assert [row["stream_id"] for row in read_rows(path)] == [str(number) for number in range(5_000)]


@pytest.mark.parametrize("left_out", [1, 10, 100, 40_000])
def test_a_file_cut_off_is_refused(tmp_path: Path, left_out: int) -> None:
    path = write_avro(tmp_path, [], [{"stream_id": str(number)} for number in range(5_000)])
    content = path.read_bytes()
    path.write_bytes(content[: max(len(content) - left_out, 60)])
    with pytest.raises(SourceError, match="not whole or not Avro"):
        read_rows(path)


def test_a_codec_that_is_not_here_is_named(tmp_path: Path) -> None:
    path = write_avro(tmp_path, [], [{}])
    path.write_bytes(path.read_bytes().replace(b"\x0edeflate", b"\x0eunheard"))
    with pytest.raises(SourceError, match=r"codec.*Write it with the codec deflate or null"):
        read_rows(path)


def test_values_that_are_no_records_are_refused(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    fastavro.writer(buffer, "string", ["a"])
    path = tmp_path / "texts.avro"
    path.write_bytes(buffer.getvalue())
    with pytest.raises(SourceError, match="no records"):
        read_rows(path)
