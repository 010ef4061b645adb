"""What an engine reads, said without knowing any engine: a name, columns, and where the rows are."""

from collections.abc import Callable, Mapping

import msgspec
import pyarrow as pa


class FilePart(msgspec.Struct, frozen=True, kw_only=True):
    """Some Parquet files, of which only rows with ``position > after`` count (all rows when None).

    ``bounds`` are each file's least and greatest position and times (microseconds since 1970), in the files' order.
    """

    files: tuple[str, ...]
    after: int | None = None
    bounds: tuple[Mapping[str, tuple[int, int]], ...] = ()


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """One name: its columns (name → Trino type), and its rows as files, as a SELECT, or made in process.

    ``version`` changes whenever the rows do.
    """

    columns: Mapping[str, str]
    version: str
    parts: tuple[FilePart, ...] = ()
    select: str | None = None
    arrow: Callable[[], pa.Table] | None = None
