"""The answers of replay as frames, one column list each."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import polars as pl

from workbench.replay.differences import compare_states, find_parting
from workbench.replay.facts import Ask, load_facts
from workbench.replay.folding.cut import Cut
from workbench.replay.folding.fact import Fact
from workbench.replay.folding.rules import write_state
from workbench.replay.projection import Projection
from workbench.replay.states.states import find_states
from workbench.replay.what_if import Affected, Contrast, Proposal

TIME: Final = pl.Datetime("us", "UTC")
EVENT: Final[dict[str, Any]] = {
    "position": pl.Int64,
    "event_id": pl.String,
    "event_type": pl.String,
    "occurred_at": TIME,
    "recorded_at": TIME,
    "actor_id": pl.String,
    "actor_kind": pl.String,
}
HISTORY: Final[dict[str, Any]] = {
    **EVENT,
    "causation_id": pl.String,
    **dict.fromkeys(("effect", "changed", "illegal", "error", "state"), pl.String),
}
BLAME: Final = {
    "field": pl.String,
    "value": pl.String,
    **EVENT,
    "again_position": pl.Int64,
    **dict.fromkeys(("proposal_event_id", "proposal_actor_id", "upcast", "earlier"), pl.String),
}
CONTRASTS: Final = {
    **dict.fromkeys(("entity_id", "field", "true_value", "what_if_value"), pl.String),
    "differs": pl.Boolean,
}
PARTINGS: Final = {
    **dict.fromkeys(("entity_id", "field", "one", "other"), pl.String),
    "position": pl.Int64,
    "event_id": pl.String,
    "event_type": pl.String,
}
AFFECTED: Final = {
    "position": pl.Int64,
    **dict.fromkeys(("event_id", "stream_id", "event_type"), pl.String),
    "occurred_at": TIME,
    "actor_id": pl.String,
    "cause": pl.String,
    "depth": pl.Int64,
}
LATE: Final[dict[str, Any]] = {
    "position": pl.Int64,
    **dict.fromkeys(("event_id", "stream_id", "event_type"), pl.String),
    "occurred_at": TIME,
    "recorded_at": TIME,
    "late_by": pl.Duration("us"),
}
PROPOSALS: Final = {
    "position": pl.Int64,
    "event_id": pl.String,
    "event_type": pl.String,
    "occurred_at": TIME,
    "compensation": pl.String,
    "data": pl.String,
    "expected_version": pl.Int64,
}


def make_rows(rows: Iterable[Mapping[str, Any]], schema: Mapping[str, Any]) -> pl.DataFrame:
    """Return rows as a frame with the columns of a schema, in its order."""
    return pl.DataFrame([[row[name] for name in schema] for row in rows], schema=dict(schema), orient="row")


def describe(fact: Fact | None, names: Iterable[str]) -> dict[str, Any]:
    """Return columns of an event; nulls for none."""
    return {name: None if fact is None else getattr(fact, name) for name in names}


def frame_contrasts(contrasts: Iterable[Contrast]) -> pl.DataFrame:
    """Return states beside what they would be, one row per entity and field."""
    return make_rows(({name: getattr(contrast, name) for name in CONTRASTS} for contrast in contrasts), CONTRASTS)


def frame_late(facts: Iterable[Fact]) -> pl.DataFrame:
    """Return events with how long after they happened the log took them, one row each."""
    named = [name for name in LATE if name != "late_by"]
    return make_rows(
        (
            {**describe(fact, named), "late_by": fact.recorded_at and fact.recorded_at - fact.occurred_at}
            for fact in facts
        ),
        LATE,
    )


def frame_affected(found: Iterable[Affected]) -> pl.DataFrame:
    """Return events and their causal descendants, one row each."""
    named = ("position", "event_id", "stream_id", "event_type", "occurred_at", "actor_id")
    return make_rows(({**describe(one.fact, named), "cause": one.cause, "depth": one.depth} for one in found), AFFECTED)


def frame_proposals(proposals: Iterable[Proposal], facts: Sequence[Fact]) -> pl.DataFrame:
    """Return compensating events proposed, one row per event undone."""
    version = max((fact.stream_version for fact in facts if fact.stream_version is not None), default=None)
    return make_rows(
        (
            {
                **describe(proposal.fact, ("position", "event_id", "event_type", "occurred_at")),
                "compensation": proposal.event_type,
                "data": None if proposal.data is None else write_state(proposal.data),
                "expected_version": version,
            }
            for proposal in proposals
        ),
        PROPOSALS,
    )


def frame_partings(ask: Ask, one: Projection, other: Projection, cut: Cut, *, limit: int) -> pl.DataFrame:
    """Return the fields that two projections show otherwise, and for the first entities the event where they part."""
    states = [find_states(ask, projection, cut) for projection in (one, other)]
    shared = [name for name in states[0].columns if name in states[1].columns]
    apart = compare_states(states[0].select(shared), states[1].select(shared), one)
    parted: dict[tuple[str, str], Fact] = {}
    for entity in apart["entity_id"].unique(maintain_order=True).head(limit).to_list():
        for parting in find_parting(one, other, load_facts(ask, one, [entity], cut), entity):
            parted[entity, parting.field] = parting.fact
    return make_rows(
        (
            {
                "entity_id": row["entity_id"],
                "field": row["field"],
                "one": row["before"],
                "other": row["after"],
                **describe(parted.get((row["entity_id"], row["field"])), ("position", "event_id", "event_type")),
            }
            for row in apart.iter_rows(named=True)
        ),
        PARTINGS,
    )
