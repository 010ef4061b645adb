"""A small log's relations in Parquet files, and the embedded engine over them."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from workbench.query.base import Part, Relation
from workbench.query.duckdb.engine import ArrowFunction, DuckDBEngine

COLUMNS = {
    "position": "bigint",
    "event_type": "varchar",
    "occurred_at": "timestamp(6) with time zone",
    "data": "varchar",
}


def write_events(path: Path, positions: range) -> str:
    """Write one file of events at these positions and return its path."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    rows = pa.table(
        {
            "position": pa.array(positions, pa.int64()),
            "event_type": ["Opened" if position % 2 else "Closed" for position in positions],
            "occurred_at": pa.array(
                [start + timedelta(minutes=position) for position in positions], pa.timestamp("us", tz="UTC")
            ),
            "data": [f'{{"n":{position}}}' for position in positions],
        }
    )
    pq.write_table(rows, path)
    return str(path)


def lower_text(texts: pa.Array) -> pa.Array:
    return pc.utf8_lower(texts)


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("warehouse")


@pytest.fixture(scope="module")
def relations(warehouse: Path) -> dict[str, Relation]:
    first = write_events(warehouse / "first.parquet", range(6))
    second = write_events(warehouse / "second.parquet", range(4, 10))
    stored = Relation(
        name="events_stored", columns=COLUMNS, version="1", parts=(Part(files=(first,)), Part(files=(second,), after=5))
    )
    lifted = Relation(
        name="events",
        columns=COLUMNS,
        version="1",
        select="select position, lower_text(event_type) as event_type, occurred_at, data from events_stored",
    )
    notes = Relation(
        name="notes",
        columns={"position": "bigint", "note": "varchar"},
        version="1",
        arrow=lambda: pa.table({"position": pa.array([1, 2], pa.int64()), "note": ["one", "two"]}),
    )
    noted = Relation(
        name="noted",
        columns={"position": "bigint", "note": "varchar"},
        version="1",
        select="select e.position, n.note from events_stored e join notes n on n.position = e.position",
    )
    empty = Relation(name="quarantine", columns={"reason": "varchar", "at": "timestamp(6)"}, version="0")
    return {relation.name: relation for relation in (stored, lifted, notes, noted, empty)}


@pytest.fixture(scope="module")
def engine(warehouse: Path) -> Iterator[DuckDBEngine]:
    functions = {"lower_text": ArrowFunction(lower_text, ("varchar",), "varchar")}
    engine = DuckDBEngine([warehouse], functions=functions)
    yield engine
    engine.close()


Ask = Callable[..., pl.DataFrame]


@pytest.fixture(scope="module")
def ask(engine: DuckDBEngine, relations: dict[str, Relation]) -> Ask:
    """A function that runs a statement over the relations."""

    def run(statement: str, parameters: Mapping[str, Any] | None = None, **options: Any) -> pl.DataFrame:
        return engine.query(statement, parameters or {}, relations, **options)

    return run
