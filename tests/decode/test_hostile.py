"""Hostile JSON through every way into the log: the same value everywhere, or the same refusal."""

import hashlib
import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import msgspec
import pyarrow as pa
import pytest
import rfc8785

from workbench.decode import DecodeContext, Decoded, decode_chunk, decode_source, encode_events
from workbench.decode.attributes import CLOUDEVENTS, read_record
from workbench.decode.normalise import MAX_NESTING, MAX_PAYLOAD, RULES, FaultError
from workbench.errors import InvalidEventError
from workbench.event import Event
from workbench.sources.base import MappedChunk, RecordChunk
from workbench.sources.cloudevents import CloudEvents
from workbench.sources.jsonlines import JsonLines

CONTEXT = DecodeContext(source_name="file")
TIME = "2026-01-31T12:00:00.000000Z"


def nested(levels: int, opening: str = "[", closing: str = "]", inner: str = "") -> bytes:
    return (opening * levels + inner + closing * levels).encode()


def string_of(size: int) -> bytes:
    return b'"' + b"x" * (size - 2) + b'"'


# Payload text → its RFC 8785 text.
ACCEPTED: dict[str, tuple[bytes, str | None]] = {
    "an empty object": (b"{}", "{}"),
    "an empty array": (b"[]", "[]"),
    "null is no payload": (b"null", None),
    "true": (b"true", "true"),
    "false": (b"false", "false"),
    "a string": (b'"a"', '"a"'),
    "an empty string": (b'""', '""'),
    "zero": (b"0", "0"),
    "minus zero": (b"-0", "0"),
    "minus zero as a float": (b"-0.0", "0"),
    "a zero with an exponent": (b"0e5", "0"),
    "the greatest signed integer": (b"9223372036854775807", "9223372036854775807"),
    "the least signed integer": (b"-9223372036854775808", "-9223372036854775808"),
    "an integer beyond 2^53": (b"9007199254740993", "9007199254740993"),
    "a snowflake id as a string": (b'{"id":"12345678901234567890123"}', '{"id":"12345678901234567890123"}'),
    "a snowflake id as a number": (b'{"id":1234567890123456789}', '{"id":1234567890123456789}'),
    "a trailing zero": (b'{"a":1.50}', '{"a":1.5}'),
    "a whole float": (b"[10.0]", "[10]"),
    "an exponent": (b"[1e5]", "[100000]"),
    "a capital exponent": (b"[1E5]", "[100000]"),
    "a signed exponent": (b"[1e+2]", "[100]"),
    "a large float": (b"[1e21]", "[1e+21]"),
    "a float just below the exponent form": (b"[1e20]", "[100000000000000000000]"),
    "a small float": (b"[1e-6]", "[0.000001]"),
    "a smaller float": (b"[1e-7]", "[1e-7]"),
    "a small float by python": (b"[1e-05]", "[0.00001]"),
    "the greatest double": (b"[1.7976931348623157e308]", "[1.7976931348623157e+308]"),
    "the least double": (b"[5e-324]", "[5e-324]"),
    "more digits than a double": (b"[0.1234567890123456789012]", "[0.12345678901234568]"),
    "a long whole float": (b"[12345678901234567890123.0]", "[1.2345678901234568e+22]"),
    "white space everywhere": (b' { "a" : [ 1 , 2 ] } ', '{"a":[1,2]}'),
    "tabs and line ends": (b'{\t"a"\r\n:\n1}', '{"a":1}'),
    "an escaped letter": (b'{"a":"\\u0061"}', '{"a":"a"}'),
    "an escaped letter in capitals": (b'{"a":"\\u00E9"}', '{"a":"\u00e9"}'),
    "an escaped name": (b'{"\\u0061":1}', '{"a":1}'),
    "an escaped slash": (b'{"a":"\\/"}', '{"a":"/"}'),
    "an escaped colon": (b'{"a":"\\u003a"}', '{"a":":"}'),
    "a colon in a string": (b'{"a":"b:c"}', '{"a":"b:c"}'),
    "a colon in a name": (b'{"a:b":1}', '{"a:b":1}'),
    "every short escape": (b'"\\"\\\\\\b\\f\\n\\r\\t"', '"\\"\\\\\\b\\f\\n\\r\\t"'),
    "an escaped control character": (b'"\\u001f"', '"\\u001f"'),
    "an escaped control character in capitals": (b'"\\u001F"', '"\\u001f"'),
    "delete": (b'"\x7f"', '"\x7f"'),
    "a line separator": ('"\u2028"'.encode(), '"\u2028"'),
    "a surrogate pair, escaped": (b'"\\ud83d\\ude00"', '"\U0001f600"'),
    "a surrogate pair in capitals": (b'"\\uD83D\\uDE00"', '"\U0001f600"'),
    "an emoji": ('"\U0001f600"'.encode(), '"\U0001f600"'),
    "a noncharacter": ('"\uffff"'.encode(), '"\uffff"'),
    "not normalised text": ('"e\u0301"'.encode(), '"e\u0301"'),
    "an escaped backslash before u0000": (b'"\\\\u0000"', '"\\\\u0000"'),
    "an escaped backslash before ud800": (b'"\\\\ud800"', '"\\\\ud800"'),
    "names out of order": (b'{"b":1,"a":2}', '{"a":2,"b":1}'),
    "names by UTF-16": ('{"\U0001f600":1,"\ufb33":2}'.encode(), '{"\U0001f600":1,"\ufb33":2}'),
    "names by UTF-16, escaped": (b'{"\\ufb33":2,"\\ud83d\\ude00":1}', '{"\U0001f600":1,"\ufb33":2}'),
    "names by UTF-16, deep": ('[{"a":{"\ufb33":2,"\U0001f600":1}}]'.encode(), '[{"a":{"\U0001f600":1,"\ufb33":2}}]'),
    "names that differ in case": (b'{"a":1,"A":2}', '{"A":2,"a":1}'),
    "the same name in two objects": (b'[{"a":1},{"a":1}]', '[{"a":1},{"a":1}]'),
    "the same name at two depths": (b'{"a":{"a":1}}', '{"a":{"a":1}}'),
    "an empty name": (b'{"":1}', '{"":1}'),
    "a prototype": (b'{"__proto__":{"a":1}}', '{"__proto__":{"a":1}}'),
    "a formula": (b'"=1+1"', '"=1+1"'),
    "markup": (b'"<script>alert(1)</script>"', '"<script>alert(1)</script>"'),
    "the word NaN": (b'"NaN"', '"NaN"'),
    "the deepest array": (nested(MAX_NESTING), nested(MAX_NESTING).decode()),
    "the deepest object": (nested(MAX_NESTING, '{"a":', "}", "1"), nested(MAX_NESTING, '{"a":', "}", "1").decode()),
    "many brackets, not deep": (b"[" + b"[]," * 200 + b"[]]", "[" + "[]," * 200 + "[]]"),
    "brackets in a string": (b'"' + b"[" * 300 + b'"', '"' + "[" * 300 + '"'),
    "the largest payload": (string_of(MAX_PAYLOAD), string_of(MAX_PAYLOAD).decode()),
    "a large payload by white space alone": (b"[" + b" " * MAX_PAYLOAD + b"]", "[]"),
}

# Payload text → the code of the rule it breaks.
REFUSED: dict[str, tuple[bytes, str]] = {
    "a duplicate name": (b'{"a":1,"a":2}', "duplicate_key"),
    "a duplicate name with the same value": (b'{"a":1,"a":1}', "duplicate_key"),
    "a nested duplicate name": (b'{"b":{"a":1,"a":2}}', "duplicate_key"),
    "a duplicate name in an array": (b'[{"a":1,"a":2}]', "duplicate_key"),
    "a duplicate name by an escape": (b'{"a":1,"\\u0061":2}', "duplicate_key"),
    "a duplicate name by two escapes": (b'{"\\u0061":1,"\\u0061":2}', "duplicate_key"),
    "a duplicate name hidden by a colon": (b'{"a":1,"a":"\\u003a"}', "duplicate_key"),
    "a duplicate name hidden by a longer number": (b'{"a":1,"a":1e9}', "duplicate_key"),
    "a duplicate name hidden by white space": (b'{"a": 1, "a": 2}', "duplicate_key"),
    "a duplicate empty name": (b'{"":1,"":2}', "duplicate_key"),
    "a duplicate name beyond the BMP": ('{"\U0001f600":1,"\\ud83d\\ude00":2}'.encode(), "duplicate_key"),
    "three of one name": (b'{"a":1,"a":2,"a":3}', "duplicate_key"),
    "a duplicate name before a null": (b'{"a":1,"a":null}', "duplicate_key"),
    "NaN": (b"NaN", "nan_or_infinity"),
    "NaN in an object": (b'{"a":NaN}', "nan_or_infinity"),
    "infinity": (b"[Infinity]", "nan_or_infinity"),
    "minus infinity": (b"[-Infinity]", "nan_or_infinity"),
    "an integer beyond signed 64 bits": (b"9223372036854775808", "integer_out_of_range"),
    "an integer below signed 64 bits": (b"-9223372036854775809", "integer_out_of_range"),
    "the greatest unsigned integer": (b'{"a":18446744073709551615}', "integer_out_of_range"),
    "an integer of 23 digits": (b"[12345678901234567890123]", "integer_out_of_range"),
    "an integer of 5,000 digits": (b"[" + b"9" * 5000 + b"]", "integer_out_of_range"),
    "a deep integer of 23 digits": (b'{"a":[{"b":12345678901234567890123}]}', "integer_out_of_range"),
    "a number beyond a double": (b"[1e400]", "number_out_of_range"),
    "a number below minus a double": (b"[-1e400]", "number_out_of_range"),
    "a number that would be zero": (b"[1e-400]", "number_out_of_range"),
    "a long fraction that would be zero": (b"[0." + b"0" * 400 + b"1]", "number_out_of_range"),
    "an absurd exponent": (b"[1e999999999]", "number_out_of_range"),
    "a lone high surrogate": (b'"\\ud800"', "lone_surrogate"),
    "a lone low surrogate": (b'"\\udc00"', "lone_surrogate"),
    "surrogates in the wrong order": (b'"\\ude00\\ud83d"', "lone_surrogate"),
    "a high surrogate before a letter": (b'"\\ud83dx"', "lone_surrogate"),
    "a high surrogate before another": (b'"\\ud83d\\ud83d"', "lone_surrogate"),
    "a high surrogate before a plain escape": (b'"\\ud83d\\u0061"', "lone_surrogate"),
    "a lone surrogate in a name": (b'{"\\ud800":1}', "lone_surrogate"),
    "a raw surrogate": (b'"\xed\xa0\x80"', "lone_surrogate"),
    "a raw surrogate pair": (b'"\xed\xa0\xbd\xed\xb8\x80"', "lone_surrogate"),
    "a wrong byte": (b'"\xff"', "not_utf8"),
    "a wrong byte in a name": (b'{"\xff":1}', "not_utf8"),
    "an overlong slash": (b'"\xc0\xaf"', "not_utf8"),
    "a broken sequence": (b'"\xe2\x82"', "not_utf8"),
    "a continuation byte alone": (b'"\x80"', "not_utf8"),
    "beyond U+10FFFF": (b'"\xf4\x90\x80\x80"', "not_utf8"),
    "Latin-1": (b'"caf\xe9"', "not_utf8"),
    "an escaped NUL": (b'"\\u0000"', "nul_character"),
    "an escaped NUL in a name": (b'{"a\\u0000":1}', "nul_character"),
    "a raw NUL": (b'"a\x00b"', "nul_character"),
    "a raw line end in a string": (b'"a\nb"', "control_character"),
    "a raw tab in a string": (b'"a\tb"', "control_character"),
    "a raw escape character": (b'"\x1b[31m"', "control_character"),
    "129 arrays": (nested(MAX_NESTING + 1), "nesting_too_deep"),
    "129 objects": (nested(MAX_NESTING + 1, '{"a":', "}", "1"), "nesting_too_deep"),
    "129 of both": (nested(65, '[{"a":', "}]", "1"), "nesting_too_deep"),
    "100,000 arrays": (nested(100_000), "nesting_too_deep"),
    "a byte too much": (string_of(MAX_PAYLOAD + 1), "payload_too_large"),
    "two megabytes": (b"[" + b"1," * MAX_PAYLOAD + b"1]", "payload_too_large"),
    "a byte order mark inside": (b"\xef\xbb\xbf{}", "byte_order_mark"),
    "a trailing comma in an object": (b'{"a":1,}', "malformed_json"),
    "a trailing comma in an array": (b"[1,]", "malformed_json"),
    "a trailing comma in a large array": (b"[" + b" " * MAX_PAYLOAD + b"1,]", "malformed_json"),
    "a leading comma": (b"[,1]", "malformed_json"),
    "two commas": (b"[1,,2]", "malformed_json"),
    "a missing comma": (b"[1 2]", "malformed_json"),
    "a missing colon": (b'{"a" 1}', "malformed_json"),
    "a missing value": (b'{"a":}', "malformed_json"),
    "a name alone": (b'{"a"}', "malformed_json"),
    "a number as a name": (b"{1:2}", "malformed_json"),
    "a name without quotes": (b"{a:1}", "malformed_json"),
    "single quotes": (b"['a']", "malformed_json"),
    "a line comment": (b"[1 // one\n]", "malformed_json"),
    "a block comment": (b"[1 /* one */]", "malformed_json"),
    "a leading zero": (b"[01]", "malformed_json"),
    "a leading plus": (b"[+1]", "malformed_json"),
    "a bare fraction": (b"[.5]", "malformed_json"),
    "a bare point": (b"[1.]", "malformed_json"),
    "a bare exponent": (b"[1e]", "malformed_json"),
    "a bare minus": (b"[-]", "malformed_json"),
    "a hexadecimal number": (b"[0x1F]", "malformed_json"),
    "an underscore in a number": (b"[1_000]", "malformed_json"),
    "digits of another script": ("[\u0661]".encode(), "malformed_json"),
    "nan in small letters": (b"[nan]", "malformed_json"),
    "True": (b"[True]", "malformed_json"),
    "undefined": (b"[undefined]", "malformed_json"),
    "a word broken off": (b"[tru]", "malformed_json"),
    "an unknown escape": (b'"\\x41"', "malformed_json"),
    "a short escape": (b'"\\u12"', "malformed_json"),
    "an escape that is no number": (b'"\\u00g0"', "malformed_json"),
    "a form feed as space": (b"[\x0c1]", "malformed_json"),
    "a no-break space as space": ("[\u00a01]".encode(), "malformed_json"),
}

# The same payloads, but what surrounds them is read in another way, so a record of a batch would end elsewhere.
UNBALANCED: dict[str, tuple[bytes, str]] = {
    "a string that does not end": (b'{"a":"b}', "malformed_json"),
    "an object that does not end": (b'{"a":1', "malformed_json"),
    "an array that does not end": (b"[1,2", "malformed_json"),
    "an array that ends as an object": (b"[1}", "malformed_json"),
}


def envelope(payload: bytes) -> bytes:
    return b'{"specversion":"1.0","id":"e1","source":"s","type":"T","time":"%b","subject":"k","data":%b}' % (
        TIME.encode(),
        payload,
    )


def plain(payload: bytes) -> bytes:
    return b'{"event_id":"e1","source":"s","event_type":"T","occurred_at":"%b","stream_id":"k","data":%b}' % (
        TIME.encode(),
        payload,
    )


GOOD = envelope(b'{"good":1.50}').replace(b'"e1"', b'"good"')


def by_chunk(payload: bytes, _: Path) -> Decoded:
    raws = [GOOD, envelope(payload), GOOD]
    return decode_chunk(
        RecordChunk(media_type="application/cloudevents+json", raws=raws, offsets=[0, 1, 2], lines=[1, 2, 3]), CONTEXT
    )


def by_batch(payload: bytes, folder: Path) -> Decoded:
    return by_file(CloudEvents, b"[" + GOOD + b",\n " + envelope(payload) + b" , " + GOOD + b"]", folder)


def by_document(payload: bytes, folder: Path) -> Decoded:
    return by_file(CloudEvents, envelope(payload).replace(b",", b"\n,", 1), folder)


def by_lines(payload: bytes, folder: Path) -> Decoded:
    if b"\n" in payload:
        return by_chunk(payload, folder)
    return by_file(CloudEvents, GOOD + b"\n" + envelope(payload) + b"\n" + GOOD, folder)


def by_plain_lines(payload: bytes, folder: Path) -> Decoded:
    if b"\n" in payload:
        raws = [plain(payload)]
        return decode_chunk(RecordChunk(media_type="application/json", raws=raws, offsets=[0]), CONTEXT)
    return by_file(JsonLines, plain(payload), folder)


def by_file(kind: type[CloudEvents | JsonLines], content: bytes, folder: Path) -> Decoded:
    path = folder / "records"
    path.write_bytes(content)
    parts = list(decode_source(kind(path), CONTEXT))
    return Decoded(pa.concat_tables([p.events for p in parts]), [r for p in parts for r in p.rejections])


def by_scanner(payload: bytes, folder: Path) -> Decoded:
    decoded = by_chunk(payload, folder)
    if decoded.rejections:
        with pytest.raises(FaultError) as caught:
            read_record(envelope(payload), 0, CLOUDEVENTS, "file")
        assert caught.value.code == decoded.rejections[0].reason
    else:
        row = read_record(envelope(payload), 0, CLOUDEVENTS, "file")
        texts = [row["data"] for row in decoded.events.to_pylist() if row["event_id"] == "e1"]
        assert texts == [None if row.data is None else row.data.decode()]
    return decoded


def by_mapping(payload: bytes, folder: Path) -> Decoded:
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        return by_chunk(payload, folder)  # no text column can hold it
    columns = {"event_id": "e1", "source": "s", "stream_id": "k", "event_type": "T", "occurred_at": TIME}
    rows = [{**columns, "data": text, "offset": 0, "raw": "{}"}]
    return decode_chunk(MappedChunk(rows=pa.Table.from_pylist(rows)), CONTEXT)


def by_event(payload: bytes, _: Path) -> Decoded | str:
    moment = datetime.fromisoformat(TIME)
    event = Event(event_id="e1", stream_id="k", event_type="T", occurred_at=moment, data=msgspec.Raw(payload))
    try:
        return Decoded(encode_events([event], "s"), [])
    except InvalidEventError as error:
        return next(code for code in RULES if f"({code})" in str(error))


WAYS: list[Callable[[bytes, Path], Decoded | str]] = [
    by_chunk,
    by_scanner,
    by_lines,
    by_batch,
    by_document,
    by_plain_lines,
    by_mapping,
    by_event,
]


def expected_digest(canonical: str | None, salt: bytes) -> str:
    """Compute the digest with nothing but hashlib; the canonical payload is written out in the table."""
    content = (
        '{"actor_id":null,"actor_kind":null,"causation_id":null,"correlation_id":null,"data":%s,"event_id":"e1",'
        '"event_type":"T","occurred_at":"%s","schema_version":1,"source":"s","stream_id":"k"}'
    )
    return hashlib.sha256(salt + (content % (canonical or "null", TIME)).encode()).hexdigest()


@pytest.mark.parametrize("name", ACCEPTED)
def test_a_payload_that_keeps_the_rules_has_the_same_value_everywhere(name: str, tmp_path: Path) -> None:
    payload, canonical = ACCEPTED[name]
    for way in WAYS:
        decoded = way(payload, tmp_path)
        assert isinstance(decoded, Decoded), (way, decoded)
        assert decoded.rejections == [], way
        [row] = [row for row in decoded.events.to_pylist() if row["event_id"] == "e1"]
        assert row["digest"] == expected_digest(canonical, row["salt"]), way
        assert row["data"] == (None if canonical is None else msgspec.json.format(payload, indent=-1).decode()), way


@pytest.mark.parametrize("name", REFUSED)
def test_a_payload_that_breaks_a_rule_gets_the_same_refusal_everywhere(name: str, tmp_path: Path) -> None:
    payload, code = REFUSED[name]
    for way in WAYS:
        decoded = way(payload, tmp_path)
        if isinstance(decoded, str):
            assert decoded == code, way
            continue
        assert [rejection.reason for rejection in decoded.rejections] == [code], way
        assert "e1" not in decoded.events["event_id"].to_pylist(), way
        assert decoded.rejections[0].remedy == RULES[code].remedy


@pytest.mark.parametrize("name", UNBALANCED)
def test_a_payload_that_breaks_off_is_refused(name: str, tmp_path: Path) -> None:
    payload, code = UNBALANCED[name]
    for way in WAYS:
        if way is not by_batch:  # there the rest of the array belongs to the record
            decoded = way(payload, tmp_path)
            assert code == (decoded if isinstance(decoded, str) else decoded.rejections[0].reason), way


@pytest.mark.parametrize("name", REFUSED)
def test_what_a_rule_repairs_is_accepted_and_refused_no_more(name: str, tmp_path: Path) -> None:
    payload, code = REFUSED[name]
    repaired = by_chunk(payload, tmp_path).rejections[0].repaired
    if code in {"malformed_json", "nesting_too_deep", "payload_too_large"}:
        assert repaired is None
        return
    assert repaired is not None
    chunk = RecordChunk(media_type="application/cloudevents+json", raws=[repaired], offsets=[0])
    decoded = decode_chunk(chunk, CONTEXT)
    assert decoded.rejections == []
    assert decoded.events.num_rows == 1


@pytest.mark.parametrize(
    ("payload", "repaired"),
    [
        (b'{"a":1,"b":2,"a":3}', b'{"a":3,"b":2}'),
        (b'"x\\ud800y"', '"x\ufffdy"'.encode()),
        (b'"\xed\xa0\xbd\xed\xb8\x80"', '"\U0001f600"'.encode()),
        (b"[12345678901234567890123,1.50]", b'["12345678901234567890123",1.50]'),
        (b"[1e400]", b'["1e400"]'),
        (b"[NaN]", b"[null]"),
        (b'"a\\u0000"', '"a\ufffd"'.encode()),
        (b'"a\tb"', b'"a\\tb"'),
        (b'"\xff"', '"\ufffd"'.encode()),
    ],
)
def test_a_repair_changes_what_broke_the_rule_and_nothing_else(payload: bytes, repaired: bytes, tmp_path: Path) -> None:
    assert by_chunk(payload, tmp_path).rejections[0].repaired == envelope(repaired)


def test_a_refusal_names_the_byte_at_fault(tmp_path: Path) -> None:
    payload = '{"\u00e9":1,"x":NaN}'.encode()
    at = envelope(payload).index(b"NaN")
    assert f"at byte {at} of the record" in by_chunk(payload, tmp_path).rejections[0].detail


def test_offsets_are_those_of_the_file(tmp_path: Path) -> None:
    bad = envelope(b"[1,]")
    for content in (GOOD + b"\n\n" + bad + b"\r\n", b"[\n" + GOOD + b" ,\t" + bad + b"]"):
        [rejection] = by_file(CloudEvents, content, tmp_path).rejections
        assert content[rejection.offset :].startswith(bad)
        assert rejection.raw.rstrip() == bad


def test_the_table_holds_over_a_hundred_cases() -> None:
    assert len(ACCEPTED) + len(REFUSED) + len(UNBALANCED) > 150


def test_the_table_agrees_with_the_library() -> None:
    for payload, canonical in ACCEPTED.values():
        if canonical is None or len(payload) > 10_000:
            continue
        value = json.loads(payload)
        try:
            assert rfc8785.dumps(value).decode() == canonical
        except rfc8785.IntegerDomainError:
            assert json.loads(canonical) == value
