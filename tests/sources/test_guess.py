"""A source is told by its content, can be named, and what cannot be read is said in one sentence."""

import gzip
import os
import sqlite3
from contextlib import closing
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path
from typing import Any

import fastavro
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from workbench.errors import MappingError, SourceError
from workbench.sources import guess, list_formats, load_mapping, open_source
from workbench.sources.xes import XesSource

CLOUDEVENT = '{"specversion": "1.0", "id": "1", "source": "s", "type": "t", "subject": "a"}'
NAMED = '{"event_id": "1", "stream_id": "a", "event_type": "t", "occurred_at": "2026-01-01T00:00:00Z"}'
TEXTS = {
    "xes": '<?xml version="1.0"?>\n<!-- a comment with <html> -->\n<log></log>',
    "cloudevents": CLOUDEVENT + "\n" + CLOUDEVENT,
    "jsonlines": "\n  " + NAMED,
    "csv": "stream_id,event_type,occurred_at\na,t,2026-01-01T00:00:00Z\n",
    "agents": '{"messages": [{"role": "user", "content": "Hello"}]}\n',
}


def write_kind(folder: Path, kind: str) -> Path:
    path = folder / "file.bin"
    if kind == "parquet":
        pq.write_table(pa.table({"stream_id": ["a"]}), path)
    elif kind == "avro":
        with path.open("wb") as file:
            fastavro.writer(file, {"type": "record", "name": "R", "fields": []}, [{}])
    elif kind == "ocel":
        path.unlink(missing_ok=True)
        with closing(sqlite3.connect(path)) as database:
            database.execute("create table event_map_type(ocel_type text, ocel_type_map text)")
            database.commit()
    else:
        path.write_text(TEXTS[kind], encoding="utf-8")
    return path


@pytest.mark.parametrize("kind", [*TEXTS, "parquet", "avro", "ocel"])
def test_the_content_tells_the_kind_whatever_the_name_says(tmp_path: Path, kind: str) -> None:
    assert open_source(write_kind(tmp_path, kind)).format == kind


@pytest.mark.parametrize("compress", [gzip.compress, zstandard.compress])
@pytest.mark.parametrize("kind", [*TEXTS, "ocel"])
def test_compressed_content_is_looked_into(tmp_path: Path, kind: str, compress: Any) -> None:
    path = write_kind(tmp_path, kind)
    path.write_bytes(compress(path.read_bytes()))
    assert open_source(path).format == kind


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("[" + CLOUDEVENT + "]", "cloudevents"),
        ("\ufeff" + CLOUDEVENT, "cloudevents"),
        ('<x:log xmlns:x="http://www.xes-standard.org/">', "xes"),
        ('<?xml version="1.0" encoding="UTF-16"?><log/>', "xes"),
        ("<!DOCTYPE log [<!ENTITY a 'b'>]><log/>", "xes"),
        ("<html>", None),
        ("[1, 2]", None),
        ('{\n  "a": 1\n}', None),
        ('{"a": \n{"a": 1}', "jsonlines"),
        ("just text", None),
    ],
)
def test_forms_of_a_kind_are_recognised(text: str, kind: str | None) -> None:
    assert guess.recognise(text.encode()) == kind


def test_text_in_utf_16_and_latin_1_is_recognised() -> None:
    assert guess.recognise('<?xml version="1.0"?><log/>'.encode("utf-16")) == "xes"
    assert guess.recognise('<?xml version="1.0"?><!-- Zoë --><log/>'.encode("latin-1")) == "xes"


def test_a_character_cut_off_at_the_end_of_the_head_is_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "long"
    path.write_bytes(("{" + " " * (guess.HEAD - 3) + "éé").encode())
    assert open_source(path).format == "jsonlines"


def test_a_file_of_unknown_kind_is_refused_with_the_kinds_there_are(tmp_path: Path) -> None:
    path = tmp_path / "noise.xes"
    path.write_bytes(b"\x7fELF\x00\x01\x02")
    with pytest.raises(
        SourceError, match=r"7f 45 4c 46.*cloudevents, jsonlines, xes, csv, parquet, avro, ocel, agents"
    ):
        open_source(path)


def test_an_absent_an_empty_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="does not exist"):
        open_source(tmp_path / "none")
    with pytest.raises(SourceError, match="is a directory"):
        open_source(tmp_path)
    (tmp_path / "empty").touch()
    with pytest.raises(SourceError, match="is empty"):
        open_source(tmp_path / "empty")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_refused(tmp_path: Path) -> None:
    path = write_kind(tmp_path, "xes")
    path.chmod(0)
    with pytest.raises(SourceError, match="may not be read"):
        open_source(path)


@pytest.mark.parametrize(
    ("kind", "named"), [("csv", "parquet"), ("parquet", "csv"), ("jsonlines", "xes"), ("xes", "avro"), ("ocel", "csv")]
)
def test_a_file_of_another_kind_than_named_is_refused(tmp_path: Path, kind: str, named: str) -> None:
    with pytest.raises(SourceError, match=f"named as {named}, but its content is {kind}"):
        open_source(write_kind(tmp_path, kind), format=named)


def test_a_format_can_be_named_and_an_unknown_one_is_refused(tmp_path: Path) -> None:
    path = write_kind(tmp_path, "cloudevents")
    assert open_source(path, format="jsonlines").format == "jsonlines"
    with pytest.raises(SourceError, match=r"There is no format 'xlsx'\. Possible are cloudevents"):
        open_source(path, format="xlsx")


def test_a_mapping_goes_with_tables_and_json_lines_only(tmp_path: Path) -> None:
    mapping = tmp_path / "m.toml"
    mapping.write_text('[columns]\nstream_id = "stream_id"\nevent_type = "event_type"\noccurred_at = "occurred_at"\n')
    for kind in ("csv", "jsonlines"):
        (chunk,) = open_source(write_kind(tmp_path, kind), mapping=mapping).chunks()
        assert chunk.rows["stream_id"].to_pylist() == ["a"]  # type: ignore[union-attr]  # a mapped chunk
    for kind in ("xes", "cloudevents", "ocel"):
        with pytest.raises(MappingError, match="Leave it out"):
            open_source(write_kind(tmp_path, kind), mapping=str(mapping))
    assert open_source(write_kind(tmp_path, "csv"), mapping=load_mapping(mapping)).format == "csv"


def test_parquet_inside_of_gzip_is_refused_with_what_to_do(tmp_path: Path) -> None:
    path = write_kind(tmp_path, "parquet")
    path.write_bytes(gzip.compress(path.read_bytes()))
    with pytest.raises(SourceError, match="Decompress it first"):
        open_source(path)


class LineSource(XesSource):
    """A stand-in for what a third party would write."""

    @staticmethod
    def recognises(head: bytes) -> bool:
        return head.startswith(b"LINE")


def test_a_third_party_adds_a_format_by_an_entry_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    point = EntryPoint(name="lines", value=f"{__name__}:LineSource", group=guess.GROUP)
    monkeypatch.setattr(EntryPoint, "load", lambda _: LineSource)
    monkeypatch.setattr(guess, "entry_points", lambda group: EntryPoints([point]).select(group=group))
    path = tmp_path / "x"
    path.write_text("LINE 1")
    assert isinstance(open_source(path), LineSource)
    assert isinstance(open_source(path, format="lines"), LineSource)
    assert list_formats()[-1] == "lines"
