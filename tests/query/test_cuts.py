"""A statement reads only the files its conditions leave, and its answer is the same as over all of them."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.query.base import ArrowFunction, Part, Relation
from workbench.query.cuts import keep_files
from workbench.query.duckdb import plans
from workbench.query.duckdb.engine import DuckDBEngine

START = datetime(2026, 1, 1, tzinfo=UTC)
FILES, ROWS = 8, 10
VIEW = re.compile(r"wb_[0-9a-f]{24}(?=\W)")
COLUMNS = {
    "position": "bigint",
    "occurred_at": "timestamp(6) with time zone",
    "event_type": "varchar",
    "data": "varchar",
}


def hour(number: int) -> datetime:
    return START + timedelta(hours=number)


def micros(instant: datetime) -> int:
    return (instant - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Relation:
    """Eight files of ten events, an event an hour, with their bounds."""
    folder, files, bounds = tmp_path_factory.mktemp("log"), [], []
    for number in range(FILES):
        hours = range(number * ROWS, (number + 1) * ROWS)
        rows = {
            "position": pa.array(hours, pa.int64()),
            "occurred_at": pa.array([hour(each) for each in hours], pa.timestamp("us", tz="UTC")),
            "event_type": [f"T{each % 3}" for each in hours],
            "data": ["{}"] * ROWS,
        }
        files.append(str(folder / f"{number}.parquet"))
        pq.write_table(pa.table(rows), files[-1])
        times = (micros(hour(hours[0])), micros(hour(hours[-1])))
        bounds.append({"position": (hours[0], hours[-1]), "occurred_at": times})
    part = Part(files=tuple(files), bounds=tuple(bounds))
    return Relation(name="events_stored", columns=COLUMNS, version="1", parts=(part,))


def lift(types: pa.Array, payloads: pa.Array) -> pa.Array:
    del types
    return payloads


@pytest.fixture(scope="module")
def engine(stored: Relation) -> Iterator[DuckDBEngine]:
    functions = {"lift": ArrowFunction(call=lift, arguments=("varchar", "varchar"), result="varchar")}
    engine = DuckDBEngine([Path(stored.parts[0].files[0]).parent], functions=functions)
    yield engine
    engine.close()


def lifted(stored: Relation) -> dict[str, Relation]:
    select = "select position, occurred_at, event_type, lift(event_type, data) as data from events_stored"
    return {
        "events_stored": stored,
        "events": Relation(name="events", columns=COLUMNS, version="1", select=select),
    }


def files_read(engine: DuckDBEngine, statement: str, values: dict[str, object], relations: dict[str, Relation]) -> int:
    """Return how many files the views name that DuckDB would read, and those behind them."""
    text = engine.compile(statement, values, relations)
    views = dict(engine._connection.cursor().sql("select view_name, sql from duckdb_views()").fetchall())
    opened = [text]
    for each in opened:
        opened += [views[name] for name in VIEW.findall(each) if views[name] not in opened]
    paths = {file for part in relations["events_stored"].parts for file in part.files}
    return sum(any(path in each for each in opened) for path in paths)


@pytest.mark.parametrize(
    ("condition", "values", "files"),
    [
        ("occurred_at >= :a and occurred_at < :b", {"a": hour(25), "b": hour(30)}, 1),
        ("occurred_at >= :a and occurred_at < :b", {"a": hour(25), "b": hour(31)}, 2),
        (":a <= occurred_at and :b > occurred_at", {"a": hour(25), "b": hour(30)}, 1),
        ("position > :a", {"a": 69}, 1),
        ("position <= :a", {"a": 9}, 1),
        ("(position = :a)", {"a": 10}, 1),
        ("(position > :a and (event_type = :t and position <= :b))", {"a": 9, "b": 19, "t": "T1"}, 1),
        ("position > :a or event_type = :t", {"a": 69, "t": "T1"}, FILES),
        ("not position > :a", {"a": 69}, FILES),
        ("position + 0 > :a", {"a": 69}, FILES),
    ],
)
@pytest.mark.parametrize("name", ["events", "events_stored"])
def test_files_that_no_row_can_come_from_are_not_read(
    engine: DuckDBEngine, stored: Relation, name: str, condition: str, values: dict[str, object], files: int
) -> None:
    statement = f"select position, data from {name} where {condition} order by position"  # noqa: S608 - our own names
    whole = {name: Relation(name=name, columns=COLUMNS, version="2", parts=(Part(files=stored.parts[0].files),))}
    assert files_read(engine, statement, values, lifted(stored)) == files
    assert engine.query(statement, values, lifted(stored)).equals(engine.query(statement, values, whole))


@pytest.mark.parametrize(("listed", "views"), [(FILES, 0), (1, FILES // 2)])
@pytest.mark.parametrize("name", ["events", "events_stored"])
def test_only_a_window_of_many_files_makes_a_view_of_its_own(
    stored: Relation, monkeypatch: pytest.MonkeyPatch, name: str, listed: int, views: int
) -> None:
    monkeypatch.setattr(plans, "_LISTED", listed)
    functions = {"lift": ArrowFunction(call=lift, arguments=("varchar", "varchar"), result="varchar")}
    engine = DuckDBEngine([Path(stored.parts[0].files[0]).parent], functions=functions)
    for number in range(FILES // 2):
        window = {"a": hour(number * ROWS), "b": hour((number + 2) * ROWS)}
        statement = f"select count(*) as n from {name} where occurred_at >= :a and occurred_at < :b"  # noqa: S608 - our own names
        assert engine.query(statement, window, lifted(stored))["n"].to_list() == [2 * ROWS]
    found = engine._connection.cursor().sql("select sql from duckdb_views() where view_name like 'wb%'").fetchall()
    assert sum("read_parquet" in sql for (sql,) in found) == views
    engine.close()


def test_a_relation_named_twice_is_read_whole(engine: DuckDBEngine, stored: Relation) -> None:
    statement = (
        "select count(*) as n from events_stored where position > :a "
        "union all select count(*) as n from events_stored order by n"
    )
    assert engine.query(statement, {"a": 69}, {"events_stored": stored})["n"].to_list() == [10, 80]


def test_a_condition_on_the_other_side_of_a_join_leaves_every_row_it_should(
    engine: DuckDBEngine, stored: Relation
) -> None:
    statement = (
        "with few as (select position from events_stored where position < :a) "
        "select count(*) as n, count(few.position) as m from events left join few on few.position = events.position "
        "where events.occurred_at >= :b"
    )
    answer = engine.query(statement, {"a": 15, "b": hour(10)}, {**lifted(stored), "events_stored": stored})
    assert answer.rows() == [(70, 5)]


def test_no_file_at_all_is_an_empty_answer(engine: DuckDBEngine, stored: Relation) -> None:
    answer = engine.query("select * from events where position > :a", {"a": 1_000}, lifted(stored))
    assert answer.columns == list(COLUMNS)
    assert answer.is_empty()


def test_files_without_bounds_are_all_read(stored: Relation) -> None:
    part = Part(files=stored.parts[0].files)
    unbounded = Relation(name="events", columns=COLUMNS, version="1", parts=(part,))
    assert keep_files(unbounded, (), {}) is unbounded


@settings(max_examples=60, deadline=None)
@given(low=st.integers(-5, FILES * ROWS + 5), high=st.integers(-5, FILES * ROWS + 5), offset=st.integers(-1, 1))
def test_any_window_gives_the_rows_of_the_whole(
    engine: DuckDBEngine, stored: Relation, low: int, high: int, offset: int
) -> None:
    statement = "select position from events where occurred_at >= :a and occurred_at < :b order by position"
    values = {"a": hour(low) + timedelta(microseconds=offset), "b": hour(high)}
    found = engine.query(statement, values, lifted(stored))["position"].to_list()
    assert found == [number for number in range(FILES * ROWS) if values["a"] <= hour(number) < values["b"]]
