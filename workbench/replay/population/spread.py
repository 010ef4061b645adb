"""How the values of a field are spread over all entities."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

import polars as pl

from workbench.decode.registry import read_kept
from workbench.errors import ArgumentError
from workbench.replay.differences import holds_json, write_cell
from workbench.replay.folding.values import write_value
from workbench.replay.projection import Projection
from workbench.replay.states.frame import DOCUMENT, TIME

POPULATION: Final = {"value": pl.String(), "count": pl.Int64()}
NOTHING: Final = "null"


def check_field(projection: Projection, field: str) -> None:
    """Raise ArgumentError where a projection declares no such field; an open one may have any."""
    names = [each.name for each in projection.fields]
    if names and field not in names:
        raise ArgumentError(
            f"The projection {projection.name} has no field {field!r}; it has {', '.join(names)}. Name one of these."
        )


def count_values(states: pl.DataFrame, projection: Projection, field: str) -> pl.DataFrame:
    """Return how many entities of a frame of states have each value of a field: value (JSON text), count."""
    if projection.is_open:
        texts = pl.Series([_member(text, field) for text in states[DOCUMENT].to_list()], dtype=pl.String)
        return sum_counts(pl.DataFrame({"value": texts, "count": pl.ones(len(texts), eager=True, dtype=pl.Int64)}))
    counted = states.group_by(pl.col(field).alias("value")).agg(pl.len().cast(pl.Int64).alias("count"))
    is_json = holds_json(field, projection)
    values = [NOTHING if cell is None else cell if is_json else write_cell(cell) for cell in counted["value"].to_list()]
    return sum_counts(pl.DataFrame({"value": values, "count": counted["count"]}, schema=POPULATION))


def sum_counts(counts: pl.DataFrame) -> pl.DataFrame:
    """Return counts added up by value, those of none left out, ordered by value."""
    summed = counts.group_by("value").agg(pl.col("count").sum().cast(pl.Int64))
    return summed.filter(pl.col("count") != 0).sort("value").select(list(POPULATION))


def join_populations(moments: Sequence[datetime], populations: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Return populations at several moments below one another: as_of, value, count."""
    empty = pl.DataFrame(schema={"as_of": TIME, **POPULATION})
    parts = [
        counts.select(pl.lit(moment, TIME).alias("as_of"), "value", "count")
        for moment, counts in zip(moments, populations, strict=True)
    ]
    return pl.concat([empty, *parts])


def _member(document: str, field: str) -> str:
    found = read_kept(document.encode()).get(field)
    return NOTHING if found is None else write_value(found)
