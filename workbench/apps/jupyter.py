"""The apps in Jupyter: a session for the notebook, and each app as one widget."""

from collections.abc import Mapping, Sequence

from workbench.apps.sessions import share_session
from workbench.apps.widget import AsOfWidget, DeltasWidget, TimelineWidget
from workbench.session import Session


def open_session(target: str | None = None, *, engine: str | None = None) -> Session:
    """Return a session on ``target``, else on WORKBENCH_LOG, else on what stands in the folder.

    ``engine`` is what runs SQL, else WORKBENCH_ENGINE or the settings say it.
    """
    return share_session(target, engine=engine)


def timeline_app(session: Session, query: Mapping[str, Sequence[str]] | None = None) -> TimelineWidget:
    """Return the timeline as a widget; ``query`` are the parameters of a link it opens with."""
    return TimelineWidget(session, query=query)


def as_of_app(session: Session, query: Mapping[str, Sequence[str]] | None = None) -> AsOfWidget:
    """Return As of as a widget; ``query`` are the parameters of a link it opens with."""
    return AsOfWidget(session, query=query)


def deltas_app(session: Session, query: Mapping[str, Sequence[str]] | None = None) -> DeltasWidget:
    """Return Deltas as a widget; ``query`` are the parameters of a link it opens with."""
    return DeltasWidget(session, query=query)
