"""One DuckDB connection, locked before the first statement, and the spelling of names and paths for it."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import duckdb
from duckdb.func import FunctionNullHandling, PythonUDFType

from workbench.query.base import ArrowFunction
from workbench.query.duckdb.jsontexts import JSON_FUNCTIONS
from workbench.query.duckdb.running import explain_failure
from workbench.query.subset.types import duckdb_type, parse_type

_MACROS: Final = Path(__file__).with_name("macros.sql")


def open_connection(
    directories: Sequence[str | Path],
    functions: Mapping[str, ArrowFunction],
    threads: int | None,
    objects: Any = None,
) -> duckdb.DuckDBPyConnection:
    """Return an empty database in memory that can read files of ``directories`` alone and write none.

    Those with a scheme (``s3://bucket/log``) are read through ``objects``, a file system in fsspec's form.
    """
    connection = duckdb.connect(
        ":memory:",
        config={"autoinstall_known_extensions": False, "autoload_known_extensions": False},
    )
    functions = {**JSON_FUNCTIONS, **functions}
    for name, function in functions.items():
        connection.create_function(
            name,
            function.call,
            [_function_type(kind) for kind in function.arguments],
            _function_type(function.result),
            type=PythonUDFType.ARROW,
            null_handling=FunctionNullHandling.SPECIAL,
        )
    for statement in _MACROS.read_text(encoding="utf-8").split(";\n"):
        if statement.strip():
            connection.execute(statement)
    if objects is not None:
        connection.register_filesystem(objects)
    paths = [_folder_path(str(folder)) for folder in directories]
    # A path with glob letters is asked for in its escaped form, and DuckDB compares that form.
    folders = ", ".join(quote_text(path) for path in dict.fromkeys([*paths, *map(plain_path, paths)]))
    _leave_measuring(connection)
    for setting in (
        "SET GLOBAL TimeZone = 'UTC'",
        "SET GLOBAL Calendar = 'gregorian'",
        "SET GLOBAL python_enable_replacements = false",
        "SET GLOBAL parquet_metadata_cache = true",
        f"SET GLOBAL allowed_directories = [{folders}]",
        *([f"SET GLOBAL threads = {threads}"] if threads else []),
        "SET GLOBAL enable_external_access = false",
        "SET GLOBAL lock_configuration = true",
    ):
        connection.execute(setting)
    return connection


def _folder_path(folder: str) -> str:
    return f"{folder.rstrip('/')}/" if "://" in folder else f"{Path(folder).resolve()}/"


def _leave_measuring(connection: duckdb.DuckDBPyConnection) -> None:
    """Leave one thing free behind the lock: whether a connection measures how far its statement is."""
    try:
        connection.execute("SET GLOBAL allowed_configs = ['enable_progress_bar', 'enable_progress_bar_print']")
    except duckdb.Error:
        # A DuckDB that knows no such setting measures nothing, and a listener hears how long it takes.
        return


def _function_type(kind: str) -> str:
    return duckdb_type(parse_type(kind))


def quote_name(name: str) -> str:
    """Return a name as an identifier."""
    return '"' + name.replace('"', '""') + '"'


def quote_text(text: str) -> str:
    """Return a text as a literal."""
    return "'" + text.replace("'", "''") + "'"


def plain_path(path: str) -> str:
    """Return a path in which nothing is a glob: a folder may be called ``logs[1]``."""
    return re.sub(r"([*?\[])", r"[\1]", path.removeprefix("file://"))


def execute_sql(connection: duckdb.DuckDBPyConnection, sql: str, values: Mapping[str, Any] | None = None) -> None:
    """Run one statement of ours. Raises QueryFailedError."""
    try:
        connection.execute(sql, values or None)
    except duckdb.Error as error:
        raise explain_failure(error) from error
