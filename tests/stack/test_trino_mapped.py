"""A table that others write, mapped to the log's names, asked on Trino and embedded: the same events."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import msgspec
import pyarrow as pa
import pytest
from polars.testing import assert_frame_equal
from pyiceberg.table import Table

from tests.stack.conftest import MakeSettings
from tests.stack.proxy import load_lake
from workbench.errors import UnsupportedOnThisLogError
from workbench.session import Session, open_session

START = datetime(2026, 1, 1, tzinfo=UTC)
MAPPING = {
    "event_id": "cast(id as varchar)",
    "stream_id": '"Order"',
    "event_type": "upper(kind)",
    "occurred_at": "happened",
    "actor_id": "json_extract_scalar(payload, '$.who')",
    "data": "payload",
}


def make_rows(first: int, count: int) -> pa.Table:
    numbers = range(first, first + count)
    return pa.table(
        {
            "id": pa.array(numbers, pa.int64()),
            "Order": [f"order-{number % 3}" for number in numbers],
            "kind": ["paid" if number % 2 else "placed" for number in numbers],
            "happened": pa.array([START + timedelta(hours=number) for number in numbers], pa.timestamp("us", tz="UTC")),
            "payload": [f'{{"who":"w{number % 4}","n":{number}.50}}' for number in numbers],
        }
    )


@pytest.fixture
def orders(stack: object, namespace: str) -> Table:
    del stack
    catalog = load_lake()
    catalog.create_namespace(namespace)
    table = catalog.create_table(f"{namespace}.orders", schema=make_rows(0, 1).schema)
    table.append(make_rows(0, 10))
    return table


@pytest.fixture
def open_mapped(lake_settings: MakeSettings, namespace: str, orders: Table) -> Callable[[str], Session]:
    """A maker of sessions on the orders, by engine."""
    del orders

    def open_one(engine: str) -> Session:
        settings = lake_settings(engine=engine)
        log = msgspec.structs.replace(settings.log, table=f"{namespace}.orders", mapping=MAPPING)
        return open_session(msgspec.structs.replace(settings, log=log))

    return open_one


def test_both_engines_see_the_same_events(open_mapped: Callable[[str], Session], orders: Table) -> None:
    duckdb, trino = open_mapped("duckdb"), open_mapped("trino")
    assert_frame_equal(trino.events(), duckdb.events())
    orders.append(make_rows(10, 5))
    assert_frame_equal(trino.events(), duckdb.events())
    text = "select stream_id, count(*) as n, max(position) as p from events where actor_id = :w group by 1 order by 1"
    assert_frame_equal(trino.sql(text, {"w": "w1"}), duckdb.sql(text, {"w": "w1"}))
    raw = "select sum(id) as n from mapped_table where \"order\" = 'order-1'"
    assert_frame_equal(trino.sql(raw), duckdb.sql(raw))
    assert trino.head() == duckdb.head()


def test_rows_that_were_deleted_are_gone_on_both(
    open_mapped: Callable[[str], Session], orders: Table, trino_as: Callable[[str], object], namespace: str
) -> None:
    trino_as("admin").cursor().execute(f"delete from {namespace}.orders where id % 4 = 1").fetchall()  # type: ignore[attr-defined]  # the driver's
    del orders
    duckdb, trino = open_mapped("duckdb"), open_mapped("trino")
    assert_frame_equal(trino.events(), duckdb.events())
    assert trino.events().height == 7


def test_known_at_reads_the_snapshot_of_that_time(open_mapped: Callable[[str], Session], orders: Table) -> None:
    current = orders.current_snapshot()
    assert current is not None
    then = datetime.fromtimestamp(current.timestamp_ms / 1000, UTC)
    orders.append(make_rows(10, 5))
    trino = open_mapped("trino")
    assert trino.events(known_at=then).height == 10
    assert trino.events(known_at=START).height == 0
    assert trino.events().height == 15


def test_what_was_added_between_snapshots_is_refused_with_the_reason(
    open_mapped: Callable[[str], Session], orders: Table
) -> None:
    trino = open_mapped("trino")
    start = trino.head().snapshot_id
    assert start is not None
    assert list(trino.tail(after=start)) == []
    orders.append(make_rows(10, 5))
    with pytest.raises(UnsupportedOnThisLogError, match="engine='duckdb'"):
        list(trino.tail(after=start))
