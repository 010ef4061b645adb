"""Files in an object store: small ones go up in one request, and what was just written is not asked for again."""

import io
from collections import OrderedDict
from threading import Lock
from types import TracebackType
from typing import Any, Final

from pyarrow.fs import FileSystem, S3FileSystem
from pyiceberg.io import InputStream, OutputStream
from pyiceberg.io.pyarrow import ONE_MEGABYTE, PyArrowFile, PyArrowFileIO
from pyiceberg.typedef import EMPTY_DICT, Properties

# Manifests and their lists are some kilobytes each: 64 MB of them are every table of a busy process.
KEPT_BYTES: Final = 64 * ONE_MEGABYTE
KEPT_FILE: Final = ONE_MEGABYTE
MANIFEST: Final = ".avro"


class Memory:
    """The bytes of immutable files written or read lately."""

    def __init__(self, limit: int = KEPT_BYTES) -> None:
        self._limit = limit
        self._size = 0
        self._files: OrderedDict[str, bytes] = OrderedDict()
        self._lock = Lock()

    def get(self, location: str) -> bytes | None:
        """Return a file's bytes, None when they are not held."""
        with self._lock:
            if location in self._files:
                self._files.move_to_end(location)
            return self._files.get(location)

    def put(self, location: str, content: bytes) -> None:
        """Hold a file's bytes; those asked for least lately go."""
        with self._lock:
            self._size += len(content) - len(self._files.pop(location, b""))
            self._files[location] = content
            while self._size > self._limit:
                self._size -= len(self._files.popitem(last=False)[1])


class ObjectFileIO(PyArrowFileIO):
    """PyIceberg's Arrow files on S3, asking less of the store.

    A commit of stock PyIceberg asks thirteen times: three requests send each of its three files, two ask a file's size
    and two read back the last list of manifests. Here each file is one request, and what was written is remembered.
    """

    def __init__(self, properties: Properties = EMPTY_DICT) -> None:
        super().__init__(properties)
        self._memory = Memory()

    def _initialize_s3_fs(self, netloc: str | None) -> FileSystem:
        stock: Any = super()._initialize_s3_fs(netloc)
        _, (options,) = stock.__reduce__()
        # Arrow would open a transfer in parts for every file; delayed, a file below 5 MB is one PUT.
        return S3FileSystem(**{**options, "allow_delayed_open": True})

    def new_input(self, location: str) -> PyArrowFile:
        """Return a file to be read."""
        return self._manifest(location) if location.endswith(MANIFEST) else super().new_input(location)

    def new_output(self, location: str) -> PyArrowFile:
        """Return a file to be written."""
        return self._manifest(location) if location.endswith(MANIFEST) else super().new_output(location)

    def _manifest(self, location: str) -> "ManifestBytes":
        scheme, netloc, path = self.parse_location(location, self.properties)
        return ManifestBytes(location, path, self.fs_by_scheme(scheme, netloc), self._memory)


class ManifestBytes(PyArrowFile):
    """One immutable Avro file: written and read as a whole, and remembered."""

    def __init__(self, location: str, path: str, filesystem: FileSystem, memory: Memory) -> None:
        super().__init__(location=location, path=path, fs=filesystem)
        self._memory = memory

    def __len__(self) -> int:
        known = self._memory.get(self.location)
        return super().__len__() if known is None else len(known)

    def open(self, seekable: bool = True) -> InputStream:  # noqa: FBT001, FBT002 - PyIceberg's signature
        """Return the file's bytes to be read. Raises FileNotFoundError."""
        content = self._memory.get(self.location)
        if content is None:
            with super().open(seekable) as stream:
                content = stream.read()
            if len(content) <= KEPT_FILE:
                self._memory.put(self.location, content)
        return io.BytesIO(content)

    def create(self, overwrite: bool = False) -> OutputStream:  # noqa: FBT001, FBT002 - PyIceberg's signature
        """Return a stream whose bytes go to the store when it is closed."""
        del overwrite
        return _Upload(self)

    def send(self, content: bytes) -> None:
        """Write the whole file."""
        with super().create(overwrite=True) as stream:
            stream.write(content)
        self._memory.put(self.location, content)


class _Upload(io.BytesIO):
    """Bytes that are sent when the writer is done, and not at all when it failed."""

    def __init__(self, file: ManifestBytes) -> None:
        super().__init__()
        self._file = file

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            super().close()
            return
        self.close()

    def close(self) -> None:
        """Send the bytes, once."""
        if not self.closed:
            content = self.getvalue()
            super().close()
            self._file.send(content)
