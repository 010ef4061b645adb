"""The embedded engine: what it reads, how it stops, and what reaches the caller."""

import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest

from tests.query.conftest import COLUMNS, write_events
from workbench.errors import QueryFailedError, QueryRefusedError, QueryTimeoutError, RowLimitError
from workbench.query.base import Part, Relation
from workbench.query.duckdb.engine import DuckDBEngine

ENDLESS = (
    "select count(*) as n from unnest(sequence(1, 100000)) as a(x) cross join unnest(sequence(1, 100000)) as b(y) "
    "where x * y = 7"
)
Ask = Callable[..., pl.DataFrame]


def test_the_parts_of_a_relation_are_read_once_each_after_their_position(ask: Ask) -> None:
    assert ask("select position from events_stored order by position")["position"].to_list() == list(range(10))


def test_times_arrive_as_microseconds_in_utc(ask: Ask) -> None:
    rows = ask("select occurred_at from events_stored order by position limit 1")
    assert rows.schema == {"occurred_at": pl.Datetime("us", "UTC")}
    assert rows["occurred_at"].to_list() == [datetime(2026, 1, 1, tzinfo=UTC)]


def test_an_empty_relation_has_its_columns_and_no_rows(ask: Ask) -> None:
    rows = ask("select * from quarantine")
    assert rows.schema == {"reason": pl.String, "at": pl.Datetime("us")}
    assert rows.height == 0


def test_a_select_relation_may_call_a_function_that_was_handed_in(ask: Ask) -> None:
    assert ask("select event_type from events where position = 1")["event_type"].to_list() == ["opened"]


def test_rows_made_in_process_join_with_rows_in_files(ask: Ask) -> None:
    assert ask("select * from noted order by position").rows() == [(1, "one"), (2, "two")]
    assert ask("select note from notes where position = 2").rows() == [("two",)]


def test_a_select_relation_whose_columns_differ_from_its_declaration_is_refused(engine: DuckDBEngine) -> None:
    wrong = Relation(name="wrong", columns={"a": "bigint"}, version="1", select="select 1 as b")
    with pytest.raises(QueryRefusedError, match=r"declares \['a'\] and selects \['b'\]"):
        engine.query("select * from wrong", {}, {"wrong": wrong})


def test_a_new_version_of_a_relation_is_seen(
    engine: DuckDBEngine, relations: dict[str, Relation], warehouse: Path
) -> None:
    count = "select count(*) as n from events"
    assert engine.query(count, {}, relations).item() == 10
    files = (write_events(warehouse / "third.parquet", range(20)),)
    stored = Relation(name="events_stored", columns=COLUMNS, version="2", parts=(Part(files=files),))
    newer = {**relations, "events_stored": stored}
    assert engine.query(count, {}, newer).item() == 20
    assert engine.query(count, {}, relations).item() == 10


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("o'clock; drop table events --", "o'clock; drop table events --"),
        (7, 7),
        (2.5, 2.5),
        (True, True),
        (None, None),
        (Decimal("1.50"), Decimal("1.50")),
        (datetime(2026, 1, 1, 12, tzinfo=UTC), datetime(2026, 1, 1, 12, tzinfo=UTC)),
        (date(2026, 1, 1), date(2026, 1, 1)),
        (["a", "b"], ["a", "b"]),
    ],
)
def test_a_parameter_is_a_value_and_never_sql(ask: Ask, value: object, expected: object) -> None:
    assert ask("select :value as v", {"value": value})["v"].to_list() == [expected]


def test_a_list_may_stand_after_in(ask: Ask) -> None:
    assert ask("select position from events_stored where position in (:p) order by 1", {"p": [1, 3]}).rows() == [
        (1,),
        (3,),
    ]
    assert ask("select position from events_stored where position in (:p)", {"p": []}).height == 0
    assert ask("select position from events_stored where position not in (:p)", {"p": [1, 3]}).height == 8


@pytest.mark.parametrize("value", [datetime(2026, 1, 1), object(), {"a": 1}, Decimal("NaN")])  # noqa: DTZ001 - on purpose
def test_a_value_that_has_no_type_is_refused_by_name(ask: Ask, value: object) -> None:
    with pytest.raises(QueryRefusedError, match=":value"):
        ask("select :value as v", {"value": value})


def test_an_answer_over_the_row_limit_returns_nothing(ask: Ask) -> None:
    with pytest.raises(RowLimitError, match="more than 3 rows"):
        ask("select * from events", row_limit=3)
    with pytest.raises(RowLimitError):
        ask("select * from events limit 4", row_limit=3)
    assert ask("select * from events limit 3", row_limit=3).height == 3
    assert ask("select * from events union all select * from events", row_limit=20).height == 20


def test_a_statement_over_the_time_limit_is_stopped(ask: Ask) -> None:
    with pytest.raises(QueryTimeoutError, match=r"0\.2 s"):
        ask(ENDLESS, time_limit=0.2)
    assert ask("select 1 as n", time_limit=60).item() == 1


def test_ctrl_c_stops_a_statement(ask: Ask) -> None:
    ask("select 1 as n")
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        ask(ENDLESS)
    assert ask("select 1 as n").item() == 1


def test_threads_ask_at_the_same_time_and_get_their_own_answers(ask: Ask) -> None:
    def one(number: int) -> int:
        return int(ask("select max(position) + :n as n from events", {"n": number}).item())

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(one, range(40))) == [9 + number for number in range(40)]


def test_a_file_outside_the_directories_is_not_read(engine: DuckDBEngine, tmp_path: Path) -> None:
    elsewhere = write_events(tmp_path / "elsewhere.parquet", range(2))
    stray = Relation(name="stray", columns=COLUMNS, version="1", parts=(Part(files=(elsewhere,)),))
    with pytest.raises(QueryFailedError):
        engine.query("select * from stray", {}, {"stray": stray})


def test_a_folder_whose_name_looks_like_a_pattern_is_read(tmp_path: Path) -> None:
    folder = tmp_path / "log[1] *?'x'"
    folder.mkdir()
    relation = Relation(
        name="r", columns=COLUMNS, version="1", parts=(Part(files=(write_events(folder / "a.parquet", range(3)),)),)
    )
    engine = DuckDBEngine([folder])
    assert engine.query("select count(*) as n from r", {}, {"r": relation}).item() == 3
    engine.close()


def test_envelope_filters_never_touch_payloads(engine: DuckDBEngine, relations: dict[str, Relation]) -> None:
    plan = engine.explain(
        "select event_type, count(*) as n from events where position > :p and occurred_at < :t group by event_type",
        {"p": 3, "t": datetime(2026, 1, 2, tzinfo=UTC)},
        relations,
    )
    assert "READ_PARQUET" in plan
    assert "position" in plan
    assert "data" not in plan


def test_a_filter_on_the_position_is_pushed_into_the_scan(engine: DuckDBEngine, relations: dict[str, Relation]) -> None:
    plan = engine.explain("select event_type from events_stored where position = 7", {}, relations)
    assert "Filters" in plan


def test_sums_of_doubles_do_not_depend_on_the_number_of_threads(warehouse: Path) -> None:
    numbers = pa.table({"x": pa.array([0.1 * (index % 977) + 1e9 * (index % 3) for index in range(300_000)])})
    relation = Relation(name="r", columns={"x": "double"}, version="1", arrow=lambda: numbers)
    answers = set()
    for threads in (1, 2, 4):
        engine = DuckDBEngine([warehouse], threads=threads)
        answers.add(engine.query("select sum(x) as s, avg(x) as a from r", {}, {"r": relation}).row(0))
        engine.close()
    total = 0.0
    for number in sorted(numbers["x"].to_pylist()):
        total += number
    assert answers == {(total, total / 300_000)}


def test_a_failed_statement_says_why_in_our_words(ask: Ask) -> None:
    with pytest.raises(QueryFailedError, match="Cannot cast 'x' to bigint") as raised:
        ask("select cast('x' as bigint) as v")
    assert raised.value.__cause__ is not None


def test_a_native_statement_may_use_what_only_duckdb_has(ask: Ask) -> None:
    assert ask("select * exclude (data, occurred_at) from events order by all limit 1", native=True).rows() == [
        (0, "closed")
    ]
    assert ask("select list_sum([x * 2 for x in [1, 2]])::bigint as s", native=True).item() == 6
    assert ask("from notes select max(position)::bigint as m", native=True).item() == 2
    assert ask("select $n + 1 as m", {"n": 1}, native=True).item() == 2


def test_columns_without_a_name_are_named_by_their_place(ask: Ask) -> None:
    assert ask("select 1, 'a' as b, cast('2' as bigint)").columns == ["_col0", "b", "_col2"]


def test_two_columns_of_one_name_are_refused(ask: Ask) -> None:
    with pytest.raises(QueryRefusedError, match="named 'position'"):
        ask("select a.position, b.position from events a join events b on a.position = b.position")


@pytest.mark.parametrize(
    ("statement", "word"),
    [
        ("select nope from events", "nope"),
        ("select * from nowhere", "nowhere"),
        ("select median(position) from events", "median"),
        ("select position\nfrom events\nwhere strange(position)", "line 3, column 7"),
        ("select approx_distinct(position) from events", "approximate"),
        ("select position from events where event_type = 3", "cannot be compared"),
        ("select position as a from events having a > 1", "a"),
    ],
)
def test_a_refusal_names_the_word_at_fault(ask: Ask, statement: str, word: str) -> None:
    with pytest.raises(QueryRefusedError, match=word):
        ask(statement)


@pytest.mark.parametrize(
    ("pattern", "is_tested_again"),
    [(r"\A-?(0|[1-9][0-9]{0,15})(\.[0-9]{1,2}0*)?\z", False), (r"\A[0-9eE+.-]*\z", True)],
)
def test_a_text_that_a_pattern_knows_for_a_number_is_not_tested_again(
    engine: DuckDBEngine, relations: dict[str, Relation], pattern: str, *, is_tested_again: bool
) -> None:
    number = "case when length(event_type) < 9 then try_cast(event_type as decimal(18,2)) end"
    value = f"case when regexp_like(event_type, '{pattern}') then {number} end"
    text = engine.compile(f"select {value} as value from events_stored", {}, relations)  # noqa: S608 - a pattern of this file
    assert ("wb_is_decimal_text" in text.lower()) is is_tested_again
