"""Follow one statement on a Trino server: send it, fetch its rows as they come, or stop it there."""

import base64
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Final

import msgspec
import pyarrow as pa
import requests
import zstandard

from workbench.errors import EngineUnreachableError, QueryFailedError, QueryTimeoutError, RowLimitError, WorkbenchError
from workbench.query.base import QueryProgress
from workbench.query.trino.access import TIMEOUTS, Server
from workbench.query.trino.causes import find_cause
from workbench.query.trino.columns import Column, read_columns, read_rows

# What a server or what stands before it says when it may well answer the next time.
BUSY: Final = frozenset({429, 502, 503, 504})
STARTING: Final = b"SERVER_STARTING_UP"
# A server that answers but whose workers, itself among them, have not announced themselves yet.
NOT_READY: Final = frozenset({STARTING.decode(), "NO_NODES_AVAILABLE"})
GONE: Final = frozenset({404, 410})
DENIED: Final = frozenset({401, 403})
ATTEMPTS: Final = 6
FIRST_PAUSE: Final = 0.1
TIME_LIMITS: Final = frozenset({"EXCEEDED_TIME_LIMIT", "EXCEEDED_CPU_LIMIT"})


class Page(msgspec.Struct, rename="camel"):
    """One answer of the client protocol."""

    id: str
    stats: dict[str, Any]
    next_uri: str | None = None
    columns: list[dict[str, Any]] | None = None
    data: msgspec.Raw = msgspec.Raw(b"")
    error: dict[str, Any] | None = None


class Segments(msgspec.Struct):
    """Rows that lie elsewhere, or stand in the page itself where there are few."""

    encoding: str
    segments: list[dict[str, Any]]


class StoppedError(Exception):
    """The statement was stopped by the one who asked."""


_DECODE_PAGE: Final = msgspec.json.Decoder(Page)
_DECODE_SEGMENTS: Final = msgspec.json.Decoder(Segments)


class Fetch:
    """One statement and its answer. Called once, by a thread of its own; another may stop it."""

    def __init__(
        self,
        server: Server,
        sql: str,
        *,
        downloads: ThreadPoolExecutor,
        row_limit: int | None = None,
    ) -> None:
        self._server, self._sql, self._row_limit = server, sql, row_limit
        self._downloads = downloads
        self._stopped = threading.Event()
        self._next: str | None = None
        self._columns: tuple[Column, ...] = ()
        self._parts: list[pa.RecordBatch | Future[pa.RecordBatch]] = []
        self._rows = 0
        self._stats: Mapping[str, Any] = {}
        self._started = time.monotonic()
        self.query_id: str | None = None

    def __call__(self) -> tuple[pa.Table, tuple[Column, ...]]:
        """Return all rows, in columns named by their place, and the columns; RowLimitError stops at the limit."""
        try:
            page = self._send()
            while True:
                self._take(page)
                if page.next_uri is None:
                    break
                page = self._poll(page.next_uri)
            batches = [part.result() if isinstance(part, Future) else part for part in self._parts]
        except pa.ArrowInvalid as error:
            self.stop()
            raise QueryFailedError(f"The answer holds what no frame can: {error}{self.named()}.") from error
        except BaseException:
            self.stop()
            raise
        if not batches:
            batches = [read_rows(b"[]", self._columns)]
        return pa.Table.from_batches(batches), self._columns

    def stop(self) -> None:
        """Stop the statement on the server; what is still under way for it here ends soon after."""
        self._stopped.set()
        for part in self._parts:
            if isinstance(part, Future):
                part.cancel()
        uri, self._next = self._next, None
        if uri is not None:
            # It may have ended, or the server may be gone: nobody waits for the answer.
            try:
                self._server.request.delete(uri)
            except requests.RequestException:
                return

    def _send(self) -> Page:
        """Send the statement: again only where the server cannot have taken it."""
        for attempt in range(ATTEMPTS):
            last = attempt == ATTEMPTS - 1
            try:
                response = self._server.request.post(self._sql, self._server.headers)
            except requests.ConnectionError as error:
                if last or not is_refused(error):
                    raise self._unreachable(error) from error
            except requests.RequestException as error:
                raise self._unreachable(error) from error
            else:
                if last or not (response.status_code in BUSY or STARTING in response.content):
                    return self._read(response)
            self._pause(attempt)
        raise AssertionError

    def _poll(self, uri: str) -> Page:
        """Ask for the next page: a page may be asked for again, the server keeps the last one."""
        for attempt in range(ATTEMPTS):
            last = attempt == ATTEMPTS - 1
            try:
                response = self._server.request.get(uri)
            except requests.RequestException as error:
                if last:
                    raise self._unreachable(error) from error
            else:
                # A server under load was seen to answer 200 with nothing in it.
                if last or (response.status_code not in BUSY and response.content):
                    return self._read(response)
            self._pause(attempt)
        raise AssertionError

    def _pause(self, attempt: int) -> None:
        if self._stopped.wait(FIRST_PAUSE * 2**attempt):
            raise StoppedError

    def _read(self, response: requests.Response) -> Page:
        if self._stopped.is_set():
            self._keep_next(response)
            raise StoppedError
        if response.status_code != requests.codes.ok:
            raise self._refused(response.status_code)
        try:
            page = _DECODE_PAGE.decode(response.content)
        except msgspec.MsgspecError as error:
            raise EngineUnreachableError(
                f"What answers at {self._server.place} does not speak as Trino does{self.named()}. Check trino.host, "
                "trino.port and what stands before the server."
            ) from error
        self.query_id, self._next = page.id, page.next_uri
        if page.error:
            raise self._failed(page.error)
        return page

    def _keep_next(self, response: requests.Response) -> None:
        """Note where a statement can be stopped of which only this answer told."""
        if response.ok:
            with suppress(msgspec.MsgspecError):
                self._next = _DECODE_PAGE.decode(response.content).next_uri

    def _take(self, page: Page) -> None:
        self._stats = page.stats
        if page.columns and not self._columns:
            self._columns = read_columns(page.columns)
        data = bytes(page.data)
        if data[:1] == b"[":
            batch = read_rows(data, self._columns)
            self._count(batch.num_rows)
            self._parts.append(batch)
        elif data[:1] == b"{":
            spooled = _DECODE_SEGMENTS.decode(data)
            for segment in spooled.segments:
                self._count(int(segment["metadata"].get("rowsCount", 0)))
                self._parts.append(self._open(segment, spooled.encoding))

    def _count(self, rows: int) -> None:
        self._rows += rows
        if self._row_limit and self._rows > self._row_limit:
            raise RowLimitError(
                f"The answer has more than {self._row_limit:,} rows and nothing of it is returned. Add LIMIT, "
                "aggregate, or raise query.row_limit."
            )

    def _open(self, segment: Mapping[str, Any], encoding: str) -> "pa.RecordBatch | Future[pa.RecordBatch]":
        if segment["type"] == "inline":
            return self._decode(base64.b64decode(segment["data"]), segment, encoding)
        return self._downloads.submit(self._download, segment, encoding)

    def _decode(self, content: bytes, segment: Mapping[str, Any], encoding: str) -> pa.RecordBatch:
        if "uncompressedSize" in segment["metadata"]:
            if not encoding.endswith("+zstd"):
                raise QueryFailedError(f"Trino sent rows as {encoding!r}, which was not asked for{self.named()}.")
            content = zstandard.ZstdDecompressor().decompress(content)
        return read_rows(content, self._columns)

    def _download(self, segment: Mapping[str, Any], encoding: str) -> pa.RecordBatch:
        """Return a spooled segment's rows. Its address may hold a signature: no message repeats it."""
        headers = {name: values[0] for name, values in segment.get("headers", {}).items()}
        for attempt in range(ATTEMPTS):
            if attempt:
                self._pause(attempt)
            try:
                response = requests.get(segment["uri"], headers=headers, timeout=TIMEOUTS, verify=self._server.verify)
            except requests.RequestException:
                continue
            if response.status_code == requests.codes.ok:
                batch = self._decode(response.content, segment, encoding)
                self._acknowledge(segment, headers)
                return batch
            if response.status_code not in BUSY:
                raise EngineUnreachableError(
                    f"The store of Trino's spooled rows answers {response.status_code}{self.named()}. Ask again; if it "
                    "stays so, look at the server's spooling-manager.properties."
                )
        raise EngineUnreachableError(
            f"The store of Trino's spooled rows cannot be reached{self.named()}. See that its address, as the server "
            "gives it, can be reached from here, or turn spooling off with trino.spooled = false."
        )

    def _acknowledge(self, segment: Mapping[str, Any], headers: Mapping[str, str]) -> None:
        """Let the server remove the segment; it does so by itself in time."""
        try:
            requests.get(segment["ackUri"], headers=headers, timeout=TIMEOUTS, verify=self._server.verify)
        except requests.RequestException:
            return

    def progress(self) -> QueryProgress:
        """Return how far the statement was when the server last told."""
        stats = self._stats
        return QueryProgress(
            query_id=self.query_id or "",
            state=str(stats.get("state", "SENT")),
            splits_done=int(stats.get("completedSplits", 0)),
            splits_known=int(stats.get("totalSplits", 0)),
            rows=int(stats.get("processedRows", 0)),
            bytes=int(stats.get("processedBytes", 0)),
            seconds=time.monotonic() - self._started,
        )

    def named(self) -> str:
        """Return how a message names the statement on the server."""
        return f" (Trino query {self.query_id})" if self.query_id else ""

    def _unreachable(self, error: Exception) -> EngineUnreachableError:
        return EngineUnreachableError(
            f"Trino at {self._server.place} cannot be reached: {_reason(error)}{self.named()}. See that it runs and "
            "that trino.host, trino.port and trino.http_scheme are right; nothing was changed."
        )

    def _refused(self, status: int) -> WorkbenchError:
        if status in DENIED:
            return QueryFailedError(
                f"Trino at {self._server.place} refuses the credentials ({status}){self.named()}. Check trino.user, "
                "trino.auth and its variable (TRINO_PASSWORD, TRINO_TOKEN or the certificate)."
            )
        if status in GONE and self.query_id:
            return EngineUnreachableError(
                f"Trino at {self._server.place} knows the statement no longer ({status}){self.named()}: it was "
                "started anew meanwhile. Ask again."
            )
        return EngineUnreachableError(
            f"Trino at {self._server.place} answers {status}{self.named()}. See that it is a Trino server and has "
            "started."
        )

    def _failed(self, error: Mapping[str, Any]) -> WorkbenchError:
        message = str(error.get("message", "")).rstrip(".")
        if error.get("errorName") in NOT_READY:
            return EngineUnreachableError(
                f"Trino at {self._server.place} is starting: {message}{self.named()}. Ask again in a minute."
            )
        if error.get("errorName") in TIME_LIMITS:
            return QueryTimeoutError(f"Trino stopped the statement: {message}{self.named()}.")
        if cause := find_cause(error.get("failureInfo")):
            kind = EngineUnreachableError if cause.is_away else QueryFailedError
            todo = (
                "Ask again when it is back; nothing was changed." if cause.is_away else "Look at Trino's own settings."
            )
            return kind(
                f"Trino at {self._server.place} could not run the statement: {cause.words}{self.named()}. {todo}"
            )
        return QueryFailedError(f"Trino could not run the statement: {message}{self.named()}.")


def is_refused(error: BaseException) -> bool:
    """Say whether a connection was refused, so that nothing of the request can have arrived."""
    from urllib3.exceptions import MaxRetryError, NewConnectionError

    causes: list[object] = [error, *error.args]
    causes += [cause.reason for cause in causes if isinstance(cause, MaxRetryError)]
    return any(isinstance(cause, NewConnectionError) for cause in causes)


def _reason(error: Exception) -> str:
    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate is not trusted (trino.verify names the file of one that is)"
    if is_refused(error):
        return "the connection is refused"
    if isinstance(error, requests.Timeout):
        return "it does not answer in time"
    return "the connection broke"
