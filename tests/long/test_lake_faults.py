"""The faults of a shared catalog at full size: replies lost, parts killed and started again, many computers."""

import random
import secrets
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self

import pytest

from docker.packages.health import wait_until_healthy
from docker.packages.layout import Ports, Stack, find_free_ports, open_stack
from docker.packages.services import describe_services, start_service, stop_service
from tests.eventlog.logs import make_events
from tests.stack.conftest import drop_namespace
from tests.stack.proxy import Machine, Machines, Proxy, pass_all
from tests.stack.test_faults_commit import SIZE, append_batch, assert_holds, assert_verified, lose_at_random
from tests.stack.test_faults_gone import refusal
from tests.stack.test_faults_trino import ENDLESS, QUESTION, query_id
from tests.stack.test_faults_writers import write_in_bad_weather
from workbench.errors import EngineUnreachableError, QueryTimeoutError
from workbench.query.base import QueryProgress

pytestmark = [pytest.mark.long, pytest.mark.stack]


@pytest.mark.parametrize("seed", range(100, 200))
def test_replies_lost_at_random_between_two_computers_double_nothing(machines: Machines, seed: int) -> None:
    lose_at_random(machines, seed, appends=5)


@pytest.mark.parametrize("seed", range(100, 106))
def test_five_computers_that_write_at_once_with_connections_cut_lose_and_double_nothing(
    machines: Machines, seed: int
) -> None:
    write_in_bad_weather(machines, seed, writers=5, batches=10)


def start_part(stack: Stack, name: str) -> None:
    """Start one server of a stack and wait until it answers."""
    service = next(service for service in describe_services(stack) if service.name == name)
    start_service(stack, service)
    wait_until_healthy(stack, name, lambda _words: None)


class Killer:
    """Kills the catalog or the store of a stack of its own and starts it again, over and over.

    None is killed before some appends went through since the last time, or a busy machine would never come to an end.
    """

    def __init__(self, stack: Stack, seed: int, *, after: int) -> None:
        self._stack, self._after = stack, after
        self._chance = random.Random(seed)  # noqa: S311 - a seed repeats the choices
        self._told = threading.Semaphore(0)
        self._is_over = False
        self.is_up = threading.Event()
        self.is_up.set()
        self.killed: list[str] = []
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._is_over = True
        self.note(self._after)
        self._thread.join()

    def note(self, count: int = 1) -> None:
        """Note that so many appends were acknowledged."""
        self._told.release(count)

    def _run(self) -> None:
        while True:
            for _ in range(self._after):
                self._told.acquire()
            if self._is_over:
                return
            name = self._chance.choice(["catalog", "minio"])
            self.is_up.clear()
            stop_service(self._stack, name, kill=True)
            start_part(self._stack, name)
            self.killed.append(name)
            self.is_up.set()


@pytest.fixture
def storage(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A catalog and an object store of their own, which may be killed."""
    del stack  # where the shared one cannot run, this one need not try
    own = open_stack(tmp_path_factory.mktemp("storage"), Ports.parse("free"))
    try:
        for name in ("minio", "catalog"):
            start_part(own, name)
        yield own
    finally:
        for name in ("catalog", "minio"):
            stop_service(own, name, kill=True)


def test_a_catalog_and_a_store_that_are_killed_again_and_again_lose_nothing_that_was_acknowledged(
    storage: Stack, tmp_path: Path
) -> None:
    machines = Machines(storage, "killed", tmp_path)
    lake = [machines.add() for _ in range(3)]

    def write(number: int) -> dict[str, list[int]]:
        told = {}
        for at in range(15):
            receipt = append_batch(lake[number], at, name=f"w{number}-", wait=killer.is_up.wait)
            told[f"w{number}-{SIZE * at}"] = list(receipt.positions)
            killer.note()
        return told

    with Killer(storage, seed=1, after=4) as killer, ThreadPoolExecutor(3) as pool:
        receipts = {first: where for told in pool.map(write, range(3)) for first, where in told.items()}
    assert {"catalog", "minio"} <= set(killer.killed)
    assert_holds(machines, receipts)
    assert_verified(lake[0])
    machines.close()


class OwnTrino:
    """A Trino of the module's own over the shared catalog and store, which it reaches through proxies."""

    def __init__(self, shared: Stack, folder: Path) -> None:
        self.catalog, self.store = Proxy(shared.ports.catalog, pass_all), Proxy(shared.ports.minio)
        ports = Ports(trino=find_free_ports(1)[0], catalog=self.catalog.port, minio=self.store.port)
        self.stack = Stack(folder=folder, ports=ports, secrets=shared.secrets)

    def start(self) -> None:
        """Start it and wait until it answers, some 40 s."""
        start_part(self.stack, "trino")

    def kill(self) -> None:
        """End it with no word to anyone."""
        stop_service(self.stack, "trino", kill=True)


@pytest.fixture(scope="module")
def own_trino(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnTrino]:
    own = OwnTrino(stack, tmp_path_factory.mktemp("trino"))
    try:
        own.start()
        yield own
    finally:
        own.kill()
        own.catalog.refuse()
        own.store.refuse()


@pytest.fixture
def machine(stack: Stack, own_trino: OwnTrino, tmp_path: Path) -> Iterator[Machine]:
    """A computer whose Trino is the module's own, with nine events in its log."""
    machines = Machines(stack, f"t{secrets.token_hex(5)}", tmp_path)
    made = machines.add(engine="trino", variables={"TRINO_PORT": str(own_trino.stack.ports.trino)})
    made.session.append(make_events(0, 9, name="e-"))
    assert made.session.sql(QUESTION).item() == 9
    yield made
    machines.close()
    drop_namespace(machines.namespace)


def ask_count(machine: Machine) -> int:
    """Return how many events Trino sees."""
    return int(machine.session.sql(QUESTION).item())


def test_a_catalog_that_is_gone_behind_trino_is_named(machine: Machine, own_trino: OwnTrino) -> None:
    own_trino.catalog.refuse()
    error = refusal(ask_count, machine)
    assert isinstance(error, EngineUnreachableError)
    assert f"its catalog at {own_trino.catalog.address} cannot be reached or failed" in str(error)
    assert query_id(error)
    own_trino.catalog.serve()
    assert ask_count(machine) == 9


@pytest.mark.parametrize("status", [401, 403, 500])
def test_a_catalog_that_refuses_trino_is_named(machine: Machine, own_trino: OwnTrino, status: int) -> None:
    own_trino.catalog.judge = lambda _request: status
    said = "cannot be reached or failed" if status == 500 else "refuses the login that the server has for it"
    assert said in str(refusal(ask_count, machine))
    own_trino.catalog.judge = pass_all
    assert ask_count(machine) == 9


def test_an_object_store_that_is_gone_behind_trino_is_named(machine: Machine, own_trino: OwnTrino) -> None:
    machine.session.append(make_events(9, 3, name="e-"))
    own_trino.store.refuse()
    error = refusal(ask_count, machine)
    assert isinstance(error, EngineUnreachableError)
    assert f"its object store at 127.0.0.1:{own_trino.store.port} cannot be reached or failed" in str(error)
    own_trino.store.serve()
    assert ask_count(machine) == 12


def test_an_object_store_that_stands_still_behind_trino_ends_at_the_time_limit(
    machine: Machine, own_trino: OwnTrino
) -> None:
    machine.session.append(make_events(9, 3, name="e-"))
    own_trino.store.hold()
    with pytest.raises(QueryTimeoutError):
        machine.session.sql(QUESTION, time_limit=3)
    own_trino.store.release()
    assert ask_count(machine) == 12


def test_trino_killed_while_it_answers_is_named_and_asked_again_once_it_is_back(
    machine: Machine, own_trino: OwnTrino
) -> None:
    killed = threading.Event()

    def kill(progress: QueryProgress) -> None:
        if progress.state == "RUNNING" and not killed.is_set():
            killed.set()
            own_trino.kill()

    with pytest.raises(EngineUnreachableError, match="cannot be reached") as failure:
        machine.session.sql(ENDLESS, progress=kill, time_limit=120)
    assert killed.is_set()
    assert query_id(failure.value)
    assert isinstance(refusal(ask_count, machine), EngineUnreachableError)
    assert list(machine.session.append(make_events(9, 3, name="e-")).positions) == [9, 10, 11]
    own_trino.start()
    assert ask_count(machine) == 12
    assert_verified(machine)
