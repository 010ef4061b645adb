"""The metadata's texts are the same whether they are written one by one or in bulk."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.decode import DecodeContext, decode_chunk
from workbench.decode.metadata import Places, find_told, write_metadata
from workbench.sources.base import RecordChunk

SALTS = st.binary(min_size=16, max_size=16)
RESTS = st.sampled_from(["}", '"a":1}', '"ingested_from":"elsewhere"}', '"schön":"\\u0041"}'])
NUMBERS = st.integers(0, 10**18) | st.integers(0, 11)
ROWS = st.lists(st.tuples(SALTS, RESTS, NUMBERS, st.none() | NUMBERS, st.none() | st.just("2026-01-31")), max_size=20)


def write_one(file: str, salt: bytes, rest: str, offset: int, line: int | None, imported: str | None) -> str:
    place = json.dumps(
        {"file": file, "offset": offset} | ({} if line is None else {"line": line}), separators=(",", ":")
    )
    told = "" if imported or '"ingested_from":' in rest else f',"ingested_from":{place}'
    return f'{{"salt":"{salt.hex()}"{told}{"" if rest == "}" else ","}{rest}'


@settings(deadline=None)
@given(rows=ROWS, file=st.sampled_from(["events.ndjson", 'a "quoted"}.xes']))
def test_texts_written_in_bulk_are_those_written_one_by_one(
    rows: list[tuple[bytes, str, int, int | None, str | None]], file: str
) -> None:
    rests = [row[1] for row in rows]
    places = Places(
        file, [row[2] for row in rows], [row[3] for row in rows], find_told(rests, [row[4] for row in rows])
    )
    texts = write_metadata(b"".join(row[0] for row in rows), rests, places).to_pylist()
    assert texts == [write_one(file, *row) for row in rows]


@settings(deadline=None)
@given(rows=st.lists(st.tuples(SALTS, RESTS), max_size=8))
def test_without_a_file_no_place_is_told(rows: list[tuple[bytes, str]]) -> None:
    salts, rests = [salt for salt, _ in rows], [rest for _, rest in rows]
    assert write_metadata(b"".join(salts), rests).to_pylist() == [
        write_one("", *row, 0, None, "import") for row in rows
    ]


def test_an_event_tells_its_file_unless_it_brings_a_recording_time() -> None:
    line = b'{"stream_id":"s","event_type":"T","occurred_at":"2026-01-31T12:00:00Z"%b}'
    raws = [line % b"", line % b',"recorded_at":"2026-02-01T12:00:00Z"']
    chunk = RecordChunk(media_type="application/json", raws=raws, offsets=[0, 99], lines=[1, 2])
    texts = decode_chunk(chunk, DecodeContext(source_name="x", origin="x.ndjson")).events["metadata"].to_pylist()
    assert [json.loads(text).get("ingested_from") for text in texts] == [
        {"file": "x.ndjson", "offset": 0, "line": 1},
        None,
    ]


def test_a_record_without_a_line_tells_its_byte() -> None:
    for lines in (None, [None, None], [None, 7]):
        places = Places("x", [5, 12], lines)
        told = [json.loads(text)["ingested_from"] for text in write_metadata(bytes(32), "}", places).to_pylist()]
        assert [place.get("line") for place in told] == [*(lines or [None, None])]
        assert [place["offset"] for place in told] == [5, 12]
