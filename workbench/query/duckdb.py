"""The embedded engine: DuckDB in process, locked, reading the Parquet files of the relations it is given."""

import re
import threading
import weakref
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import duckdb
import msgspec
import polars as pl
from sqlglot import exp

from workbench.errors import QueryRefusedError
from workbench.query.annotate import annotate_types
from workbench.query.base import ArrowFunction, Engine, Relation
from workbench.query.connection import execute_sql, open_connection, plain_path, quote_name, quote_text
from workbench.query.dialect import read_statement, type_of_value
from workbench.query.frames import make_frame
from workbench.query.native import check_native
from workbench.query.rewrites import write_duckdb
from workbench.query.running import Fetch, run_fetch
from workbench.query.types import Type, duckdb_type, parse_type
from workbench.query.view_cache import ViewCache

__all__ = ["ArrowFunction", "DuckDBEngine"]

_KEPT: Final = 256
# Sessions are threads of one process; more statements than this at once wait for their turn.
_WORKERS: Final = 32


class Plan(msgspec.Struct, frozen=True):
    """A statement that was judged and compiled: DuckDB's SQL, the answer's columns, the relations made at each run."""

    sql: str
    columns: Mapping[str, Type]
    arrow: tuple[str, ...]


class DuckDBEngine(Engine):
    """Runs one SELECT of the declared subset in process.

    ``directories`` are the only ones whose files it can read, and it writes none: the connection is locked before the
    first statement. ``functions`` are Python functions the relations' own SELECT may call. Safe to use from several
    threads at once; each call has a connection of its own to the same database.
    """

    name = "duckdb"

    def __init__(
        self,
        directories: Sequence[str | Path] = (),
        *,
        functions: Mapping[str, ArrowFunction] | None = None,
        threads: int | None = None,
    ) -> None:
        self._functions = dict(functions or {})
        self._lock = threading.Lock()
        self._plans: OrderedDict[tuple[Any, ...], Plan] = OrderedDict()
        self._connection = open_connection(directories, self._functions, threads)
        self._views = ViewCache(self._connection)
        self._workers = ThreadPoolExecutor(_WORKERS, "workbench-query")
        self._finalizer = weakref.finalize(self, self._connection.close)

    def query(
        self,
        statement: str,
        parameters: Mapping[str, Any],
        relations: Mapping[str, Relation],
        *,
        row_limit: int | None = None,
        time_limit: float | None = None,
        native: bool = False,
    ) -> pl.DataFrame:
        """Return the rows of one SELECT over ``relations``; see Engine.query.

        With ``native`` the statement is in DuckDB's own dialect and goes to DuckDB as it is written, once its parse
        by DuckDB itself shows one SELECT over the relations that calls no function reading files, settings or SQL.
        """
        cursor = self._connection.cursor()
        try:
            if native:
                plan, values = self._plan_native(cursor, statement, relations), dict(parameters)
            else:
                plan, values = self._plan(statement, parameters, relations, row_limit), dict(parameters)
            self._register(cursor, plan.arrow, relations)
            fetch = Fetch(cursor, plan.sql, _bound(plan.sql, values), row_limit)
            table = run_fetch(self._workers, fetch, time_limit)
        finally:
            cursor.close()
        return make_frame(table, plan.columns)

    def explain(self, statement: str, parameters: Mapping[str, Any], relations: Mapping[str, Relation]) -> str:
        """Return DuckDB's plan of a statement as text: each scan with its columns and filters."""
        plan = self._plan(statement, parameters, relations, None)
        with self._cursor() as cursor:
            rows = cursor.execute(f"EXPLAIN {plan.sql}", _bound(plan.sql, parameters)).fetchall()
        return "\n".join(str(row[1]) for row in rows)

    def compile(self, statement: str, parameters: Mapping[str, Any], relations: Mapping[str, Relation]) -> str:
        """Return the SQL that DuckDB would run for a statement; nothing is run."""
        return self._plan(statement, parameters, relations, None).sql

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

    def _plan(
        self, statement: str, parameters: Mapping[str, Any], relations: Mapping[str, Relation], row_limit: int | None
    ) -> Plan:
        kinds = {name: type_of_value(name, value) for name, value in parameters.items()}
        versions = tuple((name, relation.version) for name, relation in relations.items())
        key = (statement, tuple(kinds.items()), versions, row_limit)
        with self._lock:
            plan = self._plans.get(key)
            if plan is None:
                plan = self._compile(statement, kinds, relations, row_limit)
                self._plans[key] = plan
                if len(self._plans) > _KEPT:
                    self._plans.popitem(last=False)
            else:
                self._plans.move_to_end(key)
            self._views.touch(plan.sql)
        return plan

    def _compile(
        self, statement: str, kinds: Mapping[str, Type], relations: Mapping[str, Relation], row_limit: int | None
    ) -> Plan:
        tables = _tables(relations)
        read = read_statement(statement, tables, kinds)
        columns = annotate_types(read, statement, tables)
        sources, arrow = self._sources(read.relations, relations)
        _limit(read.tree, row_limit)
        return Plan(write_duckdb(read.tree, sources), columns, arrow)

    def _sources(
        self, names: frozenset[str], relations: Mapping[str, Relation]
    ) -> tuple[dict[str, str], tuple[str, ...]]:
        sources: dict[str, str] = {}
        arrow: set[str] = set()
        for name in sorted(names):
            relation = relations[name]
            if relation.arrow is not None:
                sources[name] = quote_name(_arrow_name(name))
                arrow.add(name)
            elif relation.select is not None:
                sources[name] = self._select_source(relation, relations, arrow)
            else:
                sources[name] = self._parquet_source(relation)
        return sources, tuple(sorted(arrow))

    def _select_source(self, relation: Relation, relations: Mapping[str, Relation], arrow: set[str]) -> str:
        text = relation.select or ""
        others = {name: other for name, other in relations.items() if name != relation.name}
        tables = _tables(others)
        read = read_statement(text, tables, {}, allowed=frozenset(self._functions))
        results = {name: parse_type(function.result) for name, function in self._functions.items()}
        columns = annotate_types(read, text, tables, results)
        if list(columns) != list(relation.columns):
            raise QueryRefusedError(
                f"The relation {relation.name} declares {list(relation.columns)} and selects {list(columns)}."
            )
        sources, inner = self._sources(read.relations, others)
        arrow.update(inner)
        sql = write_duckdb(read.tree, sources)
        return f"({sql})" if inner else self._views.view((relation.name, sql), lambda: sql)

    def _parquet_source(self, relation: Relation) -> str:
        return self._views.view((relation.name, relation.version), lambda: _parquet_select(relation))

    def _plan_native(
        self, cursor: duckdb.DuckDBPyConnection, statement: str, relations: Mapping[str, Relation]
    ) -> Plan:
        used = check_native(cursor, statement, frozenset(relations), frozenset(self._functions))
        with self._lock:
            sources, arrow = self._sources(used, relations)
        self._register(cursor, arrow, relations)
        for name, source in sources.items():
            execute_sql(cursor, f"CREATE OR REPLACE TEMP VIEW {quote_name(name)} AS SELECT * FROM {source}")  # noqa: S608 - names quoted, sources compiled
        return Plan(statement, {}, ())

    def _register(
        self, cursor: duckdb.DuckDBPyConnection, names: Sequence[str], relations: Mapping[str, Relation]
    ) -> None:
        for name in names:
            made = relations[name].arrow
            if made is not None:
                cursor.register(_arrow_name(name), made())


def _tables(relations: Mapping[str, Relation]) -> dict[str, dict[str, Type]]:
    return {
        name: {column: parse_type(kind) for column, kind in relation.columns.items()}
        for name, relation in relations.items()
    }


def _arrow_name(name: str) -> str:
    return f"wb_arrow_{name}"


def _parquet_select(relation: Relation) -> str:
    """Return the SELECT over a relation's files; the lists are written by us from the snapshot, never by a user."""
    columns = ", ".join(quote_name(column) for column in relation.columns)
    parts = []
    for part in relation.parts:
        if part.files:
            files = ", ".join(quote_text(plain_path(file)) for file in part.files)
            source = f"SELECT {columns} FROM read_parquet([{files}], hive_partitioning = false)"  # noqa: S608 - quoted above
            parts.append(source if part.after is None else f"{source} WHERE position > {int(part.after)}")
    if parts:
        return " UNION ALL ".join(parts)
    typed = ", ".join(
        f"CAST(NULL AS {duckdb_type(parse_type(kind))}) AS {quote_name(column)}"
        for column, kind in relation.columns.items()
    )
    return f"SELECT {typed} WHERE false"


def _limit(tree: exp.Query, row_limit: int | None) -> None:
    """Ask the engine for one row more than allowed, so that it stops early and the excess is noticed."""
    if row_limit and tree.args.get("limit") is None and isinstance(tree, (exp.Select, exp.SetOperation)):
        tree.set("limit", exp.Limit(expression=exp.Literal.number(row_limit + 1)))


def _bound(sql: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of the parameters the SQL names: DuckDB refuses any other."""
    named = set(re.findall(r"\$(\w+)", sql))
    return {name: value for name, value in parameters.items() if name in named and value is not None}
