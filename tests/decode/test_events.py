from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from workbench.decode import encode_events
from workbench.decode.columns import DECODED
from workbench.errors import InvalidEventError
from workbench.event import Actor, Event

GOOD: dict[str, Any] = {
    "event_id": "e1",
    "stream_id": "account-7",
    "event_type": "MoneyDeposited",
    "occurred_at": datetime(2026, 1, 31, 12, tzinfo=UTC),
}


def test_events_become_rows_in_their_order() -> None:
    events = [Event(**{**GOOD, "event_id": f"e{at}"}) for at in range(5)]
    rows = encode_events(events, "me")
    assert rows.schema == DECODED
    assert rows["event_id"].to_pylist() == ["e0", "e1", "e2", "e3", "e4"]
    assert rows["source"].to_pylist() == ["me"] * 5
    assert rows["offset"].to_pylist() == [0, 1, 2, 3, 4]
    assert rows["data"].to_pylist() == [None] * 5


def test_no_events_are_no_rows() -> None:
    assert encode_events([], "me").num_rows == 0


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({"a": 1.5, "b": [1, True, None, "x"]}, '{"a":1.5,"b":[1,true,null,"x"]}'),
        (msgspec.Raw(b'{"a": 1.50}'), '{"a":1.50}'),
        ({"a": msgspec.Raw(b"1.50")}, '{"a":1.50}'),
        (Decimal("1.50"), "1.50"),
        (("a", "b"), '["a","b"]'),
        (0, "0"),
        ("", '""'),
        (False, "false"),
        (1e16, "1e+16"),
    ],
)
def test_a_payload_keeps_its_numbers(data: Any, text: str) -> None:
    [row] = encode_events([Event(**GOOD, data=data)], "me").to_pylist()
    assert row["data"] == text


def test_times_become_utc_and_an_import_keeps_its_own() -> None:
    zone = timezone(timedelta(hours=1))
    event = Event(
        **{**GOOD, "occurred_at": datetime(2026, 1, 31, 12, tzinfo=zone)},
        recorded_at=datetime(2026, 2, 1, tzinfo=zone),
    )
    [row] = encode_events([event], "me").to_pylist()
    assert row["occurred_at"] == datetime(2026, 1, 31, 11, tzinfo=UTC)
    assert row["recorded_at"] == datetime(2026, 1, 31, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"event_id": ""}, "event_id is empty"),
        ({"event_id": None}, "event_id is None"),
        ({"stream_id": 7}, "stream_id is 7"),
        ({"event_type": "a\0"}, "event_type is 'a\\\\x00'"),
        ({"source": ""}, "source is empty"),
        ({"correlation_id": ""}, "correlation_id is empty"),
        ({"causation_id": "\ud800"}, "lone_surrogate"),
        ({"occurred_at": datetime(2026, 1, 31)}, "time_without_zone"),  # noqa: DTZ001 - the fault
        ({"occurred_at": "2026-01-31"}, "occurred_at is '2026-01-31'"),
        ({"occurred_at": datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=1)))}, "years 1 to 9999"),
        ({"schema_version": 0}, "schema_version is 0"),
        ({"schema_version": True}, "schema_version is True"),
        ({"schema_version": 2**31}, "schema_version is 2147483648"),
        ({"actor": Actor("")}, "actor.id is empty"),
        ({"actor": Actor("a", "robot")}, "actor.kind is 'robot'"),
        ({"data": {"a": [float("nan")]}}, r"data.a\[0\] is nan"),
        ({"data": Decimal("Infinity")}, "data is Infinity"),
        ({"data": 2**63}, "integer_out_of_range"),
        ({"data": 10**6000}, "integer_out_of_range"),
        ({"data": Decimal("1E+400")}, "number_out_of_range"),
        ({"data": {1: 2}}, "data: a name is 1"),
        ({"data": {"a\0": 2}}, "nul_character"),
        ({"data": {"a"}}, "data is {'a'}"),
        ({"data": {"a": datetime(2026, 1, 31, tzinfo=UTC)}}, "data.a is datetime"),
        ({"data": b"x"}, "data is b'x'"),
        ({"data": msgspec.Raw(b'{"a":1,"a":2}')}, "duplicate_key"),
        ({"metadata": {"salt": "mine"}}, "metadata is"),
        ({"metadata": {"a": float("inf")}}, "metadata.a is inf"),
    ],
)
def test_an_event_that_cannot_be_is_named_with_index_field_and_value(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidEventError, match=f"Event 1 .*{message}"):
        encode_events([Event(**GOOD), Event(**{**GOOD, **change})], "me")


def test_a_payload_deeper_than_python_can_go_is_refused() -> None:
    deep: list[Any] = []
    for _ in range(5000):
        deep = [deep]
    with pytest.raises(InvalidEventError, match="nesting_too_deep"):
        encode_events([Event(**GOOD, data=deep)], "me")
