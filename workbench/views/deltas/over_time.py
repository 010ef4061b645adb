"""How proposals were decided over time, one row of columns a version, and two versions held to each other."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
import polars as pl

from workbench.charts.deltas import DECISIONS
from workbench.charts.deltas_compare import Contrast, compare_chart
from workbench.charts.deltas_split import HIGH, PITCH, TOP, SplitColumn, SplitRow, column_place, split_chart
from workbench.charts.theme import choose_palette
from workbench.deltas.figures.aggregates import split_over_time
from workbench.deltas.figures.comparison import compare_release, compare_versions
from workbench.deltas.figures.filters import Chosen
from workbench.session import Session
from workbench.views.deltas.asking import Asking, choose_deltas
from workbench.views.deltas.choices import DeltasChoices
from workbench.views.deltas.picture import ROWS, DeltaPicture, Versions, list_versions, make_view, name_version
from workbench.views.timeline.choices import to_microseconds

# As many columns as there is room for.
MOST: Final = 62
HOUR: Final = timedelta(hours=1)
LENGTHS: Final = (("hour", HOUR), ("day", timedelta(days=1)), ("week", timedelta(days=7)))
DECEMBER: Final = 12


def show_split(session: Session, choices: DeltasChoices, *, width: int) -> DeltaPicture:
    """Return the decisions by day (hour, week, month) and version; the four versions with the most proposals."""
    ask, chosen = Asking(session, choices.position), choose_deltas(choices)
    versions = list_versions(ask, chosen)
    extent = versions.extent
    if extent is None:
        return DeltaPicture(told={"rows": []}, asked=ask)
    grain = choose_grain(*extent)
    counts = split_over_time(ask, chosen, grain, "version")
    starts = list(step_through(extent[0], extent[1], grain))
    shown = versions.frame.head(ROWS)
    rows = [
        _row(version, count, counts.filter(pl.col("version").eq_missing(pl.lit(version, pl.String))), starts)
        for version, count in shown.select("version", "shown").iter_rows()
    ]
    palette = choose_palette(choices.theme)
    told = {
        "grain": grain,
        "versioned": bool(versions.names),
        "more": versions.frame.height - len(rows),
        "rows": [
            {"version": version, **_told(row)} for version, row in zip(shown["version"].to_list(), rows, strict=True)
        ],
        "from": [_write_start(start, grain) for start in starts],
        "times": [to_microseconds(start) for start in [*starts, next_start(starts[-1], grain)]],
        "places": [column_place(number, len(starts), width) for number in range(len(starts))],
        "geometry": {"top": TOP, "pitch": PITCH, "high": HIGH},
    }
    caption = f"share of proposals shown that {grain} (UTC)"
    view = make_view(session, ask, counts, lambda: split_chart(rows, starts, palette, width=width), caption)
    return DeltaPicture(told=told, asked=ask, view=view)


def _told(row: SplitRow) -> dict[str, Any]:
    columns = [{"number": each.number, "shown": each.shown, "counts": dict(each.counts)} for each in row.columns]
    return {"words": row.words, "columns": columns}


def _row(version: str | None, shown: int, counts: pl.DataFrame, starts: list[datetime]) -> SplitRow:
    numbers = {start: number for number, start in enumerate(starts)}
    columns = [
        SplitColumn(
            number=numbers[each["start"]],
            start=each["start"],
            shown=each["shown"],
            counts={name: each[name] for name in DECISIONS if each[name]},
        )
        for each in counts.sort("start").iter_rows(named=True)
    ]
    return SplitRow(words=name_version(version), shown=shown, columns=columns)


def choose_grain(first: datetime, last: datetime) -> str:
    """Return the finest grain of which there is room for every column between two times."""
    return next((name for name, length in LENGTHS if (last - first) / length < MOST), "month")


def step_through(first: datetime, last: datetime, grain: str) -> Iterator[datetime]:
    """Return when the columns from the one of ``first`` to the one of ``last`` begin, in UTC."""
    start = truncate(first, grain)
    while start <= last:
        yield start
        start = next_start(start, grain)


def truncate(moment: datetime, grain: str) -> datetime:
    """Return when the column of a moment begins, as the engine's date_trunc has it: weeks on Mondays."""
    hour = moment.replace(minute=0, second=0, microsecond=0)
    day = hour.replace(hour=0)
    starts = {"hour": hour, "day": day, "week": day - timedelta(days=day.weekday())}
    return starts.get(grain, day.replace(day=1))


def next_start(start: datetime, grain: str) -> datetime:
    """Return when the column after the one that begins at ``start`` begins."""
    lengths = dict(LENGTHS)
    if grain in lengths:
        return start + lengths[grain]
    year, month = (start.year + 1, 1) if start.month == DECEMBER else (start.year, start.month + 1)
    return start.replace(year=year, month=month)


def _write_start(start: datetime, grain: str) -> str:
    words = {"hour": f"{start:%Y-%m-%d %H:%M}", "week": f"week of {start:%Y-%m-%d}", "month": f"{start:%B %Y}"}
    return words.get(grain, f"{start:%Y-%m-%d}")


class _Sides(msgspec.Struct, frozen=True, kw_only=True):
    """What is compared: ``one`` minus ``other``, in words; versions, or the moment between."""

    one: str
    other: str
    frame: pl.DataFrame
    moment: datetime | None = None


def show_compare(session: Session, choices: DeltasChoices, *, width: int) -> DeltaPicture:
    """Return two versions held to each other, or, with one version, what came before and after a moment."""
    ask, chosen = Asking(session, choices.position), choose_deltas(choices)
    versions = list_versions(ask, chosen)
    extent = versions.extent
    if extent is None:
        return DeltaPicture(told={"measures": [], "versions": [], "mode": "versions", "people": 0}, asked=ask)
    sides = _compare(ask, chosen, choices, versions, extent)
    frame = sides.frame.drop_nulls(["difference", "low", "high"])
    contrasts = [
        Contrast(measure=each["measure"], **{name: 100 * each[name] for name in ("difference", "low", "high")})
        for each in frame.iter_rows(named=True)
    ]
    palette = choose_palette(choices.theme)
    told = {
        "mode": "versions" if sides.moment is None else "moment",
        "versions": versions.names,
        "one": sides.one,
        "other": sides.other,
        "words": [sides.one, sides.other],
        "moment": None if sides.moment is None else to_microseconds(sides.moment),
        "people": int(frame["people"][0]) if frame.height else 0,
        "why": "Nobody decided on both sides.",
        # Here the first is what the other is taken from; the functions take it the other way round.
        "measures": [_swap(each) for each in frame.iter_rows(named=True)],
    }
    caption = f"{sides.one} \N{MINUS SIGN} {sides.other}, points"
    view = make_view(session, ask, sides.frame, lambda: compare_chart(contrasts, palette, width=width), caption)
    return DeltaPicture(told=told, asked=ask, view=view if contrasts else None)


def _swap(row: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: row[name] for name in ("measure", "difference", "low", "high")}
    return {**kept, "one": row["other"], "one_of": row["other_of"], "other": row["one"], "other_of": row["one_of"]}


def _compare(
    ask: Asking, chosen: Chosen, choices: DeltasChoices, versions: Versions, extent: tuple[datetime, datetime]
) -> _Sides:
    newest = versions.newest
    if len(newest) > 1:
        one = choices.one if choices.one in versions.names else newest[0]
        other = choices.other if choices.other in versions.names and choices.other != one else None
        other = other or next(name for name in newest if name != one)
        return _Sides(one=one, other=other, frame=compare_versions(ask, chosen, other, one))
    first, last = extent
    moment = choices.moment or truncate(
        first + (last - first) / 2, "day" if last - first > timedelta(days=2) else "hour"
    )
    return _Sides(one="after", other="before", frame=compare_release(ask, chosen, moment), moment=moment)
