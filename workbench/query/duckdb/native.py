"""Judge a statement in DuckDB's own dialect by DuckDB's own parser, for ``native=True``."""

import itertools
import json
from collections.abc import Iterator
from typing import Any, Final

import duckdb

from workbench.errors import QueryRefusedError

# DuckDB's parser takes time by the square of these: 0.2 s for 500, 15 s for 5,000.
_DEEPEST: Final = 500
# Table functions that make rows from their arguments and read nothing.
_TABLE_FUNCTIONS: Final = frozenset({"unnest", "range", "generate_series"})
_WINDOW_FUNCTIONS: Final = frozenset(
    {"row_number", "rank", "dense_rank", "rank_dense", "percent_rank", "cume_dist", "ntile", "lag", "lead", "nth_value"}
    | {"first_value", "last_value", "first", "last", "any_value", "coalesce", "try", "unnest", "row", "list_value"}
    | {"struct_pack", "grouping", "grouping_id", "fill"}
)
# Words without parentheses that DuckDB resolves to functions when no column has the name.
_VALUE_WORDS: Final = frozenset(
    ["current_user", "session_user", "user", "current_role", "current_schema", "current_catalog", "current_database"]
)
# Functions that show settings, the process or the catalog, or run SQL given as text.
_REFUSED: Final = frozenset(
    {"current_setting", "getenv", "getvariable", "current_database", "current_schema", "current_schemas", "user"}
    | {"current_user", "current_catalog", "current_query", "txid_current", "nextval", "currval", "lastval", "write_log"}
    | {"json_serialize_plan", "json_serialize_sql", "json_deserialize_sql", "json_execute_serialized_sql", "version"}
    | {"in_search_path", "pg_typeof", "parse_duckdb_log_message", "add_parquet_key", "set_config"}
)


def check_native(
    connection: duckdb.DuckDBPyConnection, statement: str, relations: frozenset[str], own: frozenset[str] = frozenset()
) -> frozenset[str]:
    """Return the relations a native statement reads, once DuckDB's own parser shows one SELECT over them alone.

    ``own`` are the functions the engine was handed, which no statement may call. Table functions but unnest, range and
    generate_series are refused, as are names with a schema, and functions that show settings, the process or the
    catalog.
    """
    if _open_parentheses(statement) > _DEEPEST:
        raise QueryRefusedError(f"The statement opens more than {_DEEPEST} parentheses inside each other. Simplify it.")
    rows = connection.execute("SELECT json_serialize_sql($statement)", {"statement": statement}).fetchall()
    tree = json.loads(rows[0][0])
    if tree.get("error") or len(tree.get("statements", [])) != 1:
        raise QueryRefusedError("Only one SELECT may be run natively; DuckDB reads this as something else.")
    nodes = list(_walk(tree))
    known = _known_functions(connection) - own
    names = {entry["key"].lower() for node in nodes for entry in node.get("map", []) if "key" in entry}
    for node in nodes:
        _check_node(node, relations | names)
        _check_function(node, known)
    read = {str(node.get("table_name", "")).lower() for node in nodes if node.get("type") == "BASE_TABLE"}
    return relations & read


def _open_parentheses(statement: str) -> int:
    """Return how many parentheses are open at most; one in a text counts too, as no statement needs that many."""
    steps = (1 if letter == "(" else -1 for letter in statement if letter in "()")
    return max(itertools.accumulate(steps), default=0)


def _walk(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from _walk(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _walk(inner)


def _check_node(node: dict[str, Any], names: frozenset[str] | set[str]) -> None:
    kind = node.get("type")
    if kind == "BASE_TABLE" and (
        node.get("schema_name") or node.get("catalog_name") or node.get("table_name", "").lower() not in names
    ):
        raise QueryRefusedError(f"There is no relation {node.get('table_name')!r} in this session.")
    if kind == "SHOW_REF":
        raise QueryRefusedError("DESCRIBE, SUMMARIZE and SHOW are not possible; look at session.relations().")
    if kind == "TABLE_FUNCTION":
        name = str(node.get("function", {}).get("function_name", "")).lower()
        if name not in _TABLE_FUNCTIONS:
            raise QueryRefusedError(f"FROM may not call {name}: it could read files, settings or SQL given as text.")


def _known_functions(connection: duckdb.DuckDBPyConnection) -> frozenset[str]:
    """Return the scalar and aggregate functions DuckDB brings itself: not the engine's macros, not Python's."""
    rows = connection.execute(
        "SELECT DISTINCT function_name FROM duckdb_functions() WHERE function_type IN ('scalar', 'aggregate', 'macro') "
        "AND internal AND function_name NOT LIKE 'wb\\_%' ESCAPE '\\'"
    ).fetchall()
    return frozenset(str(row[0]).lower() for row in rows) | _WINDOW_FUNCTIONS


def _check_function(node: dict[str, Any], known: frozenset[str]) -> None:
    name = str(node.get("function_name", "")).lower()
    columns = node.get("column_names") if node.get("type") == "COLUMN_REF" else None
    if columns and len(columns) == 1 and str(columns[0]).lower() in _VALUE_WORDS:
        name = str(columns[0]).lower()
    if name in _REFUSED or name in _VALUE_WORDS:
        raise QueryRefusedError(f"The function {name} is refused: it shows the process or its settings.")
    if name and not node.get("is_operator") and name not in known | _TABLE_FUNCTIONS:
        raise QueryRefusedError(f"The function {name} is not one of DuckDB's own scalar and aggregate functions.")
