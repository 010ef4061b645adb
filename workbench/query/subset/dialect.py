"""Read one statement of the declared subset of Trino's SQL, and refuse everything else before anything runs.

What may stand in a statement is data: clauses and operators in grammar.py, functions in functions.py. A statement that
passes is one SELECT over the session's relations, with every name resolved and every expression's type known.
"""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, NoReturn

import msgspec
from sqlglot import exp
from sqlglot.dialects import Trino
from sqlglot.errors import OptimizeError, ParseError, SqlglotError
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import traverse_scope
from sqlglot.tokenizer_core import TokenType

from workbench.errors import QueryRefusedError
from workbench.query.subset.functions import REFUSED, list_functions
from workbench.query.subset.grammar import NODES
from workbench.query.subset.types import BIGINT, BOOLEAN, DATE, DOUBLE, TIMESTAMPTZ, UNKNOWN, VARCHAR, Type, type_of

_WORDS_INSIDE: Final = ("CAST", "TRY_CAST", "EXTRACT", "TRIM", "SUBSTRING", "POSITION")
LONGEST_STATEMENT: Final = 200_000


class Declared(Trino):  # type: ignore[misc] # SQLGlot types its dialects as Any
    """Trino's grammar with every function left as it was written, so that it is judged by the name in the statement."""

    # SQLGlot would count subscripts from 0 inside; they stay as written.
    INDEX_OFFSET = 0

    class Parser(Trino.Parser):  # type: ignore[misc] # the same
        """Trino's parser without SQLGlot's own reading of functions."""

        FUNCTIONS: Final[dict[str, Any]] = {}
        FUNCTION_PARSERS: Final[dict[str, Any]] = {name: Trino.Parser.FUNCTION_PARSERS[name] for name in _WORDS_INSIDE}
        NO_PAREN_FUNCTION_PARSERS: Final[dict[str, Any]] = {
            name: Trino.Parser.NO_PAREN_FUNCTION_PARSERS[name] for name in ("CASE", "IF")
        }


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """A statement that passed: its tree with names resolved, the relations it reads, and its parameters' types."""

    tree: Any
    relations: frozenset[str]
    parameters: Mapping[str, Type]


def read_statement(
    text: str,
    tables: Mapping[str, Mapping[str, Type]],
    parameters: Mapping[str, Type],
    *,
    allowed: frozenset[str] = frozenset(),
) -> Statement:
    """Return a statement whose every node, function and relation is allowed, with all columns resolved.

    ``tables`` are the relations' columns; ``allowed`` names functions beside the subset's, for the session's own views.
    Raises QueryRefusedError naming the word at fault and its place.
    """
    tree = parse_select(text)
    check_nodes(tree, text)
    check_functions(tree, text, allowed)
    used = _check_parameters(tree, text, parameters)
    _check_names(tree, text, tables)
    resolved = _resolve(tree, tables)
    _check_answer(resolved)
    _resolve_having(resolved)
    _check_columns(resolved, text)
    return Statement(tree=resolved, relations=_check_sources(resolved, text, tables), parameters=used)


def parse_select(text: str) -> exp.Query:
    """Return the one SELECT a text holds, parsed and not yet judged; raises QueryRefusedError for anything else."""
    if len(text) > LONGEST_STATEMENT:
        raise QueryRefusedError(f"The statement has {len(text):,} characters; {LONGEST_STATEMENT:,} are possible.")
    try:
        dialect = Declared()
        tokens = dialect.tokenize(text)
        trees = [tree for tree in dialect.parser().parse(tokens, text) if tree is not None]
    except ParseError as error:
        raise QueryRefusedError(_parse_message(error)) from error
    except (SqlglotError, ValueError, RecursionError) as error:
        raise QueryRefusedError("The statement cannot be read as SQL. Write one SELECT in Trino's dialect.") from error
    semicolons = [token for token in tokens if token.token_type == TokenType.SEMICOLON]
    if len(trees) != 1 or len(semicolons) > 1:
        raise QueryRefusedError(f"The text holds {max(len(trees), len(semicolons))} statements; write one SELECT.")
    tree = trees[0]
    if not isinstance(tree, (exp.Select, exp.SetOperation, exp.Subquery)):
        word = tokens[0].text if tokens else ""
        raise QueryRefusedError(f"Only SELECT may be run, and this begins with {word.upper()!r} (line 1, column 1).")
    written = sum(token.token_type == TokenType.SELECT for token in tokens)
    if written != sum(1 for _ in tree.find_all(exp.Select)):
        raise QueryRefusedError("Every query must begin with SELECT; FROM first and TABLE … are not in the subset.")
    return tree


def _parse_message(error: ParseError) -> str:
    found = error.errors[0] if error.errors else {}
    place = f" at {found['highlight']!r} (line {found['line']}, column {found['col']})" if found.get("line") else ""
    return f"The statement cannot be read as SQL{place}: write one SELECT in Trino's dialect."


def refuse(node: exp.Expr, text: str, sentence: str) -> NoReturn:
    """Raise QueryRefusedError with a sentence and the place of the node in the text."""
    raise QueryRefusedError(f"{sentence}{_place(node, text)}")


def _place(node: exp.Expr, text: str) -> str:
    for one in node.walk():
        if "line" in one.meta and one.meta.get("start") is not None:
            start = one.meta["start"]
            line = text.count("\n", 0, start) + 1
            column = start - (text.rfind("\n", 0, start) + 1) + 1
            return f" (line {line}, column {column})"
    return ""


def check_nodes(tree: exp.Expr, text: str) -> None:
    """Refuse a statement that holds a clause or an operator outside grammar.py."""
    for node in tree.walk():
        allowed = NODES.get(type(node))
        if allowed is None:
            _refuse_node(node, text)
        for part, value in node.args.items():
            if part not in allowed and value not in (None, False, [], ""):
                refuse(node, text, f"{_word(node)} with {part.strip('_')!r} is not in the declared subset of SQL.")


def _refuse_node(node: exp.Expr, text: str) -> NoReturn:
    word = _word(node)
    reason = REFUSED.get(word.lower())
    if reason is not None:
        refuse(node, text, f"{word} is refused: {reason}.")
    refuse(node, text, f"{word} is not in the declared subset of SQL.")


def _word(node: exp.Expr) -> str:
    if isinstance(node, exp.Func) and not isinstance(node, exp.Anonymous):
        return node.sql_name()
    return type(node).__name__.upper()


def check_functions(tree: exp.Expr, text: str, allowed: frozenset[str]) -> None:
    """Refuse a call of a function outside functions.py, and one that stands where a table is read."""
    known = list_functions()
    for node in tree.find_all(exp.Anonymous):
        name = node.name.lower()
        if isinstance(node.parent, (exp.Table, exp.From, exp.Join)) or name == "table":
            refuse(
                node, text, f"FROM may not call {name}: only relations, subqueries, VALUES and UNNEST stand in FROM."
            )
        if name in REFUSED:
            refuse(node, text, f"{name} is refused: {REFUSED[name]}.")
        if name not in known and name not in allowed:
            refuse(node, text, f"The function {name} is not in the declared subset; docs/sql.md lists those that are.")


def _check_parameters(tree: exp.Expr, text: str, parameters: Mapping[str, Type]) -> dict[str, Type]:
    used = {}
    for node in tree.find_all(exp.Placeholder):
        name = node.args.get("this")
        if not isinstance(name, str):
            refuse(tree, text, "Parameters have names: write :name and give {'name': value}.")
        if name not in parameters:
            given = ", ".join(f":{one}" for one in parameters) or "none"
            raise QueryRefusedError(f"The parameter :{name} has no value; given are {given}.")
        used[name] = parameters[name]
    return used


def _check_names(tree: exp.Expr, text: str, tables: Mapping[str, Any]) -> None:
    for_ctes = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
    for node in tree.find_all(exp.Table):
        name = node.this.name if isinstance(node.this, exp.Identifier) else node.sql()
        if name.lower() not in for_ctes and name.lower() not in tables:
            refuse(node, text, f"There is no relation {name!r}; FROM may name {', '.join(sorted(tables)) or 'none'}.")


def _resolve(tree: exp.Query, tables: Mapping[str, Mapping[str, Type]]) -> exp.Query:
    _name_columns(tree)
    schema: dict[str, object] = {name: dict.fromkeys(columns, "varchar") for name, columns in tables.items()}
    try:
        resolved: exp.Query = qualify(
            tree, dialect="trino", schema=schema or {"-": {"-": "varchar"}}, expand_alias_refs=False
        )
    except OptimizeError as error:
        sentence = str(error).splitlines()[0].rstrip(".")
        names = sorted({column for columns in tables.values() for column in columns})
        raise QueryRefusedError(f"{sentence}. Columns of the session's relations: {', '.join(names)}.") from error
    except (SqlglotError, RecursionError) as error:
        raise QueryRefusedError("The names of the statement cannot be resolved; simplify it.") from error
    return resolved


def _name_columns(tree: exp.Query) -> None:
    """Name the columns that have no name as Trino does: ``_col`` and their place."""
    for select in tree.find_all(exp.Select):
        for place, column in enumerate(select.expressions):
            if not isinstance(column, (exp.Alias, exp.Column, exp.Star, exp.Dot)):
                column.replace(exp.alias_(column.copy(), f"_col{place}"))


def _check_answer(tree: exp.Query) -> None:
    names = [column.alias_or_name for column in tree.selects]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise QueryRefusedError(f"Two columns of the answer are named {twice[0]!r}; give one another name with AS.")


def _resolve_having(tree: exp.Query) -> None:
    """Resolve a column in HAVING that the answer shows under its own name: SQLGlot takes it for an alias."""
    for having in tree.find_all(exp.Having):
        select = having.find_ancestor(exp.Select)
        plain = [(column.alias_or_name, column.unalias()) for column in (select.selects if select else [])]
        shown = {name: column for name, column in plain if isinstance(column, exp.Column) and column.name == name}
        for column in list(having.find_all(exp.Column)):
            if not column.table and column.name in shown:
                column.replace(shown[column.name].copy())


def _check_columns(tree: exp.Query, text: str) -> None:
    """Refuse a column known only by its alias outside ORDER BY: DuckDB would take it, Trino does not."""
    for column in tree.find_all(exp.Column):
        if not column.table and not isinstance(column.find_ancestor(exp.Order, exp.Select), exp.Order):
            refuse(column, text, f"There is no column {column.name!r} here; an alias is known in ORDER BY only.")


def _check_sources(tree: exp.Query, text: str, tables: Mapping[str, Any]) -> frozenset[str]:
    names = set()
    for scope in traverse_scope(tree):
        for source in scope.sources.values():
            if isinstance(source, exp.Table):
                if source.name not in tables:
                    refuse(source, text, f"There is no relation {source.name!r} where it is named.")
                source.meta["relation"] = source.name
                names.add(source.name)
    return frozenset(names)


def type_of_value(name: str, value: Any) -> Type:
    """Return the SQL type a parameter's value is bound with; raises QueryRefusedError for values that have none."""
    if isinstance(value, (list, tuple)):
        kinds = {type_of_value(name, item) for item in value}
        return Type("array", items=(kinds.pop() if len(kinds) == 1 else UNKNOWN,))
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise QueryRefusedError(f"The parameter :{name} is a time without a zone, {value}; give an aware datetime.")
        return TIMESTAMPTZ
    if isinstance(value, Decimal):
        return _decimal_type(name, value)
    for python, kind in ((bool, BOOLEAN), (int, BIGINT), (float, DOUBLE), (str, VARCHAR), (date, DATE)):
        if isinstance(value, python):
            return kind
    if value is None:
        return UNKNOWN
    raise QueryRefusedError(
        f"The parameter :{name} has type {type(value).__name__}; possible are str, int, float, bool, Decimal, "
        "datetime, date, None and lists of one of these."
    )


def _decimal_type(name: str, value: Decimal) -> Type:
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int):
        raise QueryRefusedError(f"The parameter :{name} is {value}, which no decimal holds.")
    scale = max(0, -exponent)
    return Type("decimal", (max(len(value.as_tuple().digits) + max(0, exponent), scale, 1), scale))


def cast_target(node: exp.Expr, text: str) -> Type:
    """Return the type a CAST names; refuses one outside the subset."""
    try:
        return type_of(node.args["to"])
    except KeyError as error:
        refuse(node, text, f"The type {error.args[0]} is not in the declared subset.")
