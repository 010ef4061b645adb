"""CSV: each row an event or a row with its fault, with the very bytes it stood as."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import SourceError
from workbench.sources.delimited import CsvSource
from workbench.sources.mapping import load_mapping, read_mapping

HEADER = "id,stream,kind,moment\n"
COLUMNS = {"event_id": "id", "stream_id": "stream", "event_type": "kind", "occurred_at": "moment"}


def read_rows(path: Path, **content: Any) -> list[dict[str, Any]]:
    mapping = read_mapping({"columns": COLUMNS, **content})
    return [row for chunk in CsvSource(path, mapping=mapping).chunks() for row in chunk.rows.to_pylist()]


def write_text(folder: Path, text: str) -> Path:
    path = folder / "rows.csv"
    path.write_bytes(text.encode())
    return path


def test_every_row_has_its_bytes_its_offset_and_its_line(tmp_path: Path) -> None:
    path = write_text(tmp_path, HEADER + '1,a,"two\nlines",2026-01-01T00:00:00Z\r\n\n2,ü,Sent,2026-01-02T00:00:00Z')
    rows = read_rows(path)
    assert [(row["event_type"], row["line"]) for row in rows] == [("two\nlines", 2), ("Sent", 5)]
    assert [row["occurred_at"] for row in rows] == ["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"]
    content = path.read_bytes()
    assert [content[row["offset"] :].startswith(row["raw"]) for row in rows] == [True, True]
    assert rows[1]["raw"] == "2,ü,Sent,2026-01-02T00:00:00Z".encode()
    assert json.loads(rows[1]["data"]) == {"id": "2", "stream": "ü", "kind": "Sent", "moment": "2026-01-02T00:00:00Z"}


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        (b"1,a,Sent", "the row has 3 fields, the header 4"),
        (b"1,a,Sent,2026-01-01T00:00:00Z,more", "the row has 5 fields, the header 4"),
        (b'1,a,"Sent"x,2026-01-01T00:00:00Z', "the row is not CSV: ',' expected after '\"'"),
        (b"1,a,S\xffnt,2026-01-01T00:00:00Z", "the row is not UTF-8"),
        (b"1,a,S\rnt,2026-01-01T00:00:00Z", "the row is not CSV: new-line character"),
    ],
)
def test_a_row_that_is_not_as_the_header_says_keeps_its_bytes_and_its_place(
    tmp_path: Path, row: bytes, fault: str
) -> None:
    path = tmp_path / "rows.csv"
    good = b"2,b,Sent,2026-01-02T00:00:00Z\n"
    path.write_bytes(HEADER.encode() + good + row + b"\n" + good)
    rows = read_rows(path)
    assert [found["stream_id"] for found in rows] == ["b", None, "b"]
    assert rows[1]["raw"] == row
    assert rows[1]["fault"].startswith(fault)
    assert rows[0]["fault"] is rows[2]["fault"] is None


def test_a_quote_that_is_never_closed_takes_the_rest_as_one_faulty_row(tmp_path: Path) -> None:
    rows = read_rows(write_text(tmp_path, HEADER + '1,a,"Sent,x\n2,b,Sent,y\n'))
    assert [(row["raw"], row["fault"]) for row in rows] == [
        (b'1,a,"Sent,x\n2,b,Sent,y', "the row is not CSV: unexpected end of data")
    ]


@pytest.mark.parametrize("compress", [gzip.compress, zstandard.compress])
def test_a_compressed_file_reads_the_same(tmp_path: Path, compress: Any) -> None:
    plain = write_text(tmp_path, HEADER + "1,a,Sent,2026-01-01T00:00:00Z\n" * 3)
    packed = tmp_path / "packed"
    packed.write_bytes(compress(plain.read_bytes()))
    assert read_rows(packed) == read_rows(plain)


def test_a_delimiter_a_quote_and_missing_names_can_be_given(tmp_path: Path) -> None:
    path = write_text(tmp_path, "\ufeff1;'a;b';Sent;2026-01-01T00:00:00Z\n")
    form = {"delimiter": ";", "quote": "'", "header": False, "columns": ["id", "stream", "kind", "moment"]}
    assert [(row["event_id"], row["stream_id"]) for row in read_rows(path, csv=form)] == [("1", "a;b")]


@pytest.mark.parametrize(("header", "said"), [("id,ID,kind\n", "'id'"), ("id,,kind\n", "''"), ("\n", "no line")])
def test_a_header_that_does_not_name_the_columns_is_refused(tmp_path: Path, header: str, said: str) -> None:
    with pytest.raises(SourceError, match=said):
        read_rows(write_text(tmp_path, header))


def test_a_file_cut_off_in_its_compressed_bytes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv.gz"
    path.write_bytes(gzip.compress((HEADER + "1,a,Sent,x\n" * 1_000).encode())[:-9])
    with pytest.raises(SourceError, match="truncated"):
        read_rows(path)


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\r\x00"), max_size=8)


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(st.tuples(TEXTS, TEXTS, TEXTS), min_size=1, max_size=8))
def test_quoted_text_comes_back_as_it_was(tmp_path_factory: pytest.TempPathFactory, rows: Any) -> None:
    def quote(text: str) -> str:
        return '"' + text.replace('"', '""') + '"'

    lines = [",".join(quote(cell) for cell in ("1", *row)) for row in rows]
    path = write_text(tmp_path_factory.mktemp("csv"), HEADER + "\n".join(lines))
    read = [(row["stream_id"], row["event_type"], row["occurred_at"]) for row in read_rows(path)]
    assert read == rows


def test_the_example_mapping_reads_its_example(tmp_path: Path, repository: Path) -> None:
    path = write_text(tmp_path, "when;account;what;amount\n2026-01-01 09:00:00;7;MoneyDeposited;1.50\n")
    mapping = load_mapping(repository / "datasets/mappings/example-csv.toml")
    ((row,),) = [chunk.rows.to_pylist() for chunk in CsvSource(path, mapping=mapping).chunks()]
    assert row["stream_id"] == "account-7"
    assert row["occurred_at"].isoformat() == "2026-01-01T08:00:00+00:00"
    assert row["data"] == '{"amount":1.50}'
