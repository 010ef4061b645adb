"""Rows on their way from records to the log: columns of lists, and how they become `Decoded`."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import pyarrow as pa

from workbench.decode import columns as names
from workbench.decode.arrays import write_array, write_hex
from workbench.decode.canonical import encode_json, encode_lines
from workbench.decode.columns import DECODED
from workbench.decode.digests import Content, digest_contents, give_id, make_id, make_ids, make_keys, make_salts
from workbench.decode.metadata import Places, find_told, write_metadata
from workbench.decode.normalise import FaultError, Placed, reject
from workbench.decode.registry import EMPTY, Registry
from workbench.event import Rejection


class DecodeContext(msgspec.Struct, frozen=True, kw_only=True):
    """What decoding must know beside the records: the source's name for events without one, and the registry.

    ``origin`` is the name of the file they come from; with it, their metadata say where in it they stood.
    """

    source_name: str
    registry: Registry = EMPTY
    origin: str | None = None


class Origin(msgspec.Struct, frozen=True):
    """Where the records of one chunk stood: their bytes, offsets, lines (all None where there are none) and kind.

    ``is_mapped`` says that a mapping computed their envelopes, so that the bytes alone do not give them again.
    """

    media_type: str
    raws: Sequence[bytes]
    offsets: Sequence[int]
    lines: Sequence[int | None] | None = None
    is_mapped: bool = False

    def place(self, row: int) -> Placed:
        """Return where one record stood."""
        return Placed(self.raws[row], self.offsets[row], self.media_type, self.lines[row] if self.lines else None)

    def cut(self, run: range) -> "Origin":
        """Return where the records of a run of rows stood."""
        rows = slice(run.start, run.stop)
        lines = self.lines[rows] if self.lines else None
        return Origin(self.media_type, self.raws[rows], self.offsets[rows], lines, self.is_mapped)


class Decoded(msgspec.Struct, frozen=True):
    """What became of a chunk: ``events`` (columns: `DECODED`) and ``rejections``, each in the order of the source.

    ``file`` is the Arrow file that a worker left the events in, if it did.
    """

    events: pa.Table
    rejections: list[Rejection]
    file: Path | None = None


class Row(msgspec.Struct, gc=False, kw_only=True):
    """One event, checked, before its digest: times canonical, ``data`` compact text, ``canonical`` its RFC 8785 text.

    ``rest`` is the JSON text of what else came with it, without the brace it begins with.
    """

    row: int
    event_id: str | None
    source: str
    stream_id: str
    event_type: str
    schema_version: int
    occurred_at: str
    recorded_at: str | None = None
    actor_id: str | None = None
    actor_kind: str | None = None
    correlation_id: str | None = None
    causation_id: str | None = None
    data: bytes | None = None
    canonical: msgspec.Raw | None = None
    rest: str = "}"


# Rows that are worked on together: what is made of them stays in the core's own cache, and 16,000 take a fifth longer.
RUN: Final = 2_000
FIELDS: Final = Row.__struct_fields__
COPIED: Final = (
    names.EVENT_ID,
    names.SOURCE,
    names.STREAM_ID,
    names.EVENT_TYPE,
    names.SCHEMA_VERSION,
    names.ACTOR_ID,
    names.ACTOR_KIND,
    names.CORRELATION_ID,
    names.CAUSATION_ID,
    names.DATA,
)

Columns = dict[str, list[Any]]


def drop_rows(columns: Columns, strays: set[int]) -> Columns:
    """Return the columns without the rows whose number is among the strays."""
    if not strays:
        return columns
    keep = [at for at, row in enumerate(columns["row"]) if row not in strays]
    return {name: [values[at] for at in keep] for name, values in columns.items()}


def add_rows(columns: Columns, rows: Sequence[Row]) -> Columns:
    """Return the columns with the rows put in where their numbers say."""
    if not rows:
        return columns
    whole = {name: columns[name] + [getattr(row, name) for row in rows] for name in FIELDS}
    order = sorted(range(len(whole["row"])), key=whole["row"].__getitem__)
    return {name: [values[at] for at in order] for name, values in whole.items()}


def complete(
    columns: Columns,
    context: DecodeContext,
    origin: Origin,
    *,
    rejections: Iterable[tuple[int, Rejection]] = (),
    indexes: Sequence[int] | None = None,
) -> Decoded:
    """Return the rows as `Decoded`: validated against their schemas, with ids, salts, digests and keys."""
    refused = list(rejections)
    if not context.registry.is_empty:
        columns, found = check_schemas(columns, context.registry, origin, indexes)
        refused += found
    refused.sort(key=lambda pair: pair[0])
    rows = columns["row"]
    contents = encode_lines([*map(Content, *(columns[name] for name in CONTENT))]).split(b"\n")[:-1]
    if None in columns[names.EVENT_ID]:
        give_ids(columns, contents, indexes)
    salts = make_salts(len(rows))
    arrays: dict[str, Any] = {name: columns[name] for name in COPIED}
    arrays[names.DIGEST] = write_hex(digest_contents(contents, salts))
    arrays[names.KEY] = make_keys(columns[names.SOURCE], map(str.encode, columns[names.EVENT_ID]))
    arrays[names.SALT] = salts
    is_whole = len(rows) == len(origin.raws)
    lines = origin.lines or [None] * len(origin.raws)
    arrays[names.OFFSET] = origin.offsets if is_whole else [origin.offsets[row] for row in rows]
    arrays[names.LINE] = lines if is_whole else [lines[row] for row in rows]
    places = None
    if context.origin is not None:
        told = find_told(columns["rest"], columns[names.RECORDED_AT])
        places = Places(context.origin, arrays[names.OFFSET], arrays[names.LINE], told)
    arrays[names.METADATA] = write_metadata(b"".join(salts), columns["rest"], places)
    for name in (names.OCCURRED_AT, names.RECORDED_AT):
        arrays[name] = write_array(columns[name], pa.string()).cast(names.TIMESTAMP)
    events = pa.Table.from_arrays([write_array(arrays[field.name], field.type) for field in DECODED], schema=DECODED)
    return Decoded(events, [rejection for _, rejection in refused])


def split_rows(count: int) -> list[range]:
    """Return the rows of a chunk in runs of `RUN`; one empty run when there are none."""
    return [range(at, min(at + RUN, count)) for at in range(0, count, RUN)] or [range(0)]


def join(parts: Sequence[Decoded]) -> Decoded:
    """Return the parts of a chunk as one."""
    if len(parts) == 1:
        return parts[0]
    return Decoded(
        pa.concat_tables([part.events for part in parts]),
        [rejection for part in parts for rejection in part.rejections],
    )


CONTENT: Final = tuple("canonical" if name == names.DATA else name for name in Content.__struct_fields__)


# What a mapping gives of an event, by which plain JSON lines name it too.
MAPPED: Final = DECODED.names[: DECODED.get_field_index(names.METADATA) + 1]


def give_ids(columns: Columns, contents: list[bytes], indexes: Sequence[int] | None) -> None:
    """Give every row without an id the one its source, stream, index in the stream and content make."""
    sources, streams, rows, ids = (columns[name] for name in (names.SOURCE, names.STREAM_ID, "row", names.EVENT_ID))
    numbers = [indexes[row] for row in rows] if indexes is not None else [0] * len(rows)
    if any(ids):
        places = [at for at, event_id in enumerate(ids) if event_id is None]
        sources, streams, numbers = ([values[at] for at in places] for values in (sources, streams, numbers))
        made = make_ids(zip(sources, streams, strict=True), numbers, [contents[at] for at in places])
        columns[names.EVENT_ID] = ids = [*ids]  # columns without values may share one list
        for at, event_id in zip(places, made, strict=True):
            ids[at], contents[at] = event_id, give_id(contents[at], event_id)
        return
    columns[names.EVENT_ID] = made = make_ids(zip(sources, streams, strict=True), numbers, contents)
    contents[:] = map(give_id, contents, made)


def check_schemas(
    columns: Columns, registry: Registry, origin: Origin, indexes: Sequence[int] | None
) -> tuple[Columns, list[tuple[int, Rejection]]]:
    """Return the columns without the rows that their schema refuses, those flagged whose version is not known yet."""
    refused: list[tuple[int, Rejection]] = []
    types, versions, rests = (columns[name] for name in (names.EVENT_TYPE, names.SCHEMA_VERSION, "rest"))
    for at, (event_type, version, text) in enumerate(zip(types, versions, columns[names.DATA], strict=True)):
        known = registry.types.get(event_type)
        if known is None:
            continue
        if version > known.current:
            rests[at] = flag_unknown(rests[at])
        elif version in known.schemas:
            detail = registry.find_mismatch(event_type, version, text or b"null")
            if detail is not None:
                row = columns["row"][at]
                index = indexes[row] if indexes else 0
                mapped = write_line(columns, at, index) if origin.is_mapped else None
                fault = FaultError("schema_mismatch", detail)
                refused.append((row, reject(origin.place(row), fault, index=index, mapped=mapped)))
    return drop_rows(columns, {row for row, _ in refused}), refused


def write_line(columns: Columns, at: int, index: int) -> bytes:
    """Return one row as a line of plain JSON lines that decodes to the same event, whether or not it has an id yet."""
    values = {name: columns[name][at] for name in MAPPED if name in columns}
    if values[names.EVENT_ID] is None:
        content = encode_json(Content(*(columns[name][at] for name in CONTENT)))
        values[names.EVENT_ID] = make_id(values[names.SOURCE], values[names.STREAM_ID], index, content)
    values[names.DATA] = msgspec.Raw(values[names.DATA] or b"null")
    values[names.METADATA] = msgspec.Raw(b"{" + columns["rest"][at].encode())
    return encode_json({name: value for name, value in values.items() if value is not None})


def flag_unknown(rest: str) -> str:
    """Return the metadata's text with the mark of a schema version newer than the registry's."""
    mark = '"unknown_schema_version":true'
    return rest if '"unknown_schema_version":' in rest else mark + rest if rest == "}" else f"{mark},{rest}"
