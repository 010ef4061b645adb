"""The state of every entity at a cut: by SQL where the projection has such, else by the fold in Python."""

import polars as pl

from workbench.decode.registry import Registry
from workbench.replay.folding.cut import Cut
from workbench.replay.projection import Projection
from workbench.replay.sql.cancelling import correct_cancels
from workbench.replay.sql.compile import Compiled, compile_projection, is_compilable
from workbench.replay.sql.expressions import Filter
from workbench.replay.states.fold import Ask, fetch_cancels, fold_states
from workbench.replay.states.frame import frame_entities, frame_rows

__all__ = ["Ask", "find_states"]


def find_states(
    ask: Ask,
    projection: Projection,
    cut: Cut | None = None,
    *,
    entity: str | None = None,
    registry: Registry | None = None,
) -> pl.DataFrame:
    """Return the state of every entity that an event of the cut touches, sorted by entity_id.

    Columns: entity_id, one a field (or ``document``), event_count, position and occurred_at (the greatest of the events
    that count), notes (JSON text, null for none). ``entity`` names one of them. With the log's
    ``registry`` payloads of older versions are read without lifting them whole, where SQL can.
    ``ask(statement, parameters, stream_ids=…)`` returns a statement's rows, without any limit on them.
    Raises ProjectionError for a sum beyond 38 digits.
    """
    is_stream = projection.is_by_stream and entity is not None
    chosen = Filter(cut=cut or Cut(), stream_ids=(entity,) if is_stream and entity is not None else None)
    rows = ask_states(ask, projection, chosen, registry) if is_compilable(projection) else None
    if rows is None:
        entities = fold_states(ask, projection, chosen)
        if entity is not None:
            entities = {name: state for name, state in entities.items() if name == entity}
        return frame_entities(projection, entities)
    if entity is not None:
        rows = rows.filter(pl.col("entity_id") == entity)
    return frame_rows(projection, rows)


def ask_states(
    ask: Ask, projection: Projection, chosen: Filter, registry: Registry | None = None
) -> pl.DataFrame | None:
    """Return the rows of a projection's statement; None where only the fold in Python can tell."""
    rows = run(ask, projection, chosen, compile_projection(projection, chosen, registry=registry))
    if rows["entity_id"].has_nulls():
        corrections = correct_cancels(projection, fetch_cancels(ask, projection, chosen))
        if corrections is None:
            return None
        rows = run(ask, projection, chosen, compile_projection(projection, chosen, corrections, registry=registry))
    too_great = any(rows[name].sum() for name in rows.columns if name.startswith("h"))
    return None if too_great else rows


def run(ask: Ask, projection: Projection, chosen: Filter, compiled: Compiled) -> pl.DataFrame:
    """Return the rows of a projection's statement."""
    own = projection.cancels is None or projection.cancels.in_stream
    options = {"stream_ids": list(chosen.stream_ids)} if chosen.stream_ids is not None and own else {}
    return ask(compiled.statement, compiled.parameters, **options)
