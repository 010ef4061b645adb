"""One entity's history as rows and as a picture of its values, for a notebook."""

from collections.abc import Sequence
from functools import partial
from typing import Final

import msgspec
import polars as pl

from workbench.charts.theme import choose_palette
from workbench.charts.waves import waves_chart
from workbench.session import Session
from workbench.views.as_of.choices import AsOfChoices
from workbench.views.as_of.entity import EntityHistory, load_history
from workbench.views.as_of.export import export_moment, write_question
from workbench.views.base import View

WIDTH: Final = 900
# Beyond so many bands a picture says nothing any more, and would be more than 100 kB.
MOST_BANDS: Final = 800
LONGEST_WORDS: Final = 24
BLANK: Final = (None, "null", "[]")


def show_history(session: Session, choices: AsOfChoices, *, width: int = WIDTH) -> View:
    """Return the events of the entity chosen, one row each with the state after it, and the picture of its values.

    The frame is that of `session.history`. Raises what it raises.
    """
    history = load_history(session, choices)
    rows = export_moment(session, msgspec.structs.replace(choices, mode="entity"))
    question = write_question(session, msgspec.structs.replace(choices, mode="entity"))
    bands = frame_bands(history)
    fields = [name for name in history.bands if name in set(bands["field"])]
    projection = history.projection
    return View(
        frame=rows,
        draw=partial(waves_chart, bands, fields, len(history.moments), choose_palette(choices.theme), width=width),
        sql=question.sql,
        parameters=question.parameters,
        caption=f"{projection.name}@{projection.version} of {history.entity}: values after each of "
        f"{len(history.moments):,} events, in the order by {projection.order}",
        basis=session.basis(rows, position=history.cut.up_to, known_at=choices.known_at, order=projection.order),
    )


def frame_bands(history: EntityHistory) -> pl.DataFrame:
    """Return the bands that hold a value: field, start, end, words, holds; the latest ones where there are many."""
    rows = [
        (name, max(0, band.start), end, write_words(band.text or ""), end == len(history.moments))
        for name, bands in history.bands.items()
        for band, end in zip(bands, _ends([each.start for each in bands], len(history.moments)), strict=True)
        if band.text not in BLANK and band.start >= 0
    ]
    schema = {"field": pl.String, "start": pl.Int64, "end": pl.Int64, "words": pl.String, "holds": pl.Boolean}
    framed = pl.DataFrame(rows, schema=schema, orient="row")
    return framed.sort("end", "field").tail(MOST_BANDS)


def _ends(starts: Sequence[int], last: int) -> list[int]:
    return [*starts[1:], last]


def write_words(text: str) -> str:
    """Return a value's JSON text as short words.

    >>> write_words('"accepted"'), write_words('["a","b"]'), write_words("12")
    ('accepted', '2 items', '12')
    """
    value = msgspec.json.decode(text.encode())
    if isinstance(value, list):
        return f"{len(value)} items" if len(value) > 1 else str(value[0])[:LONGEST_WORDS]
    return (value if isinstance(value, str) else text)[:LONGEST_WORDS]
