"""The home page: one sentence whether the log holds, its figures, its types, and the apps. No script at all."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

import polars as pl

from workbench.apps.markup import Markup, element, join
from workbench.charts.theme import HUES
from workbench.session import Session
from workbench.views.grain import DAY, calendar_ticks
from workbench.views.home import HomeFigures, count_home
from workbench.views.timeline.choices import Filter, TimelineChoices

STYLE: Final = Path(__file__).parent / "static" / "home.css"
ENGINES: Final = {"duckdb": "DuckDB", "trino": "Trino"}
SPARK_PARTS: Final = 52
VOLUME_WIDTH: Final = 900
# A type that has been silent for two days before the log's last event says so.
SILENT_DAYS: Final = 2

App = tuple[str, str, str]


def render_home(session: Session | None, apps: Sequence[App], *, failure: str = "") -> str:
    """Return the home page of a session's log, or, without a session, the page that says why there is none."""
    if session is None:
        notice = element(
            "div",
            element("b", element("i", "✕"), " The log cannot be opened."),
            element("p", failure),
            class_="state bad",
        )
        return _page("", None, element("main", notice), apps)
    figures = count_home(session)
    chip = _basis(figures, ENGINES.get(session.engine.name, session.engine.name))
    main = _main(figures, apps) if figures.overview.events else _empty()
    return _page(session.settings.name, chip, main, apps)


def _page(name: str, chip: Markup | None, main: Markup, apps: Sequence[App]) -> str:
    here = element("span", "Home", class_="tab here", aria_current="page")
    tabs = [element("a", words, class_="tab", href=f"{path}/") for path, words, _ in apps]
    header = element(
        "header",
        element("h1", "Home"),
        element("span", name, class_="log"),
        chip,
        element("span", class_="gap"),
        element("nav", here, *tabs),
    )
    head = element(
        "head",
        Markup(
            '<meta charset="utf-8"><meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">'
        ),
        element("title", f"Home {name}"),
        element("style", Markup(STYLE.read_text(encoding="utf-8"))),
    )
    return f"<!doctype html>{element('html', head, element('body', header, main), lang='en')}"


def _basis(figures: HomeFigures, engine: str) -> Markup:
    position = figures.overview.position
    place = "none yet" if position is not None and position < 0 else f"{position:,}" if position is not None else ""
    start = join("position ", element("b", place)) if place else "mapped, without positions"
    last = join(" · ", element("b", f"{_minute(figures.last)} UTC")) if figures.last else None
    rest = f" · {engine} · {figures.quarantined:,} quarantined"
    return element("span", start, last, rest, class_="basis")


def _empty() -> Markup:
    command = element("code", "workbench ingest FILE")
    words = element("p", "Bring some in with ", command, "; they appear here as they are committed.")
    return element("main", element("div", element("h2", "This log has no event yet."), words, class_="empty"))


def _main(figures: HomeFigures, apps: Sequence[App]) -> Markup:
    left = element("div", _volume(figures), _types(figures))
    right = element("aside", _apps(apps), _checks(figures))
    return element("main", _sentence(figures), _figures(figures), element("div", left, right, class_="columns"))


def _sentence(figures: HomeFigures) -> Markup:
    extent = f"{figures.overview.events:,} events from {_minute(figures.first)} to {_minute(figures.last)} UTC"
    if figures.missing or figures.twice:
        broken = f"{figures.missing:,} positions are missing and {figures.twice:,} stand twice"
        return element("p", element("b", "✕ The log is not whole."), f" {broken}; {extent}.", class_="holds bad")
    if figures.quarantined:
        waiting = "1 record waits" if figures.quarantined == 1 else f"{figures.quarantined:,} records wait"
        see = join(f" {extent}; see them with ", element("code", "workbench quarantine"), ".")
        return element("p", element("b", f"! {waiting} in quarantine."), see, class_="holds note")
    if figures.missing is None:
        # A table of others gives no position by which a gap would show.
        mapped = element("b", element("i", "–"), " A table that others write.")  # noqa: RUF001 - the sign of a fact, see the checks
        return element("p", mapped, f" {extent}; without positions a gap cannot be told.", class_="holds note")
    whole = element("b", element("i", "✓"), " The log is whole.")
    return element("p", whole, f" {extent}; no position missing, none twice, nothing waiting.", class_="holds good")


def _figures(figures: HomeFigures) -> Markup:
    versions, kinds = int(figures.event_types["versions"].sum()), figures.event_types.height
    each = "one schema version each" if versions == kinds else f"{versions:,} schema versions"
    without = f"{figures.without_actor:,} events name none" if figures.without_actor else "every event names one"
    kept_out = "records that could be no event" if figures.quarantined else "every record became an event"
    mean = figures.overview.events / max(1, figures.streams)
    boxes = (
        ("Events", figures.overview.events, _per_day(figures)),
        ("Streams", figures.streams, f"{mean:,.1f} events each on average"),
        ("Event types", kinds, each),
        ("Actors", figures.actors, without),
        ("Quarantined", figures.quarantined, kept_out),
    )
    cells = [
        element("div", element("span", name), element("strong", f"{count:,}"), element("span", note))
        for name, count, note in boxes
    ]
    return element("div", *cells, class_="figures")


def _per_day(figures: HomeFigures) -> str:
    if figures.first is None or figures.last is None:
        return ""
    days = (figures.last - figures.first).total_seconds() / DAY
    return f"{figures.overview.events / days:,.0f} a day on average" if days >= 1 else "all within a day"


def _volume(figures: HomeFigures) -> Markup:
    bars = figures.overview.bars.group_by("start", "end").agg(pl.col("events").sum()).sort("start").rows()
    first, last = bars[0][0], bars[-1][1]
    tallest = max(events for _, _, events in bars)
    scale = VOLUME_WIDTH / max(1, last - first)
    boxes = [
        ((start - first) * scale, max(0.8, (end - start) * scale - 0.8), 60 * events / tallest)
        for start, end, events in bars
    ]
    note = f"events by occurred_at, UTC · 1 bar = {figures.overview.grain.words}, tallest {tallest:,}"
    return element(
        "section",
        element("div", element("h2", "Volume"), _dim(note), _open_timeline(), class_="line"),
        _bars(boxes, 65, class_="volume", viewBox=f"0 0 {VOLUME_WIDTH} 65", preserveAspectRatio="none"),
        element("div", *_ticks(first, last), class_="ticks"),
    )


def _ticks(first: int, last: int) -> list[Markup]:
    """Return the beginnings of months, years or days under the bars, about one a 65 pixels."""
    width = max(1, last - first)
    return [
        element("span", words, class_="dim", style=f"left:{100 * (second - first) / width:.2f}%")
        for second, words in calendar_ticks(first, last, VOLUME_WIDTH // 65)
    ]


def _open_timeline() -> Markup:
    return element("a", "Open in Timeline", class_="gap right", href="timeline/")


def _bars(boxes: Sequence[tuple[float, float, float]], floor: int, hue: str | None = None, **given: object) -> Markup:
    path = "".join(f"M{left:.1f} {floor}v{-max(1.0, high):.1f}h{wide:.1f}V{floor}z" for left, wide, high in boxes)
    return element("svg", element("path", d=path, fill=hue or "currentColor"), aria_hidden="true", **given)


def _types(figures: HomeFigures) -> Markup:
    parts = _count_parts(figures)
    heads = (
        ("event_type", ""),
        ("schemas", "n"),
        ("events", "n"),
        ("share", "n"),
        ("over time, each on its own scale", ""),
    )
    row = element("tr", *(element("th", words, class_=kind or None) for words, kind in (*heads, *_SEEN)))
    body = [
        _type(each, HUES[rank] if rank < len(HUES) else None, parts.get(each["event_type"], {}), figures)
        for rank, each in enumerate(figures.event_types.iter_rows(named=True))
    ]
    note = f"{figures.event_types.height:,}, by number of events"
    title = element("div", element("h2", "Event types"), _dim(note), class_="line")
    return element("section", title, element("table", element("thead", row), element("tbody", *body)))


_SEEN: Final = (("first seen, UTC", ""), ("last seen, UTC", ""))


def _type(row: dict[str, object], hue: str | None, parts: dict[int, int], figures: HomeFigures) -> Markup:
    swatch = element("i", class_="swatch" if hue else "swatch hollow", style=f"background:{hue}" if hue else None)
    name, events, last = str(row["event_type"]), row["events"], row["last"]
    share = 100 * int(str(events)) / figures.overview.events
    quiet = (figures.last - last).days if figures.last and isinstance(last, datetime) else 0
    silent = _dim(f" {quiet:,} days before the last") if quiet >= SILENT_DAYS else None
    tallest = max(parts.values(), default=1)
    spark = [(3.0 * part, 2.4, 14 * count / tallest) for part, count in sorted(parts.items())]
    width = 3 * SPARK_PARTS
    return element(
        "tr",
        element("td", swatch, element("a", name, href=f"timeline/?{_only(name)}"), title=name),
        element("td", row["versions"], class_="n"),
        element("td", f"{events:,}", class_="n"),
        element("td", f"{share:.2f} %", class_="n"),
        element("td", _bars(spark, 14, hue, class_="spark", viewBox=f"0 0 {width} 14", width=width, height=14)),
        element("td", _minute(row["first"])),
        element("td", _minute(last), silent),
    )


def _only(event_type: str) -> str:
    """Return the link parameters of the events of one type."""
    chosen = TimelineChoices(filters=(Filter(field="event_type", values=(event_type,)),))
    return urlencode(chosen.to_query(), doseq=True)


def _count_parts(figures: HomeFigures) -> dict[str, dict[int, int]]:
    """Return each type's events by 52nd part of the log's time."""
    bars = figures.overview.bars
    first, last = int(bars["start"].to_numpy().min()), int(bars["end"].to_numpy().max())
    width = max(1, -(-(last - first) // SPARK_PARTS))
    part = ((pl.col("start") - first) // width).alias("part")
    counted: dict[str, dict[int, int]] = {}
    for name, number, events in bars.group_by("event_type", part).agg(pl.col("events").sum()).iter_rows():
        counted.setdefault(name, {})[number] = events
    return counted


def _apps(apps: Sequence[App]) -> Markup:
    lines = [
        join(element("dt", element("a", words, href=f"{path}/")), element("dd", question))
        for path, words, question in apps
    ]
    return element("section", element("h2", "Apps"), element("dl", *lines))


def _checks(figures: HomeFigures) -> Markup | None:
    if figures.missing is None or figures.twice is None:
        return None
    positions = f"Positions 0 – {figures.overview.position or 0:,}"  # noqa: RUF001 - an en dash stands between two figures
    lines = (
        (figures.missing == 0, positions, f"{figures.missing:,} missing" if figures.missing else "none missing"),
        (figures.twice == 0, "One event a position", f"{figures.twice:,} twice" if figures.twice else "none twice"),
        (figures.quarantined == 0, "Quarantine", f"{figures.quarantined:,} waiting"),
    )
    rows = [
        element(
            "li", element("i", "✓" if held else "!", class_="good" if held else "bad"), name, element("span", found)
        )
        for held, name, found in lines
    ]
    return element("section", element("h2", "Checks"), element("ul", *rows))


def _dim(words: str) -> Markup:
    return element("span", words, class_="dim")


def _minute(moment: object) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}" if isinstance(moment, datetime) else ""
