"""Read models of a session: states kept beside the log, brought up as it grows, and what they make quick."""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec

from workbench.errors import ProjectionError, QueryFailedError, ReadModelError, StorageError, UnsupportedOnThisLogError
from workbench.replay.asking import Asking, Instant

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

    from workbench.eventlog import Log
    from workbench.eventlog.models import ModelTable
    from workbench.query.base import Engine, Relation
    from workbench.replay.folding.cut import Cut
    from workbench.replay.folding.fold import Entity
    from workbench.replay.models.build import ModelProgress
    from workbench.replay.models.reading import Nearest
    from workbench.replay.models.rows import Model
    from workbench.replay.population.kept import KeptPopulation
    from workbench.replay.projection import Projection

# What a lost or damaged file, or a row that is not as it was written, raises: the events are folded instead.
DAMAGE: Final = (
    QueryFailedError,
    ReadModelError,
    StorageError,
    ValueError,
    LookupError,
    TypeError,
    OSError,
    msgspec.MsgspecError,
)


class Models(Asking):
    """What a session keeps of states, and can be asked of all entities at once."""

    engine: "Engine"
    _log: "Log"

    def materialise(  # noqa: PLR0913 - how a model is made, all keyword-only
        self,
        projection: "str | Projection",
        *,
        as_of: Instant | None = None,
        fields: Sequence[str] | None = None,
        follow: bool = False,
        rebuild: bool = False,
        pause: float = 1.0,
        progress: "Callable[[ModelProgress], None] | None" = None,
    ) -> "Model":
        """Keep the states of a projection beside the log, or bring what is kept up to the head; answers do not change.

        ``as_of`` keeps the states as of a time: a checkpoint from which later times are quick. ``fields`` are those
        whose `population` is kept too, by default those of rules last, first and machine. ``follow`` goes on as the log
        grows, looking every ``pause`` seconds; ``rebuild`` makes everything anew, also where what is kept belongs to
        another declaration of this name and version. ``progress`` is told how far it is, once more a look when it
        follows, and what it raises ends it: what is not committed by then is removed.
        Raises ReadModelError, ReadOnlyLogError, UnsupportedOnThisLogError, UnknownProjectionError, ArgumentError.
        """
        from workbench.query.events import read_instant
        from workbench.replay.models.build import ModelProgress

        chosen = self.projection(projection)
        wanted = self._name(chosen, read_instant("as_of", as_of), fields)
        self._claim(wanted, rebuild=rebuild)
        while True:
            up_to = self.head().last
            model = self._bring_up(chosen, wanted, up_to, progress, rebuild=rebuild)
            if not follow:
                return model
            rebuild = False
            if progress is not None:
                lag = self.head().last - model.position
                progress(
                    ModelProgress(
                        events_done=0, events_total=0, entities=model.entities, position=model.position, lag=lag
                    )
                )
            time.sleep(pause)

    def read_models(self) -> "pl.DataFrame":
        """Return the models kept beside the log, one row each.

        Columns: projection, version, hash, registry_hash, as_of (null: the head), position (its progress), lag (how
        many positions the log is ahead), entities, fields (those whose population is kept), usable (whether this
        session declares and lifts the same; where not, it folds the events).
        """
        import polars as pl

        head = self.head().last
        known = {} if self._log.model_table("checkpoints") is None else self._models("checkpoints")
        steps = self._models("populations") if known else {}
        own = {projection.hash for projection in self._declared.values()}
        rows = [
            (
                *(model.projection, model.version, model.projection_hash, model.registry_hash, model.as_of),
                *(model.position, head - model.position, model.entities),
                list(steps[name].fields) if name in steps else [],
                model.registry_hash == self.registry.hash and model.projection_hash in own,
            )
            for name, model in known.items()
        ]
        schema = {
            "projection": pl.String(),
            "version": pl.Int64(),
            "hash": pl.String(),
            "registry_hash": pl.String(),
            "as_of": pl.Datetime("us", "UTC"),
            "position": pl.Int64(),
            "lag": pl.Int64(),
            "entities": pl.Int64(),
            "fields": pl.List(pl.String),
            "usable": pl.Boolean(),
        }
        return pl.DataFrame(rows, schema=schema, orient="row").sort("projection", "version", "as_of")

    def drop_read_model(self, projection: str, version: int | None = None) -> int:
        """Remove what is kept of a projection, of one version or of all; return how many models that were."""
        removed = 0
        for name, model in self._models("checkpoints").items():
            if model.projection == projection and version in (None, model.version):
                self._drop(name)
                removed += 1
        return removed

    def population(
        self,
        projection: "str | Projection",
        field: str,
        *,
        as_of: Instant | None = None,
        known_at: Instant | None = None,
        position: int | None = None,
    ) -> "pl.DataFrame":
        """Return how many entities have each value of a field at a moment: value (JSON text), count.

        Ordered by value; "null" are the entities without one. Quick where a model of the projection is kept (see
        `materialise`). Raises ArgumentError for a field the projection has not, and what `state` raises.
        """
        from workbench.replay.population.spread import check_field

        chosen, cut = self.projection(projection), self._moment(as_of, known_at, position)
        check_field(chosen, field)
        return self._count(chosen, field, cut, self._kept_population(chosen, field, cut))

    def population_over_time(
        self,
        projection: "str | Projection",
        field: str,
        *,
        at: Sequence[Instant],
        known_at: Instant | None = None,
    ) -> "pl.DataFrame":
        """Return the population of a field at each of several instants: as_of, value (JSON text), count.

        Raises what `population` raises.
        """
        from workbench.query.events import read_instant
        from workbench.replay.folding.cut import Cut
        from workbench.replay.population.spread import check_field, join_populations

        chosen, cut = self.projection(projection), self._moment(None, known_at, None)
        check_field(chosen, field)
        kept = self._kept_population(chosen, field, cut)
        moments = [moment for each in at if (moment := read_instant("at", each)) is not None]
        cuts = [Cut(as_of=moment, up_to=cut.up_to) for moment in moments]
        return join_populations(moments, [self._count(chosen, field, each, kept) for each in cuts])

    def _count(self, projection: "Projection", field: str, cut: "Cut", kept: "KeptPopulation | None") -> "pl.DataFrame":
        from workbench.replay.population.spread import count_values

        if kept is not None:
            try:
                return kept.count_at(cut.as_of)
            except DAMAGE:
                pass
        return count_values(self._states(projection, cut), projection, field)

    def _kept_population(self, projection: "Projection", field: str, cut: "Cut") -> "KeptPopulation | None":
        """Return a field's population out of a model, None where none is kept that helps."""
        from workbench.replay.folding.cut import Cut
        from workbench.replay.population.kept import KeptPopulation, reached_segment

        try:
            nearest = self._nearest_model("populations", projection, Cut(up_to=cut.up_to))
            reached = None if nearest is None else reached_segment(nearest, cut)
            if nearest is None or reached is None or field not in nearest.model.fields:
                return None
            kept = KeptPopulation(self._ask_kept, nearest, field, reached)
            up_to = self.head().last if cut.up_to is None else cut.up_to
            return kept if kept.correct(self._ask, projection, up_to) else None
        except DAMAGE:
            return None

    def _states(self, projection: "Projection", cut: "Cut", entity: str | None = None) -> "pl.DataFrame":
        """Return states at a cut: from the nearest checkpoint where that helps, else out of all events."""
        from workbench.replay.models.checkpoints import is_local
        from workbench.replay.models.reading import fold_entity
        from workbench.replay.states.frame import frame_entities
        from workbench.replay.states.states import find_states

        try:
            entities = self._resume(projection, cut, entity)
        except DAMAGE:
            entities = None
        if entities is None and entity is not None and projection.is_by_stream and is_local(projection):
            # One stream is some kilobytes: it is folded before a statement for all would be planned.
            entities = fold_entity(self._ask, projection, cut, entity)
        if entities is None:
            return find_states(self._ask, projection, cut, entity=entity, registry=self.registry)
        return frame_entities(projection, entities)

    def _resume(self, projection: "Projection", cut: "Cut", entity: str | None) -> "dict[str, Entity] | None":
        from workbench.replay.models.reading import is_worth, resume_all, resume_entity

        nearest = self._nearest_model("checkpoints", projection, cut)
        if nearest is None or (entity is not None and not projection.is_by_stream):
            return None
        if entity is not None:
            return resume_entity(self._ask, self._ask_kept, projection, nearest, cut, entity)
        if not is_worth(projection, nearest, cut, self.head().event_count):
            return None
        return resume_all(self._ask, projection, nearest, cut)

    def _nearest_model(self, table: str, projection: "Projection", cut: "Cut") -> "Nearest | None":
        from workbench.replay.models.reading import Nearest, choose_model

        kept = self._log.model_table(table)
        reading = None if kept is None else kept.read()
        if kept is None or reading is None:
            return None
        model = choose_model(self._models(table).values(), projection, self.registry.hash, cut)
        return None if model is None else Nearest(model=model, table=kept, reading=reading)

    def _models(self, table: str) -> "dict[str, Model]":
        """Return the models of a table that can be relied on, by id."""
        from workbench.replay.models.reading import list_models

        kept = self._log.model_table(table)
        reading = None if kept is None else kept.read()
        if kept is None or reading is None:
            return {}
        return list_models(reading.marks, kept.log_id, self.head().last)

    def _ask_kept(
        self, statement: str, parameters: Mapping[str, Any], relations: "Mapping[str, Relation]"
    ) -> "pl.DataFrame":
        limit = self.settings.query.time_limit or None
        return self.engine.query(statement, parameters, relations, row_limit=None, time_limit=limit)

    def _table(self, name: str) -> "ModelTable":
        kept = self._log.model_table(name)
        if kept is None:
            raise UnsupportedOnThisLogError(
                f"The log {self.settings.name!r} is mapped from a table that others write, so there is no place beside "
                "it for states. Ask for them, or ingest it into a folder of your own."
            )
        return kept

    def _name(self, projection: "Projection", as_of: datetime | None, fields: Sequence[str] | None) -> "Model":
        from workbench.replay.models.build import countable_fields
        from workbench.replay.models.rows import name_model
        from workbench.replay.population.spread import check_field

        for field in fields or ():
            check_field(projection, field)
        model = name_model(projection, self.registry.hash, as_of, self._table("checkpoints").log_id)
        counted = countable_fields(projection, fields) if as_of is None else ()
        known = self._models("populations").get(model.id)
        return msgspec.structs.replace(model, fields=counted if known is None or fields is not None else known.fields)

    def _claim(self, wanted: "Model", *, rebuild: bool) -> None:
        """Make room for a model. Raises ReadModelError where its name is taken by another declaration."""
        from workbench.eventlog.models import MODELS

        known = self._models("checkpoints")
        for name, model in known.items():
            if (model.named, model.as_of) != (wanted.named, wanted.as_of) or name == wanted.id:
                continue
            if not rebuild:
                hashes = ((model.projection_hash, model.registry_hash), (wanted.projection_hash, wanted.registry_hash))
                (old, old_registry), (new, new_registry) = ([each[:12] for each in pair] for pair in hashes)
                raise ReadModelError(
                    f"What is kept of {wanted.named} was made by declaration {old} with schemas {old_registry}; this "
                    f"session has {new} with {new_registry}. Give the declaration a new version to keep both, or "
                    "rebuild it."
                )
            self._drop(name)
        if wanted.id not in known and len(known) >= MODELS:
            raise ReadModelError(f"{MODELS} models are kept beside this log. Drop one that is not needed any more.")

    def _drop(self, name: str) -> None:
        for table in ("checkpoints", "populations"):
            kept = self._table(table)
            reading = kept.read()
            if reading is not None and name in reading.marks:
                files = [file.file for file in reading.files if file.key[0] == name]
                kept.commit(name, None, seen=reading.marks[name], added=[], replaced=files)

    def _bring_up(
        self,
        projection: "Projection",
        wanted: "Model",
        up_to: int,
        progress: "Callable[[ModelProgress], None] | None",
        *,
        rebuild: bool,
    ) -> "Model":
        from workbench.replay.models.build import Sink, StateSink, StepSink, run_sinks

        while True:
            due: dict[int, list[Sink]] = {}
            for name in ("checkpoints", "populations") if wanted.fields else ("checkpoints",):
                known = None if rebuild else self._models(name).get(wanted.id)
                if known is None or known.fields != wanted.fields:
                    known = wanted
                if known.position < up_to:
                    sink: Sink = (
                        StateSink(self._ask, projection, self._table(name), known, up_to)
                        if name == "checkpoints"
                        else StepSink(projection, self._table(name), known, up_to)
                    )
                    due.setdefault(known.position, []).append(sink)
            done = [
                run_sinks(self._ask, projection, sinks, span=(after, up_to), progress=progress)
                for after, sinks in due.items()
            ]
            if all(done):
                return self._models("checkpoints").get(wanted.id, wanted)
            rebuild = False

    def _model_relations(self) -> "dict[str, Relation]":
        """Return `states` as SQL sees it: the latest kept state of every entity, of the projections declared here."""
        from workbench.replay.models.relation import relate_states

        kept = self._log.model_table("checkpoints")
        if kept is None:
            return {}
        models = self._wanted_models() if self.engine.reads_tables else None
        return {"states": relate_states(kept, models, self._read_states)}

    def _wanted_models(self) -> list[str]:
        """Return the ids of the models at the head that this session's projections have, kept or not."""
        from workbench.replay.models.rows import name_model

        try:
            declared = {each.hash: each for each in self._declared.values()}.values()
        except ProjectionError:
            return []
        log = self._table("checkpoints").log_id
        return [name_model(each, self.registry.hash, None, log).id for each in declared]

    def _read_states(self) -> "pa.Table":
        """Return the rows of `states`, for an engine in process."""
        from workbench.replay.models.relation import latest_states

        kept = self._table("checkpoints")
        reading, wanted = kept.read(), self._wanted_models()
        models = [name for name in self._models("checkpoints") if name in wanted]
        return latest_states([] if reading is None else [kept.read_rows(reading, (name,)) for name in models])
