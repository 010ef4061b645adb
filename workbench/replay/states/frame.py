"""The frame of a state: one row an entity, a column a field, the same types from every way of running a projection."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
import polars as pl

from workbench.decode.canonical import decode_canonical, write_canonical
from workbench.replay.folding.fold import Entity, Folder
from workbench.replay.folding.rules import UNSET, show_slot, write_state
from workbench.replay.folding.values import DIGITS, show_value
from workbench.replay.projection import LONGEST, Field, Projection

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


# JSON texts that may not be canonical: objects, arrays, escapes, numbers with a point or an exponent, plain texts.
_ROUGH: Final = r"^[\[{s]|\\\\|^-?[0-9].*[.eE]|^-0$"


def frame_rows(projection: Projection, rows: pl.DataFrame) -> pl.DataFrame:
    """Return the states that a compiled statement gave, sorted by entity."""
    rows = rows.sort("entity_id")
    counted: dict[str, pl.Series] = {}
    fields = []
    for number, field in enumerate(projection.fields):
        value = rows[f"v{number}"]
        if field.rule in ("list", "set"):
            value, counted[f"c{number}"] = write_items(field, value, rows.get_column(f"c{number}", default=None))
        elif field.kind == "json":
            value = write_texts(value)
        elif field.rule == "machine" and field.initial is not None:
            value = value.fill_null(field.initial)
        fields.append(value.cast(field_type(field)).alias(field.name))
    told = rows.with_columns(**counted)
    notes = note_rows(projection, told)
    return pl.DataFrame(
        [rows["entity_id"], *fields, *rows.select("event_count", "position", "occurred_at").get_columns(), notes]
    )


def write_texts(texts: pl.Series) -> pl.Series:
    """Return JSON texts in canonical form, null for JSON's null."""
    rough = texts.str.contains(_ROUGH)
    forms = {text: write_text(text) for text in texts.filter(rough).unique()}
    written = texts.replace(list(forms), list(forms.values())) if forms else texts
    return written.set(written == "null", None)


def write_text(text: str) -> str:
    """Return one JSON text in canonical form; behind an s stands a text that is none yet."""
    if text.startswith("s"):
        return msgspec.json.encode(text[1:]).decode()
    return write_canonical(decode_canonical(text.encode())).decode()


def write_items(field: Field, items: pl.Series, counts: pl.Series | None) -> tuple[pl.Series, pl.Series]:
    """Return lists or sets as canonical JSON texts, and how many items there were."""
    if any(source.removes for source in field.sources):
        items, counts = keep_last(items)
    texts = [msgspec.json.encode(listed or ()).decode() for listed in items.to_list()]
    found = pl.Series(items.name, texts, dtype=pl.String())
    return found, (items.list.len() if counts is None else counts).cast(pl.Int64()).fill_null(0)


def keep_last(operations: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Return what sets hold after their operations, in order, and how many values that are."""
    listed = pl.DataFrame({"row": pl.int_range(len(operations), eager=True), "operation": operations})
    steps = listed.explode("operation").unnest("operation").drop_nulls("item")
    left = steps.unique(["row", "item"], keep="last", maintain_order=True).filter(~pl.col("removed"))
    kept = left.group_by("row").agg(pl.col("item").sort().head(LONGEST), count=pl.len())
    both = listed.select("row").join(kept, on="row", how="left", maintain_order="left")
    return both["item"], both["count"]


def note_rows(projection: Projection, rows: pl.DataFrame) -> pl.Series:
    """Return what is to be said beside the values of each entity, as JSON text; null for nothing."""
    said: dict[int, dict[str, dict[str, Any]]] = {}
    for number, field in enumerate(projection.fields):
        for place, note in note_field(number, rows):
            said.setdefault(place, {})[field.name] = note
    texts = [None] * rows.height
    for place, notes in said.items():
        texts[place] = write_state(notes)  # type: ignore[call-overload] # an array of texts or None
    return pl.Series("notes", texts, dtype=pl.String())


def note_field(number: int, rows: pl.DataFrame) -> list[tuple[int, dict[str, Any]]]:
    """Return what is to be said of one field, by the place of the row."""
    names = {"moves": f"m{number}", "count": f"c{number}", "failed": f"e{number}"}
    known = {word: name for word, name in names.items() if name in rows.columns}
    tests = {
        "moves": lambda name: pl.col(name).list.len() > 0,
        "count": lambda name: pl.col(name) > LONGEST,
        "failed": lambda name: pl.col(name) > 0,
    }
    if not known:
        return []
    odd = pl.any_horizontal([tests[word](name).fill_null(value=False) for word, name in known.items()])
    chosen = (
        rows.with_row_index("row").filter(odd).select("row", **{word: pl.col(name) for word, name in known.items()})
    )
    return [(one["row"], note_of(one)) for one in chosen.iter_rows(named=True)]


def note_of(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return the notes of one field of one entity."""
    note: dict[str, Any] = {}
    if moves := found.get("moves"):
        note["illegal"] = [list(move.values()) for move in moves[:LONGEST]]
        note["illegal_count"] = len(moves)
    if (found.get("count") or 0) > LONGEST:
        note["capped"] = found["count"]
    if found.get("failed"):
        note["failed"] = found["failed"]
    return note
