"""Parquet through a mapping: every row, in the file's order, its payload as it was written."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from workbench.errors import MappingError, SourceError
from workbench.sources.mapping import load_mapping, read_mapping
from workbench.sources.parquet import ParquetSource

NEEDED = {"stream_id": "s", "event_type": "t", "occurred_at": "moment"}


def write_rows(folder: Path, **columns: Any) -> Path:
    count = len(next(iter(columns.values())))
    defaults: dict[str, Any] = {
        "s": [f"stream-{number % 7}" for number in range(count)],
        "t": ["Sent"] * count,
        "moment": [datetime(2026, 1, 1, tzinfo=UTC)] * count,
    }
    path = folder / "rows.parquet"
    pq.write_table(pa.table(defaults | columns), path, row_group_size=40_000)
    return path


def read_rows(path: Path, **content: Any) -> list[dict[str, Any]]:
    mapping = read_mapping({"columns": NEEDED} | content)
    return [row for chunk in ParquetSource(path, mapping=mapping).chunks() for row in chunk.rows.to_pylist()]


def test_rows_keep_the_order_of_the_file_over_row_groups_and_batches(tmp_path: Path) -> None:
    count = 130_000
    path = write_rows(tmp_path, n=[(number * 7919) % count for number in range(count)])
    rows = read_rows(path, data={"n": "n"})
    assert [row["data"] for row in rows] == [f'{{"n":{(number * 7919) % count}}}' for number in range(count)]
    assert [row["offset"] for row in rows] == list(range(count))
    assert [row["line"] for row in rows[:2]] == [1, 2]


def test_numbers_and_json_keep_their_text_in_the_payload(tmp_path: Path) -> None:
    path = write_rows(
        tmp_path,
        big=[9_007_199_254_740_993],
        money=[Decimal("1.10")],
        tiny=[4.724608866096179e-22],
        odd=[float("nan")],
        text=['{"x": 1.50, "y": 12345678901234567890123}'],
        nothing=pa.array([None], pa.string()),
        raw_bytes=[b"\x00\xff"],
        items=[[1, 2]],
        quoted=['a"b\\'],
    )
    members = {"big": "big", "money": "money", "tiny": "tiny", "odd": "odd", "text": "text::json", "nothing": "nothing"}
    members |= {"bytes": "raw_bytes", "items": "items", "quo\"ted'": "quoted"}
    (row,) = read_rows(path, data=members)
    assert row["data"] == (
        '{"big":9007199254740993,"money":1.10,"tiny":4.724608866096179e-22,"odd":"nan",'
        '"text":{"x": 1.50, "y": 12345678901234567890123},"bytes":"AP8=","items":[1,2],"quo\\"ted\'":"a\\"b\\\\"}'
    )


def test_an_expression_may_give_the_whole_payload_or_the_metadata(tmp_path: Path) -> None:
    path = write_rows(tmp_path, n=[1])
    columns = NEEDED | {"data": "'{\"x\": 1.50}'", "metadata": "{'origin': s}", "schema_version": "2"}
    (row,) = read_rows(path, columns=columns)
    assert (row["data"], row["metadata"]) == ('{"x": 1.50}', '{"origin":"stream-0"}')
    assert row["schema_version"] == "2"
    (row,) = read_rows(path, metadata={"origin": "s", "number": "n"})
    assert row["metadata"] == '{"origin":"stream-0","number":1}'


@pytest.mark.parametrize("expression", ["s + n", "upper(n, 1)", "n.x", "make_timestamptz(s)"])
def test_an_expression_of_types_that_do_not_go_together_is_refused(tmp_path: Path, expression: str) -> None:
    with pytest.raises(MappingError, match=r"data\.x.*does not fit the input.*Its columns are s, t, moment, n"):
        read_rows(write_rows(tmp_path, n=[1]), data={"x": expression})


def test_without_a_payload_of_its_own_a_mapping_keeps_every_column(tmp_path: Path) -> None:
    (row,) = read_rows(write_rows(tmp_path, extra=[5]))
    assert json.loads(row["data"]) == {"s": "stream-0", "t": "Sent", "moment": "2026-01-01 00:00:00+00", "extra": 5}
    assert json.loads(row["raw"]) == json.loads(row["data"])


def test_columns_that_bear_the_logs_names_need_no_mapping(tmp_path: Path) -> None:
    path = tmp_path / "named.parquet"
    times = [datetime(2026, 1, 1, tzinfo=UTC)]
    pq.write_table(pa.table({"stream_id": ["a"], "event_type": ["Sent"], "occurred_at": times, "amount": [5]}), path)
    (chunk,) = ParquetSource(path).chunks()
    assert chunk.rows.select(["stream_id", "event_type", "data"]).to_pylist() == [
        {"stream_id": "a", "event_type": "Sent", "data": '{"amount":5}'}
    ]


def test_other_columns_without_a_mapping_are_refused_with_their_names(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match="no column stream_id, event_type, occurred_at; it has s, t, moment, n"):
        list(ParquetSource(write_rows(tmp_path, n=[1])).chunks())


def test_a_row_on_which_an_expression_fails_stays_as_a_row_with_its_fault(tmp_path: Path) -> None:
    path = write_rows(tmp_path, n=["1", "two", "3", "four"])
    rows = read_rows(path, data={"n": "n::integer"})
    assert [row["data"] for row in rows] == ['{"n":1}', None, '{"n":3}', None]
    assert [row["stream_id"] for row in rows] == ["stream-0", None, "stream-2", None]
    assert "Could not convert string 'two'" in rows[1]["fault"]
    assert "Could not convert string 'four'" in rows[3]["fault"]
    assert json.loads(rows[1]["raw"])["n"] == "two"
    assert [row["occurred_at"] for row in rows][::2] == [datetime(2026, 1, 1, tzinfo=UTC)] * 2


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("nowhere", "names nowhere, which the input does not have"),
        ("(s", "is not a SQL expression"),
        ("1 from read_csv('/etc/passwd')", "is not a SQL expression"),
        ("s) from read_text('/etc/passwd') where (true", "is more than one scalar expression"),
        ("s), (t", "is more than one scalar expression"),
        ("(select content from read_text('/etc/passwd'))", "subquery"),
        ("exists (from glob('/*'))", "subquery"),
        ("count(*)", "calls count_star"),
        ("max(s)", "calls max"),
        ("row_number() over ()", "window"),
        ("unnest([s, t])", "calls unnest"),
        ("columns(*)", "star"),
        ("*", "is"),
        ("getenv('HOME')", "calls getenv"),
        ("current_setting('home_directory')", "calls current_setting"),
        ("uuid()", "calls uuid"),
        ("now()", "calls now"),
        ("current_date", "names current_date"),
        ("random()", "calls random"),
        ("nextval('x')", "calls nextval"),
        ("age(moment)", "calls age"),
        ("pg_catalog.pg_get_viewdef(1)", "calls pg_get_viewdef"),
        ("$1", "parameter"),
        ("#1", "positional reference"),
        ("s; drop table batch", "is not a SQL expression"),
        ("read_text('/etc/passwd')", "calls read_text"),
        ("current_database()", "calls current_database"),
    ],
)
def test_an_expression_that_is_not_scalar_and_repeatable_is_refused(tmp_path: Path, expression: str, said: str) -> None:
    with pytest.raises(MappingError) as refusal:
        read_rows(write_rows(tmp_path, n=[1]), data={"x": expression})
    assert said in str(refusal.value)
    assert "columns: s, t, moment, n" in str(refusal.value)


@pytest.mark.parametrize(
    "expression",
    [
        "case when n > 0 then 'x' else lower(s) end",
        "nullif(s, '') -- and a comment",
        "list_transform([n], lambda x: x + 1)[1]",
        "s like 'stream%' and n between 1 and 2 or n in (1, 2) or s is null",
        "regexp_replace(s, 'a', 'b')",
        "coalesce(null, s)",
        "('{\"a\": 1}')::json ->> '$.a'",
        "date_trunc('day', moment at time zone 'Europe/Amsterdam')",
        "{'a': n, 'b': s}",
        "extract(year from moment)",
        "split_part(s, '-', 1)",
        '"S"',
    ],
)
def test_scalar_expressions_run(tmp_path: Path, expression: str) -> None:
    (row,) = read_rows(write_rows(tmp_path, n=[1]), data={"x": expression})
    assert row["data"].startswith('{"x":')


@pytest.mark.parametrize("expression", ["n", "date '2026-01-01'", "moment at time zone 'UTC'"])
def test_a_time_without_a_zone_is_refused_with_what_would_do(tmp_path: Path, expression: str) -> None:
    mapping = read_mapping({"columns": NEEDED | {"occurred_at": expression}})
    with pytest.raises(MappingError, match=r"no time with a zone.*make_timestamptz"):
        list(ParquetSource(write_rows(tmp_path, n=[1]), mapping=mapping).chunks())


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"columns": NEEDED | {"payload": "n"}}, "'payload', which is unknown. Possible are event_id, source"),
        ({"columns": {"stream_id": "s"}}, "does not map event_type"),
        ({"columns": NEEDED | {"data": "n"}, "data": {}}, "gives data twice"),
        ({"columns": NEEDED, "colums": {}}, "'colums', which is unknown"),
        ({"columns": NEEDED | {"event_id": 5}}, "each expression a string"),
        ({"columns": NEEDED, "format": "xlsx"}, "'xlsx'. Possible are parquet, csv, jsonlines, avro"),
        ({"columns": NEEDED, "csv": {"delimiter": ";;"}}, "one ASCII character"),
        ({"columns": NEEDED, "csv": {"header": False}}, "must name the columns"),
        ({"columns": NEEDED, "csv": {"sep": ";"}}, "delimiter, quote, header, columns"),
    ],
)
def test_a_mapping_that_is_not_valid_is_refused_with_the_word_at_fault(content: dict[str, Any], said: str) -> None:
    with pytest.raises(MappingError) as refusal:
        read_mapping(content)
    assert said in str(refusal.value)


def test_a_mapping_file_that_is_absent_or_no_toml_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match=r"cannot be read: No such file"):
        load_mapping(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("stream_id: x")
    with pytest.raises(MappingError, match="is not TOML"):
        load_mapping(tmp_path / "bad.toml")


def test_a_parquet_file_cut_short_is_refused(tmp_path: Path) -> None:
    path = write_rows(tmp_path, n=[1])
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(SourceError, match="not whole or not Parquet"):
        read_rows(path)


@pytest.mark.data
def test_the_writing_sessions_give_their_published_counts(shared_data: Path, repository: Path) -> None:
    mapping = load_mapping(repository / "datasets/mappings/coauthor.toml")
    source = ParquetSource(shared_data / "coauthor-argumentative/events.parquet", mapping=mapping)
    names = ["event_id", "stream_id", "event_type", "occurred_at", "actor_kind", "data"]
    events = pa.concat_tables([chunk.rows.select(names) for chunk in source.chunks()])
    counts = {row["values"]: row["counts"] for row in events["event_type"].value_counts().to_pylist()}
    assert events.num_rows == 1_069_788
    assert len(events["stream_id"].unique()) == 615
    assert counts["text-insert"] == 916_444
    assert counts["text-delete"] == 78_918
    assert counts["suggestion-hover"] == 31_170
    assert counts["suggestion-get"] == 7_050
    assert counts["suggestion-open"] == 6_348
    assert counts["suggestion-select"] == 4_649
    assert events["occurred_at"].null_count == events["actor_kind"].null_count == 0
    stored = pq.read_table(
        source.path, columns=["session_id", "event_num", "current_suggestions", "event_timestamp_ms"]
    )
    numbers = stored["event_num"].cast(pa.large_string())
    ids = pc.binary_join_element_wise(stored["session_id"], numbers, pa.scalar("/", pa.large_string())).cast(
        pa.string()
    )
    assert events["event_id"].equals(ids)
    milliseconds = pc.divide(events["occurred_at"].cast(pa.int64()), 1_000)
    assert milliseconds.equals(stored["event_timestamp_ms"])
    suggested = stored["current_suggestions"].filter(pc.not_equal(stored["current_suggestions"], "")).to_pylist()
    payloads = events["data"].filter(pc.match_substring(events["data"], '"current_suggestions":')).to_pylist()
    assert all(f'"current_suggestions":{text},' in data for text, data in zip(suggested, payloads, strict=True))
