"""One widget an app: the page draws, this side answers through the views."""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Final

import anywidget
import msgspec
import traitlets

from workbench.apps.answers import Answer, Request, answer_request
from workbench.apps.as_of_answers import answer_as_of
from workbench.apps.bundle import load_bundle, load_style
from workbench.apps.deltas_answers import answer_deltas
from workbench.apps.work import StoppedError, Watch, Work
from workbench.errors import ArgumentError, EngineUnreachableError, QueryRefusedError, WorkbenchError
from workbench.session import Session

# What the page does about an error: it marks a refusal, forgets what it stopped, and tries again what was out of reach.
KINDS = (
    ((ArgumentError, QueryRefusedError), "refused"),
    (StoppedError, "stopped"),
    (EngineUnreachableError, "unreachable"),
)

# What answers the requests of each app's page.
PAGES: Final[dict[str, Callable[[Session, Request], tuple[Answer, list[bytes]]]]] = {
    "timeline": answer_request,
    "as_of": answer_as_of,
    "deltas": answer_deltas,
}


class AppWidget(anywidget.AnyWidget):
    """An app on a session, for marimo and Jupyter alike.

    ``query`` holds the choices as the parameters of a link and follows the page. ``in_address`` lets the page keep
    them in its own address. ``apps`` are the other apps as {name, address}.
    """

    app: ClassVar[str]
    query = traitlets.Dict().tag(sync=True)
    in_address = traitlets.Bool(default_value=False).tag(sync=True)
    apps: Any = traitlets.List().tag(sync=True)

    def __init__(
        self,
        session: Session,
        *,
        query: Mapping[str, Sequence[str]] | None = None,
        in_address: bool = False,
        apps: Sequence[Mapping[str, str]] = (),
    ) -> None:
        self._session = session
        self._work = Work(self._reply, self._tell)
        self._esm = load_bundle(self.app)
        self._css = load_style(self.app)
        super().__init__(
            query={name: list(values) for name, values in (query or {}).items()}, in_address=in_address, apps=list(apps)
        )
        self.on_msg(self._receive)

    def _receive(self, _widget: Any, content: Any, _buffers: Any) -> None:
        try:
            request = msgspec.convert(content, Request)
        except msgspec.ValidationError:
            # Not ours: another message of the toolkit.
            return
        self._work.take(request)

    def _tell(self, message: dict[str, Any]) -> None:
        self.send(message)

    def _reply(self, request: Request, watch: Watch) -> None:
        self.send(*self.answer(request, watch))

    def close(self) -> None:
        """Take the widget away; what it still works on is stopped."""
        self._work.cancel()
        super().close()

    def answer(self, request: Request, watch: Watch | None = None) -> tuple[dict[str, Any], list[bytes]]:
        """Return the reply to one request, under the same id: ``body``, or the ``error`` in one sentence.

        ``watch`` hears how far its statements are, and can stop them.
        """
        reply: dict[str, Any] = {"id": request.id, "kind": request.kind}
        try:
            body, files = self._ask(request, watch)
        except WorkbenchError as error:
            return {**reply, "error": {"sentence": str(error), "kind": _kind(error)}}, []
        except Exception as error:
            # Without an answer the page would wait for ever; the trace goes to whoever runs the server.
            logging.getLogger(__name__).exception("The request %r was not answered", request.kind)
            sentence = f"This could not be answered. The workbench failed with {type(error).__name__}: {error}"
            return {**reply, "error": {"sentence": sentence, "kind": "failed"}}, []
        return {**reply, "body": body}, files

    def _ask(self, request: Request, watch: Watch | None) -> tuple[dict[str, Any], list[bytes]]:
        if watch is None:
            return PAGES[self.app](self._session, request)
        watch.check()
        with self._session.watching(watch):
            return PAGES[self.app](self._session, request)


class TimelineWidget(AppWidget):
    """What happened, and when."""

    app = "timeline"


class AsOfWidget(AppWidget):
    """What was true at a moment, and why."""

    app = "as_of"


class DeltasWidget(AppWidget):
    """What the AI proposed, and what became of it."""

    app = "deltas"


def _kind(error: WorkbenchError) -> str:
    return next((name for kinds, name in KINDS if isinstance(error, kinds)), "failed")
