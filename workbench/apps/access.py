"""Who may ask: a pure ASGI gate in front of pages and websockets alike."""

import hashlib
import hmac
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

COOKIE: Final = "workbench"
LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
# marimo's page starts from inline scripts and styles, evaluates strings and loads plugins as blobs; the widget in it
# needs none of these (a browser test draws it without). Nothing may come from elsewhere.
POLICY: Final = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' ws: wss: data: blob:; "
    "worker-src 'self' blob:; frame-ancestors 'self'; base-uri 'self'; form-action 'self'; object-src 'none'"
)
HEADERS: Final = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)


class Gate:
    """Lets through whom it knows.

    Without a token only requests addressed to this very machine pass, so that a page elsewhere whose name is made to
    point here gets nothing. With one, a visitor brings it once as ``?token=``, which a cookie replaces, or in each
    request as ``Authorization: Bearer``. A websocket must come from a page of the same address.
    """

    def __init__(self, app: App, token: str | None = None) -> None:
        self.app = app
        self._token = token.encode() if token else None
        # The cookie is no token: it proves that its bearer once knew it.
        self._proof = hmac.new(self._token, b"workbench cookie", hashlib.sha256).hexdigest() if self._token else ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a refusal, or hand over to the app."""
        if scope["type"] == "lifespan" or (scope["type"] == "http" and scope["path"] == "/healthz"):
            await self.app(scope, receive, send)
            return
        headers = _headers(scope)
        if not self._is_same_origin(scope, headers):
            await _refuse(scope, send, 403, "This address is not the log's own.")
        elif self._token is None or self._is_known(headers):
            await self.app(scope, receive, _with_headers(send))
        elif scope["type"] == "http" and self._brings_token(scope):
            await self._exchange(scope, send)
        else:
            await _refuse(scope, send, 401, "This log asks for a token: open the address once with ?token=… behind it.")

    def _is_same_origin(self, scope: Scope, headers: dict[str, str]) -> bool:
        host = headers.get("host", "")
        if self._token is None and _host_name(host) not in LOOPBACK:
            return False
        origin = headers.get("origin")
        if origin is None:
            # A browser always names the origin of a websocket; other clients have no cookie to misuse.
            return scope["type"] != "websocket" or self._token is None or "authorization" in headers
        return urlsplit(origin).netloc == host

    def _is_known(self, headers: dict[str, str]) -> bool:
        bearer = headers.get("authorization", "").removeprefix("Bearer ").encode()
        token = self._token or b""
        return hmac.compare_digest(bearer, token) or hmac.compare_digest(
            _cookie(headers).encode(), self._proof.encode()
        )

    def _brings_token(self, scope: Scope) -> bool:
        brought = dict(parse_qsl(scope["query_string"].decode("latin-1"))).get("token", "")
        return hmac.compare_digest(brought.encode(), self._token or b"")

    async def _exchange(self, scope: Scope, send: Send) -> None:
        kept = [pair for pair in parse_qsl(scope["query_string"].decode("latin-1")) if pair[0] != "token"]
        address = scope["path"] + (f"?{urlencode(kept)}" if kept else "")
        # One slash at the front: two would lead to another host.
        address = "/" + address.lstrip("/\\")
        secure = "; Secure" if scope.get("scheme") == "https" else ""
        cookie = f"{COOKIE}={self._proof}; Path=/; HttpOnly; SameSite=Lax{secure}"
        headers = [(b"location", address.encode("ascii", "ignore")), (b"set-cookie", cookie.encode()), *HEADERS]
        await send({"type": "http.response.start", "status": 303, "headers": headers})
        await send({"type": "http.response.body", "body": b""})


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach ``host``."""
    return _host_name(host) in LOOPBACK


def _headers(scope: Scope) -> dict[str, str]:
    pairs: Iterable[tuple[bytes, bytes]] = scope["headers"]
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in pairs}


def _host_name(host: str) -> str:
    if host == "::1":
        return host
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _cookie(headers: dict[str, str]) -> str:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found else ""


def _with_headers(send: Send) -> Send:
    async def send_more(message: Message) -> None:
        if message["type"] == "http.response.start":
            given = {name.lower() for name, _ in message.get("headers", [])}
            message["headers"] = [*message.get("headers", []), *(pair for pair in HEADERS if pair[0] not in given)]
        await send(message)

    return send_more


async def _refuse(scope: Scope, send: Send, status: int, sentence: str) -> None:
    if scope["type"] == "websocket":
        # Closed before it is accepted: the client sees a 403.
        await send({"type": "websocket.close", "code": 4403, "reason": "refused"})
        return
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store"), *HEADERS]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": sentence.encode()})
