"""The DB-API connection: PEP 249 for readers, and marimo's SQL cells over it."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import marimo
import polars as pl
import pytest

from workbench.errors import ArgumentError, QueryRefusedError
from workbench.query.dbapi import Connection, open_dbapi

Ask = Callable[..., pl.DataFrame]


@pytest.fixture
def connection(ask: Ask) -> Connection:
    def run(statement: str, parameters: Mapping[str, Any]) -> pl.DataFrame:
        return ask(statement, parameters)

    return open_dbapi(run)


def test_rows_are_fetched_one_many_and_all(connection: Connection) -> None:
    cursor = connection.cursor().execute("select position from events order by position")
    assert cursor.rowcount == 10
    assert cursor.fetchone() == (0,)
    assert cursor.fetchmany() == [(1,)]
    assert cursor.fetchmany(3) == [(2,), (3,), (4,)]
    assert cursor.fetchall() == [(number,) for number in range(5, 10)]
    assert cursor.fetchone() is None
    assert cursor.fetchmany(2) == []


def test_many_rows_leave_none_behind(connection: Connection) -> None:
    cursor = connection.cursor().execute("select position from events order by position")
    seen = []
    while rows := cursor.fetchmany(4):
        seen.extend(rows)
    assert seen == [(number,) for number in range(10)]


def test_a_cursor_describes_its_columns(connection: Connection) -> None:
    cursor = connection.cursor().execute("select position as p, event_type as t from events limit 1")
    assert cursor.description is not None
    assert [column[:2] for column in cursor.description] == [("p", "Int64"), ("t", "String")]
    assert all(len(column) == 7 for column in cursor.description)


def test_a_cursor_is_iterated(connection: Connection) -> None:
    cursor = connection.cursor().execute("select position from events where position < 2 order by 1")
    assert list(cursor) == [(0,), (1,)]


def test_parameters_are_bound_by_name_and_by_place(connection: Connection) -> None:
    cursor = connection.cursor()
    named = "select position from events where event_type = :kind and position > :after order by 1"
    assert cursor.execute(named, {"kind": "opened", "after": 6}).fetchall() == [(7,), (9,)]
    marks = "select position, '?' as mark from events where event_type = ? and position > ? order by 1 -- ?"
    assert cursor.execute(marks, ("opened", 6)).fetchall() == [(7, "?"), (9, "?")]
    assert cursor.execute("select ? as v", ["'; drop table events"]).fetchall() == [("'; drop table events",)]


@pytest.mark.parametrize("values", [(), (1,), (1, 2, 3)])
def test_a_wrong_number_of_values_is_refused(connection: Connection, values: tuple[int, ...]) -> None:
    with pytest.raises((ArgumentError, QueryRefusedError)):
        connection.cursor().execute("select ? as a, ? as b", values)


def test_a_text_is_no_sequence_of_values(connection: Connection) -> None:
    with pytest.raises(ArgumentError):
        connection.cursor().execute("select ? as a", "x")


def test_commit_and_rollback_do_nothing(connection: Connection) -> None:
    connection.commit()
    connection.rollback()
    assert connection.dialect == "trino"


def test_a_closed_connection_and_a_closed_cursor_refuse(connection: Connection) -> None:
    cursor = connection.cursor()
    cursor.close()
    with pytest.raises(QueryRefusedError, match="cursor is closed"):
        cursor.execute("select 1 as n")
    with connection:
        pass
    for use in (connection.cursor, connection.commit, connection.rollback):
        with pytest.raises(QueryRefusedError, match="connection is closed"):
            use()


def test_fetching_before_executing_and_writing_are_refused(connection: Connection) -> None:
    cursor = connection.cursor()
    cursor.setinputsizes([1])
    cursor.setoutputsize(1)
    with pytest.raises(QueryRefusedError, match="execute a SELECT first"):
        cursor.fetchall()
    with pytest.raises(QueryRefusedError, match="only read"):
        cursor.executemany("insert into events values (?)", [(1,)])
    with pytest.raises(QueryRefusedError):
        cursor.execute("delete from events")
    with pytest.raises(QueryRefusedError):
        cursor.execute("select '", (1,))


NOTEBOOK = '''
import marimo

app = marimo.App()


@app.cell
def _():
    import marimo as mo
    from workbench.query.base import Part, Relation
    from workbench.query.dbapi import open_dbapi
    from workbench.query.duckdb.engine import DuckDBEngine

    engine = DuckDBEngine([{folder!r}])
    stored = Relation(
        name="events",
        columns={{"position": "bigint", "event_type": "varchar"}},
        version="1",
        parts=(Part(files=({file!r},)),),
    )
    log = open_dbapi(lambda statement, values: engine.query(statement, values, {{"events": stored}}))
    return log, mo


@app.cell
def _(log, mo):
    counts = mo.sql(
        """
        select event_type, count(*) as n from events group by event_type order by event_type
        """,
        engine=log,
        output=False,
    )
    return (counts,)


@app.cell
def _(log, mo):
    try:
        mo.sql("select * from read_text('/etc/hostname')", engine=log, output=False)
        refused = None
    except Exception as error:
        refused = str(error)
    return (refused,)


if __name__ == "__main__":
    app.run()
'''


def test_a_marimo_sql_cell_asks_the_log(warehouse: Path, tmp_path: Path, relations: object) -> None:
    del relations  # it writes the files
    notebook = tmp_path / "asks.py"
    text = NOTEBOOK.format(folder=str(warehouse), file=str(warehouse / "first.parquet"))
    notebook.write_text(text, encoding="utf-8")
    names: dict[str, Any] = {}
    exec(compile(text, str(notebook), "exec"), {"__name__": "asks", "__file__": str(notebook)}, names)  # noqa: S102 - our own text, run as marimo would
    assert isinstance(names["app"], marimo.App)
    _, defined = names["app"].run()
    assert defined["counts"].rows() == [("Closed", 3), ("Opened", 3)]
    assert "read_text" in defined["refused"]
