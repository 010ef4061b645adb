"""CSV files through a mapping, plain or compressed. Every column is text; a mapping's expressions cast it.

Python's own csv reads the rows, fed line by line, so that each row's very bytes, its byte offset and its line are
known, also of one whose quoted field holds line ends. A row that is not as its header says is handed on with its
fault, never left out.
"""

import csv
from collections.abc import Iterator
from itertools import islice
from typing import BinaryIO, ClassVar

import pyarrow as pa

from workbench.errors import SourceError
from workbench.sources.compression import open_bytes
from workbench.sources.mapping import CsvForm
from workbench.sources.tabular import BATCH, Batch, TabularSource

_LONGEST_FIELD = 16 << 20
_BOM = b"\xef\xbb\xbf"


class CsvSource(TabularSource):
    """A CSV file; offsets count the bytes of its decompressed text, lines from 1, the header being line 1."""

    format: ClassVar[str] = "csv"
    media_type: ClassVar[str] = "text/csv"

    def read_batches(self) -> Iterator[Batch]:
        """Yield 50,000 rows at a time; raises SourceError where the file has no header or breaks off."""
        form = self.mapping.csv if self.mapping else CsvForm()
        csv.field_size_limit(max(csv.field_size_limit(), _LONGEST_FIELD))
        with open_bytes(self.path) as stream:
            rows = _Rows(stream, form)
            header = list(form.columns) if not form.header else self._read_header(rows)
            while batch := list(islice(rows, BATCH)):
                yield _gather(batch, header)

    def _read_header(self, rows: "_Rows") -> list[str]:
        first = next(rows, None)
        if first is None or first.fault is not None:
            fault = "it has no line" if first is None else first.fault
            raise SourceError(
                f"{self.path} has no header that can be read: {fault}. The first line must name the columns."
            )
        names = [name.strip() for name in first.fields]
        lowered = [name.lower() for name in names]
        twice = sorted({name for name in lowered if lowered.count(name) > 1 or not name})
        if twice:
            shown = ", ".join(repr(name) for name in twice)
            raise SourceError(
                f"{self.path} has a header whose names are empty or come twice: {shown}. Name each column once."
            )
        return names


class _Row:
    __slots__ = ("fault", "fields", "line", "offset", "raw")

    def __init__(self, fields: list[str], raw: bytes, offset: int, line: int, fault: str | None) -> None:
        self.fields = fields
        self.raw = raw
        self.offset = offset
        self.line = line
        self.fault = fault


class _Rows(Iterator[_Row]):
    """The rows of a stream, each with the bytes it took; blank lines are passed over."""

    def __init__(self, stream: BinaryIO, form: CsvForm) -> None:
        self._stream = stream
        self._taken: list[bytes] = []
        self._broken = False
        self._offset = 0
        self._line = 1
        self._reader = csv.reader(self._feed(), delimiter=form.delimiter, quotechar=form.quote, strict=True)

    def _feed(self) -> Iterator[str]:
        for line in self._stream:
            self._taken.append(line)
            content = line.removeprefix(_BOM) if self._offset == 0 and len(self._taken) == 1 else line
            try:
                yield content.decode()
            except UnicodeDecodeError:
                self._broken = True
                yield content.decode(errors="replace")

    def __next__(self) -> _Row:
        while True:
            fault: str | None = None
            fields: list[str] = []
            try:
                fields = next(self._reader)
            except csv.Error as error:
                fault = f"the row is not CSV: {error}"
            if self._broken:
                fault = "the row is not UTF-8"
            raw, offset, line = b"".join(self._taken), self._offset, self._line
            self._offset += len(raw)
            self._line += len(self._taken)
            self._taken, self._broken = [], False
            if fields or fault:
                return _Row(fields, raw.rstrip(b"\r\n"), offset, line, fault)


def _gather(rows: list[_Row], header: list[str]) -> Batch:
    """Return the rows as columns; one with a fault or with too few or too many fields is all nulls."""
    width = len(header)
    nothing: list[str | None] = [None] * width
    faults: list[str | None] = []
    cells: list[list[str | None] | list[str]] = []
    for row in rows:
        fault = row.fault
        if fault is None and len(row.fields) != width:
            fault = f"the row has {len(row.fields)} fields, the header {width}"
        faults.append(fault)
        cells.append(nothing if fault else row.fields)
    columns = zip(*cells, strict=True)
    return Batch(
        inputs=pa.table({name: pa.array(column, pa.string()) for name, column in zip(header, columns, strict=True)}),
        offsets=pa.array([row.offset for row in rows], pa.int64()),
        lines=pa.array([row.line for row in rows], pa.int64()),
        raws=pa.array([row.raw for row in rows], pa.binary()),
        faults=faults if any(faults) else None,
    )
