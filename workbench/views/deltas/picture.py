"""What every picture of deltas is made of: the view, what a page must know of its marks, and the versions shown."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import msgspec
import polars as pl

from workbench.deltas.figures.filters import Chosen
from workbench.session import Session
from workbench.views.base import View
from workbench.views.deltas.asking import Asking

# So many versions have a row of their own; with few proposals a version is not compared unasked.
ROWS: Final = 4
FEW: Final = 20


class DeltaPicture(msgspec.Struct, frozen=True, kw_only=True):
    """A picture and what a hand over it finds: ``told`` holds plain values, ``view`` is None where nothing is drawn."""

    told: Mapping[str, Any]
    asked: Asking
    view: View | None = None


class Versions(msgspec.Struct, frozen=True, kw_only=True):
    """The versions among the deltas chosen: columns version, shown, first, last; most shown first."""

    frame: pl.DataFrame

    @property
    def names(self) -> list[str]:
        """Those that have a name, most shown first."""
        return [name for name in self.frame["version"] if name is not None]

    @property
    def extent(self) -> tuple[datetime, datetime] | None:
        """When the first and the last proposal was shown."""
        first, last = self.frame["first"].min(), self.frame["last"].max()
        return (first, last) if isinstance(first, datetime) and isinstance(last, datetime) else None

    @property
    def newest(self) -> list[str]:
        """Those that are shown often enough to be compared, the latest to begin first."""
        often = self.frame.filter(pl.col("version").is_not_null())
        often = often.filter(pl.col("shown") >= FEW) if (often["shown"] >= FEW).sum() > 1 else often
        return often.sort("first", "version", descending=[True, True])["version"].to_list()


def list_versions(ask: Asking, chosen: Chosen) -> Versions:
    """Return the versions among the deltas chosen."""
    tail = "group by version order by count(*) desc, version nulls last"
    columns = "version, count(*) as shown, min(shown_at) as first, max(shown_at) as last"
    return Versions(frame=ask(chosen.select(columns, tail), chosen.parameters))


def name_version(version: str | None) -> str:
    """Return the words a version stands under; a bare number says what it is.

    >>> name_version("0.9"), name_version("prompt-3"), name_version(None)
    ('version 0.9', 'prompt-3', 'no version')
    """
    if version is None:
        return "no version"
    return version if any(each.isalpha() for each in version) else f"version {version}"


def make_view(session: Session, ask: Asking, frame: pl.DataFrame, draw: Any, caption: str) -> View:
    """Return the view of a picture whose chart is drawn when it is looked at."""
    return View(
        frame=frame, draw=draw, sql=ask.sql, parameters=dict(ask.parameters), caption=caption, basis=session.basis()
    )
