"""One behaviour suite for every engine: an engine joins by one name in ENGINES and one function that opens it."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.stack.conftest import stack  # noqa: F401 - the stack's own fixture, started or found
from tests.stack.proxy import load_lake
from workbench.config import TrinoSettings, read_trino
from workbench.query.base import Engine, Part, Relation, Table
from workbench.query.duckdb.engine import DuckDBEngine
from workbench.query.trino.access import open_server
from workbench.query.trino.engine import TrinoEngine

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


def open_server_engine() -> TrinoEngine:
    """Return an engine on the running stack, as TRINO_… variables name it."""
    return TrinoEngine(open_server(TrinoSettings(**read_trino({}, os.environ, catalog="lake"))), "lake")


@contextmanager
def open_trino(_folder: Path) -> Iterator[tuple[Engine, dict[str, Relation]]]:
    """The same events in two tables of a real catalog: the first five in one, all but the first three in the other."""
    catalog, namespace = load_lake(), f"contracts_{uuid4().hex[:8]}"
    catalog.create_namespace(namespace)
    rows, parts = make_rows(), []
    for name, some, after in (("first", rows.slice(0, 5), None), ("second", rows.slice(3), 4)):
        table = catalog.create_table(f"{namespace}.{name}", schema=some.schema)
        table.append(some)
        snapshot = table.metadata.current_snapshot_id
        parts.append(Part(table=Table(namespace=namespace, name=name, snapshot_id=snapshot), after=after))
        # The snapshot that is asked for is no longer the newest.
        table.append(some)
    events = Relation(name="events", columns=COLUMNS, version="1", parts=tuple(parts))
    engine = open_server_engine()
    try:
        yield engine, {"events": events}
    finally:
        engine.close()
        for name in ("first", "second"):
            catalog.drop_table(f"{namespace}.{name}")
        catalog.drop_namespace(namespace)


ENGINES = {"duckdb": open_duckdb, "trino": open_trino}

Ask = Callable[..., pl.DataFrame]


def mark_engine(name: str) -> Any:
    """Return the parameter of an engine, marked where it needs the stack."""
    return pytest.param(name, marks=() if name == "duckdb" else pytest.mark.stack)


@pytest.fixture(scope="session", params=[mark_engine(name) for name in sorted(ENGINES)])
def ask(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    """A function that runs a statement with parameters on one engine over the twelve events."""
    if request.param != "duckdb":
        request.getfixturevalue("stack")
    with ENGINES[request.param](tmp_path_factory.mktemp("log")) as (engine, relations):

        def run(statement: str, parameters: Mapping[str, Any] | None = None, **options: Any) -> pl.DataFrame:
            return engine.query(statement, parameters or {}, relations, **options)

        yield run
