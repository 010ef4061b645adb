"""Steps add up to what the fold of every entity gives at every instant."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings

from tests.builders import START
from tests.replay.facts import build_fact
from tests.replay.logs import declare, logs, within
from workbench.replay.folding.cut import Cut
from workbench.replay.folding.fact import Fact
from workbench.replay.folding.fold import Folder, fold_facts
from workbench.replay.folding.values import write_value
from workbench.replay.models.checkpoints import group_facts
from workbench.replay.population import steps as population_steps
from workbench.replay.population.steps import Gatherer, Steps, Sweep, find_edges, take_changes
from workbench.replay.projection import Projection

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIELDS = ("last", "first", "total", "events", "least", "newest", "stage")


def to_micros(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1)


def gather(projection: Projection, facts: Sequence[Fact], *before: Sequence[Fact]) -> dict[str, Steps]:
    gatherers = {name: Gatherer() for name in FIELDS}
    sweep = Sweep(projection, FIELDS)
    for sign, known in ((1, facts), *((-1, each) for each in before)):
        for group in group_facts(projection, known).values():
            take_changes(gatherers, sweep, group, sign)
    return {name: gatherer.finish() for name, gatherer in gatherers.items()}


def count_at(steps: Steps, moment: datetime) -> dict[str, int]:
    """Add up the last edge at or before a time and the steps behind it."""
    micros, edges = to_micros(moment), find_edges(steps)
    reached = edges.times[edges.times <= micros]
    since = int(reached.max()) if len(reached) else None
    found: Counter[str] = Counter()
    for part, wanted in (
        (edges, edges.times == since) if since is not None else (edges, edges.times < 0),
        (steps, (steps.times <= micros) & (steps.times > (since if since is not None else -(2**62)))),
    ):
        for code, count in zip(part.codes[wanted].tolist(), part.counts[wanted].tolist(), strict=True):
            found[part.values[code]] += count
    return {value: count for value, count in found.items() if count}


def fold_at(projection: Projection, facts: Sequence[Fact], field: str, moment: datetime) -> dict[str, int]:
    folder = Folder(projection)
    states = fold_facts(projection, within(facts, Cut(as_of=moment))).values()
    return dict(Counter(write_value(folder.show_field(state, field)) for state in states))


@pytest.mark.parametrize("order", ["position", "occurred"])
@given(facts=logs(most=14))
@settings(max_examples=150, deadline=None)
def test_steps_add_up_to_the_fold_at_every_instant(order: str, facts: list[Fact]) -> None:
    projection = declare(order)
    steps = gather(projection, facts)
    for moment in {fact.occurred_at for fact in facts} | {START + timedelta(hours=3, minutes=30)}:
        for field in FIELDS:
            assert count_at(steps[field], moment) == fold_at(projection, facts, field, moment)


@given(facts=logs(most=14))
@settings(max_examples=60, deadline=None)
def test_what_later_events_change_is_a_further_set_of_steps(facts: list[Fact]) -> None:
    projection = declare()
    half = facts[: len(facts) // 2]
    one, further, whole = gather(projection, half), gather(projection, facts, half), gather(projection, facts)
    for moment in {fact.occurred_at for fact in facts}:
        for field in FIELDS:
            summed = Counter(count_at(one[field], moment))
            for value, count in count_at(further[field], moment).items():
                summed[value] += count
            assert {v: n for v, n in summed.items() if n} == count_at(whole[field], moment)


def test_edges_spare_the_steps_before_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(population_steps, "SLICE", 3)
    facts = [build_fact(number, stream_id=f"s{number % 5}", data={"v": number % 2}) for number in range(40)]
    steps = gather(declare(), facts)["last"]
    edges = find_edges(steps)
    assert len(np.unique(edges.times)) > 5
    for fact in facts:
        assert count_at(steps, fact.occurred_at) == fold_at(declare(), facts, "last", fact.occurred_at)


def test_an_edge_takes_in_every_step_at_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(population_steps, "SLICE", 2)
    facts = [build_fact(n, stream_id=f"s{n}", occurred_at=START, data={"v": n}) for n in range(6)]
    facts.append(build_fact(6, stream_id="s0", data={"v": 7}))
    steps = gather(declare(), facts)["last"]
    assert count_at(steps, START) == fold_at(declare(), facts, "last", START)


def test_nothing_has_no_steps() -> None:
    assert not len(find_edges(gather(declare(), [])["last"]).times)


def test_many_values_are_not_remembered_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(population_steps, "SLICE", 4)
    facts = [build_fact(number, data={"v": number}) for number in range(12)]
    steps = gather(declare(), facts)["last"]
    assert count_at(steps, facts[-1].occurred_at) == {"11": 1}
