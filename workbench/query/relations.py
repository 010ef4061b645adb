"""From the log's shapes to an engine's relations."""

from collections.abc import Callable, Mapping

import msgspec

from workbench.decode.registry import Registry
from workbench.eventlog.shapes.shape import FilePart, Shape, SnapshotTable
from workbench.query.base import Part, Relation, Table
from workbench.query.upcast.lifting import LIFTED, joining_select, lifting_select

Find = Callable[[], SnapshotTable]


def make_relations(
    shapes: Mapping[str, Shape], registry: Registry, *, lifted: Find | None = None
) -> dict[str, Relation]:
    """Return every name that may stand in FROM; `events` is `events_stored` lifted to current schema versions.

    ``lifted`` finds the table of lifted payloads, for an engine that cannot call the registry's upcasters.
    """
    relations = {name: _relation(name, shape) for name, shape in shapes.items()}
    stored = relations["events_stored"]
    version = f"{stored.version}-{registry.hash}"
    if lifted is None:
        select = lifting_select(registry, stored.columns, stored.name)
        tables: Mapping[str, Callable[[], Table]] = {}
    else:
        select, tables = joining_select(registry, stored.columns, stored.name), {LIFTED: _finder(lifted)}
    relations["events"] = (
        msgspec.structs.replace(stored, name="events", version=version)
        if select is None
        else Relation(name="events", columns=stored.columns, version=version, select=select, tables=tables)
    )
    return relations


def _relation(name: str, shape: Shape) -> Relation:
    return Relation(
        name=name,
        columns=shape.columns,
        version=shape.version,
        parts=tuple(_part(part) for part in shape.parts),
        select=shape.select,
        arrow=shape.arrow,
        tables={known: _finder(find) for known, find in shape.tables.items()},
    )


def _part(part: FilePart) -> Part:
    table = None if part.table is None else _table(part.table)
    return Part(files=part.files, after=part.after, bounds=part.bounds, table=table)


def _finder(find: Find) -> Callable[[], Table]:
    return lambda: _table(find())


def _table(table: SnapshotTable) -> Table:
    return Table(namespace=table.namespace, name=table.name, snapshot_id=table.snapshot_id)
