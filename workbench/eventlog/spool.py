"""Decoded batches waiting for their commit: in memory while they are few, in files of their own beyond."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Self

import pyarrow as pa
from pyarrow import ipc

IN_MEMORY: Final = 256 * 1024 * 1024
BATCH: Final = 1 << 18


class Spool:
    """Batches in the order they were put, to be gone through as often as a commit needs. Use it as a context."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: list[pa.Table] = []
        self._bytes = 0
        self._scratch: tempfile.TemporaryDirectory[str] | None = None
        self._files: list[Path] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        if self._scratch is not None:
            self._scratch.cleanup()

    def put(self, rows: pa.Table) -> None:
        """Keep one batch behind the others."""
        # Once one batch went to a file all do: a small one held in memory would overtake it.
        if not self._files and self._bytes + rows.nbytes <= IN_MEMORY:
            self._held.append(rows)
            self._bytes += rows.nbytes
            return
        if self._scratch is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._scratch = tempfile.TemporaryDirectory(prefix="ingest-", dir=self._folder)
        path = Path(self._scratch.name) / f"{len(self._files)}.arrow"
        with ipc.new_file(path, rows.schema) as writer:
            writer.write_table(rows)
        self._files.append(path)

    def __iter__(self) -> Iterator[pa.Table]:
        """Yield the rows in larger batches than they came: looking 2^18 keys up at once costs a third of 2^14 each."""
        waiting: list[pa.Table] = []
        for rows in self._parts():
            waiting.append(rows)
            if sum(part.num_rows for part in waiting) >= BATCH:
                yield pa.concat_tables(waiting)
                waiting = []
        if waiting:
            yield pa.concat_tables(waiting)

    def _parts(self) -> Iterator[pa.Table]:
        yield from self._held
        for path in self._files:
            with pa.memory_map(str(path)) as mapped:
                yield ipc.open_file(mapped).read_all()
