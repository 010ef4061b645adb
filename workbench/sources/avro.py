"""Avro object container files, through a mapping or by the names of their fields.

A field of texts, enumerations, UUIDs or times is a text column (times as RFC 3339, those without a zone without one);
any other field is a JSON column: integers and decimals with all their digits, bytes in base64, records and maps as
objects. Where a union holds several records, a value is ``{"name of the record": value}``, as in Avro's own JSON.
"""

import base64
import json
import zlib
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from itertools import islice
from math import isfinite
from typing import Any, ClassVar, cast
from uuid import UUID

import fastavro
import pyarrow as pa

from workbench.errors import SourceError
from workbench.sources.compression import open_bytes
from workbench.sources.tabular import BATCH, Batch, TabularSource, number_rows

_TEXT_KINDS = {"string", "enum", "null"}
_TEXT_LOGICAL = {
    "timestamp-millis", "timestamp-micros", "local-timestamp-millis", "local-timestamp-micros", "uuid", "date",
    "time-millis", "time-micros",
}  # fmt: skip
# What fastavro and the codecs raise at damaged blocks.
_DAMAGE = (ValueError, EOFError, IndexError, KeyError, TypeError, OverflowError, MemoryError, zlib.error, StopIteration)


class AvroSource(TabularSource):
    """An Avro file; a row's offset is its number from 0, its line its number from 1."""

    format: ClassVar[str] = "avro"
    media_type: ClassVar[str] = "avro/binary"

    def read_batches(self) -> Iterator[Batch]:
        """Yield 50,000 rows at a time; raises SourceError where a block is damaged, cut off or of an unknown codec."""
        first = 0
        with open_bytes(self.path) as stream:
            records, schema = self._open(stream)
            fields = [(field["name"], is_text(field["type"])) for field in schema["fields"]]
            self.jsons = [name for name, is_plain in fields if not is_plain]
            while rows := self._take(records, first):
                columns = {name: _write_column([row[name] for row in rows], is_plain) for name, is_plain in fields}
                count = len(rows)
                yield Batch(
                    inputs=pa.table(columns), offsets=number_rows(first, count), lines=number_rows(first + 1, count)
                )
                first += count

    def _open(self, stream: Any) -> tuple[Iterator[dict[str, Any]], dict[str, Any]]:
        try:
            records = fastavro.reader(stream, return_record_name=True, return_record_name_override=True)
        except _DAMAGE as error:
            raise self._explain(error, 0) from error
        schema: Any = records.writer_schema
        if not isinstance(schema, dict) or schema.get("type") != "record":
            raise SourceError(f"{self.path} holds Avro values that are no records, so they have no columns to map.")
        return cast("Iterator[dict[str, Any]]", records), schema

    def _take(self, records: Iterator[dict[str, Any]], first: int) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        try:
            rows.extend(islice(records, BATCH))
        except _DAMAGE as error:
            raise self._explain(error, first + len(rows)) from error
        return rows

    def _explain(self, error: BaseException, row: int) -> SourceError:
        reason = str(error) or type(error).__name__
        if "codec" in reason:
            return SourceError(f"{self.path} cannot be read here: {reason}. Write it with the codec deflate or null.")
        return SourceError(f"{self.path} is not whole or not Avro, after row {row:,}: {reason}. Get a whole copy.")


def is_text(kind: Any) -> bool:
    """Say whether all values of an Avro type are texts."""
    if isinstance(kind, list):
        return all(is_text(branch) for branch in kind)
    if isinstance(kind, dict):
        return kind.get("logicalType") in _TEXT_LOGICAL or is_text(kind["type"])
    return kind in _TEXT_KINDS


def _write_column(values: list[Any], is_plain: bool) -> pa.Array:  # noqa: FBT001 - one flag, named where it is passed
    if is_plain:
        texts = [
            None if value is None else value if isinstance(value, str) else str(_to_json(value)) for value in values
        ]
    else:
        texts = [None if value is None else write_json(value) for value in values]
    return pa.array(texts, pa.string())


def write_json(value: Any) -> str:
    """Return an Avro value as JSON text; a decimal stays a number with all its digits."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(str(key))}:{write_json(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(write_json(item) for item in value) + "]"
    if isinstance(value, tuple):
        name, inner = value
        return f"{{{json.dumps(name)}:{write_json(inner)}}}"
    return json.dumps(_to_json(value), ensure_ascii=False)


def _to_json(value: Any) -> Any:
    """Return a scalar as JSON has it; what JSON lacks becomes text."""
    if isinstance(value, datetime):
        text = value.isoformat(timespec="microseconds")
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z") if value.tzinfo else text
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, float) and not isfinite(value):
        return str(value)
    return str(value) if isinstance(value, UUID) else value
