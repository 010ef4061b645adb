"""Statements judged and written for Trino once, filled with tables and values at each run."""

import re
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
from sqlglot import exp

from workbench.errors import QueryRefusedError
from workbench.query.base import Part, Relation, Table
from workbench.query.duckdb.rewrites import write_duckdb
from workbench.query.subset.annotate import annotate_types
from workbench.query.subset.dialect import parse_select, read_statement, type_of_value
from workbench.query.subset.types import Type, parse_type
from workbench.query.trino.native import write_native
from workbench.query.trino.text import write_own, write_trino
from workbench.query.trino.values import bind_statement, write_value

_KEPT: Final = 256


class Template(msgspec.Struct, frozen=True, kw_only=True):
    """A statement in Trino's words whose relations and values are still names, and the answer's columns."""

    sql: str
    columns: Mapping[str, Type]


class TrinoPlans:
    """The statements of one engine over one catalog. Safe to use from several threads."""

    def __init__(self, catalog: str) -> None:
        self._catalog = catalog
        self._lock = threading.Lock()
        self._templates: OrderedDict[tuple[Any, ...], Template] = OrderedDict()
        # Nobody who writes a statement can know it, so no text of theirs is taken for a relation or a value.
        self._token = secrets.token_hex(8)
        self._named = re.compile(rf'"{self._token}:([rpl]):(\w+)"')

    def compile(
        self,
        statement: str,
        parameters: Mapping[str, Any],
        relations: Mapping[str, Relation],
        *,
        row_limit: int | None = None,
        native: bool = False,
    ) -> Template:
        """Return a user's statement, judged and written; raises QueryRefusedError."""
        kinds = {name: type_of_value(name, value) for name, value in parameters.items()}
        shapes = tuple((name, tuple(relation.columns.items())) for name, relation in relations.items())
        key = (statement, tuple(kinds.items()), shapes, row_limit, native)
        with self._lock:
            template = self._templates.get(key)
            if template is None:
                written = self._write_native if native else self._write
                template = self._templates[key] = written(statement, relations, kinds, row_limit)
                if len(self._templates) > _KEPT:
                    self._templates.popitem(last=False)
            else:
                self._templates.move_to_end(key)
        return template

    def fill(
        self, template: Template, relations: Mapping[str, Relation], values: Mapping[str, Any], *, explain: bool = False
    ) -> str:
        """Return the text to send: tables at their snapshots, values bound.

        ``explain`` asks for its plan; Trino plans no statement with markers, so the values then stand in it.
        """
        bound: list[Any] = []

        def put(found: re.Match[str]) -> str:
            kind, name = found.groups()
            if kind == "r":
                return self._source(relations[name], relations)
            if kind == "l":
                return _spread(values[name], mark)
            return mark(values[name])

        def mark(value: Any) -> str:
            if explain:
                return write_value(value)
            bound.append(value)
            return "?"

        return bind_statement(("EXPLAIN " if explain else "") + self._named.sub(put, template.sql), bound)

    def _write(
        self, statement: str, relations: Mapping[str, Relation], kinds: Mapping[str, Type], row_limit: int | None
    ) -> Template:
        tables = _columns(relations)
        read = read_statement(statement, tables, kinds)
        columns = annotate_types(read, statement, tables)
        # What has no counterpart on the other engine is refused on this one too: a statement that runs, runs on both.
        write_duckdb(read.tree.copy(), dict.fromkeys(read.relations, "relation"))
        _limit(read.tree, row_limit)
        for node in list(read.tree.find_all(exp.In)):
            self._spread_lists(node, kinds)
        return Template(sql=write_trino(read.tree, relation=self._relation, marker=self._marker), columns=columns)

    def _write_native(
        self, statement: str, relations: Mapping[str, Relation], kinds: Mapping[str, Type], _row_limit: int | None
    ) -> Template:
        sql = write_native(
            statement,
            frozenset(relations),
            frozenset(kinds),
            relation=self._relation,
            marker=lambda name: self._marker(name, kinds[name]),
        )
        return Template(sql=sql, columns={})

    def _relation(self, name: str) -> str:
        return f'"{self._token}:r:{name}"'

    def _marker(self, name: str, _kind: Type) -> str:
        return f'"{self._token}:p:{name}"'

    def _spread_lists(self, node: exp.In, kinds: Mapping[str, Type]) -> None:
        """Mark a list parameter after IN: it becomes as many markers as it has values."""
        for item in node.expressions:
            if isinstance(item, exp.Placeholder) and kinds[item.name].name == "array":
                if len(node.expressions) != 1:
                    raise QueryRefusedError("IN takes one list parameter, or values; not both.")
                item.replace(exp.Var(this=f'"{self._token}:l:{item.name}"'))

    def _source(self, relation: Relation, relations: Mapping[str, Relation]) -> str:
        if relation.select is not None:
            return f"({self._select(relation, relations)})"
        if relation.arrow is not None:
            raise QueryRefusedError(
                f"The relation {relation.name} is made in process, and Trino cannot read it. Use engine='duckdb'."
            )
        parts = [self._part(part, relation) for part in relation.parts if part.table is not None]
        if len(parts) != len(relation.parts):
            raise QueryRefusedError(f"The relation {relation.name} stands in files and in no table Trino knows.")
        return f"({' UNION ALL '.join(parts) if parts else _empty(relation)})"

    def _select(self, relation: Relation, relations: Mapping[str, Relation]) -> str:
        others = {name: other for name, other in relations.items() if name != relation.name}
        if relation.tables:
            read = {name: self._name(find()) for name, find in relation.tables.items()}
            tree = parse_select(relation.select or "")
            used = {node.name for node in tree.find_all(exp.Table)} & set(others)
            return write_own(tree, read | {name: self._source(others[name], others) for name in used})
        template = self._own(relation.select or "", others)
        return self._named.sub(lambda found: self._source(others[found[2]], others), template.sql)

    def _own(self, text: str, others: Mapping[str, Relation]) -> Template:
        """Return a relation's own SELECT, judged as a user's is. The caller may hold no lock."""
        return self.compile(text, {}, others)

    def _part(self, part: Part, relation: Relation) -> str:
        names = ", ".join(quote_name(column) for column in relation.columns)
        source = f"SELECT {names} FROM {self._name(part.table)}"  # type: ignore[arg-type] # checked above  # noqa: S608 - names quoted
        return source if part.after is None else f"{source} WHERE position > {int(part.after)}"

    def _name(self, table: Table) -> str:
        name = ".".join(quote_name(word) for word in (self._catalog, table.namespace, table.name))
        return name if table.snapshot_id is None else f"{name} FOR VERSION AS OF {int(table.snapshot_id)}"


def quote_name(name: str) -> str:
    """Return a name as an identifier."""
    return '"' + name.replace('"', '""') + '"'


def _columns(relations: Mapping[str, Relation]) -> dict[str, dict[str, Type]]:
    return {
        name: {column: parse_type(kind) for column, kind in relation.columns.items()}
        for name, relation in relations.items()
    }


def _empty(relation: Relation) -> str:
    typed = ", ".join(
        f"CAST(NULL AS {parse_type(kind)}) AS {quote_name(column)}" for column, kind in relation.columns.items()
    )
    return f"SELECT {typed} WHERE false"


def _spread(values: Any, mark: Callable[[Any], str]) -> str:
    """Return the markers of a list; of an empty one a query without rows, which nothing is in."""
    return ", ".join(map(mark, values)) if values else "SELECT NULL WHERE false"


def _limit(tree: exp.Query, row_limit: int | None) -> None:
    """Ask the engine for one row more than allowed, so that it stops early and the excess is noticed."""
    if row_limit and tree.args.get("limit") is None and not _is_summary(tree):
        tree.set("limit", exp.Limit(expression=exp.Literal.number(row_limit + 1)))


def _is_summary(tree: exp.Query) -> bool:
    """Say whether a statement is groups in no order: a limit would cost a stage of its own, 14 ms of 70.

    Should there be more of them than may be, the rows are counted as they come and the statement is stopped.
    """
    if not isinstance(tree, exp.Select):
        return not isinstance(tree, exp.SetOperation)
    called = (call.meta.get("signature") for column in tree.expressions for call in column.find_all(exp.Anonymous))
    aggregates = any(signature is not None and signature.kind == "aggregate" for signature in called)
    return tree.args.get("order") is None and (aggregates or bool(tree.args.get("group") or tree.args.get("distinct")))
