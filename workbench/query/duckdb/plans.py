"""Statements judged and compiled once, filled with what their relations are at each run."""

import re
import secrets
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Final

import msgspec
from sqlglot import exp

from workbench.errors import QueryRefusedError
from workbench.query.base import ArrowFunction, Part, Relation
from workbench.query.cuts import Cut, find_cuts, keep_files, passing_columns
from workbench.query.duckdb.connection import plain_path, quote_name, quote_text
from workbench.query.duckdb.narrowing import Narrow, cut_columns, find_needs
from workbench.query.duckdb.rewrites import write_duckdb
from workbench.query.duckdb.view_cache import ViewCache
from workbench.query.subset.annotate import annotate_types
from workbench.query.subset.dialect import read_statement, type_of_value
from workbench.query.subset.types import Type, duckdb_type, parse_type

_KEPT: Final = 256
# As many files stand in the statement itself: a view of them takes 2 ms to make and each window needs another.
_LISTED: Final = 16


class Template(msgspec.Struct, frozen=True, kw_only=True):
    """A compiled statement whose relations are still names: DuckDB's SQL, the answer's columns, what it reads.

    ``cuts`` are the conditions its rows fulfil, by relation; ``passing`` the columns it hands on unchanged.
    """

    text: Narrow
    columns: Mapping[str, Type]
    relations: frozenset[str]
    cuts: Mapping[str, tuple[Cut, ...]]
    passing: frozenset[str]


class Filled(msgspec.Struct, frozen=True):
    """A statement to run: DuckDB's SQL, and the relations that are to be made in process for this run.

    ``is_passing`` says that it was written for this run alone, so that no view is to be made of it.
    """

    sql: str
    arrow: frozenset[str]
    is_passing: bool = False


class Plans:
    """The compiled statements of one engine. Safe to use from several threads."""

    def __init__(self, functions: Mapping[str, ArrowFunction], views: ViewCache) -> None:
        self._allowed = frozenset(functions)
        self._results = {name: parse_type(function.result) for name, function in functions.items()}
        self._views = views
        self._lock = threading.Lock()
        self._templates: OrderedDict[tuple[Any, ...], Template] = OrderedDict()
        # Nobody who writes a statement can know it, so no text of theirs is taken for a relation.
        self._token = secrets.token_hex(8)
        self._named = re.compile(rf'"{self._token}:(\w+)"')
        self._mark = f"column_{self._token}"

    def compile(
        self, statement: str, parameters: Mapping[str, Any], relations: Mapping[str, Relation], row_limit: int | None
    ) -> Template:
        """Return a user's statement, compiled; raises QueryRefusedError."""
        kinds = {name: type_of_value(name, value) for name, value in parameters.items()}
        with self._lock:
            return self._template(statement, relations, kinds=kinds, row_limit=row_limit)

    def fill(self, template: Template, relations: Mapping[str, Relation], values: Mapping[str, Any]) -> Filled:
        """Return the statement over what the relations are now, without the files that ``values`` rule out."""
        with self._lock:
            filled = self._fill(template, relations, template.cuts, values, None)
            self._views.touch(filled.sql)
        return filled

    def sources(
        self, names: frozenset[str], relations: Mapping[str, Relation]
    ) -> tuple[dict[str, str], frozenset[str]]:
        """Return what stands in FROM for each name, and which are to be made in process."""
        with self._lock:
            return self._sources(dict.fromkeys(names), relations, {}, {})

    def _template(
        self,
        statement: str,
        relations: Mapping[str, Relation],
        *,
        kinds: Mapping[str, Type] | None,
        row_limit: int | None = None,
    ) -> Template:
        """Return a statement compiled; with ``kinds`` None it is a relation's own SELECT."""
        shapes = tuple((name, tuple(relation.columns.items())) for name, relation in relations.items())
        key = (statement, None if kinds is None else tuple(kinds.items()), shapes, row_limit)
        template = self._templates.get(key)
        if template is None:
            template = self._templates[key] = self._compile(statement, relations, kinds, row_limit)
            if len(self._templates) > _KEPT:
                self._templates.popitem(last=False)
        else:
            self._templates.move_to_end(key)
        return template

    def _compile(
        self,
        statement: str,
        relations: Mapping[str, Relation],
        kinds: Mapping[str, Type] | None,
        row_limit: int | None,
    ) -> Template:
        tables = {
            name: {column: parse_type(kind) for column, kind in relation.columns.items()}
            for name, relation in relations.items()
        }
        own = kinds is None
        read = read_statement(statement, tables, kinds or {}, allowed=self._allowed if own else frozenset())
        columns = annotate_types(read, statement, tables, self._results if own else {})
        cuts, passing = find_cuts(read.tree), passing_columns(read.tree)
        needs = find_needs(read.tree, self._mark)
        _limit(read.tree, row_limit)
        names = {name: quote_name(f"{self._token}:{name}") for name in read.relations}
        text = cut_columns(write_duckdb(read.tree, names), needs, self._mark)
        return Template(text=text, columns=columns, relations=read.relations, cuts=cuts, passing=passing)

    def _fill(
        self,
        template: Template,
        relations: Mapping[str, Relation],
        cuts: Mapping[str, Sequence[Cut]],
        values: Mapping[str, Any],
        wanted: AbstractSet[str] | None,
    ) -> Filled:
        text, read = template.text.write(wanted)
        named = set(self._named.findall(text))
        sources, arrow = self._sources({name: read.get(name) for name in named}, relations, cuts, values)
        sql = self._named.sub(lambda found: sources[found.group(1)], text)
        return Filled(sql, arrow, bool(arrow) or any(source.startswith("(") for source in sources.values()))

    def _sources(
        self,
        read: Mapping[str, AbstractSet[str] | None],
        relations: Mapping[str, Relation],
        cuts: Mapping[str, Sequence[Cut]],
        values: Mapping[str, Any],
    ) -> tuple[dict[str, str], frozenset[str]]:
        """Return the sources of relations by name, each with the columns that are read of it, or None for all."""
        sources: dict[str, str] = {}
        arrow: set[str] = set()
        for name, columns in sorted(read.items()):
            relation = relations[name]
            if relation.arrow is not None:
                sources[name] = quote_name(arrow_name(name))
                arrow.add(name)
            elif relation.select is not None:
                inner = self._select(relation, relations, cuts.get(name, ()), values, columns)
                arrow |= inner.arrow
                sources[name] = f"({inner.sql})" if inner.is_passing else self._view(name, inner.sql)
            else:
                kept = keep_files(relation, cuts.get(name, ()), values)
                sources[name] = self._files(kept, is_cut=kept is not relation)
        return sources, frozenset(arrow)

    def _files(self, relation: Relation, *, is_cut: bool) -> str:
        if is_cut and sum(len(part.files) for part in relation.parts) <= _LISTED:
            return f"({_parquet_select(relation)})"
        return self._views.view((relation.name, relation.version), lambda: _parquet_select(relation))

    def _view(self, name: str, sql: str) -> str:
        return self._views.view((name, sql), lambda: sql)

    def _select(
        self,
        relation: Relation,
        relations: Mapping[str, Relation],
        cuts: Sequence[Cut],
        values: Mapping[str, Any],
        wanted: AbstractSet[str] | None,
    ) -> Filled:
        others = {name: other for name, other in relations.items() if name != relation.name}
        template = self._template(relation.select or "", others, kinds=None)
        if list(template.columns) != list(relation.columns):
            raise QueryRefusedError(
                f"The relation {relation.name} declares {list(relation.columns)} and selects {list(template.columns)}."
            )
        handed = tuple(cut for cut in cuts if cut.column in template.passing)
        return self._fill(template, others, dict.fromkeys(template.relations, handed), values, wanted)


def arrow_name(name: str) -> str:
    """Return under which name a relation made in process is registered."""
    return f"wb_arrow_{name}"


def _parquet_select(relation: Relation) -> str:
    """Return the SELECT over a relation's files; the lists are written by us from the snapshot, never by a user."""
    columns = ", ".join(quote_name(column) for column in relation.columns)
    parts = [_part_select(part, columns) for part in relation.parts if part.files]
    if parts:
        return " UNION ALL ".join(parts)
    typed = ", ".join(
        f"CAST(NULL AS {duckdb_type(parse_type(kind))}) AS {quote_name(column)}"
        for column, kind in relation.columns.items()
    )
    return f"SELECT {typed} WHERE false"


def _part_select(part: Part, columns: str) -> str:
    files = ", ".join(quote_text(plain_path(file)) for file in part.files)
    source = f"SELECT {columns} FROM read_parquet([{files}], hive_partitioning = false)"  # noqa: S608 - quoted above
    return source if part.after is None else f"{source} WHERE position > {int(part.after)}"


def _limit(tree: exp.Query, row_limit: int | None) -> None:
    """Ask the engine for one row more than allowed, so that it stops early and the excess is noticed."""
    if row_limit and tree.args.get("limit") is None and isinstance(tree, (exp.Select, exp.SetOperation)):
        tree.set("limit", exp.Limit(expression=exp.Literal.number(row_limit + 1)))
