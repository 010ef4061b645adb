"""Give every expression of a resolved statement its Trino type, and refuse what Trino would not take.

The type of a node is kept in ``node.meta["type"]``. DuckDB casts where Trino refuses, and rounds, divides and prints by
type: without the types a rewrite would be a guess.
"""

from collections.abc import Callable, Mapping
from typing import Final

from sqlglot import exp
from sqlglot.optimizer.scope import Scope, traverse_scope

from workbench.errors import QueryRefusedError
from workbench.query.subset.dialect import Statement, refuse
from workbench.query.subset.functions import Signature, list_functions
from workbench.query.subset.operators import ARITHMETIC, COMPARISONS, Operators
from workbench.query.subset.types import (
    BIGINT,
    EACH_ITS_OWN,
    INTERVALS,
    MOST_DIGITS,
    UNKNOWN,
    Type,
    common_type,
)


def type_at(node: exp.Expr) -> Type:
    """Return the type a node was given; unknown when it has none."""
    kind = node.meta.get("type")
    return kind if isinstance(kind, Type) else UNKNOWN


def annotate_types(
    statement: Statement,
    text: str,
    tables: Mapping[str, Mapping[str, Type]],
    extra: Mapping[str, Type] | None = None,
) -> dict[str, Type]:
    """Return the answer's columns and their types, after giving every node of the statement its type.

    ``extra`` are the result types of functions handed in beside the subset's.
    """
    annotator = _Annotator(statement, text, tables, extra or {})
    for scope in traverse_scope(statement.tree):
        annotator.annotate_scope(scope)
    annotator.visit(statement.tree)
    columns = annotator.outputs(statement.tree)
    for name, kind in columns.items():
        if kind.name in INTERVALS:
            raise QueryRefusedError(
                f"The column {name} is an interval, which no answer holds. Use date_diff('second', …)."
            )
    return columns


class _Annotator(Operators):
    def __init__(
        self,
        statement: Statement,
        text: str,
        tables: Mapping[str, Mapping[str, Type]],
        extra: Mapping[str, Type],
    ) -> None:
        self.statement, self.text, self.tables, self.extra = statement, text, tables, extra
        self.scope: Scope | None = None
        self.lambdas: list[dict[str, Type]] = []

    def annotate_scope(self, scope: Scope) -> None:
        self.scope = scope
        self.visit(scope.expression)

    def visit(self, node: exp.Expr) -> Type:
        if "type" in node.meta:
            return type_at(node)
        if isinstance(node, exp.Anonymous):
            kind = self._call(node)
        else:
            # FROM and WITH first: a projection's type rests on them, and nothing rests on a projection's.
            for child in node.iter_expressions():
                if not isinstance(child, (exp.DataType, exp.TableAlias)):
                    self.visit(child)
            rule = _RULES.get(type(node))
            kind = rule(self, node) if rule else UNKNOWN
        node.meta["type"] = kind
        return kind

    def fail(self, node: exp.Expr, sentence: str) -> Type:
        refuse(node, self.text, sentence)

    # Names

    def _column(self, node: exp.Expr) -> Type:
        name, table = node.name, node.args.get("table")
        if table is None:
            return self._alias(node)
        scope = self.scope
        while scope is not None:
            if table.name in scope.sources:
                return self._source_columns(scope.sources[table.name], table.name).get(name, UNKNOWN)
            scope = scope.parent
        return UNKNOWN

    def _alias(self, node: exp.Expr) -> Type:
        if self.scope is None:
            return UNKNOWN
        selects = getattr(self.scope.expression, "selects", [])
        for select in selects:
            if select.alias_or_name == node.name:
                return self.visit(select)
        return UNKNOWN

    def _source_columns(self, source: object, _name: str) -> Mapping[str, Type]:
        if isinstance(source, Scope):
            return self.outputs(source.expression)
        if isinstance(source, exp.Table):
            return self.tables[source.name]
        return {}

    def outputs(self, query: exp.Expr) -> dict[str, Type]:
        """Return the columns a query gives, with their types."""
        while isinstance(query, exp.Subquery):
            query = query.this
        if isinstance(query, exp.SetOperation):
            return self._set_outputs(query)
        if isinstance(query, exp.Unnest):
            return self._unnest_outputs(query)
        if isinstance(query, exp.Values):
            rows = [[self.visit(item) for item in row.expressions] for row in query.expressions]
            kinds = [common_type(column) or UNKNOWN for column in zip(*rows, strict=False)]
            return dict(zip(query.alias_column_names, kinds, strict=False))
        return {select.alias_or_name: self.visit(select) for select in getattr(query, "selects", [])}

    def _set_outputs(self, query: exp.SetOperation) -> dict[str, Type]:
        left, right = self.outputs(query.this), self.outputs(query.expression)
        if len(left) != len(right):
            self.fail(query, f"One side of the set operation has {len(left)} columns and the other {len(right)}.")
        joined = {}
        for (name, one), other in zip(left.items(), right.values(), strict=True):
            kind = common_type([one, other])
            joined[name] = kind or self.fail(query, f"The column {name} is {one} on one side and {other} on the other.")
        return joined

    def _unnest_outputs(self, node: exp.Unnest) -> dict[str, Type]:
        kinds: list[Type] = []
        for value in node.expressions:
            kind = self.visit(value)
            if kind.name not in ("array", "map"):
                self.fail(node, f"UNNEST takes arrays and maps, not {kind}")
            item = kind.items[0]
            spread = item.items if kind.name == "array" and item.name == "row" else kind.items
            kinds.extend(spread)
        outputs = dict(zip(node.alias_column_names, kinds, strict=False))
        offset = node.args.get("offset")
        if isinstance(offset, exp.Identifier):
            outputs[offset.name] = BIGINT
        return outputs

    # Functions

    def _call(self, node: exp.Anonymous) -> Type:
        name = node.name.lower()
        if name in self.extra:
            for argument in node.expressions:
                self.visit(argument)
            return self.extra[name]
        kinds = self._arguments(node)
        for signature in list_functions()[name]:
            kind = signature.result_type(kinds)
            if kind is not None and self._fits(signature, node):
                node.meta["signature"] = signature
                return self._result(signature, node, kind, kinds)
        known = ", ".join(str(one) for one in list_functions()[name])
        given = ", ".join(map(str, kinds))
        return self.fail(node, f"{name} takes {known}, and is given ({given})")

    def _arguments(self, node: exp.Anonymous) -> list[Type]:
        kinds: list[Type] = []
        for argument in node.expressions:
            value = self._unwrap(argument)
            if isinstance(value, exp.Lambda):
                item = kinds[0].items[0] if kinds and kinds[0].items else UNKNOWN
                self.lambdas.append({one.name: item for one in value.expressions})
                kinds.append(self.visit(value.this))
                self.lambdas.pop()
            else:
                self.visit(argument)
                kinds.append(self.visit(value))
        return kinds

    def _unwrap(self, argument: exp.Expr) -> exp.Expr:
        while isinstance(argument, (exp.Order, exp.IgnoreNulls, exp.RespectNulls)):
            argument = argument.this
        if isinstance(argument, exp.Distinct):
            if len(argument.expressions) != 1:
                self.fail(argument, "DISTINCT takes one value inside a function; make a row(…) of several")
            return self._unwrap(argument.expressions[0])
        return argument

    def _fits(self, signature: Signature, node: exp.Anonymous) -> bool:
        star = bool(node.expressions) and isinstance(node.expressions[0], exp.Star)
        if star != (signature.arguments == ("*",)):
            return False
        parent = node.parent
        while isinstance(parent, (exp.Filter, exp.IgnoreNulls, exp.RespectNulls, exp.WithinGroup)):
            parent = parent.parent
        over = isinstance(parent, exp.Window)
        if signature.kind == "window" and not over:
            self.fail(node, f"{signature.name} needs OVER (…)")
        if signature.kind == "scalar" and isinstance(node.parent, exp.Window) and node.arg_key == "this":
            self.fail(node, f"{signature.name} is no window function")
        return True

    def _result(  # noqa: PLR0911 - one return for each function whose result its signature cannot say
        self, signature: Signature, node: exp.Anonymous, kind: Type, kinds: list[Type]
    ) -> Type:
        if signature.name == "sum" and kind.name == "decimal":
            return Type("decimal", (MOST_DIGITS, kind.numbers[1]))
        if signature.target == "@whole":
            digits, scale = kind.numbers
            return Type("decimal", (max(1, digits - scale + min(scale, 1)), 0))
        if signature.name == "nullif":
            return kinds[0]
        if signature.name == "row":
            return Type("row", items=tuple(kinds))
        if signature.name == "from_iso8601_timestamp":
            return Type(kind.name, kind.numbers, fields=(EACH_ITS_OWN,))
        if signature.name in ("at_timezone", "with_timezone"):
            return self._zoned(node, kinds[0], node.expressions[1])
        if signature.name == "transform":
            return Type("array", items=(kinds[1],))
        if signature.name in ("min", "max") and kinds[0].name in ("array", "row"):
            self.fail(node, f"{signature.name} does not take {kinds[0]}: what holds NULL has no order")
        if signature.name in ("array_max", "array_min", "array_sort", "array_distinct", "min", "max"):
            self._comparable(node, kinds[0])
        return kind


_BY_NAME: Final[dict[type[exp.Expr], str]] = {
    **dict.fromkeys(COMPARISONS, "_compare"),
    **dict.fromkeys(ARITHMETIC, "_arithmetic"),
    **dict.fromkeys((exp.And, exp.Or, exp.Not, exp.Is, exp.Like, exp.Escape, exp.Exists, exp.Boolean), "_boolean"),
    **dict.fromkeys(
        (exp.Alias, exp.Paren, exp.Neg, exp.Ordered, exp.Filter, exp.Window, exp.WithinGroup, exp.IgnoreNulls), "_same"
    ),
    **dict.fromkeys((exp.RespectNulls, exp.Order), "_same"),
    **dict.fromkeys((exp.Select, exp.Union, exp.Intersect, exp.Except, exp.Subquery), "_query"),
    **dict.fromkeys((exp.Cast, exp.TryCast), "_cast"),
    exp.AtTimeZone: "_at_time_zone",
    exp.Column: "_column",
    exp.Identifier: "_identifier",
    exp.Literal: "_literal",
    exp.Placeholder: "_placeholder",
    exp.Between: "_between",
    exp.In: "_in",
    exp.DPipe: "_joined",
    exp.Case: "_case",
    exp.If: "_if",
    exp.Coalesce: "_coalesce",
    exp.Array: "_array",
    exp.Bracket: "_bracket",
    exp.Dot: "_dot",
    exp.Interval: "_interval",
    exp.Extract: "_bigint",
    exp.StrPosition: "_bigint",
    exp.Trim: "_text",
    exp.Substring: "_text",
}
_RULES: Final[dict[type[exp.Expr], Callable[[_Annotator, exp.Expr], Type]]] = {
    node: getattr(_Annotator, name) for node, name in _BY_NAME.items()
}
