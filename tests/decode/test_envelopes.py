"""What becomes of a record's attributes, in bulk and one by one alike."""

import json
from typing import Any

import pytest

from workbench.decode import DecodeContext, Decoded, decode_chunk, records
from workbench.decode.normalise import MAX_PAYLOAD, MAX_VERSION
from workbench.sources.base import RecordChunk

CONTEXT = DecodeContext(source_name="file.ndjson")
CLOUDEVENT: dict[str, Any] = {
    "specversion": "1.0",
    "id": "e1",
    "source": "/bank",
    "type": "MoneyDeposited",
    "time": "2026-01-31T12:00:00.5+01:00",
}
LINE: dict[str, Any] = {
    "event_id": "e1",
    "stream_id": "account-7",
    "event_type": "MoneyDeposited",
    "occurred_at": "2026-01-31T12:00:00Z",
}
KINDS = {"cloudevents": ("application/cloudevents+json", CLOUDEVENT), "lines": ("application/json", LINE)}


def decode(kind: str, *changes: dict[str, Any], style: dict[str, Any] | None = None) -> Decoded:
    media_type, record = KINDS[kind]
    merged = [{name: value for name, value in {**record, **change}.items() if value is not ...} for change in changes]
    raws = [json.dumps(one, **(style or {"separators": (",", ":")})).encode() for one in merged]
    offsets = list(range(len(raws)))
    return decode_chunk(RecordChunk(media_type=media_type, raws=raws, offsets=offsets), CONTEXT)


def rows(kind: str, *changes: dict[str, Any]) -> list[dict[str, Any]]:
    decoded = decode(kind, *changes)
    assert decoded.rejections == []
    found: list[dict[str, Any]] = decoded.events.to_pylist()
    for row in found:
        metadata = json.loads(row["metadata"])
        assert metadata.pop("salt") == row["salt"].hex()
        row["metadata"] = metadata
    return found


def test_every_cloudevents_attribute_has_its_column() -> None:
    [row] = rows(
        "cloudevents",
        {
            "subject": "account-7",
            "correlationid": "loan-1",
            "causationid": "e0",
            "actorid": "clerk-3",
            "actorkind": "human",
            "recordedat": "2026-02-01T00:00:00Z",
            "schemaversion": 2,
            "datacontenttype": "application/json",
            "traceparent": "00-12345678901234567890123456789012-01",
            "retries": 3,
            "sampled": True,
            "data": {"amount": 5},
        },
    )
    assert row["occurred_at"].isoformat() == "2026-01-31T11:00:00.500000+00:00"
    assert row["recorded_at"].isoformat() == "2026-02-01T00:00:00+00:00"
    names = "event_id source stream_id event_type schema_version actor_id actor_kind correlation_id causation_id data"
    assert [row[name] for name in names.split()] == [
        "e1",
        "/bank",
        "account-7",
        "MoneyDeposited",
        2,
        "clerk-3",
        "human",
        "loan-1",
        "e0",
        '{"amount":5}',
    ]
    assert row["metadata"] == {
        "datacontenttype": "application/json",
        "retries": 3,
        "sampled": True,
        "specversion": "1.0",
        "traceparent": "00-12345678901234567890123456789012-01",
    }


def test_the_stream_is_the_extension_then_the_subject_then_the_source() -> None:
    found = rows("cloudevents", {"subject": "a", "streamid": "b"}, {"subject": "a"}, {})
    assert [row["stream_id"] for row in found] == ["b", "a", "/bank"]


@pytest.mark.parametrize(
    ("dataschema", "version"),
    [
        ("https://bank.example/deposit/2", 2),
        ("https://bank.example/deposit/v3", 3),
        ("urn:deposit:4", 4),
        ("deposit.v5.json", 5),
        ("https://bank.example/deposit#6", 6),
        ("https://bank.example/deposit", 1),
        ("https://bank.example/deposit2", 1),
        ("https://bank.example/1.0", 1),
        ("https://bank.example/0", 1),
    ],
)
def test_the_schema_version_is_what_the_dataschema_ends_in(dataschema: str, version: int) -> None:
    [plain, named] = rows("cloudevents", {"dataschema": dataschema}, {"dataschema": dataschema, "schemaversion": "7"})
    assert plain["schema_version"] == version
    assert plain["metadata"]["dataschema"] == dataschema
    assert named["schema_version"] == 7


def test_null_attributes_are_absent_ones() -> None:
    names = ("subject", "actorid", "schemaversion", "recordedat", "dataschema", "datacontenttype", "other", "data")
    [row, bare] = rows("cloudevents", dict.fromkeys(names), {})
    same = set(row) - {"digest", "salt", "offset", "line"}
    assert {name: row[name] for name in same} == {name: bare[name] for name in same}


def test_lines_keep_their_metadata_and_unknown_members() -> None:
    found = rows(
        "lines",
        {"metadata": {"b": 1, "a": [1]}},
        {"shop": "x", "amount": 1.50},
        {"metadata": {"b": 1}, "shop": "x"},
        {"metadata": {"salt": "mine"}},
        {"metadata": {"\u00e9": "\u00e9"}},
        {"metadata": None},
        {"salt": "mine"},
    )
    assert [row["metadata"] for row in found] == [
        {"b": 1, "a": [1]},
        {"shop": "x", "amount": 1.5},
        {"b": 1, "shop": "x"},
        {"source_salt": "mine"},
        {"\u00e9": "\u00e9"},
        {},
        {"source_salt": "mine"},
    ]
    assert found[0]["source"] == "file.ndjson"


def test_numbers_in_metadata_keep_their_text() -> None:
    raw = json.dumps(LINE).replace("}", ', "metadata": {"a": 1.50, "b": 1e2}}').encode()
    media_type = "application/json"
    [row] = decode_chunk(RecordChunk(media_type=media_type, raws=[raw], offsets=[0]), CONTEXT).events.to_pylist()
    assert row["metadata"].endswith(',"a":1.50,"b":1e2}')


INVALID: list[tuple[str, dict[str, Any], str]] = [
    ("cloudevents", {"id": ...}, "missing_attribute"),
    ("cloudevents", {"id": ""}, "missing_attribute"),
    ("cloudevents", {"id": None}, "missing_attribute"),
    ("cloudevents", {"source": ...}, "missing_attribute"),
    ("cloudevents", {"type": ""}, "missing_attribute"),
    ("cloudevents", {"time": ...}, "missing_attribute"),
    ("cloudevents", {"specversion": ...}, "missing_attribute"),
    ("cloudevents", {"specversion": "0.3"}, "unsupported_specversion"),
    ("cloudevents", {"specversion": 1.0}, "unsupported_specversion"),
    ("cloudevents", {"id": 7}, "invalid_attribute"),
    ("cloudevents", {"id": ["e1"]}, "invalid_attribute"),
    ("cloudevents", {"subject": ""}, "invalid_attribute"),
    ("cloudevents", {"actorid": ""}, "invalid_attribute"),
    ("cloudevents", {"actorkind": "robot"}, "invalid_attribute"),
    ("cloudevents", {"schemaversion": 0}, "invalid_attribute"),
    ("cloudevents", {"schemaversion": -1}, "invalid_attribute"),
    ("cloudevents", {"schemaversion": 1.5}, "invalid_attribute"),
    ("cloudevents", {"schemaversion": True}, "invalid_attribute"),
    ("cloudevents", {"schemaversion": "one"}, "invalid_attribute"),
    ("cloudevents", {"schemaversion": MAX_VERSION + 1}, "invalid_attribute"),
    ("cloudevents", {"extension": 2**63}, "integer_out_of_range"),
    ("cloudevents", {"data_base64": "e30="}, "binary_data"),
    ("cloudevents", {"time": "2026-01-31T12:00:00"}, "time_without_zone"),
    ("cloudevents", {"time": "2026-01-31T12:00:60Z"}, "leap_second"),
    ("cloudevents", {"time": "2026-01-31T12:00:00.1234567Z"}, "time_too_fine"),
    ("cloudevents", {"time": "yesterday"}, "malformed_time"),
    ("cloudevents", {"time": 1}, "invalid_attribute"),
    ("cloudevents", {"recordedat": "2026-01-31"}, "malformed_time"),
    ("lines", {"stream_id": ...}, "missing_attribute"),
    ("lines", {"event_type": ""}, "missing_attribute"),
    ("lines", {"occurred_at": None}, "missing_attribute"),
    ("lines", {"event_id": ""}, "invalid_attribute"),
    ("lines", {"source": ""}, "invalid_attribute"),
    ("lines", {"metadata": [1]}, "invalid_attribute"),
    ("lines", {"metadata": {"shop": 1}, "shop": 2}, "invalid_attribute"),
    ("lines", {"metadata": {"a": 2**63}}, "integer_out_of_range"),
]


@pytest.mark.parametrize(("kind", "change", "code"), INVALID)
def test_an_attribute_that_cannot_be_is_refused(kind: str, change: dict[str, Any], code: str) -> None:
    decoded = decode(kind, {}, change, {})
    assert [(rejection.offset, rejection.reason) for rejection in decoded.rejections] == [(1, code)]
    assert decoded.events["offset"].to_pylist() == [0, 2]


REPAIRED: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("cloudevents", {"id": 7}, {"id": "7"}),
    ("cloudevents", {"specversion": "0.3"}, {"specversion": "1.0"}),
    ("cloudevents", {"subject": ""}, {}),
    ("cloudevents", {"time": "2026-01-31T12:00:00"}, {"time": "2026-01-31T12:00:00.000000Z"}),
    ("cloudevents", {"time": "2026-01-31 12:00:00Z"}, {"time": "2026-01-31T12:00:00.000000Z"}),
    ("cloudevents", {"time": "2026-01-31T12:00:60Z"}, {"time": "2026-01-31T12:00:59.999999Z"}),
    ("cloudevents", {"time": "2026-01-31T12:00:00.1234567Z"}, {"time": "2026-01-31T12:00:00.123456Z"}),
    ("cloudevents", {"data_base64": "eyJhIjoxLjUwfQ=="}, {"data": {"a": 1.5}}),
    ("cloudevents", {"data_base64": "AAEC"}, {"data": "AAEC"}),
]


@pytest.mark.parametrize(("kind", "change", "mended"), REPAIRED)
def test_an_attribute_that_can_be_mended_is_shown_mended(
    kind: str, change: dict[str, Any], mended: dict[str, Any]
) -> None:
    [rejection] = decode(kind, change).rejections
    assert rejection.repaired is not None
    assert json.loads(rejection.repaired) == {**KINDS[kind][1], **mended}


@pytest.mark.parametrize("raw", [b"[]", b"1", b'"a"', b"true", b"null"])
def test_a_record_that_is_no_object_is_refused(raw: bytes) -> None:
    for media_type, _ in KINDS.values():
        [rejection] = decode_chunk(RecordChunk(media_type=media_type, raws=[raw], offsets=[5]), CONTEXT).rejections
        assert (rejection.reason, rejection.offset, rejection.raw) == ("not_an_object", 5, raw)


def test_a_duplicate_attribute_is_refused() -> None:
    raw = json.dumps(CLOUDEVENT).replace("{", '{"id": "e0", ', 1).encode()
    media_type = "application/cloudevents+json"
    [rejection] = decode_chunk(RecordChunk(media_type=media_type, raws=[raw], offsets=[0]), CONTEXT).rejections
    assert rejection.reason == "duplicate_key"


def test_a_member_first_seen_late_in_a_chunk_is_kept() -> None:
    found = rows("cloudevents", *[{} for _ in range(100)], {"late": "x", "actorid": "a"}, *[{} for _ in range(100)])
    assert found[100]["metadata"]["late"] == "x"
    assert found[100]["actor_id"] == "a"
    assert [row["offset"] for row in found] == list(range(201))


def test_names_that_no_struct_can_have_are_kept() -> None:
    strange = {'a"b': 1, "a\\b": "2", "\u00e9": True, "with space": "x", "nested": {"a": 1.5}, "list": [1]}
    [row] = rows("lines", strange)
    assert row["metadata"] == strange


def test_a_hundred_different_names_are_kept() -> None:
    names = {f"name{at}": at for at in range(100)}
    [row] = rows("lines", names)
    assert row["metadata"] == names


def test_true_and_one_stay_apart() -> None:
    found = rows("lines", {"x": True}, {"x": 1}, {"x": False}, {"x": 0})
    assert [row["metadata"]["x"] for row in found] == [True, 1, False, 0]
    assert [type(row["metadata"]["x"]) for row in found] == [bool, int, bool, int]


def test_records_that_only_their_source_can_read_are_refused() -> None:
    decoded = decode_chunk(RecordChunk(media_type="text/csv", raws=[b"a,b"], offsets=[7]), CONTEXT)
    assert [(rejection.offset, rejection.reason) for rejection in decoded.rejections] == [(7, "unknown_media_type")]
    assert decoded.events.num_rows == 0


def test_an_empty_chunk_gives_no_events() -> None:
    decoded = decode_chunk(RecordChunk(media_type="application/json", raws=[], offsets=[]), CONTEXT)
    assert decoded.events.num_rows == 0
    assert decoded.rejections == []


def test_a_chunk_of_many_runs_keeps_its_order() -> None:
    changes: list[dict[str, Any]] = [{"id": f"e{at}", "subject": "x" if at % 7 else ""} for at in range(5000)]
    decoded = decode("cloudevents", *changes)
    expected = [at for at in range(5000) if at % 7]
    assert decoded.events["offset"].to_pylist() == expected
    assert decoded.events["event_id"].to_pylist() == [f"e{at}" for at in expected]
    assert [one.offset for one in decoded.rejections] == [at for at in range(5000) if at % 7 == 0]


def test_white_space_alone_is_an_empty_record() -> None:
    [rejection] = decode_chunk(RecordChunk(media_type="application/json", raws=[b" "], offsets=[0]), CONTEXT).rejections
    assert rejection.reason == "empty_record"


def test_two_payloads_are_not_mended() -> None:
    for change in ({"data_base64": "e30=", "data": 1}, {"data_base64": 7}):
        [rejection] = decode("cloudevents", change).rejections
        assert (rejection.reason, rejection.repaired) == ("binary_data", None)


@pytest.mark.parametrize("payload", ["", "1" * 5, "{"])
def test_a_large_record_is_refused_for_what_is_wrong_with_it(payload: str) -> None:
    wide = " " * MAX_PAYLOAD
    record = json.dumps(LINE)[:-1] + (f', "data": [{wide}{payload}' if payload else wide + ",}")
    chunk = RecordChunk(media_type="application/json", raws=[record.encode()], offsets=[0])
    assert [one.reason for one in decode_chunk(chunk, CONTEXT).rejections] == ["malformed_json"]


def test_a_large_record_without_payload_is_an_event() -> None:
    raw = json.dumps({**LINE, "note": "x" * MAX_PAYLOAD, "nested": []}).encode()
    decoded = decode_chunk(RecordChunk(media_type="application/json", raws=[raw], offsets=[0]), CONTEXT)
    assert decoded.events["data"].to_pylist() == [None]


def test_a_refused_record_without_an_id_keeps_its_index() -> None:
    raw = json.dumps({name: value for name, value in LINE.items() if name != "event_id"}).encode()
    ids = [
        decode_chunk(RecordChunk(media_type=kind, raws=[raw], offsets=[0]), CONTEXT).events["event_id"].to_pylist()
        for kind in ("application/json", "application/json; index=0", "application/json; index=3")
    ]
    assert ids[0] == ids[1] != ids[2]


def test_more_sets_of_attributes_than_are_remembered_are_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "MAX_KNOWN", 3)
    found = rows("cloudevents", *[{"dataschema": f"s{at % 6}"} for at in range(20)])
    assert [row["metadata"]["dataschema"] for row in found] == [f"s{at % 6}" for at in range(20)]
