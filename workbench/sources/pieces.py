"""Reads a file in pieces of bytes, decompressed when its content says that it is compressed."""

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import zstandard

from workbench.errors import SourceError

GZIP_MAGIC = b"\x1f\x8b"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_READ = 256 << 10


def read_pieces(path: Path, size: int = 1 << 20) -> Iterator[bytes]:
    """Yield the decompressed content in pieces of ``size`` bytes; raises SourceError where it breaks off."""
    try:
        with path.open("rb") as file:
            magic = file.read(4)
            file.seek(0)
            if magic.startswith(GZIP_MAGIC):
                yield from _read_gzip(file, path, size)
            elif magic == ZSTD_MAGIC:
                yield from _read_zstd(file, path, size)
            else:
                while piece := file.read(size):
                    yield piece
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}.") from error


def _read_gzip(file: BinaryIO, path: Path, size: int) -> Iterator[bytes]:
    inflate = zlib.decompressobj(31)
    count, pending = 0, b""
    try:
        while pending or (pending := file.read(_READ)):
            if inflate.eof:  # members may follow each other; zeros behind the last are padding
                pending = pending.lstrip(b"\0")
                inflate = zlib.decompressobj(31)
                continue
            piece = inflate.decompress(pending, size)
            pending = inflate.unused_data if inflate.eof else inflate.unconsumed_tail
            count += len(piece)
            if piece:
                yield piece
    except zlib.error as error:
        raise SourceError(
            f"{path} is damaged gzip at byte {count:,} of its content ({error}). Get a whole copy."
        ) from error
    if not inflate.eof:
        raise SourceError(f"{path} is truncated gzip: it ends after byte {count:,} of its content. Get a whole copy.")


def _read_zstd(file: BinaryIO, path: Path, size: int) -> Iterator[bytes]:
    count = 0
    try:
        with zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True, closefd=False) as reader:
            while piece := reader.read(size):
                count += len(piece)
                yield piece
    except zstandard.ZstdError as error:
        raise SourceError(
            f"{path} is damaged zstd at byte {count:,} of its content ({error}). Get a whole copy."
        ) from error
