"""The fast path against the strict scanner and the library, over generated events."""

import hashlib
import json
from typing import Any

import msgspec
import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.decode import DecodeContext, decode_chunk
from workbench.decode.attributes import CLOUDEVENTS, JSON_LINES, read_record
from workbench.decode.normalise import FaultError
from workbench.sources.base import RecordChunk

CONTEXT = DecodeContext(source_name="file")
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
# Characters that sort differently by UTF-16 units and by code points, and those that JSON or our shortcuts treat apart.
NAMES = TEXTS | st.text(st.sampled_from('a:\\"/\x1f\u00e9\ufb33\U0001f600e3u0'), max_size=3)
NUMBERS = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | NAMES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)
STYLES: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [
        {"separators": (",", ":"), "ensure_ascii": False},
        {"separators": (",", ":"), "ensure_ascii": True},
        {"ensure_ascii": False},
        {"indent": 1},
    ]
)


def content_of(record: dict[str, Any], data: Any) -> bytes:
    return rfc8785.dumps(
        {
            "actor_id": record.get("actorid"),
            "actor_kind": record.get("actorkind"),
            "causation_id": record.get("causationid"),
            "correlation_id": record.get("correlationid"),
            "data": data,
            "event_id": record["id"],
            "event_type": record["type"],
            "occurred_at": "2026-01-31T11:00:00.500000Z",
            "schema_version": record.get("schemaversion", 1),
            "source": record["source"],
            "stream_id": record.get("streamid", record.get("subject", record["source"])),
        }
    )


RECORDS = st.fixed_dictionaries(
    {"id": TEXTS.filter(bool), "source": TEXTS.filter(bool), "type": TEXTS.filter(bool)},
    optional={
        "subject": TEXTS.filter(bool),
        "streamid": TEXTS.filter(bool),
        "actorid": TEXTS.filter(bool),
        "actorkind": st.sampled_from(["human", "ai", "system"]),
        "causationid": TEXTS.filter(bool),
        "correlationid": TEXTS.filter(bool),
        "schemaversion": st.integers(1, 2**31 - 1),
        "traceparent": TEXTS,
        "sampled": st.booleans() | st.integers(-5, 5),
        "dataschema": TEXTS.filter(lambda text: text and not text[-1].isdigit() and not text.endswith(".json")),
    },
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(RECORDS, VALUES), min_size=1, max_size=4), STYLES)
def test_both_paths_and_the_library_agree_on_every_event(
    events: list[tuple[dict[str, Any], Any]], style: dict[str, Any]
) -> None:
    fixed = {"specversion": "1.0", "time": "2026-01-31T12:00:00.5+01:00"}
    raws = [json.dumps({**fixed, **record, "data": data}, **style).encode() for record, data in events]
    chunk = RecordChunk(media_type="application/cloudevents+json", raws=raws, offsets=list(range(len(raws))))
    decoded = decode_chunk(chunk, CONTEXT)
    assert decoded.rejections == []
    for row, raw, (record, data) in zip(decoded.events.to_pylist(), raws, events, strict=True):
        assert row["digest"] == hashlib.sha256(row["salt"] + content_of(record, data)).hexdigest()
        slow = read_record(raw, 0, CLOUDEVENTS, "file")
        assert row["data"] == (None if slow.data is None else slow.data.decode())
        salt = row["salt"].hex()
        assert msgspec.json.decode(row["metadata"]) == {"salt": salt, **msgspec.json.decode("{" + slow.rest)}
        assert row["metadata"].endswith(slow.rest)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.binary(max_size=12)
        | st.lists(
            st.sampled_from([b"{", b"}", b"[", b"]", b":", b",", b'"a"', b'"', b"\\u003a", b"1", b"1e9", b"-", b" "])
        ).map(b"".join),
        min_size=1,
        max_size=3,
    )
)
def test_both_paths_agree_on_what_is_no_payload(payloads: list[bytes]) -> None:
    template = b'{"stream_id":"s","event_type":"T","event_id":"e","occurred_at":"2026-01-31T12:00:00Z","data":%b}'
    raws = [template % payload for payload in payloads]
    decoded = decode_chunk(
        RecordChunk(media_type="application/json", raws=raws, offsets=list(range(len(raws)))), CONTEXT
    )
    refused = {rejection.offset: rejection.reason for rejection in decoded.rejections}
    accepted = {row["offset"]: row["data"] for row in decoded.events.to_pylist()}
    for offset, raw in enumerate(raws):
        if offset in accepted:
            slow = read_record(raw, 0, JSON_LINES, "file")
            assert accepted[offset] == (None if slow.data is None else slow.data.decode())
        else:
            with pytest.raises(FaultError) as caught:
                read_record(raw, 0, JSON_LINES, "file")
            assert refused[offset] == caught.value.code
