"""One session a log and process, shared by every page: kernels are threads here, and what one counted helps all."""

import os
from pathlib import Path
from threading import Lock
from typing import Final

from workbench.config import Settings, load_settings
from workbench.session import Session, open_session

LOG: Final = "WORKBENCH_LOG"
ENGINE: Final = "WORKBENCH_ENGINE"

_sessions: dict[tuple[Path, str | None, str], Session] = {}
_lock = Lock()
_served: list[Settings] = []
_apps: list[dict[str, str]] = []


def share_session(target: str | None = None, *, engine: str | None = None) -> Session:
    """Return the process's session on ``target``; without one on the served log, WORKBENCH_LOG or the folder's own.

    ``engine`` is what runs SQL: without one WORKBENCH_ENGINE says it, else the settings.
    """
    if target is None and engine is None and _served:
        return share_settings(_served[0])
    log, chosen = (os.environ.get(name) or None for name in (LOG, ENGINE))
    return share_settings(load_settings(target or log, engine=engine or chosen))


def share_settings(settings: Settings) -> Session:
    """Return the process's session for these settings, opened on first use."""
    key = (settings.folder.resolve(), settings.catalog, settings.engine)
    with _lock:
        if key not in _sessions:
            _sessions[key] = open_session(settings)
        return _sessions[key]


def serve_settings(settings: Settings, apps: list[dict[str, str]]) -> None:
    """Make ``settings`` what every page of this process opens, and ``apps`` the tabs of its header."""
    _served[:] = [settings]
    _apps[:] = apps


def known_apps() -> list[dict[str, str]]:
    """Return the apps beside the page, as {name, address}; none when it is shown alone."""
    return list(_apps)
