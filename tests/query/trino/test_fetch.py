"""The client protocol, spoken by a small server here: what is asked for again, what is not, and how faults are told.

The real server is asked in tests/stack; what it does only when it is in trouble is played here.
"""

import base64
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import polars as pl
import pytest
import zstandard

from workbench.config import TrinoSettings
from workbench.errors import (
    EngineUnreachableError,
    QueryFailedError,
    QueryRefusedError,
    QueryTimeoutError,
    RowLimitError,
    WorkbenchError,
)
from workbench.query.trino import fetch as trino_fetch
from workbench.query.trino.access import open_server
from workbench.query.trino.engine import TrinoEngine

Reply = tuple[int, bytes]


class Script:
    """What the server answers, by path, reply after reply; the last of a path stays. It keeps what it was asked."""

    def __init__(self) -> None:
        self.replies: dict[str, list[Reply]] = {}
        self.asked: list[str] = []
        self.sent: list[str] = []
        self.port = 0

    def page(self, path: str, **members: Any) -> None:
        """Answer a path with one page of the protocol."""
        following = members.pop("next", None)
        page = {"id": "q1", "stats": {"state": "RUNNING", "totalSplits": 4, "completedSplits": 1}, **members}
        if following:
            page["nextUri"] = f"http://127.0.0.1:{self.port}{following}"
        self.raw(path, 200, json.dumps(page).encode())

    def raw(self, path: str, status: int, body: bytes = b"") -> None:
        """Answer a path with these bytes."""
        self.replies.setdefault(path, []).append((status, body))

    def find(self, path: str) -> Reply:
        """Return the next reply of a path."""
        known = self.replies.get(path, [(404, b"")])
        return known.pop(0) if len(known) > 1 else known[0]


@pytest.fixture
def script() -> Iterator[Script]:
    made = Script()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            made.asked.append(f"{self.command} {self.path}")
            if self.command == "POST":
                made.sent.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            status, body = made.find(self.path)
            self.send_response(204 if self.command == "DELETE" else status)
            self.send_header("Content-Length", "0" if self.command == "DELETE" else str(len(body)))
            self.end_headers()
            if self.command != "DELETE":
                self.wfile.write(body)

        do_GET = do_POST = do_DELETE = _answer  # noqa: N815 - names http.server looks for

        def log_message(self, *_given: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield made
    server.shutdown()
    server.server_close()


Ask = Callable[..., pl.DataFrame]


@pytest.fixture
def ask(script: Script, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ask]:
    """A function that asks the small server a statement."""
    monkeypatch.setattr(trino_fetch, "FIRST_PAUSE", 0.001)
    engine = TrinoEngine(open_server(TrinoSettings(host="127.0.0.1", port=script.port, catalog="lake")), "lake")

    def run(statement: str = "select 1 as n", **options: Any) -> pl.DataFrame:
        return engine.query(statement, {}, {}, **options)

    yield run
    engine.close()


START = "/v1/statement"
NUMBERS = [{"name": "n", "typeSignature": {"rawType": "integer", "arguments": []}}]


def test_pages_follow_each_other_until_there_is_no_next(script: Script, ask: Ask) -> None:
    script.page(START, next="/1")
    script.page("/1", next="/2", columns=NUMBERS, data=[[1], [2]])
    script.page("/2", columns=NUMBERS, data=[[3]])
    assert ask()["n"].to_list() == [1, 2, 3]
    assert script.asked == [f"POST {START}", "GET /1", "GET /2"]


def test_an_answer_without_rows_has_its_columns(script: Script, ask: Ask) -> None:
    script.page(START, next="/1")
    script.page("/1", columns=NUMBERS)
    assert ask().schema == {"n": pl.Int32}


@pytest.mark.parametrize(("status", "body"), [(503, b""), (502, b""), (429, b""), (200, b"")])
def test_a_page_is_asked_for_again(script: Script, ask: Ask, status: int, body: bytes) -> None:
    script.page(START, next="/1")
    script.raw("/1", status, body)
    script.page("/1", columns=NUMBERS, data=[[1]])
    assert ask().item() == 1


def test_a_statement_that_a_busy_server_did_not_take_is_sent_again(script: Script, ask: Ask) -> None:
    script.raw(START, 503)
    script.raw(START, 200, b'{"id":"q0","stats":{},"error":{"errorName":"SERVER_STARTING_UP","message":"wait"}}')
    script.page(START, columns=NUMBERS, data=[[1]])
    assert ask().item() == 1
    assert script.sent == ['SELECT 1 AS "n"'] * 3


SAID: list[tuple[str, Reply, type[WorkbenchError], str]] = [
    (START, (503, b""), EngineUnreachableError, "answers 503"),
    (START, (500, b""), EngineUnreachableError, "answers 500"),
    (START, (401, b""), QueryFailedError, "refuses the credentials"),
    (START, (200, b"<html>hello</html>"), EngineUnreachableError, "does not speak as Trino does"),
    ("/1", (410, b""), EngineUnreachableError, r"no longer \(410\) \(Trino query q1\)"),
    ("/1", (403, b""), QueryFailedError, r"credentials \(403\) \(Trino query q1\)"),
    (
        "/1",
        (200, b'{"id":"q1","stats":{},"error":{"errorName":"EXCEEDED_TIME_LIMIT","message":"Query exceeded 5m."}}'),
        QueryTimeoutError,
        r"Query exceeded 5m \(Trino query q1\)",
    ),
    (
        START,
        (200, b'{"id":"q1","stats":{},"error":{"errorName":"SERVER_STARTING_UP","message":"wait"}}'),
        EngineUnreachableError,
        "is starting",
    ),
    (
        "/1",
        (200, b'{"id":"q1","stats":{},"error":{"errorName":"NO_NODES_AVAILABLE","message":"No nodes available."}}'),
        EngineUnreachableError,
        r"is starting: No nodes available \(Trino query q1\)\. Ask again",
    ),
    (
        "/1",
        (200, b'{"id":"q1","stats":{},"error":{"errorName":"DIVISION_BY_ZERO","message":"Division by zero"}}'),
        QueryFailedError,
        r"Division by zero \(Trino query q1\)",
    ),
]


@pytest.mark.parametrize(("path", "reply", "kind", "words"), SAID, ids=[f"{case[0]} {case[3]}" for case in SAID])
def test_a_fault_is_told(
    script: Script, ask: Ask, path: str, reply: Reply, kind: type[WorkbenchError], words: str
) -> None:
    if path != START:
        script.page(START, next=path)
    script.raw(path, *reply)
    with pytest.raises(kind, match=words) as raised:
        ask()
    assert "/v1/" not in str(raised.value)


def test_rows_over_the_limit_stop_the_statement(script: Script, ask: Ask) -> None:
    script.page(START, next="/1")
    script.page("/1", next="/2", columns=NUMBERS, data=[[number] for number in range(5)])
    with pytest.raises(RowLimitError, match="more than 3 rows"):
        ask(row_limit=3)
    assert script.asked[-1] == "DELETE /2"


def test_a_statement_that_takes_too_long_is_stopped(script: Script, ask: Ask) -> None:
    script.page(START, next="/1")
    script.page("/1", next="/1")
    with pytest.raises(QueryTimeoutError, match=r"\(Trino query q1\)"):
        ask(time_limit=0.3)
    assert "DELETE /1" in script.asked


def test_what_progress_raises_stops_the_statement(script: Script, ask: Ask) -> None:
    script.page(START, next="/1")
    script.page("/1", next="/1")

    def look(progress: Any) -> None:
        if progress.splits_known:
            raise LookupError(f"{progress.splits_done} of {progress.splits_known}")

    with pytest.raises(LookupError, match="1 of 4"):
        ask(progress=look)
    assert "DELETE /1" in script.asked


def spool(script: Script, rows: list[list[int]], *, path: str, compressed: bool) -> dict[str, Any]:
    """Put rows where a segment points to, and return the segment."""
    body = json.dumps(rows).encode()
    sizes = {"uncompressedSize": len(body)} if compressed else {}
    script.raw(path, 200, zstandard.ZstdCompressor().compress(body) if compressed else body)
    place = f"http://127.0.0.1:{script.port}"
    return {
        "type": "spooled",
        "uri": f"{place}{path}",
        "ackUri": f"{place}{path}/ack",
        "headers": {"x-key": ["k"]},
        "metadata": {"rowsCount": len(rows), **sizes},
    }


def test_spooled_rows_keep_their_order(script: Script, ask: Ask) -> None:
    few = zstandard.ZstdCompressor().compress(b"[[5]]")
    inline = {"type": "inline", "data": base64.b64encode(few).decode(), "metadata": {"uncompressedSize": 5}}
    segments = [
        spool(script, [[1], [2]], path="/s1", compressed=True),
        spool(script, [[3], [4]], path="/s2", compressed=False),
        inline,
    ]
    script.page(START, columns=NUMBERS, data={"encoding": "json+zstd", "segments": segments})
    assert ask()["n"].to_list() == [1, 2, 3, 4, 5]
    assert {"GET /s1/ack", "GET /s2/ack"} <= set(script.asked)


def test_spooled_rows_are_counted_before_they_are_fetched(script: Script, ask: Ask) -> None:
    segments = [spool(script, [[1], [2], [3]], path="/s1", compressed=True)]
    script.page(START, columns=NUMBERS, data={"encoding": "json+zstd", "segments": segments})
    with pytest.raises(RowLimitError):
        ask(row_limit=2)
    assert "GET /s1" not in script.asked


@pytest.mark.parametrize(("status", "words"), [(503, "cannot be reached"), (404, "answers 404")])
def test_a_spool_that_gives_no_rows_is_named_without_its_address(
    script: Script, ask: Ask, status: int, words: str
) -> None:
    segments = [spool(script, [[1]], path="/s1", compressed=True)]
    script.replies["/s1"] = [(status, b"")]
    script.page(START, columns=NUMBERS, data={"encoding": "json+zstd", "segments": segments})
    with pytest.raises(EngineUnreachableError, match=rf"spooled rows.* {words}.*\(Trino query q1\)") as raised:
        ask()
    assert "/s1" not in str(raised.value)


def test_an_encoding_nobody_asked_for_is_refused(script: Script, ask: Ask) -> None:
    segments = [spool(script, [[1]], path="/s1", compressed=True)]
    script.page(START, columns=NUMBERS, data={"encoding": "json+lz4", "segments": segments})
    with pytest.raises(QueryFailedError, match="json\\+lz4"):
        ask()


def test_a_value_that_no_frame_holds_is_said(script: Script, ask: Ask) -> None:
    script.page(START, columns=[{"name": "d", "typeSignature": {"rawType": "date"}}], data=[["+12026-01-31"]])
    with pytest.raises(QueryFailedError, match="what no frame can"):
        ask("select date '2026-01-31' as d")


def test_two_columns_of_one_name_are_refused(script: Script, ask: Ask) -> None:
    script.page(START, columns=NUMBERS * 2, data=[[1, 2]])
    with pytest.raises(QueryRefusedError, match="one name"):
        ask("select 1 as n, 2 as n", native=True)
