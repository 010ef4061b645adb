"""A DB-API 2.0 connection (PEP 249) to the log, so that marimo's SQL cells and other tools can ask it.

Read-only: commit and rollback do nothing. Parameters are named (``:name`` with a mapping) or in order (``?`` with a
sequence); both are bound, never spliced.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, Self

import polars as pl
from sqlglot.dialects import Trino
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import TokenType

from workbench.errors import ArgumentError, QueryRefusedError, WorkbenchError

apilevel: Final = "2.0"
# Threads may share the module and connections: each call of the engine has a connection of its own.
threadsafety: Final = 2
paramstyle: Final = "named"

Error = WorkbenchError
Run = Callable[[str, Mapping[str, Any]], pl.DataFrame]


class Connection:
    """A connection over ``run(sql, parameters)``; its statements are in the declared subset of Trino's SQL."""

    dialect = "trino"

    def __init__(self, run: Run) -> None:
        self._run = run
        self._closed = False

    def cursor(self) -> "Cursor":
        """Return a cursor: one statement and its rows."""
        self._check_open()
        return Cursor(self._run)

    def commit(self) -> None:
        """Do nothing: the log is only read here."""
        self._check_open()

    def rollback(self) -> None:
        """Do nothing: the log is only read here."""
        self._check_open()

    def close(self) -> None:
        """Close the connection; the session it came from stays open."""
        self._closed = True

    def __enter__(self) -> Self:
        self._check_open()
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def _check_open(self) -> None:
        if self._closed:
            raise QueryRefusedError("The connection is closed; take a new one with session.dbapi().")


class Cursor:
    """One statement at a time and its rows, as tuples of Python values."""

    arraysize = 1

    def __init__(self, run: Run) -> None:
        self._run = run
        self._rows: Iterator[tuple[Any, ...]] | None = None
        self.description: list[tuple[Any, ...]] | None = None
        self.rowcount = -1
        self._closed = False

    def execute(self, operation: str, parameters: Mapping[str, Any] | Sequence[Any] | None = None) -> "Cursor":
        """Run one SELECT and return the cursor; its rows are then fetched.

        Raises QueryRefusedError, QueryFailedError, QueryTimeoutError and RowLimitError as ``session.sql`` does.
        """
        self._check_open()
        self._rows, self.description, self.rowcount = None, None, -1
        frame = self._run(*_name_parameters(operation, parameters))
        self.description = [
            (name, str(kind), None, None, None, None, None)
            for name, kind in zip(frame.columns, frame.dtypes, strict=True)
        ]
        self.rowcount = frame.height
        self._rows = frame.iter_rows()
        return self

    def executemany(self, operation: str, seq_of_parameters: Sequence[Any]) -> None:
        """Refuse: a SELECT is run once."""
        raise QueryRefusedError(
            f"executemany is for writing, and the log is only read here. Run {operation!r} once for each of the "
            f"{len(seq_of_parameters)} sets of values."
        )

    def fetchone(self) -> tuple[Any, ...] | None:
        """Return the next row, or None after the last."""
        return next(self._fetching(), None)

    def fetchmany(self, size: int | None = None) -> list[tuple[Any, ...]]:
        """Return the next ``size`` rows (``arraysize`` when not given), fewer at the end."""
        rows = self._fetching()
        return [row for _, row in zip(range(size or self.arraysize), rows, strict=False)]

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Return all rows that were not fetched yet."""
        return list(self._fetching())

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return self._fetching()

    def setinputsizes(self, _sizes: Sequence[Any]) -> None:
        """Do nothing, as PEP 249 permits."""

    def setoutputsize(self, _size: int, _column: int | None = None) -> None:
        """Do nothing, as PEP 249 permits."""

    def close(self) -> None:
        """Forget the rows; the cursor is not used again."""
        self._rows, self._closed = None, True

    def _fetching(self) -> Iterator[tuple[Any, ...]]:
        self._check_open()
        if self._rows is None:
            raise QueryRefusedError("There are no rows to fetch; execute a SELECT first.")
        return self._rows

    def _check_open(self) -> None:
        if self._closed:
            raise QueryRefusedError("The cursor is closed; take a new one from the connection.")


def open_dbapi(run: Run) -> Connection:
    """Return a DB-API 2.0 connection over a function that runs a statement with named parameters."""
    return Connection(run)


def _name_parameters(
    operation: str, parameters: Mapping[str, Any] | Sequence[Any] | None
) -> tuple[str, Mapping[str, Any]]:
    """Return the statement with ``?`` written as ``:p1``, ``:p2`` …, and the values by those names."""
    if parameters is None or isinstance(parameters, Mapping):
        return operation, parameters or {}
    if isinstance(parameters, str):
        raise ArgumentError("Parameters are a mapping of names or a sequence of values, not one text.")
    values = list(parameters)
    places = _question_marks(operation) if values else []
    if len(places) != len(values):
        raise ArgumentError(f"The statement has {len(places)} question marks and {len(values)} values are given.")
    for number, place in reversed(list(enumerate(places, start=1))):
        operation = f"{operation[:place]}:p{number}{operation[place + 1 :]}"
    return operation, {f"p{number}": value for number, value in enumerate(values, start=1)}


def _question_marks(operation: str) -> list[int]:
    """Return where the tokens ``?`` stand: not those inside texts, names and comments."""
    try:
        tokens = Trino().tokenize(operation)
    except SqlglotError as error:
        raise QueryRefusedError("The statement cannot be read as SQL. Write one SELECT in Trino's dialect.") from error
    return [token.start for token in tokens if token.token_type == TokenType.PLACEHOLDER]
