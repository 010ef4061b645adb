"""Rows as Trino sends them, JSON, turned into Arrow a whole column at a time."""

import base64
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from operator import itemgetter
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from workbench.query.frames import arrow_type
from workbench.query.subset.types import Type

# "2026-01-31 10:00:00.123456": finer than microseconds is cut off, as the frames hold no more.
_MICROSECONDS: Final = 26


class Column(msgspec.Struct, frozen=True):
    """A column of an answer as the server describes it."""

    name: str
    kind: Type


def read_columns(described: Sequence[Mapping[str, Any]]) -> tuple[Column, ...]:
    """Return the columns from their description in the client protocol."""
    return tuple(Column(column["name"], _read_signature(column["typeSignature"])) for column in described)


def _read_signature(signature: Mapping[str, Any]) -> Type:
    raw, arguments = signature["rawType"], signature.get("arguments", ())
    if raw == "row":
        fields = tuple((item["value"].get("fieldName") or {}).get("name", "") for item in arguments)
        kinds = tuple(_read_signature(item["value"]["typeSignature"]) for item in arguments)
        return Type("row", items=kinds, fields=fields if all(fields) else ())
    items = tuple(_read_signature(item["value"]) for item in arguments if item["kind"] == "TYPE")
    numbers = tuple(item["value"] for item in arguments if item["kind"] == "LONG")
    if raw == "timestamp with time zone":
        return Type("timestamptz", numbers)
    return Type(raw, () if raw in ("varchar", "char") else numbers, items)


def read_rows(text: bytes | msgspec.Raw, columns: Sequence[Column]) -> pa.RecordBatch:
    """Return the rows of one JSON array of arrays."""
    rows = _row_decoder(len(columns)).decode(text)
    arrays = [_read_array(list(map(itemgetter(place), rows)), column.kind) for place, column in enumerate(columns)]
    # Two columns may have one name: they are told apart by their place, and named when the answer is made.
    return pa.RecordBatch.from_arrays(arrays, names=[str(place) for place in range(len(columns))])


@cache
def _row_decoder(columns: int) -> "msgspec.json.Decoder[list[tuple[Any, ...]]]":
    """Return what reads rows of so many columns: as tuples 1 µs a row of eight into columns, as lists 2.6."""
    return msgspec.json.Decoder(list[tuple[(Any,) * columns]])  # type: ignore[misc]  # as many as there are columns


def _read_array(values: Sequence[Any], kind: Type) -> pa.Array:
    read = _ARRAYS.get(kind.name)
    if read is not None:
        return read(values, kind)
    if not kind.items:
        return _texts(values, kind)
    return pa.array([_read_value(value, kind) for value in values], arrow_type(kind))


def _plain(values: Sequence[Any], kind: Type) -> pa.Array:
    return pa.array(values, arrow_type(kind))


def _texts(values: Sequence[Any], _kind: Type) -> pa.Array:
    return pa.array(values, pa.string())


def _floats(values: Sequence[Any], kind: Type) -> pa.Array:
    try:
        return pa.array(values, arrow_type(kind))
    except (pa.ArrowInvalid, TypeError):
        # NaN and the infinities come as texts.
        return pa.array([None if value is None else float(value) for value in values], arrow_type(kind))


def _cast_texts(values: Sequence[Any], kind: Type) -> pa.Array:
    return pa.array(values, pa.string()).cast(arrow_type(kind))


def _bytes(values: Sequence[Any], _kind: Type) -> pa.Array:
    return pa.array([None if value is None else base64.b64decode(value) for value in values], pa.binary())


def _local_times(values: Sequence[Any], _kind: Type) -> pa.Array:
    return _parse_times(pa.array(values, pa.string()))


def _parse_times(texts: pa.Array) -> pa.Array:
    return pc.utf8_slice_codeunits(texts, 0, _MICROSECONDS).cast(pa.timestamp("us"))


def _instants(values: Sequence[Any], kind: Type) -> pa.Array:
    texts = pa.array(values, pa.string())
    # NULL counts as fitting: `all` of nothing is true.
    if pc.all(pc.ends_with(texts, " UTC")).as_py() in (True, None):
        return _parse_times(pc.utf8_slice_codeunits(texts, 0, -4)).cast(arrow_type(kind))
    return pa.array([_read_instant(value) for value in values], arrow_type(kind))


def _read_instant(text: str | None) -> int | None:
    if text is None:
        return None
    wall, _, zone = text.rpartition(" ")
    local = _parse_times(pa.array([wall], pa.string()))
    # Of an hour that a clock change repeats the text does not say which one is meant; a statement of ours asks in UTC.
    known = zone if zone[:1] in "+-" else ZoneInfo(zone).key
    moment = pc.assume_timezone(local, known, ambiguous="earliest", nonexistent="latest")
    return int(moment.cast(pa.int64())[0].as_py())


_ARRAYS: Final[Mapping[str, Callable[[Sequence[Any], Type], pa.Array]]] = {
    **dict.fromkeys(("boolean", "tinyint", "smallint", "integer", "bigint", "unknown"), _plain),
    **dict.fromkeys(("real", "double"), _floats),
    **dict.fromkeys(("decimal", "date"), _cast_texts),
    **dict.fromkeys(("varchar", "char", "json"), _texts),
    "varbinary": _bytes,
    "timestamp": _local_times,
    "timestamptz": _instants,
}


def _read_value(value: Any, kind: Type) -> Any:
    """Return one value inside an array, a map or a row as what Arrow takes for its type."""
    if value is None:
        return None
    if kind.name == "array":
        return [_read_value(item, kind.items[0]) for item in value]
    if kind.name == "row":
        names = row_fields(kind)
        return {name: _read_value(item, inner) for name, item, inner in zip(names, value, kind.items, strict=True)}
    if kind.name == "map":
        return [(_read_key(key, kind.items[0]), _read_value(item, kind.items[1])) for key, item in value.items()]
    return _read_array([value], kind)[0].as_py()


def _read_key(text: str, kind: Type) -> Any:
    """Return a key of a map: JSON has texts alone for them."""
    if kind.name in ("boolean", "tinyint", "smallint", "integer", "bigint"):
        return msgspec.json.decode(text)
    return _read_value(text, kind)


def row_fields(kind: Type) -> tuple[str, ...]:
    """Return the names of a row's fields; one without names has field0, field1 …."""
    return kind.fields or tuple(f"field{index}" for index in range(len(kind.items)))
