"""The types of operators, literals and conditions, by Trino's rules."""

import re
from abc import ABC, abstractmethod
from typing import Final

from sqlglot import exp

from workbench.query.subset.dialect import Statement, cast_target
from workbench.query.subset.types import (
    BIGINT,
    BOOLEAN,
    DOUBLE,
    EACH_ITS_OWN,
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
# One more than the largest: it may stand behind a minus.
_LARGEST_BIGINT: Final = 2**63
COMPARISONS: Final = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.NullSafeEQ, exp.NullSafeNEQ)
ARITHMETIC: Final = (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod)


class Operators(ABC):
    """Rules by which a node's type follows from those of its parts; names and functions are the annotator's."""

    statement: Statement
    text: str
    lambdas: list[dict[str, Type]]

    @abstractmethod
    def visit(self, node: exp.Expr) -> Type:
        """Return the type of a node, after giving it to the node and all inside it."""

    @abstractmethod
    def fail(self, node: exp.Expr, sentence: str) -> Type:
        """Refuse the statement at a node."""

    @abstractmethod
    def outputs(self, query: exp.Expr) -> dict[str, Type]:
        """Return the columns a query gives, with their types."""

    def _literal(self, node: exp.Expr) -> Type:
        if node.args.get("is_string"):
            return VARCHAR
        digits: str = node.this
        if "e" in digits.lower():
            return DOUBLE
        if "." in digits:
            whole, fraction = digits.split(".")
            return Type("decimal", (max(1, len(whole.lstrip("0") + fraction)), len(fraction)))
        if int(digits) > _LARGEST_BIGINT:
            return self.fail(node, f"The number {digits} is too large for a bigint; write it as decimal with a point")
        return INTEGER if int(digits) <= _LARGEST_INTEGER else BIGINT

    def _placeholder(self, node: exp.Expr) -> Type:
        return self.statement.parameters[node.this]

    def _identifier(self, node: exp.Expr) -> Type:
        for names in reversed(self.lambdas):
            if node.name in names:
                return names[node.name]
        return UNKNOWN

    def _same(self, node: exp.Expr) -> Type:
        inner = node.args.get("this")
        return self.visit(inner) if isinstance(inner, exp.Expr) else UNKNOWN

    def _boolean(self, _node: exp.Expr) -> Type:
        return BOOLEAN

    def _at_time_zone(self, node: exp.Expr) -> Type:
        return self._zoned(node, self.visit(node.this), node.args["zone"])

    def _zoned(self, node: exp.Expr, kind: Type, zone: exp.Expr) -> Type:
        if kind.name not in ("timestamp", "timestamptz"):
            return self.fail(node, f"A zone is for timestamps, not {kind}")
        if isinstance(zone, exp.Placeholder):
            return Type("timestamptz", kind.numbers, fields=(f":{zone.this}",))
        if not isinstance(zone, exp.Literal):
            return self.fail(node, "A time zone must be a text or a parameter: one zone for all rows")
        return Type("timestamptz", kind.numbers, fields=() if zone.this == "UTC" else (zone.this,))

    def _bigint(self, _node: exp.Expr) -> Type:
        return BIGINT

    def _text(self, node: exp.Expr) -> Type:
        kind = self.visit(node.this)
        return VARCHAR if kind.name in ("varchar", "unknown") else self.fail(node, f"Text is needed, not {kind}")

    def _coalesce(self, node: exp.Expr) -> Type:
        return self._one_type(node, [node.this, *node.expressions])

    def _comparable(self, node: exp.Expr, kind: Type) -> None:
        if kind.name == "json":
            self.fail(node, "JSON values cannot be compared; take text with json_extract_scalar or json_format")
        if kind.name == "map":
            self.fail(node, "Maps cannot be compared; compare their map_keys and map_values")

    def _compare(self, node: exp.Expr) -> Type:
        left, right = (_without_zone(self.visit(node.args[part])) for part in ("this", "expression"))
        if common_type([left, right]) is None and not {left.name, right.name} <= set(INTERVALS):
            self.fail(node, f"{left} and {right} cannot be compared; cast one of them")
        self._comparable(node, left)
        self._comparable(node, right)
        return BOOLEAN

    def _between(self, node: exp.Expr) -> Type:
        kinds = [_without_zone(self.visit(node.args[part])) for part in ("this", "low", "high")]
        if common_type(kinds) is None:
            self.fail(node, f"{', '.join(map(str, kinds))} cannot be compared in BETWEEN; cast them")
        return BOOLEAN

    def _in(self, node: exp.Expr) -> Type:
        kinds = [self.visit(node.this), *(self.visit(item) for item in node.expressions)]
        query = node.args.get("query")
        if query is not None:
            kinds.append(self.visit(query))
        if isinstance(node.this, exp.Tuple):
            return BOOLEAN
        lists = [
            kind.items[0] if isinstance(item, exp.Placeholder) and kind.name == "array" else kind
            for kind, item in zip(kinds, [node.this, *node.expressions, query], strict=False)
        ]
        if common_type(lists) is None:
            self.fail(node, f"{', '.join(dict.fromkeys(map(str, lists)))} cannot be compared in IN; cast them")
        return BOOLEAN

    def _arithmetic(self, node: exp.Expr) -> Type:  # noqa: PLR0911 - one return for each pair of kinds
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

    def _joined(self, node: exp.Expr) -> Type:
        left, right = self.visit(node.this), self.visit(node.expression)
        kind = common_type([left, right])
        if kind is None or kind.name not in ("varchar", "array", "unknown"):
            return self.fail(node, f"|| joins texts or arrays, not {left} and {right}; cast them to varchar")
        return kind

    def _case(self, node: exp.Expr) -> Type:
        branches = [branch.args["true"] for branch in node.args["ifs"]]
        default = node.args.get("default")
        return self._one_type(node, [*branches, default] if default is not None else branches)

    def _if(self, node: exp.Expr) -> Type:
        branches = [node.args["true"], node.args.get("false")]
        return self._one_type(node, [branch for branch in branches if branch is not None])

    def _one_type(self, node: exp.Expr, branches: list[exp.Expr]) -> Type:
        kinds = [self.visit(branch) for branch in branches]
        kind = common_type(kinds)
        return kind or self.fail(node, f"The branches have types that do not fit: {', '.join(map(str, kinds))}")

    def _array(self, node: exp.Expr) -> Type:
        kinds = [self.visit(item) for item in node.expressions]
        kind = common_type(kinds)
        return Type(
            "array", items=(kind or self.fail(node, f"An array of {', '.join(map(str, kinds))} is not possible"),)
        )

    def _bracket(self, node: exp.Expr) -> Type:
        kind = self.visit(node.this)
        if kind.name == "array":
            return kind.items[0]
        if kind.name == "map":
            return kind.items[1]
        return self.fail(node, f"[…] takes an array or a map, not {kind}")

    def _dot(self, node: exp.Expr) -> Type:
        kind, field = self.visit(node.this), node.expression.name
        if kind.name == "row" and field in kind.fields:
            return kind.items[kind.fields.index(field)]
        return self.fail(node, f"There is no field {field!r} in {kind}")

    def _cast(self, node: exp.Expr) -> Type:
        source, target = self.visit(node.this), cast_target(node, self.text)
        if target.name != "timestamptz":
            return target
        if source.name == "timestamptz":
            return Type(target.name, target.numbers, fields=source.fields)
        if source.name == "varchar":
            return Type(target.name, target.numbers, fields=_written_zone(node.this))
        return target

    def _interval(self, node: exp.Expr) -> Type:
        unit = node.args["unit"].name.lower() if node.args.get("unit") else "second"
        return INTERVAL_MONTH if unit in ("month", "year", "quarter") else INTERVAL_DAY

    def _query(self, node: exp.Expr) -> Type:
        columns = self.outputs(node)
        return next(iter(columns.values())) if len(columns) == 1 else UNKNOWN


def _written_zone(text: exp.Expr) -> tuple[str, ...]:
    """Return the zone that a literal ends with, nothing for UTC; of any other text each value has its own."""
    if not isinstance(text, exp.Literal):
        return (EACH_ITS_OWN,)
    found = _ZONE.search(text.this)
    zone = "UTC" if found is None else found[1] or found[2]
    return () if zone in _UTC else (zone,)


def _without_zone(kind: Type) -> Type:
    return Type(kind.name, kind.numbers) if kind.name == "timestamptz" else kind


_ZONE: Final = re.compile(r"\d ?([+-]\d\d:\d\d)$| ([A-Za-z][A-Za-z0-9_+/-]*)$")
_UTC: Final = ("UTC", "Z", "+00:00", "GMT")
_SIGNS: Final[dict[type[exp.Expr], str]] = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/", exp.Mod: "%"}


def _number_result(operator: type[exp.Expr], left: Type, right: Type) -> Type:
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
