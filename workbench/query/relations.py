"""From the log's shapes to an engine's relations."""

from collections.abc import Mapping

import msgspec

from workbench.decode.registry import Registry
from workbench.eventlog.shape import Shape
from workbench.query.base import Part, Relation
from workbench.query.lifting import lifting_select


def make_relations(shapes: Mapping[str, Shape], registry: Registry) -> dict[str, Relation]:
    """Return every name that may stand in FROM; `events` is `events_stored` lifted to current schema versions."""
    relations = {name: _relation(name, shape) for name, shape in shapes.items()}
    stored = relations["events_stored"]
    select = lifting_select(registry, stored.columns, stored.name)
    version = f"{stored.version}-{registry.hash}"
    relations["events"] = (
        msgspec.structs.replace(stored, name="events", version=version)
        if select is None
        else Relation(name="events", columns=stored.columns, version=version, select=select)
    )
    return relations


def _relation(name: str, shape: Shape) -> Relation:
    return Relation(
        name=name,
        columns=shape.columns,
        version=shape.version,
        parts=tuple(Part(files=part.files, after=part.after, bounds=part.bounds) for part in shape.parts),
        select=shape.select,
        arrow=shape.arrow,
    )
