"""The state of every entity at a cut: by SQL where the projection has such, else by the fold in Python."""

import polars as pl

from workbench.replay.cut import Cut
from workbench.replay.expressions import Filter
from workbench.replay.projection import Projection
from workbench.replay.states_fold import Ask, fold_states
from workbench.replay.states_frame import frame_entities

__all__ = ["Ask", "Cut", "find_states"]


def find_states(ask: Ask, projection: Projection, cut: Cut | None = None, *, entity: str | None = None) -> pl.DataFrame:
    """Return the state of every entity that an event of the cut touches, sorted by entity_id.

    Columns: entity_id, one a field (or ``document``), event_count, position and occurred_at (the greatest of the events
    that count), notes (JSON text, null for none). ``entity`` names one of them.
    ``ask(statement, parameters, stream_ids=…)`` returns a statement's rows, without any limit on them.
    Raises ProjectionError for a sum beyond 38 digits.
    """
    is_stream = projection.is_by_stream and entity is not None
    chosen = Filter(cut=cut or Cut(), stream_ids=(entity,) if is_stream and entity is not None else None)
    entities = fold_states(ask, projection, chosen)
    if entity is not None and not is_stream:
        entities = {name: state for name, state in entities.items() if name == entity}
    return frame_entities(projection, entities)
