import errno
import gzip
import os
import zlib
from pathlib import Path

import pytest
import zstandard

from workbench.errors import SourceError
from workbench.sources.compression import ZSTD_BLOCK, open_bytes
from workbench.sources.jsonlines import JsonLines

TEXT = b"".join(b'{"line": %d}\n' % at for at in range(20_000))


def read(path: Path) -> bytes:
    with open_bytes(path) as stream:
        return stream.read()


def write(folder: Path, content: bytes) -> Path:
    path = folder / "records"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstandard.compress])
def test_bytes_come_back_whatever_packed_them(pack: object, tmp_path: Path) -> None:
    assert read(write(tmp_path, pack(TEXT))) == TEXT  # type: ignore[operator]  # three functions of bytes
    assert read(write(tmp_path, pack(TEXT) + pack(TEXT))) == TEXT + TEXT  # type: ignore[operator]  # as above


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
@pytest.mark.parametrize("missing", [1, 8, 500])
def test_a_truncated_file_is_said_to_be_truncated(pack: object, missing: int, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="is truncated"):
        read(write(tmp_path, pack(TEXT)[:-missing]))  # type: ignore[operator]  # as above


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
def test_a_damaged_file_is_said_to_be_damaged(pack: object, tmp_path: Path) -> None:
    packed = bytearray(pack(TEXT))  # type: ignore[operator]  # as above
    packed[4:40] = os.urandom(36) if pack is zstandard.compress else b"\xff" * 36
    packed[0:4] = pack(TEXT)[0:4]  # type: ignore[operator]  # as above
    with pytest.raises(SourceError, match=r"is damaged|is truncated"):
        read(write(tmp_path, bytes(packed)))


def test_an_empty_file_a_directory_and_no_file_have_a_sentence_each(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="is empty"):
        read(write(tmp_path, b""))
    with pytest.raises(SourceError, match="is a directory"):
        read(tmp_path)
    with pytest.raises(SourceError, match="does not exist"):
        read(tmp_path / "absent")


def test_a_file_that_may_not_be_read_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, TEXT)
    for number, message in ((errno.EACCES, "may not be read"), (errno.EIO, "Input/output error")):
        error = OSError(number, os.strerror(number))

        def refuse(*_: object, error: OSError = error) -> None:
            raise error

        monkeypatch.setattr(Path, "open", refuse)  # root may read everything, and no disk here is broken
        with pytest.raises(SourceError, match=message):
            read(path)
        monkeypatch.undo()


def test_a_bomb_is_opened_piece_by_piece(tmp_path: Path) -> None:
    path = write(tmp_path, zstandard.compress(bytes(1 << 28)))
    assert path.stat().st_size > ZSTD_BLOCK
    with open_bytes(path) as stream:
        assert stream.read(10) == bytes(10)
    assert zlib.crc32(read(write(tmp_path, gzip.compress(bytes(1 << 20))))) == zlib.crc32(bytes(1 << 20))


def test_a_source_says_what_is_wrong_while_it_reads(tmp_path: Path) -> None:
    source = JsonLines(write(tmp_path, gzip.compress(TEXT)[:-9]))
    with pytest.raises(SourceError, match="is truncated"):
        list(source.records())
