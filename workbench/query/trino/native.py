"""Judge a statement in Trino's own dialect, for ``native=True``: one SELECT over the session's relations alone."""

import itertools
from collections.abc import Callable
from typing import Any, Final

from sqlglot import exp
from sqlglot.tokenizer_core import TokenType

from workbench.errors import QueryRefusedError
from workbench.query.subset.dialect import Declared, parse_select

SEMICOLON: Final = TokenType.SEMICOLON


def write_native(
    statement: str,
    relations: frozenset[str],
    parameters: frozenset[str],
    *,
    relation: Callable[[str], str],
    marker: Callable[[str], str],
) -> str:
    """Return the statement as it is written, but for the relations' names and the ``:name`` parameters.

    Refuses what SQLGlot cannot read as one SELECT, names with a schema, and functions in FROM: they could reach what
    the session does not show. Raises QueryRefusedError.
    """
    tree = parse_select(statement)
    written = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
    places: list[tuple[int, int, str]] = []
    for table in tree.find_all(exp.Table):
        name = _check_table(table, relations, written)
        if name in relations:
            places.append(_place(table, name, relation))
    places += _find_parameters(statement, parameters, marker)
    # The text goes inside another statement or alone: a semicolon ends neither.
    places += [(token.start, token.end + 1, "") for token in _tokens(statement) if token.token_type == SEMICOLON]
    for start, end, text in sorted(places, reverse=True):
        statement = f"{statement[:start]}{text}{statement[end:]}"
    return statement


def _check_table(table: exp.Table, relations: frozenset[str], written: set[str]) -> str:
    if not isinstance(table.this, exp.Identifier):
        raise QueryRefusedError(f"FROM may not call {table.this.sql()}: it could read what the session does not show.")
    name = table.name.lower()
    if table.args.get("db") or (name not in relations and name not in written):
        raise QueryRefusedError(f"There is no relation {table.sql(dialect=Declared)!r} in this session.")
    if name in relations and name in written:
        raise QueryRefusedError(f"WITH gives the name of a relation, {name!r}, anew. Choose another name.")
    if table.args.get("version") or table.args.get("when"):
        raise QueryRefusedError(
            f"The session reads {name!r} at one snapshot; FOR VERSION and FOR TIMESTAMP are refused."
        )
    return name


def _place(table: exp.Table, name: str, relation: Callable[[str], str]) -> tuple[int, int, str]:
    start, end = table.this.meta.get("start"), table.this.meta.get("end")
    if start is None or end is None:
        raise QueryRefusedError(f"Where {name!r} stands in the statement cannot be told; write it in the subset.")
    # Without an alias the relation keeps its name.
    alias = "" if table.alias else f' AS "{name}"'
    return start, end + 1, f"{relation(name)}{alias}"


def _tokens(statement: str) -> list[Any]:
    tokens: list[Any] = Declared().tokenize(statement)
    return tokens


def _find_parameters(
    statement: str, parameters: frozenset[str], marker: Callable[[str], str]
) -> list[tuple[int, int, str]]:
    places = []
    for colon, name in itertools.pairwise(_tokens(statement)):
        if colon.token_type == TokenType.COLON and colon.end + 1 == name.start:
            if name.text not in parameters:
                raise QueryRefusedError(f"The parameter :{name.text} has no value.")
            places.append((colon.start, name.end + 1, marker(name.text)))
    return places
