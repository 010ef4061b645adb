"""The product's side: logs made through its public doors, events to append, and what of a log is still live."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

import workbench
from benchmarks import data
from benchmarks.places import cached_folder, folder_bytes, is_cached

if TYPE_CHECKING:
    from pyiceberg.table import Table

    from workbench.session import Session

# Two of these at a time fit in 4 GB whatever a decoder needs of each; a 50 M log is ten of them.
EVENTS_PER_INGEST: Final = 5_000_000
LOG: Final = "log"
MAPPING: Final = """\
[columns]
event_id = "event_id"
source = "source"
stream_id = "stream_id"
event_type = "event_type"
occurred_at = "occurred_at"
actor_id = "actor_id"
actor_kind = "actor_kind"
correlation_id = "correlation_id"
data = "data"
"""


@contextmanager
def open_log(folder: Path) -> Iterator["Session"]:
    """Yield a session on the log in ``folder``, with its imports done and its head read once."""
    session = workbench.connect(folder)
    try:
        session.head()
        yield session
    finally:
        session.close()


def cached_log(story: data.Story) -> Path:
    """Return the folder of the log that holds a story, maintained; built through ingest when it is not there."""
    name, parameters = log_name(story)
    return cached_folder(name, parameters, lambda folder: build_log(folder / LOG, story)) / LOG


def is_kept(story: data.Story) -> bool:
    """Return whether the log of a story need not be built."""
    return is_cached(*log_name(story))


def log_name(story: data.Story) -> tuple[str, dict[str, Any]]:
    """Return the name a story's log is kept under, and what it depends on: its events and the log's columns."""
    from workbench.eventlog.schema import EVENTS

    parameters = {"total": story.total, "streams": story.streams, "seed": story.seed, "data": data.VERSION}
    return f"log-{story.total}", {**parameters, "columns": str(EVENTS)}


def build_log(folder: Path, story: data.Story, total: int | None = None) -> None:
    """Ingest a story, or its first ``total`` events, through a mapping; an event's position is its number.

    It is not maintained: ingest writes full files, and the layout by stream is for the task that asks for it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with open_log(folder) as session:
        ingest_story(session, folder, story, total)


def ingest_story(
    session: "Session", folder: Path, story: data.Story, total: int | None = None, *, columns: str = MAPPING
) -> None:
    """Ingest a story, or its first ``total`` events, with ``folder`` for what lies on the way."""
    last = story.total if total is None else total
    mapping, rows = folder / "story.toml", folder / "story.parquet"
    mapping.write_text(columns, encoding="utf-8")
    for first in range(0, last, EVENTS_PER_INGEST):
        count = min(EVENTS_PER_INGEST, last - first)
        write_story(rows, story, first, count)
        report = session.ingest(rows, mapping=mapping)
        if report.appended != count:
            raise RuntimeError(f"{folder}: {count} events were to be ingested, the report says {report}.")
    rows.unlink()


def write_story(path: Path, story: data.Story, first: int, count: int) -> None:
    """Write events of a story as Parquet, a chunk a row group."""
    with pq.ParquetWriter(path, story.rows(np.arange(0)).schema, compression="zstd", compression_level=1) as writer:
        for chunk in story.chunks(first, count):
            writer.write_table(chunk)


def make_events(rows: pa.Table) -> list["workbench.Event"]:
    """Return rows of a story as events for `Session.append`, equal in content to what a mapping makes of them."""
    import msgspec

    return [
        workbench.Event(
            event_id=row["event_id"],
            source=row["source"],
            stream_id=row["stream_id"],
            event_type=row["event_type"],
            occurred_at=row["occurred_at"],
            actor=workbench.Actor(row["actor_id"], row["actor_kind"]),
            correlation_id=row["correlation_id"],
            data=msgspec.Raw(row["data"].encode()),
        )
        for row in rows.to_pylist()
    ]


def make_batches(story: data.Story, first: int, commits: int, size: int) -> list[list["workbench.Event"]]:
    """Return ``commits`` batches of ``size`` events each, from event number ``first`` on."""
    starts = range(first, first + commits * size, size)
    return [make_events(story.rows(np.arange(start, start + size))) for start in starts]


def event_files(session: "Session") -> list[str]:
    """Return the Parquet files that hold ``events`` now."""
    return [file for part in session.relations()["events"].parts for file in part.files]


def live_bytes(folder: Path) -> int:
    """Return the bytes a log needs now.

    They are data, manifests, manifest list and metadata of each table's current snapshot, the catalog, and what is
    derived beside it.
    """
    warehouse = folder / "warehouse"
    beside = folder_bytes(folder) - folder_bytes(warehouse)
    return beside + sum(Path(path).stat().st_size for table in log_tables(folder) for path in reached_files(table))


def log_tables(folder: Path) -> list["Table"]:
    """Return every table of the folder's catalog, read by PyIceberg and not by the product."""
    from pyiceberg.catalog.sql import SqlCatalog

    root = folder.resolve()
    catalog = SqlCatalog("embedded", uri=f"sqlite:///{root / 'catalog.db'}", warehouse=f"file://{root / 'warehouse'}")
    names = [name for namespace in catalog.list_namespaces() for name in catalog.list_tables(namespace)]
    return [catalog.load_table(name) for name in names]


def reached_files(table: "Table") -> set[str]:
    """Return the local paths of what a table's current snapshot is made of."""
    paths = {table.metadata_location}
    snapshot = table.current_snapshot()
    if snapshot is not None:
        paths.add(snapshot.manifest_list)
        for manifest in snapshot.manifests(table.io):
            paths.add(manifest.manifest_path)
            paths |= {entry.data_file.file_path for entry in manifest.fetch_manifest_entry(table.io)}
    return {path.removeprefix("file://") for path in paths}


def pick_numbers(total: int, count: int, seed: int) -> NDArray[np.int64]:
    """Return ``count`` different event numbers below ``total``."""
    return np.random.default_rng(seed).choice(total, size=count, replace=False).astype(np.int64)
