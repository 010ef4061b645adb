"""What an engine reads, said without knowing any engine: a name, columns, and where the rows are."""

from collections.abc import Callable, Mapping

import msgspec
import pyarrow as pa


class SnapshotTable(msgspec.Struct, frozen=True, kw_only=True):
    """A table of the catalog at a snapshot, or as it is when it is read."""

    namespace: str
    name: str
    snapshot_id: int | None = None


class FilePart(msgspec.Struct, frozen=True, kw_only=True):
    """Some Parquet files, of which only rows with ``position > after`` count (all rows when None).

    An engine that reads tables is given the ``table`` instead. ``bounds`` are each file's least and greatest position
    and times (microseconds since 1970), in the files' order.
    """

    files: tuple[str, ...] = ()
    after: int | None = None
    bounds: tuple[Mapping[str, tuple[int, int]], ...] = ()
    table: SnapshotTable | None = None


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """One name: its columns (name → Trino type), and its rows as files, as a SELECT, or made in process.

    ``version`` changes whenever the rows do. ``tables`` are the names that a SELECT for an engine that reads tables may
    read beside other shapes, each brought up and said where it is when it is read.
    """

    columns: Mapping[str, str]
    version: str
    parts: tuple[FilePart, ...] = ()
    select: str | None = None
    arrow: Callable[[], pa.Table] | None = None
    tables: Mapping[str, Callable[[], SnapshotTable]] = msgspec.field(default_factory=dict)
