"""Give every expression of a resolved statement its Trino type, and refuse what Trino would not take.

The type of a node is kept in ``node.meta["type"]``. DuckDB casts where Trino refuses, and rounds, divides and prints by
type: without the types a rewrite would be a guess.
"""

from collections.abc import Callable, Mapping
from typing import Final

from sqlglot import exp
from sqlglot.optimizer.scope import Scope, traverse_scope

from workbench.query.dialect import Statement, cast_target, refuse
from workbench.query.functions import Signature, list_functions
from workbench.query.types import (
    BIGINT,
    BOOLEAN,
    DOUBLE,
    INSTANTS,
    INTEGER,
    INTEGERS,
    INTERVAL_DAY,
    INTERVAL_MONTH,
    INTERVALS,
    MOST_DIGITS,
    NUMBERS,
    UNKNOWN,
    VARCHAR,
    Type,
    as_decimal,
    common_type,
)

_LARGEST_INTEGER: Final = 2**31 - 1
_COMPARISONS: Final = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.NullSafeEQ, exp.NullSafeNEQ)
_ARITHMETIC: Final = (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod)


def type_at(node: exp.Expression) -> Type:
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
    return annotator.outputs(statement.tree)


class _Annotator:
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

    def visit(self, node: exp.Expression) -> Type:
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

    def fail(self, node: exp.Expression, sentence: str) -> Type:
        refuse(node, self.text, sentence)

    # Names

    def _column(self, node: exp.Expression) -> Type:
        name, table = node.name, node.args.get("table")
        if table is None:
            return self._alias(node)
        scope = self.scope
        while scope is not None:
            if table.name in scope.sources:
                return self._source_columns(scope.sources[table.name], table.name).get(name, UNKNOWN)
            scope = scope.parent
        return UNKNOWN

    def _alias(self, node: exp.Expression) -> Type:
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

    def outputs(self, query: exp.Expression) -> dict[str, Type]:
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

    def _unwrap(self, argument: exp.Expression) -> exp.Expression:
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
        if signature.kind == "scalar" and over and node.find_ancestor(exp.Window) is parent and parent.this is node:
            self.fail(node, f"{signature.name} is no window function")
        return True

    def _result(self, signature: Signature, node: exp.Anonymous, kind: Type, kinds: list[Type]) -> Type:
        if signature.name == "sum" and kind.name == "decimal":
            return Type("decimal", (MOST_DIGITS, kind.numbers[1]))
        if signature.name == "row":
            return Type("row", items=tuple(kinds))
        if signature.name in ("at_timezone", "with_timezone"):
            return self._zoned(node, kinds[0], node.expressions[1])
        if signature.name == "transform":
            return Type("array", items=(kinds[1],))
        if signature.name in ("array_max", "array_min", "array_sort", "array_distinct", "min", "max"):
            self._comparable(node, kinds[0])
        return kind

    # Operators

    def _literal(self, node: exp.Expression) -> Type:
        if node.args.get("is_string"):
            return VARCHAR
        digits: str = node.this
        if "e" in digits.lower():
            return DOUBLE
        if "." in digits:
            whole, fraction = digits.split(".")
            return Type("decimal", (max(1, len(whole.lstrip("0") + fraction)), len(fraction)))
        return INTEGER if int(digits) <= _LARGEST_INTEGER else BIGINT

    def _placeholder(self, node: exp.Expression) -> Type:
        return self.statement.parameters[node.this]

    def _identifier(self, node: exp.Expression) -> Type:
        for names in reversed(self.lambdas):
            if node.name in names:
                return names[node.name]
        return UNKNOWN

    def _same(self, node: exp.Expression) -> Type:
        inner = node.args.get("this")
        return self.visit(inner) if isinstance(inner, exp.Expr) else UNKNOWN

    def _boolean(self, node: exp.Expression) -> Type:
        return BOOLEAN

    def _at_time_zone(self, node: exp.Expression) -> Type:
        return self._zoned(node, self.visit(node.this), node.args["zone"])

    def _zoned(self, node: exp.Expression, kind: Type, zone: exp.Expression) -> Type:
        if kind.name not in ("timestamp", "timestamptz"):
            return self.fail(node, f"A zone is for timestamps, not {kind}")
        if isinstance(zone, exp.Placeholder):
            return Type("timestamptz", kind.numbers, fields=(f":{zone.this}",))
        if not isinstance(zone, exp.Literal):
            return self.fail(node, "A time zone must be a text or a parameter: one zone for all rows")
        return Type("timestamptz", kind.numbers, fields=() if zone.this == "UTC" else (zone.this,))

    def _bigint(self, node: exp.Expression) -> Type:
        return BIGINT

    def _text(self, node: exp.Expression) -> Type:
        kind = self.visit(node.this)
        return VARCHAR if kind.name in ("varchar", "unknown") else self.fail(node, f"Text is needed, not {kind}")

    def _coalesce(self, node: exp.Expression) -> Type:
        return self._one_type(node, [node.this, *node.expressions])

    def _comparable(self, node: exp.Expression, kind: Type) -> None:
        if kind.name == "json":
            self.fail(node, "JSON values cannot be compared; take text with json_extract_scalar or json_format")
        if kind.name == "map":
            self.fail(node, "Maps cannot be compared; compare their map_keys and map_values")

    def _compare(self, node: exp.Expression) -> Type:
        left, right = (_without_zone(self.visit(node.args[part])) for part in ("this", "expression"))
        if common_type([left, right]) is None and not {left.name, right.name} <= set(INTERVALS):
            self.fail(node, f"{left} and {right} cannot be compared; cast one of them")
        self._comparable(node, left)
        self._comparable(node, right)
        return BOOLEAN

    def _between(self, node: exp.Expression) -> Type:
        kinds = [_without_zone(self.visit(node.args[part])) for part in ("this", "low", "high")]
        if common_type(kinds) is None:
            self.fail(node, f"{', '.join(map(str, kinds))} cannot be compared in BETWEEN; cast them")
        return BOOLEAN

    def _in(self, node: exp.Expression) -> Type:
        kinds = [self.visit(node.this), *(self.visit(item) for item in node.expressions)]
        query = node.args.get("query")
        if query is not None:
            kinds.append(self.visit(query))
        if isinstance(node.this, exp.Tuple):
            return BOOLEAN
        lists = [kind.items[0] if isinstance(item, exp.Placeholder) and kind.name == "array" else kind
                 for kind, item in zip(kinds, [node.this, *node.expressions, query], strict=False)]
        if common_type(lists) is None:
            self.fail(node, f"{', '.join(dict.fromkeys(map(str, lists)))} cannot be compared in IN; cast them")
        return BOOLEAN

    def _arithmetic(self, node: exp.Expression) -> Type:
        left, right = self.visit(node.this), self.visit(node.expression)
        if left.name in NUMBERS and right.name in NUMBERS:
            return _number_result(type(node), left, right)
        if left.name == "unknown" or right.name == "unknown":
            return right if left.name == "unknown" else left
        names = {left.name, right.name}
        if isinstance(node, (exp.Add, exp.Sub)):
            if left.name in INSTANTS and right.name in INTERVALS:
                return left
            if right.name in INSTANTS and left.name in INTERVALS and isinstance(node, exp.Add):
                return right
            if isinstance(node, exp.Sub) and names <= {"timestamp", "timestamptz"} and len(names) == 1:
                return INTERVAL_DAY
        if isinstance(node, exp.Mul) and names & set(INTERVALS) and names & set(INTEGERS):
            return left if left.name in INTERVALS else right
        hint = "; use date_diff('day', a, b)" if names <= set(INSTANTS) else ""
        return self.fail(node, f"{_SIGNS[type(node)]} does not take {left} and {right}{hint}")

    def _joined(self, node: exp.Expression) -> Type:
        left, right = self.visit(node.this), self.visit(node.expression)
        kind = common_type([left, right])
        if kind is None or kind.name not in ("varchar", "array", "unknown"):
            return self.fail(node, f"|| joins texts or arrays, not {left} and {right}; cast them to varchar")
        return kind

    def _case(self, node: exp.Expression) -> Type:
        branches = [branch.args["true"] for branch in node.args["ifs"]]
        default = node.args.get("default")
        return self._one_type(node, [*branches, default] if default is not None else branches)

    def _if(self, node: exp.Expression) -> Type:
        branches = [node.args["true"], node.args.get("false")]
        return self._one_type(node, [branch for branch in branches if branch is not None])

    def _one_type(self, node: exp.Expression, branches: list[exp.Expression]) -> Type:
        kinds = [self.visit(branch) for branch in branches]
        kind = common_type(kinds)
        return kind or self.fail(node, f"The branches have types that do not fit: {', '.join(map(str, kinds))}")

    def _array(self, node: exp.Expression) -> Type:
        kinds = [self.visit(item) for item in node.expressions]
        kind = common_type(kinds)
        return Type("array", items=(kind or self.fail(node, f"An array of {', '.join(map(str, kinds))} is not possible"),))

    def _bracket(self, node: exp.Expression) -> Type:
        kind = self.visit(node.this)
        if kind.name == "array":
            return kind.items[0]
        if kind.name == "map":
            return kind.items[1]
        return self.fail(node, f"[…] takes an array or a map, not {kind}")

    def _dot(self, node: exp.Expression) -> Type:
        kind, field = self.visit(node.this), node.expression.name
        if kind.name == "row" and field in kind.fields:
            return kind.items[kind.fields.index(field)]
        return self.fail(node, f"There is no field {field!r} in {kind}")

    def _cast(self, node: exp.Expression) -> Type:
        return cast_target(node, self.text)

    def _interval(self, node: exp.Expression) -> Type:
        unit = node.args["unit"].name.lower() if node.args.get("unit") else "second"
        return INTERVAL_MONTH if unit in ("month", "year", "quarter") else INTERVAL_DAY

    def _query(self, node: exp.Expression) -> Type:
        columns = self.outputs(node)
        return next(iter(columns.values())) if len(columns) == 1 else UNKNOWN


def _without_zone(kind: Type) -> Type:
    return Type(kind.name, kind.numbers) if kind.name == "timestamptz" else kind


_SIGNS: Final = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/", exp.Mod: "%"}


def _number_result(operator: type[exp.Expression], left: Type, right: Type) -> Type:
    kind = common_type([left, right]) or DOUBLE
    if kind.name != "decimal":
        return kind
    (p1, s1), (p2, s2) = as_decimal(left), as_decimal(right)
    if operator is exp.Mul:
        digits, scale = p1 + p2, s1 + s2
    elif operator is exp.Div:
        digits, scale = p1 + s2 + max(0, s2 - s1), max(s1, s2)
    elif operator is exp.Mod:
        digits, scale = min(p1 - s1, p2 - s2) + max(s1, s2), max(s1, s2)
    else:
        scale = max(s1, s2)
        digits = max(p1 - s1, p2 - s2) + scale + 1
    return Type("decimal", (min(MOST_DIGITS, digits), scale))


_BY_NAME: Final[dict[type[exp.Expression], str]] = {
    **dict.fromkeys(_COMPARISONS, "_compare"),
    **dict.fromkeys(_ARITHMETIC, "_arithmetic"),
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
_RULES: Final[dict[type[exp.Expression], Callable[[_Annotator, exp.Expression], Type]]] = {
    node: getattr(_Annotator, name) for node, name in _BY_NAME.items()
}
