"""Rows that a mapping or a parser made."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest

from workbench.decode import DecodeContext, Decoded, decode_chunk, decode_source
from workbench.decode.mapped import RawColumn
from workbench.sources.base import MappedChunk

CONTEXT = DecodeContext(source_name="file.csv")
ROW: dict[str, Any] = {
    "event_id": "e1",
    "source": "s",
    "stream_id": "account-7",
    "event_type": "T",
    "schema_version": 2,
    "occurred_at": "2026-01-31T12:00:00Z",
    "recorded_at": None,
    "actor_id": "a",
    "actor_kind": "ai",
    "correlation_id": None,
    "causation_id": None,
    "data": '{"a": 1.50}',
    "metadata": '{"b": 2.50}',
    "raw": "a,b",
    "offset": 0,
    "line": 1,
}


def decode(*changes: dict[str, Any], kinds: dict[str, pa.DataType] | None = None) -> Decoded:
    rows = [{**ROW, "offset": at, **change} for at, change in enumerate(changes)]
    columns = {}
    for name in {name: None for row in rows for name in row}:
        values = [row.get(name) for row in rows]
        columns[name] = pa.array(values, (kinds or {}).get(name, pa.string() if name in TEXTS else None))
    return decode_chunk(MappedChunk(rows=pa.table(columns)), CONTEXT)


TEXTS = {"event_id", "source", "stream_id", "event_type", "actor_id", "actor_kind", "correlation_id", "causation_id"}
TEXTS |= {"data", "metadata", "recorded_at", "fault"}


def test_a_row_becomes_an_event() -> None:
    [row] = decode({}).events.to_pylist()
    salt = row["salt"].hex()
    assert row["metadata"] == f'{{"salt":"{salt}","b":2.50}}'
    assert row["data"] == '{"a":1.50}'
    assert row["occurred_at"] == datetime(2026, 1, 31, 12, tzinfo=UTC)
    assert (row["schema_version"], row["actor_kind"], row["line"]) == (2, "ai", 1)


def test_absent_columns_are_empty_ones() -> None:
    few = {name: [ROW[name]] for name in ("stream_id", "event_type", "occurred_at", "offset")}
    [row] = decode_chunk(MappedChunk(rows=pa.table(few)), CONTEXT).events.to_pylist()
    assert (row["source"], row["schema_version"], row["data"], row["line"]) == ("file.csv", 1, None, None)
    assert row["event_id"]


@pytest.mark.parametrize(
    "kind",
    [
        pa.timestamp("us", tz="UTC"),
        pa.timestamp("ms", tz="Europe/Brussels"),
        pa.timestamp("s", tz="UTC"),
        pa.timestamp("ns", tz="UTC"),
    ],
)
def test_times_with_a_zone_may_be_typed(kind: pa.DataType) -> None:
    moment = datetime(2026, 1, 31, 12, tzinfo=UTC)
    decoded = decode({"occurred_at": moment}, kinds={"occurred_at": kind})
    assert decoded.events["occurred_at"].to_pylist() == [moment]


def test_texts_may_be_dictionaries_large_or_binary() -> None:
    kinds = {
        "event_type": pa.dictionary(pa.int32(), pa.string()),
        "stream_id": pa.large_string(),
        "data": pa.binary(),
        "metadata": pa.large_string(),
        "occurred_at": pa.dictionary(pa.int32(), pa.string()),
    }
    assert decode({}, kinds=kinds).events.select(["data", "event_type"]).to_pylist() == [
        {"data": '{"a":1.50}', "event_type": "T"}
    ]


BAD: list[tuple[dict[str, Any], str]] = [
    ({"stream_id": None}, "missing_attribute"),
    ({"stream_id": ""}, "missing_attribute"),
    ({"event_type": None}, "missing_attribute"),
    ({"occurred_at": None}, "missing_attribute"),
    ({"event_id": ""}, "invalid_attribute"),
    ({"actor_id": "a\0"}, "nul_character"),
    ({"actor_kind": "robot"}, "invalid_attribute"),
    ({"schema_version": 0}, "invalid_attribute"),
    ({"occurred_at": "2026-01-31T12:00:00"}, "time_without_zone"),
    ({"recorded_at": "soon"}, "malformed_time"),
    ({"data": "{"}, "malformed_json"),
    ({"data": '{"a":1,"a":2}'}, "duplicate_key"),
    ({"metadata": "[1]"}, "invalid_attribute"),
    ({"metadata": '{"a":1,"a":2}'}, "duplicate_key"),
    ({"fault": "the row has 3 fields, the header 4"}, "malformed_row"),
]


@pytest.mark.parametrize(("change", "code"), BAD)
def test_a_row_that_cannot_be_an_event_is_refused(change: dict[str, Any], code: str) -> None:
    decoded = decode({}, change, {})
    assert [(one.offset, one.reason, one.raw) for one in decoded.rejections] == [(1, code, b"a,b")]
    assert decoded.events["offset"].to_pylist() == [0, 2]


def test_times_without_a_zone_are_refused_when_typed_too() -> None:
    decoded = decode({"occurred_at": datetime(2026, 1, 31, 12)})  # noqa: DTZ001 - the fault
    assert [one.reason for one in decoded.rejections] == ["time_without_zone"]


def test_times_finer_than_the_log_are_refused() -> None:
    fine = pa.array([1, 1000], pa.int64()).cast(pa.timestamp("ns", tz="UTC"))
    rows = pa.table({"stream_id": ["s", "s"], "event_type": ["T", "T"], "occurred_at": fine, "offset": [0, 1]})
    decoded = decode_chunk(MappedChunk(rows=rows), CONTEXT)
    assert [(one.offset, one.reason) for one in decoded.rejections] == [(0, "time_too_fine")]
    assert decoded.events["offset"].to_pylist() == [1]


def test_times_beyond_the_year_9999_are_refused() -> None:
    far = pa.array([253_402_300_800_000_000, 0], pa.int64()).cast(pa.timestamp("us", tz="UTC"))
    rows = pa.table({"stream_id": ["s", "s"], "event_type": ["T", "T"], "occurred_at": far, "offset": [0, 1]})
    decoded = decode_chunk(MappedChunk(rows=rows), CONTEXT)
    assert [(one.offset, one.reason) for one in decoded.rejections] == [(0, "malformed_time")]


def test_metadata_that_needs_care_is_kept() -> None:
    changes = [{"metadata": '{"salt":"mine"}'}, {"metadata": '{"\\u00e9":"\\u00e9"}'}, {"metadata": "null"}]
    found = decode(*changes, {"metadata": None}).events.to_pylist()
    texts = [json.loads(row["metadata"]) for row in found]
    assert [text.pop("salt") for text in texts] == [row["salt"].hex() for row in found]
    assert texts == [{"source_salt": "mine"}, {"\u00e9": "\u00e9"}, {}, {}]


def test_the_kind_of_the_raw_bytes_is_the_sources() -> None:
    rows = pa.table({"stream_id": pa.nulls(1, pa.string()), "raw": [b"x;y"], "offset": [9]})
    rows = rows.replace_schema_metadata({"media_type": "text/csv"})
    [rejection] = decode_chunk(MappedChunk(rows=rows), CONTEXT).rejections
    assert (rejection.media_type, rejection.raw, rejection.offset) == ("text/csv", b"x;y", 9)


def test_raw_bytes_are_read_like_a_list() -> None:
    column = RawColumn(pa.table({"raw": ["a", None, "c"]}))
    assert column[0:3:2] == [b"a", b"c"]
    assert [len(column), column[1]] == [3, b""]
    assert RawColumn(pa.table({"offset": [1]}))[0] == b""


def test_no_rows_are_no_events() -> None:
    rows = pa.table({"stream_id": pa.array([], pa.string()), "offset": pa.array([], pa.int64())})
    assert decode_chunk(MappedChunk(rows=rows), CONTEXT).events.num_rows == 0


class Rows:
    """Chunks of rows, some without an id."""

    def __init__(self, size: int) -> None:
        self.size = size

    def chunks(self) -> Iterator[MappedChunk]:
        ids = [f"e{at}" if at < 4 else None for at in range(20)]
        rows = pa.table(
            {
                "event_id": pa.array(ids, pa.string()),
                "source": pa.array([None, "s"] * 10, pa.string()),
                "stream_id": [f"s{at % 3}" for at in range(20)],
                "event_type": ["T"] * 20,
                "occurred_at": [ROW["occurred_at"]] * 20,
                "offset": list(range(20)),
            }
        )
        for at in range(0, 20, self.size):
            yield MappedChunk(rows=rows.slice(at, self.size))


def test_ids_do_not_depend_on_the_size_of_chunks() -> None:
    found = [
        [one for part in decode_source(Rows(size), CONTEXT, workers=1) for one in part.events["event_id"].to_pylist()]
        for size in (1, 3, 20)
    ]
    assert found[0] == found[1] == found[2]
    assert len(set(found[0])) == 20
    assert found[0][:4] == ["e0", "e1", "e2", "e3"]


def test_rows_that_share_a_metadata_text_read_as_if_each_had_its_own() -> None:
    texts = ['{"trace": {"a": 1.50}}', '{"salt": 1}', "{1}", "7", None, "{}"]
    codes = [0, 0, None, 1, 2, 3, 4, 5, 1, 0]
    changes = [{"event_id": None, "offset": at, "metadata": None} for at in range(len(codes))]
    plain = [
        {**change, "metadata": None if code is None else texts[code]}
        for change, code in zip(changes, codes, strict=True)
    ]
    shared = pa.DictionaryArray.from_arrays(pa.array(codes, pa.int32()), pa.array(texts))
    rows = pa.table(
        {
            name: pa.array([{**ROW, **one}[name] for one in plain], pa.string() if name in TEXTS else None)
            for name in ROW
        }
    )
    both = [
        decode_chunk(MappedChunk(rows=table), CONTEXT, indexes=list(range(len(codes))))
        for table in (rows, rows.set_column(rows.column_names.index("metadata"), "metadata", shared))
    ]
    alone, together = ([{**json.loads(row["metadata"]), "salt": ""} for row in one.events.to_pylist()] for one in both)
    assert together == alone
    assert together[0] == {"salt": "", "trace": {"a": 1.5}}
    assert together[3] == {"salt": "", "source_salt": 1}
    assert both[0].events["event_id"].to_pylist() == both[1].events["event_id"].to_pylist()
    assert len(set(both[0].events["event_id"].to_pylist())) == len(codes) - 2
    assert [one.offset for one in both[1].rejections] == [4, 5]
    assert both[0].rejections == both[1].rejections
