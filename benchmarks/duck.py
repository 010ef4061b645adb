"""The peer of the reading tasks: DuckDB alone, on as many threads as there are cores, over plain Parquet files."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa

# The cores this process may use (a container may own fewer than the machine has).
THREADS: Final = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
ZSTD: Final = "format parquet, compression zstd, compression_level 1"
CLOUD_EVENT: Final = {
    "specversion": "VARCHAR",
    "id": "VARCHAR",
    "source": "VARCHAR",
    "type": "VARCHAR",
    "subject": "VARCHAR",
    "time": "TIMESTAMPTZ",
    "datacontenttype": "VARCHAR",
    "actorid": "VARCHAR",
    "actorkind": "VARCHAR",
    "correlationid": "VARCHAR",
    "data": "JSON",
}


def open_duck() -> duckdb.DuckDBPyConnection:
    """Return a connection in UTC that keeps the footers of the files it has read."""
    connection = duckdb.connect(config={"threads": THREADS})
    connection.execute("set timezone = 'UTC'; set parquet_metadata_cache = true")
    return connection


def files_sql(files: Sequence[str | Path]) -> str:
    """Return ``read_parquet`` over exactly these files."""
    listed = ", ".join(f"'{str(file).removeprefix('file://')}'" for file in files)
    return f"read_parquet([{listed}])"


def fetch_arrow(connection: duckdb.DuckDBPyConnection, statement: str) -> pa.Table:
    """Return an answer as Arrow."""
    return connection.sql(statement).to_arrow_table()


def fetch_rows(connection: duckdb.DuckDBPyConnection, statement: str) -> list[tuple[Any, ...]]:
    """Return an answer as sorted rows, to compare it."""
    return sorted(connection.sql(statement).fetchall())


def copy_cloud_events(connection: duckdb.DuckDBPyConnection, lines: Path, target: Path) -> None:
    """Copy a file of CloudEvents lines to Parquet, its columns named so that none is guessed."""
    columns = ", ".join(f"{name}: '{kind}'" for name, kind in CLOUD_EVENT.items())
    read = f"read_json('{lines}', format='newline_delimited', columns={{{columns}}})"
    connection.execute(f"copy (select * from {read}) to '{target}' ({ZSTD})")


def write_sorted(connection: duckdb.DuckDBPyConnection, files: Sequence[str], target: Path, order: str) -> None:
    """Write the events of a log into one Parquet file in the order of ``order``."""
    connection.execute(f"copy (select * from {files_sql(files)} order by {order}) to '{target}' ({ZSTD})")
