"""Read a table that others write: deletes are honoured, and columns found by their ids whatever they were called."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec
import polars as pl
import pyarrow as pa
from pyiceberg.expressions import AlwaysTrue
from pyiceberg.io.pyarrow import ArrowScan
from pyiceberg.manifest import DataFile, DataFileContent, ManifestContent, ManifestEntry
from pyiceberg.schema import Schema
from pyiceberg.table import FileScanTask, ManifestGroupPlanner, Table
from pyiceberg.table.snapshots import Snapshot

from workbench.errors import UnsupportedOnThisLogError


class Scan(msgspec.Struct, frozen=True, kw_only=True):
    """What one snapshot of a table reads: data files with their position deletes, and equality deletes over them.

    ``sequence`` says at which sequence number each data file was added; it is empty where nobody needs it.
    """

    tasks: Sequence[FileScanTask]
    equality: Sequence[ManifestEntry] = ()
    sequence: Mapping[str, int] = msgspec.field(default_factory=dict)

    @property
    def is_plain(self) -> bool:
        """Whether the rows are those of the data files, none deleted."""
        return not self.equality and not any(task.delete_files for task in self.tasks)


def plan_scan(table: Table, snapshot: Snapshot | None, *, in_order: bool = False) -> Scan:
    """Return what the snapshot reads, its files by path or, ``in_order``, as they were added."""
    if snapshot is None:
        return Scan(tasks=())
    manifests = snapshot.manifests(table.io)
    deletes = [
        entry
        for manifest in manifests
        if manifest.content == ManifestContent.DELETES
        for entry in _kept(table, manifest)
    ]
    equality = [entry for entry in deletes if _is_equality(entry)]
    planner = ManifestGroupPlanner(table.metadata, table.io)
    # PyIceberg 0.12 refuses to plan over equality deletes: they are left out of its plan and applied below.
    tasks = planner.plan_files(manifests, manifest_entry_filter=lambda entry: not _is_equality(entry))
    sequence = {
        entry.data_file.file_path: entry.sequence_number or 0
        for manifest in manifests
        if (equality or in_order) and manifest.content == ManifestContent.DATA
        for entry in _kept(table, manifest)
    }
    return Scan(
        tasks=sorted(tasks, key=lambda task: (sequence.get(task.file.file_path, 0), task.file.file_path)),
        equality=equality,
        sequence=sequence,
    )


def _kept(table: Table, manifest: "object") -> Iterable[ManifestEntry]:
    entries: Iterable[ManifestEntry] = manifest.fetch_manifest_entry(table.io, discard_deleted=True)  # type: ignore[attr-defined]  # a ManifestFile
    return entries


def _is_equality(entry: ManifestEntry) -> bool:
    return bool(entry.data_file.content == DataFileContent.EQUALITY_DELETES)


def read_scan(table: Table, scan: Scan, columns: Sequence[str]) -> pa.Table:
    """Return the rows that are not deleted, in the order of their files, with these columns of the current schema."""
    wanted = table.schema().select(*columns)
    if not scan.equality:
        return read_tasks(table, scan.tasks, wanted)
    parts = [_read_beside_equality(table, scan, task, columns) for task in scan.tasks]
    return pa.concat_tables([read_tasks(table, (), wanted), *parts], promote_options="permissive")


def read_tasks(table: Table, tasks: Iterable[FileScanTask], schema: Schema) -> pa.Table:
    """Return the rows of files, their position deletes applied, as ``schema`` names them now."""
    rows: pa.Table = ArrowScan(table.metadata, table.io, schema, AlwaysTrue()).to_table(list(tasks))
    return rows


def _read_beside_equality(table: Table, scan: Scan, task: FileScanTask, columns: Sequence[str]) -> pa.Table:
    applied = [entry.data_file for entry in scan.equality if _applies(table, entry, task.file, scan.sequence)]
    keys = [_key_columns(table, file) for file in applied]
    needed = list(dict.fromkeys([*columns, *(name for key in keys for name in key)]))
    rows = read_tasks(table, [task], table.schema().select(*needed))
    for file, key in zip(applied, keys, strict=True):
        deleted = read_tasks(table, [FileScanTask(file)], table.schema().select(*key))
        rows = drop_equal(rows, deleted, key)
    return rows.select(list(columns))


def _applies(table: Table, entry: ManifestEntry, file: DataFile, sequence: Mapping[str, int]) -> bool:
    """Whether an equality delete reaches a data file: an earlier one, of its partition unless it has none."""
    if sequence[file.file_path] >= (entry.sequence_number or 0):
        return False
    delete = entry.data_file
    is_everywhere = not table.specs()[delete.spec_id].fields
    return is_everywhere or (delete.spec_id, delete.partition) == (file.spec_id, file.partition)


def _key_columns(table: Table, file: DataFile) -> list[str]:
    names = [table.schema().find_column_name(number) for number in file.equality_ids or ()]
    if not names or None in names:
        raise UnsupportedOnThisLogError(
            f"{'.'.join(table.name())} deletes rows by columns it no longer has (field ids {file.equality_ids}, in "
            f"{file.file_path}). Have its writer compact the table, then open it again."
        )
    return [name for name in names if name is not None]


def drop_equal(rows: pa.Table, deleted: pa.Table, keys: Sequence[str]) -> pa.Table:
    """Return the rows whose ``keys`` equal none of the deleted ones; as Iceberg has it, null equals null here."""
    numbered = pl.DataFrame(rows.select(list(keys))).with_row_index("row")
    kept = numbered.join(pl.DataFrame(deleted), on=list(keys), how="anti", nulls_equal=True)
    return rows.take(kept["row"].sort().to_arrow())
