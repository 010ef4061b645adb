"""Make the demo log: the made-up loan desk, as a file of CloudEvents that is taken in like any other."""

import gzip
import os
import shutil
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import msgspec

from workbench.cli.output import Counter, say
from workbench.config import load_settings
from workbench.errors import StorageError

RECORDS: Final = "loan-desk.ndjson.gz"
PROJECTIONS: Final = ("account.toml", "loan.toml")
DELTAS: Final = ("loan-desk.toml",)
_COUNT_EVERY: Final = 10_000


def make_demo(target: str | None, *, events: int) -> dict[str, Any]:
    """Make the demo log in a folder that holds no events yet; return what stands there then.

    The records stay beside the log as ``loan-desk.ndjson.gz``, so that ``workbench trace`` can follow each of them;
    the schemas go to ``schemas``, the desk's projections to ``projections``, what its proposals and decisions are to
    ``deltas``. A folder's log is maintained once, so that
    one stream is found at once. Raises StorageError when the folder cannot be written.
    """
    from workbench.session import connect

    settings = load_settings(target)
    place_schemas(settings.folder)
    place_declarations(settings.folder, "projections", PROJECTIONS)
    place_declarations(settings.folder, "deltas", DELTAS)
    with connect(target) as session:
        standing = session.head().event_count
        if standing:
            return {"log": str(settings.folder), "events": standing, "appended": 0}
        started = time.perf_counter()
        say(f"Making {events:,} events in {settings.folder} …")
        records = write_records(settings.folder / RECORDS, events)
        with closing(Counter("records taken in")) as counter:
            report = session.ingest(records, progress=counter)
        if settings.catalog is None:
            # On a lake a maintenance is an event itself, of today: a year of nothing would end the demo's picture.
            session.maintain()
        fields = msgspec.structs.asdict(report) | {"seconds": round(time.perf_counter() - started, 1)}
        return {"log": str(settings.folder), "events": session.head().event_count, **fields}


def place_schemas(folder: Path) -> None:
    """Put the loan desk's schemas beside the log, unless some are there."""
    source = Path(__file__).parents[1] / "sources" / "loan_desk"
    if source.is_dir() and not (folder / "schemas").exists():
        try:
            shutil.copytree(source, folder / "schemas")
        except OSError as error:
            raise StorageError(f"The demo log cannot be made in {folder}: {error.strerror}.") from error


def place_declarations(folder: Path, kind: str, names: Sequence[str]) -> None:
    """Put the desk's ``projections`` or ``deltas`` beside the log, unless there are some."""
    here = Path(__file__).parents
    # In a clone, else as installed.
    source = next(
        (place for place in (here[2] / "datasets" / kind, here[1] / "declared" / kind) if place.is_dir()), None
    )
    if source is not None and not (folder / kind).exists():
        try:
            (folder / kind).mkdir(parents=True)
            for name in names:
                shutil.copyfile(source / name, folder / kind / name)
        except OSError as error:
            raise StorageError(f"The demo log cannot be made in {folder}: {error.strerror}.") from error


def write_records(path: Path, events: int) -> Path:
    """Write the loan desk's records to a file, whole or not at all, and return its path."""
    from workbench.sources.synthetic import generate_loan_desk

    partial = path.with_suffix(f".{os.getpid()}")
    try:
        # No name and no time in the header: the same events give the same file.
        with (
            closing(Counter("records made")) as counter,
            partial.open("wb") as raw,
            gzip.GzipFile("", "wb", compresslevel=1, fileobj=raw, mtime=0) as file,
        ):
            for count, record in enumerate(generate_loan_desk(events), 1):
                file.write(record + b"\n")
                if count % _COUNT_EVERY == 0:
                    counter(count)
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise StorageError(f"The demo records cannot be written to {path}: {error.strerror}.") from error
    return path
