"""The running stack, and for every test a log of its own in it."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import msgspec
import pytest

from docker.packages.commands import is_ready, start_stack
from docker.packages.layout import Ports, Stack, UnavailableError, cache_folder, default_folder, open_stack
from docker.packages.services import NAMES, stop_service
from tests.stack.proxy import Machines, load_lake
from workbench.config import Settings, load_settings
from workbench.eventlog import NativeLog
from workbench.session import Session, open_session


class MakeSettings(Protocol):
    """Settings of a log in the catalog lake: by default in the test's own namespace."""

    def __call__(self, named: str | None = None, /, *, engine: str | None = None, **log: Any) -> Settings: ...


class OpenLake(Protocol):
    """A session on such a log, closed with the test."""

    def __call__(self, named: str | None = None, /, *, engine: str | None = None, **log: Any) -> Session: ...


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.stack)


def start_or_skip(stack: Stack) -> Stack:
    """Start a stack, or skip, saying so, where its parts cannot be had."""
    said: list[str] = []
    try:
        start_stack(stack, said.append)
    except UnavailableError as error:
        pytest.skip(f"STACK NOT TESTED: {error}")
    return stack


def stop_all(stack: Stack) -> None:
    for name in reversed(NAMES):
        stop_service(stack, name)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The running stack, its variables in the environment; started for the session when none runs."""
    cache_folder()
    found = open_stack() if (default_folder() / "stack.json").is_file() else None
    started = None
    if found is None or not is_ready(found):
        folder = tmp_path_factory.mktemp("stack")
        found = started = open_stack(folder, Ports.parse("free"))
    try:
        if started is not None:
            start_or_skip(started)
        with pytest.MonkeyPatch.context() as patch:
            for name, value in found.client_variables().items():
                patch.setenv(name, value)
            # What a machine caches of a lake is this test run's own; the stack's parts are everybody's.
            patch.setenv("STACK_CACHE", str(cache_folder()))
            patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
            yield found
    finally:
        if started is not None:
            stop_all(started)


@pytest.fixture(scope="module")
def own_stack(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A second stack on ports of its own, whose parts a module may kill; about 40 s to start."""
    del stack  # where the shared one cannot run, this one need not try
    other = replace(open_stack(tmp_path_factory.mktemp("own-stack"), Ports.parse("free")), is_brief=True)
    try:
        yield start_or_skip(other)
    finally:
        stop_all(other)


@pytest.fixture
def namespace() -> str:
    """A namespace no other test has."""
    return f"t{secrets.token_hex(5)}"


@pytest.fixture
def lake_settings(stack: Stack, namespace: str) -> Iterator[MakeSettings]:
    """A maker of settings; the namespaces it named are dropped from the catalog after the test."""
    del stack
    used: set[str] = set()

    def make(named: str | None = None, /, *, engine: str | None = None, **log: Any) -> Settings:
        settings = load_settings("lake", engine=engine)
        used.add(named or namespace)
        return msgspec.structs.replace(
            settings, log=msgspec.structs.replace(settings.log, namespace=named or namespace, **log)
        )

    yield make
    for name in used:
        drop_namespace(name)


@pytest.fixture
def open_lake(lake_settings: MakeSettings) -> Iterator[OpenLake]:
    """A maker of sessions, on the test's own log unless a namespace is named."""
    opened: list[Session] = []

    def open_one(named: str | None = None, /, *, engine: str | None = None, **log: Any) -> Session:
        session = open_session(lake_settings(named, engine=engine, **log))
        opened.append(session)
        return session

    yield open_one
    for session in opened:
        session.close()


@pytest.fixture
def trino_as(stack: Stack) -> Iterator[Callable[[str], Any]]:
    """A maker of the Trino driver's own connections, by user."""
    from trino.dbapi import connect

    opened = []

    def open_one(user: str) -> Any:
        opened.append(connect(host="127.0.0.1", port=stack.ports.trino, user=user, catalog="lake"))  # type: ignore[no-untyped-call]  # the driver has no types
        return opened[-1]

    yield open_one
    for connection in opened:
        connection.close()


@pytest.fixture
def machines(stack: Stack, namespace: str, tmp_path: Path) -> Iterator[Machines]:
    """A maker of computers that share the test's log, each with ways to the parts that the test can disturb."""
    made = Machines(stack, namespace, tmp_path)
    yield made
    made.close()
    drop_namespace(namespace)


def drop_namespace(name: str) -> None:
    """Drop a log's tables and namespaces from the catalog; their files stay with the store."""
    from pyiceberg.exceptions import NoSuchNamespaceError, NoSuchTableError

    catalog = load_lake()
    for space in (f"{name}_derived", name):
        with suppress(NoSuchNamespaceError):
            for table in catalog.list_tables(space):
                with suppress(NoSuchTableError):
                    catalog.drop_table(table)
            catalog.drop_namespace(space)


@pytest.fixture
def open_log(lake_settings: MakeSettings, tmp_path: Path) -> Callable[[str], NativeLog]:
    """A maker of the test's own log as a machine of that name would open it, with a cache of its own."""

    def open_one(machine: str) -> NativeLog:
        return NativeLog(msgspec.structs.replace(lake_settings(), folder=tmp_path / "machines" / machine))

    return open_one
