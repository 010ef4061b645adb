"""Trino asked for real: limits, cancelling, progress, spooled rows, instants, what errors say, native statements."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from docker.packages.layout import Stack
from tests.builders import build_events
from tests.stack.conftest import OpenLake
from tests.stack.proxy import Machines, Step
from workbench.config import TrinoSettings
from workbench.errors import (
    EngineUnreachableError,
    QueryFailedError,
    QueryRefusedError,
    QueryTimeoutError,
    RowLimitError,
)
from workbench.query.base import QueryProgress
from workbench.query.trino.access import open_server
from workbench.query.trino.engine import TrinoEngine
from workbench.session import Session

# Ten million rows out of nothing; Trino's sequence gives 10,000 at most.
MANY = "unnest(sequence(1, 10000)) as a(x) cross join unnest(sequence(1, 1000)) as b(y)"
ENDLESS = f"select count(*) as n from {MANY} cross join unnest(sequence(1, 10000)) as c(z) where x * y * z = 7"


def open_engine(stack: Stack, **settings: Any) -> TrinoEngine:
    given = {"host": "127.0.0.1", "port": stack.ports.trino, "user": "admin", "catalog": "lake", **settings}
    return TrinoEngine(open_server(TrinoSettings(**given)), "lake")


@pytest.fixture(scope="module")
def engine(stack: Stack) -> Iterator[TrinoEngine]:
    opened = open_engine(stack)
    yield opened
    opened.close()


Ask = Callable[..., pl.DataFrame]


@pytest.fixture
def ask(engine: TrinoEngine) -> Ask:
    """A function that asks a statement over no relations."""

    def run(statement: str, parameters: dict[str, Any] | None = None, **options: Any) -> pl.DataFrame:
        return engine.query(statement, parameters or {}, {}, **options)

    return run


def find_state(trino_as: Callable[[str], Any], query_id: str) -> str:
    """Return a query's state on the server, as soon as it has ended."""
    cursor = trino_as("admin").cursor()
    for _ in range(600):
        rows = cursor.execute("select state from system.runtime.queries where query_id = ?", [query_id]).fetchall()
        if rows and rows[0][0] in ("FINISHED", "FAILED", "CANCELED"):
            return str(rows[0][0])
        time.sleep(0.1)
    return "RUNNING"


def test_every_type_arrives_as_the_embedded_engine_gives_it(ask: Ask) -> None:
    row = ask(
        "select 1 as i, 1.50 as d, 1.5e0 as f, 'é😀' as s, to_utf8('é') as b, date '2026-01-31' as day, true as t, "
        "timestamp '2026-01-31 10:00:00.123456' as w, timestamp '2026-01-31 10:00:00.123456 UTC' as z, null as n, "
        "array[1, null] as a, map(array['k'], array[1]) as m, row(1, 'x') as r, json_parse('[1]') as j, "
        "1e0 / 0e0 as inf"
    )
    assert row.schema["z"] == pl.Datetime("us", "UTC")
    assert row.schema["d"] == pl.Decimal(3, 2)
    assert row.drop("m").row(0, named=True) == {
        "i": 1,
        "d": Decimal("1.50"),
        "f": 1.5,
        "s": "é😀",
        "b": "é".encode(),
        "day": datetime(2026, 1, 31, tzinfo=UTC).date(),
        "t": True,
        "w": datetime(2026, 1, 31, 10, 0, 0, 123456),  # noqa: DTZ001 - a wall clock's time
        "z": datetime(2026, 1, 31, 10, 0, 0, 123456, tzinfo=UTC),
        "n": None,
        "a": [1, None],
        "r": {"field0": 1, "field1": "x"},
        "j": "[1]",
        "inf": float("inf"),
    }


@pytest.mark.parametrize(
    "value",
    ["o'clock; drop table events --", 7, -7, 2.5, float("inf"), True, None, Decimal("1.50"), ["a", "b'"], [], "\\", ""],
)
def test_a_parameter_is_a_value_and_never_sql(ask: Ask, value: object) -> None:
    assert ask("select :value as v", {"value": value})["v"].to_list() == [value]


def test_a_time_is_bound_to_the_microsecond(ask: Ask) -> None:
    at = datetime(2026, 1, 31, 10, 0, 0, 123456, tzinfo=UTC)
    assert ask("select :at as v", {"at": at}).item() == at


def test_the_hour_that_comes_twice_is_told_apart(ask: Ask) -> None:
    """The protocol shows a time by its zone's clock: 02:30 in Berlin, twice that night."""
    rows = ask(
        "select at_timezone(t, 'Europe/Berlin') as v from (values timestamp '2026-10-25 00:30:00 UTC', "
        "timestamp '2026-10-25 01:30:00 UTC') as q(t) order by 1"
    )
    assert rows["v"].to_list() == [datetime(2026, 10, 25, hour, 30, tzinfo=UTC) for hour in (0, 1)]


@pytest.mark.parametrize("spooled", [True, False], ids=["spooled", "from the server"])
def test_many_rows_arrive_whole_and_in_order(stack: Stack, spooled: bool) -> None:  # noqa: FBT001 - a parameter
    engine = open_engine(stack, spooled=spooled)
    text = f"select x * 1000 + y as n, concat('row ', cast(x as varchar)) as s from {MANY} where x <= 200 order by 1"
    rows = engine.query(text, {}, {})
    assert rows["n"].to_list() == list(range(1001, 201_001))
    assert rows["s"].n_unique() == 200
    engine.close()


def test_an_answer_over_the_row_limit_stops_early(ask: Ask) -> None:
    with pytest.raises(RowLimitError, match="more than 1,000 rows"):
        ask(f"select x, y from {MANY}", row_limit=1_000)
    assert ask("select 1 as n union all select 2", row_limit=2).height == 2


def test_a_statement_over_the_time_limit_is_stopped_on_the_server(ask: Ask, trino_as: Callable[[str], Any]) -> None:
    with pytest.raises(QueryTimeoutError, match=r"longer than 2 s .*\(Trino query (\w+)\)") as raised:
        ask(ENDLESS, time_limit=2)
    assert find_state(trino_as, str(raised.value).split("Trino query ")[1].split(")")[0]) == "FAILED"


def test_ctrl_c_stops_a_statement_on_the_server(ask: Ask, trino_as: Callable[[str], Any]) -> None:
    seen: list[str] = []

    def interrupt(progress: QueryProgress) -> None:
        if progress.query_id and not seen:
            seen.append(progress.query_id)
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        ask(ENDLESS, progress=interrupt)
    assert find_state(trino_as, seen[0]) == "FAILED"
    assert ask("select 1 as n").item() == 1


def test_what_progress_raises_stops_the_statement(ask: Ask, trino_as: Callable[[str], Any]) -> None:
    told: list[QueryProgress] = []

    def look(progress: QueryProgress) -> None:
        told.append(progress)
        assert threading.current_thread() is threading.main_thread()
        if progress.splits_known:
            raise LookupError("enough")

    with pytest.raises(LookupError, match="enough"):
        ask(ENDLESS, progress=look)
    assert told[-1].query_id
    assert told[-1].seconds > 0
    assert find_state(trino_as, told[-1].query_id) == "FAILED"


def test_a_failure_names_the_query_and_the_reason(ask: Ask) -> None:
    with pytest.raises(QueryFailedError, match=r"Cannot cast 'x' to BIGINT.* \(Trino query \w+\)\.$"):
        ask("select cast('x' as bigint) as v")


def test_nobody_at_the_address_is_said_with_the_address(stack: Stack) -> None:
    del stack
    engine = TrinoEngine(open_server(TrinoSettings(host="127.0.0.1", port=1, catalog="lake")), "lake")
    with pytest.raises(EngineUnreachableError, match=r"Trino at http://127\.0\.0\.1:1 cannot be reached"):
        engine.query("select 1 as n", {}, {})
    engine.close()


def test_threads_ask_at_the_same_time_and_get_their_own_answers(ask: Ask) -> None:
    with ThreadPoolExecutor(6) as pool:
        answers = pool.map(lambda n: ask("select :n + 1 as v", {"n": n}).item(), range(18))
        assert list(answers) == [n + 1 for n in range(18)]


# On a log


@pytest.fixture
def session(open_lake: OpenLake) -> Session:
    made = open_lake(engine="trino")
    made.append(build_events(20))
    return made


def test_a_statement_reads_the_snapshot_it_was_given(session: Session) -> None:
    before = session.relations()
    session.append(build_events(5))
    count = "select count(*) as n from events"
    assert session.engine.query(count, {}, before).item() == 20
    assert session.sql(count).item() == 25


def test_compile_shows_tables_at_their_snapshot_and_bound_values(session: Session) -> None:
    text = session.engine.compile(  # type: ignore[attr-defined]  # an engine's own
        "select position from events where event_type = :t", {"t": "it's"}, session.relations()
    )
    assert f'."events" FOR VERSION AS OF {session.head().snapshot_id}' in text
    assert text.startswith("EXECUTE IMMEDIATE '")
    assert text.endswith("USING 'it''s'")


def test_explain_shows_what_a_filter_leaves_to_read(session: Session) -> None:
    plan = session.engine.explain("select data from events where position > :p", {"p": 18}, session.relations())  # type: ignore[attr-defined]  # an engine's own
    assert "position" in plan
    assert "TableScan" in plan or "ScanFilter" in plan


def test_a_native_statement_may_use_what_only_trino_has(session: Session) -> None:
    text = "select approx_distinct(stream_id) as n, max(position) as p from events where position < :p -- few"
    assert session.sql(text, {"p": 5}, native=True).row(0) == (1, 4)
    assert session.sql("with q as (select * from events) select count(*) as n from q;", native=True).item() == 20


@pytest.mark.parametrize(
    "statement",
    [
        "select * from lake.information_schema.tables",
        "select * from system.runtime.queries",
        "select * from table(system.query('select 1'))",
        'select * from "events$snapshots"',
        "select * from events for version as of 1",
        "delete from events",
        "select 1; select 2",
        "with events as (select 1 as n) select * from events",
        "show tables",
        "explain select 1",
        "insert into events select * from events",
        "select :nothing",
    ],
)
def test_a_native_statement_that_is_no_select_over_the_session_is_refused(session: Session, statement: str) -> None:
    with pytest.raises(QueryRefusedError):
        session.sql(statement, native=True)


def test_dbapi_and_tail_work_as_embedded(session: Session) -> None:
    with session.dbapi() as connection:
        cursor = connection.cursor().execute("select count(*) as n from events where position < ?", [7])
        assert cursor.fetchone() == (7,)
    assert [batch.height for batch in session.tail(after=11, batch=5)] == [5, 3]


def test_a_log_without_events_answers(open_lake: OpenLake) -> None:
    empty = open_lake(engine="trino")
    assert empty.events().height == 0
    assert empty.sql("select count(*) as n, max(position) as p from events").row(0) == (0, None)
    assert empty.sql("select * from quarantine").height == 0


def test_the_page_is_asked_for_again_when_its_reply_is_lost(machines: Machines) -> None:
    machine = machines.add(engine="trino")
    machine.session.append(build_events(3))
    lost: Iterator[Step] = iter(["after", "after", 503])
    machine.trino.judge = lambda request: next(lost, "pass") if request.method == "GET" else "pass"
    assert machine.session.sql("select count(*) as n from events").item() == 3
    assert [step for method, _, step in machine.trino.seen if method == "GET"][:3] == ["after", "after", 503]


def test_a_statement_whose_reply_is_lost_is_not_sent_again(machines: Machines) -> None:
    machine = machines.add(engine="trino")
    machine.session.append(build_events(3))
    machine.trino.seen.clear()
    machine.trino.judge = lambda request: "after" if request.method == "POST" else "pass"
    with pytest.raises(EngineUnreachableError, match="cannot be reached"):
        machine.session.sql("select count(*) as n from events")
    assert [method for method, _, _ in machine.trino.seen].count("POST") == 1
