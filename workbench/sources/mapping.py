"""Mapping files: TOML in which each column of the log is a SQL expression over the columns of an input.

A mapping file looks like this; `[columns]` needs stream_id, event_type and occurred_at, the rest may be left out::

    format = "parquet"                                # optional: parquet, csv, jsonlines or avro, else guessed

    [columns]
    stream_id = "session_id"
    event_id = "session_id || '/' || event_num"       # left out: made of stream, place and content
    event_type = "event_name"
    occurred_at = "make_timestamptz(event_timestamp_ms * 1000)"

    [data]                                            # members of the payload; a null member is left out
    text_delta = "nullif(text_delta, '')::json"       # of type JSON: taken over as it is written

`data` and `metadata` are either such tables or, under `[columns]`, one expression that gives JSON text. Without `data`
the payload holds every column of the input. `[csv]` may give delimiter, quote, header (true or false) and columns.
"""

import tomllib
from pathlib import Path
from typing import Any

import msgspec

from workbench.errors import MappingError
from workbench.sources.rows import ENVELOPE

NEEDED = ("stream_id", "event_type", "occurred_at")
FORMATS = ("parquet", "csv", "jsonlines", "avro")
_OBJECTS = ("data", "metadata")
_ONE_CHARACTER = 1


class CsvForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a CSV file is written. ``columns`` names its columns where it has no header line."""

    delimiter: str = ","
    quote: str = '"'
    header: bool = True
    columns: tuple[str, ...] = ()


class Mapping(msgspec.Struct, frozen=True, kw_only=True):
    """Which expression gives which column of the log; ``data`` and ``metadata`` may be member by member."""

    columns: dict[str, str]
    data: dict[str, str] | None = None
    metadata: dict[str, str] | None = None
    format: str | None = None
    csv: CsvForm = CsvForm()
    name: str = "the mapping"


def load_mapping(path: Path) -> Mapping:
    """Return the mapping a TOML file holds; raises MappingError naming file, fault and what may stand."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise MappingError(
            f"Mapping file {path} cannot be read: {error.strerror}. Give the path of a TOML file."
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise MappingError(f"Mapping file {path} is not TOML: {error}.") from error
    return read_mapping(content, name=str(path))


def read_mapping(content: dict[str, Any], *, name: str = "the mapping") -> Mapping:
    """Return the mapping that these tables mean; raises MappingError."""
    _refuse_unknown(content, ("format", "columns", "data", "metadata", "csv"), f"{name} has the entry")
    columns = _read_expressions(content, "columns", name) or {}
    _refuse_unknown(columns, tuple(ENVELOPE), f"{name} maps the column")
    for column in NEEDED:
        if column not in columns:
            raise MappingError(f"{name} does not map {column}. Give an expression for each of {', '.join(NEEDED)}.")
    objects = {table: _read_expressions(content, table, name) for table in _OBJECTS}
    for table in _OBJECTS:
        if table in columns and objects[table] is not None:
            raise MappingError(f"{name} gives {table} twice: keep it in [columns] or in [{table}].")
    kind = content.get("format")
    if kind is not None and kind not in FORMATS:
        raise MappingError(f"{name} names the format {kind!r}. Possible are {', '.join(FORMATS)}.")
    return Mapping(columns=columns, **objects, format=kind, csv=_read_csv_form(content.get("csv", {}), name), name=name)


def map_by_name(columns: list[str]) -> Mapping:
    """Return the mapping of an input whose columns already bear the log's names; all others become the payload."""
    known = {name.lower(): name for name in columns}
    missing = [name for name in NEEDED if name not in known]
    if missing:
        raise MappingError(
            f"The input has no column {', '.join(missing)}; it has {', '.join(columns)}. "
            "Give a mapping file that says which expression is which column of the log."
        )
    targets = {name: quote_name(known[name]) for name in ENVELOPE if name in known}
    others = {name: quote_name(name) for name in columns if name.lower() not in ENVELOPE}
    return Mapping(columns=targets, data=None if "data" in targets else others)


def quote_name(name: str) -> str:
    """Return a column's name as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


def _read_expressions(content: dict[str, Any], table: str, name: str) -> dict[str, str] | None:
    expressions = content.get(table)
    if expressions is None:
        return None
    if not isinstance(expressions, dict) or not all(isinstance(text, str) for text in expressions.values()):
        raise MappingError(f'{name}: [{table}] must be a table of name = "SQL expression", each expression a string.')
    return expressions


def _refuse_unknown(content: dict[str, Any], possible: tuple[str, ...], said: str) -> None:
    for word in content:
        if word not in possible:
            raise MappingError(f"{said} {word!r}, which is unknown. Possible are {', '.join(possible)}.")


def _read_csv_form(content: Any, name: str) -> CsvForm:
    try:
        form = msgspec.convert(content, CsvForm)
    except msgspec.ValidationError as error:
        raise MappingError(
            f"{name}: [csv] is not valid: {error}. It may give delimiter, quote, header, columns."
        ) from error
    for word in (form.delimiter, form.quote):
        if len(word) != _ONE_CHARACTER or word in "\r\n" or not word.isascii():
            raise MappingError(f"{name}: [csv] gives {word!r} where one ASCII character must stand.")
    if not form.header and not form.columns:
        raise MappingError(f"{name}: [csv] says header = false, so it must name the columns: columns = [...].")
    return form
