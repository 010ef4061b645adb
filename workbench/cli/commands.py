"""What each command does: open a session, ask it, print the answer."""

import sys
from argparse import Namespace
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from workbench.cli.output import Counter, escape_text, print_fields, print_rows, say
from workbench.errors import ArgumentError, SourceError

if TYPE_CHECKING:
    import polars as pl

    from workbench.eventlog import IngestReport
    from workbench.session import Session

ALL: Final = "all"
MANY: Final = 2
TAIL: Final = 10
USAGE: Final = 2


def open_log(chosen: Namespace, *, make: bool = False) -> "Session":
    """Return a session on the log that was named. Only ``make`` creates one where there is none."""
    from workbench.config import DEFAULT_FOLDER, FILE_NAME, is_catalog
    from workbench.session import connect

    path = Path(chosen.log) if chosen.log else Path(FILE_NAME if Path(FILE_NAME).is_file() else DEFAULT_FOLDER)
    if not make and not path.exists() and not (chosen.log and is_catalog(chosen.log)):
        raise ArgumentError(
            f"There is no log at {path}. "
            "Make one with `workbench demo` or `workbench ingest FILE`, or name it with --log."
        )
    return connect(chosen.log, engine=chosen.engine)


def run_demo(chosen: Namespace) -> int:
    """Make the demo log where there is none, and show it if asked to."""
    from workbench.cli.demo import make_demo

    chosen.log = chosen.folder or chosen.log
    fields = make_demo(chosen.log, events=chosen.events)
    if chosen.serve:
        print_fields(fields, as_json=chosen.json)
        return run_serve(chosen)
    print_fields(fields, as_json=chosen.json)
    return 0


def run_ingest(chosen: Namespace) -> int:
    """Take in each file, or the inbox, and print its report."""
    if bool(chosen.files) == chosen.inbox:
        say("usage: workbench ingest FILE … | --inbox. Name files, or ask for the inbox.")
        return USAGE
    for file in chosen.files:
        if not Path(file).exists():
            raise SourceError(f"There is no file {file}. Nothing was taken in; check the path.")
    with open_log(chosen, make=not chosen.inbox) as session:
        for file in chosen.files or [None]:
            report = take_in(session, file, chosen)
            fields = msgspec.structs.asdict(report)
            print_fields(fields if len(chosen.files) < MANY else {"file": file, **fields}, as_json=chosen.json)
            if report.quarantined and not chosen.json:
                say("`workbench quarantine` shows why records could not be events.")
    return 0


def take_in(session: "Session", file: str | None, chosen: Namespace) -> "IngestReport":
    """Take in one file, or the inbox, with a count of its records on the terminal."""
    with closing(Counter(f"records of {escape_text(file or 'the inbox')}")) as counter:
        if file is None:
            return session.drain_inbox(progress=counter)
        return session.ingest(
            file,
            chosen.source,
            chosen.mapping,
            format=chosen.format,
            progress=counter,
            commit_every=chosen.commit_every,
        )


def run_events(chosen: Namespace) -> int:
    """Print the events that the filters leave."""
    limit = chosen.limit or None
    with open_log(chosen) as session:
        events = session.events(
            event_types=chosen.type,
            stream_ids=chosen.stream,
            actor_ids=chosen.actor,
            since=chosen.since,
            until=chosen.until,
            as_of=chosen.as_of,
            known_at=chosen.known_at,
            text=chosen.text,
            after=chosen.after,
            limit=limit and limit + 1,
        )
        print_events(events.head(limit) if limit else events, as_json=chosen.json)
    if limit and events.height > limit:
        say(f"The first {limit:,} are shown; --limit 0 prints all, --after {events['position'][limit - 1]} goes on.")
    return 0


def print_events(events: "pl.DataFrame", *, as_json: bool) -> None:
    """Print events: every column as JSON, the telling ones as a table."""
    telling = ["position", "occurred_at", "event_type", "stream_id", "stream_version", "actor_id", "data"]
    print_rows(events if as_json else events.select(telling), as_json=as_json)


def run_sql(chosen: Namespace) -> int:
    """Print the rows of one SELECT."""
    statement = sys.stdin.read() if chosen.statement == "-" else chosen.statement
    pairs = [pair.partition("=") for pair in chosen.param]
    for name, equals, _ in pairs:
        if not name or not equals:
            raise ArgumentError(f"--param {name} names no value. Write it as NAME=VALUE.")
    with open_log(chosen) as session:
        print_rows(session.sql(statement, {name: value for name, _, value in pairs}), as_json=chosen.json)
    return 0


def run_tail(chosen: Namespace) -> int:
    """Print the newest events, and go on if asked to."""
    with open_log(chosen) as session:
        last = session.head().position
        after = chosen.after if chosen.after is not None else max(-1, (last if last is not None else -1) - TAIL)
        for events in session.tail(after, follow=chosen.follow):
            print_events(events, as_json=chosen.json)
            sys.stdout.flush()
    return 0


def run_trace(chosen: Namespace) -> int:
    """Say what became of one record."""
    with open_log(chosen) as session:
        trace = session.trace(chosen.record, source=chosen.source, mapping=chosen.mapping, format=chosen.format)
        fields = msgspec.structs.asdict(trace)
        told = {name: value for name, value in fields.items() if chosen.json or value is not None}
        print_fields({"record": chosen.record, **told}, as_json=chosen.json)
    return 0


def run_verify(chosen: Namespace) -> int:
    """Print what a check of the whole log found; 1 when something does not hold."""
    with open_log(chosen) as session:
        findings = session.verify()
        print_rows(findings, as_json=chosen.json)
    return int(not findings["holds"].all())


def run_quarantine(chosen: Namespace) -> int:
    """Print what waits in quarantine, or try it again."""
    with open_log(chosen) as session:
        if chosen.retry:
            print_fields(msgspec.structs.asdict(session.retry_quarantine()), as_json=chosen.json)
            return 0
        waiting = session.quarantine()
        telling = ["source", "line", "byte_offset", "reason", "detail", "remedy", "raw"]
        print_rows(waiting if chosen.json else waiting.select(telling), as_json=chosen.json)
        if waiting.is_empty() and not chosen.json:
            say("Nothing waits in quarantine.")
    return 0


def run_maintain(chosen: Namespace) -> int:
    """Merge, expire, clean up, and print what was done."""
    with open_log(chosen) as session:
        print_fields(msgspec.structs.asdict(session.maintain(older_than=chosen.older_than)), as_json=chosen.json)
    return 0


def run_doctor(chosen: Namespace) -> int:
    """Print each check and its verdict; 1 when one is bad. With ``--adopt`` take in what others wrote first."""
    from workbench.cli.doctor import examine

    if chosen.adopt:
        with open_log(chosen) as session:
            snapshot = None if chosen.adopt == ALL else read_number("--adopt", chosen.adopt)
            print_fields(msgspec.structs.asdict(session.adopt(snapshot)), as_json=chosen.json)
        return 0
    return examine(chosen)


def read_number(option: str, text: str) -> int:
    """Return the whole number an option was given."""
    if not text.isdigit():
        raise ArgumentError(f"{option} {text} is no snapshot's id. Give the number that the message named, or none.")
    return int(text)


def run_serve(chosen: Namespace) -> int:
    """Show the apps until Ctrl-C."""
    from workbench.apps.server import serve

    open_log(chosen).close()
    site = {"host": chosen.host, "port": chosen.port, "token": chosen.token, "open_browser": not chosen.no_open}
    serve(chosen.log, engine=chosen.engine, **site)
    return 0


def run_lab(chosen: Namespace) -> int:
    """Open the Jupyter notebooks."""
    from workbench.cli.lab import open_lab

    return open_lab(chosen.log, engine=chosen.engine, open_browser=not chosen.no_open)
