"""Turn a typed statement of the subset into the text that Trino runs, with markers where values are bound.

A statement of the subset is Trino's SQL already. What is written otherwise: relations, which become tables at a
snapshot; parameters, which become markers; sums of doubles, which Trino adds in any order; and zoned times of the
answer, which the protocol shows by the clock of their zone, where an hour that comes twice is told apart no more.
"""

from collections.abc import Callable, Mapping

from sqlglot import exp
from sqlglot.errors import ErrorLevel, UnsupportedError

from workbench.errors import QueryRefusedError
from workbench.query.subset.annotate import type_at
from workbench.query.subset.dialect import Declared
from workbench.query.subset.types import FLOATING, Type


def write_trino(tree: exp.Query, *, relation: Callable[[str], str], marker: Callable[[str, Type], str]) -> str:
    """Return Trino's text of a typed statement.

    ``relation`` gives what stands in FROM for a name, ``marker`` what stands for a parameter of a type. The tree is
    changed. Raises QueryRefusedError for what has no text.
    """
    for select in list(tree.find_all(exp.Select)):
        _point_to_columns(select)
    tree = _show_instants(tree)
    for called in list(tree.find_all(exp.Anonymous)):
        _add_in_order(called)
        _take_one_character(called)
    for joined in list(tree.find_all(exp.DPipe, exp.Anonymous)):
        _type_nulls(joined)
    for table in list(tree.find_all(exp.Table)):
        if "relation" in table.meta:
            _name_relation(table, relation(table.meta["relation"]))
    for value in list(tree.find_all(exp.Placeholder)):
        value.replace(exp.Var(this=marker(value.name, type_at(value))))
    return write_text(tree)


def write_text(tree: exp.Expr) -> str:
    """Return a tree as Trino's SQL, its functions as they were written."""
    try:
        return str(tree.sql(dialect=Declared, comments=False, unsupported_level=ErrorLevel.RAISE))
    except UnsupportedError as error:
        raise QueryRefusedError(f"Trino has no form for a part of the statement: {error}.") from error


def _name_relation(node: exp.Table, text: str) -> None:
    alias = node.args.get("alias") or exp.TableAlias(this=exp.to_identifier(node.name, quoted=True))
    node.set("this", exp.Var(this=text))
    node.set("alias", alias)


def _show_instants(tree: exp.Query) -> exp.Query:
    """Give the answer's zoned times in UTC: the same instants, told without doubt."""
    if not isinstance(tree, exp.Select):
        zoned = [column.alias_or_name for column in tree.selects if _is_zoned(column)]
        return _wrap_union(tree, zoned) if zoned else tree
    for column in tree.expressions:
        if _is_zoned(column):
            inner = column.unalias()
            shown = exp.Anonymous(this="at_timezone", expressions=[inner.copy(), exp.Literal.string("UTC")])
            column.replace(exp.alias_(shown, column.alias_or_name, quoted=True))
    return tree


def _is_zoned(column: exp.Expr) -> bool:
    kind = type_at(column)
    return kind.name == "timestamptz" and bool(kind.fields)


def _wrap_union(tree: exp.Query, zoned: list[str]) -> exp.Query:
    """Return a set operation inside a SELECT that shows its times in UTC; its order and limit go outside."""
    outer = exp.Select()
    for part in ("order", "limit", "offset", "with_"):
        outer.set(part, tree.args.get(part))
        tree.set(part, None)
    names = [column.alias_or_name for column in tree.selects]
    for name in names:
        column: exp.Expr = exp.column(name, quoted=True)
        if name in zoned:
            column = exp.Anonymous(this="at_timezone", expressions=[column, exp.Literal.string("UTC")])
        outer.append("expressions", exp.alias_(column, name, quoted=True))
    outer.set("from_", exp.From(this=exp.Subquery(this=tree, alias=exp.TableAlias(this=exp.to_identifier("answer")))))
    return outer


def _point_to_columns(select: exp.Select) -> None:
    """Write a grouping or ordering by an expression with parameters as the place of the column that shows it.

    Trino takes two markers for two different things, so that it would not see that the column is the grouped one.
    """
    shown = [column.unalias() for column in select.expressions]
    for part in ("group", "order"):
        clause = select.args.get(part)
        for item in clause.expressions if clause is not None else ():
            inner = item.this if isinstance(item, exp.Ordered) else item
            if inner.find(exp.Placeholder) is not None and inner in shown:
                inner.replace(exp.Literal.number(shown.index(inner) + 1))


def _add_in_order(node: exp.Anonymous) -> None:
    """Write sum and avg of doubles over an ordered list: the same digits however many workers share the rows."""
    name = node.name.lower()
    if name not in ("sum", "avg") or not node.expressions:
        return
    first = node.expressions[0]
    value = first.expressions[0] if isinstance(first, exp.Distinct) else first
    if type_at(value).name not in FLOATING:
        return
    whole: exp.Expr = node
    while isinstance(whole.parent, exp.Filter) and whole.arg_key == "this":
        whole = whole.parent
    if isinstance(whole.parent, exp.Window):
        raise QueryRefusedError(
            f"{name} of double OVER (…) has last digits that depend on the order of addition; cast to decimal."
        )
    kind = type_at(node)
    node.set("this", "array_agg")
    node.set("expressions", [exp.Order(this=first, expressions=[exp.Ordered(this=value.copy(), nulls_first=False)])])
    mark = exp.Null()
    whole.replace(mark)
    mark.replace(_fold(whole, name, kind))


def _fold(rows: exp.Expr, name: str, kind: Type) -> exp.Expr:
    text = write_text(rows)
    start = "cast(row(0e0, 0) as row(s double, n bigint))"
    step = "(a, x) -> if(x is null, a, cast(row(a.s + x, a.n + 1) as row(s double, n bigint)))"
    result = "a.s" if name == "sum" else "a.s / a.n"
    folded = exp.Var(this=f"reduce({text}, {start}, {step}, a -> if(a.n > 0, {result}))")
    folded.meta["type"] = kind
    return folded


def _type_nulls(node: exp.Expr) -> None:
    """Say that a NULL joined to a text is one: Trino would take it for an array."""
    if type_at(node).name != "varchar" or not (isinstance(node, exp.DPipe) or node.name.lower() == "concat"):
        return
    for part in (node.args.get("this"), node.args.get("expression"), *node.expressions):
        if isinstance(part, exp.Null):
            part.replace(exp.cast(exp.null(), "varchar", dialect="trino"))


def _take_one_character(node: exp.Anonymous) -> None:
    """Give codepoint the text of one character it takes: for Trino a column's length is not known."""
    if node.name.lower() == "codepoint":
        text = write_text(node.expressions[0])
        checked = f"if(length({text}) <> 1, cast(fail('codepoint takes one character') as varchar), {text})"
        node.set("expressions", [exp.Var(this=f"cast({checked} as varchar(1))")])


def write_own(tree: exp.Query, tables: Mapping[str, str]) -> str:
    """Return a SELECT of our own in Trino's dialect, its tables' names replaced by where they are."""
    for node in list(tree.find_all(exp.Table)):
        if node.name in tables and not node.args.get("db"):
            _name_relation(node, tables[node.name])
    return write_text(tree)
