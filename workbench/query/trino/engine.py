"""The engine of a cluster: Trino, reading the tables of the catalog at the snapshots it is given."""

import math
import threading
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, Final

import polars as pl

from workbench.errors import QueryRefusedError, QueryTimeoutError
from workbench.query.base import Engine, QueryProgress, Relation
from workbench.query.frames import make_frame
from workbench.query.trino.access import Server
from workbench.query.trino.fetch import Fetch
from workbench.query.trino.plans import TrinoPlans

# Sessions are threads of one process; more statements than this at once wait for their turn.
_WORKERS: Final = 32
# Segments of spooled answers fetched at once, over all statements.
_DOWNLOADS: Final = 4
_LOOK_EVERY: Final = 0.05
_LAST_WORDS: Final = 5.0
Tell = Callable[[QueryProgress], None]


class TrinoEngine(Engine):
    """Runs one SELECT of the declared subset on a Trino server.

    ``catalog`` is the server's name of the catalog in which the relations' tables stand. Safe to use from several
    threads at once.
    """

    name = "trino"
    reads_tables = True

    def __init__(self, server: Server, catalog: str) -> None:
        self._server = server
        self._plans = TrinoPlans(catalog)
        self._workers = ThreadPoolExecutor(_WORKERS, "workbench-trino")
        self._downloads = ThreadPoolExecutor(_DOWNLOADS, "workbench-segments")
        self._finalizer = weakref.finalize(self, server.close)

    def query(  # noqa: PLR0913 - limits, dialect and progress of one statement, all keyword-only
        self,
        statement: str,
        parameters: Mapping[str, Any],
        relations: Mapping[str, Relation],
        *,
        row_limit: int | None = None,
        time_limit: float | None = None,
        native: bool = False,
        progress: Tell | None = None,
    ) -> pl.DataFrame:
        """Return the rows of one SELECT over ``relations``; see Engine.query.

        With ``native`` the statement is in Trino's own dialect and goes there as it is written, once it is seen to be
        one SELECT over the relations. Raises EngineUnreachableError too; every error of the server names its query.
        """
        template = self._plans.compile(statement, parameters, relations, row_limit=row_limit, native=native)
        sql = self._plans.fill(template, relations, parameters)
        fetch = Fetch(self._server, sql, downloads=self._downloads, row_limit=row_limit)
        rows, found = self._run(fetch, time_limit, progress)
        columns = template.columns or {column.name: column.kind for column in found}
        if len(columns) != rows.num_columns:
            names = [column.name for column in found]
            raise QueryRefusedError(f"Two columns of the answer have one name: {', '.join(names)}. Name them with AS.")
        return make_frame(rows, columns)

    def explain(self, statement: str, parameters: Mapping[str, Any], relations: Mapping[str, Relation]) -> str:
        """Return Trino's plan of a statement as text: each scan with its table and what it is constrained to."""
        template = self._plans.compile(statement, parameters, relations)
        sql = self._plans.fill(template, relations, parameters, explain=True)
        rows, _ = self._run(Fetch(self._server, sql, downloads=self._downloads), None, None)
        return "\n".join(rows.column(0).to_pylist())

    def command(self, statement: str) -> Sequence[tuple[Any, ...]]:
        """Run one statement of our own, whatever it is and as long as it takes, and return its rows."""
        rows, _ = self._run(Fetch(self._server, statement, downloads=self._downloads), None, None)
        return list(zip(*(column.to_pylist() for column in rows.columns), strict=True))

    def compile(self, statement: str, parameters: Mapping[str, Any], relations: Mapping[str, Relation]) -> str:
        """Return the SQL that Trino would run for a statement; nothing is run."""
        return self._plans.fill(self._plans.compile(statement, parameters, relations), relations, parameters)

    def close(self) -> None:
        """Give back connections and threads. The engine is not used again."""
        self._workers.shutdown(wait=False, cancel_futures=True)
        self._downloads.shutdown(wait=False, cancel_futures=True)
        self._finalizer()

    def _run(self, fetch: Fetch, time_limit: float | None, progress: Tell | None) -> Any:
        """Fetch in a worker thread, so that Ctrl-C and the time limit reach the server while it is waited for.

        ``progress`` is told by the thread that asks; what it raises stops the statement too.
        """
        answer = self._workers.submit(fetch)
        try:
            if not _ends_within(answer, time_limit, lambda: progress and progress(fetch.progress())):
                raise QueryTimeoutError(
                    f"The statement ran longer than {time_limit:g} s and was stopped{fetch.named()}. Narrow it by "
                    "time, type or stream, or raise query.time_limit."
                )
            return answer.result()
        finally:
            if not answer.done():
                _stop(fetch, answer)


def _stop(fetch: Fetch, answer: Future[Any]) -> None:
    """Stop a statement; a server that does not answer even to that is waited for a few seconds and no longer."""
    end = time.monotonic() + _LAST_WORDS
    stopping = threading.Thread(target=fetch.stop, name="workbench-stop", daemon=True)
    stopping.start()
    stopping.join(_LAST_WORDS)
    wait([answer], max(0.0, end - time.monotonic()))


def _ends_within(answer: Future[Any], time_limit: float | None, look: Callable[[], object]) -> bool:
    """Wait in short steps, looking in between: a Ctrl-C that reaches another thread wakes no longer wait."""
    end = time.monotonic() + time_limit if time_limit else math.inf
    while time.monotonic() < end:
        if wait([answer], min(_LOOK_EVERY, end - time.monotonic())).done:
            return True
        look()
    return answer.done()
