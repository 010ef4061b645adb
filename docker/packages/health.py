"""Whether the servers answer: each asked over its own protocol, and Trino through all three at once."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

from docker.packages.layout import Stack, StackError
from docker.packages.services import find_process, log_file

START_SECONDS = {"minio": 60.0, "catalog": 120.0, "trino": 300.0}
STEP_SECONDS = 0.2
TITLES = {"minio": "MinIO", "catalog": "the REST catalog", "trino": "Trino"}


def check_service(stack: Stack, name: str) -> str:
    """Return what a healthy server said of itself, or raise OSError or StackError."""
    return {"minio": check_minio, "catalog": check_catalog, "trino": check_trino}[name](stack)


def check_minio(stack: Stack) -> str:
    """Return MinIO's address once it is ready to read and write."""
    ask(f"{stack.s3_url}/minio/health/cluster")
    return f"MinIO on {stack.s3_url}, bucket lake"


def check_catalog(stack: Stack) -> str:
    """Return the catalog's address once it lists namespaces."""
    listed = json.loads(ask(f"{stack.catalog_url}/v1/namespaces"))["namespaces"]
    return f"REST catalog on {stack.catalog_url}, {len(listed)} namespaces"


def check_trino(stack: Stack) -> str:
    """Return Trino's version and address once a statement through catalog and store has answered."""
    told = json.loads(ask(f"{stack.trino_url}/v1/info"))
    if told["starting"]:
        raise StackError("Trino is still starting")
    schemas = run_statement(stack, "SHOW SCHEMAS FROM lake")
    return f"Trino {told['nodeVersion']['version']} on {stack.trino_url}, catalog lake with {len(schemas)} schemas"


def run_statement(stack: Stack, statement: str, *, user: str = "admin") -> list[list[Any]]:
    """Return a statement's rows over Trino's own protocol, for checks that must work without the driver."""
    reply = json.loads(ask(f"{stack.trino_url}/v1/statement", statement.encode(), {"X-Trino-User": user}))
    rows: list[list[Any]] = []
    while True:
        if "error" in reply:
            raise StackError(f"Trino refused {statement!r}: {reply['error']['message']}")
        rows += reply.get("data", [])
        if "nextUri" not in reply:
            return rows
        reply = json.loads(ask(reply["nextUri"], None, {"X-Trino-User": user}))


def ask(address: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> bytes:
    """Return what a server on loopback says, no proxy in between; OSError when it does not answer."""
    request = urllib.request.Request(address, data=body, headers=headers or {})  # noqa: S310 — our own servers on loopback
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=10) as reply:
        text: bytes = reply.read()
    return text


def wait_until_healthy(stack: Stack, name: str, say: Callable[[str], None]) -> None:
    """Return once a server answers, saying every ten seconds that it is waited for.

    Raises StackError with the last line of its log when it ends or does not answer in time.
    """
    started = time.monotonic()
    told = 10.0
    while True:
        try:
            words = check_service(stack, name)
        except (OSError, StackError) as error:
            waited = time.monotonic() - started
            fail_if_hopeless(stack, name, waited, error)
        else:
            say(f"{words} ({time.monotonic() - started:.0f} s)")
            return
        if waited > told:
            say(f"waiting for {TITLES[name]} ... {waited:.0f} s")
            told += 10
        time.sleep(STEP_SECONDS)


def fail_if_hopeless(stack: Stack, name: str, waited: float, error: Exception) -> None:
    """Raise StackError when a server has ended or its time is over."""
    ended = find_process(stack, name) is None
    if ended or waited > START_SECONDS[name]:
        what = "ended while starting" if ended else f"does not answer after {waited:.0f} s ({error})"
        raise StackError(f"{TITLES[name]} {what}: {last_words(stack, name)} (all of it in {log_file(stack, name)})")


def last_words(stack: Stack, name: str) -> str:
    """Return the line of a server's log that says most about why it ended."""
    file = log_file(stack, name)
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()[-300:] if file.is_file() else []
    said = [line.strip() for line in lines if not line.startswith(("\tat ", "\t..."))]
    for mark in ("1) ", "Caused by", "ERROR", "FATAL", "rror"):
        if telling := [line for line in said if mark in line and "\tINFO\t" not in line]:
            return telling[-1][:300]
    return (said or ["it said nothing"])[-1][:300]
