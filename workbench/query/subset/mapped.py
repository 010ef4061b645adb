"""Judge the expressions of a mapped log before anything runs, each by itself, so that the one at fault is named."""

from collections.abc import Mapping
from typing import Final

from sqlglot import exp

from workbench.errors import MappingError, QueryRefusedError
from workbench.query.subset.annotate import annotate_types
from workbench.query.subset.dialect import parse_select, read_statement
from workbench.query.subset.functions import list_functions
from workbench.query.subset.types import INTEGERS, NUMBERS, UNKNOWN, Type, parse_type

_TIMES: Final = ("occurred_at", "recorded_at")
_WHOLE: Final = ("position", "stream_version", "schema_version", "erased_at_position")
_TEXTS: Final = ("varchar", "boolean", "date", *NUMBERS)


def check_mapping(mapping: Mapping[str, str], columns: Mapping[str, str]) -> None:
    """Refuse an expression that cannot be its column of the log.

    ``columns`` are the mapped table's, with Trino's types. Raises MappingError naming column, expression and fault.
    """
    kinds = {name: parse_type(kind) for name, kind in columns.items()}
    for name, expression in mapping.items():
        _check_type(name, expression, _find_type(name, expression, kinds))


def _find_type(name: str, expression: str, columns: Mapping[str, Type]) -> Type:
    text = f"select (\n{expression}\n) as found from mapped_table"  # noqa: S608 - judged below, and never run
    tables = {"mapped_table": columns}
    try:
        if not _is_single(parse_select(text)):
            raise MappingError(
                f"[log.mapping] {name} = {expression!r} is more than one expression over a row's columns. Leave out "
                "SELECT, aggregates and window functions."
            )
        return annotate_types(read_statement(text, tables, {}), text, tables)["found"]
    except QueryRefusedError as error:
        raise MappingError(
            f"[log.mapping] {name} = {expression!r} cannot be used: {error} The table's columns are "
            f"{', '.join(columns)}."
        ) from error


def _is_single(tree: exp.Query) -> bool:
    parts = {part for part, value in tree.args.items() if value}
    if (
        not isinstance(tree, exp.Select)
        or parts - {"expressions", "from_", "from", "kind"}
        or len(tree.expressions) != 1
    ):
        return False
    projection = tree.expressions[0]
    if (
        not isinstance(projection, exp.Alias)
        or projection.alias != "found"
        or not isinstance(projection.this, exp.Paren)
    ):
        return False
    called = [node.name.lower() for node in projection.find_all(exp.Anonymous)]
    kinds = {signature.kind for name in called for signature in list_functions().get(name, ())}
    return kinds <= {"scalar"} and projection.find(exp.Select, exp.Window) is None


def _check_type(name: str, expression: str, kind: Type) -> None:
    if kind == UNKNOWN:
        return
    wanted, hint = "text", "Use json_format(…) or cast(… as varchar)."
    fits = kind.name in _TEXTS
    if name in _TIMES:
        wanted, hint = "a time with a zone", "Use with_timezone(column, 'UTC'), or from_unixtime(…) of seconds."
        fits = kind.name == "timestamptz"
    elif name in _WHOLE:
        wanted, hint = "a whole number", "Use cast(… as bigint)."
        fits = kind.name in INTEGERS
    if not fits:
        raise MappingError(f"[log.mapping] {name} = {expression!r} is of type {kind}, not {wanted}. {hint}")
