"""Decoded batches waiting for their commit: in memory while they are few, in files of their own beyond."""

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Final, Self
from uuid import uuid4

import pyarrow as pa
from pyarrow import ipc

from workbench.decode import Decoded
from workbench.decode.processes import map_file
from workbench.event import Rejection

IN_MEMORY: Final = 256 * 1024 * 1024
# Looking 2^17 keys up at once costs a third of 2^14 each; more of them keep the other cores waiting at the end.
BATCH: Final = 1 << 17


class Spool:
    """What was decoded, its events to be gone through as often as a commit needs; it takes in what is still to come.

    ``read`` and ``rejections`` are of what has come so far: all, once it was gone through. Use it as a context: its
    files in ``folder`` go when it ends.
    """

    def __init__(self, folder: Path, decoded: Iterable[Decoded]) -> None:
        self.rejections: list[Rejection] = []
        self.read = 0
        self._folder = folder
        self._decoded = iter(decoded)
        self._kept: list[pa.Table | Path] = []
        self._bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        for kept in self._kept:
            if isinstance(kept, Path):
                kept.unlink(missing_ok=True)

    def fill(self) -> None:
        """Take in all that is still to come."""
        for _ in self._arriving():
            pass

    def _arriving(self) -> Iterator[pa.Table]:
        for part in self._decoded:
            self.rejections += part.rejections
            self.read += part.events.num_rows + len(part.rejections)
            self._keep(part.events, part.file)
            yield part.events

    def _keep(self, rows: pa.Table, file: Path | None) -> None:
        if file is None and self._bytes + rows.get_total_buffer_size() <= IN_MEMORY:
            self._kept.append(rows)
            self._bytes += rows.get_total_buffer_size()
            return
        if file is None:
            file = self._folder / f"{uuid4().hex}.arrow"
            with ipc.new_file(file, rows.schema) as writer:
                writer.write_table(rows)
        self._kept.append(file)

    def __iter__(self) -> Iterator[pa.Table]:
        """Yield the rows in larger batches than they came."""
        waiting: list[pa.Table] = []
        kept = (map_file(kept) if isinstance(kept, Path) else kept for kept in [*self._kept])
        for rows in chain(kept, self._arriving()):
            waiting.append(rows)
            if sum(part.num_rows for part in waiting) >= BATCH:
                yield pa.concat_tables(waiting)
                waiting = []
        if waiting:
            yield pa.concat_tables(waiting)
