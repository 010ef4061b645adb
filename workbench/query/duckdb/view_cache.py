"""Views over lists of files, made once a version, the longest unused dropped."""

import hashlib
import re
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Final

import duckdb

from workbench.query.duckdb.connection import execute_sql, quote_name

# Plans are kept by the 256 and name at most a few views each, so a view dropped here is one that no kept plan names.
KEPT: Final = 1024
NAME: Final = re.compile(r"wb_[0-9a-f]{24}")


class ViewCache:
    """The views of one database. The caller holds the engine's lock."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._inner: OrderedDict[str, list[str]] = OrderedDict()

    def view(self, key: tuple[str, str], select: Callable[[], str]) -> str:
        """Return the quoted name of a view, made once a key: DuckDB reads a list of files once a version."""
        name = "wb_" + hashlib.blake2b(repr(key).encode(), digest_size=12).hexdigest()
        if name not in self._inner:
            sql = select()
            self._run(f"CREATE OR REPLACE VIEW {name} AS {sql}")
            self._inner[name] = NAME.findall(sql)
            self._drop_unused()
        return quote_name(name)

    def touch(self, sql: str) -> None:
        """Note that a statement is about to use the views it names, and those they name."""
        self._touch(NAME.findall(sql))

    def _touch(self, names: Iterable[str]) -> None:
        for name in names:
            if name in self._inner:
                self._inner.move_to_end(name)
                self._touch(self._inner[name])

    def _drop_unused(self) -> None:
        while len(self._inner) > KEPT:
            name, _ = self._inner.popitem(last=False)
            self._run(f"DROP VIEW IF EXISTS {name}")

    def _run(self, sql: str) -> None:
        cursor = self._connection.cursor()
        try:
            execute_sql(cursor, sql)
        finally:
            cursor.close()
