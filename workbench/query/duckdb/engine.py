"""The embedded engine: DuckDB in process, locked, reading the Parquet files of the relations it is given."""

import re
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import duckdb
import polars as pl

from workbench.query.base import ArrowFunction, Engine, QueryProgress, Relation
from workbench.query.duckdb.connection import execute_sql, open_connection, quote_name
from workbench.query.duckdb.native import check_native
from workbench.query.duckdb.plans import Plans, arrow_name
from workbench.query.duckdb.running import Fetch, run_fetch
from workbench.query.duckdb.view_cache import ViewCache
from workbench.query.frames import make_frame
from workbench.query.subset.types import Type

__all__ = ["ArrowFunction", "DuckDBEngine"]

# Sessions are threads of one process; more statements than this at once wait for their turn.
_WORKERS: Final = 32


class DuckDBEngine(Engine):
    """Runs one SELECT of the declared subset in process.

    ``directories`` are the only ones whose files it can read, and it writes none: the connection is locked before the
    first statement. Those of an object store (``s3://…``) are read through ``objects``, which reads no others.
    ``functions`` are Python functions the relations' own SELECT may call. Safe to use from several
    threads at once; each call has a connection of its own to the same database.
    """

    name = "duckdb"

    def __init__(
        self,
        directories: Sequence[str | Path] = (),
        *,
        functions: Mapping[str, ArrowFunction] | None = None,
        threads: int | None = None,
        objects: Any = None,
    ) -> None:
        self._functions = dict(functions or {})
        self._connection = open_connection(directories, self._functions, threads, objects)
        self._plans = Plans(self._functions, ViewCache(self._connection))
        self._workers = ThreadPoolExecutor(_WORKERS, "workbench-query")
        self._finalizer = weakref.finalize(self, self._connection.close)

    def query(  # noqa: PLR0913 - limits, dialect and progress of one statement, all keyword-only
        self,
        statement: str,
        parameters: Mapping[str, Any],
        relations: Mapping[str, Relation],
        *,
        row_limit: int | None = None,
        time_limit: float | None = None,
        native: bool = False,
        progress: Callable[[QueryProgress], None] | None = None,
    ) -> pl.DataFrame:
        """Return the rows of one SELECT over ``relations``; see Engine.query.

        With ``native`` the statement is in DuckDB's own dialect and goes to DuckDB as it is written, once its parse
        by DuckDB itself shows one SELECT over the relations that calls no function reading files, settings or SQL.
        """
        cursor = self._connection.cursor()
        try:
            if native:
                self._name_relations(cursor, statement, relations)
                columns: Mapping[str, Type] = {}
                sql = statement
            else:
                template = self._plans.compile(statement, parameters, relations, row_limit)
                filled = self._plans.fill(template, relations, parameters)
                self._register(cursor, filled.arrow, relations)
                columns, sql = template.columns, filled.sql
            fetch = Fetch(cursor, sql, _bound(sql, parameters), row_limit)
            table = run_fetch(self._workers, fetch, time_limit, progress)
        finally:
            cursor.close()
        return make_frame(table, columns)

    def explain(self, statement: str, parameters: Mapping[str, Any], relations: Mapping[str, Relation]) -> str:
        """Return DuckDB's plan of a statement as text: each scan with its columns and filters."""
        sql = self.compile(statement, parameters, relations)
        with self._cursor() as cursor:
            rows = cursor.execute(f"EXPLAIN {sql}", _bound(sql, parameters)).fetchall()
        return "\n".join(str(row[1]) for row in rows)

    def compile(self, statement: str, parameters: Mapping[str, Any], relations: Mapping[str, Relation]) -> str:
        """Return the SQL that DuckDB would run for a statement; nothing is run."""
        template = self._plans.compile(statement, parameters, relations, None)
        return self._plans.fill(template, relations, parameters).sql

    def close(self) -> None:
        """Close the database. The engine is not used again."""
        self._workers.shutdown()
        self._finalizer()

    @contextmanager
    def _cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        cursor = self._connection.cursor()
        try:
            yield cursor
        finally:
            cursor.close()

    def _name_relations(
        self, cursor: duckdb.DuckDBPyConnection, statement: str, relations: Mapping[str, Relation]
    ) -> None:
        """Judge a native statement and make views of the relations' own names for its connection alone."""
        used = check_native(cursor, statement, frozenset(relations), frozenset(self._functions))
        sources, arrow = self._plans.sources(used, relations)
        self._register(cursor, arrow, relations)
        for name, source in sources.items():
            execute_sql(cursor, f"CREATE OR REPLACE TEMP VIEW {quote_name(name)} AS SELECT * FROM {source}")  # noqa: S608 - names quoted, sources compiled

    def _register(
        self, cursor: duckdb.DuckDBPyConnection, names: Iterable[str], relations: Mapping[str, Relation]
    ) -> None:
        for name in names:
            made = relations[name].arrow
            if made is not None:
                cursor.register(arrow_name(name), made())


def _bound(sql: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of the parameters the SQL names: DuckDB refuses any other."""
    named = set(re.findall(r"\$(\w+)", sql))
    return {name: value for name, value in parameters.items() if name in named and value is not None}
