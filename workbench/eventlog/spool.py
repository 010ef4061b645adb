"""Decoded batches waiting for their commit: in memory while they are few, in files of their own beyond."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final, Self
from uuid import uuid4

import pyarrow as pa
from pyarrow import ipc

from workbench.decode.processes import map_file

IN_MEMORY: Final = 256 * 1024 * 1024
BATCH: Final = 1 << 19


class Spool:
    """Batches in the order they were put, to be gone through as often as a commit needs.

    Use it as a context: its files in ``folder`` go when it ends.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept: list[pa.Table | Path] = []
        self._bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        for kept in self._kept:
            if isinstance(kept, Path):
                kept.unlink(missing_ok=True)

    def put(self, rows: pa.Table, file: Path | None = None) -> None:
        """Keep one batch behind the others; ``file`` is where it lies already."""
        if file is not None:
            self._kept.append(file)
            return
        if self._bytes + rows.nbytes <= IN_MEMORY:
            self._kept.append(rows)
            self._bytes += rows.nbytes
            return
        file = self._folder / f"{uuid4().hex}.arrow"
        with ipc.new_file(file, rows.schema) as writer:
            writer.write_table(rows)
        self._kept.append(file)

    def __iter__(self) -> Iterator[pa.Table]:
        """Yield the rows in larger batches than they came: looking 2^19 keys up at once costs a third of 2^14 each."""
        waiting: list[pa.Table] = []
        for kept in self._kept:
            waiting.append(map_file(kept) if isinstance(kept, Path) else kept)
            if sum(part.num_rows for part in waiting) >= BATCH:
                yield pa.concat_tables(waiting)
                waiting = []
        if waiting:
            yield pa.concat_tables(waiting)
