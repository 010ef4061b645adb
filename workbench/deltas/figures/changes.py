"""What is changed in proposals, and how soon: repeated edits, places in a text, and how long texts stay untouched."""

from collections.abc import Sequence
from typing import Final

import msgspec
import polars as pl

from workbench.deltas.figures.aggregates import Ask, group_by, list_groups
from workbench.deltas.figures.filters import Chosen

# A proposal's words are counted in so many equal parts of it.
PLACES: Final = 10
# Times are counted in tenths of a second, rounded up, so that a curve has at most so many steps.
HORIZON: Final = 900
_TENTHS: Final = 10


def rank_edits(ask: Ask, chosen: Chosen, limit: int = 10) -> pl.DataFrame:
    """Return the same substitution made in many takings, most first: removed, inserted, takings.

    A substitution counts once a taking. ``inserted`` is empty where the words were only removed, ``removed`` where some
    were only put in.
    """
    items = chosen.select("position, decision_position, edits", "where edits is not null", relation="takings")
    each = (
        "select distinct position, decision_position, json_format(edit) as edit "  # noqa: S608 - our own words; values are bound
        f"from ({items}) as listed cross join unnest(cast(json_parse(edits) as array(json))) as t(edit)"
    )
    statement = (
        f"select edit, count(*) as takings from ({each}) as counted "  # noqa: S608 - the same
        f"group by edit order by count(*) desc, edit limit {int(limit)}"
    )
    found = [(*msgspec.json.decode(edit), takings) for edit, takings in ask(statement, chosen.parameters).iter_rows()]
    schema = {"removed": pl.String(), "inserted": pl.String(), "takings": pl.Int64()}
    return pl.DataFrame(found, schema=schema, orient="row")


def change_by_place(ask: Ask, chosen: Chosen) -> pl.DataFrame:
    """Return how many of the words proposed were changed by their place: place (0 to 9, tenths), words, changed."""
    items = chosen.select("places", "where places is not null", relation="takings")
    statement = (
        "select place, cast(sum(cast(json_extract_scalar(pair, '$[0]') as bigint)) as bigint) as kept, "  # noqa: S608 - the same
        "cast(sum(cast(json_extract_scalar(pair, '$[1]') as bigint)) as bigint) as changed "
        f"from ({items}) as listed cross join unnest(cast(json_parse(places) as array(json))) with ordinality "
        "as t(pair, place) group by place order by place"
    )
    counted = {
        int(place) - 1: (kept, changed) for place, kept, changed in ask(statement, chosen.parameters).iter_rows()
    }
    rows = [(place, sum(counted.get(place, (0, 0))), counted.get(place, (0, 0))[1]) for place in range(PLACES)]
    return pl.DataFrame(rows, schema={"place": pl.Int64(), "words": pl.Int64(), "changed": pl.Int64()}, orient="row")


def count_lives(ask: Ask, chosen: Chosen, by: Sequence[str] = ("version",)) -> pl.DataFrame:
    """Return how long takings stayed untouched: the group, seconds, changed, censored; at most 9,002 rows a group.

    ``seconds`` is the time to the first change, or to the document's end where there was none, rounded up to a tenth;
    whatever lasts beyond 900 s counts as censored there.
    """
    groups = list_groups(by)
    listed = "".join(f'{expression} as "{name}", ' for name, expression in groups.items())
    lasts = "coalesce(first_change, document_seconds)"
    tenths = f"least(ceil({lasts} * {_TENTHS}e0), {HORIZON * _TENTHS + 1}e0)"
    counts = f"count_if(first_change <= {HORIZON}e0) as changed, count(*) as takings"
    tail = group_by({**groups, "tenths": tenths})
    statement = chosen.select(
        f"{listed}{tenths} as tenths, {counts}", f"where {lasts} is not null {tail}", relation="takings"
    )
    lives = ask(statement, chosen.parameters)
    return lives.select(
        *groups,
        (pl.col("tenths") / _TENTHS).alias("seconds"),
        "changed",
        (pl.col("takings") - pl.col("changed")).alias("censored"),
    )
