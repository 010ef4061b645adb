"""Which files a statement can need: its conditions on columns whose bounds the log keeps for each file."""

import hashlib
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec
from sqlglot import exp

from workbench.query.base import Bounds, Part, Relation

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_MIRRORED: Final[dict[type[exp.Expr], type[exp.Expr]]] = {
    exp.GT: exp.LT,
    exp.GTE: exp.LTE,
    exp.LT: exp.GT,
    exp.LTE: exp.GTE,
    exp.EQ: exp.EQ,
}
# Whether a file between two bounds may hold a value that compares so with the one given.
_POSSIBLE: Final[dict[str, Callable[[int, int, int], bool]]] = {
    "gt": lambda _low, high, value: high > value,
    "gte": lambda _low, high, value: high >= value,
    "lt": lambda low, _high, value: low < value,
    "lte": lambda low, _high, value: low <= value,
    "eq": lambda low, high, value: low <= value <= high,
}


class Cut(msgspec.Struct, frozen=True):
    """One condition every row of an answer fulfils: a column compared with a parameter."""

    column: str
    comparison: str
    parameter: str


def find_cuts(tree: exp.Query) -> dict[str, tuple[Cut, ...]]:
    """Return, for each relation a resolved statement names once, the conditions that every row it needs fulfils."""
    tables = [node for node in tree.find_all(exp.Table) if "relation" in node.meta]
    names = [table.name for table in tables]
    found = {table.name: tuple(_table_cuts(table)) for table in tables if names.count(table.name) == 1}
    return {name: cuts for name, cuts in found.items() if cuts}


def passing_columns(tree: exp.Query) -> frozenset[str]:
    """Return the columns that a plain SELECT over one relation hands on unchanged, so that a cut may go below it."""
    changed = ("joins", "group", "having", "distinct", "limit", "offset", "qualify", "with_")
    if not isinstance(tree, exp.Select) or any(tree.args.get(name) for name in changed) or tree.find(exp.Window):
        return frozenset()
    bare = [(each.alias_or_name, each.unalias()) for each in tree.selects]
    return frozenset(name for name, value in bare if isinstance(value, exp.Column) and value.name == name)


def keep_files(relation: Relation, cuts: Sequence[Cut], values: Mapping[str, Any]) -> Relation:
    """Return the relation without the files that can hold no row the cuts leave; its version says which stayed."""
    wanted = [(cut, number) for cut in cuts if (number := _number(values.get(cut.parameter))) is not None]
    parts = tuple(_keep_part(part, wanted) for part in relation.parts)
    if parts == relation.parts:
        return relation
    named = hashlib.blake2b(repr([part.files for part in parts]).encode(), digest_size=8).hexdigest()
    return msgspec.structs.replace(relation, parts=parts, version=f"{relation.version}-{named}")


def reached_by(relation: Relation, recorded_at: datetime | None) -> int:
    """Return a position that the log had recorded by a time, 0 where the bounds of its files tell of none.

    As recorded_at never decreases with position, one file of 5 M events is read for the last one, not all before it.
    """
    bounds = [each for part in relation.parts for each in part.bounds if {"position", "recorded_at"} <= each.keys()]
    moment = _number(recorded_at)
    recorded = (each["position"][0] for each in bounds if moment is not None and each["recorded_at"][0] <= moment)
    return max(recorded, default=0)


def _table_cuts(table: exp.Table) -> Iterator[Cut]:
    select = table.find_ancestor(exp.Select)
    where = select.args.get("where") if select is not None else None
    if where is None or select is None or table.find_ancestor(exp.From, exp.Join) is None:
        return
    for condition in _conditions(where.this):
        cut = _read_cut(condition, table.alias_or_name)
        if cut is not None:
            yield cut


def _conditions(condition: exp.Expr) -> Iterator[exp.Expr]:
    """Yield what is joined by AND."""
    inner = condition.unnest()
    if isinstance(inner, exp.And):
        yield from _conditions(inner.this)
        yield from _conditions(inner.expression)
    else:
        yield inner


def _read_cut(condition: exp.Expr, table: str) -> Cut | None:
    kind = type(condition)
    if kind not in _MIRRORED:
        return None
    left, right = condition.this, condition.expression
    if isinstance(right, exp.Column):
        left, right, kind = right, left, _MIRRORED[kind]
    if not (isinstance(left, exp.Column) and left.table == table and isinstance(right, exp.Placeholder)):
        return None
    return Cut(left.name, kind.__name__.lower(), right.name)


def _keep_part(part: Part, wanted: Sequence[tuple[Cut, int]]) -> Part:
    if not part.bounds or not wanted:
        return part
    kept = [place for place, bounds in enumerate(part.bounds) if all(_may_hold(bounds, *each) for each in wanted)]
    if len(kept) == len(part.files):
        return part
    return msgspec.structs.replace(
        part, files=tuple(part.files[place] for place in kept), bounds=tuple(part.bounds[place] for place in kept)
    )


def _may_hold(bounds: Bounds, cut: Cut, number: int) -> bool:
    known = bounds.get(cut.column)
    return known is None or _POSSIBLE[cut.comparison](*known, number)


def _number(value: Any) -> int | None:
    """Return a position as it is and a time as microseconds since 1970; nothing else can be compared with bounds."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        return (value - _EPOCH) // _MICROSECOND
    return operator.index(value) if isinstance(value, int) and not isinstance(value, bool) else None
