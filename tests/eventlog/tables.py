"""Iceberg tables as others write them, deletes included: what Flink, Spark and Trino leave, made with PyIceberg."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.io.pyarrow import schema_to_pyarrow
from pyiceberg.manifest import (
    POSITIONAL_DELETE_SCHEMA,
    DataFile,
    DataFileContent,
    FileFormat,
    ManifestContent,
    ManifestEntry,
    ManifestEntryStatus,
    ManifestFile,
    ManifestWriterV2,
)
from pyiceberg.schema import Schema
from pyiceberg.table import Table
from pyiceberg.table.snapshots import Operation
from pyiceberg.table.update.snapshot import _SnapshotProducer
from pyiceberg.typedef import Record

NOWHERE = Record()


def open_catalog(folder: Path) -> SqlCatalog:
    """Return the SQLite catalog of a folder, as the workbench looks for it there."""
    (folder / "warehouse").mkdir(parents=True, exist_ok=True)
    return SqlCatalog("embedded", uri=f"sqlite:///{folder / 'catalog.db'}", warehouse=f"file://{folder / 'warehouse'}")


class DeleteManifestWriter(ManifestWriterV2):
    """PyIceberg writes manifests of data files only."""

    def content(self) -> ManifestContent:
        return ManifestContent.DELETES

    @property
    def _meta(self) -> dict[str, str]:
        return {**super()._meta, "content": "deletes"}


class RowDelta(_SnapshotProducer["RowDelta"]):
    """A snapshot that adds delete files beside what is there, as merge-on-read engines do."""

    def __init__(self, table: Table, deletes: Sequence[DataFile]) -> None:
        self._table = table
        self._deletes = deletes
        super().__init__(Operation.DELETE, table.transaction(), table.io)

    def _deleted_entries(self) -> list[ManifestEntry]:
        return []

    def _existing_manifests(self) -> list[ManifestFile]:
        snapshot = self._table.current_snapshot()
        return [] if snapshot is None else [*snapshot.manifests(self._table.io), self._manifest()]

    def _manifest(self) -> ManifestFile:
        spec, schema = self._table.spec(), self._table.schema()
        output = self.new_manifest_output()
        with DeleteManifestWriter(spec, schema, output, self.snapshot_id, "deflate") as writer:
            for file in self._deletes:
                writer.add(
                    ManifestEntry.from_args(
                        status=ManifestEntryStatus.ADDED,
                        snapshot_id=self.snapshot_id,
                        sequence_number=None,
                        file_sequence_number=None,
                        data_file=file,
                    )
                )
        return writer.to_manifest_file()


def delete_positions(table: Table, path: str, positions: Sequence[int]) -> None:
    """Delete rows of one data file by their places in it."""
    rows = pa.table({"file_path": [path] * len(positions), "pos": pa.array(positions, pa.int64())})
    file = _write(table, rows, POSITIONAL_DELETE_SCHEMA, DataFileContent.POSITION_DELETES)
    _commit(table, file)


def delete_equal(table: Table, partition: Record = NOWHERE, **values: Sequence[Any]) -> None:
    """Delete every earlier row of the partition, if there are such, whose columns equal one of the given."""
    schema = table.schema().select(*values)
    arrow = schema_to_pyarrow(schema)
    rows = pa.table({field.name: pa.array(list(values[field.name]), field.type) for field in arrow})
    ids = [field.field_id for field in schema.fields]
    _commit(table, _write(table, rows, schema, DataFileContent.EQUALITY_DELETES, ids, partition))


def _write(
    table: Table,
    rows: pa.Table,
    schema: Schema,
    content: DataFileContent,
    equality_ids: list[int] | None = None,
    partition: Record = NOWHERE,
) -> DataFile:
    path = f"{table.location()}/data/{uuid4()}-deletes.parquet"
    local = Path(path.removeprefix("file://"))
    local.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(rows.cast(schema_to_pyarrow(schema).with_metadata(None)), local)
    return DataFile.from_args(
        content=content,
        file_path=path,
        file_format=FileFormat.PARQUET,
        partition=partition,
        record_count=rows.num_rows,
        file_size_in_bytes=local.stat().st_size,
        spec_id=table.spec().spec_id,
        equality_ids=equality_ids,
        column_sizes={},
        value_counts={},
        null_value_counts={},
        nan_value_counts={},
        lower_bounds={},
        upper_bounds={},
        key_metadata=None,
        split_offsets=None,
        sort_order_id=None,
    )


def _commit(table: Table, file: DataFile) -> None:
    producer = RowDelta(table, [file])
    producer.commit()
    producer._transaction.commit_transaction()
    table.refresh()
