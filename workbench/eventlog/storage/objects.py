"""The log's files in an object store as an embedded engine reads them: nothing else, and never a byte twice."""

import io
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from hashlib import blake2b
from importlib.util import find_spec
from typing import Any, Final

import msgspec
from fsspec import AbstractFileSystem  # type: ignore[import-untyped]  # fsspec has no types
from pyiceberg.io import FileIO

from workbench.errors import MissingExtraError, StorageError
from workbench.eventlog.storage.parts import find_places
from workbench.eventlog.storage.uploads import Memory

# Blocks of 512 kB: a request takes some milliseconds, whether it brings 20 kB or all of that.
BLOCK: Final = 512 * 1024
# 10 million events are some 230 MB of Parquet: what a dashboard asks again and again stays in memory.
KEPT: Final = 512 * 1024 * 1024
SCHEMES: Final = ("s3", "s3a")
LOGIN: Final = ("endpoint", "access-key-id", "secret-access-key", "session-token")
# One memory for all sessions of a process; what belongs to another store or another login has another name in it.
BLOCKS: Final = Memory(KEPT)


class Stat(msgspec.Struct, frozen=True):
    """A file's size and time; neither changes, as a file is written once."""

    size: int
    modified: datetime


class ObjectFiles(AbstractFileSystem):  # type: ignore[misc]  # fsspec has no types
    """Read-only files below some prefixes of one object store, held in memory block by block.

    ``connect`` opens the store; it is asked again when its keys have run out. ``owner`` tells stores and logins apart.
    Safe for several threads.
    """

    protocol = SCHEMES
    cachable = False

    def __init__(
        self,
        connect: Callable[[], Any],
        prefixes: Sequence[str],
        name: str = "the object store",
        *,
        owner: str = "",
    ) -> None:
        super().__init__()
        self._name, self._owner = name, owner
        self._connect = connect
        self._store = connect()
        self._prefixes = tuple(f"{prefix.rstrip('/')}/" for prefix in prefixes)
        self._stats: dict[str, Stat] = {}

    def __repr__(self) -> str:
        return f"ObjectFiles({', '.join(self._prefixes)})"

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return path

    def glob(self, path: str, **_options: Any) -> list[str]:
        """Return the one file that a listed path names; what a pattern would match is nobody's to know."""
        plain = path.replace("[*]", "*").replace("[?]", "?").replace("[[]", "[")
        return [self._check(plain)]

    def info(self, path: str, **_options: Any) -> dict[str, Any]:
        """Return a file's name, size, type and time."""
        stat = self.stat(path)
        return {"name": path, "size": stat.size, "type": "file", "LastModified": stat.modified}

    def modified(self, path: str) -> datetime:
        """Return when a file was written."""
        return self.stat(path).modified

    def exists(self, path: str, **_options: Any) -> bool:
        """Return whether a file is there."""
        try:
            self.stat(path)
        except (FileNotFoundError, PermissionError):
            return False
        return True

    def open(self, path: str, mode: str = "rb", **_options: Any) -> "ObjectFile":
        """Return a file to be read. Raises PermissionError for any other mode and outside the prefixes."""
        if mode != "rb":
            raise PermissionError(f"{path} is read only")
        return ObjectFile(self, self._check(path))

    def stat(self, path: str) -> Stat:
        """Return a file's size and time, asked for once."""
        if path not in self._stats:
            found = self._ask(lambda store: store.info(path), self._check(path))
            self._stats[path] = Stat(int(found["size"]), found["LastModified"])
        return self._stats[path]

    def read_range(self, path: str, start: int, stop: int) -> bytes:
        """Return the bytes from ``start`` to ``stop``; blocks not held yet are had in one request."""
        size = self.stat(path).size
        first, last = start // BLOCK, (min(stop, size) - 1) // BLOCK
        blocks = {number: BLOCKS.get(f"{self._owner}{path}#{number}") for number in range(first, last + 1)}
        missing = [number for number, block in blocks.items() if block is None]
        if missing:
            begin, end = missing[0] * BLOCK, min((missing[-1] + 1) * BLOCK, size)
            fetched = memoryview(self._ask(lambda store: _cat_whole(store, path, begin, end), path))
            for number in range(missing[0], missing[-1] + 1):
                at = number * BLOCK - begin
                blocks[number] = bytes(fetched[at : at + BLOCK])
                BLOCKS.put(f"{self._owner}{path}#{number}", blocks[number] or b"")
        joined = b"".join(block or b"" for block in blocks.values())
        return joined[start - first * BLOCK : stop - first * BLOCK]

    def _check(self, path: str) -> str:
        if ".." in path.split("/") or not path.startswith(self._prefixes):
            raise PermissionError(f"{path} is no file of this log")
        return path

    def _ask(self, question: Callable[[Any], Any], path: str) -> Any:
        from botocore.exceptions import BotoCoreError

        # A connection that cannot be made is no OSError there.
        for again in (True, False):
            try:
                return question(self._store)
            except (OSError, BotoCoreError) as error:
                if not (again and isinstance(error, PermissionError)):
                    # DuckDB shows the first of a chain, which would be the driver's words.
                    raise self._failed(error, path) from None
                self._store = self._connect()
        raise AssertionError

    def _failed(self, error: Exception, path: str) -> Exception:
        if isinstance(error, FileNotFoundError):
            return FileNotFoundError(f"{path} is missing")
        if isinstance(error, PermissionError):
            return StorageError(f"{self._name} refuses these keys for {path}. Check them in PyIceberg's configuration.")
        return StorageError(f"{self._name} cannot be reached or failed, asked for {path}. Ask again when it is back.")


def _cat_whole(store: Any, path: str, begin: int, end: int) -> bytes:
    """Return the bytes from ``begin`` to ``end``, all of them: fewer would be kept and shift what comes behind."""
    content: bytes = store.cat_file(path, start=begin, end=end)
    if len(content) != end - begin:
        raise OSError(f"{len(content)} bytes came for the {end - begin} from {begin} on")
    return content


class _Place(threading.local):
    """Where the next read begins, for each thread its own."""

    at: int = 0


class ObjectFile(io.RawIOBase):
    """One file, read where it is sought.

    Threads of the engine share it, and each seeks and then reads: between the two another thread may come.
    """

    def __init__(self, files: ObjectFiles, path: str) -> None:
        self._files, self._path, self._place = files, path, _Place()

    @property
    def size(self) -> int:
        """The file's length."""
        return self._files.stat(self._path).size

    def readable(self) -> bool:
        """Return that it can be read."""
        return True

    def seekable(self) -> bool:
        """Return that a place in it can be sought."""
        return True

    def tell(self) -> int:
        """Return the place the next read begins at."""
        return self._place.at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place and return it."""
        self._place.at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._place.at, io.SEEK_END: self.size}[whence]
        return self._place.at

    def read(self, size: int = -1) -> bytes:
        """Return up to ``size`` bytes from here on, all that is left when it is negative."""
        start = self._place.at
        stop = self.size if size < 0 else min(start + size, self.size)
        content = self._files.read_range(self._path, start, stop) if stop > start else b""
        self._place.at = start + len(content)
        return content


def is_readable(location: str) -> bool:
    """Return whether a place is in an object store that can be read here."""
    return location.startswith(tuple(f"{name}://" for name in SCHEMES)) and find_spec("s3fs") is not None


def open_objects(files: Callable[[], FileIO], locations: Sequence[str]) -> ObjectFiles | None:
    """Return the files below ``locations`` where these lie in an object store, by the keys PyIceberg has for it.

    None where they are local. Raises MissingExtraError.
    """
    remote = [location for location in locations if location.startswith(tuple(f"{name}://" for name in SCHEMES))]
    if not remote:
        return None

    def connect() -> Any:
        from pyiceberg.io.fsspec import FsspecFileIO

        properties: Mapping[str, str] = files().properties
        try:
            return FsspecFileIO(dict(properties)).get_fs("s3")
        except ModuleNotFoundError as error:
            raise MissingExtraError(
                "DuckDB reads an object store through s3fs, which is not installed. "
                "Run: pip install 'eventlog-workbench[s3]'"
            ) from error

    properties = files().properties
    login = [str(properties.get(f"s3.{name}")) for name in LOGIN]
    owner = blake2b("\n".join(login).encode(), digest_size=16).hexdigest()
    return ObjectFiles(connect, remote, find_places(properties).store, owner=owner)
