"""One behaviour suite for every engine: an engine joins by one name in ENGINES and one function that opens it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from workbench.query.base import Engine, Part, Relation
from workbench.query.duckdb import DuckDBEngine

COLUMNS = {
    "position": "bigint",
    "stream_id": "varchar",
    "event_type": "varchar",
    "occurred_at": "timestamp(6) with time zone",
    "actor_id": "varchar",
    "data": "varchar",
    "amount": "decimal(18, 2)",
    "score": "double",
}
START = datetime(2026, 1, 31, 22, 30, tzinfo=UTC)


def make_rows() -> pa.Table:
    """Return twelve events of three streams: ties, NULLs, an object where a number is expected, amounts in cents."""
    payloads = [
        '{"amount":10.5,"items":[{"sku":"a","n":1},{"sku":"b","n":2}]}',
        '{"amount":{"value":1},"note":"été"}',
        None,
        '{"amount":"7","tags":["x","y"]}',
    ]
    return pa.table(
        {
            "position": pa.array(range(12), pa.int64()),
            "stream_id": [f"s{index % 3}" for index in range(12)],
            "event_type": ["Opened", "Paid", "Closed", "Paid"] * 3,
            "occurred_at": pa.array(
                [START + timedelta(hours=index // 2, microseconds=index) for index in range(12)],
                pa.timestamp("us", tz="UTC"),
            ),
            "actor_id": [None if index % 4 == 2 else f"a{index % 2}" for index in range(12)],
            "data": payloads * 3,
            "amount": pa.array([index * 100 + 5 for index in range(12)], pa.int64())
            .cast(pa.decimal128(38, 0))
            .cast(pa.decimal128(18, 2)),
            "score": pa.array([0.1 * index for index in range(12)], pa.float64()),
        }
    )


@contextmanager
def open_duckdb(folder: Path) -> Iterator[tuple[Engine, dict[str, Relation]]]:
    rows = make_rows()
    pq.write_table(rows.slice(0, 5), folder / "first.parquet")
    pq.write_table(rows.slice(3), folder / "second.parquet")
    events = Relation(
        name="events",
        columns=COLUMNS,
        version="1",
        parts=(
            Part(files=(str(folder / "first.parquet"),)),
            Part(files=(str(folder / "second.parquet"),), after=4),
        ),
    )
    engine = DuckDBEngine([folder])
    try:
        yield engine, {"events": events}
    finally:
        engine.close()


ENGINES = {"duckdb": open_duckdb}

Ask = Callable[..., pl.DataFrame]


@pytest.fixture(scope="session", params=sorted(ENGINES))
def ask(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    """A function that runs a statement with parameters on one engine over the twelve events."""
    with ENGINES[request.param](tmp_path_factory.mktemp("log")) as (engine, relations):

        def run(statement: str, parameters: Mapping[str, Any] | None = None, **options: Any) -> pl.DataFrame:
            return engine.query(statement, parameters or {}, relations, **options)

        yield run
