"""States out of a model: those of one entity or of all, folded on from the nearest checkpoint to a cut."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec
import polars as pl

from workbench.query.base import Part, Relation, Table
from workbench.replay.folding.cut import Cut
from workbench.replay.folding.fact import Fact
from workbench.replay.folding.fold import Entity, fold_facts
from workbench.replay.models.checkpoints import Kept, holds_all, resume_states
from workbench.replay.models.facts import Ask, Condition, fetch_groups, fetch_matters, fetch_stream
from workbench.replay.models.rows import Model, read_rows
from workbench.replay.projection import Projection

if TYPE_CHECKING:
    from workbench.eventlog.models import ModelTable, Reading

# Runs a statement over relations of its own.
AskKept = Callable[[str, Mapping[str, Any], Mapping[str, Relation]], pl.DataFrame]
# What an engine folds in the time that Python reads one state: 64 events of 10 M at 7 M a second.
WORTH: Final = 64
# Streams folded anew beside the rest; where there are more, an engine folds all of them.
MANY: Final = 2_000
KEPT: Final = "kept_states"


class Nearest(msgspec.Struct, frozen=True, kw_only=True):
    """The model that a replay starts from, and where its rows are."""

    model: Model
    table: "ModelTable"
    reading: "Reading"


def list_models(marks: Mapping[str, str], log: str, head: int) -> dict[str, Model]:
    """Return the models that marks tell of, by id; without those of another log, or that are ahead of this one's."""
    models = {}
    for name, text in marks.items():
        try:
            model = Model.read(text)
        except msgspec.MsgspecError:
            continue
        if model.log == log and model.id == name and model.position <= head:
            models[name] = model
    return models


def choose_model(models: Iterable[Model], projection: Projection, registry_hash: str, cut: Cut) -> Model | None:
    """Return the model nearest to a cut: the latest that has no event the cut leaves out, else the one at the head."""
    own = [each for each in models if (each.projection_hash, each.registry_hash) == (projection.hash, registry_hash)]
    within = [each for each in own if holds_all(cut, each.checkpoint)]
    if within:
        return max(within, key=lambda each: (each.as_of is None, each.as_of or 0, each.position))
    return next((each for each in own if each.as_of is None), None)


def relate(table: "ModelTable", reading: "Reading", key: Sequence[str], name: str) -> Relation:
    """Return the rows of a table whose key begins so as a relation; a statement must ask for them by the key too."""
    part = reading.part(key)
    at = part.table
    return Relation(
        name=name,
        columns=table.columns,
        version=f"{reading.table.metadata.current_snapshot_id}-{'-'.join(key)}",
        parts=(
            Part(
                files=part.files,
                bounds=part.bounds,
                table=None if at is None else Table(namespace=at.namespace, name=at.name, snapshot_id=at.snapshot_id),
            ),
        ),
    )


def resume_entity(
    ask: Ask, ask_kept: AskKept, projection: Projection, nearest: Nearest, cut: Cut, entity: str
) -> dict[str, Entity] | None:
    """Return the state of one stream at a cut; None where its events are to be folded anew."""
    model = nearest.model
    relation = relate(nearest.table, nearest.reading, (model.id,), KEPT)
    statement = f"select * from {KEPT} where model = :model and entity_id = :entity"  # noqa: S608 - our own name
    rows = ask_kept(statement, {"model": model.id, "entity": entity}, {KEPT: relation})
    kept = read_rows(projection, rows.iter_rows(named=True))
    if entity not in kept or not cut.holds(kept[entity].position, kept[entity].occurred_at):
        return None
    tail = fetch_stream(ask, projection, cut, entity, _behind(model, kept[entity]))
    resumed = resume_states(projection, model.checkpoint, kept, tail, cut)
    return None if resumed is None or resumed.anew else dict(resumed.entities)


def fold_entity(ask: Ask, projection: Projection, cut: Cut, entity: str) -> dict[str, Entity]:
    """Return the state of one stream at a cut out of its events."""
    return fold_facts(projection, fetch_stream(ask, projection, cut, entity))


def _behind(model: Model, kept: Kept) -> Condition:
    """Return the condition of the events that a kept state has not taken in."""
    behind = {"behind": model.position}
    if kept.left_out:
        return "(e.position > :behind or e.occurred_at > :later)", {**behind, "later": model.as_of}
    return "e.position > :behind", behind


def is_worth(projection: Projection, nearest: Nearest, cut: Cut, event_count: int) -> bool:
    """Tell whether reading every kept state is quicker than folding every event."""
    if not holds_all(cut, nearest.model.checkpoint):
        return False
    return projection.is_folded or event_count > WORTH * max(1, nearest.model.entities)


def resume_all(ask: Ask, projection: Projection, nearest: Nearest, cut: Cut) -> dict[str, Entity] | None:
    """Return the states of all entities at a cut; None where too many would be folded anew."""
    model = nearest.model
    rows = nearest.table.read_rows(nearest.reading, (model.id,))
    kept = read_rows(projection, rows.to_pylist())
    tail = fetch_tail(ask, projection, model, cut)
    resumed = resume_states(projection, model.checkpoint, kept, tail, cut)
    if resumed is None:
        return None
    anew = sorted(resumed.anew)
    if len(anew) > MANY or (anew and not projection.is_by_stream):
        return None
    entities = dict(resumed.entities)
    up_to = model.position if cut.up_to is None else cut.up_to
    reach = max([up_to, *(fact.position for fact in tail)])
    for groups in fetch_groups(ask, projection, reach, anew) if anew else ():
        facts = [fact for group in groups.values() for fact in group if cut.holds(fact.position, fact.occurred_at)]
        entities |= fold_facts(projection, facts)
    return entities


def fetch_tail(ask: Ask, projection: Projection, model: Model, cut: Cut) -> list[Fact]:
    """Return the events of a cut that a model has not taken in: found by the bounds of files in position and time."""
    tail = fetch_matters(ask, projection, cut, ("e.position > :behind", {"behind": model.position}))
    if model.as_of is not None:
        later = {"behind": model.position, "later": model.as_of}
        tail += fetch_matters(ask, projection, cut, ("e.position <= :behind and e.occurred_at > :later", later))
    return tail
