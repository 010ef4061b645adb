from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from workbench.errors import MappingError
from workbench.session import connect
from workbench.sources.delimited import CsvSource
from workbench.sources.documents import DocumentSource
from workbench.sources.mapping import Mapping, read_mapping
from workbench.sources.parquet import ParquetSource

COLUMNS = {"stream_id": "case_id", "event_type": "'Seen'", "occurred_at": "'2026-01-01T00:00:00Z'"}
LOOKUP = {"file": "cases.csv", "on": "case_id", "columns": {"owner": "who"}}
ROWS = pa.table({"case_id": ["a", "b", None, "a"], "n": [1, 2, 3, 4]})


def make_mapping(**tables: Any) -> Mapping:
    return read_mapping({"columns": COLUMNS | {"actor_id": "coalesce(owner, 'nobody')"}, "lookup": LOOKUP, **tables})


def read_rows(folder: Path, mapping: Mapping) -> list[dict[str, Any]]:
    path = folder / "rows.parquet"
    pq.write_table(ROWS, path)
    return [row for chunk in ParquetSource(path, mapping=mapping).chunks() for row in chunk.rows.to_pylist()]


def test_what_a_second_file_says_of_a_key_stands_beside_its_rows(tmp_path: Path) -> None:
    (tmp_path / "cases.csv").write_text('case_id,who,"a, b"\na,ann,1\nb,,2\n')
    rows = read_rows(tmp_path, make_mapping())
    assert [row["actor_id"] for row in rows] == ["ann", "nobody", "nobody", "ann"]
    # The record itself, and a payload that a mapping does not give, hold the input's columns alone.
    assert rows[0]["raw"] == b'{"case_id":"a","n":1}'
    assert rows[0]["data"] == '{"case_id":"a","n":1}'


def test_without_the_second_file_its_columns_are_null(tmp_path: Path) -> None:
    assert {row["actor_id"] for row in read_rows(tmp_path, make_mapping())} == {"nobody"}


def test_a_second_file_may_be_parquet_and_name_its_key_otherwise(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": ["a"], "who": ["ann"]}), tmp_path / "cases.parquet")
    lookup = LOOKUP | {"file": "cases.parquet", "on": {"case_id": "id"}}
    rows = read_rows(tmp_path, make_mapping(lookup=lookup))
    assert [row["actor_id"] for row in rows] == ["ann", "nobody", "nobody", "ann"]


def test_lines_of_json_are_joined_too(tmp_path: Path) -> None:
    (tmp_path / "cases.csv").write_text("case_id,who\na,ann\n")
    path = tmp_path / "rows.jsonl"
    path.write_text('{"case_id":"a"}\n{"case_id":"b"}\n')
    chunks = DocumentSource(path, mapping=make_mapping()).chunks()
    assert [row["actor_id"] for chunk in chunks for row in chunk.rows.to_pylist()] == ["ann", "nobody"]


@pytest.mark.parametrize(
    ("text", "lookup", "words"),
    [
        ("case_id,who\na,x\na,y\n", {}, "'a' twice"),
        ("case_id,what\na,x\n", {}, "no column who"),
        ("", {}, "cannot be read"),
        ("case_id,who\n", {"on": {"nr": "case_id"}}, "nr, which is no column of the input"),
        ("case_id,who\n", {"columns": {"n": "who"}}, "n, which is a column of the input already"),
    ],
)
def test_a_second_file_that_does_not_fit_is_refused(tmp_path: Path, text: str, lookup: Any, words: str) -> None:
    (tmp_path / "cases.csv").write_text(text)
    with pytest.raises(MappingError, match=words):
        read_rows(tmp_path, make_mapping(lookup=LOOKUP | lookup))


def test_a_second_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "cases.txt").write_text("x")
    with pytest.raises(MappingError, match=r"neither \.csv nor \.parquet"):
        read_rows(tmp_path, make_mapping(lookup=LOOKUP | {"file": "cases.txt"}))


@pytest.mark.parametrize(
    ("tables", "words"),
    [
        ({"lookup": {"file": "x.csv"}}, "lookup"),
        ({"lookup": LOOKUP | {"file": "../x.csv"}}, "one file beside the input"),
        ({"lookup": LOOKUP | {"on": {}}}, "one column"),
        ({"lookup": LOOKUP | {"columns": {}}}, "at least one"),
        ({"expand": {"columns": {}}}, "expand is no list of tables"),
        ({"expand": [{"colums": {}}]}, "'colums', which is unknown"),
        ({"expand": [{"columns": {"kind": "'x'"}}]}, "maps the column 'kind'"),
    ],
)
def test_tables_that_cannot_be_meant_are_refused(tables: Any, words: str) -> None:
    with pytest.raises(MappingError, match=words):
        read_mapping({"columns": COLUMNS, **tables})


TWICE = [
    {"columns": {"event_type": "'Proposed'"}, "data": {"one": "n"}},
    {"columns": {"event_type": "'Decided'"}, "data": {"other": "n"}},
]


def test_a_row_makes_its_events_one_after_another(tmp_path: Path) -> None:
    mapping = read_mapping({"columns": COLUMNS, "data": {"case": "case_id"}, "expand": TWICE})
    rows = read_rows(tmp_path, mapping)
    assert [row["event_type"] for row in rows] == ["Proposed", "Decided"] * 4
    assert [row["data"] for row in rows[:2]] == ['{"case":"a","one":1}', '{"case":"a","other":1}']
    assert [row["offset"] for row in rows] == list(range(8))
    assert [row["line"] for row in rows[:4]] == [1, 1, 2, 2]


def test_a_row_with_a_fault_is_as_many_rejections_as_it_would_be_events(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("case_id,n\na,1\nb\nc,3\n")
    columns = COLUMNS | {"event_id": "case_id || n"}
    mapping = read_mapping({"columns": columns, "expand": TWICE})
    rows = [row for chunk in CsvSource(path, mapping=mapping).chunks() for row in chunk.rows.to_pylist()]
    assert [row["fault"] is None for row in rows] == [True, True, False, False, True, True]
    written = [f'{name} = "{text}"' for name, text in COLUMNS.items()]
    kinds = [f"[[expand]]\ncolumns = {{ event_type = \"'{kind}'\" }}" for kind in ("Proposed", "Decided")]
    (tmp_path / "mapping.toml").write_text("\n".join(["[columns]", *written, *kinds]))
    with connect(tmp_path / "log") as session:
        report = session.ingest(path, mapping=tmp_path / "mapping.toml")
        assert (report.read, report.appended, report.quarantined) == (6, 4, 2)


def test_an_expression_that_fails_for_one_event_leaves_the_other(tmp_path: Path) -> None:
    fails = [TWICE[0], {"columns": {"event_type": "cast(cast('x' || n as integer) as varchar)"}}]
    rows = read_rows(tmp_path, read_mapping({"columns": COLUMNS, "expand": fails}))
    assert [row["fault"] is None for row in rows] == [True, False] * 4


def test_lines_of_json_make_several_events_too(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"case_id":"a","n":1}\n')
    chunks = DocumentSource(path, mapping=read_mapping({"columns": COLUMNS, "expand": TWICE})).chunks()
    assert [row["data"] for chunk in chunks for row in chunk.rows.to_pylist()] == ['{"one":"1"}', '{"other":"1"}']
