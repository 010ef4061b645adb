import gzip
import json
from pathlib import Path

import pytest
import zstandard

from workbench.errors import SourceError
from workbench.sources import batches, cloudevents, jsonlines
from workbench.sources.base import FileLines, LineChunk, RecordChunk
from workbench.sources.cloudevents import CloudEvents


def make_event(at: int) -> bytes:
    record = {"specversion": "1.0", "id": f"e{at}", "source": "/s", "type": "T", "data": {"a": ['"]}', {"b": "\\"}]}}
    return json.dumps(record).encode()


EVENTS = [make_event(at) for at in range(50)]
LINES = b"\n".join(EVENTS) + b"\n"
BATCH = b" [" + b" ,\r\n ".join(EVENTS) + b"\n]\n"


def read(path: Path) -> list[RecordChunk | LineChunk | FileLines]:
    return list(CloudEvents(path).chunks())


def raws_of(chunks: list[RecordChunk | LineChunk | FileLines]) -> list[bytes]:
    return [raw for chunk in chunks for raw in chunk.raws]


def write(folder: Path, content: bytes) -> Path:
    path = folder / "events"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("content", [LINES, BATCH, EVENTS[0], json.dumps(json.loads(EVENTS[0]), indent=2).encode()])
@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstandard.compress])
def test_every_shape_is_read_from_every_compression(content: bytes, pack: object, tmp_path: Path) -> None:
    packed = pack(content)  # type: ignore[operator]  # three functions of bytes
    chunks = read(write(tmp_path, packed))
    raws = raws_of(chunks)
    assert [json.loads(raw)["id"] for raw in raws] == [f"e{at}" for at in range(len(raws))]
    assert len(raws) in (1, 50)
    offsets = [offset for chunk in chunks for offset in chunk.offsets]
    assert all(content[offset : offset + len(raw)] == raw for raw, offset in zip(raws, offsets, strict=True))


@pytest.mark.parametrize("size", [1, 2, 7, 100, 1000])
@pytest.mark.parametrize("content", [LINES, BATCH])
def test_where_chunks_end_changes_nothing(
    content: bytes, size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path, content)
    whole = list(CloudEvents(path).records())
    for module in (jsonlines, batches):
        monkeypatch.setattr(module, "CHUNK", size)
    assert list(CloudEvents(path).records()) == whole


def test_lines_are_numbered_and_empty_ones_passed_over(tmp_path: Path) -> None:
    content = b"\n  \n" + EVENTS[0] + b"\r\n\n" + EVENTS[1]
    records = list(CloudEvents(write(tmp_path, content)).records())
    assert [(record.line, record.raw.strip()) for record in records] == [(3, EVENTS[0]), (5, EVENTS[1])]
    assert [content[record.offset :].startswith(record.raw) for record in records] == [True, True]


def test_a_name_is_the_files_unless_given(tmp_path: Path) -> None:
    assert CloudEvents(tmp_path / "a.ndjson").name == "a.ndjson"
    assert CloudEvents(tmp_path / "a.ndjson", "bank").name == "bank"


def test_a_first_line_that_breaks_off_leaves_the_others_whole(tmp_path: Path) -> None:
    content = EVENTS[0][:20] + b"\n" + EVENTS[1] + b"\n"
    assert raws_of(read(write(tmp_path, content))) == [EVENTS[0][:20], EVENTS[1]]
    assert raws_of(read(write(tmp_path, EVENTS[0][:20]))) == [EVENTS[0][:20]]
    assert raws_of(read(write(tmp_path, b"{'a':\n1}"))) == [b"{'a':", b"1}"]


def test_a_byte_order_mark_belongs_to_the_first_event(tmp_path: Path) -> None:
    mark = b"\xef\xbb\xbf"
    assert raws_of(read(write(tmp_path, mark + LINES)))[0] == mark + EVENTS[0]
    assert raws_of(read(write(tmp_path, mark + BATCH)))[:2] == [mark + EVENTS[0], EVENTS[1]]


def test_what_follows_a_batch_is_one_more_record(tmp_path: Path) -> None:
    assert raws_of(read(write(tmp_path, b"[" + EVENTS[0] + b"] x ] y"))) == [EVENTS[0], b"x ] y"]
    assert raws_of(read(write(tmp_path, b'[1, [2, 3], "a,]" , {}]'))) == [b"1", b"[2, 3]", b'"a,]"', b"{}"]
    assert raws_of(read(write(tmp_path, b'[{"a":1], {}]'))) == [b'{"a":1', b", {}]"]
    assert raws_of(read(write(tmp_path, b"[ ]"))) == []


def test_a_batch_that_is_not_closed_is_truncated(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="truncated: its array is not closed"):
        read(write(tmp_path, b"[" + EVENTS[0] + b",\n"))
    assert raws_of(read(write(tmp_path, b"[" + EVENTS[0] + b',{"a'))) == [EVENTS[0], b'{"a']


@pytest.mark.parametrize(
    "content", [b"[" + b" " * 100_000 + b"1" * 100_000, b'{"a":' + b"1" * 100_000, b"{\n" + b" " * 100_000]
)
def test_a_record_without_end_is_refused_before_it_fills_the_memory(
    content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (jsonlines, batches, cloudevents):
        monkeypatch.setattr(module, "MAX_RECORD", 50_000)
    for module in (jsonlines, batches):
        monkeypatch.setattr(module, "CHUNK", 10_000)
    with pytest.raises(SourceError, match="more than 50,000 bytes"):
        read(write(tmp_path, content))
