"""The command that keeps states beside the log."""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from workbench.cli.commands import open_log
from workbench.cli.output import print_fields, print_rows, say
from workbench.cli.replay import PROJECTION, find_projection
from workbench.errors import ArgumentError

if TYPE_CHECKING:
    from workbench.replay.models.build import ModelProgress

Add = Callable[..., ArgumentParser]


def define_models(add: Add) -> None:
    """Add the command."""
    materialise = add(
        "materialise",
        run_materialise,
        "Keep a projection's states beside the log, or bring them up to the head; without one, print what is kept.",
        "materialise account",
        "materialise account --follow",
        "materialise account --as-of 2025-06-01T00:00:00Z",
        "materialise account --rebuild --field stage --field balance",
        "materialise --json",
    )
    materialise.add_argument("projection", nargs="?", help=PROJECTION)
    materialise.add_argument("--as-of", metavar="TIME", help="a checkpoint at this time, for later ones to start from")
    materialise.add_argument(
        "--field", action="append", metavar="NAME", help="keep the population of this field; may be repeated"
    )
    materialise.add_argument("--follow", action="store_true", help="go on as the log grows, until Ctrl-C")
    materialise.add_argument("--rebuild", action="store_true", help="make everything anew")
    materialise.add_argument("--drop", action="store_true", help="remove what is kept of the projection instead")


def run_materialise(chosen: Namespace) -> int:
    """Bring a read model up, drop it, or print those there are."""
    if chosen.projection is None and (chosen.follow or chosen.rebuild or chosen.drop):
        raise ArgumentError("Name the projection that is meant; workbench materialise alone prints what is kept.")
    with open_log(chosen) as session:
        if chosen.projection is None:
            print_rows(session.read_models(), as_json=chosen.json)
            return 0
        projection = find_projection(session, chosen.projection)
        if chosen.drop:
            print_fields({"dropped": session.drop_read_model(projection.name, projection.version)}, as_json=chosen.json)
            return 0
        model = session.materialise(
            projection,
            as_of=chosen.as_of,
            fields=chosen.field,
            follow=chosen.follow,
            rebuild=chosen.rebuild,
            progress=show_progress,
        )
        print_fields(msgspec.structs.asdict(model), as_json=chosen.json)
    return 0


def show_progress(progress: "ModelProgress") -> None:
    """Say on a terminal how far it is."""
    if not sys.stderr.isatty():
        return
    if progress.lag == 0:
        say(f"{progress.entities:,} entities at position {progress.position:,}, no lag")
        return
    total = "" if progress.events_total is None else f" of {progress.events_total:,}"
    say(f"{progress.events_done:,}{total} events, {progress.entities:,} entities; {progress.lag:,} positions behind")
