"""One maintainer at a time on a shared catalog: a mark that one commit sets, and that runs out by itself.

It is a snapshot without rows of a table of its own, `<log>_derived.maintenance`: a commit on the snapshot one has seen
fails when another came first, whatever the catalog.
"""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import uuid4

from pyiceberg.exceptions import CommitFailedException
from pyiceberg.schema import Schema
from pyiceberg.table import Table
from pyiceberg.types import NestedField, StringType

from workbench.errors import LogBusyError
from workbench.eventlog.catalog import Tables, table_properties
from workbench.eventlog.writing.commit import Change, commit_change

NAME: Final = "maintenance"
HOLDER: Final = "workbench.maintainer"
UNTIL: Final = "workbench.maintained-until"
# Seconds after which a maintainer that said nothing more is taken for dead; each step says so again.
LEASE: Final = 6 * 3600.0
_SCHEMA: Final = Schema(NestedField(1, "note", StringType()))


class Lease:
    """The right to maintain one log, until it runs out."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self.holder = f"{socket.gethostname()}-{uuid4().hex[:12]}"

    def take(self) -> None:
        """Take it, or take it for longer. Raises LogBusyError while another holds it."""
        table = self._tables.load(NAME, derived=True)
        holder, until = _read(table)
        if holder not in (None, self.holder) and until is not None and until > datetime.now(UTC):
            raise LogBusyError(
                f"{holder} has been maintaining this log and may until {until.isoformat()}. Wait for it; if it is "
                "dead, its right runs out then. Appends and queries go on meanwhile."
            )
        self._say(table, datetime.now(UTC) + timedelta(seconds=LEASE))

    def give_back(self) -> None:
        """Let the next one in; where that cannot be said, the lease runs out."""
        with suppress(Exception):
            table = self._tables.load(NAME, derived=True)
            if _read(table)[0] == self.holder:
                self._say(table, None)

    def _say(self, table: Table, until: datetime | None) -> None:
        said = {HOLDER: "" if until is None else self.holder, UNTIL: "" if until is None else until.isoformat()}
        try:
            commit_change(table, Change(kind="derive", summary=said), head=None, keep=2)
        except CommitFailedException as error:
            raise LogBusyError(
                "Another maintainer came first by a moment. Wait for it; appends and queries go on meanwhile."
            ) from error


def _read(table: Table) -> tuple[str | None, datetime | None]:
    snapshot = table.current_snapshot()
    said = {} if snapshot is None or snapshot.summary is None else snapshot.summary.additional_properties
    until = said.get(UNTIL)
    return said.get(HOLDER) or None, datetime.fromisoformat(until) if until else None


@contextmanager
def hold_lease(tables: Tables) -> Iterator[Lease]:
    """Hold the right to maintain a log. Raises LogBusyError."""
    tables.catalog.create_table_if_not_exists(
        f"{tables.namespace}_derived.{NAME}", _SCHEMA, properties=table_properties(_SCHEMA)
    )
    lease = Lease(tables)
    lease.take()
    try:
        yield lease
    finally:
        lease.give_back()
