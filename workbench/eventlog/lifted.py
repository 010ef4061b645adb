"""Payloads lifted to current schema versions, kept beside the log for an engine that cannot call our upcasters.

A row for each event that needs it and each registry that lifts it otherwise. What a registry has lifted so far stands
in the summary of the snapshot that did, so that a snapshot of others has none and the rows are then made anew.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyiceberg.conversions import from_bytes
from pyiceberg.exceptions import CommitFailedException, NoSuchTableError, RESTError
from pyiceberg.manifest import DataFile
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.table import Table
from pyiceberg.transforms import IdentityTransform
from pyiceberg.typedef import Record
from pyiceberg.types import IntegerType, LongType, NestedField, StringType

from workbench.decode.registry import Registry
from workbench.errors import LogBusyError, ReadOnlyLogError
from workbench.eventlog.catalog import PROPERTIES, Tables
from workbench.eventlog.files import read_file, remove_files, write_file
from workbench.eventlog.head import read_head
from workbench.eventlog.layout import planned_files
from workbench.eventlog.shapes.shape import SnapshotTable
from workbench.eventlog.storage.parts import explain_part
from workbench.eventlog.writing.commit import Change, commit_change

NAME: Final = "events_lifted"
_BOUNDED: Final = "write.metadata.metrics.column."
LIFTED: Final = Schema(
    NestedField(1, "registry_hash", StringType(), required=True),
    NestedField(2, "position", LongType(), required=True),
    NestedField(3, "schema_version", IntegerType(), required=True),
    NestedField(4, "data", StringType()),
)
BY_REGISTRY: Final = PartitionSpec(
    PartitionField(source_id=1, field_id=1000, transform=IdentityTransform(), name="registry_hash")
)
# Bounds of columns that it does not have would be refused.
LIFTED_PROPERTIES: Final = {
    name: value for name, value in PROPERTIES.items() if name.removeprefix(_BOUNDED) in {name, "position"}
}
MARK: Final = "workbench.lifted."
# Registries whose progress is carried on; the rows of one that fell out are made anew when it comes back.
REGISTRIES: Final = 8
ATTEMPTS: Final = 20
ROWS: Final = 500_000
KEPT: Final = 2


class Lifting:
    """The side table of one log. It is looked at once for each snapshot of the log and registry."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._known: dict[str, int | None] = {}

    def bring_up(self, registry: Registry) -> SnapshotTable:
        """Return the side table once it holds every event of the head that the registry lifts; see lift_events."""
        events = self._tables.peek("events")
        if registry.hash not in self._known or self._known[registry.hash] != events.metadata.current_snapshot_id:
            lift_events(self._tables, registry)
            # What was brought up may reach further than the snapshot looked at before, never less far.
            self._known[registry.hash] = events.metadata.current_snapshot_id
        return SnapshotTable(namespace=f"{self._tables.namespace}_derived", name=NAME)


def lift_events(tables: Tables, registry: Registry) -> None:
    """Bring the side table up to the log's head, where the registry lifts what it does not hold yet.

    Raises ReadOnlyLogError with its lag where this session may not write it, LogBusyError.
    """
    place = f"{tables.namespace}_derived.{NAME}"
    for _ in range(ATTEMPTS):
        progress, head = -1, read_head(tables.peek("events")).last
        try:
            target = _find(tables)
            # Loaded after it: what it holds cannot be ahead of the log, unless the log was set back.
            events = tables.peek("events")
            head = read_head(events).last
            progress = -1 if target is None else read_progress(target, events, registry)
            if progress < head:
                _bring_up(target or _create(tables), events, registry, progress=progress)
        except CommitFailedException:
            continue
        except (RESTError, OSError) as error:
            raise ReadOnlyLogError(
                f"events is lifted by {place}, which is {head - progress:,} events behind position "
                f"{head}, and this session cannot bring it up: {explain_part(error) or error}. Have a session that may "
                "write ask for events once, or read events_stored."
            ) from error
        return
    raise LogBusyError(f"{place} could not be brought up: others were always quicker. Try again.")


def read_progress(target: Table, events: Table, registry: Registry) -> int:
    """Return up to which position a registry's rows are there, -1 where that cannot be relied on."""
    made_of, _, position = _marks(target).get(MARK + registry.hash[:16], "").partition(":")
    if made_of != str(events.metadata.table_uuid):
        return -1
    return int(position) if int(position) <= read_head(events).last else -1


def _marks(target: Table) -> dict[str, str]:
    snapshot = target.current_snapshot()
    summary = {} if snapshot is None or snapshot.summary is None else snapshot.summary.additional_properties
    return {name: value for name, value in summary.items() if name.startswith(MARK)}


def _find(tables: Tables) -> Table | None:
    try:
        return tables.catalog.load_table(f"{tables.namespace}_derived.{NAME}")
    except NoSuchTableError:
        return None


def _create(tables: Tables) -> Table:
    return tables.catalog.create_table_if_not_exists(
        f"{tables.namespace}_derived.{NAME}", LIFTED, partition_spec=BY_REGISTRY, properties=LIFTED_PROPERTIES
    )


def _bring_up(target: Table, events: Table, registry: Registry, *, progress: int) -> None:
    old = [task.file for task in target.scan().plan_files()] if progress < 0 and target.current_snapshot() else []
    replaced = [file for file in old if file.partition[0] == registry.hash]
    added: list[DataFile] = []
    marks = dict(list(_marks(target).items())[-(REGISTRIES - 1) :])
    mark = {MARK + registry.hash[:16]: f"{events.metadata.table_uuid}:{read_head(events).last}"}
    try:
        for rows in _gather(_lift_files(events, registry, progress)):
            added.append(write_file(target, rows, partition=Record(registry.hash)))  # noqa: PERF401 - what was written is listed, should the next fail
        change = Change(kind="derive", added=added, removed=replaced, summary={**marks, **mark})
        commit_change(target, change, head=None, keep=KEPT)
    except BaseException:
        remove_files(target, [file.file_path for file in added])
        raise


def _lift_files(events: Table, registry: Registry, progress: int) -> Iterator[pa.Table]:
    """Yield the lifted rows of each file; only one that holds some is read whole."""
    for file in planned_files(events):
        if int(from_bytes(LongType(), file.upper_bounds[1])) <= progress:
            continue
        rows = read_file(events, file.file_path, ["position", "event_type", "schema_version"])
        wanted = pc.and_(pc.greater(rows.column("position"), progress), _is_older(rows, registry))
        if pc.any(wanted).as_py():
            payloads = read_file(events, file.file_path, ["data"]).column("data")
            yield _lift_rows(rows.append_column("data", payloads).filter(wanted), registry)


def _is_older(rows: pa.Table, registry: Registry) -> pa.ChunkedArray:
    older = pa.chunked_array([np.zeros(rows.num_rows, dtype=bool)])
    for kind in registry.types.values():
        if kind.current > kind.first:
            same = pc.equal(rows.column("event_type"), kind.name)
            version = rows.column("schema_version")
            between = pc.and_(pc.greater_equal(version, kind.first), pc.less(version, kind.current))
            older = pc.or_(older, pc.and_(same, between))
    return older


def _lift_rows(rows: pa.Table, registry: Registry) -> pa.Table:
    names = ("event_type", "schema_version", "data")
    lifted = [registry.upcast(*row) for row in zip(*(rows.column(name).to_pylist() for name in names), strict=True)]
    return pa.table(
        {
            "registry_hash": pa.repeat(pa.scalar(registry.hash), rows.num_rows),
            "position": rows.column("position"),
            "schema_version": pa.array([version for version, _ in lifted], pa.int32()),
            "data": pa.array([text for _, text in lifted], pa.string()),
        }
    )


def _gather(tables: Iterator[pa.Table]) -> Iterator[pa.Table]:
    held: list[pa.Table] = []
    for rows in tables:
        held.append(rows)
        if _count(held) >= ROWS:
            yield pa.concat_tables(held)
            held = []
    if held:
        yield pa.concat_tables(held)


def _count(tables: Sequence[pa.Table]) -> int:
    return sum(rows.num_rows for rows in tables)
