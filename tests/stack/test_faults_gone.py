"""Parts that are gone or let nobody in: the error names the part and what to do, and the session goes on after it."""

import traceback
from collections.abc import Callable
from typing import Any

import pytest

from tests.eventlog.logs import make_events
from tests.stack.proxy import Machine, Machines
from tests.stack.test_faults_commit import Plan, assert_holds, assert_verified
from workbench.errors import (
    CommitUnknownError,
    EngineUnreachableError,
    QueryFailedError,
    StorageError,
    WorkbenchError,
)

CATALOG = "PYICEBERG_CATALOG__LAKE__"
SECRET = "not-to-be-seen-3f9c"  # noqa: S105 - a word to look for in messages
QUESTION = "select count(*) as n from events"
Ask = Callable[[Machine], Any]
# What a driver says, and a person need not read.
DRIVERS = ("HTTPConnectionPool", "Max retries", "curlCode", "Traceback", "object at 0x", "Errno")

ASKED: dict[str, Ask] = {
    "append": lambda machine: machine.session.append(make_events(9, 3, name="e-")),
    "head": lambda machine: machine.session.head(),
    "sql": lambda machine: machine.session.sql(QUESTION),
    "events": lambda machine: machine.session.events(limit=3),
    "tail": lambda machine: list(machine.session.tail()),
    "quarantine": lambda machine: machine.session.quarantine(),
    "verify": lambda machine: machine.session.verify(),
    "doctor": lambda machine: machine.session.doctor(),
    "basis": lambda machine: machine.session.basis(),
}


def refusal(ask: Ask, machine: Machine) -> WorkbenchError:
    """Return the one error a question ends in, seen to speak in our words and to hold no secret anywhere."""
    with pytest.raises(WorkbenchError) as failure:
        ask(machine)
    message = str(failure.value)
    assert not [words for words in DRIVERS if words in message], message
    assert SECRET not in "".join(traceback.format_exception(failure.value))
    return failure.value


@pytest.mark.parametrize("engine", ["duckdb", "trino"])
def test_a_catalog_that_is_gone_is_named_by_every_question_and_asked_again_when_it_is_back(
    machines: Machines, engine: str
) -> None:
    machine = machines.add(engine=engine)
    machine.session.append(make_events(0, 9, name="e-"))
    machine.catalog.refuse()
    for name, ask in ASKED.items():
        error = refusal(ask, machine)
        assert isinstance(error, StorageError), name
        assert f"the catalog at {machine.catalog.address} cannot be reached" in str(error)
        assert str(error).endswith("when it is back.")
    machine.catalog.serve()
    assert machine.session.sql(QUESTION).item() == 9
    receipt = machine.session.append(make_events(6, 6, name="e-"))
    assert (list(receipt.positions), receipt.duplicate_count) == ([6, 7, 8, 9, 10, 11], 3)
    assert_holds(machines, {"e-0": range(12)})
    assert_verified(machine)


@pytest.mark.parametrize(
    ("engine", "names"), [("duckdb", ["append", "sql", "verify"]), ("trino", ["append", "verify"])]
)
def test_an_object_store_that_is_gone_is_named_and_nothing_of_a_batch_is_in_the_log(
    machines: Machines, engine: str, names: list[str]
) -> None:
    machine = machines.add(engine=engine)
    machine.session.append(make_events(0, 9, name="e-"))
    machine.store.refuse()
    for name in names:
        error = refusal(ASKED[name], machine)
        assert f"the object store at {machine.store.address} cannot be reached" in str(error)
    assert_holds(machines, {"e-0": range(9)})
    machine.store.serve()
    assert list(machine.session.append(make_events(9, 3, name="e-")).positions) == [9, 10, 11]
    assert machine.session.sql(QUESTION).item() == 12
    assert_holds(machines, {"e-0": range(12)})
    assert_verified(machine)


def test_an_object_store_that_goes_while_manifests_are_written_leaves_the_log_as_it_was(machines: Machines) -> None:
    machine = machines.add()
    first = machine.session.append(make_events(0, 3, name="e-"))
    machine.store.refuse()
    error = refusal(ASKED["append"], machine)
    assert "Nothing of the batch is in the log" in str(error)
    machine.store.serve()
    machine.catalog.judge = Plan(["before"])
    again = machine.session.append(make_events(9, 3, name="e-"))
    assert_holds(machines, {"e-0": first.positions, "e-9": again.positions})


def test_trino_that_is_gone_is_named_while_appends_go_on(machines: Machines) -> None:
    machine = machines.add(engine="trino")
    machine.session.append(make_events(0, 9, name="e-"))
    machine.trino.refuse()
    error = refusal(ASKED["sql"], machine)
    assert isinstance(error, EngineUnreachableError)
    assert f"Trino at {machine.trino.address} cannot be reached" in str(error)
    assert list(machine.session.append(make_events(9, 3, name="e-")).positions) == [9, 10, 11]
    machine.trino.serve()
    assert machine.session.sql(QUESTION).item() == 12
    assert_verified(machine)


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({f"{CATALOG}URI": f"http://me:{SECRET}@127.0.0.1:1"}, "the catalog at http://127.0.0.1:1 cannot be reached"),
        ({f"{CATALOG}URI": "http://nowhere.invalid:81"}, "the catalog at http://nowhere.invalid:81 cannot be reached"),
    ],
    ids=["password-in-the-address", "no-such-host"],
)
def test_a_catalog_that_is_not_there_when_a_log_is_opened_is_named_without_the_password_in_its_address(
    machines: Machines, variables: dict[str, str], words: str
) -> None:
    error = refusal(lambda _: machines.add(variables=variables), None)  # type: ignore[arg-type]  # there is none yet
    assert isinstance(error, StorageError)
    assert words in str(error)


@pytest.mark.parametrize("wrong", ["S3__SECRET_ACCESS_KEY", "S3__ACCESS_KEY_ID"])
def test_wrong_keys_of_the_object_store_are_named_and_shown_nowhere(machines: Machines, wrong: str) -> None:
    machines.add().session.append(make_events(0, 9, name="e-"))
    machine = machines.add(variables={f"{CATALOG}{wrong}": SECRET})
    for name in ("append", "sql", "verify"):
        error = refusal(ASKED[name], machine)
        assert f"the object store at {machine.store.address} refuses these keys" in str(error)
        assert "check s3.access-key-id and s3.secret-access-key" in str(error)
    assert not [shown for shown in shown_by(machine) if SECRET in shown]
    assert_holds(machines, {"e-0": range(9)})


@pytest.mark.parametrize("status", [401, 403])
def test_a_token_the_catalog_refuses_is_named_and_shown_nowhere(machines: Machines, status: int) -> None:
    machine = machines.add(variables={f"{CATALOG}TOKEN": SECRET})
    machine.session.append(make_events(0, 9, name="e-"))
    machine.catalog.judge = lambda _request: status
    for ask in ASKED.values():
        error = refusal(ask, machine)
        said = {401: "refuses this login", 403: "forbids it to this login"}[status]
        assert f"the catalog at {machine.catalog.address} {said}" in str(error)
        assert "check the catalog's token, credential or certificate" in str(error)
    assert not [shown for shown in shown_by(machine) if SECRET in shown]
    machine.catalog.judge = Plan([])
    assert list(machine.session.append(make_events(9, 3, name="e-")).positions) == [9, 10, 11]
    assert_holds(machines, {"e-0": range(12)})


@pytest.mark.parametrize("status", [401, 403])
def test_a_login_refused_in_the_very_commit_is_no_unknown_outcome(machines: Machines, status: int) -> None:
    machine = machines.add()
    machine.session.append(make_events(0, 9, name="e-"))
    machine.catalog.judge = lambda request: status if request.is_commit else "pass"
    error = refusal(ASKED["append"], machine)
    assert isinstance(error, StorageError)
    assert "Nothing of the batch is in the log" in str(error)
    assert_holds(machines, {"e-0": range(9)})


@pytest.mark.parametrize("status", [500, 503])
def test_a_server_error_in_the_very_commit_is_looked_into_and_tried_again(machines: Machines, status: int) -> None:
    machine = machines.add()
    machine.catalog.judge = Plan([status, status])
    assert list(machine.session.append(make_events(0, 9, name="e-")).positions) == list(range(9))
    machine.catalog.judge = lambda request: status if request.is_commit else "pass"
    error = refusal(ASKED["append"], machine)
    assert isinstance(error, CommitUnknownError)
    assert machine.catalog.address in str(error)
    assert_holds(machines, {"e-0": range(9)})


@pytest.mark.parametrize("status", [401, 403])
def test_a_login_trino_refuses_is_named(machines: Machines, status: int) -> None:
    machine = machines.add(engine="trino")
    machine.session.append(make_events(0, 9, name="e-"))
    machine.trino.judge = lambda _request: status
    error = refusal(ASKED["sql"], machine)
    assert isinstance(error, QueryFailedError)
    assert f"Trino at {machine.trino.address} refuses the credentials ({status})" in str(error)
    machine.trino.judge = Plan([])
    assert machine.session.sql(QUESTION).item() == 9


def test_a_user_whom_trino_s_rules_do_not_know_is_refused_with_the_query_s_id(machines: Machines) -> None:
    machine = machines.add(engine="trino", variables={"TRINO_USER": "nobody-here"})
    machine.session.append(make_events(0, 9, name="e-"))
    error = refusal(ASKED["sql"], machine)
    assert isinstance(error, QueryFailedError)
    assert "Access Denied" in str(error)
    assert "(Trino query " in str(error)


def test_two_parts_swapped_are_told_apart(machines: Machines) -> None:
    stack = machines.stack
    error = refusal(lambda _: machines.add(variables={f"{CATALOG}URI": stack.s3_url}), None)  # type: ignore[arg-type]  # there is none yet
    assert f"the catalog at {stack.s3_url} gave no proper answer" in str(error)
    machine = machines.add(engine="trino", variables={"TRINO_PORT": str(stack.ports.catalog)})
    assert f"Trino at {stack.catalog_url} answers 400" in str(refusal(ASKED["sql"], machine))


def shown_by(machine: Machine) -> list[str]:
    """Return what a session and its parts show of themselves."""
    parts = (machine.session, machine.session.settings, machine.session.engine, machine.log, machine.log._store)
    return [shown for part in parts for shown in (repr(part), str(part))]
