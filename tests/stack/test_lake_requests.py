"""What an append and a look cost on the wire: each request is a round trip, and milliseconds."""

import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from docker.packages.layout import Stack
from tests.eventlog.logs import append, make_events
from tests.eventlog.writers import open_machine
from workbench.eventlog import NativeLog

HOST = "127.0.0.1"
REQUEST = re.compile(rb"(GET|PUT|POST|HEAD|DELETE) \S+ HTTP/1\.1\r\n")


@contextmanager
def counting(port: int, asked: list[str]) -> Iterator[str]:
    """Stand before a server, note the method of each request, and yield the address to ask instead."""
    listener = socket.create_server((HOST, 0))
    kept: list[socket.socket] = [listener]

    def pump(source: socket.socket, target: socket.socket, *, note: bool) -> None:
        with suppress(OSError):
            while block := source.recv(1 << 16):
                asked.extend(method.decode() for method in REQUEST.findall(block) if note)
                target.sendall(block)
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    def accept() -> None:
        with suppress(OSError):
            while True:
                pair = (listener.accept()[0], socket.create_connection((HOST, port)))
                kept.extend(pair)
                threading.Thread(target=pump, args=pair, kwargs={"note": True}, daemon=True).start()
                threading.Thread(target=pump, args=pair[::-1], kwargs={"note": False}, daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    yield f"http://{HOST}:{listener.getsockname()[1]}"
    for opened in kept:
        with suppress(OSError):
            opened.shutdown(socket.SHUT_RDWR)
        opened.close()


def test_an_append_asks_the_catalog_twice_and_the_store_three_times(
    stack: Stack, namespace: str, open_log: Callable[[str], NativeLog], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(open_log("first"), make_events(0, 1))
    of_catalog: list[str] = []
    of_store: list[str] = []

    def since(work: Callable[[], object]) -> tuple[list[str], list[str]]:
        of_catalog.clear()
        of_store.clear()
        work()
        return list(of_catalog), list(of_store)

    with counting(stack.ports.catalog, of_catalog) as catalog, counting(stack.ports.minio, of_store) as store:
        monkeypatch.setenv("PYICEBERG_CATALOG__LAKE__URI", catalog)
        monkeypatch.setenv("PYICEBERG_CATALOG__LAKE__S3__ENDPOINT", store)
        log = open_machine(tmp_path / "counted", namespace)
        append(log, make_events(1, 10))
        assert since(lambda: append(log, make_events(11, 10))) == (["GET", "POST"], ["PUT", "PUT", "PUT"])
        assert since(lambda: append(log, make_events(0, 21))) == (["GET"], [])
        assert since(log.head) == (["GET"], [])
        log.shapes()
        assert since(log.shapes) == (["GET", "GET"], [])
