"""One entity's history and blame as frames, made column by column of its events and of what each did."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import repeat
from typing import Final

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from workbench.replay.cancels import judge_cancels
from workbench.replay.cut import Cut
from workbench.replay.fact import FACT_COLUMNS, Fact
from workbench.replay.facts import Ask, load_events, make_facts
from workbench.replay.fold import find_cancels
from workbench.replay.frames import BLAME, EVENT, HISTORY, describe, make_rows
from workbench.replay.history import find_again, order_names
from workbench.replay.model_facts import read_columns
from workbench.replay.projection import Projection
from workbench.replay.rules import write_state
from workbench.replay.slot_texts import NULL, join_texts
from workbench.replay.states_fold import columns_of, field_paths
from workbench.replay.telling import Changes, Told, tell_events

# What a history shows of an event, and what blame asks of one: which stream it stands in, and its version.
SHOWN: Final = (*EVENT, "causation_id")
ASKED: Final = (*SHOWN, "source", "stream_id", "schema_version")
_UNREAD: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """The events of a cut that touch an entity, with the cancels of those, in a projection's order; what each did."""

    projection: Projection
    entity: str
    events: pl.DataFrame
    told: Told

    def facts(self, rows: Sequence[int] | None = None) -> list[Fact]:
        """Return events as facts: all, or those of some rows."""
        return make_facts(self.events if rows is None else self.events[[self.told.kept[row] for row in rows]])


def load_story(ask: Ask, projection: Projection, entity: str, cut: Cut) -> Story:
    """Return the story of an entity in a cut; one without rows where nothing touches it."""
    columns = tuple(dict.fromkeys((*ASKED, *read_columns(projection))))
    events = load_events(ask, projection, [entity], cut, columns)
    if projection.order == "occurred":
        events = events.sort("occurred_at", "position")
    told = tell_events(projection, make_read_facts(projection, events, entity), entity)
    return Story(projection=projection, entity=entity, events=events, told=told)


def make_read_facts(projection: Projection, events: pl.DataFrame, entity: str) -> list[Fact]:
    """Return events as facts that hold what the fold of one entity reads of them.

    Where nothing is cancelled, and fields alone are read, that is little: the other columns take longer than the fold.
    """
    cancels = [] if projection.cancels is None else list(projection.cancels.event_types)
    if projection.is_open or not projection.is_by_stream or events["event_type"].is_in(cancels).any():
        return make_facts(events, read_columns(projection))
    paths = [path for field in projection.fields for path in field_paths(field)]
    wanted = {"position", "event_type", *(path.column for path in paths), *columns_of(paths)}
    unread = {"event_id": "", "source": "", "stream_id": entity, "occurred_at": _UNREAD}
    columns = [events[name].to_list() if name in wanted else repeat(unread.get(name)) for name in FACT_COLUMNS]
    return [Fact(*row) for row in zip(*columns, strict=False)]


def frame_history(story: Story) -> pl.DataFrame:
    """Return an entity's history, one row per event."""
    told, shown = story.told, story.events.select(SHOWN)
    if len(told.kept) < shown.height:
        shown = shown[list(told.kept)]
    illegal = {row: write_state([list(move) for move in moves]) for row, moves in told.illegal.items()}
    errors = {row: "; ".join(f"{name}: {error}" for name, error in found.items()) for row, found in told.errors.items()}
    size = len(told.kept)
    columns = {
        "effect": _place(told.effects, size),
        "changed": write_changes(told),
        "illegal": _place(illegal, size),
        "error": _place(errors, size),
        "state": write_states(told),
    }
    return shown.with_columns(**columns).cast(pl.Schema(HISTORY))


def _place(texts: Mapping[int, str], size: int) -> pl.Series:
    """Return texts at their rows, null at the others."""
    column: list[str | None] = [None] * size
    for row, text in texts.items():
        column[row] = text
    return pl.Series(column, dtype=pl.String)


def write_changes(told: Told) -> pl.Series:
    """Return what each row changed as JSON text: by field, the values before and after."""
    changed = [(label, each) for label, each in _named(told) if len(each.rows) > 1]
    rows = np.concatenate([np.empty(0, np.int64), *(np.array(each.rows[1:], np.int64) for _, each in changed)])
    places = np.full(len(told.kept), len(rows), dtype=np.int64)
    places[rows] = np.arange(len(rows))
    # As often as not each event changes one field, and its text is whole with that.
    is_single = len(rows) == np.count_nonzero(places < len(rows))
    opening, closing = ("{", "}") if is_single else ("", "")
    pairs = [
        join_texts(f"{opening}{label}:[", each.texts.head(-1), ",", each.texts.tail(-1), f"]{closing}")
        for label, each in ((label, _fill(each)) for label, each in changed)
    ]
    # Behind the pairs stands what is said of a row that changes nothing.
    texts = pl.concat([*pairs, pl.Series(["{}"])], rechunk=True)
    if is_single:
        return texts[places]
    found = pl.DataFrame({"row": rows, "pair": texts.head(-1)}).group_by("row", maintain_order=True)
    joined = found.agg(pl.concat_str(pl.lit("{"), pl.col("pair").str.join(","), pl.lit("}")).alias("pair"))
    places[joined["row"].to_numpy()] = np.arange(joined.height)
    places[places == len(rows)] = joined.height
    return pl.concat([joined["pair"], pl.Series(["{}"])], rechunk=True)[places]


def _named(told: Told) -> list[tuple[str, Changes]]:
    """Return the changes of each field beside its name as JSON, in the order of a state's members."""
    return [(label, told.changes[name]) for name, label in order_names(tuple(told.changes))]


def _fill(changes: Changes) -> Changes:
    """Return changes that say null where there is no such member."""
    if not changes.texts.null_count():
        return changes
    return Changes(rows=changes.rows, texts=changes.texts.fill_null(NULL))


def write_states(told: Told) -> pl.Series:
    """Return the state after each row as canonical JSON text."""
    size = len(told.kept)
    return _join_members([join_texts(f"{label}:", each.texts)[_held(each, size)] for label, each in _named(told)], size)


def _held(changes: Changes, size: int) -> NDArray[np.int64]:
    """Return, for each row, the number of the value that a field has after it."""
    starts = np.array([0, *changes.rows[1:], size], dtype=np.int64)
    return np.repeat(np.arange(len(changes.rows)), np.diff(starts))


def _join_members(members: Sequence[pl.Series], size: int) -> pl.Series:
    """Return JSON objects of their members, row by row; a null is none."""
    if not members:
        return pl.repeat("{}", size, dtype=pl.String, eager=True)
    named = pl.DataFrame([member.alias(f"{number}") for number, member in enumerate(members)])
    joined = pl.concat_str(pl.all(), separator=",", ignore_nulls=True)
    return named.select(pl.concat_str(pl.lit("{"), joined, pl.lit("}"))).to_series()


def settle_story(story: Story) -> Story:
    """Return the story of the events alone that are not cancelled in the end."""
    if story.told.is_whole:
        return story
    projection, facts = story.projection, make_facts(story.events, read_columns(story.projection))
    cancelled = judge_cancels(find_cancels(projection, facts)).cancelled
    counted = [fact for fact in facts if fact.position not in cancelled]
    events = story.events.filter(~pl.col("position").is_in(list(cancelled)))
    told = tell_events(projection, counted, story.entity, judged=True)
    return msgspec.structs.replace(story, events=events, told=told)


def find_setters(settled: Story) -> dict[str, Fact]:
    """Return the event that set each field's value, where one did."""
    rows = {name: changes.rows[-1] for name, changes in settled.told.changes.items() if len(changes.rows) > 1}
    return dict(zip(rows, settled.facts(list(rows.values())), strict=True))


def frame_blame(
    settled: Story, setters: Mapping[str, Fact], proposals: Mapping[int, Fact], written: Mapping[int, int]
) -> pl.DataFrame:
    """Return, one row per field, its value and what set it."""
    positions = settled.events["position"]
    if len(settled.told.kept) < len(positions):
        positions = positions[list(settled.told.kept)]
    again, rows = find_again(settled.told), []
    for name, changes in settled.told.changes.items():
        fact = setters.get(name)
        proposal = None if fact is None else proposals.get(fact.position)
        lifted = fact is not None and fact.position in written
        rows.append(
            {
                "field": name,
                "value": changes.texts[-1],
                **describe(fact, EVENT),
                "again_position": positions[again[name]] if name in again else None,
                "proposal_event_id": None if proposal is None else proposal.event_id,
                "proposal_actor_id": None if proposal is None else proposal.actor_id,
                "upcast": f"{written[fact.position]} → {fact.schema_version}" if fact is not None and lifted else None,
                "earlier": _write_earlier(changes, positions),
            }
        )
    return make_rows(rows, BLAME)


def _write_earlier(changes: Changes, positions: pl.Series) -> str:
    """Return the values before the last as JSON text: position and value, oldest first."""
    rows = np.array(changes.rows[1:-1], dtype=np.int64)
    if not len(rows):
        return "[]"
    values = _fill(changes).texts.slice(1, len(rows))
    pairs = join_texts("[", positions[rows].cast(pl.String), ",", values, "]")
    return f"[{pairs.str.join(',').item()}]"
