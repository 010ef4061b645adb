"""Rows that a mapping made: their envelope is computed already, their payload and times are not yet checked."""

from collections.abc import Sequence
from typing import Any, Final, overload

import pyarrow as pa
import pyarrow.compute as pc

from workbench.decode import columns as names
from workbench.decode.attributes import JSON_LINES, read_version, write_rest
from workbench.decode.normalise import MAX_VERSION, FaultError, reject
from workbench.decode.payloads import ABSENT, read_payload, read_payloads
from workbench.decode.rows import (
    Columns,
    DecodeContext,
    Decoded,
    Origin,
    Row,
    add_rows,
    complete,
    drop_rows,
    join,
    split_rows,
)
from workbench.decode.scan import scan_json
from workbench.decode.times import has_known_years, read_time, read_times, show_times, write_times
from workbench.event import ACTOR_KINDS, Rejection

RAW: Final = "raw"
# Why a row is no record at all, as the source found it; null, or no such column, where it is one.
FAULT: Final = "fault"
# The kind of the records in `raw`, unless the rows' schema has a metadata entry of its own under MEDIA_TYPE_ENTRY.
MEDIA_TYPE: Final = "application/json"
MEDIA_TYPE_ENTRY: Final = b"media_type"
TEXTS: Final = (
    names.EVENT_ID,
    names.SOURCE,
    names.STREAM_ID,
    names.EVENT_TYPE,
    names.ACTOR_ID,
    names.ACTOR_KIND,
    names.CORRELATION_ID,
    names.CAUSATION_ID,
)
NAMED: Final = {*JSON_LINES.attributes, FAULT}
TIMES: Final = (names.OCCURRED_AT, names.RECORDED_AT)
NUL: Final = "\0"


class RawColumn(Sequence[bytes]):
    """The records of a mapped chunk as bytes, read only where one is refused."""

    def __init__(self, rows: pa.Table) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return int(self.rows.num_rows)

    @overload
    def __getitem__(self, row: int) -> bytes: ...
    @overload
    def __getitem__(self, row: slice) -> Sequence[bytes]: ...
    def __getitem__(self, row: int | slice) -> bytes | Sequence[bytes]:
        if isinstance(row, slice):
            return [self[at] for at in range(*row.indices(len(self)))]
        raw = self.rows.column(RAW)[row].as_py() if RAW in self.rows.column_names else None
        return raw.encode() if isinstance(raw, str) else raw or b""


def decode_rows(rows: pa.Table, context: DecodeContext, *, indexes: Sequence[int] | None = None) -> Decoded:
    """Return what becomes of the rows of one mapped chunk."""
    parts = []
    for run in split_rows(rows.num_rows):
        numbers = indexes[run.start : run.stop] if indexes is not None else None
        parts.append(decode_run(rows.slice(run.start, len(run)).combine_chunks(), context, numbers))
    return join(parts)


def decode_run(rows: pa.Table, context: DecodeContext, indexes: Sequence[int] | None) -> Decoded:
    """Return what becomes of a run of rows: most in bulk, those that may break a rule one by one."""
    origin = find_origin(rows)
    columns, strays = read_rows(rows, context.source_name)
    found: list[Row] = []
    rejections: list[tuple[int, Rejection]] = []
    doubtful = [(row, read_values(rows.slice(row, 1))) for row in sorted(strays)]
    for row, values in doubtful:
        try:
            found.append(read_row(values, row, context.source_name))
        except FaultError as fault:
            rejections.append((row, reject(origin.place(row), fault)))
    columns = add_rows(drop_rows(columns, strays), found)
    return complete(columns, context, origin, rejections=rejections, indexes=indexes)


def find_origin(rows: pa.Table) -> Origin:
    """Return where the rows' records stood."""
    entries = rows.schema.metadata or {}
    media_type = entries.get(MEDIA_TYPE_ENTRY, MEDIA_TYPE.encode()).decode()
    offsets = rows.column(names.OFFSET).to_pylist()
    lines = rows.column(names.LINE).to_pylist() if names.LINE in rows.column_names else None
    return Origin(media_type, RawColumn(rows), offsets, lines, is_mapped=True)


def read_rows(rows: pa.Table, source_name: str) -> tuple[Columns, set[int]]:
    """Return the columns of all rows and the numbers of those that need a closer look."""
    strays: set[int] = set()
    columns: Columns = {"row": list(range(rows.num_rows))}
    for name in TEXTS:
        columns[name], wrong = read_texts(_column(rows, name), is_required=name in JSON_LINES.required)
        strays.update(wrong)
    columns[names.SOURCE] = [source or source_name for source in columns[names.SOURCE]]
    if not set(columns[names.ACTOR_KIND]) <= {None, *ACTOR_KINDS}:
        strays.update(row for row, kind in enumerate(columns[names.ACTOR_KIND]) if kind not in (None, *ACTOR_KINDS))
    for name in TIMES:
        columns[name], wrong = read_moments(_column(rows, name), is_required=name in JSON_LINES.required)
        strays.update(wrong)
    columns[names.SCHEMA_VERSION], wrong = read_versions(_column(rows, names.SCHEMA_VERSION))
    strays.update(wrong)
    payloads = read_payloads(_column(rows, names.DATA).cast(pa.binary()).to_pylist())
    columns[names.DATA], columns["canonical"] = list(payloads.texts), list(payloads.canonicals)
    strays.update(payloads.strays)
    columns["rest"], wrong = read_rests(rows)
    strays.update(wrong)
    if FAULT in rows.column_names:
        strays.update(_find(_column(rows, FAULT).is_valid()))
    return columns, strays


def _column(rows: pa.Table, name: str) -> pa.Array:
    if name not in rows.column_names:
        return pa.nulls(rows.num_rows, pa.string())
    column = rows.column(name).combine_chunks()
    column = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if pa.types.is_timestamp(column.type):
        return column
    if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        return column
    return column if column.type == pa.string() else column.cast(pa.string())


def read_texts(column: pa.Array, *, is_required: bool) -> tuple[list[str | None], set[int]]:
    """Return a column of texts and the rows whose text is empty, holds U+0000, or is required and absent."""
    if column.null_count == len(column):
        return column.to_pylist(), set(range(len(column))) if is_required else set()
    wrong = pc.or_(pc.equal(column, ""), pc.match_substring(column, NUL)).fill_null(is_required)
    return column.to_pylist(), set(_find(wrong))


def _find(flags: pa.Array) -> list[int]:
    found: list[int] = pc.indices_nonzero(flags).to_pylist()
    return found


def read_moments(column: pa.Array, *, is_required: bool) -> tuple[list[str | None], set[int]]:
    """Return a column's canonical times and the rows whose time needs a closer look; it may be texts or times."""
    wrong: list[int] = []
    if column.null_count == len(column):
        texts = column.to_pylist()
    elif not pa.types.is_timestamp(column.type):
        texts, wrong = read_times(column)
    elif column.type.tz is None or column.type.unit == "ns" or not has_known_years(column.cast(names.TIMESTAMP)):
        texts, wrong = [None] * len(column), _find(column.is_valid())
    else:
        texts, wrong = write_times(column.cast(names.TIMESTAMP)), []
    return texts, {*wrong, *(_find(column.is_null()) if is_required else ())}


def read_versions(column: pa.Array) -> tuple[list[int], set[int]]:
    """Return a column's schema versions, 1 where none is given, and the rows that cannot have the one given."""
    given = column.to_pylist()
    known = {text: 1 if text is None else read_version(text) or 0 for text in set(given)}
    versions = [known[text] for text in given]
    return versions, {row for row, version in enumerate(versions) if version == 0} if 0 in versions else set()


def read_rests(rows: pa.Table) -> tuple[list[str], set[int]]:
    """Return the metadata's texts without their first brace, and the rows whose metadata needs a closer look."""
    column = rows.column(names.METADATA).combine_chunks() if names.METADATA in rows.column_names else None
    if column is None or column.null_count == len(column):
        return ["}"] * rows.num_rows, set()
    if not pa.types.is_dictionary(column.type):
        return _open_texts(_column(rows, names.METADATA))
    # A text that many rows share is read once: the trace of BPI 2012 has 20 events, and its text cost 1.5 µs each.
    codes = pc.fill_null(column.indices, len(column.dictionary)).to_pylist()
    used = sorted(set(codes))
    texts, wrong = _open_texts(pa.concat_arrays([column.dictionary, pa.nulls(1, column.dictionary.type)]).take(used))
    rest_of, wrong_codes = dict(zip(used, texts, strict=True)), {used[at] for at in wrong}
    return [rest_of[code] for code in codes], {row for row, code in enumerate(codes) if code in wrong_codes}


def _open_texts(column: pa.Array) -> tuple[list[str], set[int]]:
    payloads = read_payloads(column.cast(pa.binary()).to_pylist())
    wrong = set(payloads.strays)
    rests = []
    for row, text in enumerate(payloads.texts):
        if text is not None and (not text.startswith(b"{") or b'"salt"' in text or b"\\u" in text):
            wrong.add(row)
        rests.append("}" if text is None or row in wrong else text.decode()[1:])
    return rests, wrong


def read_values(row: pa.Table) -> dict[str, Any]:
    """Return one row's values by column, times as texts: Python's own times hold neither all digits nor all years."""
    values: dict[str, Any] = {}
    for name in row.column_names:
        column = _column(row, name) if name in NAMED else row.column(name)
        values[name] = (show_times(column) if name in TIMES else column)[0].as_py()
    return values


def read_row(values: dict[str, Any], row: int, source_name: str) -> Row:
    """Return one row, read exactly; raises FaultError for the first rule it breaks."""
    if values.get(FAULT) is not None:
        raise FaultError("malformed_row", values[FAULT])
    payload = _read_json(values, names.DATA)
    texts = {name: _read_text(values, name) for name in TEXTS}
    kind = texts[names.ACTOR_KIND]
    if kind not in (None, *ACTOR_KINDS):
        raise FaultError("invalid_attribute", f"{names.ACTOR_KIND} is {ascii(kind)[:80]}")
    version = 1 if values.get(names.SCHEMA_VERSION) is None else read_version(values[names.SCHEMA_VERSION])
    if version is None:
        shown = ascii(values[names.SCHEMA_VERSION])[:80]
        raise FaultError(
            "invalid_attribute", f"{names.SCHEMA_VERSION} is {shown}, not a whole number from 1 to {MAX_VERSION:,}"
        )
    return Row(
        row=row,
        source=texts.pop(names.SOURCE) or source_name,
        schema_version=version,
        occurred_at=_read_moment(values, names.OCCURRED_AT),
        recorded_at=_read_moment(values, names.RECORDED_AT),
        data=payload.text,
        canonical=payload.canonical,
        rest=_read_rest(values),
        **texts,  # type: ignore[arg-type]  # the required ones are never None
    )


def _read_json(values: dict[str, Any], name: str) -> Any:
    text = values.get(name)
    if text is None:
        return ABSENT
    try:
        return read_payload(text.encode() if isinstance(text, str) else text)
    except FaultError as fault:
        raise FaultError(fault.code, f"{name}: {fault.detail}") from fault


def _read_text(values: dict[str, Any], name: str) -> str | None:
    text: str | None = values.get(name)
    if not text and name in JSON_LINES.required:
        raise FaultError("missing_attribute", f"{name} is {'absent' if text is None else 'empty'}")
    if text == "":
        raise FaultError("invalid_attribute", f"{name} is empty")
    if text is not None and NUL in text:
        raise FaultError("nul_character", f"{name} is {ascii(text)[:80]}")
    return text


def _read_moment(values: dict[str, Any], name: str) -> Any:
    moment = values.get(name)
    if moment is None:
        if name in JSON_LINES.required:
            raise FaultError("missing_attribute", f"{name} is absent")
        return None
    try:
        return read_time(moment)
    except FaultError as fault:
        raise FaultError(fault.code, f"{name} is {fault.detail}") from None


def _read_rest(values: dict[str, Any]) -> str:
    text = _read_json(values, names.METADATA).text
    if text is None:
        return "}"
    value = scan_json(text).value
    if not isinstance(value, dict):
        raise FaultError("invalid_attribute", f"{names.METADATA} is {text[:40]!r}, not an object")
    return write_rest(value)
