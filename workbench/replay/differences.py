"""Where two states of a population differ, and at which event two ways of folding one entity part."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import msgspec
import polars as pl

from workbench.decode.times import write_time
from workbench.replay.folding.fact import Fact
from workbench.replay.folding.values import write_value
from workbench.replay.history.history import find_history
from workbench.replay.projection import Projection

BESIDE: Final = frozenset({"entity_id", "event_count", "position", "occurred_at", "notes"})
JSON_RULES: Final = frozenset({"set", "list", "merge"})


class Parting(msgspec.Struct, frozen=True, kw_only=True):
    """The first event after which two projections show a field of an entity otherwise; values as canonical texts."""

    fact: Fact
    field: str
    one: str | None
    other: str | None


def compare_states(before: pl.DataFrame, after: pl.DataFrame, projection: Projection) -> pl.DataFrame:
    """Return the fields in which two frames of states differ: entity_id, field, before, after.

    Values are canonical JSON texts; null where the entity is not in a frame. Rows are ordered by entity and field.
    """
    names = [name for name in dict.fromkeys((*before.columns, *after.columns)) if name not in BESIDE]
    joined = before.select("entity_id", *_present(before, names)).join(
        after.select("entity_id", *_present(after, names)), on="entity_id", how="full", coalesce=True, suffix=" after"
    )
    parts = [_differing(joined, name, projection) for name in names]
    return pl.concat([_empty(), *parts]).sort("entity_id", "field")


def _present(states: pl.DataFrame, names: Sequence[str]) -> list[pl.Expr]:
    flag = pl.lit(value=True).alias("there")
    return [flag, *(pl.col(name) if name in states.columns else pl.lit(None).alias(name) for name in names)]


def _differing(joined: pl.DataFrame, name: str, projection: Projection) -> pl.DataFrame:
    column, other = pl.col(name), pl.col(f"{name} after")
    apart = joined.filter(column.ne_missing(other) | pl.col("there").ne_missing(pl.col("there after")))
    is_json = holds_json(name, projection)
    return pl.DataFrame(
        {
            "entity_id": apart["entity_id"],
            "field": [name] * apart.height,
            "before": write_cells(apart[name], apart["there"], is_json=is_json),
            "after": write_cells(apart[f"{name} after"], apart["there after"], is_json=is_json),
        },
        schema=_empty().schema,
    ).filter(pl.col("before").ne_missing(pl.col("after")))


def _empty() -> pl.DataFrame:
    return pl.DataFrame(schema=dict.fromkeys(("entity_id", "field", "before", "after"), pl.String))


def holds_json(name: str, projection: Projection) -> bool:
    """Tell whether a field's column in a frame of states holds JSON text, not the value itself."""
    if projection.is_open:
        return True
    field = projection.field(name)
    return (
        field.rule in JSON_RULES
        or (field.rule == "text" and field.by is not None)
        or (field.kind == "json" and field.rule != "text")
    )


def write_cells(cells: pl.Series, there: pl.Series, *, is_json: bool) -> list[str | None]:
    """Return a column's values as canonical JSON texts; None where the entity is not there."""
    return [
        None if not known else "null" if cell is None else cell if is_json else write_cell(cell)
        for cell, known in zip(cells.to_list(), there.to_list(), strict=True)
    ]


def write_cell(cell: Any) -> str:
    """Return one typed value as canonical JSON text: decimals and times are strings."""
    if isinstance(cell, Decimal):
        return f'"{cell}"'
    return write_value(write_time(cell) if isinstance(cell, datetime) else cell)


def find_parting(one: Projection, other: Projection, facts: Sequence[Fact], entity: str) -> list[Parting]:
    """Return, for each field of both projections that ends otherwise, the first event after which it was so.

    The two fold the same events of one entity; a field that only one of them has is left out.
    """
    left = {moment.fact.position: moment for moment in find_history(one, facts, entity)}
    right = {moment.fact.position: moment for moment in find_history(other, facts, entity)}
    positions = sorted(left.keys() & right.keys())
    if not positions:
        return []
    last = positions[-1]
    shared = [name for name in left[last].state if name in right[last].state]
    partings = []
    for name in shared:
        if left[last].state[name] == right[last].state[name]:
            continue
        first = _first_apart([(left[at].state.get(name), right[at].state.get(name)) for at in positions])
        moment = left[positions[first]]
        other_value = right[positions[first]].state.get(name)
        partings.append(Parting(fact=moment.fact, field=name, one=moment.state.get(name), other=other_value))
    return partings


def _first_apart(pairs: Sequence[tuple[str | None, str | None]]) -> int:
    """Return where the last stretch of differing values begins."""
    first = len(pairs) - 1
    while first and pairs[first - 1][0] != pairs[first - 1][1]:
        first -= 1
    return first
