"""Maintenance by a Trino cluster: for tables that one machine is too small to go through."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec
from pyiceberg.table import Table

from workbench.eventlog.layout import count_files
from workbench.eventlog.store import Store

Command = Callable[[str], Sequence[tuple[Any, ...]]]
# Below Trino's own least age it refuses: 7 days, longer than any write takes.
SAFE_AGE: Final = "7d"
# Files of 2^19 events are some 60 MB: what is smaller is merged.
SMALL: Final = "50MB"


class Cluster(msgspec.Struct, frozen=True):
    """A cluster that runs one statement at a time, and its name of the catalog."""

    command: Command
    catalog: str

    def merge(self, store: Store) -> int:
        """Have the small files of `events` merged and prove that no row has changed; return how many there are fewer.

        Raises ForeignWriteError where what is left holds other rows than before.
        """
        before = count_files(store.tables.events)
        # The layout by stream is merged by ourselves: its progress stands in the snapshot that wrote it.
        self._execute(store.tables.events, f"optimize(file_size_threshold => '{SMALL}')")
        self._execute(store.tables.quarantine, f"optimize(file_size_threshold => '{SMALL}')")
        store.head()
        return max(0, before - count_files(store.tables.events))

    def expire(self, store: Store, tables: Sequence[Table]) -> int:
        """Have snapshots expired that are older than a week, their files too; return how many."""
        del store
        before = sum(len(table.snapshots()) for table in tables)
        for table in tables:
            self._execute(table, f"expire_snapshots(retention_threshold => '{SAFE_AGE}')")
        return max(0, before - sum(len(table.refresh().snapshots()) for table in tables))

    def remove_unreached(self, store: Store, tables: Sequence[Table]) -> list[int]:
        """Have files removed that nothing reaches and that are older than a week; Trino does not say which."""
        del store
        for table in tables:
            self._execute(table, f"remove_orphan_files(retention_threshold => '{SAFE_AGE}')")
        return []

    def _execute(self, table: Table, procedure: str) -> None:
        *namespace, name = table.name()
        place = ".".join(map(_quote, (self.catalog, ".".join(namespace), name)))
        self.command(f"ALTER TABLE {place} EXECUTE {procedure}")


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
