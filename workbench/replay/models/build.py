"""Make a model, or bring it up to a position: its states, and the steps of its fields, each in one commit."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec
import numpy as np
import polars as pl
import pyarrow as pa

from workbench.replay.folding.fact import Fact
from workbench.replay.models.checkpoints import is_cancel, is_local, keep_groups
from workbench.replay.models.facts import Ask, count_matters, fetch_groups, find_touched
from workbench.replay.models.rows import INSTANT, Model, write_rows
from workbench.replay.population.steps import (
    COUNTED,
    Gatherer,
    Steps,
    Sweep,
    add_steps,
    find_edges,
    take_changes,
)
from workbench.replay.projection import Projection
from workbench.replay.sql.expressions import Filter
from workbench.replay.states.fold import find_cancelled

if TYPE_CHECKING:
    from pyiceberg.manifest import DataFile

    from workbench.eventlog.models import ModelTable, Reading

# States a file; files and sets of steps that come together before they are made one.
ROWS: Final = 100_000
FILES: Final = 8
SEGMENTS: Final = 4


class ModelProgress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a model is: events read (of ``events_total``; None while it is brought up) and entities kept so far.

    ``position`` is where it will reach, ``lag`` how many positions the log is ahead of what is committed.
    """

    events_done: int
    events_total: int | None
    entities: int
    position: int
    lag: int


class Sink(Protocol):
    """What takes the events of entities and leaves files."""

    def take(self, groups: Mapping[str, Sequence[Fact]]) -> int:
        """Take entities; return how many are kept."""

    def finish(self) -> bool:
        """Commit what was taken; tell whether nobody else was quicker."""

    def discard(self) -> None:
        """Remove what was written and is not committed."""


def run_sinks(
    ask: Ask,
    projection: Projection,
    sinks: Sequence[Sink],
    *,
    span: tuple[int, int],
    progress: Callable[[ModelProgress], None] | None,
) -> bool:
    """Let sinks take every entity that events behind the first position of a span, and up to its second, touch.

    What ``progress`` raises ends it, and nothing is left. Tells whether nobody else was quicker.
    """
    after, up_to = span
    names = None if after < 0 else find_touched(ask, projection, after=after, up_to=up_to)
    total = count_matters(ask, projection, up_to) if names is None and progress is not None else None
    done = entities = 0
    try:
        for groups in () if names == [] else fetch_groups(ask, projection, up_to, names):
            kept = [sink.take(groups) for sink in sinks]
            done, entities = done + sum(map(len, groups.values())), entities + max(kept)
            if progress is not None:
                progress(
                    ModelProgress(
                        events_done=done,
                        events_total=total,
                        entities=entities,
                        position=up_to,
                        lag=up_to - after,
                    )
                )
        done_by_us = [sink.finish() for sink in sinks]
    except BaseException:
        for sink in sinks:
            sink.discard()
        raise
    return all(done_by_us)


class StateSink:
    """Keeps the state of every entity it takes."""

    def __init__(self, ask: Ask, projection: Projection, kept: "ModelTable", known: Model, up_to: int) -> None:
        self._kept, self._known, self._projection = kept, known, projection
        self._reading = kept.read()
        self._mark = marks_of(self._reading).get(known.id)
        self._table = kept.open()
        self._files: list[DataFile] = []
        self._rows: list[pa.Table] = []
        self._model = msgspec.structs.replace(known, position=up_to)
        whole = Filter(cut=self._model.checkpoint.cut)
        self._cancelled = None if is_local(projection) else find_cancelled(ask, projection, whole)
        self._has_cancels = known.has_cancels
        read = self._reading
        self._names = set[str]() if known.position < 0 or read is None else kept.read_names(read, (known.id,))

    def take(self, groups: Mapping[str, Sequence[Fact]]) -> int:
        """Take entities; return how many are kept."""
        states = keep_groups(self._projection, groups, self._model.checkpoint, cancelled=self._cancelled)
        self._has_cancels = self._has_cancels or any(
            is_cancel(self._projection, fact) for group in groups.values() for fact in group
        )
        self._names |= states.keys()
        self._rows.append(write_rows(self._projection, self._model, states))
        if sum(rows.num_rows for rows in self._rows) >= ROWS:
            self._write()
        return len(states)

    def _write(self) -> None:
        rows = pa.concat_tables(self._rows) if self._rows else None
        self._rows = []
        if rows is not None and rows.num_rows:
            self._files.append(self._kept.write(self._table, (self._known.id,), rows))

    def finish(self) -> bool:
        """Commit what was taken; where many files came together they become one."""
        old = self._old_files()
        is_new = self._known.position < 0
        replaced = old if is_new or len(old) + 1 >= FILES else []
        if replaced and not is_new and self._reading is not None:
            self._merge(self._kept.read_rows(self._reading, (self._known.id,)))
        self._write()
        model = msgspec.structs.replace(self._model, entities=len(self._names), has_cancels=self._has_cancels)
        added, self._files = self._files, []
        return self._kept.commit(model.id, model.write(), seen=self._mark, added=added, replaced=replaced)

    def _old_files(self) -> "list[DataFile]":
        files = () if self._reading is None else self._reading.files
        return [file.file for file in files if file.key == (self._known.id,)]

    def _merge(self, known: pa.Table) -> None:
        """Let the rows of the model be written again, those of an entity that has later ones left out."""
        parts = [pl.DataFrame(rows.select(known.column_names)) for rows in (known, *self._rows)]
        latest = pl.concat(parts).sort("checkpoint_position").unique("entity_id", keep="last")
        self._rows = [latest.sort("entity_id").to_arrow()]

    def discard(self) -> None:
        """Remove what was written and is not committed."""
        self._kept.discard(self._files)


class StepSink:
    """Counts the steps of fields; of entities that had events before, what the later ones change of them."""

    def __init__(self, projection: Projection, kept: "ModelTable", known: Model, up_to: int) -> None:
        self._kept, self._known, self._projection, self._up_to = kept, known, projection, up_to
        self._reading = kept.read()
        self._mark = marks_of(self._reading).get(known.id)
        self._table = kept.open()
        self._files: list[DataFile] = []
        self._sweep = Sweep(projection, known.fields)
        self._gatherers = {name: Gatherer() for name in known.fields}

    def take(self, groups: Mapping[str, Sequence[Fact]]) -> int:
        """Take entities; return how many there were."""
        for facts in groups.values():
            take_changes(self._gatherers, self._sweep, facts, 1)
            before = [fact for fact in facts if fact.position <= self._known.position]
            if before:
                take_changes(self._gatherers, self._sweep, before, -1)
        return len(groups)

    def finish(self) -> bool:
        """Commit the steps; where many sets came together they become one."""
        is_whole = self._known.position < 0 or len(self._known.segments) >= SEGMENTS
        files = () if self._reading is None else self._reading.files
        replaced = [file.file for file in files if file.key[0] == self._known.id] if is_whole else []
        for name, gatherer in self._gatherers.items():
            steps = gatherer.finish()
            if is_whole and self._known.position >= 0 and self._reading is not None:
                steps = join_steps(steps, self._kept.read_rows(self._reading, (self._known.id, name, "steps")))
            for part, found in (("steps", steps), ("edges", find_edges(steps))):
                self._write(name, part, found)
        segments = (self._up_to,) if is_whole else (*self._known.segments, self._up_to)
        model = msgspec.structs.replace(self._known, position=self._up_to, segments=segments)
        added, self._files = self._files, []
        return self._kept.commit(model.id, model.write(), seen=self._mark, added=added, replaced=replaced)

    def _write(self, field: str, part: str, steps: Steps) -> None:
        if len(steps.times):
            rows = frame_steps(self._known.id, field, part, self._up_to, steps)
            self._files.append(self._kept.write(self._table, (self._known.id, field, part, self._up_to), rows))

    def discard(self) -> None:
        """Remove what was written and is not committed."""
        self._kept.discard(self._files)


def marks_of(reading: "Reading | None") -> Mapping[str, str]:
    """Return the marks that a table holds."""
    return {} if reading is None else reading.marks


def countable_fields(projection: Projection, named: Iterable[str] | None) -> tuple[str, ...]:
    """Return the fields whose steps are counted: those of few values where none are named."""
    if projection.is_open or not is_local(projection):
        return ()
    if named is not None:
        return tuple(named)
    return tuple(field.name for field in projection.fields if field.rule in COUNTED)


def frame_steps(model: str, field: str, part: str, segment: int, steps: Steps) -> pa.Table:
    """Return steps as rows."""
    size = len(steps.times)
    values: Any = pa.DictionaryArray.from_arrays(pa.array(steps.codes), pa.array(list(steps.values), pa.string()))
    return pa.table(
        {
            "model": pa.repeat(pa.scalar(model), size),
            "field": pa.repeat(pa.scalar(field), size),
            "part": pa.repeat(pa.scalar(part), size),
            "segment": pa.repeat(pa.scalar(segment, pa.int64()), size),
            "occurred_at": pa.array(steps.times).cast(INSTANT),
            "value": values.cast(pa.string()),
            "count": pa.array(steps.counts),
        }
    )


def join_steps(steps: Steps, rows: pa.Table) -> Steps:
    """Return steps with those of rows added."""
    encoded = rows.column("value").combine_chunks().dictionary_encode()
    values = list(dict.fromkeys([*steps.values, *encoded.dictionary.to_pylist()]))
    places = {value: number for number, value in enumerate(values)}
    known = np.array([places[value] for value in encoded.dictionary.to_pylist()], dtype=np.int64)
    return add_steps(
        values,
        np.concatenate([steps.times, rows.column("occurred_at").cast(pa.int64()).to_numpy()]),
        np.concatenate([steps.codes, known[encoded.indices.to_numpy()] if len(encoded) else steps.codes[:0]]),
        np.concatenate([steps.counts, rows.column("count").to_numpy()]),
    )
