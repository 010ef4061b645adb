"""Texts of values written a column at a time are those of values written one by one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.replay.generated import logs, projections
from workbench.errors import ProjectionError
from workbench.replay.folding.fact import Fact
from workbench.replay.folding.fold import fold_facts
from workbench.replay.folding.rules import Machine, show_slot
from workbench.replay.folding.values import write_value
from workbench.replay.history.slot_texts import drop_unset, make_writer
from workbench.replay.projection import Field, Projection


@given(logs(), projections())
def test_every_field_of_a_state_is_written_as_the_state_shows_it(facts: list[Fact], projection: Projection) -> None:
    try:
        states = list(fold_facts(projection, facts).values())
    except ProjectionError:
        return
    for number, field in enumerate(projection.fields):
        slots = [state.slots[number] for state in states]
        shown = [slot.state if isinstance(slot, Machine) else slot for slot in slots]
        given_slots = drop_unset(shown) if field.rule == "first" else shown
        assert make_writer(field)(given_slots).to_list() == [write_value(show_slot(field, slot)) for slot in slots]


@pytest.mark.parametrize("scale", [0, 1, 2, 6, 7, 12])
@given(st.lists(st.integers(-(10**38) + 1, 10**38 - 1) | st.integers(-200, 200) | st.none()))
def test_decimals_of_any_size_and_scale_have_their_canonical_text(scale: int, units: list[int | None]) -> None:
    field = Field(name="amount", rule="sum", kind="decimal", scale=scale, sources=())
    assert make_writer(field)(units).to_list() == [write_value(show_slot(field, unit)) for unit in units]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])) | st.none()))
def test_texts_of_any_characters_have_their_canonical_text(values: list[str | None]) -> None:
    field = Field(name="name", rule="last", kind="text", sources=())
    assert make_writer(field)(values).to_list() == [write_value(value) for value in values]
