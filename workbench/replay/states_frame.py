"""The frame of a state: one row an entity, a column a field, the same types from every way of running a projection."""

from collections.abc import Mapping
from typing import Any, Final

import polars as pl

from workbench.replay.fold import Entity, Folder
from workbench.replay.projection import Field, Projection
from workbench.replay.rules import UNSET, show_slot, write_state
from workbench.replay.values import DIGITS, show_value

TIME: Final = pl.Datetime("us", "UTC")
# The one column of a projection whose fields are whatever members its states have.
DOCUMENT: Final = "document"


def frame_schema(projection: Projection) -> dict[str, Any]:
    """Return the columns of a projection's states and their types."""
    fields = {field.name: field_type(field) for field in projection.fields} or {DOCUMENT: pl.String()}
    return {
        "entity_id": pl.String(),
        **fields,
        "event_count": pl.Int64(),
        "position": pl.Int64(),
        "occurred_at": TIME,
        "notes": pl.String(),
    }


def field_type(field: Field) -> Any:
    """Return the type of a field's column. What has no type of its own there is canonical JSON text."""
    if field.rule in ("set", "list", "merge", "text"):
        return pl.String()
    if field.rule == "sum":
        return pl.Decimal(DIGITS, field.scale)
    return {
        "integer": pl.Int64(),
        "decimal": pl.Decimal(DIGITS, field.scale),
        "boolean": pl.Boolean(),
        "time": TIME,
    }.get(field.kind, pl.String())


def frame_entities(projection: Projection, entities: Mapping[str, Entity]) -> pl.DataFrame:
    """Return the states that a fold in Python made, sorted by entity."""
    folder = Folder(projection)
    names = sorted(entities)
    rows: dict[str, list[Any]] = {name: [] for name in frame_schema(projection)}
    for name in names:
        entity = entities[name]
        if projection.is_open:
            rows[DOCUMENT].append(folder.write(entity))
        for field, slot in zip(projection.fields, entity.slots, strict=False):
            rows[field.name].append(field_value(field, slot))
        rows["event_count"].append(entity.event_count)
        rows["position"].append(entity.position)
        rows["occurred_at"].append(entity.occurred_at)
        notes = folder.note(entity)
        rows["notes"].append(write_state(notes) if notes else None)
    rows["entity_id"] = list(names)
    return pl.DataFrame(rows, schema=frame_schema(projection))


def field_value(field: Field, slot: Any) -> Any:
    """Return a slot's value as a frame holds it."""
    match field.rule:
        case "set" | "list" | "merge" | "text":
            shown = show_slot(field, slot)
            if shown is None or (field.rule == "text" and field.by is None):
                return shown
            return write_state(shown)
        case "machine":
            return slot.state
        case "sum":
            return show_value(slot, "decimal", field.scale)
        case _:
            return None if slot is UNSET else show_value(slot, field.kind, field.scale)
