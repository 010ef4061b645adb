"""What every engine offers, on one screen. Adding an engine means one package beside this file."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
import polars as pl
import pyarrow as pa

from workbench.errors import QueryRefusedError


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """An Iceberg table of the session's catalog at a snapshot, or as it is when it is read."""

    namespace: str
    name: str
    snapshot_id: int | None = None


# A column's least and greatest value in one file; times in microseconds since 1970.
Bounds = Mapping[str, tuple[int, int]]


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """Some rows of a relation, of which only those with ``position > after`` count (all rows when None).

    They are named twice: as Parquet ``files`` for an engine that reads files, and as the ``table`` they stand in for
    one that reads tables. ``bounds`` are each file's, in the order of ``files``; none at all where they are not known.
    """

    files: tuple[str, ...] = ()
    after: int | None = None
    bounds: tuple[Bounds, ...] = ()
    table: Table | None = None


class Relation(msgspec.Struct, frozen=True, kw_only=True):
    """A name that may stand in FROM, with its columns (name → Trino type) and where its rows are.

    Exactly one of ``parts`` (rows of one snapshot), ``select`` (a SELECT in the declared dialect over other relations)
    and ``arrow`` (rows made in process, called once a query) says where; no parts at all is an empty relation. An
    engine that reads tables takes ``select`` before ``arrow``, and there the SELECT may be in Trino's own dialect over
    ``tables``, names of its own, each brought up and said where it is when the relation is read. ``version`` changes
    whenever the rows do, so that an engine may keep what it prepared.
    """

    name: str
    columns: Mapping[str, str]
    version: str
    parts: tuple[Part, ...] = ()
    select: str | None = None
    arrow: Callable[[], pa.Table] | None = None
    tables: Mapping[str, Callable[[], Table]] = msgspec.field(default_factory=dict)


class QueryProgress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a running statement is: its id on the server, its splits done and known so far, rows and bytes read.

    An engine in process has no id and counts in hundred splits; none are known while it cannot tell.
    """

    query_id: str
    state: str
    splits_done: int
    splits_known: int
    rows: int
    bytes: int
    seconds: float


class ArrowFunction(msgspec.Struct, frozen=True):
    """A Python function over Arrow arrays, one an argument, giving one array; types are Trino's names.

    Only the SELECT of a relation may call it, never a statement of a user. NULLs reach it.
    """

    call: Callable[..., pa.Array]
    arguments: tuple[str, ...]
    result: str


class Engine(ABC):
    """Runs one SELECT and returns a Polars frame.

    ``reads_tables`` says that it reads the catalog's tables itself, so that no files need be listed for it.
    """

    name: str
    reads_tables: bool = False

    @abstractmethod
    def query(  # noqa: PLR0913 - limits, dialect and progress of one statement, all keyword-only
        self,
        statement: str,
        parameters: Mapping[str, Any],
        relations: Mapping[str, Relation],
        *,
        row_limit: int | None = None,
        time_limit: float | None = None,
        native: bool = False,
        progress: Callable[[QueryProgress], None] | None = None,
    ) -> pl.DataFrame:
        """Return the rows of one SELECT over ``relations``, in the order it asks for.

        ``statement`` is in the declared subset of Trino's dialect with ``:name`` parameters. ``progress`` is called
        while it runs, from whichever thread waits for it; what it raises stops the statement on the engine and is
        raised here. Raises QueryRefusedError before anything runs,
        QueryFailedError, QueryTimeoutError (``time_limit`` in seconds) and RowLimitError.
        """

    def command(self, statement: str) -> Sequence[tuple[Any, ...]]:
        """Run one statement of our own that need not be a SELECT, as maintenance is; return its rows.

        Raises QueryRefusedError where the engine has none such, QueryFailedError.
        """
        raise QueryRefusedError(f"{self.name} runs no statement but SELECT, so not: {statement}.")

    @abstractmethod
    def close(self) -> None:
        """Give back what the engine holds. A closed engine is not used again."""
