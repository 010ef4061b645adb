"""The command that asks for deltas, and the one that exports them for training."""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from workbench.cli.commands import open_log
from workbench.cli.output import print_fields, print_rows, say
from workbench.errors import ArgumentError

if TYPE_CHECKING:
    import polars as pl

    from workbench.deltas.export.rules import ExportPlan
    from workbench.deltas.figures.filters import DeltaFilter
    from workbench.session import Session

Add = Callable[..., ArgumentParser]
# What a table of the list shows; the rest is in --json.
TELLING: Final = ("position", "shown_at", "kind", "decision", "person", "version", "latency", "distance", "reason")
# So many proposals lie between two lines about how far an export is.
TELL_EVERY: Final = 5_000
FILTERS: Final = {
    "kind": ("kinds", "only this kind of proposal"),
    "decision": ("decisions", "accepted, edited, rejected, pending, expired or superseded"),
    "model": ("models", "only of this model"),
    "prompt-version": ("versions", "only of this version"),
    "person": ("persons", "only decided by this person"),
    "stream": ("stream_ids", "only of this document"),
}


def define_deltas(add: Add) -> None:
    """Add the command."""
    deltas = add(
        "deltas",
        run_deltas,
        "Print proposals with what people made of them, or figures over many; export them for training.",
        "deltas",
        "deltas split --by version --kind letter",
        "deltas compare desk-2 desk-3 --kind letter",
        "deltas edits --kind letter",
        "deltas watch",
        "deltas orphans --json",
        "deltas show 4711",
        "deltas export --format dpo --distance 0.05 0.80 --kind letter --to letters",
        "deltas export --manifest letters/manifest.json --to again",
    )
    deltas.add_argument("what", nargs="?", choices=tuple(ANSWERS), default="list", help="(default: list)")
    deltas.add_argument("named", nargs="*", metavar="NAME", help="two versions to compare; a position to show")
    for name, (_, meaning) in FILTERS.items():
        deltas.add_argument(f"--{name}", action="append", metavar="NAME", help=f"{meaning}; may be repeated")
    deltas.add_argument("--since", metavar="TIME", help="shown at or after, as 2025-03-01T00:00:00Z")
    deltas.add_argument("--until", metavar="TIME", help="shown before")
    deltas.add_argument(
        "--by", action="append", metavar="NAME", help="split by model, version, person, reason or a field"
    )
    deltas.add_argument("--limit", type=int, default=100, metavar="N", help="at most so many (default: 100; 0: all)")
    _define_export(deltas)


def _define_export(deltas: ArgumentParser) -> None:
    export = deltas.add_argument_group("export")
    export.add_argument("--format", choices=("sft", "dpo", "kto", "openai"), default="dpo", help="(default: dpo)")
    export.add_argument("--plain", action="store_true", help="rows as plain text, not as messages")
    export.add_argument("--parquet", action="store_true", help="write Parquet, not JSON lines")
    export.add_argument(
        "--distance", nargs=2, type=float, metavar=("LEAST", "MOST"), help="of a pair (default: 0.05 0.80)"
    )
    export.add_argument("--split", choices=("none", "log", "time", "person"), default="none", help="(default: none)")
    export.add_argument("--prompt", metavar="TEMPLATE", help="such as 'Answer: {context}' (default: {context})")
    export.add_argument("--manifest", metavar="FILE", help="write again what this manifest says")
    export.add_argument("--to", metavar="FOLDER", help="a new folder (default: the log's name and the format)")
    export.add_argument("--preview", action="store_true", help="print what each rule drops, and write nothing")


def run_deltas(chosen: Namespace) -> int:
    """Answer one question about deltas, or export them."""
    with open_log(chosen) as session:
        return ANSWERS[chosen.what](session, chosen)


def read_filter(chosen: Namespace) -> "DeltaFilter":
    """Return what the options leave."""
    from workbench.deltas.figures.filters import DeltaFilter
    from workbench.query.events import read_instant

    named: dict[str, Any] = {
        argument: getattr(chosen, name.replace("-", "_")) or () for name, (argument, _) in FILTERS.items()
    }
    since, until = read_instant("--since", chosen.since), read_instant("--until", chosen.until)
    return DeltaFilter(**named, since=since, until=until)


def _print(frame: "pl.DataFrame", chosen: Namespace) -> int:
    print_rows(frame, as_json=chosen.json)
    return 0


def _list(session: "Session", chosen: Namespace) -> int:
    from workbench.deltas.figures.filters import choose

    session.check_deltas()
    left = choose(read_filter(chosen))
    tail = "order by position" + (f" limit {chosen.limit}" if chosen.limit else "")
    return _print(session.ask(left.select("*" if chosen.json else ", ".join(TELLING), tail), left.parameters), chosen)


def _split(session: "Session", chosen: Namespace) -> int:
    from workbench.deltas.figures.aggregates import split_decisions
    from workbench.deltas.figures.filters import choose

    session.check_deltas()
    return _print(split_decisions(session.ask, choose(read_filter(chosen)), chosen.by or ["kind"]), chosen)


def _compare(session: "Session", chosen: Namespace) -> int:
    from workbench.deltas.figures.comparison import compare_versions
    from workbench.deltas.figures.filters import choose

    session.check_deltas()
    if len(chosen.named) != 2:  # noqa: PLR2004 - two versions
        raise ArgumentError("Name the two versions to compare: workbench deltas compare ONE OTHER.")
    return _print(compare_versions(session.ask, choose(read_filter(chosen)), *chosen.named), chosen)


def _edits(session: "Session", chosen: Namespace) -> int:
    from workbench.deltas.figures.changes import rank_edits
    from workbench.deltas.figures.filters import choose

    session.check_deltas()
    return _print(rank_edits(session.ask, choose(read_filter(chosen)), chosen.limit or 1_000_000), chosen)


def _watch(session: "Session", chosen: Namespace) -> int:
    from workbench.deltas.figures.filters import choose
    from workbench.deltas.figures.people import watch_stamps

    session.check_deltas()
    return _print(watch_stamps(session.ask, choose(read_filter(chosen))), chosen)


def _orphans(session: "Session", chosen: Namespace) -> int:
    from workbench.deltas.figures.people import list_orphans

    session.check_deltas()
    return _print(list_orphans(session.ask, limit=chosen.limit or 1_000_000), chosen)


def _show(session: "Session", chosen: Namespace) -> int:
    if len(chosen.named) != 1 or not chosen.named[0].isdigit():
        raise ArgumentError("Name the position of one proposal: workbench deltas show POSITION.")
    print_fields(session.delta(int(chosen.named[0])).row, as_json=chosen.json)
    return 0


def _export(session: "Session", chosen: Namespace) -> int:
    plan, wanted = _read_plan(chosen), read_filter(chosen)
    if chosen.preview:
        return _print_preview(msgspec.to_builtins(session.preview_export(plan, wanted)), chosen)
    if chosen.manifest:
        folder = Path(chosen.to or "again")
        manifest = session.export_again(folder, chosen.manifest, progress=_show_progress)
    else:
        folder = Path(chosen.to or f"{session.settings.name}-{plan.format}")
        manifest = session.export_deltas(folder, plan, wanted, progress=_show_progress)
    written = {name: manifest[name] for name in ("proposals", "rows", "sha256")}
    files = ", ".join(file["name"] for file in manifest["files"])
    print_fields({"folder": str(folder), **written, "files": files}, as_json=chosen.json)
    return 0


def _read_plan(chosen: Namespace) -> "ExportPlan":
    from workbench.deltas.export.rules import ExportPlan

    given: dict[str, Any] = {"prompt": chosen.prompt, "distance": chosen.distance and tuple(chosen.distance)}
    return ExportPlan(
        format=chosen.format,
        messages=not chosen.plain,
        file="parquet" if chosen.parquet else "jsonl",
        split=chosen.split,
        **{name: value for name, value in given.items() if value},
    )


def _print_preview(preview: dict[str, Any], chosen: Namespace) -> int:
    import polars as pl

    if chosen.json:
        print_fields(preview, as_json=True)
        return 0
    rules = [(each["title"], each["dropped"], each["left"]) for each in preview["rules"]]
    rows = [("Rows written", None, sum(preview["rows"].values()))]
    print_rows(pl.DataFrame([*rules, *rows], schema=["rule", "dropped", "left"], orient="row"), as_json=False)
    return 0


def _show_progress(rows: int, proposals: int) -> None:
    if sys.stderr.isatty() and proposals % TELL_EVERY == 0:
        say(f"{rows:,} rows of {proposals:,} proposals")


ANSWERS: Final[dict[str, Callable[["Session", Namespace], int]]] = {
    "list": _list,
    "split": _split,
    "compare": _compare,
    "edits": _edits,
    "watch": _watch,
    "orphans": _orphans,
    "show": _show,
    "export": _export,
}
