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

    [lookup]                                          # a second file beside the input, joined on a column
    file = "sessions.csv"                             # .csv or .parquet; where it is not there its columns are null
    on = "session_id"                                 # or { column of the input = "column of the file" }
    columns = { writer = "worker_id" }                # name in expressions = column of the file

    [[expand]]                                        # as often as one row makes events, in this order
    columns = { event_type = "'Proposed'" }           # over [columns]; data and metadata likewise

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
_ENTRIES = ("format", "columns", *_OBJECTS, "csv", "lookup", "expand")
_ONE_CHARACTER = 1


class CsvForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a CSV file is written. ``columns`` names its columns where it has no header line."""

    delimiter: str = ","
    quote: str = '"'
    header: bool = True
    columns: tuple[str, ...] = ()


class Lookup(msgspec.Struct, frozen=True, kw_only=True):
    """A second file, by which column of the input and of its own it is joined, and its columns by their names here."""

    file: str
    on: tuple[str, str]
    columns: dict[str, str]


class _Lookup(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    file: str
    on: str | dict[str, str]
    columns: dict[str, str]


class Mapping(msgspec.Struct, frozen=True, kw_only=True):
    """Which expression gives which column of the log; ``data`` and ``metadata`` may be member by member.

    ``events`` are the mappings of the events that one row makes, where it makes several.
    """

    columns: dict[str, str]
    data: dict[str, str] | None = None
    metadata: dict[str, str] | None = None
    format: str | None = None
    csv: CsvForm = CsvForm()
    lookup: Lookup | None = None
    events: tuple["Mapping", ...] = ()
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
    _refuse_unknown(
        content, ("format", "columns", "data", "metadata", "csv", "lookup", "expand"), f"{name} has the entry"
    )
    kind = content.get("format")
    if kind is not None and kind not in FORMATS:
        raise MappingError(f"{name} names the format {kind!r}. Possible are {', '.join(FORMATS)}.")
    events = _read_events(content, name)
    made = events[0] if events else _read_targets(content, name)
    csv, lookup = _read_csv_form(content.get("csv", {}), name), _read_lookup(content.get("lookup"), name)
    return msgspec.structs.replace(made, format=kind, csv=csv, lookup=lookup, events=events)


def _read_targets(content: dict[str, Any], name: str) -> Mapping:
    """Return what gives the columns of one event."""
    columns = _read_expressions(content, "columns", name) or {}
    _refuse_unknown(columns, tuple(ENVELOPE), f"{name} maps the column")
    for column in NEEDED:
        if column not in columns:
            raise MappingError(f"{name} does not map {column}. Give an expression for each of {', '.join(NEEDED)}.")
    objects = {table: _read_expressions(content, table, name) for table in _OBJECTS}
    for table in _OBJECTS:
        if table in columns and objects[table] is not None:
            raise MappingError(f"{name} gives {table} twice: keep it in [columns] or in [{table}].")
    return Mapping(columns=columns, data=objects["data"], metadata=objects["metadata"], name=name)


def _read_events(content: dict[str, Any], name: str) -> tuple[Mapping, ...]:
    """Return the mappings of the events that a row makes: what all of them have, and what each has of its own."""
    written = content.get("expand", [])
    if not isinstance(written, list) or not all(isinstance(each, dict) for each in written):
        raise MappingError(f"{name}: expand is no list of tables. Write [[expand]] once for each event of a row.")
    found = []
    for number, each in enumerate(written, start=1):
        _refuse_unknown(each, ("columns", *_OBJECTS), f"{name}, [[expand]] number {number}, has the entry")
        tables = {table for table in ("columns", *_OBJECTS) if table in each or table in content}
        joined = {table: {**_table(content, table, name), **_table(each, table, name)} for table in tables}
        found.append(_read_targets(joined, f"{name}, [[expand]] number {number}"))
    return tuple(found)


def _table(content: dict[str, Any], table: str, name: str) -> dict[str, str]:
    return _read_expressions(content, table, name) or {}


def _read_lookup(content: Any, name: str) -> Lookup | None:
    if content is None:
        return None
    try:
        read = msgspec.convert(content, _Lookup, strict=True)
    except msgspec.ValidationError as error:
        raise MappingError(f"{name}: [lookup] is not valid: {error}. It gives file, on and columns.") from error
    on = {read.on: read.on} if isinstance(read.on, str) else read.on
    if len(on) != 1 or not read.columns or Path(read.file).name != read.file:
        raise MappingError(
            f"{name}: [lookup] joins one file beside the input on one column, and takes at least one of its columns."
        )
    return Lookup(file=read.file, on=next(iter(on.items())), columns=read.columns)


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
