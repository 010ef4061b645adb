"""BPI Challenge 2012 into the log, committed, against pm4py's reader in an environment of its own."""

import gzip
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from benchmarks.data import Story
from benchmarks.environments import make_environment
from benchmarks.harness import (
    MIN_PAIRS,
    Part,
    PeerMissingError,
    Scale,
    compare_times,
    measure_pairs,
    require_equal,
)
from benchmarks.ingest_cloudevents import ingest_fresh
from benchmarks.logs import open_log
from benchmarks.places import temporary_folder

BPI: Final = Path(__file__).resolve().parents[2] / "shared" / "data" / "bpic2012" / "bpic2012.xes.gz"
MADE_EVENTS: Final = 30_000
AGAIN = {Scale.SMOKE: 5, Scale.DEFAULT: 3, Scale.FULL: MIN_PAIRS}

Peer = Callable[[Path], dict[str, Any]]


def run(scale: Scale) -> list[Part]:
    """Return the speed against pm4py. A smoke run, and a run without the real log, read a made-up one."""
    # pm4py is AGPL: it is never installed into the project's own environment nor imported by the package.
    with temporary_folder() as folder, open_peer(make_environment("pm4py")) as read:
        file = BPI
        if scale is Scale.SMOKE or not BPI.is_file():
            file = write_xes(folder / "made.xes.gz", MADE_EVENTS)
        if scale is not Scale.SMOKE and not BPI.is_file():
            print("ingest_xes: ../shared/data/bpic2012 is absent, so a made-up log is read instead.", file=sys.stderr)
        found = read(file)
        pairs = measure_pairs(
            ingest_fresh(file, folder / "log"),
            lambda: read(file)["seconds"],
            again=AGAIN[scale],
            seconds=None if scale.seconds is None else 2 * scale.seconds,
        )
        with open_log(folder / "log") as session:
            rows = session.sql("select event_type, count(*) as events from events_stored group by event_type").rows()
            streams = session.sql("select count(distinct stream_id) as streams from events_stored").item()
        require_equal("events by activity", sorted(rows), sorted(found["activities"].items()))
        require_equal("traces", streams, found["traces"])
    detail = {
        "peer": f"pm4py {found['version']} read_xes",
        "file": file.name,
        "events": sum(count for _, count in rows),
    }
    return [compare_times("read_xes / ingest", pairs, 4.0, speed=True, detail=detail)]


@contextmanager
def open_peer(python: Path) -> Iterator[Peer]:
    """Yield a function that has pm4py read a file in its own process and returns what it says of it."""
    script = Path(__file__).with_name("xes_peer.py")
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen([python, script], text=True, **pipes) as process:

        def read(path: Path) -> dict[str, Any]:
            if process.stdin is None or process.stdout is None:
                raise AssertionError
            print(path, file=process.stdin, flush=True)
            # pm4py greets on stdout; an answer is the line that is an object.
            for line in process.stdout:
                if line.startswith("{"):
                    answer: dict[str, Any] = json.loads(line)
                    return answer
            raise PeerMissingError("pm4py's process ended before it answered.")

        yield read
        if process.stdin is not None:
            process.stdin.close()


def write_xes(path: Path, count: int) -> Path:
    """Write a made-up log of about 20 events a trace, with the attributes that BPI 2012 has."""
    rows = Story(total=count, streams=count // 20).rows_of_batch(0, count).sort_by([("stream_id", "ascending")])
    keys = ("concept", "lifecycle", "time", "org")
    extensions = "".join(f'<extension name="{key}" prefix="{key}" uri="urn:{key}"/>' for key in keys)
    with gzip.open(path, "wt", encoding="utf-8", compresslevel=6) as file:
        file.write(f'<?xml version="1.0" encoding="UTF-8"?>\n<log xes.version="1.0">\n{extensions}\n')
        trace = None
        for row in rows.to_pylist():
            if row["stream_id"] != trace:
                file.write("</trace>\n" if trace else "")
                trace = row["stream_id"]
                file.write(f'<trace>\n<string key="concept:name" value="{trace}"/>\n')
            file.write(xes_event(row))
        file.write("</trace>\n</log>\n")
    return path


def xes_event(row: dict[str, Any]) -> str:
    values = {"org:resource": row["actor_id"], "lifecycle:transition": "COMPLETE", "concept:name": row["event_type"]}
    strings = "".join(f'<string key="{key}" value="{value}"/>\n' for key, value in values.items())
    moment = row["occurred_at"].isoformat(timespec="milliseconds")
    return f'<event>\n{strings}<date key="time:timestamp" value="{moment}"/>\n</event>\n'
