"""Checks that a mapping's expression is scalar, repeatable and speaks of the input's columns only.

DuckDB's own parser gives the tree, so what is checked is exactly what runs. Nothing but these classes of node is let
through: no subquery, no aggregate, no window, no table function, no parameter, and of functions only built-in scalar
ones whose result depends on nothing but their arguments.
"""

import json
from typing import Any

import duckdb
import msgspec

from workbench.errors import MappingError
from workbench.sources.mapping import Mapping

_NODES = {
    "FUNCTION", "COLUMN_REF", "CONSTANT", "CASE", "CAST", "COMPARISON", "CONJUNCTION", "OPERATOR", "BETWEEN",
    "COLLATE", "LAMBDA", "TYPE",
}  # fmt: skip
_MACROS = {
    "array_to_string", "date_add", "days_in_month", "fdiv", "fmod", "if", "json", "list_append", "list_first",
    "list_last", "list_prepend", "list_reverse", "nullif", "split_part",
}  # fmt: skip
# Consistent by DuckDB's own word, yet they tell of the process, its catalog or its clock.
_REFUSED = {
    "age",
    "getenv",
    "version",
    "current_setting",
    "getvariable",
    "txid_current",
    "pg_typeof",
    "alias",
    "unnest",
}
_FUNCTIONS = """
select function_name from duckdb_functions() where schema_name = 'main' and function_type = 'scalar'
group by function_name having bool_and(stability = 'CONSISTENT')
"""


def open_engine() -> duckdb.DuckDBPyConnection:
    """Return a DuckDB of its own that reaches no file, network or Python variable; one thread keeps the order."""
    engine = duckdb.connect(config={"enable_external_access": False})
    for setting in (
        "TimeZone = 'UTC'",
        "threads = 1",
        "preserve_insertion_order = true",
        "python_enable_replacements = false",
        "enable_progress_bar = false",
        "autoinstall_known_extensions = false",
        "autoload_known_extensions = false",
        "lock_configuration = true",
    ):
        engine.execute(f"set {setting}")
    return engine


class ExpressionCheck:
    """Refuses expressions; knows the columns of one input and the functions of one engine."""

    def __init__(self, engine: duckdb.DuckDBPyConnection, columns: list[str], name: str) -> None:
        self._engine = engine
        self._columns = columns
        self._known = {column.lower() for column in columns}
        self._name = name
        self._functions = {row[0] for row in engine.execute(_FUNCTIONS).fetchall()} - _REFUSED | _MACROS

    def check(self, target: str, expression: str) -> None:
        """Raise MappingError, naming the target, the expression and the word at fault, unless it may run."""
        for name in sorted(self.find(target, expression)):
            if name.lower() not in self._known:
                raise self._refuse(target, expression, f"names {name}, which the input does not have")

    def find(self, target: str, expression: str) -> set[str]:
        """Return the columns an expression names; raises MappingError unless it is scalar and repeatable."""
        statement = self._parse(target, expression)
        selected = statement.get("select_list", [])
        is_plain = statement.get("type") == "SELECT_NODE" and statement["from_table"]["type"] == "EMPTY"
        rest = ("where_clause", "having", "qualify", "sample", "modifiers", "group_expressions", "cte_map")
        if not is_plain or len(selected) != 1 or any(_holds(statement.get(part)) for part in rest):
            raise self._refuse(target, expression, "is more than one scalar expression")
        return self._walk(target, expression, selected[0])

    def _parse(self, target: str, expression: str) -> dict[str, Any]:
        rows = self._engine.execute("select json_serialize_sql(?)", [f"select (\n{expression}\n)"]).fetchall()
        tree = json.loads(rows[0][0])
        if tree["error"] or len(tree["statements"]) != 1:
            message = str(tree.get("error_message", "it is no SELECT")).splitlines()[0]
            raise self._refuse(target, expression, f"is not a SQL expression ({message})")
        node: dict[str, Any] = tree["statements"][0]["node"]
        return node

    def _walk(self, target: str, expression: str, root: Any) -> set[str]:
        found: set[str] = set()
        pending: list[tuple[Any, frozenset[str]]] = [(root, frozenset())]
        while pending:
            node, names = pending.pop()
            if isinstance(node, list):
                pending += [(item, names) for item in node]
            elif isinstance(node, dict):
                kind = node.get("class")
                if kind is not None and kind not in _NODES:
                    raise self._refuse(
                        target, expression, f"holds {kind.lower().replace('_', ' ')}, which is not scalar"
                    )
                if kind == "LAMBDA":
                    names |= _find_names(node.get("lhs"))
                if kind == "FUNCTION" and not self._is_allowed(node):
                    function = node["function_name"]
                    raise self._refuse(target, expression, f"calls {function}(), which a mapping may not call")
                if kind == "COLUMN_REF" and node["column_names"][0].lower() not in names:
                    found.add(node["column_names"][0])
                pending += [(part, names) for key, part in node.items() if key != "type_expr"]
        return found

    def _is_allowed(self, node: dict[str, Any]) -> bool:
        # DuckDB 1.5 names the place of functions that its own grammar stands for, such as date_part for extract.
        is_own = node.get("schema") in {None, "", "main"} and node.get("catalog") in {None, "", "system"}
        return is_own and node["function_name"].lower() in self._functions

    def _refuse(self, target: str, expression: str, fault: str) -> MappingError:
        columns = ", ".join(self._columns)
        return MappingError(
            f"{self._name}: the expression of {target}, {expression!r}, {fault}. "
            f"Write one scalar expression over the input's columns: {columns}."
        )


def find_columns(mapping: Mapping) -> set[str]:
    """Return the columns of the input that a mapping names, as they are written; those of its lookup are not."""
    if mapping.events:
        plain = [msgspec.structs.replace(each, lookup=mapping.lookup) for each in mapping.events]
        return set().union(*map(find_columns, plain))
    engine = open_engine()
    check = ExpressionCheck(engine, [], mapping.name)
    tables = {"": mapping.columns, "data.": mapping.data or {}, "metadata.": mapping.metadata or {}}
    found: set[str] = set()
    for table, expressions in tables.items():
        for target, expression in expressions.items():
            found |= check.find(table + target, expression)
    looked_up = mapping.lookup
    return found if looked_up is None else found - set(looked_up.columns) | {looked_up.on[0]}


def _holds(part: Any) -> bool:
    return bool(part) and part != {"map": []}


def _find_names(node: Any) -> frozenset[str]:
    """Return the names a lambda gives its arguments."""
    if isinstance(node, dict):
        own = {name.lower() for name in node.get("column_names", [])}
        return frozenset(own).union(*[_find_names(part) for part in node.values()])
    return frozenset().union(*[_find_names(item) for item in node]) if isinstance(node, list) else frozenset()
