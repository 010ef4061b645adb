"""Chunks of JSON records to rows, in bulk; the few that need a closer look go to `attributes`."""

from collections.abc import Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Annotated, Any, Final

import msgspec
from msgspec import UNSET, Raw, UnsetType

from workbench.decode import columns as names
from workbench.decode.attributes import (
    BINARY,
    CLOUDEVENTS,
    DATASCHEMA,
    JSON_LINES,
    SPECVERSION,
    SUBJECT,
    SUPPORTED,
    Form,
    find_version,
    read_record,
    read_version,
    write_rest,
)
from workbench.decode.canonical import encode_json
from workbench.decode.normalise import MAX_INTEGER, MIN_INTEGER, FaultError, reject
from workbench.decode.payloads import MAYBE_COLON, NUL, UNREADABLE, read_payloads
from workbench.decode.rows import Columns, DecodeContext, Decoded, Origin, Row, add_rows, complete, drop_rows
from workbench.decode.times import read_times
from workbench.event import ACTOR_KINDS, Rejection

CLOUDEVENTS_JSON: Final = "application/cloudevents+json"
JSON: Final = "application/json"
FORMS_OF_RECORDS: Final = {CLOUDEVENTS_JSON: CLOUDEVENTS, JSON: JSON_LINES}

MAX_EXTENSIONS: Final = 32
TEXTS: Final = (
    names.EVENT_ID,
    names.SOURCE,
    names.STREAM_ID,
    names.EVENT_TYPE,
    names.OCCURRED_AT,
    names.RECORDED_AT,
    names.ACTOR_ID,
    names.ACTOR_KIND,
    names.CORRELATION_ID,
    names.CAUSATION_ID,
)
CLOUDEVENTS_OTHERS: Final = (SPECVERSION, "datacontenttype", DATASCHEMA)

Text = str | None | UnsetType
Integer = Annotated[int, msgspec.Meta(ge=MIN_INTEGER, le=MAX_INTEGER)]
Plain = str | Integer | bool | UnsetType


@lru_cache(maxsize=64)
def envelope_decoder(form_name: str, extensions: tuple[str, ...]) -> msgspec.json.Decoder[Any]:
    """Return a decoder to a struct with the form's columns, its payload as raw text, and these extensions."""
    form = CLOUDEVENTS if form_name == "cloudevents" else JSON_LINES
    fields: list[Any] = [(name, Text, UNSET) for name in TEXTS]
    fields += [(names.SCHEMA_VERSION, int | str | None | UnsetType, UNSET), (names.DATA, Raw | UnsetType, UNSET)]
    if form.is_cloudevents:
        fields += [(SUBJECT, Text, UNSET), *((name, str | UnsetType, UNSET) for name in CLOUDEVENTS_OTHERS)]
    else:
        fields += [(names.METADATA, Raw | UnsetType, UNSET)]
    fields += [(f"extension{at}", Plain, UNSET) for at in range(len(extensions))]
    renamed = form.attributes | {f"extension{at}": name for at, name in enumerate(extensions)}
    kind = msgspec.defstruct("Envelope", fields, rename=renamed, gc=False)
    return msgspec.json.Decoder(kind)


def find_extensions(raws: Sequence[bytes], form: Form) -> tuple[str, ...]:
    """Return the names of members that the form does not know, as the chunk's first records show them."""
    known = {*form.attributes.values(), *CLOUDEVENTS_OTHERS, BINARY, names.METADATA}
    found: set[str] = set()
    for raw in raws[:MAX_EXTENSIONS]:
        try:
            found |= msgspec.json.decode(raw, type=dict[str, Raw]).keys() - known
        except UNREADABLE:
            continue
    return tuple(sorted(found)[:MAX_EXTENSIONS])


def decode_records(
    origin: Origin, form: Form, context: DecodeContext, *, indexes: Sequence[int] | None = None
) -> Decoded:
    """Return what becomes of the records of one chunk."""
    columns, strays = read_chunk(origin.raws, form, context.source_name)
    rows: list[Row] = []
    rejections: list[tuple[int, Rejection]] = []
    for row in sorted(strays):
        try:
            rows.append(read_record(origin.raws[row], row, form, context.source_name))
        except FaultError as fault:
            rejections.append((row, reject(origin.place(row), fault)))
    columns = add_rows(columns, rows)
    return complete(columns, context, origin, rejections=rejections, indexes=indexes)


def read_chunk(raws: Sequence[bytes], form: Form, source_name: str) -> tuple[Columns, set[int]]:
    """Return the columns of the records that plainly keep every rule, and the numbers of all others."""
    extensions = find_extensions(raws, form)
    envelopes, strays = read_envelopes(raws, form, extensions)
    rows = [row for row in range(len(raws)) if row not in strays] if strays else list(range(len(raws)))
    columns: Columns = {name: [*map(attrgetter(name), envelopes)] for name in (*TEXTS, names.SCHEMA_VERSION)}
    doubtful = settle_columns(columns, envelopes, form, source_name)
    payloads = read_payloads([bytes(data) if data else None for data in map(attrgetter(names.DATA), envelopes)])
    columns[names.DATA], columns["canonical"] = list(payloads.texts), list(payloads.canonicals)
    doubtful.update(payloads.strays)
    columns["rest"], more = read_rests(envelopes, form, extensions)
    doubtful.update(more)
    columns["row"] = rows
    missed = {rows[at] for at in doubtful}
    return drop_rows(columns, missed), strays | missed


def read_envelopes(raws: Sequence[bytes], form: Form, extensions: tuple[str, ...]) -> tuple[list[Any], set[int]]:
    """Return the envelopes of records with neither an unknown nor a duplicate member, and the other records' numbers.

    A member that msgspec dropped shows as in `workbench.decode.payloads.read_payloads`: by length, else by colons.
    """
    decode = envelope_decoder("cloudevents" if form.is_cloudevents else "json", extensions).decode
    has_nul = NUL in b"\n".join(raws)
    envelopes = []
    strays = set()
    for row, raw in enumerate(raws):
        try:
            envelope = decode(raw)
        except UNREADABLE:
            strays.add(row)
            continue
        again = encode_json(envelope)
        if (len(again) != len(raw) and (again.count(b":") != raw.count(b":") or MAYBE_COLON in raw)) or (
            has_nul and NUL in raw
        ):
            strays.add(row)
        else:
            envelopes.append(envelope)
    return envelopes, strays


def settle_columns(columns: Columns, envelopes: list[Any], form: Form, source_name: str) -> set[int]:
    """Fill in defaults and canonical times in place; return the places of rows that need a closer look."""
    doubtful: set[int] = set()
    for name in TEXTS:
        values = columns[name]
        if "" in values:
            doubtful.update(at for at, value in enumerate(values) if value == "")
        columns[name] = values = [value or None for value in values]
        if name in form.required and not (form.is_cloudevents and name == names.STREAM_ID) and None in values:
            doubtful.update(at for at, value in enumerate(values) if value is None)
    if not set(columns[names.ACTOR_KIND]) <= {None, *ACTOR_KINDS}:
        kinds = columns[names.ACTOR_KIND]
        doubtful.update(at for at, kind in enumerate(kinds) if kind not in (None, *ACTOR_KINDS))
    for name in (names.OCCURRED_AT, names.RECORDED_AT):
        columns[name], wrong = read_times(columns[name])
        doubtful.update(wrong)
    sources = columns[names.SOURCE] = [source or source_name for source in columns[names.SOURCE]]
    if form.is_cloudevents:
        doubtful.update(settle_cloudevents(columns, envelopes, sources))
    else:
        doubtful.update(settle_versions(columns, [None] * len(envelopes)))
    return doubtful


def settle_cloudevents(columns: Columns, envelopes: list[Any], sources: list[str]) -> set[int]:
    """Fill in what CloudEvents says otherwise: the stream by subject or source, the version by dataschema."""
    subjects = [*map(attrgetter(SUBJECT), envelopes)]
    columns[names.STREAM_ID] = [
        stream or subject or source
        for stream, subject, source in zip(columns[names.STREAM_ID], subjects, sources, strict=True)
    ]
    doubtful = {at for at, subject in enumerate(subjects) if subject == ""} if "" in subjects else set()
    specversions = [*map(attrgetter(SPECVERSION), envelopes)]
    if set(specversions) != {SUPPORTED}:
        doubtful.update(at for at, version in enumerate(specversions) if version != SUPPORTED)
    doubtful.update(settle_versions(columns, [*map(attrgetter(DATASCHEMA), envelopes)]))
    return doubtful


def settle_versions(columns: Columns, schemas: list[Any]) -> set[int]:
    """Make every schema version a number in place; return the places of those that cannot be one."""
    versions = columns[names.SCHEMA_VERSION]
    if not set(map(type, versions)) <= {UnsetType}:
        versions = [UNSET if version is None else read_version(version) or 0 for version in versions]
    settled = [
        find_version(schema or None) if version is UNSET else version
        for version, schema in zip(versions, schemas, strict=True)
    ]
    columns[names.SCHEMA_VERSION] = settled
    return {at for at, version in enumerate(settled) if version == 0} if 0 in settled else set()


def read_rests(envelopes: list[Any], form: Form, extensions: tuple[str, ...]) -> tuple[list[str], list[int]]:
    """Return the texts of what belongs to no column, and the places of rows that need a closer look."""
    if not form.is_cloudevents:
        return read_metadata(envelopes, extensions)
    fields = {name: name for name in CLOUDEVENTS_OTHERS} | {
        f"extension{at}": name for at, name in enumerate(extensions)
    }
    return write_rests(envelopes, dict(sorted(fields.items(), key=lambda pair: pair[1]))), []


def write_rests(envelopes: list[Any], fields: dict[str, str]) -> list[str]:
    """Return each envelope's members outside the columns as text; ``fields`` maps the struct's field → name."""
    if not envelopes or not fields:
        return ["}"] * len(envelopes)
    lists = [[*map(attrgetter(field), envelopes)] for field in fields]
    known: dict[Any, str] = {}
    rests = []
    for values in zip(*lists, strict=True):
        # 1 and true are equal as keys, so the kinds belong to the key.
        key = (*values, *map(type, values)) if len(fields) > len(CLOUDEVENTS_OTHERS) else values
        rest = known.get(key)
        if rest is None:
            if len(known) > MAX_KNOWN:
                known.clear()
            others = {name: value for name, value in zip(fields.values(), values, strict=True) if value is not UNSET}
            rest = known[key] = write_rest(others)
        rests.append(rest)
    return rests


MAX_KNOWN: Final = 10_000


def read_metadata(envelopes: list[Any], extensions: tuple[str, ...]) -> tuple[list[str], list[int]]:
    """Return the texts of the records' own metadata or extensions; rows that have both need a closer look."""
    rests = write_rests(envelopes, {f"extension{at}": name for at, name in enumerate(extensions)})
    raws = [bytes(raw) if raw else None for raw in map(attrgetter(names.METADATA), envelopes)]
    if not any(raws):
        return rests, []
    payloads = read_payloads(raws)
    doubtful = list(payloads.strays)
    for at, text in enumerate(payloads.texts):
        if text is None:
            continue
        if rests[at] != "}" or not text.startswith(b"{") or b'"salt"' in text or b"\\u" in text:
            doubtful.append(at)
        else:
            rests[at] = text.decode(errors="replace")[1:]
    return rests, doubtful
