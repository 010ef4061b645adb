import json
import pickle
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from workbench.decode import DecodeContext, Registry, decode_chunk, encode_events, load_registry
from workbench.decode.steps import Step
from workbench.errors import InvalidEventError, RegistryError
from workbench.event import Event
from workbench.sources.base import MappedChunk, RecordChunk

CHAIN = """
event_type = "MoneyDeposited"
current = 3
schema = { 3 = "deposit.3.json" }

[[hop]]
from = 1
to = 2
steps = [
  { rename = "amt", to = "amount" },
  { default = "currency", value = "EUR" },
  { split = "name", by = " ", into = ["first", "last"] },
]

[[hop]]
from = 2
to = 3
steps = [
  { cast = "amount", as = "string" },
  { map = "kind", values = { D = "deposit", 1 = "one" }, otherwise = "other" },
  { move = "city", to = "address.city" },
  { drop = "legacy" },
]
"""
SCHEMA = {
    "type": "object",
    "required": ["amount"],
    "properties": {"amount": {"type": "string"}, "nested": {"items": {"maximum": 5}}},
}


def write(folder: Path, text: str = CHAIN, name: str = "deposit.toml") -> Path:
    (folder / name).write_text(text)
    (folder / "deposit.3.json").write_text(json.dumps(SCHEMA))
    return folder


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return load_registry(write(tmp_path))


def test_no_folder_is_an_empty_registry(tmp_path: Path) -> None:
    assert load_registry(None).is_empty
    assert load_registry(tmp_path).hash == load_registry(None).hash
    assert load_registry(None).current_version("MoneyDeposited") is None
    assert load_registry(None).find_mismatch("MoneyDeposited", 1, b"{}") is None
    with pytest.raises(RegistryError, match="not a folder"):
        load_registry(tmp_path / "absent")


def test_a_payload_is_lifted_to_the_current_version(registry: Registry) -> None:
    text = '{"amt":1.50,"name":"Ada King Lovelace","kind":"D","legacy":-0,"city":"Ghent","exact":-0}'
    version, lifted = registry.upcast("MoneyDeposited", 1, text)
    assert version == 3
    assert lifted == (
        '{"amount":"1.50","kind":"deposit","exact":-0,"currency":"EUR","first":"Ada","last":"King Lovelace",'
        '"address":{"city":"Ghent"}}'
    )
    assert registry.upcast("MoneyDeposited", 2, '{"amount":1e2}') == (3, '{"amount":"1e2"}')


def test_what_needs_no_lifting_keeps_its_text(registry: Registry) -> None:
    assert registry.current_version("MoneyDeposited") == 3
    assert registry.upcast("MoneyDeposited", 3, '{"a": 1}') == (3, '{"a": 1}')
    assert registry.upcast("MoneyDeposited", 4, '{"a": 1}') == (4, '{"a": 1}')
    assert registry.upcast("Unknown", 1, '{"a": 1}') == (1, '{"a": 1}')
    assert registry.upcast("MoneyDeposited", 1, "[1.0]") == (3, "[1.0]")
    assert registry.upcast("MoneyDeposited", 1, None) == (3, None)


def record(version: int, data: Any) -> bytes:
    return json.dumps(
        {
            "event_id": "e",
            "stream_id": "s",
            "event_type": "MoneyDeposited",
            "schema_version": version,
            "occurred_at": "2026-01-31T12:00:00Z",
            "data": data,
        }
    ).encode()


def test_a_schema_refuses_what_it_does_not_allow(registry: Registry) -> None:
    raws = [
        record(1, {"amt": 5}).replace(b"MoneyDeposited", b"Unknown"),
        record(3, {"amount": "5"}),
        record(3, {"amount": 5}),
        record(3, None),
        record(1, {"amt": 5}),
        record(3, {"amount": "5", "nested": [7]}),
    ]
    context = DecodeContext(source_name="x", registry=registry)
    chunk = RecordChunk(media_type="application/json", raws=raws, offsets=[-10, 0, 10, 20, 30, 40])
    decoded = decode_chunk(chunk, context)
    assert decoded.events["offset"].to_pylist() == [-10, 0, 30]
    assert [(one.offset, one.reason) for one in decoded.rejections] == [
        (10, "schema_mismatch"),
        (20, "schema_mismatch"),
        (40, "schema_mismatch"),
    ]
    assert "/amount: " in decoded.rejections[0].detail
    assert "/nested/0: " in decoded.rejections[2].detail


@pytest.mark.parametrize("event_id", ["e1", None])
def test_a_mapped_row_that_its_schema_refuses_can_be_decoded_again_by_itself(
    registry: Registry, event_id: str | None
) -> None:
    row = {
        "event_id": event_id,
        "stream_id": "account-7",
        "event_type": "MoneyDeposited",
        "schema_version": 3,
        "occurred_at": "2026-01-31T12:00:00Z",
        "actor_id": "a",
        "data": '{"amount": 5.50}',
        "metadata": '{"salt": 1, "b": 2.50}',
        "raw": "account-7,5",
        "offset": 7,
    }
    rows = pa.table({name: pa.array([value], pa.string()) if value is None else [value] for name, value in row.items()})
    context = DecodeContext(source_name="file.csv", registry=registry)
    [refused] = decode_chunk(MappedChunk(rows=rows), context, indexes=[4]).rejections
    assert refused.reason == "schema_mismatch"
    assert refused.raw == b"account-7,5"
    assert refused.mapped is not None
    line = RecordChunk(media_type="application/json", raws=[refused.mapped], offsets=[7])
    [again] = decode_chunk(line, DecodeContext(source_name="retry")).events.to_pylist()
    [first] = decode_chunk(
        MappedChunk(rows=rows), DecodeContext(source_name="file.csv"), indexes=[4]
    ).events.to_pylist()
    own = {"salt": again.pop("salt").hex(), "source_salt": 1, "b": 2.5}
    assert json.loads(again.pop("metadata")) == own
    assert {**again, "digest": ""} == {name: first[name] if name != "digest" else "" for name in again}
    assert decode_chunk(line, context).rejections[0].mapped is None


def test_a_newer_version_is_kept_and_flagged(registry: Registry) -> None:
    context = DecodeContext(source_name="x", registry=registry)
    raws = [record(4, [1]), record(4, [1]).replace(b'{"event_id"', b'{"shop":"a","event_id"')]
    decoded = decode_chunk(RecordChunk(media_type="application/json", raws=raws, offsets=[0, 1]), context)
    for row, others in zip(decoded.events.to_pylist(), ({}, {"shop": "a"}), strict=True):
        salt = row["salt"].hex()
        assert json.loads(row["metadata"]) == {"salt": salt, "unknown_schema_version": True, **others}
    again = record(4, [1]).replace(b'{"event_id"', b'{"unknown_schema_version":7,"event_id"')
    [row] = decode_chunk(
        RecordChunk(media_type="application/json", raws=[again], offsets=[0]), context
    ).events.to_pylist()
    assert json.loads(row["metadata"])["unknown_schema_version"] == 7


def test_append_refuses_what_the_schema_does_not_allow(registry: Registry) -> None:
    fields: dict[str, Any] = json.loads(record(3, {"amount": 5}))
    from datetime import datetime

    fields["occurred_at"] = datetime.fromisoformat(fields["occurred_at"])
    with pytest.raises(InvalidEventError, match=r"Event 0 .*schema_mismatch.*amount"):
        encode_events([Event(**fields)], "x", registry=registry)


def test_a_registry_survives_the_way_to_a_worker(registry: Registry) -> None:
    again = pickle.loads(pickle.dumps(registry))  # noqa: S301 - our own
    assert again.hash == registry.hash
    assert again.upcast("MoneyDeposited", 1, '{"amt":1}') == registry.upcast("MoneyDeposited", 1, '{"amt":1}')


def test_the_hash_changes_with_every_step_and_schema(tmp_path: Path, registry: Registry) -> None:
    assert load_registry(write(tmp_path, "# a comment\n" + CHAIN)).hash == registry.hash
    assert load_registry(write(tmp_path, CHAIN.replace('"EUR"', '"USD"'))).hash != registry.hash
    write(tmp_path)
    (tmp_path / "deposit.3.json").write_text("{}")
    assert load_registry(tmp_path).hash != registry.hash


HEAD = 'event_type = "T"\n'


def hops(*pairs: tuple[int, int]) -> str:
    return "".join(f"[[hop]]\nfrom = {start}\nto = {end}\n" for start, end in pairs)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEAD + "current = 4\n" + hops((1, 2), (3, 4)), "gap: no hop starts at version 2"),
        (HEAD + "current = 4\n" + hops((1, 2), (2, 3)), "ends at version 3 and does not reach the current version 4"),
        (HEAD + "current = 2\n", "ends at version 1 and does not reach the current version 2"),
        (HEAD + "current = 3\n" + hops((1, 2), (2, 1)), "the hop 2 to 1 makes a cycle"),
        (HEAD + "current = 2\n" + hops((1, 1)), "the hop 1 to 1 makes a cycle"),
        (HEAD + "current = 2\n" + hops((1, 2), (1, 2)), "duplicate hop starts at version 1"),
        (HEAD + "current = 2\n" + hops((1, 3)), "leaves the versions 1 to 2"),
        (HEAD + "current = 3\nfirst = 2\n" + hops((1, 2), (2, 3)), "leaves the versions 2 to 3"),
        (HEAD + "current = 0\n", "1 <= first <= current"),
        (HEAD + "current = 1\nfirst = 2\n", "1 <= first <= current"),
        ('event_type = ""\ncurrent = 1\n', "must not be empty"),
        (HEAD + 'current = "1"\n', "cannot be used"),
        (HEAD + "current = 1\ncolour = 1\n", "colour"),
        ("current = 1\n", "event_type"),
        ("current = \n", "cannot be used"),
        (HEAD + 'current = 1\nschema = { 2 = "deposit.3.json" }\n', "version '2'"),
        (HEAD + 'current = 1\nschema = { one = "deposit.3.json" }\n', "version 'one'"),
        (HEAD + 'current = 1\nschema = { 1 = "absent.json" }\n', "absent.json cannot be used"),
        (HEAD + 'current = 1\nschema = { 1 = "broken.json" }\n', "broken.json cannot be used"),
        (HEAD + 'current = 1\nschema = { 1 = "wrong.json" }\n', "wrong.json cannot be used"),
        (HEAD + 'current = 1\nschema = { 1 = "remote.json" }\n', "remote.json cannot be used"),
        (HEAD + "current = 2\n" + hops((1, 2)) + 'steps = [{ turn = "a" }]\n', "not exactly one of"),
        (HEAD + "current = 2\n" + hops((1, 2)) + 'steps = [{ drop = "a", cast = "a" }]\n', "not exactly one of"),
        (HEAD + "current = 2\n" + hops((1, 2)) + 'steps = [{ drop = "a", to = "b" }]\n', "step .* cannot be used"),
        (HEAD + "current = 2\n" + hops((1, 2)) + 'steps = [{ cast = "a", as = "date" }]\n', "step .* cannot be used"),
        *(
            (HEAD + "current = 2\n" + hops((1, 2)) + f"steps = [{{ {step} }}]\n", "step .* cannot be used")
            for step in (
                'cast = "a", as = "integer", on_failure = "raise"',
                'split = "a", by = "", into = ["b"]',
                'split = "a", by = " ", into = []',
                'split = "a", by = " ", into = ["b", "b"]',
            )
        ),
    ],
)
def test_a_registry_that_is_not_consistent_is_refused_when_loaded(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "wrong.json").write_text('{"type": "nothing"}')
    (tmp_path / "remote.json").write_text('{"$ref": "http://127.0.0.1:9/schema.json"}')
    with pytest.raises(RegistryError, match=message):
        load_registry(write(tmp_path, text))


def test_one_event_type_in_two_files_is_a_duplicate(tmp_path: Path) -> None:
    write(tmp_path)
    with pytest.raises(RegistryError, match="MoneyDeposited is a duplicate"):
        load_registry(write(tmp_path, name="again.toml"))


def test_a_chain_may_begin_later_and_skip(tmp_path: Path) -> None:
    registry = load_registry(write(tmp_path, HEAD + "current = 4\nfirst = 2\n" + hops((2, 4), (3, 4))))
    assert registry.upcast("T", 2, "{}") == (4, "{}")
    assert registry.upcast("T", 1, "{}") == (1, "{}")


def test_a_step_of_no_kind_changes_nothing() -> None:
    payload = {"amount": 1}
    Step().apply(payload)
    assert payload == {"amount": 1}
