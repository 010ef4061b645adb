"""From the log's shapes to an engine's relations; `events` is `events_stored` lifted to current schema versions."""

from collections.abc import Mapping

from workbench.decode import Registry
from workbench.eventlog.shape import Shape
from workbench.query.base import Part, Relation


def make_relations(shapes: Mapping[str, Shape], registry: Registry) -> dict[str, Relation]:
    """Return every name that may stand in FROM."""
    relations = {name: _relation(name, shape) for name, shape in shapes.items()}
    stored = relations["events_stored"]
    relations["events"] = Relation(
        name="events",
        columns=stored.columns,
        version=f"{stored.version}-{registry.hash}",
        parts=stored.parts,
        select=stored.select,
        arrow=stored.arrow,
    )
    return relations


def _relation(name: str, shape: Shape) -> Relation:
    return Relation(
        name=name,
        columns=shape.columns,
        version=shape.version,
        parts=tuple(Part(files=part.files, after=part.after) for part in shape.parts),
        select=shape.select,
        arrow=shape.arrow,
    )
