import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from workbench.apps.access import COOKIE, Gate, Message, Receive, Scope, Send, is_loopback

TOKEN = "a word nobody guesses"  # noqa: S105 - a token of the tests only


async def welcome(scope: Scope, _receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"x-content-type-options", b"mine")]})
    await send({"type": "http.response.body", "body": b"inside"})


def ask(
    token: str | None = None, *, kind: str = "http", path: str = "/", query: str = "", **headers: str
) -> list[Message]:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {}

    given: Mapping[str, str] = {"host": "127.0.0.1:2718"} | headers
    scope: dict[str, Any] = {
        "type": kind,
        "path": path,
        "query_string": query.encode(),
        "headers": [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in given.items()],
    }
    # In a thread of its own: another test of this worker may keep a browser, and with it a loop, in this one.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: asyncio.run(Gate(welcome, token)(scope, receive, send))).result()
    return sent


def cookie_of(sent: list[Message]) -> str:
    return str(dict(sent[0]["headers"])[b"set-cookie"].decode().split(";")[0])


def test_on_loopback_whoever_addresses_this_machine_comes_in() -> None:
    for host in ("127.0.0.1:2718", "localhost", "[::1]:2718"):
        assert ask(host=host)[0]["status"] == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "[", "2130706433"])
def test_a_name_that_was_made_to_point_here_gets_nothing(host: str) -> None:
    assert ask(host=host)[0]["status"] == 403
    assert ask(kind="websocket", host=host)[0]["type"] == "websocket.close"


@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_a_page_of_another_origin_gets_nothing(kind: str) -> None:
    for token in (None, TOKEN):
        refused = ask(token, kind=kind, origin="https://evil.example", authorization=f"Bearer {TOKEN}")
        assert refused[0].get("status", 403) == 403
        assert refused[0]["type"] != "websocket.accept"


def test_without_the_token_neither_page_nor_websocket_answers() -> None:
    assert ask(TOKEN)[0]["status"] == 401
    assert ask(TOKEN, query="token=wrong")[0]["status"] == 401
    assert ask(TOKEN, authorization="Bearer wrong")[0]["status"] == 401
    assert ask(TOKEN, cookie=f"{COOKIE}={TOKEN}")[0]["status"] == 401
    assert ask(TOKEN, cookie='bad"; cookie')[0]["status"] == 401
    for headers in ({}, {"origin": "http://127.0.0.1:2718"}, {"authorization": "Bearer wrong"}):
        assert ask(TOKEN, kind="websocket", **headers)[0]["type"] == "websocket.close"


def test_the_token_is_brought_once_and_then_a_cookie_stands_for_it() -> None:
    brought = ask(TOKEN, path="/timeline/", query=f"zone=local&token={TOKEN.replace(' ', '+')}")
    headers = dict(brought[0]["headers"])
    assert brought[0]["status"] == 303
    assert headers[b"location"] == b"/timeline/?zone=local"
    assert b"HttpOnly" in headers[b"set-cookie"]
    assert TOKEN.encode() not in headers[b"set-cookie"]
    cookie = cookie_of(brought)
    assert ask(TOKEN, cookie=cookie)[0]["status"] == 200
    assert ask(TOKEN, kind="websocket", cookie=cookie, origin="http://127.0.0.1:2718")[0]["type"] == "websocket.accept"
    assert ask("another", cookie=cookie)[0]["status"] == 401


def test_a_cookie_alone_opens_no_websocket_to_a_client_without_origin() -> None:
    cookie = cookie_of(ask(TOKEN, query=f"token={TOKEN.replace(' ', '+')}"))
    assert ask(TOKEN, kind="websocket", cookie=cookie)[0]["type"] == "websocket.close"
    assert ask(TOKEN, kind="websocket", authorization=f"Bearer {TOKEN}")[0]["type"] == "websocket.accept"


def test_the_exchange_leads_nowhere_else() -> None:
    for path in ("//evil.example/", "/\\evil.example"):
        location = dict(ask(TOKEN, path=path, query=f"token={TOKEN.replace(' ', '+')}")[0]["headers"])[b"location"]
        assert location.startswith(b"/evil.example")


def test_every_answer_says_what_a_page_may_load_and_no_header_is_doubled() -> None:
    headers = ask()[0]["headers"]
    assert b"content-security-policy" in dict(headers)
    assert [value for name, value in headers if name == b"x-content-type-options"] == [b"mine"]
    assert b"content-security-policy" in dict(ask(host="evil.example")[0]["headers"])


def test_health_needs_no_token() -> None:
    assert ask(TOKEN, path="/healthz", host="balancer")[0]["status"] == 200


LOOPBACKS = ("127.0.0.1", "localhost", "::1")
OTHERS = ("0.0.0.0", "::", "192.168.1.4", "example.org")  # noqa: S104 - addresses that must be told apart


def test_loopback_is_told_from_every_other_address() -> None:
    assert [is_loopback(host) for host in (*LOOPBACKS, *OTHERS)] == [True] * 3 + [False] * 4
