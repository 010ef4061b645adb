"""Run one statement on a DuckDB connection within its limits, and say in our words what went wrong."""

import math
import re
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, Final

import duckdb
import msgspec
import pyarrow as pa

from workbench.errors import QueryFailedError, QueryTimeoutError, RowLimitError
from workbench.query.base import QueryProgress

_LARGEST_BATCH: Final = 100_000
_INTERRUPT_EVERY: Final = 0.05
_PERCENT: Final = 100
_RAISED: Final = re.compile(r"[\w.]+(Error|Exception): ")
# Off, DuckDB does not measure how far it is; printed, it would write into whatever runs it.
_MEASURE: Final = ("SET enable_progress_bar = true", "SET enable_progress_bar_print = false")


class Fetch(msgspec.Struct, frozen=True):
    """One statement on a connection of its own, with the values it binds."""

    cursor: duckdb.DuckDBPyConnection
    sql: str
    values: Mapping[str, Any]
    row_limit: int | None

    def __call__(self) -> pa.Table:
        """Return all rows, or raise RowLimitError; stops at the limit."""
        return _fetch(self.cursor.sql(self.sql, params=dict(self.values) or None), self.row_limit)


def run_fetch(
    workers: ThreadPoolExecutor,
    fetch: Fetch,
    time_limit: float | None,
    progress: Callable[[QueryProgress], None] | None = None,
) -> pa.Table:
    """Run in a worker thread: DuckDB looks for Ctrl-C only between batches, which may be minutes apart.

    ``progress`` is called while it runs; what it raises stops the statement.
    """
    if progress is not None:
        _measure(fetch.cursor)
    answer = workers.submit(fetch)
    try:
        if not _ends_within(fetch.cursor, answer, time_limit, progress):
            raise QueryTimeoutError(
                f"The statement ran longer than {time_limit:g} s and was stopped. Narrow it by time, type or stream, "
                "or raise query.time_limit."
            )
        return answer.result()
    except duckdb.Error as error:
        raise explain_failure(error) from error
    finally:
        _stop(fetch.cursor, answer)


def _measure(cursor: duckdb.DuckDBPyConnection) -> None:
    """Have DuckDB measure how far the next statement is, where its lock leaves that free."""
    try:
        for setting in _MEASURE:
            cursor.execute(setting)
    except duckdb.Error:
        return


def _ends_within(
    cursor: duckdb.DuckDBPyConnection,
    answer: Future[pa.Table],
    time_limit: float | None,
    progress: Callable[[QueryProgress], None] | None,
) -> bool:
    """Wait in short steps: a Ctrl-C that reaches another thread wakes no longer wait, seen to cost 48 s."""
    began = time.monotonic()
    end = began + time_limit if time_limit else math.inf
    while time.monotonic() < end:
        if wait([answer], min(_INTERRUPT_EVERY, end - time.monotonic())).done:
            return True
        if progress is not None:
            progress(_read_progress(cursor, time.monotonic() - began))
    return answer.done()


def _read_progress(cursor: duckdb.DuckDBPyConnection, seconds: float) -> QueryProgress:
    """Return how far a statement is in hundred splits; none are known before DuckDB has measured."""
    percent = cursor.query_progress()
    known = _PERCENT if percent >= 0 else 0
    done = min(_PERCENT, round(percent)) if known else 0
    return QueryProgress(
        query_id="", state="RUNNING", splits_done=done, splits_known=known, rows=0, bytes=0, seconds=seconds
    )


def _stop(cursor: duckdb.DuckDBPyConnection, answer: Future[pa.Table]) -> None:
    """Interrupt until it ends: an interrupt that comes before the statement has begun is lost."""
    while not answer.done():
        cursor.interrupt()
        wait([answer], _INTERRUPT_EVERY)


def _fetch(rows: duckdb.DuckDBPyRelation, row_limit: int | None) -> pa.Table:
    reader = rows.to_arrow_reader(_LARGEST_BATCH)
    batches, count = [], 0
    for batch in reader:
        count += batch.num_rows
        if row_limit and count > row_limit:
            raise RowLimitError(
                f"The answer has more than {row_limit:,} rows and nothing of it is returned. Add LIMIT, aggregate, or "
                "raise query.row_limit."
            )
        batches.append(batch)
    return pa.Table.from_batches(batches, reader.schema)


def explain_failure(error: duckdb.Error) -> QueryFailedError:
    """Return our error for DuckDB's, which becomes its cause."""
    lines = str(error).strip().split("\n")
    # Where Python code read the files, its traceback is the message; after it DuckDB may show where it was.
    raised = [line.partition(": ")[2] for line in lines if _RAISED.match(line)] if lines[0].startswith("Trace") else []
    told = raised[-1] if raised else lines[0]
    told = re.sub(r"^[A-Za-z ]+ Error: ", "", told)
    return QueryFailedError(f"DuckDB could not run the statement: {told}")
