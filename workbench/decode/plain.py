"""Lines of one layout to events, column by column; `records` decides on every line that is left over."""

import os
from collections.abc import Sequence
from hashlib import sha256
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa

from workbench.decode import columns as names
from workbench.decode.arrays import cut_fixed, join_pieces, list_bytes, read_ends, write_hex, write_texts
from workbench.decode.attributes import BINARY, DATASCHEMA, SALT, SPECVERSION, SUBJECT, SUPPORTED, Form
from workbench.decode.columns import DECODED
from workbench.decode.digests import SALT_SIZE, Content, hash_ids, make_keys
from workbench.decode.flat import order_flat
from workbench.decode.layouts import Ints, Lines, Matched, Values, cut_texts, find_lines, match_layouts, open_lines
from workbench.decode.metadata import ORIGIN, Places, write_metadata
from workbench.decode.payloads import write_forms
from workbench.decode.records import settle_versions
from workbench.decode.rows import DecodeContext
from workbench.decode.times import read_moments
from workbench.decode.uniform import write_uniform
from workbench.event import ACTOR_KINDS

# Lines that are worked on together: half of them cost 0.2 µs more a line, in calls; twice, 0.3, out of the cache.
RUN: Final = 8_192
JSON_SPACE: Final = b" \t\n\r"
NULL: Final = b"null"
TIMES: Final = (names.OCCURRED_AT, names.RECORDED_AT)
CONTENT: Final = Content.__struct_fields__
# Under which name the columns keep the canonical text of what is kept in another form too.
CANONICAL: Final = {names.OCCURRED_AT: "occurred_text", names.RECORDED_AT: "recorded_text"}
# Members that no layout may have: each has a rule of its own in `attributes`.
SPECIAL: Final = {BINARY, SALT, ORIGIN}

# Column by name; a text stands for a column that has it in all rows.
Arrays = dict[str, Values]


class Text(NamedTuple):
    """Records, one a line, and for each the byte it begins at and its line, where it has one."""

    text: bytes
    begins: Ints
    ends: Ints
    offsets: Ints
    lines: Ints | None

    def take(self, rows: Ints) -> "Left":
        """Return those of the rows that hold more than white space, one by one."""
        raws = [self.text[self.begins[row] : self.ends[row]] for row in rows.tolist()]
        kept = [at for at, raw in enumerate(raws) if raw.strip(JSON_SPACE)]
        rows = rows[kept]
        lines = None if self.lines is None else self.lines[rows].tolist()
        return Left([raws[at] for at in kept], self.offsets[rows].tolist(), lines)


class Left(NamedTuple):
    """Records with the byte and the line each stands at."""

    raws: list[bytes]
    offsets: list[int]
    lines: list[int] | None


class Settled(NamedTuple):
    """Lines whose envelope and payload keep every rule: their numbers, columns, and the texts of what has no column."""

    rows: Ints
    arrays: Arrays
    canonical: list[Values]
    rests: Values


def read_text(text: bytes, offset: int, line: int) -> Text:
    """Return the records of a text that begins at a byte and a line of its source."""
    begins, ends = find_lines(text)
    return Text(text, begins, ends, begins + offset, np.arange(line, line + len(begins)))


def join_records(raws: Sequence[bytes], offsets: Sequence[int], lines: Sequence[int] | None) -> Text | None:
    """Return the records as lines of one text; None where one of them has several lines."""
    text = b"\n".join(raws)
    begins, ends = find_lines(text)
    if len(begins) != len(raws):
        return None
    return Text(text, begins, ends, np.asarray(offsets), None if lines is None else np.asarray(lines))


def decode_plain(records: Text, form: Form, context: DecodeContext) -> tuple[list[pa.Table], Ints]:
    """Return the events of the records that plainly keep every rule, by layout, and the numbers of all others."""
    events: list[pa.Table] = []
    left = np.ones(len(records.begins), np.bool_)
    for start in range(0, len(records.begins), RUN):
        run = slice(start, start + RUN)
        lines = open_lines(records.text, records.begins[run], records.ends[run])
        if lines is None:
            continue
        for matched in match_layouts(lines):
            settled = settle_lines(lines, matched, form, context.source_name)
            if settled is not None:
                rows = settled.rows + start
                events.append(complete_lines(settled, rows, records, context))
                left[rows] = False
    return events, np.flatnonzero(left)


def settle_lines(lines: Lines, matched: Matched, form: Form, source_name: str) -> Settled | None:
    """Return the columns of lines of one layout; None where their envelope is not plain throughout."""
    members = matched.values.keys()
    if members & SPECIAL or (not form.is_cloudevents and names.METADATA in members):
        return None
    matched, texts, canonical = take_payloads(lines, matched)
    arrays: Arrays = {} if texts is None else {names.DATA: texts}
    count = len(matched.rows)
    if not count:
        return None
    values = matched.values
    known = {name: column for column, name in form.attributes.items()}
    arrays |= {known[name]: array for name, array in values.items() if name in known}
    if not keeps_rules(arrays, values, form) or not settle_times(arrays, count):
        return None
    arrays.setdefault(names.SOURCE, source_name)
    arrays.setdefault(names.STREAM_ID, arrays.get(SUBJECT, arrays[names.SOURCE]))
    schemas = values.get(DATASCHEMA) if form.is_cloudevents else None
    versions = read_versions(arrays.get(names.SCHEMA_VERSION), schemas, count)
    if versions is None:
        return None
    arrays[names.SCHEMA_VERSION] = versions
    rests = join_rests({name: values[name] for name in values if name not in known})
    return Settled(matched.rows, arrays, canonical, rests)


def take_payloads(lines: Lines, matched: Matched) -> tuple[Matched, pa.Array | None, list[Values]]:
    """Return the lines without those whose payload may break a rule, their payloads and the canonical texts' pieces."""
    if matched.layout.tail is None or not len(matched.rows):
        return matched, None, ["null"]
    column = cut_texts(lines.text, matched.payload_begins, matched.payload_ends)
    ordered = order_flat(lines, matched)
    if ordered is not None:
        return matched, column, ordered
    uniform = write_uniform(column)
    if uniform is not None:
        return matched, column, [uniform]
    texts, forms, strays = write_forms(list_bytes(column))
    if strays:
        kept = np.ones(len(texts), np.bool_)
        kept[strays] = False
        matched = matched.keep(kept)
        texts, forms = ([each[row] for row in np.flatnonzero(kept).tolist()] for each in (texts, forms))
    if NULL in forms:
        texts = [None if form == NULL else text for text, form in zip(texts, forms, strict=True)]
    return matched, write_texts(texts), [write_texts(forms)]


def keeps_rules(arrays: Arrays, values: Arrays, form: Form) -> bool:
    """Tell whether all that must be there is, and every word is a known one."""
    if not {*form.required, names.EVENT_ID} <= arrays.keys():
        return False
    if not find_words(arrays.get(names.ACTOR_KIND)) <= {*ACTOR_KINDS}:
        return False
    return not form.is_cloudevents or find_words(values.get(SPECVERSION)) == {SUPPORTED}


def find_words(column: Values | None) -> set[str]:
    """Return the texts that occur in a column, none where there is no column."""
    if column is None or isinstance(column, str):
        return set() if column is None else {column}
    return set(column.unique().to_pylist())


def spread(column: Values, count: int) -> pa.Array:
    """Return a column of so many rows."""
    return pa.repeat(column, count) if isinstance(column, str) else column


def settle_times(arrays: Arrays, count: int) -> bool:
    """Put times and their canonical texts in the place of texts; tell whether all are times the log can hold."""
    for name in TIMES:
        moments = read_moments(spread(arrays[name], count)) if name in arrays else ()
        if moments is None:
            return False
        if moments:
            arrays[CANONICAL[name]], arrays[name] = moments
    return True


def read_versions(given: Values | None, schemas: Values | None, count: int) -> pa.Array | None:
    """Return the schema versions, 1 where nothing says another; None where one cannot be read."""
    if given is None and schemas is None:
        return pa.repeat(pa.scalar(1, pa.int32()), count)
    absent: list[Any] = [None] * count
    texts = absent if schemas is None else spread(schemas, count).to_pylist()
    versions, wrong = settle_versions(None if given is None else spread(given, count).to_pylist(), texts)
    return None if wrong else pa.array(versions, pa.int32())


def join_rests(others: Arrays) -> Values:
    """Return the members outside the columns as the texts that `write_metadata` takes; no value needs an escape."""
    pieces: list[Values] = []
    for name in sorted(others):
        pieces += [f'{"," if pieces else ""}"{name}":"', others[name], '"']
    texts = [piece for piece in pieces if isinstance(piece, str)]
    return "".join([*texts, "}"]) if len(texts) == len(pieces) else join_pieces([*pieces, "}"]).view(pa.string())


def complete_lines(settled: Settled, rows: Ints, records: Text, context: DecodeContext) -> pa.Table:
    """Return the events with salts, digests, keys and metadata."""
    arrays = settled.arrays
    salts = os.urandom(SALT_SIZE * len(rows))
    arrays[names.SALT] = cut_fixed(salts)
    arrays[names.DIGEST] = write_hex(digest_lines(settled))
    arrays[names.KEY] = cut_fixed(b"".join(key_lines(arrays, len(rows))))
    offsets, lines = records.offsets[rows], None if records.lines is None else records.lines[rows]
    arrays[names.OFFSET] = pa.array(offsets)
    if lines is not None:
        arrays[names.LINE] = pa.array(lines)
    is_told = context.origin is not None and names.RECORDED_AT not in arrays
    places = Places(context.origin or "", offsets, lines) if is_told else None
    arrays[names.METADATA] = write_metadata(salts, settled.rests, places)
    columns = [
        spread(arrays[field.name], len(rows)) if field.name in arrays else pa.nulls(len(rows), field.type)
        for field in DECODED
    ]
    return pa.Table.from_arrays(columns, schema=DECODED)


def digest_lines(settled: Settled) -> list[bytes]:
    """Return the digests: contents are joined, each behind its salt, and no string in them needs an escape."""
    pieces: list[Values] = [settled.arrays[names.SALT], "{"]
    for name in CONTENT:
        array: Any = settled.arrays.get(CANONICAL.get(name, name))
        pieces.append(f'{"" if name == CONTENT[0] else ","}"{name}":')
        if name == names.DATA:
            pieces += settled.canonical
        elif array is None:
            pieces.append("null")
        elif name == names.SCHEMA_VERSION:
            versions = array.to_numpy()
            pieces.append(str(versions[0]) if (versions == versions[0]).all() else array.cast(pa.string()))
        else:
            pieces += ['"', array, '"']
    contents = join_pieces([*pieces, "}"])
    whole, ends = contents.buffers()[2].to_pybytes(), read_ends(contents).tolist()
    # Cut one by one, a content takes the memory that the one before it had, which is in the cache: 0.13 µs less.
    return [sha256(whole[begin:end]).digest() for begin, end in pairwise(ends)]


def key_lines(arrays: Arrays, count: int) -> list[bytes]:
    """Return the idempotency keys."""
    source, event_ids = arrays[names.SOURCE], list_bytes(spread(arrays[names.EVENT_ID], count))
    return hash_ids(source, event_ids) if isinstance(source, str) else make_keys(source.to_pylist(), event_ids)
