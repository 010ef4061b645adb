"""The clauses and operators of the declared subset, as data: which nodes a statement may hold, with which parts.

A node that is not listed, or that has a part not listed for it, is refused with the word it stands for. A list of what
may be, and not of what may not: a clause that a later SQLGlot learns to parse stays refused until it is added here.
"""

from typing import Final

from sqlglot import exp

_TWO: Final = frozenset({"this", "expression"})
_ONE: Final = frozenset({"this"})
_MANY: Final = frozenset({"expressions"})
_SETS: Final = _TWO | {"distinct", "with_", "order", "limit", "offset"}

NODES: Final[dict[type[exp.Expr], frozenset[str]]] = {
    # Queries
    exp.Select: frozenset(
        {"expressions", "from_", "joins", "where", "group", "having", "windows", "order", "limit", "offset"}
    )
    | {"distinct", "with_"},
    exp.Union: _SETS,
    exp.Intersect: _SETS,
    exp.Except: _SETS,
    exp.Subquery: frozenset({"this", "alias", "with_", "order", "limit", "offset"}),
    exp.With: _MANY,
    exp.CTE: frozenset({"this", "alias"}),
    exp.From: _ONE,
    exp.Table: frozenset({"this", "alias", "joins"}),
    exp.TableAlias: frozenset({"this", "columns"}),
    exp.Unnest: frozenset({"expressions", "alias", "offset"}),
    exp.Values: frozenset({"expressions", "alias"}),
    exp.Join: frozenset({"this", "on", "using", "side", "kind"}),
    exp.Where: _ONE,
    exp.Having: _ONE,
    exp.Group: frozenset({"expressions", "grouping_sets", "cube", "rollup"}),
    exp.GroupingSets: _MANY,
    exp.Cube: _MANY,
    exp.Rollup: _MANY,
    exp.Order: frozenset({"this", "expressions"}),
    exp.Ordered: frozenset({"this", "desc", "nulls_first"}),
    exp.Limit: frozenset({"expression"}),
    exp.Fetch: frozenset({"direction", "count", "limit_options"}),
    exp.LimitOptions: frozenset({"rows"}),
    exp.Offset: frozenset({"expression"}),
    exp.Distinct: _MANY,
    exp.Window: frozenset({"this", "partition_by", "order", "spec", "alias", "over"}),
    exp.WindowSpec: frozenset({"kind", "start", "start_side", "end", "end_side"}),
    exp.Filter: _TWO,
    exp.WithinGroup: _TWO,
    exp.IgnoreNulls: _ONE,
    exp.RespectNulls: _ONE,
    # Values and names
    exp.Alias: frozenset({"this", "alias"}),
    exp.Column: frozenset({"this", "table"}),
    exp.Identifier: frozenset({"this", "quoted"}),
    exp.Star: frozenset(),
    exp.Literal: frozenset({"this", "is_string"}),
    exp.Boolean: _ONE,
    exp.Null: frozenset(),
    exp.Placeholder: _ONE,
    exp.Interval: frozenset({"this", "unit"}),
    exp.Var: _ONE,
    exp.DataType: frozenset({"this", "expressions", "nested"}),
    exp.DataTypeParam: _ONE,
    exp.ColumnDef: frozenset({"this", "kind"}),
    exp.Paren: _ONE,
    exp.Tuple: _MANY,
    exp.Array: frozenset({"expressions"}),
    exp.Bracket: frozenset({"this", "expressions"}),
    exp.Dot: _TWO,
    exp.Lambda: frozenset({"this", "expressions"}),
    # Operators
    exp.And: _TWO,
    exp.Or: _TWO,
    exp.Not: _ONE,
    exp.EQ: _TWO,
    exp.NEQ: _TWO,
    exp.LT: _TWO,
    exp.LTE: _TWO,
    exp.GT: _TWO,
    exp.GTE: _TWO,
    exp.NullSafeEQ: _TWO,
    exp.NullSafeNEQ: _TWO,
    exp.Is: _TWO,
    exp.In: frozenset({"this", "expressions", "query"}),
    exp.Between: frozenset({"this", "low", "high"}),
    exp.Like: _TWO | {"negate"},
    exp.Escape: _TWO,
    exp.Exists: _ONE,
    exp.Add: _TWO,
    exp.Sub: _TWO,
    exp.Mul: _TWO,
    exp.Div: _TWO | {"typed", "safe"},
    exp.Mod: _TWO,
    exp.Neg: _ONE,
    exp.DPipe: _TWO | {"safe"},
    exp.AtTimeZone: frozenset({"this", "zone"}),
    # What SQL writes like a function but with words inside; the rest are functions.py's
    exp.Case: frozenset({"this", "ifs", "default"}),
    exp.If: frozenset({"this", "true", "false"}),
    exp.Cast: frozenset({"this", "to"}),
    exp.TryCast: frozenset({"this", "to", "safe"}),
    exp.Extract: _TWO,
    exp.Trim: frozenset({"this", "expression", "position"}),
    exp.Substring: frozenset({"this", "start", "length"}),
    exp.StrPosition: frozenset({"this", "substr"}),
    exp.Anonymous: frozenset({"this", "expressions"}),
}

# Units that date_trunc, date_diff, date_add and intervals know, smallest first.
UNITS: Final = ("millisecond", "second", "minute", "hour", "day", "week", "month", "quarter", "year")
TIME_UNITS: Final = UNITS[:4]
