"""One entity's history and blame as frames, made column by column of its events and of what each did."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from itertools import islice
from typing import Final

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from workbench.replay.facts import Ask, iterate_facts, load_events, make_facts
from workbench.replay.folding.cancels import judge_cancels
from workbench.replay.folding.cut import Cut
from workbench.replay.folding.fact import Fact
from workbench.replay.folding.fold import find_cancels
from workbench.replay.folding.rules import write_state
from workbench.replay.frames import BLAME, EVENT, HISTORY, describe, make_rows
from workbench.replay.history.history import REMEMBERED, find_again, order_names
from workbench.replay.history.slot_texts import NULL, join_texts, make_column
from workbench.replay.history.telling import Changes, Illegal, Told, tell_events, tell_own_events
from workbench.replay.models.facts import read_columns
from workbench.replay.projection import Projection
from workbench.replay.states.fold import columns_of, field_paths

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
    columns = dict.fromkeys((*ASKED, *read_columns(projection)))
    is_alone = projection.is_by_stream and (projection.cancels is None or projection.cancels.in_stream)
    if is_alone:
        del columns["stream_id"]
    events = load_events(ask, projection, [entity], cut, tuple(columns))
    if is_alone:
        events = events.hstack([pl.Series("stream_id", [entity]).new_from_index(0, events.height)])
    if projection.order == "occurred":
        events = events.sort("occurred_at", "position")
    return Story(projection=projection, entity=entity, events=events, told=_tell(projection, events, entity))


def _tell(projection: Projection, events: pl.DataFrame, entity: str) -> Told:
    """Return what events did to an entity.

    Where nothing is cancelled, and fields alone are read, little is read of each event: the other columns take longer
    than the fold, and no event need be held when it is folded.
    """
    cancels = () if projection.cancels is None else projection.cancels.event_types
    types = events["event_type"]
    if projection.is_open or not projection.is_by_stream or any((types == cancel).any() for cancel in cancels):
        return tell_events(projection, make_facts(events, read_columns(projection)), entity)
    paths = [path for field in projection.fields for path in field_paths(field)]
    wanted = {"position", "event_type", *(path.column for path in paths), *columns_of(paths)}
    unread = {"event_id": "", "source": "", "stream_id": entity, "occurred_at": _UNREAD}
    return tell_own_events(projection, iterate_facts(events, wanted, unread), entity)


def frame_history(story: Story) -> pl.DataFrame:
    """Return an entity's history, one row per event."""
    told, shown = story.told, story.events[list(SHOWN)]
    if len(told.kept) < shown.height:
        shown = shown[list(told.kept)]
    illegal = {row: _write_moves(tuple(moves)) for row, moves in told.illegal.items()}
    errors = {row: "; ".join(f"{name}: {error}" for name, error in found.items()) for row, found in told.errors.items()}
    size = len(told.kept)
    columns = {
        "effect": _place(told.effects, size),
        "changed": write_changes(told),
        "illegal": _place(illegal, size),
        "error": _place(errors, size),
        "state": write_states(told),
    }
    history = shown.hstack([column.alias(name) for name, column in columns.items()])
    return history if history.schema == HISTORY else history.cast(pl.Schema(HISTORY))


@lru_cache(maxsize=REMEMBERED)
def _write_moves(moves: tuple[Illegal, ...]) -> str:
    return write_state(moves)


def _place(texts: Mapping[int, str], size: int) -> pl.Series:
    """Return texts at their rows, null at the others."""
    places = np.full(size, len(texts), dtype=np.int64)
    places[list(texts)] = np.arange(len(texts))
    return make_column([*texts.values(), None])[places]


def write_changes(told: Told) -> pl.Series:
    """Return what each row changed as JSON text: by field, the values before and after."""
    changed = [(label, _fill(each)) for label, each in _named(told) if len(each.rows) > 1]
    rows = np.concatenate([np.empty(0, np.int64), *(np.array(each.rows[1:], np.int64) for _, each in changed)])
    places = np.full(len(told.kept), len(rows), dtype=np.int64)
    places[rows] = np.arange(len(rows))
    # As often as not each event changes one field, and its text is whole with that.
    is_single = len(rows) == np.count_nonzero(places < len(rows))
    opening, closing = ("{", "}") if is_single else ("", "")
    labels = make_column([f"{opening}{label}:[" for label, _ in changed])
    pairs = join_texts(
        labels[np.repeat(np.arange(len(changed)), [len(each.rows) - 1 for _, each in changed])],
        _stack([each.texts.head(-1) for _, each in changed]),
        ",",
        _stack([each.texts.tail(-1) for _, each in changed]),
        f"]{closing}",
    )
    # Behind the pairs stands what is said of a row that changes nothing.
    texts = _stack([pairs, pl.Series(["{}"])])
    if is_single:
        return texts[places]
    found = pl.DataFrame({"row": rows, "pair": texts.head(-1)}).group_by("row", maintain_order=True)
    joined = found.agg(pl.concat_str(pl.lit("{"), pl.col("pair").str.join(","), pl.lit("}")).alias("pair"))
    places[joined["row"].to_numpy()] = np.arange(joined.height)
    places[places == len(rows)] = joined.height
    return _stack([joined["pair"], pl.Series(["{}"])])[places]


def _stack(parts: Sequence[pl.Series]) -> pl.Series:
    """Return columns of texts one behind the other."""
    return pl.concat(parts, rechunk=True) if parts else make_column([])


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
    named = [(label, each.texts[_held(each, size)]) for label, each in _named(told)]
    if not named or any(held.null_count() for _, held in named):
        return _join_members([join_texts(f"{label}:", held) for label, held in named], size)
    parts: list[pl.Series | str] = []
    for label, held in named:
        parts += (f"{',' if parts else '{'}{label}:", held)
    return join_texts(*parts, "}")


def _held(changes: Changes, size: int) -> NDArray[np.int64]:
    """Return, for each row, the number of the value that a field has after it."""
    starts = np.array(changes.rows)
    starts[0] = 0
    return np.repeat(np.arange(len(starts)), np.diff(starts, append=size))


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
    again, rows, earlier = find_again(settled.told), [], write_earlier(settled.told, positions)
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
                "earlier": earlier[name],
            }
        )
    return make_rows(rows, BLAME)


def write_earlier(told: Told, positions: pl.Series) -> dict[str, str]:
    """Return, by field, the values before the last as JSON text: position and value, oldest first."""
    sizes = [max(len(changes.rows) - 2, 0) for changes in told.changes.values()]
    rows = np.concatenate([np.empty(0, np.int64), *(np.array(changes.rows[1:-1]) for changes in told.changes.values())])
    values = _stack(
        [_fill(changes).texts.slice(1, size) for changes, size in zip(told.changes.values(), sizes, strict=True)]
    )
    pairs = iter(join_texts("[", positions[rows], ",", values, "]").to_list())
    return {name: f"[{','.join(islice(pairs, size))}]" for name, size in zip(told.changes, sizes, strict=True)}
