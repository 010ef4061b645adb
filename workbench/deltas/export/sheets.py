"""One file of an export, row by row: JSON lines, or Parquet with the same columns."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from workbench.deltas.export.rules import META, ExportPlan

ROWS: Final = 5_000
_MESSAGES: Final = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
_TYPES: Final = {"position": pa.int64(), "hter": pa.float64(), "distance": pa.float64()}
_META: Final = pa.struct([(name, _TYPES.get(name, pa.string())) for name in META])


class Sheet(Protocol):
    """What takes rows; ``rows`` counts them."""

    path: Path
    rows: int

    def add(self, row: dict[str, Any]) -> None:
        """Write one row."""


@contextmanager
def open_sheet(path: Path, plan: ExportPlan) -> Iterator[Sheet]:
    """Open a file for rows of a plan; it is whole once the block ends."""
    sheet = _Parquet(path, plan) if plan.file == "parquet" else _Lines(path)
    try:
        yield sheet
    finally:
        sheet.close()


class _Lines:
    """JSON lines, members in the order of the row."""

    def __init__(self, path: Path) -> None:
        self.path, self.rows = path, 0
        self._file = path.open("wb")
        self._encode = msgspec.json.Encoder().encode

    def add(self, row: dict[str, Any]) -> None:
        self._file.write(self._encode(row) + b"\n")
        self.rows += 1

    def close(self) -> None:
        self._file.close()


class _Parquet:
    """Parquet, a row group each 5,000 rows."""

    def __init__(self, path: Path, plan: ExportPlan) -> None:
        self.path, self.rows = path, 0
        self._schema = parquet_schema(plan)
        self._writer = pq.ParquetWriter(path, self._schema, compression="zstd")
        self._waiting: list[dict[str, Any]] = []

    def add(self, row: dict[str, Any]) -> None:
        self._waiting.append(row)
        self.rows += 1
        if len(self._waiting) == ROWS:
            self._flush()

    def _flush(self) -> None:
        self._writer.write_table(pa.Table.from_pylist(self._waiting, schema=self._schema))
        self._waiting.clear()

    def close(self) -> None:
        if self._waiting:
            self._flush()
        self._writer.close()


def parquet_schema(plan: ExportPlan) -> pa.Schema:
    """Return the columns of a plan's rows."""
    said = _MESSAGES if plan.messages else pa.string()
    columns = {
        "sft": {"messages": _MESSAGES} if plan.messages else {"prompt": pa.string(), "completion": pa.string()},
        "dpo": {"prompt": said, "chosen": said, "rejected": said},
        "kto": {"prompt": said, "completion": said, "label": pa.bool_()},
        "openai": {
            "input": pa.struct([("messages", _MESSAGES)]),
            "preferred_output": _MESSAGES,
            "non_preferred_output": _MESSAGES,
        },
    }[plan.format]
    return pa.schema([*columns.items(), ("meta", _META)])
