"""Every app under one address: a home page, the notebooks, and a gate in front."""

import socket
import threading
import webbrowser
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from workbench.apps.access import Gate, is_loopback
from workbench.apps.home import render_home
from workbench.apps.sessions import serve_settings, share_session, share_settings
from workbench.config import Settings, load_settings
from workbench.errors import ArgumentError, WorkbenchError

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

PORT: Final = 2718
HIGHEST_PORT: Final = 65_535
# The home page has no script at all, so none may run there.
HOME_HEADERS: Final = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"
}
# The apps there are, in the order of the header, each with the question it answers.
APPS: Final = (
    ("timeline", "Timeline", "What happened, in which order?"),
    ("as_of", "As of", "What was true at a moment, and why?"),
    ("deltas", "Deltas", "What did the AI propose, and what became of it?"),
)


def find_notebooks() -> Path:
    """Return the folder of the marimo notebooks: of the checkout, else of the installed package."""
    package = Path(__file__).parents[1]
    for folder in (package.parent / "notebooks", package / "notebooks"):
        if (folder / "timeline.py").is_file():
            return folder
    raise ArgumentError(f"There are no notebooks beside {package}. Install the package anew, or work in a checkout.")


def make_app(settings: Settings, token: str | None = None) -> Gate:
    """Return the whole site as an ASGI app: ``/``, every app under its name, ``/healthz``.

    With a ``token`` nothing but ``/healthz`` answers a visitor who does not know it; without one nothing answers a
    request that is not addressed to loopback. One process only: marimo keeps its sessions in memory.
    """
    import marimo
    from starlette.applications import Starlette
    from starlette.responses import HTMLResponse, JSONResponse
    from starlette.routing import Mount, Route

    serve_settings(
        settings,
        [{"name": "Home", "address": "../"}, *({"name": title, "address": f"../{name}/"} for name, title, _ in APPS)],
    )
    notebooks = find_notebooks()
    builder = marimo.create_asgi_app(quiet=True, include_code=False, show_tracebacks=False)
    for name, _, _ in APPS:
        builder = builder.with_app(path=f"/{name}", root=str(notebooks / f"{name}.py"))

    def home(_request: "Request") -> "Response":
        try:
            return HTMLResponse(render_home(share_settings(settings), APPS), headers=HOME_HEADERS)
        except WorkbenchError as error:
            return HTMLResponse(render_home(None, APPS, failure=str(error)), status_code=503, headers=HOME_HEADERS)

    def health(_request: "Request") -> "Response":
        return JSONResponse({"status": "ok"})

    routes: list[Any] = [Route("/", home), Route("/healthz", health), Mount("/", builder.build())]
    return Gate(Starlette(routes=routes), token)


def serve(
    target: str | Path | None = None,
    *,
    engine: str | None = None,
    host: str = "127.0.0.1",
    port: int = PORT,
    token: str | None = None,
    open_browser: bool = False,
) -> None:
    """Show the log's apps until Ctrl-C. Any address but loopback asks for a ``token``.

    Raises ArgumentError without one, and where the port is taken.
    """
    if not is_loopback(host) and not token:
        raise ArgumentError(
            f"{host} can be reached from other machines, so a token is needed. Add --token WORD, or serve on 127.0.0.1."
        )
    settings = load_settings(target, engine=engine)
    listener = _listen(host, port)
    address = f"http://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}/"
    _run(make_app(settings, token), listener, address, open_browser=open_browser, token=token)


def _listen(host: str, port: int) -> socket.socket:
    if not 0 <= port <= HIGHEST_PORT:
        raise ArgumentError(f"{port} is no port. Choose one from 1 to {HIGHEST_PORT:,}, or 0 for any that is free.")
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ArgumentError(f"{host}:{port} cannot be listened on: {reason}. Choose another with --port.") from error


def _warm() -> None:
    """Do what the first visitor would wait 4 s for: the imports, the bundle, the log and its overview."""
    from workbench.apps.bundle import SCRIPTS, load_bundle
    from workbench.views.timeline.overview import load_overview

    import_module("workbench.apps.widget")
    try:
        for app in SCRIPTS:
            load_bundle(app)
        session = share_session()
        load_overview(session, session.head().position)
    except WorkbenchError:
        # The page that is asked for says it better, to someone who reads it.
        return


def _run(app: Gate, listener: socket.socket, address: str, *, open_browser: bool, token: str | None) -> None:
    import uvicorn

    print(f"The log is at {address}{' (with ?token=… once)' if token else ''}  Ctrl-C stops.", flush=True)  # noqa: T201 - a server says where it is
    if open_browser:
        threading.Timer(1.0, webbrowser.open, [f"{address}?token={token}" if token else address]).start()
    # No access log: it would write down what is asked of the log, and once the token.
    threading.Thread(target=_warm, daemon=True).start()
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False, ws="auto"))
    server.run(sockets=[listener])
