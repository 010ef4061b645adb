"""Lines that are cut by their layout give what they give one by one, and a line that is not plain is left alone."""

import json
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from workbench.decode import DecodeContext, Decoded, chunks, decode_chunk, digest_rows, plain
from workbench.decode.layouts import MOST_LAYOUTS, read_layout
from workbench.decode.payloads import read_payloads
from workbench.decode.records import FORMS_OF_RECORDS, decode_records
from workbench.decode.rows import Origin
from workbench.sources.base import LineChunk, RecordChunk

CONTEXT = DecodeContext(source_name="file", origin="file.ndjson")
MEDIA = sorted(FORMS_OF_RECORDS)
WORDS = ["a", "bank", "schön", "\U0001f600", "a b:c,{}", "\x7f"]
ODD = ["", 'a"b', "a\\b", "a\nb", "\ue000\U00010000", "\\u0041", "\ufeff"]
TIMES = ["2026-01-31T12:00:00Z", "2026-01-31T12:00:00.5+01:00", "2025-12-31T23:59:59.123456Z"]
ODD_TIMES = ["2026-01-31", "2026-01-31T23:59:60Z", "0001-01-01T00:00:00+10:00", "2026-01-31T12:00:00"]
PAYLOADS = [
    b'{"amount":5,"currency":"EUR"}',
    b'{"b":[1,2.50,{"z":null,"a":"x"}],"a":1e2}',
    b"null",
    b'"text with \\"quotes\\" and \\u00e9"',
    b'{"deep": {"er": [ ]}}',
    b"12.0",
]
ODD_PAYLOADS = [
    b"",
    b"{",
    b'{"a":1,"a":2}',
    b"NaN",
    b'{"n":123456789012345678901}',
    b'{"a":"\\u0000"}',
    b'{"a":1},"id":"other"',
    b'{"a":"\xff"}',
    b'{"a":"\x01"}',
    b'{"\\u0061":1,"a":2}',
    b'{"\xef\xbf\xbd":1,"\xf0\x90\x80\x80":2}',
]
TEXTS = {
    MEDIA[0]: ["id", "source", "type", "subject", "actorid", "correlationid", "causationid", "streamid", "traceparent"],
    MEDIA[1]: ["event_id", "source", "event_type", "stream_id", "actor_id", "causation_id", "tenant"],
}
FIXED = {
    MEDIA[0]: {
        "specversion": ["1.0", "0.3"],
        "time": TIMES,
        "recordedat": TIMES,
        "actorkind": ["human", "ai", "robot"],
        "schemaversion": ["1", "2", "x"],
        "dataschema": ["/deposit/2", "urn:deposit"],
        "datacontenttype": ["application/json"],
        "data_base64": ["AAAA"],
        "salt": ["own"],
    },
    MEDIA[1]: {
        "occurred_at": TIMES,
        "recorded_at": TIMES,
        "actor_kind": ["human", "ai", "robot"],
        "schema_version": ["1", "2", "x"],
        "metadata": ["text"],
        "ingested_from": ["elsewhere"],
    },
}
ALWAYS = {
    MEDIA[0]: ["specversion", "id", "source", "type", "time"],
    MEDIA[1]: ["event_id", "stream_id", "event_type", "occurred_at"],
}


def quote(text: str) -> bytes:
    return json.dumps(text, ensure_ascii=False).encode()


@st.composite
def texts(draw: st.DrawFn, name: str, media: str, odd: bool) -> bytes:  # noqa: FBT001 - a strategy's argument
    fixed = FIXED[media].get(name)
    if odd and draw(st.integers(0, 9)) == 0:
        wrong = ODD_TIMES if fixed is TIMES else ODD
        return draw(
            st.sampled_from([*map(quote, wrong), b"null", b"7", b'"a\\u0062"', b'"\xff"', b'"\x01"', b'"raw\ttab"'])
        )
    if fixed is not None:
        return quote(fixed[0] if fixed is not TIMES and draw(st.integers(0, 19)) else draw(st.sampled_from(fixed)))
    return quote(draw(st.sampled_from(WORDS)))


@st.composite
def runs(draw: st.DrawFn) -> tuple[str, list[bytes]]:
    """Lines of a few layouts, some of them odd."""
    media = draw(st.sampled_from(MEDIA))
    lines: list[bytes] = []
    for _ in range(draw(st.integers(1, 3))):
        more = draw(st.lists(st.sampled_from([*TEXTS[media], *FIXED[media]]), max_size=4, unique=True))
        members = draw(st.permutations(sorted({*ALWAYS[media], *more} - {*draw(st.sampled_from([[], ["source"]]))})))
        odd, ends = draw(st.booleans()), draw(st.sampled_from([b"}", b" }", b"}\r"]))
        colon, comma = draw(st.sampled_from([(b":", b","), (b": ", b", ")]))
        payload = draw(st.sampled_from(["last", "first", "none"]))
        for _ in range(draw(st.integers(1, 6))):
            written = [quote(name) + colon + draw(texts(name, media, odd)) for name in members]
            data = b'"data"' + colon + draw(st.sampled_from(PAYLOADS + (ODD_PAYLOADS if odd else [])))
            written = [*written, data] if payload == "last" else [data, *written] if payload == "first" else written
            lines.append(b"{" + comma.join(written) + ends)
            if odd:
                lines += draw(st.sampled_from([[], [], [b""], [b" "], [b"[1]"], [b'{"id'], [b"\xef\xbb\xbf{}"]]))
    order = draw(st.permutations(range(len(lines)))) if draw(st.booleans()) else range(len(lines))
    return media, [lines[at] for at in order]


def decode_slowly(raws: Sequence[bytes], offsets: Sequence[int], lines: Sequence[int], media: str) -> Decoded:
    kept = [at for at, raw in enumerate(raws) if raw.strip()]
    origin = Origin(media, [raws[at] for at in kept], [offsets[at] for at in kept], [lines[at] for at in kept])
    return decode_records(origin, FORMS_OF_RECORDS[media], CONTEXT)


def show(decoded: Decoded) -> tuple[list[dict[str, Any]], list[Any]]:
    """Return all that a second run gives again: without the salts and what they make."""
    events = decoded.events
    salts = [salt.as_py() for salt in events["salt"]]
    assert digest_rows(events, salts) == events["digest"].to_pylist()
    rows = events.drop_columns(["salt", "digest"]).to_pylist()
    for row, salt in zip(rows, salts, strict=True):
        assert row["metadata"].startswith(f'{{"salt":"{salt.hex()}"')
        row["metadata"] = row["metadata"][42:]
    return rows, decoded.rejections


@settings(deadline=None, max_examples=150)
@given(run=runs(), size=st.integers(1, 9))
@example(run=(MEDIA[0], [b'{"specversion":"1.0","id":"1"}']), size=1)
def test_lines_cut_by_their_layout_give_what_they_give_one_by_one(run: tuple[str, list[bytes]], size: int) -> None:
    media, lines = run
    offsets = [sum(len(line) + 1 for line in lines[:at]) + 7 for at in range(len(lines))]
    slowly = show(decode_slowly(lines, offsets, range(3, len(lines) + 3), media))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chunks, "LEAST", 0)
        patch.setattr(plain, "RUN", size)
        chunk = LineChunk(media_type=media, text=b"\n".join(lines), offset=7, line=3)
        assert show(decode_chunk(chunk, CONTEXT)) == slowly
        kept = [at for at, line in enumerate(lines) if line.strip()]
        records = RecordChunk(
            media_type=media,
            raws=[lines[at] for at in kept],
            offsets=[offsets[at] for at in kept],
            lines=[at + 3 for at in kept],
        )
        assert show(decode_chunk(records, CONTEXT)) == slowly


def make_lines(count: int, *, members: str = "") -> list[bytes]:
    line = '{"specversion":"1.0","id":"e%d","source":"s","type":"T","time":"2026-01-31T12:00:00Z"%s,"data":{"n":%d}}'
    return [(line % (at, members, at)).encode() for at in range(count)]


def left_over(lines: list[bytes]) -> list[int]:
    text = plain.read_text(b"\n".join(lines), 0, 1)
    events, left = plain.decode_plain(text, FORMS_OF_RECORDS[MEDIA[0]], CONTEXT)
    assert sum(part.num_rows for part in events) == len(lines) - len(left)
    return [int(row) for row in left]


def test_only_lines_of_another_kind_are_left_over() -> None:
    lines = make_lines(100)
    lines[3] = lines[3].replace(b'"e3"', b'"e\\u0033"')
    lines[50] = lines[50].replace(b'{"n":50}', b'{"n":50,"n":51}')
    lines[70] = b""
    assert left_over(lines) == [3, 50, 70]
    assert left_over([*make_lines(50), *make_lines(50, members=',"subject":"x"')]) == []


@pytest.mark.parametrize(
    ("plainly", "oddly"),
    [
        (b'"time":"2026-01-31T12:00:00Z"', b'"time":"2026-01-31"'),
        (b'"specversion":"1.0"', b'"specversion":"0.3"'),
        (b'"specversion":"1.0",', b""),
        (b'"id":', b'"key":'),
        (b'"data":', b'"schemaversion":"x","data":'),
        (b'"data":', b'"actorkind":"robot","data":'),
        (b'"data":', b'"data_base64":"AAAA","data":'),
        (b'"data":', b'"ingested_from":"x","data":'),
        (b'"data":{', b'"data":['),
        (b"12:00:00Z", b"12:00:00\xffZ"),
    ],
)
def test_a_layout_that_may_break_a_rule_is_left_over(plainly: bytes, oddly: bytes) -> None:
    assert left_over([line.replace(plainly, oddly) for line in make_lines(5)]) == [0, 1, 2, 3, 4]


def test_metadata_is_no_text_in_json_lines() -> None:
    line = b'{"event_id":"e","stream_id":"s","event_type":"T","occurred_at":"2026-01-31T12:00:00Z"%b}'
    text = plain.read_text(b"\n".join([line % b"", line % b',"metadata":"x"']), 0, 1)
    events, left = plain.decode_plain(text, FORMS_OF_RECORDS[MEDIA[1]], CONTEXT)
    assert ([part.num_rows for part in events], left.tolist()) == ([1], [1])


def test_what_has_no_column_of_its_own_is_kept_as_it_came() -> None:
    more = [(at, f',"schemaversion":"{at % 2 + 1}","tenant":"t{at}"') for at in range(80)]
    lines = [make_lines(at + 1, members=members)[at] for at, members in more]
    records = RecordChunk(media_type=MEDIA[0], raws=lines, offsets=[7 * at for at in range(80)])
    rows = decode_chunk(records, CONTEXT).events.to_pylist()
    assert [row["schema_version"] for row in rows] == [at % 2 + 1 for at in range(80)]
    for at, row in enumerate(rows):
        told = json.loads(row["metadata"])
        assert (told["tenant"], told["ingested_from"]) == (f"t{at}", {"file": "file.ndjson", "offset": 7 * at})


def test_a_payload_may_be_null_and_a_source_of_another_length() -> None:
    lines = make_lines(81)
    lines[40] = lines[40].replace(b'"source":"s"', b'"source":"other"').replace(b'{"n":40}', b"null")
    assert left_over(lines) == []
    events = decode_chunk(LineChunk(media_type=MEDIA[0], text=b"\n".join(lines), offset=0, line=1), CONTEXT).events
    assert (events["data"][40].as_py(), set(events["source"].to_pylist())) == (None, {"s", "other"})
    assert digest_rows(events, [salt.as_py() for salt in events["salt"]]) == events["digest"].to_pylist()


@pytest.mark.parametrize("size", [40, 100, 1_000])
def test_values_may_be_of_any_length(size: int) -> None:
    lines = [line.replace(b'"s"', b'"%b"' % (b"s" * (1 + at * size % 997))) for at, line in enumerate(make_lines(100))]
    for ordered in (lines, lines[::-1]):
        assert left_over(ordered) == []
        chunk = LineChunk(media_type=MEDIA[0], text=b"\n".join(ordered), offset=0, line=1)
        raws = RecordChunk(media_type=MEDIA[0], raws=ordered, offsets=list(range(100)))
        assert decode_chunk(chunk, CONTEXT).events["source"].to_pylist() == [
            json.loads(raw)["source"] for raw in raws.raws
        ]


def test_a_value_ends_at_its_first_quote_also_where_another_stands_at_the_place_of_the_last() -> None:
    lines = make_lines(70)
    lines[0] = lines[0].replace(b'"s"', b'"ssssssssssssss"')
    lines[1:] = [line.replace(b'"s"', b'"s","tenant":"t"') for line in lines[1:]]
    chunk = LineChunk(media_type=MEDIA[0], text=b"\n".join(lines), offset=0, line=1)
    events = decode_chunk(chunk, CONTEXT).events
    assert set(events["source"].to_pylist()[1:]) == {"s"}
    assert all(json.loads(text)["tenant"] == "t" for text in events["metadata"].to_pylist()[1:])


def test_a_long_value_says_nothing_of_the_lines_behind_it() -> None:
    lines = [line.partition(b',"data"')[0] + b"}" for line in make_lines(3)]
    lines[0] = lines[0].replace(b'"s"', b'"%b"' % (b"s" * 1_000)).replace(b'"e0"', b'"%b"' % (b"e" * 1_000))
    assert left_over(lines) == []
    assert left_over([*lines, lines[2].replace(b'"T"', b'"T')]) == [3]
    assert left_over([*lines, lines[2].partition(b'"T"')[0] + b'"T']) == [3]
    assert left_over([*lines, lines[2].replace(b'"T"', b'""')]) == [3]


def test_lines_that_are_not_plain_are_many_as_well() -> None:
    lines = [line.replace(b'"e', b'"\\u0065') for line in make_lines(2_100)]
    assert left_over(lines) == list(range(2_100))
    decoded = decode_chunk(LineChunk(media_type=MEDIA[0], text=b"\n".join(lines), offset=0, line=1), CONTEXT)
    assert decoded.events["event_id"].to_pylist() == [f"e{at}" for at in range(2_100)]


def test_of_more_layouts_than_are_tried_the_last_are_left_over() -> None:
    lines = [make_lines(1, members=f',"ext{at}":"x"')[0] for at in range(MOST_LAYOUTS + 3)]
    assert left_over(lines) == [MOST_LAYOUTS, MOST_LAYOUTS + 1, MOST_LAYOUTS + 2]


def test_a_payload_may_hold_escapes_and_line_ends_that_are_escaped() -> None:
    lines = [line.replace(b'"n":', b'"text":"a \\"quoted\\" line\\n","n":') for line in make_lines(20)]
    assert left_over(lines) == []


def test_a_line_without_plain_members_has_no_layout() -> None:
    for line in (
        b"",
        b"[]",
        b"{}",
        b'{"a":1}',
        b'{"a":"b"',
        b'{"a":"b","a":"c"}',
        b'{"data":"x"}',
        b'{"a":"b","data":1',
    ):
        assert read_layout(line) is None


def test_records_of_several_lines_are_decoded_one_by_one() -> None:
    raws = [raw.replace(b",", b",\n") for raw in make_lines(100)]
    chunk = RecordChunk(media_type=MEDIA[0], raws=raws, offsets=list(range(100)))
    assert decode_chunk(chunk, CONTEXT).events["data"].to_pylist() == [f'{{"n":{at}}}' for at in range(100)]


def test_many_lines_of_one_layout_make_one_table_in_their_order() -> None:
    lines = [line for pair in zip(make_lines(80), make_lines(80, members=',"ext":"x"'), strict=True) for line in pair]
    decoded = decode_chunk(LineChunk(media_type=MEDIA[0], text=b"\n".join(lines), offset=0, line=1), CONTEXT)
    assert decoded.events["line"].to_pylist() == list(range(1, 161))
    assert isinstance(decoded.events, pa.Table)


def test_a_name_that_comes_twice_is_seen_beside_texts_that_are_cut_short() -> None:
    """Two texts of a character count as null, three longer each, and would make up for the six that were dropped."""
    strays = read_payloads([b"{", b'{"a":1,"a":1}', b"[", b'{"a":1}']).strays
    assert sorted(strays) == [0, 1, 2]
