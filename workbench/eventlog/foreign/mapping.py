"""A log that someone else writes: any Iceberg table, its columns mapped to the log's names, read-only."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from workbench.errors import ConfigError, MappingError
from workbench.eventlog.schema import POSITION
from workbench.eventlog.shapes.listing import EVENT_COLUMNS

MAPPED_TABLE: Final = "mapped_table"
NEEDED: Final = ("event_id", "stream_id", "event_type", "occurred_at")
# The log's own order where the table has no position.
ORDER: Final = ("occurred_at", "source", "event_id")
_NAME: Final = re.compile(r'\s*(?:"(?P<quoted>(?:[^"]|"")+)"|(?P<plain>[A-Za-z_][A-Za-z0-9_]*))\s*')


def check_names(mapping: Mapping[str, str]) -> None:
    """Refuse a mapping of unknown names, or one that leaves out what every event has. Raises MappingError."""
    for name in mapping:
        if name not in EVENT_COLUMNS:
            raise MappingError(
                f"[log.mapping] maps {name!r}, which is no column of the log. Possible are {', '.join(EVENT_COLUMNS)}."
            )
    missing = [name for name in NEEDED if name not in mapping]
    if missing:
        raise MappingError(
            f"[log.mapping] does not map {', '.join(missing)}. Give a column or an SQL expression for each of "
            f"{', '.join(NEEDED)}; the others may be left out."
        )


def split_table(table: str | None) -> tuple[str, str]:
    """Return namespace and name of the table a mapping is of. Raises ConfigError."""
    namespace, _, name = (table or "").rpartition(".")
    if not namespace or not name:
        raise ConfigError(
            f"[log.mapping] needs the table it maps, and table = {table!r} names none. "
            'Set table = "namespace.name" under [log].'
        )
    return namespace, name


def plain_column(expression: str, columns: Sequence[str]) -> str | None:
    """Return the column of ``columns`` that the expression is, as it is written there; None for a real expression."""
    found = _NAME.fullmatch(expression)
    if found is None:
        return None
    name = (found["quoted"] or found["plain"]).replace('""', '"')
    return next((column for column in columns if column.lower() == name.lower()), None)


def select_mapped(mapping: Mapping[str, str], *, source: str, columns: Mapping[str, str]) -> str:
    """Return the SELECT, in Trino's dialect, that gives `events_stored` from the mapped table.

    ``columns`` are the table's columns with their types; an unmapped column is null, ``source`` and schema_version 1
    apart. An expression stands on lines of its own, so that a comment in it ends there.
    """
    constants = {"source": _literal(source), "schema_version": "1"}
    chosen = {name: mapping.get(name, constants.get(name, "null")) for name in EVENT_COLUMNS}
    items = [
        f"{_give(text, kind, columns)} as {name}"
        for (name, text), kind in zip(chosen.items(), EVENT_COLUMNS.values(), strict=True)
    ]
    return f"select {', '.join(items)} from {MAPPED_TABLE}"  # noqa: S608 - the expressions are checked one by one before


def _give(expression: str, kind: str, columns: Mapping[str, str]) -> str:
    column = plain_column(expression, list(columns))
    if column is None:
        return f"cast((\n{expression}\n) as {kind})"
    name = '"' + column.replace('"', '""') + '"'
    return name if columns[column] == kind else f"cast({name} as {kind})"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def check_position(mapping: Mapping[str, str], columns: Mapping[str, str], table: str) -> str | None:
    """Return the column that position is, None when it is not mapped. Raises MappingError for an expression."""
    expression = mapping.get(POSITION)
    if expression is None:
        return None
    column = plain_column(expression, list(columns))
    if column is None or columns[column] not in {"bigint", "integer"}:
        found = "no column" if column is None else f"of type {columns[column]}"
        raise MappingError(
            f"[log.mapping] position = {expression!r} is {found} of {table}. It must be a plain integer column, unique "
            "and growing; leave it out, and the order is by time, source and id."
        )
    return column
