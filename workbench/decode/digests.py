"""Digests, keys, salts and ids: what duplicates, seals and purge proofs rest on."""

import os
import uuid
from collections.abc import Callable, Iterable, Sequence
from hashlib import blake2b, sha1, sha256
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa

from workbench.decode import columns as names
from workbench.decode.canonical import decode_canonical, encode_json, write_canonical
from workbench.decode.times import write_times

SALT_SIZE: Final = 16
# The namespace of ids made for events that came without one; fixed for ever, or a second ingest would double them.
EVENT_IDS: Final = uuid.uuid5(uuid.NAMESPACE_URL, "urn:eventlog-workbench:event-id").bytes
# Only strings without a raw quote follow this member, so its last occurrence is the member itself.
NO_ID: Final = b'"event_id":null,'
SHA1_SIZE: Final = 20
# How many hexadecimal digits a SHA-256 has.
DIGITS: Final = 64
ID_SIZE: Final = 36
# Where each group of a UUID's 32 digits begins and ends, and where it begins in the text with hyphens.
ID_GROUPS: Final = ((0, 8, 0), (8, 12, 9), (12, 16, 14), (16, 20, 19), (20, 32, 24))


class Content(msgspec.Struct, gc=False):
    """What a digest covers, its fields in the order RFC 8785 gives them."""

    actor_id: str | None
    actor_kind: str | None
    causation_id: str | None
    correlation_id: str | None
    data: Any
    event_id: str | None
    event_type: str
    occurred_at: str
    schema_version: int
    source: str
    stream_id: str


def make_salts(count: int) -> list[bytes]:
    """Return random salts; one call for a chunk, as a call to the system costs 0.4 µs and a slice 0.05."""
    pool = os.urandom(SALT_SIZE * count)
    return [pool[at : at + SALT_SIZE] for at in range(0, len(pool), SALT_SIZE)]


def digest_contents(contents: Iterable[bytes], salts: Iterable[bytes]) -> list[bytes]:
    """Return the SHA-256 over each salt and canonical content."""
    return [sha256(salt + content).digest() for content, salt in zip(contents, salts, strict=True)]


def digest_rows(rows: pa.Table, salts: Sequence[bytes]) -> list[str]:
    """Return the digests the rows' content has under these salts, one a row, to compare with what the log holds.

    ``rows`` has the columns a digest covers, as `workbench.decode.columns.DECODED` or as the log's table has them.
    """
    texts = rows.column(names.DATA).to_pylist()
    values = [None if text is None else msgspec.Raw(canonical_data(text)) for text in texts]
    moments = rows.column(names.OCCURRED_AT).combine_chunks().cast(names.TIMESTAMP)
    parts: dict[str, Any] = {names.DATA: values, names.OCCURRED_AT: write_times(moments)}
    fields = Content.__struct_fields__
    lists = [parts[field] if field in parts else rows.column(field).to_pylist() for field in fields]
    contents = map(encode_json, map(Content, *lists))
    return [digest.hex() for digest in digest_contents(contents, salts)]


def canonical_data(text: str) -> bytes:
    """Return the RFC 8785 text of payload text that the log holds."""
    return write_canonical(decode_canonical(text.encode()))


def make_keys(sources: Sequence[str], event_ids: Iterable[bytes]) -> list[bytes]:
    """Return blake2b-128 over each idempotency key: the source behind its length, then the event's id."""
    states: dict[str, Any] = {}
    keys = []
    last = copy = None
    for event_id, source in zip(event_ids, sources, strict=True):
        if copy is None or source is not last:
            last, copy = source, states.get(source)
            if copy is None:
                copy = states[source] = begin_key(source)
        state = copy()
        state.update(event_id)
        keys.append(state.digest())
    return keys


def hash_ids(source: str, event_ids: Iterable[bytes]) -> list[bytes]:
    """Return the same of events that all have one source."""
    copy = begin_key(source)
    keys = []
    for event_id in event_ids:
        state = copy()
        state.update(event_id)
        keys.append(state.digest())
    return keys


def begin_key(source: str) -> Callable[[], Any]:
    """Return what copies the state after a source: 0.4 µs a key, where hashing both parts anew is 0.7."""
    return blake2b(f"{len(source)}:{source}".encode(), digest_size=SALT_SIZE).copy


def event_key(source: str, event_id: str) -> bytes:
    """Return the 16-byte key of one (source, event_id)."""
    return hash_ids(source, [event_id.encode()])[0]


def make_id(source: str, stream_id: str, index: int, content: bytes) -> str:
    """Return the id of an event that came without one, as `make_ids` does."""
    return make_ids([(source, stream_id)], [index], [content])[0]


def make_ids(streams: Iterable[tuple[str, str]], indexes: Iterable[int], contents: Iterable[bytes]) -> list[str]:
    """Return the ids of events that came without one: UUIDv5 of (source, stream, index in stream, content digest).

    ``contents`` are canonical contents whose event_id is null; their digest here has no salt, so that the id is the
    same in every run. An index counts the records of the same source and stream that came without an id. The texts
    are made of all ids at once: 0.1 µs an id instead of 0.6.
    """
    digits = b"".join([sha256(content).digest() for content in contents]).hex()
    last, name, at, hashes = None, b"", 0, []
    for stream, index in zip(streams, indexes, strict=True):
        if stream != last:  # a stream's records mostly follow each other
            last, (source, stream_id) = stream, stream
            name = EVENT_IDS + f"{len(source)}:{source}{len(stream_id)}:{stream_id}".encode()
        hashes.append(sha1(name + f"{index}:{digits[at : at + DIGITS]}".encode(), usedforsecurity=False).digest())
        at += DIGITS
    return write_ids(hashes)


def write_ids(hashes: list[bytes]) -> list[str]:
    """Return the texts of UUIDs, version 5, of SHA-1 hashes."""
    parts = np.frombuffer(b"".join(hashes), np.uint8).reshape(-1, SHA1_SIZE)[:, :16].copy()
    parts[:, 6] = parts[:, 6] & 0x0F | 0x50
    parts[:, 8] = parts[:, 8] & 0x3F | 0x80
    digits = np.frombuffer(parts.tobytes().hex().encode(), np.uint8).reshape(-1, 32)
    texts = np.full((len(hashes), ID_SIZE), ord("-"), np.uint8)
    for begin, end, at in ID_GROUPS:
        texts[:, at : at + end - begin] = digits[:, begin:end]
    whole = texts.tobytes().decode()
    return [whole[at : at + ID_SIZE] for at in range(0, len(whole), ID_SIZE)]


def give_id(content: bytes, event_id: str) -> bytes:
    """Return the canonical content with its null event_id replaced."""
    before, _, after = content.rpartition(NO_ID)
    return b'%b"event_id":"%b",%b' % (before, event_id.encode(), after)
