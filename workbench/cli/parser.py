"""What can be typed: every command with its options and examples."""

import argparse
from collections.abc import Callable
from typing import Any

from workbench import __version__
from workbench.cli import commands
from workbench.cli.deltas import define_deltas
from workbench.cli.models import define_models
from workbench.cli.replay import define_replay

ENGINES = ("duckdb", "trino")
Add = Callable[..., argparse.ArgumentParser]

_EXAMPLES = """examples:
  workbench demo                                   make the demo log in ./.workbench
  workbench ingest events.ndjson --into mylog      take a file in; the format is guessed
  workbench events --log mylog --type LoanRequested --since 2025-03-01T00:00:00Z
  workbench sql "select event_type, count(*) as n from events group by event_type" --log mylog
  workbench trace events.ndjson:17 --log mylog     what became of one record
  workbench state document --log mylog --as-of 2025-06-01T00:00:00Z   what was true at a moment
"""


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line; each command's function stands in ``run``."""
    parser = argparse.ArgumentParser(
        prog="workbench",
        description="Ask an append-only event log: what happened, in which order, and can it be trusted.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"workbench {__version__}")
    groups = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def add(name: str, run: Callable[[Any], int | None], help: str, *examples: str) -> argparse.ArgumentParser:  # noqa: A002 — argparse's word
        command = groups.add_parser(
            name,
            help=help,
            description=help,
            epilog="examples:\n" + "\n".join(f"  workbench {example}" for example in examples),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.set_defaults(run=run)
        command.add_argument("--json", action="store_true", help="print JSON: one object, or one object a row")
        command.add_argument(
            "--log",
            "--into",
            metavar="LOG",
            help="a folder, a workbench.toml, or a catalog's name (default: ./workbench.toml, else ./.workbench)",
        )
        command.add_argument("--engine", choices=ENGINES, help="what runs SQL (default: the settings', else duckdb)")
        return command

    for define in (_writing, _finding, _reading, define_replay, define_models, define_deltas, _caring, _showing):
        define(add)
    return parser


def _writing(add: Add) -> None:
    demo = add("demo", commands.run_demo, "Make the demo log: a loan desk over a year.", "demo", "demo mylog --serve")
    demo.add_argument("folder", nargs="?", help="where to make it (default: ./.workbench)")
    demo.add_argument("--events", type=int, default=200_000, metavar="N", help="how many events (default: 200,000)")
    demo.add_argument("--serve", action="store_true", help="then show it in a browser until Ctrl-C")
    _add_address(demo)

    ingest = add(
        "ingest",
        commands.run_ingest,
        "Take files in, each as one commit; a second time adds nothing.",
        "ingest events.ndjson.gz --into mylog",
        "ingest sales.csv --mapping sales.toml --into mylog --json",
    )
    ingest.add_argument("files", nargs="*", metavar="FILE")
    ingest.add_argument("--inbox", action="store_true", help="take in what others inserted into events_inbox instead")
    ingest.add_argument(
        "--commit-every", type=int, metavar="N", help="commit in parts of N records (default: a file is one commit)"
    )
    ingest.add_argument("--source", metavar="NAME", help="the producer, where records name none (default: the file's)")
    ingest.add_argument("--format", metavar="FORMAT", help="the format, instead of guessing it from the content")
    ingest.add_argument("--mapping", metavar="TOML", help="a mapping file: each column of the log as a SQL expression")


def _finding(add: Add) -> None:
    events = add(
        "events",
        commands.run_events,
        "Print events in the order of the log.",
        "events --stream account-00008 --limit 0",
        "events --type LoanRequested --since 2025-03-01T00:00:00Z --json",
    )
    events.add_argument("--type", action="append", metavar="NAME", help="only this event type; may be repeated")
    events.add_argument("--stream", action="append", metavar="ID", help="only this stream; may be repeated")
    events.add_argument("--actor", action="append", metavar="ID", help="only this actor; may be repeated")
    events.add_argument("--since", metavar="TIME", help="occurred at or after, as 2025-03-01T00:00:00Z")
    events.add_argument("--until", metavar="TIME", help="occurred before")
    events.add_argument("--as-of", metavar="TIME", help="what had happened by then")
    events.add_argument("--known-at", metavar="TIME", help="what the log had recorded by then")
    events.add_argument("--text", help="only events whose payload holds this text, ignoring case")
    events.add_argument("--after", type=int, metavar="POSITION", help="only behind this position")
    events.add_argument("--limit", type=int, default=100, metavar="N", help="at most so many (default: 100; 0: all)")


def _reading(add: Add) -> None:
    sql = add(
        "sql",
        commands.run_sql,
        "Print the rows of one SELECT, in the declared subset of Trino's SQL.",
        'sql "select event_type, count(*) as n from events group by event_type order by n desc"',
        'sql "select * from events where stream_id = :s" --param s=account-00008',
    )
    sql.add_argument("statement", help="one SELECT over events, events_stored, quarantine …; - reads it from stdin")
    sql.add_argument("--param", action="append", default=[], metavar="NAME=VALUE", help="bind :NAME to a text")

    tail = add(
        "tail", commands.run_tail, "Print the newest events.", "tail", "tail --follow --json", "tail --after 4711"
    )
    tail.add_argument("--after", type=int, metavar="POSITION", help="behind this position (default: the last ten)")
    tail.add_argument("--follow", action="store_true", help="wait for more until Ctrl-C")

    trace = add(
        "trace",
        commands.run_trace,
        "Say what became of one record: event at a position, duplicate of, quarantined because.",
        "trace events.ndjson:17",
        "trace 20beee809c5",
    )
    trace.add_argument("record", metavar="FILE:LINE|EVENT_ID")
    trace.add_argument("--format", metavar="FORMAT", help="the file's format, as for ingest")
    trace.add_argument("--mapping", metavar="TOML", help="the file's mapping, as for ingest")
    trace.add_argument("--source", metavar="NAME", help="the producer, as for ingest")


def _caring(add: Add) -> None:
    quarantine = add(
        "quarantine",
        commands.run_quarantine,
        "Print the records that could not be events, and why.",
        "quarantine",
        "quarantine --retry",
    )
    quarantine.add_argument("--retry", action="store_true", help="decode them again, now that the cause is mended")
    maintain = add("maintain", commands.run_maintain, "Merge small files, expire snapshots, clean up.", "maintain")
    maintain.add_argument("--older-than", type=float, default=0.0, metavar="SECONDS", help="keep younger loose files")
    add(
        "verify",
        commands.run_verify,
        "Read the whole log once and say whether it still is what its writers made of it.",
        "verify --log mylog --json",
    )
    doctor = add(
        "doctor",
        commands.run_doctor,
        "Say whether everything is in order, and what to do if not.",
        "doctor",
        "doctor --adopt",
    )
    doctor.add_argument(
        "--adopt",
        nargs="?",
        const=commands.ALL,
        metavar="SNAPSHOT",
        help="take in what others wrote into events, up to a snapshot, as a source",
    )


def _showing(add: Add) -> None:
    serve = add(
        "serve",
        commands.run_serve,
        "Show the apps in a browser, until Ctrl-C.",
        "serve",
        "serve --log lake --engine trino",
    )
    _add_address(serve)
    lab = add("lab", commands.run_lab, "Open the Jupyter notebooks.", "lab")
    lab.add_argument("--no-open", action="store_true", help="open no browser")


def _add_address(command: argparse.ArgumentParser) -> None:
    command.add_argument("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
    command.add_argument("--port", type=int, default=2718, help="port to listen on (default: 2718)")
    command.add_argument("--token", help="what a visitor must know; needed for any address but loopback")
    command.add_argument("--no-open", action="store_true", help="open no browser")
