"""How the parts of a lake stand: whether each answers, whose clock is off, which versions, how far copies lag."""

import platform
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

import requests
from pyiceberg.exceptions import RESTError
from pyiceberg.table import Table

from workbench.errors import WorkbenchError
from workbench.eventlog.head import Head
from workbench.eventlog.index.published import WORTH_FETCHING, read_published
from workbench.eventlog.storage.parts import explain_part, store_address
from workbench.eventlog.store import Store
from workbench.eventlog.upkeep.cluster import Cluster
from workbench.eventlog.upkeep.figure import Figure

# Milliseconds: what a dashboard's every question waits for.
SLOW: Final = 500.0
TIMEOUT: Final = 5.0
PACKAGES: Final = ("pyiceberg", "pyarrow", "duckdb", "s3fs", "trino")


def read_lake_figures(store: Store, head: Head, cluster: Cluster | None) -> list[Figure]:
    """Return the figures of a shared catalog's parts; nothing is changed."""
    figures = [
        _time_part("Catalog", lambda: store.tables.events),
        _time_part("Object store", lambda: _read_manifests(store.tables.peek("events"))),
        _look_at_clocks(store, cluster),
        _look_at_index(store, head),
        _look_at_snapshots(store),
    ]
    found = _versions()
    if cluster is not None:
        answers: list[str] = []
        figures.insert(2, _time_part("Trino", lambda: answers.append(_ask_version(cluster))))
        found = ", ".join([*(f"Trino {answer}" for answer in answers), found])
    return [*figures, Figure(check="Versions", verdict="good", found=f"{found}.")]


def _time_part(name: str, ask: Callable[[], object]) -> Figure:
    began = time.perf_counter()
    try:
        ask()
    except (OSError, RESTError, WorkbenchError) as error:
        found = explain_part(error) or str(error)
        return Figure(check=name, verdict="bad", found=f"{found}.", remedy="Start it, or mend its address and keys.")
    taken = (time.perf_counter() - began) * 1000
    found = f"answers in {taken:,.0f} ms."
    if taken <= SLOW:
        return Figure(check=name, verdict="good", found=found)
    return Figure(check=name, verdict="note", found=found, remedy="Every question waits for it: bring it nearer.")


def _read_manifests(table: Table) -> None:
    """Ask the store for something small that is there and not held in memory."""
    location = f"{table.metadata_location}"
    with table.io.new_input(location).open() as stream:
        stream.read()


def _look_at_clocks(store: Store, cluster: Cluster | None) -> Figure:
    """Compare this machine's clock with those of the parts that show theirs."""
    offsets: dict[str, float] = {}
    offset = getattr(store.tables.catalog, "clock_offset", None)
    if offset is not None:
        offsets["the catalog's"] = offset
    address = store_address(store.tables.events.io.properties)
    if address is not None and (offset := _read_date(address)) is not None:
        offsets["the object store's"] = offset
    if cluster is not None and (offset := _ask_clock(cluster)) is not None:
        offsets["Trino's"] = offset
    found = ", ".join(f"{abs(offset):,.0f} s off {name}" for name, offset in offsets.items()) or "no part shows its own"
    tolerance = store.settings.log.clock_tolerance
    if all(abs(offset) <= tolerance for offset in offsets.values()):
        return Figure(check="Clocks", verdict="good", found=f"{found}.")
    return Figure(
        check="Clocks", verdict="bad", found=f"{found}.", remedy="Set the clocks; a writer that is off is refused."
    )


def _read_date(address: str) -> float | None:
    """Return by how many seconds a server's clock is ahead of ours, from the date of any answer of its."""
    from email.utils import parsedate_to_datetime

    try:
        response = requests.head(address, timeout=TIMEOUT)
        return parsedate_to_datetime(response.headers["Date"]).timestamp() + 0.5 - time.time()
    except (requests.RequestException, KeyError, ValueError):
        return None


def _ask_clock(cluster: Cluster) -> float | None:
    began = time.time()
    try:
        said = float(cluster.command("SELECT to_unixtime(current_timestamp(6))")[0][0])
    except WorkbenchError:
        return None
    return said - (began + time.time()) / 2


def _ask_version(cluster: Cluster) -> str:
    return str(cluster.command("SELECT version()")[0][0])


def _look_at_index(store: Store, head: Head) -> Figure:
    published = read_published(store.tables.events)
    if published is None:
        found = "not published; a new machine's first append reads the whole log."
        verdict: Any = "good" if head.event_count < WORTH_FETCHING else "note"
        return Figure(check="Index", verdict=verdict, found=found, remedy="Publish it with `workbench maintain`.")
    behind = head.last - published.mark.position
    size = sum(published.sizes.values())
    found = f"published up to position {published.mark.position:,} ({size / 1e6:,.1f} MB), {behind:,} events behind."
    if behind <= max(WORTH_FETCHING, head.event_count // 10):
        return Figure(check="Index", verdict="good", found=found)
    return Figure(check="Index", verdict="note", found=found, remedy="Publish it with `workbench maintain`.")


def _look_at_snapshots(store: Store) -> Figure:
    """Say how many snapshots the tables beside `events` keep: others write the inbox, and expire nothing there."""
    counts = {
        table.name()[-1]: len(table.snapshots())
        for table in (store.tables.inbox, store.tables.quarantine, store.tables.by_stream)
    }
    found = ", ".join(f"{count:,} of {name}" for name, count in counts.items())
    if max(counts.values()) <= 10 * store.settings.log.snapshots_kept:
        return Figure(check="Other snapshots", verdict="good", found=f"{found} kept.")
    remedy = "Expire them with `workbench maintain`."
    return Figure(check="Other snapshots", verdict="note", found=f"{found} kept.", remedy=remedy)


def _versions() -> str:
    found = [f"Python {platform.python_version()}"]
    for name in PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return ", ".join(found)
