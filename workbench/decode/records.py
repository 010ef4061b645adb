"""Chunks of JSON records to rows, in bulk; the few that need a closer look go to `attributes`."""

from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from functools import lru_cache
from itertools import islice
from operator import attrgetter
from typing import Annotated, Any, Final, Literal

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
from workbench.decode.canonical import encode_json, encode_lines
from workbench.decode.normalise import MAX_INTEGER, MIN_INTEGER, FaultError, reject
from workbench.decode.payloads import MAYBE_COLON, NUL, UNREADABLE, read_payloads
from workbench.decode.rows import (
    FIELDS,
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
from workbench.decode.times import read_times
from workbench.event import ACTOR_KINDS, Rejection

CLOUDEVENTS_JSON: Final = "application/cloudevents+json"
JSON: Final = "application/json"
FORMS_OF_RECORDS: Final = {CLOUDEVENTS_JSON: CLOUDEVENTS, JSON: JSON_LINES}

# Records that are looked at for the names of their members, and names a struct is made for; others go the long way.
LOOKED_AT: Final = 32
MAX_MEMBERS: Final = 64
MAX_KNOWN: Final = 10_000
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
Filled = Annotated[str, msgspec.Meta(min_length=1)]
STRICT: Final[dict[str, Any]] = {SPECVERSION: Literal["1.0"], names.ACTOR_KIND: Literal["human", "ai", "system"]}


@lru_cache(maxsize=256)
def name_fields(form: Form, members: tuple[str, ...]) -> dict[str, str]:
    """Return the names of an envelope's fields by those of the members of a record."""
    columns = {name: column for column, name in form.attributes.items()}
    columns |= {name: name for name in CLOUDEVENTS_OTHERS}
    return {name: columns.get(name, f"other{at}") for at, name in enumerate(members)}


@lru_cache(maxsize=256)
def envelope_decoder(
    form: Form, members: tuple[str, ...], always: frozenset[str] = frozenset()
) -> msgspec.json.Decoder[Any]:
    """Return a decoder to a struct with these members of a record, those of ``always`` required and plainly right.

    A struct of the members that occur costs a third less than one of all that may.
    """
    fields = name_fields(form, members)
    kinds: dict[str, Any] = {names.SCHEMA_VERSION: int | str | None | UnsetType}
    kinds |= dict.fromkeys((names.DATA, names.METADATA), Raw | UnsetType)
    kinds |= dict.fromkeys((*TEXTS, SUBJECT), Text)
    types = [
        (field, STRICT.get(field, Filled))
        if name in always
        else (field, kinds.get(field, str | UnsetType if name in CLOUDEVENTS_OTHERS else Plain), UNSET)
        for name, field in fields.items()
    ]
    rename = {field: name for name, field in fields.items()}
    return msgspec.json.Decoder(msgspec.defstruct("Envelope", types, rename=rename, gc=False, kw_only=True))


def find_always(raws: Iterable[bytes], form: Form) -> frozenset[str]:
    """Return the members with a text of their own that the first of the records all have."""
    found: set[str] | None = None
    for raw in islice(raws, LOOKED_AT):
        try:
            members = msgspec.json.decode(raw, type=dict[str, Raw]).keys()
        except UNREADABLE:
            return frozenset()
        found = found & members if found is not None else set(members)
    texts = {form.attributes[name] for name in (*TEXTS, SUBJECT) if name in form.attributes}
    return frozenset((found or set()) & (texts | {SPECVERSION} if form.is_cloudevents else texts))


def find_members(raws: Iterable[bytes]) -> set[str]:
    """Return the names of the members that the first of the records have, at most `MAX_MEMBERS`."""
    found: set[str] = set()
    for raw in islice(raws, LOOKED_AT):
        try:
            found |= msgspec.json.decode(raw, type=dict[str, Raw]).keys()
        except UNREADABLE:
            continue
    plain = {name for name in found if name.isascii() and name.replace("_", "").replace("-", "").isalnum()}
    return set(sorted(plain - {BINARY})[:MAX_MEMBERS])


def decode_records(
    origin: Origin, form: Form, context: DecodeContext, *, indexes: Sequence[int] | None = None
) -> Decoded:
    """Return what becomes of the records of one chunk."""
    parts = []
    for run in split_rows(len(origin.raws)):
        part = origin.cut(run)
        numbers = indexes[run.start : run.stop] if indexes is not None else None
        parts.append(decode_run(part, form, context, numbers))
    return join(parts)


def decode_run(origin: Origin, form: Form, context: DecodeContext, indexes: Sequence[int] | None) -> Decoded:
    """Return what becomes of a run of records: most in bulk, those that may break a rule one by one."""
    columns, strays = read_chunk(origin.raws, form, context.source_name)
    rows: list[Row] = []
    rejections: list[tuple[int, Rejection]] = []
    for row in sorted(strays):
        try:
            rows.append(read_record(origin.raws[row], row, form, context.source_name))
        except FaultError as fault:
            rejections.append((row, reject(origin.place(row), fault, index=indexes[row] if indexes else 0)))
    columns = add_rows(columns, rows)
    return complete(columns, context, origin, rejections=rejections, indexes=indexes)


def read_chunk(raws: Sequence[bytes], form: Form, source_name: str) -> tuple[Columns, set[int]]:
    """Return the columns of the records that plainly keep every rule, and the numbers of all others."""
    members = find_members(raws)
    envelopes, strays, always = read_envelopes(raws, form, members, find_always(raws, form) & members)
    more = find_members(raws[row] for row in sorted(strays)) - members if strays else set()
    if more and len(members) + len(more) <= MAX_MEMBERS:
        members |= more
        envelopes, strays, always = read_envelopes(raws, form, members, always)
    fields = name_fields(form, tuple(sorted(members)))
    columns: Columns = {field: [*map(attrgetter(field), envelopes)] for field in fields.values()}
    rows = [row for row in range(len(raws)) if row not in strays] if strays else list(range(len(raws)))
    filled = {fields[name] for name in always}
    columns, doubtful = settle_columns(columns, rows, form, source_name, filled=filled)
    columns["rest"], found = read_rests(columns, rows, fields, form)
    missed = {rows[at] for at in doubtful | found}
    return drop_rows({name: columns[name] for name in FIELDS}, missed), strays | missed


def read_envelopes(
    raws: Sequence[bytes], form: Form, members: AbstractSet[str], always: frozenset[str] = frozenset()
) -> tuple[list[Any], set[int], frozenset[str]]:
    """Return the envelopes of records with neither an unknown nor a duplicate member, and the other records' numbers.

    A member that msgspec dropped shows as in `workbench.decode.payloads.read_payloads`: by length, else by colons. The
    members of ``always`` are held to be right texts while decoding, which spares a look at each (1.2 µs a record); when
    one is not, none of them is, and the set returned is empty.
    """
    decode = envelope_decoder(form, tuple(sorted(members)), always).decode
    try:
        envelopes = [*map(decode, raws)]
    except UNREADABLE:
        if always:
            return read_envelopes(raws, form, members)
        envelopes = [_try(decode, raw) for raw in raws]
    else:
        # No envelope is longer than its record, so all have its length when their sums are equal: 0.2 µs less.
        whole = encode_lines(envelopes)
        if len(whole) == sum(map(len, raws)) + len(raws) and NUL not in whole:
            return envelopes, set(), always
    has_nul = NUL in b"\n".join(raws)
    lengths = [*map(len, map(encode_json, envelopes))]
    strays = {
        row
        for row, (raw, envelope, length) in enumerate(zip(raws, envelopes, lengths, strict=True))
        if envelope is None
        or (length != len(raw) and (encode_json(envelope).count(b":") != raw.count(b":") or MAYBE_COLON in raw))
        or (has_nul and NUL in raw)
    }
    return [envelope for row, envelope in enumerate(envelopes) if row not in strays], strays, always


def _try(decode: Callable[[bytes], Any], raw: bytes) -> Any:
    try:
        return decode(raw)
    except UNREADABLE:
        return None


def settle_columns(
    columns: Columns, rows: list[int], form: Form, source_name: str, *, filled: AbstractSet[str]
) -> tuple[Columns, set[int]]:
    """Return all columns with defaults and canonical times, and the places of rows that need a closer look.

    The ``filled`` columns hold right texts only.
    """
    doubtful: set[int] = set()
    absent: list[Any] = [None] * len(rows)
    settled = {**columns, "row": rows}
    for name in (*TEXTS, SUBJECT):
        if name in filled:
            continue
        values = columns.get(name, absent)
        if "" in values:
            doubtful.update(at for at, value in enumerate(values) if value == "")
        values = settled[name] = absent if values is absent else [value or None for value in values]
        if name in form.required and None in values:
            doubtful.update(at for at, value in enumerate(values) if value is None)
    if names.ACTOR_KIND not in filled and not set(settled[names.ACTOR_KIND]) <= {None, *ACTOR_KINDS}:
        doubtful.update(at for at, kind in enumerate(settled[names.ACTOR_KIND]) if kind not in (None, *ACTOR_KINDS))
    for name in (names.OCCURRED_AT, names.RECORDED_AT):
        settled[name], wrong = read_times(settled[name]) if settled[name] is not absent else (absent, [])
        doubtful.update(wrong)
    if names.SOURCE not in filled:
        settled[names.SOURCE] = [source or source_name for source in settled[names.SOURCE]]
    payloads = read_payloads([bytes(data) if data else None for data in columns.get(names.DATA, absent)])
    settled[names.DATA], settled["canonical"] = list(payloads.texts), list(payloads.canonicals)
    doubtful.update(payloads.strays, settle_cloudevents(settled) if form.is_cloudevents else ())
    schemas = settled.get(DATASCHEMA, absent) if form.is_cloudevents else absent
    settled[names.SCHEMA_VERSION], wrong = settle_versions(columns.get(names.SCHEMA_VERSION), schemas)
    return settled, doubtful | set(wrong)


def settle_cloudevents(columns: Columns) -> set[int]:
    """Give every event its stream, by extension, subject or source; return the places of other spec versions."""
    columns[names.STREAM_ID] = [
        stream or subject or source
        for stream, subject, source in zip(
            columns[names.STREAM_ID], columns[SUBJECT], columns[names.SOURCE], strict=True
        )
    ]
    versions = columns.get(SPECVERSION, [None] * len(columns["row"]))
    return set() if set(versions) == {SUPPORTED} else {at for at, text in enumerate(versions) if text != SUPPORTED}


def settle_versions(versions: list[Any] | None, schemas: list[Any]) -> tuple[list[int], list[int]]:
    """Return every event's schema version, and the places of those that cannot have the one given."""
    if versions is None:
        return [find_version(schema or None) for schema in schemas], []
    settled = [
        find_version(schema or None) if version is UNSET or version is None else read_version(version) or 0
        for version, schema in zip(versions, schemas, strict=True)
    ]
    return settled, [at for at, version in enumerate(settled) if version == 0] if 0 in settled else []


def read_rests(columns: Columns, rows: list[int], fields: dict[str, str], form: Form) -> tuple[list[str], set[int]]:
    """Return the texts of what belongs to no column, and the places of rows that need a closer look."""
    known = set(form.attributes.values())
    others = {name: columns[field] for name, field in fields.items() if name not in known}
    rests = write_rests(others, len(rows))
    raws = [bytes(raw) if raw else None for raw in columns.get(names.METADATA, ())]
    if form.is_cloudevents or not any(raws):
        return rests, set()
    payloads = read_payloads(raws)
    doubtful = set(payloads.strays)
    for at, text in enumerate(payloads.texts):
        if text is None:
            continue
        if rests[at] != "}" or not text.startswith(b"{") or b'"salt"' in text or b"\\u" in text or at in doubtful:
            doubtful.add(at)
        else:
            rests[at] = text.decode()[1:]
    return rests, doubtful


def write_rests(others: dict[str, list[Any]], count: int) -> list[str]:
    """Return the members outside the columns as text, row by row, in the order of their names."""
    if not others:
        return ["}"] * count
    ordered = sorted(others)
    is_plain = set(ordered) <= set(CLOUDEVENTS_OTHERS)
    known: dict[Any, str] = {}
    rests = []
    for values in zip(*(others[name] for name in ordered), strict=True):
        # 1 and true are equal as keys, so only texts are remembered.
        rest = known.get(values) if is_plain else None
        if rest is None:
            rest = write_rest({name: value for name, value in zip(ordered, values, strict=True) if value is not UNSET})
            if len(known) < MAX_KNOWN:
                known[values] = rest
        rests.append(rest)
    return rests
