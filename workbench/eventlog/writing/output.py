"""The files of one commit, written in the background while the rows behind are still looked at."""

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

import pyarrow as pa
from pyiceberg.manifest import DataFile
from pyiceberg.table import Table

from workbench.eventlog.files import ROW_GROUP, FileWriter, remove_files

# A file of 2^19 rows is ~60 MB of compressed events: few files, and a batch in memory stays below 300 MB.
ROWS_PER_FILE: Final = 1 << 19
# Pieces that wait for the one that is being written.
AHEAD: Final = 2


class Output:
    """Rows on their way into files, in their order: encoding and compressing them holds no interpreter lock.

    A file is one writer's, so that no second thread is of use: looking at rows takes as long as writing them.
    """

    def __init__(self, table: Table) -> None:
        self._table = table
        self._thread = ThreadPoolExecutor(1, "workbench-output")
        self._held: list[pa.Table] = []
        self._queue: deque[Future[None]] = deque()
        self._writer: FileWriter | None = None
        self._files: list[DataFile] = []

    def put(self, rows: pa.Table) -> None:
        """Take rows behind the others; raises what writing earlier ones did."""
        self._held.append(rows)
        held = sum(part.num_rows for part in self._held)
        if held >= ROW_GROUP:
            self._submit(held - held % ROW_GROUP)

    def flush(self) -> None:
        """Have all that is left written, without waiting for it."""
        self._submit(sum(part.num_rows for part in self._held))

    def finish(self) -> list[DataFile]:
        """Return the entries of the files, all written to their end."""
        self.flush()
        if self._queue:
            self._queue.append(self._thread.submit(self._end_file))
            self._wait(0)
        self._thread.shutdown()
        return self._files

    def discard(self) -> None:
        """Remove every file; whatever is being written is waited for."""
        self._thread.shutdown(cancel_futures=True)
        if self._writer is not None:
            self._writer.discard()
        remove_files(self._table, [file.file_path for file in self._files])

    def _submit(self, count: int) -> None:
        if count:
            rows = pa.concat_tables(self._held)
            self._held = [rows.slice(count)] if count < rows.num_rows else []
            self._wait(AHEAD)
            self._queue.append(self._thread.submit(self._write, rows.slice(0, count)))

    def _wait(self, left: int) -> None:
        while len(self._queue) > left:
            self._queue.popleft().result()

    def _write(self, rows: pa.Table) -> None:
        start = 0
        while start < rows.num_rows:
            self._writer = self._writer or FileWriter(self._table)
            part = rows.slice(start, ROWS_PER_FILE - self._writer.rows)
            self._writer.write(part)
            start += part.num_rows
            if self._writer.rows == ROWS_PER_FILE:
                self._end_file()

    def _end_file(self) -> None:
        if self._writer is not None:
            self._files.append(self._writer.close())
            self._writer = None
