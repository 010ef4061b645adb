"""Files of an object store come back byte for byte, whoever reads them at once and whatever the store sends."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest

from workbench.errors import StorageError
from workbench.eventlog.storage.objects import BLOCK, ObjectFiles

PATH = "s3://lake/log/a.parquet"
CONTENT = bytes(range(251)) * (2 * BLOCK // 251)


class Store:
    """A store that holds one file and may send too little of it."""

    def __init__(self, *, short: bool = False) -> None:
        self.short = short

    def info(self, path: str) -> dict[str, Any]:
        return {"name": path, "size": len(CONTENT), "LastModified": datetime(2026, 1, 1, tzinfo=UTC)}

    def cat_file(self, path: str, start: int, end: int) -> bytes:
        assert path == PATH
        return CONTENT[start : end - 1 if self.short else end]


def open_files(store: Store, owner: str) -> ObjectFiles:
    connect: Callable[[], Any] = lambda: store  # noqa: E731 - what the log gives is a function as well
    return ObjectFiles(connect, ["s3://lake/log"], owner=owner)


def test_threads_that_share_a_file_each_read_where_they_sought() -> None:
    file = open_files(Store(), "threads").open(PATH)
    with ThreadPoolExecutor(1) as other:
        file.seek(BLOCK - 5)
        other.submit(file.seek, 3).result()
        assert file.read(10) == CONTENT[BLOCK - 5 : BLOCK + 5]
        assert other.submit(file.read, 4).result() == CONTENT[3:7]


def test_too_few_bytes_are_an_error_and_are_not_kept() -> None:
    store = Store(short=True)
    file = open_files(store, "short").open(PATH)
    with pytest.raises(StorageError):
        file.read(10)
    store.short = False
    assert file.read(10) == CONTENT[:10]
