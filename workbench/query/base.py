"""What every engine offers, on one screen. Adding an engine means one file beside this one."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import polars as pl
import pyarrow as pa


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """Some Parquet files of a relation, of which only rows with ``position > after`` count (all rows when None)."""

    files: tuple[str, ...]
    after: int | None = None


class Relation(msgspec.Struct, frozen=True, kw_only=True):
    """A name that may stand in FROM, with its columns (name → Trino type) and where its rows are.

    Exactly one of ``parts`` (Parquet files of one snapshot), ``select`` (a SELECT in the declared dialect over other
    relations) and ``arrow`` (rows made in process, called once a query) says where; no parts at all is an empty
    relation. ``version`` changes whenever the rows do, so that an engine may keep what it prepared.
    """

    name: str
    columns: Mapping[str, str]
    version: str
    parts: tuple[Part, ...] = ()
    select: str | None = None
    arrow: Callable[[], pa.Table] | None = None


class ArrowFunction(msgspec.Struct, frozen=True):
    """A Python function over Arrow arrays, one an argument, giving one array; types are Trino's names.

    Only the SELECT of a relation may call it, never a statement of a user. NULLs reach it.
    """

    call: Callable[..., pa.Array]
    arguments: tuple[str, ...]
    result: str


class Engine(ABC):
    """Runs one SELECT and returns a Polars frame."""

    name: str

    @abstractmethod
    def query(
        self,
        statement: str,
        parameters: Mapping[str, Any],
        relations: Mapping[str, Relation],
        *,
        row_limit: int | None = None,
        time_limit: float | None = None,
        native: bool = False,
    ) -> pl.DataFrame:
        """Return the rows of one SELECT over ``relations``, in the order it asks for.

        ``statement`` is in the declared subset of Trino's dialect with ``:name`` parameters. Raises QueryRefusedError
        before anything runs, QueryFailedError, QueryTimeoutError (``time_limit`` in seconds) and RowLimitError.
        """

    @abstractmethod
    def close(self) -> None:
        """Give back what the engine holds. A closed engine is not used again."""
