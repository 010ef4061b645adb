"""The commands that ask for states: which projection, which entity, which moment."""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from workbench.cli.commands import open_log
from workbench.cli.output import print_fields, print_rows, say
from workbench.errors import ArgumentError, InvalidEventError

if TYPE_CHECKING:
    import polars as pl

    from workbench.event import Event
    from workbench.replay.projection import Projection
    from workbench.session import Session

Add = Callable[..., ArgumentParser]
PROJECTION: Final = "a declared projection, NAME@VERSION of one, a TOML file, or document"
# What a table of a history shows; the rest is in --json.
TELLING: Final = ("position", "occurred_at", "event_type", "actor_id", "changed", "effect", "error")


def define_replay(add: Add) -> None:
    """Add the commands."""
    _asking(add)
    _comparing(add)
    _imagining(add)


def _asking(add: Add) -> None:
    state = add(
        "state",
        run_state,
        "Print the state of every entity, or of one, at a moment.",
        "state document --limit 10",
        "state account --entity account-00001 --as-of 2025-06-01T00:00:00Z",
        "state account --known-at 2025-06-01T00:00:00Z --json",
    )
    state.add_argument("projection", help=PROJECTION)
    state.add_argument("--entity", metavar="ID", help="only this entity")
    state.add_argument("--limit", type=int, default=100, metavar="N", help="at most so many (default: 100; 0: all)")
    _add_moment(state)
    history = add(
        "history",
        run_history,
        "Print an entity's events, each with what it changed.",
        "history account account-00001",
        "history document loan-00007 --json",
    )
    blame = add(
        "blame",
        run_blame,
        "Print, for each field of an entity's state, its value and the event that set it.",
        "blame account account-00001",
        "blame document loan-00007 --as-of 2025-03-01T00:00:00Z",
    )
    for command in (history, blame):
        command.add_argument("projection", help=PROJECTION)
        command.add_argument("entity")
        _add_moment(command)


def _comparing(add: Add) -> None:
    diff = add(
        "diff",
        run_diff,
        "Print what is otherwise at one moment than at another.",
        "diff account --before 2025-03-01T00:00:00Z --after 2025-04-01T00:00:00Z",
        "diff document --before 500 --after 900 --entity loan-00007",
    )
    diff.add_argument("projection", help=PROJECTION)
    diff.add_argument("--before", required=True, metavar="TIME|POSITION", help="the earlier moment")
    diff.add_argument("--after", required=True, metavar="TIME|POSITION", help="the later moment")
    diff.add_argument("--entity", metavar="ID", help="only this entity")
    diff.add_argument("--known-at", metavar="TIME", help="by what the log had recorded by then")
    late = add(
        "late",
        run_late,
        "Print the events that had happened by a moment and that the log took only after another.",
        "late account --as-of 2025-03-01T00:00:00Z --known-at 2025-03-02T00:00:00Z",
    )
    late.add_argument("projection", help=PROJECTION)
    late.add_argument("--as-of", required=True, metavar="TIME", help="what had happened by then")
    late.add_argument("--known-at", required=True, metavar="TIME", help="what the log did not hold by then")
    late.add_argument("--entity", metavar="ID", help="only this entity")
    compare = add(
        "compare",
        run_compare,
        "Print where two projections, or two versions of one, differ, and the event at which they part.",
        "compare account@1 account@2",
    )
    compare.add_argument("projection", help=PROJECTION)
    compare.add_argument("other", help="the other one")
    compare.add_argument("--as-of", metavar="TIME", help="what had happened by then")


def _imagining(add: Add) -> None:
    what_if = add(
        "what-if",
        run_what_if,
        "Print the state beside what it would be; nothing is written.",
        "what-if account --without b3ee68b662e",
        "what-if account --entity account-00001 --until 500",
        "what-if account --insert assumed.jsonl --json",
    )
    what_if.add_argument("projection", help=PROJECTION)
    what_if.add_argument("--entity", metavar="ID", help="only this entity")
    what_if.add_argument(
        "--without", action="append", default=[], metavar="EVENT_ID", help="set aside; may be repeated"
    )
    what_if.add_argument("--until", type=int, metavar="POSITION", help="as if the log ended there")
    what_if.add_argument("--insert", metavar="FILE", help="with these events behind the head: JSON lines of Event")
    what_if.add_argument("--other", metavar="PROJECTION", help="folded by another projection, or version")
    rollback = add(
        "rollback",
        run_rollback,
        "Print the compensating events that going back to a moment would take; nothing is written.",
        "rollback account account-00001 --to 2025-05-01T00:00:00Z",
    )
    rollback.add_argument("projection", help=PROJECTION)
    rollback.add_argument("entity")
    rollback.add_argument("--to", required=True, metavar="TIME|POSITION", help="the moment to go back to")


def _add_moment(command: ArgumentParser) -> None:
    command.add_argument("--as-of", metavar="TIME", help="what had happened by then, as 2025-03-01T00:00:00Z")
    command.add_argument("--known-at", metavar="TIME", help="what the log had recorded by then")
    command.add_argument("--position", type=int, metavar="N", help="the events up to this position")


def find_projection(session: "Session", named: str) -> "Projection":
    """Return the projection a name or a TOML file gives."""
    from workbench.replay.declaration import load_projection

    return load_projection(named) if named.endswith(".toml") else session.projection(named)


def read_moment(text: str) -> str | int:
    """Return a moment as it was typed: digits alone are a position."""
    return int(text) if text.isdigit() else text


def _moment(chosen: Namespace) -> dict[str, Any]:
    return {"as_of": chosen.as_of, "known_at": chosen.known_at, "position": chosen.position}


def run_state(chosen: Namespace) -> int:
    """Print states, one entity's a line a field."""
    with open_log(chosen) as session:
        states = session.state(find_projection(session, chosen.projection), stream_id=chosen.entity, **_moment(chosen))
    if chosen.entity is not None and not chosen.json:
        print_fields(states.row(0, named=True), as_json=False)
        return 0
    shown = states.head(chosen.limit) if chosen.limit else states
    print_rows(shown, as_json=chosen.json)
    if shown.height < states.height:
        say(f"The first {shown.height:,} of {states.height:,} entities are shown; --limit 0 prints all.")
    return 0


def run_history(chosen: Namespace) -> int:
    """Print an entity's events and what each changed."""
    with open_log(chosen) as session:
        events = session.history(find_projection(session, chosen.projection), chosen.entity, **_moment(chosen))
    print_rows(events if chosen.json else events.select(TELLING), as_json=chosen.json)
    return 0


def run_blame(chosen: Namespace) -> int:
    """Print where each field's value comes from."""
    with open_log(chosen) as session:
        fields = session.blame(find_projection(session, chosen.projection), chosen.entity, **_moment(chosen))
    telling = ("field", "value", "event_type", "position", "actor_id", "occurred_at", "upcast", "proposal_event_id")
    print_rows(fields if chosen.json else fields.select(telling), as_json=chosen.json)
    return 0


def run_diff(chosen: Namespace) -> int:
    """Print what two moments show otherwise."""
    with open_log(chosen) as session:
        differences = session.diff(
            find_projection(session, chosen.projection),
            before=read_moment(chosen.before),
            after=read_moment(chosen.after),
            known_at=chosen.known_at,
            stream_id=chosen.entity,
        )
    _print_or_say(differences, chosen, "Nothing differs.")
    return 0


def run_what_if(chosen: Namespace) -> int:
    """Print states beside what they would be."""
    with open_log(chosen) as session:
        contrasts = session.what_if(
            find_projection(session, chosen.projection),
            stream_id=chosen.entity,
            without=chosen.without,
            insert=read_events(chosen.insert) if chosen.insert else (),
            until=chosen.until,
            other=None if chosen.other is None else find_projection(session, chosen.other),
        )
    print_rows(contrasts, as_json=chosen.json)
    return 0


def run_late(chosen: Namespace) -> int:
    """Print the events that came late."""
    with open_log(chosen) as session:
        projection = find_projection(session, chosen.projection)
        events = session.late(projection, as_of=chosen.as_of, known_at=chosen.known_at, stream_id=chosen.entity)
    _print_or_say(events, chosen, "The log held all of them by then.")
    return 0


def run_compare(chosen: Namespace) -> int:
    """Print where two projections part."""
    with open_log(chosen) as session:
        projections = [find_projection(session, named) for named in (chosen.projection, chosen.other)]
        partings = session.compare(*projections, as_of=chosen.as_of)
    _print_or_say(partings, chosen, "The two give the same states.")
    return 0


def run_rollback(chosen: Namespace) -> int:
    """Print the compensating events proposed."""
    with open_log(chosen) as session:
        projection = find_projection(session, chosen.projection)
        proposals = session.rollback(projection, chosen.entity, to=read_moment(chosen.to))
    _print_or_say(proposals, chosen, "Nothing is to be undone.")
    return 0


def _print_or_say(rows: "pl.DataFrame", chosen: Namespace, nothing: str) -> None:
    print_rows(rows, as_json=chosen.json)
    if rows.is_empty() and not chosen.json:
        say(nothing)


def read_events(file: str) -> "list[Event]":
    """Return the events of a file of JSON lines with the fields of Event. Raises InvalidEventError naming the line."""
    from workbench.event import Event

    path, events = Path(file), list[Event]()
    if not path.is_file():
        raise ArgumentError(f"There is no file {file}. Give one with an event a line.")
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        try:
            events.append(msgspec.json.decode(line, type=Event, strict=True))
        except msgspec.MsgspecError as error:
            raise InvalidEventError(f"{file}:{number}: {error}. Write an event's fields as one JSON object.") from error
    return events
