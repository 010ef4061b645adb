"""The stack's side: Trino, REST catalog and MinIO as they run, and logs in them that go away or are kept."""

import hashlib
import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

import msgspec

from benchmarks.data import Story
from benchmarks.harness import StackMissingError
from benchmarks.logs import ingest_story, log_name
from benchmarks.places import temporary_folder

if TYPE_CHECKING:
    from trino.dbapi import Connection

    from docker.packages.layout import Stack
    from workbench.session import Session

CATALOG: Final = "lake"


@contextmanager
def open_stack() -> Iterator[None]:
    """Have the stack's variables in the environment: of the one that runs, else of one started for the time.

    Raises StackMissingError where its parts cannot be had.
    """
    from docker.packages.commands import start_stack
    from docker.packages.layout import Ports, StackError
    from docker.packages.layout import open_stack as open_parts

    with ExitStack() as held:
        stack = running_stack()
        if stack is None:
            folder = held.enter_context(temporary_folder())
            try:
                stack = open_parts(folder / "stack", Ports.parse("free"))
                held.callback(stop_parts, stack)
                start_stack(stack, lambda words: print(f"stack: {words}", file=sys.stderr, flush=True))
            except StackError as error:
                raise StackMissingError(str(error)) from error
        os.environ.update(stack.client_variables())
        yield


def running_stack() -> "Stack | None":
    """Return the stack that `make stack` started, None when not all of it answers."""
    from docker.packages.health import check_service
    from docker.packages.layout import StackError, default_folder, open_stack
    from docker.packages.services import NAMES

    if not (default_folder() / "stack.json").is_file():
        return None
    stack = open_stack()
    try:
        for name in NAMES:
            check_service(stack, name)
    except (OSError, StackError):
        return None
    return stack


def stop_parts(stack: "Stack") -> None:
    from docker.packages.services import NAMES, stop_service

    for name in reversed(NAMES):
        stop_service(stack, name)


@contextmanager
def open_lake(namespace: str, *, engine: str = "trino") -> Iterator["Session"]:
    """Yield a session on a log of the catalog, with its imports done; what it caches goes away with it."""
    from workbench.config import load_settings
    from workbench.session import open_session

    with temporary_folder() as folder:
        settings = load_settings(CATALOG, engine=engine)
        log = msgspec.structs.replace(settings.log, namespace=namespace)
        session = open_session(msgspec.structs.replace(settings, folder=folder, log=log))
        try:
            session.head()
            yield session
        finally:
            session.close()


@contextmanager
def scratch_namespace() -> Iterator[str]:
    """Yield a name no log has; its tables and files are dropped when the block ends."""
    name = f"benchmark_{secrets.token_hex(5)}"
    try:
        yield name
    finally:
        drop_log(name)


def kept_log(story: Story) -> str:
    """Return the namespace of the log that holds a story, built through ingest when the stack has none."""
    name = f"benchmark_{story.total}_{hashlib.sha256(str(log_name(story)).encode()).hexdigest()[:10]}"
    with open_lake(name) as session:
        if session.head().event_count == story.total:
            return name
    drop_log(name)
    print(f"building {name} in the stack once; later runs use it again ...", file=sys.stderr, flush=True)
    with open_lake(name) as session, temporary_folder() as folder:
        ingest_story(session, folder, story)
    return name


def drop_log(name: str) -> None:
    """Drop a log's tables with their files."""
    from pyiceberg.catalog import load_catalog
    from pyiceberg.exceptions import NoSuchNamespaceError, NoSuchTableError

    catalog = load_catalog(CATALOG)
    for space in (f"{name}_derived", name):
        with suppress(NoSuchNamespaceError):
            for table in catalog.list_tables(space):
                with suppress(NoSuchTableError):
                    catalog.purge_table(table)
            catalog.drop_namespace(space)


@contextmanager
def open_client() -> Iterator["Connection"]:
    """Yield Trino's own client as it comes: spooled answers, compressed, wherever the server offers them."""
    from trino.dbapi import connect

    place = {"host": os.environ["TRINO_HOST"], "port": int(os.environ["TRINO_PORT"])}
    connection = connect(**place, user=os.environ["TRINO_USER"], catalog=CATALOG, timezone="UTC")  # type: ignore[no-untyped-call]  # the client has no types
    try:
        yield connection
    finally:
        connection.close()


def fetch_all(client: Any, text: str) -> list[list[Any]]:
    """Return all rows of a statement as Trino's client gives them."""
    rows: list[list[Any]] = client.cursor().execute(text).fetchall()
    return rows


class Asked(msgspec.Struct, frozen=True):
    """A statement a session was asked, its parameters, and the text that went to the server for it."""

    statement: str
    parameters: dict[str, Any]
    text: str


@contextmanager
def recorded(session: "Session") -> Iterator[list[Asked]]:
    """Yield a list that takes up every statement which the session sends to Trino within the block."""
    from unittest.mock import patch

    from trino.client import TrinoRequest

    asked: list[Asked] = []
    query, post = session.engine.query, TrinoRequest.post
    texts: list[str] = []

    def post_noting(request: Any, text: str, *given: Any, **named: Any) -> Any:
        texts.append(text)
        return post(request, text, *given, **named)

    def query_noting(statement: str, parameters: Any, *given: Any, **named: Any) -> Any:
        answer = query(statement, parameters, *given, **named)
        asked.append(Asked(statement, dict(parameters), texts[-1]))
        return answer

    with patch.object(TrinoRequest, "post", post_noting), patch.object(session.engine, "query", query_noting):
        yield asked


def measure_table(namespace: str, name: str = "events") -> dict[str, int]:
    """Return what a table has become: commits of all kinds, snapshots kept, rows, files, manifests, and their bytes."""
    from pyiceberg.catalog import load_catalog

    table = load_catalog(CATALOG).load_table((namespace, name))
    snapshot = table.current_snapshot()
    if snapshot is None or snapshot.summary is None:
        return {}
    summary, manifests = snapshot.summary.additional_properties, snapshot.manifests(table.io)
    return {
        "rows": int(summary["total-records"]),
        "commits": snapshot.sequence_number or 0,
        "snapshots": len(table.snapshots()),
        "files": int(summary["total-data-files"]),
        "file_bytes": int(summary["total-files-size"]),
        "manifests": len(manifests),
        "manifest_bytes": sum(manifest.manifest_length for manifest in manifests),
        "metadata_bytes": len(table.io.new_input(table.metadata_location)),
    }
