"""Trino slow, cut off or started anew while it answers: the right rows or one clear error, nothing left running."""

import itertools
import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.eventlog.logs import make_events
from tests.stack.proxy import Machine, Machines, Request, Step, pass_all
from tests.stack.test_faults_commit import Weather, assert_holds
from workbench.errors import CommitUnknownError, EngineUnreachableError, QueryTimeoutError, StorageError
from workbench.query.base import QueryProgress

QUESTION = "select count(*) as n from events"
ROWS = "select e.position, s.x from events e cross join unnest(sequence(1, 400)) as s(x) order by e.position, s.x"
# Nine hundred million products: minutes on any machine.
ENDLESS = (
    "select sum(s.x * u.y) as n from events e cross join unnest(sequence(1, 10000)) as s(x) "
    "cross join unnest(sequence(1, 10000)) as u(y)"
)
LOOKS = 200


@pytest.fixture
def machine(machines: Machines) -> Machine:
    """A computer that asks Trino, and nine events in the log."""
    made = machines.add(engine="trino")
    made.session.append(make_events(0, 9, name="e-"))
    return made


def query_id(error: BaseException) -> str:
    """Return the id of the statement on the server that a message names."""
    found = re.search(r"\(Trino query (\w+)\)", str(error))
    assert found is not None, str(error)
    return found[1]


def end_of(trino_as: Callable[[str], Any], which: str) -> tuple[str, str]:
    """Return how a statement ended on the server: its state and its error."""
    cursor = trino_as("admin").cursor()
    question = "SELECT state, error_code FROM system.runtime.queries WHERE query_id = ?"
    for _ in range(LOOKS):
        rows = cursor.execute(question, (which,)).fetchall()
        if rows and rows[0][0] in ("FAILED", "FINISHED"):
            return (rows[0][0], rows[0][1])
    raise AssertionError(f"{which} has not ended: {rows}")


def test_a_statement_over_its_time_limit_is_stopped_on_the_server(
    machine: Machine, trino_as: Callable[[str], Any]
) -> None:
    with pytest.raises(QueryTimeoutError, match="longer than 1 s and was stopped") as failure:
        machine.session.sql(ENDLESS, time_limit=1)
    assert end_of(trino_as, query_id(failure.value)) == ("FAILED", "USER_CANCELED")
    assert machine.session.sql(QUESTION).item() == 9


def test_a_server_that_answers_too_slowly_is_stopped_at_the_time_limit_too(
    machine: Machine, trino_as: Callable[[str], Any]
) -> None:
    machine.trino.judge = lambda request: "late" if "/executing/" in request.path else "pass"
    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(machine.session.sql, ENDLESS, time_limit=2)
        # Even the request to stop it gets no answer: that is not waited for a minute.
        with pytest.raises(QueryTimeoutError) as failure:
            asking.result(timeout=30)
    assert end_of(trino_as, query_id(failure.value)) == ("FAILED", "USER_CANCELED")
    machine.trino.judge = pass_all
    machine.trino.release()
    assert machine.session.sql(QUESTION).item() == 9


def test_a_statement_whose_first_answer_comes_too_late_is_stopped_when_it_comes(machine: Machine) -> None:
    stopped = threading.Event()

    def answer_late(request: Request) -> Step:
        if request.method == "DELETE":
            stopped.set()
        return "late" if request.method == "POST" else "pass"

    machine.trino.judge = answer_late
    with pytest.raises(QueryTimeoutError):
        machine.session.sql(ENDLESS, time_limit=0.5)
    machine.trino.release()
    assert stopped.wait(30)
    machine.trino.judge = pass_all
    assert machine.session.sql(QUESTION).item() == 9


@pytest.mark.parametrize("seed", range(4))
def test_pages_lost_at_random_are_asked_for_again_and_the_rows_are_the_same(machine: Machine, seed: int) -> None:
    expected = machine.session.sql(ROWS)
    weather = Weather(seed, others=0.4)
    machine.trino.judge = lambda request: weather(request) if request.method == "GET" else "pass"
    answer = machine.session.sql(ROWS)
    assert answer.equals(expected)
    assert answer.height == 9 * 400


@pytest.mark.parametrize("step", ["before", "after", "middle"])
def test_a_statement_of_which_nobody_knows_whether_it_arrived_is_not_sent_twice(machine: Machine, step: str) -> None:
    steps: list[Step] = [step]
    machine.trino.judge = lambda request: steps.pop() if steps and request.method == "POST" else "pass"
    with pytest.raises(EngineUnreachableError, match="the connection broke") as failure:
        machine.session.sql(QUESTION)
    assert machine.trino.address in str(failure.value)
    assert [method for method, _, _ in machine.trino.seen].count("POST") == 1
    assert machine.session.sql(QUESTION).item() == 9


@pytest.mark.parametrize("status", [404, 410])
def test_a_server_that_was_started_anew_knows_the_statement_no_longer_and_is_asked_again(
    machine: Machine, status: int
) -> None:
    machine.trino.judge = lambda request: status if request.method == "GET" else "pass"
    with pytest.raises(EngineUnreachableError, match=r"started anew meanwhile\. Ask again") as failure:
        machine.session.sql(QUESTION)
    assert query_id(failure.value)
    machine.trino.judge = pass_all
    assert machine.session.sql(QUESTION).item() == 9


def test_trino_that_goes_while_it_answers_is_named_with_the_query(machine: Machine) -> None:
    def go(progress: QueryProgress) -> None:
        if progress.state == "RUNNING":
            machine.trino.refuse()

    with pytest.raises(EngineUnreachableError, match="cannot be reached: the connection is refused") as failure:
        machine.session.sql(ENDLESS, progress=go, time_limit=60)
    assert machine.trino.address in str(failure.value)
    assert query_id(failure.value)
    machine.trino.serve()
    assert machine.session.sql(QUESTION).item() == 9


def test_a_connection_cut_now_and_then_while_trino_answers_changes_nothing(machine: Machine) -> None:
    expected = machine.session.sql(ROWS)
    looks = itertools.count()

    def cut(progress: QueryProgress) -> None:
        # Before it has an id nobody knows whether the statement arrived, and it may not be sent again.
        if progress.query_id and next(looks) % 4 == 0:
            machine.trino.cut()

    assert machine.session.sql(ROWS, progress=cut).equals(expected)


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_gateway_before_trino_is_waited_for(machine: Machine, status: int) -> None:
    steps: list[Step] = ["pass", status, status] * 3
    machine.trino.judge = lambda _request: steps.pop() if steps else "pass"
    assert machine.session.sql(QUESTION).item() == 9


def test_a_slow_catalog_is_waited_for_and_an_append_goes_through_once(machines: Machines) -> None:
    machine = machines.add()
    machine.catalog.judge = lambda _request: 0.4
    receipt = machine.session.append(make_events(0, 3, name="e-"))
    assert_holds(machines, {"e-0": receipt.positions})


def test_a_catalog_that_answers_no_more_is_given_up_at_its_time_limit(machines: Machines) -> None:
    machine = machines.add(variables={"PYICEBERG_CATALOG__LAKE__WORKBENCH__TIMEOUT": "1"})
    machine.session.append(make_events(0, 9, name="e-"))
    machine.catalog.judge = lambda _request: "hold"
    with pytest.raises(StorageError, match="does not answer in time"):
        machine.session.head()
    machine.catalog.judge = lambda request: "late" if request.is_commit else "pass"
    taken = machine.session.append(make_events(9, 3, name="e-"))
    machine.catalog.judge = lambda request: "hold" if request.is_commit else "pass"
    with pytest.raises(CommitUnknownError, match="does not answer in time"):
        machine.session.append(make_events(12, 3, name="e-"))
    machine.catalog.judge = pass_all
    again = machine.session.append(make_events(12, 3, name="e-"))
    machine.catalog.release()
    assert [*taken.positions, *again.positions] == [9, 10, 11, 12, 13, 14]
    assert_holds(machines, {"e-0": range(15)})


def test_a_store_that_answers_slowly_is_waited_for(machines: Machines) -> None:
    machine = machines.add()
    machine.store.pause = 0.05
    receipt = machine.session.append(make_events(0, 3, name="e-"))
    assert machine.session.sql(QUESTION).item() == 3
    assert_holds(machines, {"e-0": receipt.positions})
