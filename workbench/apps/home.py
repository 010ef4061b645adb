"""The home page: one sentence whether the log holds, its figures, its types, and the apps. No script at all."""

from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Final

import polars as pl

from workbench.charts.theme import HUES
from workbench.session import Session
from workbench.views.grain import DAY
from workbench.views.home import HomeFigures, count_home

STYLE: Final = Path(__file__).parent / "static" / "home.css"
BARS: Final = 52
STRIP: Final = 900

App = tuple[str, str, str]


def render_home(session: Session | None, apps: Sequence[App], *, failure: str = "") -> str:
    """Return the home page of a session's log, or, when it cannot be opened, the page that says so.

    Every name that comes from the log is escaped here and nowhere else.
    """
    if session is None:
        return _page("Home", "", _header("", ""), _failed(failure), apps)
    figures = count_home(session)
    name = session.settings.name
    engine = {"duckdb": "DuckDB", "trino": "Trino"}.get(session.engine.name, session.engine.name)
    chip = _basis(figures, engine)
    if not figures.overview.events:
        return _page("Home", name, _header(name, chip), _empty(), apps)
    return _page("Home", name, _header(name, chip), _main(figures, apps), apps)


def _page(title: str, name: str, header: str, main: str, apps: Sequence[App]) -> str:
    tabs = "".join(f'<a class="tab" href="{escape(path)}/">{escape(words)}</a>' for path, words, _ in apps)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)} {escape(name)}</title>'
        '<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">'
        f"<style>{STYLE.read_text(encoding='utf-8')}</style></head><body>"
        f'<header>{header}<nav><span class="tab here" aria-current="page">Home</span>{tabs}</nav></header>{main}</body></html>'
    )


def _header(name: str, chip: str) -> str:
    return f'<h1>Home</h1><span class="log">{escape(name)}</span>{chip}<span class="gap"></span>'


def _basis(figures: HomeFigures, engine: str) -> str:
    position = figures.overview.position
    place = "none" if position is None else "none yet" if position < 0 else f"{position:,}"
    last = f" · <b>{_minute(figures.last)} UTC</b>" if figures.last else ""
    return f'<span class="basis">position <b>{place}</b>{last} · {escape(engine)} · {figures.quarantined:,} quarantined</span>'


def _failed(sentence: str) -> str:
    return f'<main><div class="state bad"><b>✕ The log cannot be opened.</b><p>{escape(sentence)}</p></div></main>'


def _empty() -> str:
    return (
        '<main><div class="empty"><h2>This log has no event yet.</h2>'
        "<p>Bring some in with <code>workbench ingest FILE</code>; they appear here as they are committed.</p></div></main>"
    )


def _main(figures: HomeFigures, apps: Sequence[App]) -> str:
    return (
        f"<main>{_sentence(figures)}{_figures(figures)}"
        f'<div class="columns"><div>{_volume(figures)}{_types(figures)}</div><aside>{_apps(apps)}{_checks(figures)}</aside></div></main>'
    )


def _sentence(figures: HomeFigures) -> str:
    extent = f"{figures.overview.events:,} events from {_minute(figures.first)} to {_minute(figures.last)} UTC"
    if figures.missing or figures.twice:
        broken = f"{figures.missing:,} positions are missing and {figures.twice:,} stand twice"
        return f'<p class="holds bad"><b>✕ The log is not whole.</b> {broken}; {extent}.</p>'
    if figures.quarantined:
        waiting = "1 record waits" if figures.quarantined == 1 else f"{figures.quarantined:,} records wait"
        return f'<p class="holds note"><b>! {waiting} in quarantine.</b> {extent}; see them with <code>workbench quarantine</code>.</p>'
    order = "no position missing, none twice, nothing waiting" if figures.missing is not None else "nothing waiting"
    return f'<p class="holds good"><b><i>✓</i> The log is whole.</b> {extent}; {order}.</p>'


def _figures(figures: HomeFigures) -> str:
    versions = int(figures.event_types["versions"].sum())
    kinds = figures.event_types.height
    each = "one schema version each" if versions == kinds else f"{versions:,} schema versions"
    without = f"{figures.without_actor:,} events name none" if figures.without_actor else "every event names one"
    boxes = (
        ("Events", figures.overview.events, _per_day(figures)),
        ("Streams", figures.streams, f"{figures.overview.events / max(1, figures.streams):,.1f} events each on average"),
        ("Event types", kinds, each),
        ("Actors", figures.actors, without),
        ("Quarantined", figures.quarantined, "records that could be no event" if figures.quarantined else "every record became an event"),
    )
    return '<div class="figures">' + "".join(
        f"<div><span>{name}</span><strong>{count:,}</strong><span>{escape(note)}</span></div>" for name, count, note in boxes
    ) + "</div>"


def _per_day(figures: HomeFigures) -> str:
    if figures.first is None or figures.last is None:
        return ""
    days = (figures.last - figures.first).total_seconds() / DAY
    return f"{figures.overview.events / days:,.0f} a day on average" if days >= 1 else "all within a day"


def _volume(figures: HomeFigures) -> str:
    bars = figures.overview.bars.group_by("start", "end").agg(pl.col("events").sum()).sort("start")
    first, last = int(bars["start"].to_list()[0]), int(bars["end"].to_list()[-1])
    tallest = int(bars["events"].to_numpy().max())
    scale = STRIP / max(1, last - first)
    path = "".join(
        f"M{(start - first) * scale:.1f} 64v{-max(1.0, 60 * events / tallest):.1f}h{max(0.8, (end - start) * scale - 0.8):.1f}V64z"
        for start, end, events in bars.iter_rows()
    )
    return (
        f'<section><div class="line"><h2>Volume</h2><span class="dim">events by occurred_at · 1 bar = {figures.overview.grain.words}, '
        f'tallest {tallest:,}</span><a class="gap right" href="timeline/">Open in Timeline</a></div>'
        f'<svg class="volume" viewBox="0 0 {STRIP} 65" preserveAspectRatio="none" role="img" aria-label="Events over time"><path d="{path}"/></svg>'
        f'<div class="line dim"><span>{_day(first)}</span><span class="gap"></span><span>{_day(last)} UTC</span></div></section>'
    )


def _types(figures: HomeFigures) -> str:
    weeks = _weeks(figures)
    rows = []
    for rank, row in enumerate(figures.event_types.iter_rows(named=True)):
        hue = HUES[rank] if rank < len(HUES) else None
        mark = f'<i class="swatch" style="background:{hue}"></i>' if hue else '<i class="swatch hollow"></i>'
        share = 100 * row["events"] / figures.overview.events
        rows.append(
            f"<tr><td>{mark}{escape(row['event_type'])}</td><td class=n>{row['versions']}</td><td class=n>{row['events']:,}</td>"
            f"<td class=n>{share:.2f} %</td><td>{_spark(weeks.get(row['event_type'], {}), hue)}</td>"
            f"<td>{_minute(row['first'])}</td><td>{_minute(row['last'])}{_silent(row['last'], figures.last)}</td></tr>"
        )
    return (
        f'<section><div class="line"><h2>Event types</h2><span class="dim">{figures.event_types.height:,}, by number of events</span></div>'
        '<table><thead><tr><th>event_type<th class=n>schemas<th class=n>events<th class=n>share<th>over time, each on its own scale'
        f"<th>first seen, UTC<th>last seen, UTC</tr></thead><tbody>{''.join(rows)}</tbody></table></section>"
    )


def _weeks(figures: HomeFigures) -> dict[str, dict[int, int]]:
    """Return each type's events by 52nd part of the log's time."""
    bars = figures.overview.bars
    first = int(bars["start"].to_numpy().min())
    width = max(1, -(-(int(bars["end"].to_numpy().max()) - first) // BARS))
    parts = bars.group_by("event_type", ((pl.col("start") - first) // width).alias("part")).agg(pl.col("events").sum())
    counted: dict[str, dict[int, int]] = {}
    for name, part, events in parts.iter_rows():
        counted.setdefault(name, {})[part] = events
    return counted


def _spark(parts: dict[int, int], hue: str | None) -> str:
    tallest = max(parts.values(), default=1)
    path = "".join(f"M{3 * part} 14v{-max(1.0, 14 * events / tallest):.1f}h2.4V14z" for part, events in sorted(parts.items()))
    colour = f' style="fill:{hue}"' if hue else ""
    return f'<svg class="spark" viewBox="0 0 {3 * BARS} 14" width="{3 * BARS}" height="14" aria-hidden="true"><path d="{path}"{colour}/></svg>'


def _silent(last: datetime, head: datetime | None) -> str:
    days = (head - last).days if head else 0
    return f' <span class="dim">{days:,} days before the last</span>' if days >= 2 else ""  # noqa: PLR2004 - silent for two days


def _apps(apps: Sequence[App]) -> str:
    lines = "".join(f'<dt><a href="{escape(path)}/">{escape(words)}</a></dt><dd>{escape(question)}</dd>' for path, words, question in apps)
    return f"<section><h2>Apps</h2><dl>{lines}</dl></section>"


def _checks(figures: HomeFigures) -> str:
    if figures.missing is None or figures.twice is None:
        return ""
    head = figures.overview.position or 0
    lines = (
        (figures.missing == 0, f"Positions 0 – {head:,}", "none missing" if not figures.missing else f"{figures.missing:,} missing"),
        (figures.twice == 0, "One event a position", "none twice" if not figures.twice else f"{figures.twice:,} twice"),
        (figures.quarantined == 0, "Quarantine", f"{figures.quarantined:,} waiting"),
    )
    rows = "".join(
        f'<li><i class="{"good" if held else "bad"}">{"✓" if held else "!"}</i>{name}<span>{finding}</span></li>' for held, name, finding in lines
    )
    return f'<section><h2>Checks</h2><ul>{rows}</ul></section>'


def _minute(moment: datetime | None) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}" if moment else ""


def _day(second: int) -> str:
    return f"{datetime.fromtimestamp(second, UTC):%-d %b %Y}"
