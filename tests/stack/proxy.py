"""Computers whose way to the catalog, the object store and Trino a test can disturb: lost, late, or nobody there."""

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, NamedTuple, Self

import msgspec
import pytest
from pyiceberg.catalog import Catalog, load_catalog
from pyiceberg.table import Table
from pyiceberg.utils.config import Config

from docker.packages.layout import HOST, Stack
from workbench.config import Settings, load_settings
from workbench.eventlog import NativeLog
from workbench.session import Session, open_session

BLOCK = 1 << 16


class Request(NamedTuple):
    """One HTTP request as it came, and the two words of it that a plan decides by."""

    method: str
    path: str
    raw: bytes

    @property
    def is_commit(self) -> bool:
        """Whether it asks the catalog for a commit to a table."""
        return self.method == "POST" and "/tables/" in self.path


# What becomes of a request: "pass"; "before", it is lost; "after", its reply is; "middle", half of its reply is;
# "twice", it arrives twice and the second reply comes back; "hold", it waits until the proxy is told to release it,
# "late", its reply does;
# a fraction, it arrives so many seconds later; a whole number, it is refused with that status.
Step = str | float
Judge = Callable[[Request], Step]


class Proxy:
    """Stands before one server. With a ``judge`` it reads HTTP and asks it of each request, else it passes bytes."""

    def __init__(self, target: int, judge: Judge | None = None) -> None:
        self.judge = judge
        # Seconds by which each block of bytes comes later, where HTTP is not read.
        self.pause = 0.0
        self.seen: list[tuple[str, str, Step]] = []
        self._target = (HOST, target)
        self._released = threading.Event()
        self._flowing = threading.Event()
        self._flowing.set()
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._listener: socket.socket | None = None
        self.port = 0
        self.serve()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.refuse()

    @property
    def address(self) -> str:
        """Where clients are sent instead of to the server."""
        return f"http://{HOST}:{self.port}"

    def serve(self) -> None:
        """Listen, on the same port as before when it was another time."""
        self._listener = socket.create_server((HOST, self.port), backlog=128)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def refuse(self) -> None:
        """Be gone: connections are refused and those that stand are cut."""
        listener, self._listener = self._listener, None
        if listener is not None:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        self.release()
        self.cut()

    def cut(self) -> None:
        """Cut every connection that stands."""
        with self._lock:
            for held in self._open:
                with contextlib.suppress(OSError):
                    held.shutdown(socket.SHUT_RDWR)

    def release(self) -> None:
        """Let go on what is held."""
        released, self._released = self._released, threading.Event()
        self._flowing.set()
        released.set()

    def hold(self) -> None:
        """Pass no more bytes, where it does not read HTTP, until told to release them; connections stand."""
        self._flowing.clear()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError), self._holding(client):
            if self.judge is None:
                self._pass_bytes(client)
            else:
                self._pass_requests(client)

    @contextlib.contextmanager
    def _holding(self, held: socket.socket) -> Iterator[None]:
        with self._lock:
            self._open.add(held)
        try:
            yield
        finally:
            with self._lock:
                self._open.discard(held)
                with contextlib.suppress(OSError):
                    held.shutdown(socket.SHUT_RDWR)
            held.close()

    def _pass_bytes(self, client: socket.socket) -> None:
        server = socket.create_connection(self._target)
        with self._holding(server):
            back = threading.Thread(target=self._pump, args=(server, client), daemon=True)
            back.start()
            self._pump(client, server)
            back.join()

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while block := source.recv(BLOCK):
                self._flowing.wait()
                self._released.wait(self.pause)
                target.sendall(block)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    def _pass_requests(self, client: socket.socket) -> None:
        with client.makefile("rb") as incoming:
            while (request := _read_request(incoming)) is not None:
                step = (self.judge or pass_all)(request)
                self.seen.append((request.method, request.path, step))
                if step == "before":
                    return
                if isinstance(step, int):
                    client.sendall(_write_refusal(step))
                    continue
                if step == "hold" or isinstance(step, float):
                    self._released.wait(None if isinstance(step, str) else step)
                    if self._listener is None:
                        return
                reply = self._ask(request)
                if step == "twice":
                    reply = self._ask(request)
                if step == "late":
                    self._released.wait()
                if step == "after" or (step == "late" and self._listener is None):
                    return
                client.sendall(reply[: len(reply) // 2] if step == "middle" else reply)
                if step == "middle":
                    return

    def _ask(self, request: Request) -> bytes:
        """Ask on a connection of its own: one that stood idle may have been closed by the server."""
        server = socket.create_connection(self._target)
        with self._holding(server), server.makefile("rb") as answer:
            server.sendall(request.raw)
            return _read_reply(answer, request.method)


def _write_refusal(status: int) -> bytes:
    """Return a refusal as a gateway before a server gives it."""
    body = json.dumps({"error": {"message": "refused", "type": "RefusedException", "code": status}}).encode()
    head = f"HTTP/1.1 {status} Refused\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def _read_request(stream: BinaryIO) -> Request | None:
    head = _read_head(stream)
    if not head:
        return None
    method, path, _ = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)
    return Request(method, path, head + _read_body(stream, head))


def _read_reply(stream: BinaryIO, method: str) -> bytes:
    head = _read_head(stream)
    status = head.split(b" ", 2)[1:2]
    is_bare = method == "HEAD" or status in ([b"204"], [b"304"])
    return head if is_bare else head + _read_body(stream, head)


def _read_head(stream: BinaryIO) -> bytes:
    lines = []
    while (line := stream.readline()) not in (b"", b"\r\n"):
        lines.append(line)
    return b"".join([*lines, b"\r\n"]) if lines else b""


def _read_body(stream: BinaryIO, head: bytes) -> bytes:
    fields = dict(line.lower().split(b":", 1) for line in head.split(b"\r\n")[1:] if b":" in line)
    if fields.get(b"transfer-encoding", b"").strip() == b"chunked":
        return b"".join(_read_chunks(stream))
    return stream.read(int(fields.get(b"content-length", b"0")))


def _read_chunks(stream: BinaryIO) -> Iterator[bytes]:
    size = -1
    while size:
        line = stream.readline()
        size = int(line.split(b";")[0] or b"0", 16)
        yield line + stream.read(size) + stream.readline()


def load_lake() -> Catalog:
    """Return the catalog by plain PyIceberg, as the environment says now; `load_catalog` alone read it when loaded."""
    return load_catalog("lake", **(Config().get_catalog_config("lake") or {}))  # type: ignore[arg-type]  # texts here


def load_table(machines: "Machines", name: str) -> Table:
    """Return a table of the computers' log by plain PyIceberg, straight from the catalog."""
    with pytest.MonkeyPatch.context() as patch:
        for variable, value in machines.stack.client_variables().items():
            patch.setenv(variable, value)
        return load_lake().load_table((machines.namespace, name))


def pass_all(_request: Request) -> Step:
    """Disturb nothing."""
    return "pass"


class Machine(NamedTuple):
    """One computer: a session with a cache folder of its own, and its ways to the three parts."""

    session: Session
    catalog: Proxy
    store: Proxy
    trino: Proxy

    @property
    def log(self) -> NativeLog:
        """The session's log."""
        log = self.session._log
        assert isinstance(log, NativeLog)
        return log


class Machines:
    """Makes computers that share one log."""

    def __init__(self, stack: Stack, namespace: str, folder: Path) -> None:
        self.stack, self.namespace = stack, namespace
        self._folder = folder
        self._kept = contextlib.ExitStack()
        self._count = 0

    def add(
        self, *, engine: str | None = None, variables: dict[str, str] | None = None, judge: Judge | None = None
    ) -> Machine:
        """Return a new computer; ``variables`` differ in its environment, ``judge`` decides on its way to the catalog.

        Raises what opening a log raises.
        """
        ports = self.stack.ports
        catalog, trino = (self._kept.enter_context(Proxy(port, pass_all)) for port in (ports.catalog, ports.trino))
        catalog.judge = judge or pass_all
        store = self._kept.enter_context(Proxy(ports.minio))
        ways = {
            "PYICEBERG_CATALOG__LAKE__URI": catalog.address,
            "PYICEBERG_CATALOG__LAKE__S3__ENDPOINT": store.address,
            "TRINO_PORT": str(trino.port),
        }
        with pytest.MonkeyPatch.context() as patch:
            for name, value in {**self.stack.client_variables(), **ways, **(variables or {})}.items():
                patch.setenv(name, value)
            session = self._kept.enter_context(open_session(self._settings(engine)))
        return Machine(session, catalog, store, trino)

    def _settings(self, engine: str | None) -> Settings:
        self._count += 1
        settings = load_settings("lake", engine=engine)
        return msgspec.structs.replace(
            settings,
            folder=self._folder / f"machine-{self._count}",
            log=msgspec.structs.replace(settings.log, namespace=self.namespace),
        )

    def close(self) -> None:
        """Switch all of them off."""
        self._kept.close()
