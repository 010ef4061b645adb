import gzip
import pickle
from pathlib import Path

import pytest

from workbench.errors import SourceError
from workbench.sources import jsonlines
from workbench.sources.jsonlines import JsonLines


def test_lines_keep_their_bytes_offsets_and_numbers(tmp_path: Path) -> None:
    content = b'{"a":1}\n\n {"b":2}\r\n[3]\n'
    path = tmp_path / "lines.jsonl"
    path.write_bytes(content)
    source = JsonLines(path)
    records = list(source.records())
    assert source.name == "lines.jsonl"
    assert [(record.offset, record.line, record.raw) for record in records] == [
        (0, 1, b'{"a":1}'),
        (9, 3, b' {"b":2}\r'),
        (19, 4, b"[3]"),
    ]
    assert {record.media_type for record in records} == {"application/json"}


def test_a_last_line_needs_no_line_end(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    path.write_bytes(b"{}\n{}")
    assert [record.offset for record in JsonLines(path, "shop").records()] == [0, 3]
    assert JsonLines(path, "shop").name == "shop"


def test_a_chunk_holds_a_block_and_at_most_one_line_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonlines, "CHUNK", 1000)
    path = tmp_path / "lines.jsonl"
    path.write_bytes(b'{"a":"xxxxxxxxxxxxxxxxx"}\n' * 1000)
    sizes = [sum(map(len, chunk.raws)) for chunk in JsonLines(path).chunks()]
    assert max(sizes) <= 1025
    assert sum(sizes) == 25_000


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize(
    "content",
    [b"{}", b"\n", b" \n\n", b"\n{}\n\n", b'{"a":1}\n{}\n', b" \n \n{}\r\n\n\n []", b"{}\n \n", b"x" * 30 + b"\n\n{}"],
)
def test_a_plain_file_is_cut_as_its_compressed_form_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, size: int
) -> None:
    monkeypatch.setattr(jsonlines, "CHUNK", size)
    plain, packed = tmp_path / "lines", tmp_path / "lines.gz"
    plain.write_bytes(content)
    packed.write_bytes(gzip.compress(content))
    cut = [[(c.offset, c.line, c.text) for c in JsonLines(path).chunks()] for path in (plain, packed)]
    assert cut[0] == cut[1]
    assert list(JsonLines(plain).records()) == list(JsonLines(packed).records())
    monkeypatch.setattr(jsonlines, "MAX_RECORD", 20)
    for path in (plain, packed):
        if len(content) > 30 and size < 20:
            with pytest.raises(SourceError, match="more than 20 bytes at byte 0"):
                list(JsonLines(path).records())


def test_lines_of_a_plain_file_are_read_by_whoever_decodes_them(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    path.write_bytes(b'\n{"a":1}\n{"a":2}\n')
    [chunk] = JsonLines(path).chunks()
    sent = pickle.dumps(chunk)
    assert b'"a"' not in sent
    again = pickle.loads(sent)  # noqa: S301 - our own
    assert (again.text, again.raws, again.offsets, again.lines) == (chunk.text, chunk.raws, chunk.offsets, chunk.lines)
    path.write_bytes(b"")
    with pytest.raises(SourceError, match="became shorter"):
        _ = pickle.loads(sent).raws  # noqa: S301 - our own


def test_lines_of_a_compressed_file_are_sent_along(tmp_path: Path) -> None:
    path = tmp_path / "lines.gz"
    path.write_bytes(gzip.compress(b'{"a":1}\n'))
    [chunk] = JsonLines(path).chunks()
    assert pickle.loads(pickle.dumps(chunk)) == chunk  # noqa: S301 - our own
