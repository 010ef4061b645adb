"""Opening a file as bytes, whatever it is compressed with; what is wrong with it becomes one clear sentence."""

import gzip
import io
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

import zstandard

from workbench.errors import SourceError

GZIP_MAGIC: Final = b"\x1f\x8b"
ZSTD_MAGIC: Final = b"\x28\xb5\x2f\xfd"
# Read at once from the file: larger blocks gain nothing measurable, smaller ones cost calls.
BLOCK: Final = 1 << 20
# One byte of zstd can stand for 32 KiB, so a block of 2 KiB bounds what a hostile file makes us hold to 64 MiB.
ZSTD_BLOCK: Final = 1 << 11


@contextmanager
def open_bytes(path: str | Path) -> Iterator["io.BufferedReader[Any]"]:
    """Yield the file's (decompressed) bytes as a buffered stream.

    Raises SourceError when the path is absent, a directory, not readable or empty, and, while reading, when compressed
    data is damaged or ends too early.
    """
    path = Path(path)
    with _translate(path), _open(path) as file:
        magic = file.read(4)
        file.seek(0)
        if not magic:
            raise SourceError(f"{path} is empty. Give a file that holds records.")
        blocks = _decompress(file, magic)
        if blocks is None:  # read straight into where it is wanted: 0.2 instead of 1.1 ns a byte
            yield file
            return
        with io.BufferedReader(_Checked(path, blocks), BLOCK) as stream:
            yield stream


def _open(path: Path) -> "io.BufferedReader[Any]":
    if path.is_dir():
        raise SourceError(f"{path} is a directory, not a file. Name one of the files in it.")
    return cast("io.BufferedReader[Any]", path.open("rb", BLOCK))


@contextmanager
def _translate(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise SourceError(f"{path} does not exist. Give the path of an existing file.") from error
    except PermissionError as error:
        raise SourceError(f"{path} may not be read by this user. Ask its owner for permission to read.") from error
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise SourceError(f"{path} cannot be read: {reason}. Check the disk, then try again.") from error


def _decompress(file: BinaryIO, magic: bytes) -> Iterator[bytes] | None:
    """Return the blocks of a compressed file, None for a plain one."""
    if magic.startswith(GZIP_MAGIC):
        return _blocks(cast("BinaryIO", gzip.GzipFile(fileobj=file, mode="rb")), BLOCK)
    return _frames(file) if magic == ZSTD_MAGIC else None


def _blocks(file: BinaryIO, size: int) -> Iterator[bytes]:
    while block := file.read(size):
        yield block


def _frames(file: BinaryIO) -> Iterator[bytes]:
    """Yield decompressed zstd; unlike the library's reader it raises EOFError where the last frame is not whole."""
    frame, is_open = zstandard.ZstdDecompressor().decompressobj(), False
    for block in _blocks(file, ZSTD_BLOCK):
        rest = block
        while rest:
            is_open = True
            yield frame.decompress(rest)
            rest = b""
            if frame.eof:
                rest, is_open = frame.unused_data, False
                frame = zstandard.ZstdDecompressor().decompressobj()
    if is_open:
        raise EOFError


class _Checked(io.RawIOBase):
    """A stream over blocks; it says in a SourceError what is wrong with the compressed data they come from."""

    def __init__(self, path: Path, blocks: Iterator[bytes]) -> None:
        self.path = path
        self.blocks = blocks
        self.block = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # Buffer has no name before Python 3.12
        target = memoryview(buffer).cast("B")
        while not self.block:
            block = self._next()
            if block is None:
                return 0
            self.block = memoryview(block)
        size = min(len(target), len(self.block))
        target[:size] = self.block[:size]
        self.block = self.block[size:]
        return size

    def _next(self) -> bytes | None:
        try:
            return next(self.blocks, None)
        except EOFError as error:
            raise SourceError(
                f"{self.path} is truncated: its compressed data ends too early. Copy it again."
            ) from error
        except (gzip.BadGzipFile, zlib.error, zstandard.ZstdError) as error:
            raise SourceError(f"{self.path} is damaged: its compressed data cannot be read. Copy it again.") from error
