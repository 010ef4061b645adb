"""What every view returns, and what a view needs of a session."""

from collections.abc import Callable, Mapping
from typing import Any

import altair as alt
import msgspec
import polars as pl

from workbench.event import Basis


class View(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that can be drawn, tabulated, repeated and cited.

    ``frame`` holds the rows, ``sql`` with ``parameters`` asks for them again, ``caption`` says in one line what is
    counted, and ``basis`` what the answer rests on. ``draw`` makes the picture: building one takes 30 ms, which a
    reader who only wants the rows need not wait for.
    """

    frame: pl.DataFrame
    draw: Callable[[], alt.LayerChart]
    sql: str
    parameters: Mapping[str, Any]
    caption: str
    basis: Basis

    @property
    def chart(self) -> alt.LayerChart:
        """The picture of the frame."""
        return self.draw()
