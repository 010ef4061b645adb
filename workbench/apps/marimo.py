"""The apps in marimo: a session for the notebook, and each app as one element."""

from typing import Any

from workbench.apps.sessions import known_apps, share_session
from workbench.session import Session


def open_session() -> Session:
    """Return the session of this notebook: the server's log, ``--log``, WORKBENCH_LOG, or what stands in the folder.

    ``--engine`` or WORKBENCH_ENGINE says what runs SQL, else the settings do.
    """
    import marimo

    log, engine = (marimo.cli_args().get(name) for name in ("log", "engine"))
    return share_session(str(log) if log else None, engine=str(engine) if engine else None)


def timeline_app(session: Session, query: Any = None) -> Any:
    """Return the timeline as a marimo element; ``query`` is `mo.query_params()`, or the parameters of a link."""
    import marimo

    from workbench.apps.widget import TimelineWidget

    widget = TimelineWidget(session, query=_read(query), in_address=True, apps=known_apps())
    return marimo.ui.anywidget(widget)


def as_of_app(session: Session, query: Any = None) -> Any:
    """Return As of as a marimo element; ``query`` is `mo.query_params()`, or the parameters of a link."""
    import marimo

    from workbench.apps.widget import AsOfWidget

    widget = AsOfWidget(session, query=_read(query), in_address=True, apps=known_apps())
    return marimo.ui.anywidget(widget)


def deltas_app(session: Session, query: Any = None) -> Any:
    """Return Deltas as a marimo element; ``query`` is `mo.query_params()`, or the parameters of a link."""
    import marimo

    from workbench.apps.widget import DeltasWidget

    widget = DeltasWidget(session, query=_read(query), in_address=True, apps=known_apps())
    return marimo.ui.anywidget(widget)


def _read(query: Any) -> dict[str, list[str]]:
    if query is None:
        return {}
    read_all = getattr(query, "get_all", None)
    return {name: list(read_all(name) if read_all else query[name]) for name in query}
