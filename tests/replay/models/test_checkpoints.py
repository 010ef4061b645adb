"""A state folded on from a checkpoint is the state that folding everything gives."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import START
from tests.replay.facts import build_fact
from tests.replay.logs import cuts, declare, fold_cut, logs, show, within
from workbench.replay.folding.cancels import judge_cancels
from workbench.replay.folding.cut import Cut
from workbench.replay.folding.fact import Fact
from workbench.replay.folding.fold import Entity, Folder, find_cancels, fold_facts
from workbench.replay.folding.reducers import make_reducer
from workbench.replay.models.checkpoints import (
    Checkpoint,
    Kept,
    is_local,
    keep_states,
    read_slots,
    resume_states,
    write_slots,
)
from workbench.replay.projection import DOCUMENT, Projection


def collect(state: dict[str, Any], event: dict[str, Any]) -> dict[str, Any]:
    if event["data"].get("v") == "x":
        raise ValueError("x")
    return {**state, "seen": [*state.get("seen", []), event["data"].get("v")]}


PROJECTIONS = {
    "position": declare(),
    "occurred": declare("occurred"),
    "by path": declare(entity="data.who"),
    "by path, occurred": declare("occurred", entity="data.who"),
    "anywhere": declare("occurred", cancels={"event_types": ["C"], "target": "data.cancels", "in_stream": False}),
    "document": DOCUMENT,
    "function": make_reducer(collect, initial={}),
}


def write_kept(projection: Projection, kept: Kept) -> Kept:
    """Return what was kept as it is read back."""
    assert kept.entity is not None
    text = write_slots(projection, kept.entity)
    assert text is not None
    entity = msgspec.structs.replace(kept.entity, slots=read_slots(projection, text))
    assert write_slots(projection, entity) == text
    return msgspec.structs.replace(kept, entity=entity)


def resume(projection: Projection, facts: Sequence[Fact], at: Cut, cut: Cut) -> dict[str, Any]:
    """Return the states at a cut by way of a checkpoint."""
    position = len(facts) - 1 if at.up_to is None else at.up_to
    below = within(facts, Cut(up_to=position))
    taken = within(below, Cut(as_of=at.as_of))
    has_cancels = any(fact.event_type == "C" for fact in taken)
    checkpoint = Checkpoint(position=position, as_of=at.as_of, has_cancels=has_cancels)
    cancelled = judge_cancels(find_cancels(projection, taken)).cancelled
    states = keep_states(projection, below, checkpoint, cancelled=None if is_local(projection) else cancelled)
    kept = {name: write_kept(projection, one) for name, one in states.items()}
    tail = [fact for fact in within(facts, cut) if fact not in taken]
    resumed = resume_states(projection, checkpoint, kept, tail, cut)
    anew: dict[str, Entity] = fold_facts(projection, within(facts, cut))
    if resumed is None:
        return show(projection, anew)
    return show(projection, {**resumed.entities, **{name: anew[name] for name in resumed.anew if name in anew}})


@pytest.mark.parametrize("kind", list(PROJECTIONS))
@given(facts=logs(), at=cuts(), cut=cuts())
@settings(max_examples=150, deadline=None)
def test_a_state_from_a_checkpoint_equals_the_whole_fold(kind: str, facts: list[Fact], at: Cut, cut: Cut) -> None:
    projection = PROJECTIONS[kind]
    assert resume(projection, facts, at, cut) == fold_cut(projection, facts, cut)


@given(facts=logs(), at=cuts())
@settings(max_examples=60, deadline=None)
def test_what_a_checkpoint_leaves_out_is_named(facts: list[Fact], at: Cut) -> None:
    position = len(facts) - 1 if at.up_to is None else at.up_to
    checkpoint = Checkpoint(position=position, as_of=at.as_of)
    for name, kept in keep_states(declare(), within(facts, Cut(up_to=position)), checkpoint).items():
        own = [
            fact for fact in facts if fact.stream_id == name and fact.event_type != "Z" and fact.position <= position
        ]
        later = [fact.position for fact in own if at.as_of is not None and fact.occurred_at > at.as_of]
        assert list(kept.left_out) == later


def build_kept(projection: Projection, facts: Sequence[Fact]) -> tuple[Checkpoint, dict[str, Kept]]:
    checkpoint = Checkpoint(position=max(fact.position for fact in facts))
    return checkpoint, keep_states(projection, facts, checkpoint)


def test_events_behind_everything_taken_in_are_folded_on() -> None:
    checkpoint, kept = build_kept(declare(), [build_fact(0, data={"v": 1})])
    resumed = resume_states(declare(), checkpoint, kept, [build_fact(1, data={"v": 2})], Cut())
    assert resumed is not None
    assert not resumed.anew
    assert Folder(declare()).show(resumed.entities["a"])["total"] == "3.0"


@pytest.mark.parametrize("target", ["e0", "e1", "unknown"])
def test_a_stream_whose_tail_cancels_at_or_below_the_checkpoint_is_folded_anew(target: str) -> None:
    facts = [build_fact(0, data={"v": 1}), build_fact(1, event_type="C", data={"cancels": "e0"})]
    checkpoint, kept = build_kept(declare(), [*facts, build_fact(2, stream_id="b", data={"v": 3})])
    tail = [build_fact(3, event_type="C", data={"cancels": target})]
    resumed = resume_states(declare(), checkpoint, kept, tail, Cut())
    assert resumed is not None
    assert (set(resumed.anew), list(resumed.entities)) == ({"a"}, ["b"])


def test_a_back_dated_event_before_those_taken_in_folds_its_entity_anew() -> None:
    projection = declare("occurred")
    checkpoint, kept = build_kept(projection, [build_fact(0, data={"v": 1})])
    late = build_fact(1, occurred_at=START - timedelta(hours=1), data={"v": 2})
    resumed = resume_states(projection, checkpoint, kept, [late], Cut())
    assert resumed is not None
    assert resumed.anew == {"a"}


def test_a_state_of_a_function_that_text_cannot_hold_is_not_kept() -> None:
    def pair(state: Any, event: dict[str, Any]) -> Any:
        return (event["position"], state)

    projection = make_reducer(pair)
    kept = keep_states(projection, [build_fact(0, data={})], Checkpoint(position=0))["a"]
    assert kept.entity is not None
    assert write_slots(projection, kept.entity) is None
    assert write_slots(projection, Entity([{1, 2}])) is None


def test_an_entity_without_a_kept_state_is_folded_anew() -> None:
    kept = {"a": Kept(entity=None, position=0, occurred_at=START)}
    resumed = resume_states(DOCUMENT, Checkpoint(position=0), kept, [], Cut())
    assert resumed is not None
    assert resumed.anew == {"a"}


def test_verdicts_of_others_say_what_does_not_count() -> None:
    facts = [build_fact(0, data={"v": 1}), build_fact(1, data={"v": 2})]
    kept = keep_states(declare(), facts, Checkpoint(position=1), cancelled=frozenset({1}))
    assert kept["a"].entity is not None
    assert kept["a"].entity.event_count == 1


@given(facts=st.just([]))
def test_an_empty_log_keeps_nothing(facts: list[Fact]) -> None:
    assert keep_states(declare(), facts, Checkpoint(position=0)) == {}
