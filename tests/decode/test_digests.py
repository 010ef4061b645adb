import hashlib
import json
import uuid
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import rfc8785

from workbench.decode import DecodeContext, decode_source, digest_rows, encode_events, event_key
from workbench.decode.columns import DECODED
from workbench.event import Actor, Event
from workbench.sources import jsonlines
from workbench.sources.jsonlines import JsonLines

EVENT = Event(
    event_id="e1",
    stream_id="account-7",
    event_type="MoneyDeposited",
    occurred_at=datetime(2026, 1, 31, 12, 0, 0, 500, tzinfo=UTC),
    data={"b": 1.0, "a": ["\u00e9", None], "\U0001f600": 1, "\ufb33": 2},
    source="/bank",
    schema_version=2,
    actor=Actor("clerk-3", "human"),
    correlation_id="loan-1",
    causation_id="e0",
    metadata={"note": "not in the digest"},
)


def test_the_digest_is_sha256_over_the_salt_and_rfc_8785() -> None:
    [row] = encode_events([EVENT], "unused").to_pylist()
    content = {
        "actor_id": "clerk-3",
        "actor_kind": "human",
        "causation_id": "e0",
        "correlation_id": "loan-1",
        "data": EVENT.data,
        "event_id": "e1",
        "event_type": "MoneyDeposited",
        "occurred_at": "2026-01-31T12:00:00.000500Z",
        "schema_version": 2,
        "source": "/bank",
        "stream_id": "account-7",
    }
    assert row["digest"] == hashlib.sha256(row["salt"] + rfc8785.dumps(content)).hexdigest()
    assert json.loads(row["metadata"]) == {"salt": row["salt"].hex(), "note": "not in the digest"}


def test_a_digest_written_down_years_ago_still_holds() -> None:
    rows = encode_events([EVENT], "unused")
    assert digest_rows(rows, [bytes(range(16))]) == ["c01c8dbac685a1971ca4e11b03d0888afa7af5b14565725b1ad00a5a20db9a08"]


def test_rows_have_the_digests_of_other_salts() -> None:
    rows = encode_events([EVENT, EVENT], "unused")
    salts = rows["salt"].to_pylist()
    assert digest_rows(rows, salts) == rows["digest"].to_pylist()
    assert digest_rows(rows, salts[::-1]) != rows["digest"].to_pylist()
    assert salts[0] != salts[1]
    assert digest_rows(rows.slice(0, 0), []) == []


def test_the_key_tells_source_and_id_apart() -> None:
    [row] = encode_events([EVENT], "unused").to_pylist()
    assert row["key"] == event_key("/bank", "e1")
    assert len({event_key("a", "bc"), event_key("ab", "c"), event_key("1:a", "b"), event_key("", "1:ab")}) == 4


def line(stream: str, amount: int, **others: str) -> bytes:
    record = {"stream_id": stream, "event_type": "T", "occurred_at": "2026-01-31T12:00:00Z", "data": amount, **others}
    return json.dumps(record).encode()


def decode_lines(path: Path, workers: int) -> tuple[pa.Table, list[str]]:
    parts = list(decode_source(JsonLines(path, "file"), DecodeContext(source_name="file"), workers=workers))
    rejections = [rejection for part in parts for rejection in part.rejections]
    return pa.concat_tables([part.events for part in parts]), [rejection.media_type for rejection in rejections]


def test_ids_are_made_alike_in_every_run_chunk_size_and_number_of_workers(tmp_path: Path, monkeypatch: object) -> None:
    path = tmp_path / "lines"
    lines = [line(f"s{at % 3}", at % 2) for at in range(600)]
    lines[50] = line("s0", 1, actor_kind="robot")
    lines[60] = b"not JSON"
    lines[70] = line("s1", 1, event_id="own")
    path.write_bytes(b"\n".join(lines))
    whole, refused = decode_lines(path, 1)
    ids = whole["event_id"].to_pylist()
    assert len(set(ids)) == len(ids) == 598
    assert refused == ["application/json; index=17", "application/json"]
    assert {uuid.UUID(one).version for one in ids if one != "own"} == {5}
    assert {uuid.UUID(one).variant for one in ids if one != "own"} == {uuid.RFC_4122}
    monkeypatch.setattr(jsonlines, "CHUNK", 5_000)  # type: ignore[attr-defined]  # pytest's fixture
    for workers in (1, 2):
        again, refused_again = decode_lines(path, workers)
        assert again["event_id"].to_pylist() == ids
        assert refused_again == refused
        assert again.schema == DECODED


def test_the_id_made_is_uuid5_of_source_stream_index_and_content(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    path.write_bytes(b"\n".join([line("s", 1), line("s", 1)]))
    content = rfc8785.dumps(
        {
            "actor_id": None,
            "actor_kind": None,
            "causation_id": None,
            "correlation_id": None,
            "data": 1,
            "event_id": None,
            "event_type": "T",
            "occurred_at": "2026-01-31T12:00:00.000000Z",
            "schema_version": 1,
            "source": "file",
            "stream_id": "s",
        }
    )
    digest = hashlib.sha256(content).hexdigest()
    namespace = uuid.uuid5(uuid.NAMESPACE_URL, "urn:eventlog-workbench:event-id")
    expected = [str(uuid.uuid5(namespace, f"4:file1:s{index}:{digest}")) for index in (0, 1)]
    assert decode_lines(path, 1)[0]["event_id"].to_pylist() == expected
