"""Projections in SQL: for whatever log and declaration, what the fold in Python says."""

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

import pytest
from hypothesis import given, settings
from polars.testing import assert_frame_equal

from tests.replay.facts import build_fact
from tests.replay.generated import FOLDED, KINDS, ask_facts, cuts, expect, logs, projections
from workbench.errors import ProjectionError
from workbench.query.duckdb.engine import DuckDBEngine
from workbench.replay.declaration import make_projection
from workbench.replay.folding.cut import Cut
from workbench.replay.folding.fact import Fact
from workbench.replay.folding.fold import fold_facts
from workbench.replay.projection import Projection
from workbench.replay.sql.compile import is_compilable
from workbench.replay.states.frame import frame_entities
from workbench.replay.states.states import find_states


@pytest.fixture(scope="module")
def engine() -> Iterator[DuckDBEngine]:
    opened = DuckDBEngine(threads=1)
    yield opened
    opened.close()


@given(facts=logs(), projection=projections(), cut=cuts())
@settings(max_examples=60, deadline=None)
def test_sql_gives_the_states_that_the_fold_gives(
    engine: DuckDBEngine, facts: Sequence[Fact], projection: Projection, cut: Cut
) -> None:
    both_agree(engine, facts, projection, cut)


@pytest.mark.long
@given(facts=logs(), projection=projections(), cut=cuts())
@settings(max_examples=1_000, deadline=None)
def test_sql_gives_the_states_that_the_fold_gives_a_thousand_times(
    engine: DuckDBEngine, facts: Sequence[Fact], projection: Projection, cut: Cut
) -> None:
    both_agree(engine, facts, projection, cut)


def both_agree(engine: DuckDBEngine, facts: Sequence[Fact], projection: Projection, cut: Cut) -> None:
    expected = expect(projection, facts, cut)
    if expected is None:
        with pytest.raises(ProjectionError, match="has more than 38 digits"):
            find_states(ask_facts(engine, facts), projection, cut)
        return
    assert_frame_equal(find_states(ask_facts(engine, facts), projection, cut), expected, check_exact=True)


@given(facts=logs(most=12), projection=projections(kinds={**KINDS, **FOLDED}), cut=cuts())
@settings(max_examples=20, deadline=None)
def test_what_sql_has_not_is_folded_in_pages(
    engine: DuckDBEngine, facts: Sequence[Fact], projection: Projection, cut: Cut
) -> None:
    expected = expect(projection, facts, cut)
    if expected is not None:
        assert_frame_equal(find_states(ask_facts(engine, facts), projection, cut), expected, check_exact=True)


def declare(rule: str, **field: Any) -> Projection:
    """A projection of one field, `f`, from data.a."""
    more = {"entity": field.pop("entity", "stream_id"), "order": field.pop("order", "position")}
    sources = {} if "from" in field else {"value": "data.a"}
    return make_projection({"name": "one", "fields": {"f": {"rule": rule, **sources, **field}}, **more})


def agree(engine: DuckDBEngine, projection: Projection, facts: Sequence[Fact]) -> dict[str, Any]:
    """Return the only entity's state, once both ways have given it."""
    states = find_states(ask_facts(engine, facts), projection)
    assert_frame_equal(states, frame_entities(projection, fold_facts(projection, facts)), check_exact=True)
    return states.to_dicts()[0]


@pytest.mark.parametrize(
    ("projection", "is_possible"),
    [
        (declare("last"), True),
        (declare("last", value=["data", "a b"]), True),
        (declare("last", value=["data", 'a"b']), False),
        (declare("last", value=["data", "7"]), False),
        (declare("sum", kind="decimal", scale=20), True),
        (declare("sum", kind="decimal", scale=21), False),
        (declare("last", entity="actor_id"), True),
        (declare("last", entity="data.who"), False),
        (declare("last", entity="occurred_at"), False),
        (declare("count", **{"from": [{"when": [{"path": "occurred_at"}]}]}), False),
        (declare("merge"), False),
    ],
)
def test_what_the_engines_read_differently_is_left_to_the_fold(projection: Projection, *, is_possible: bool) -> None:
    assert is_compilable(projection) is is_possible


def test_more_fields_than_a_statement_should_have_are_left_to_the_fold() -> None:
    fields = {f"f{number}": {"rule": "count", "from": [{}]} for number in range(101)}
    assert not is_compilable(make_projection({"name": "wide", "fields": fields}))


def test_a_path_that_is_a_number_names_no_item_of_a_list(engine: DuckDBEngine) -> None:
    facts = [build_fact(0, data={"a": ["x", "y"]}), build_fact(1, data={"a": {"1": "z"}})]
    assert agree(engine, declare("list", kind="text", value=["data", "a", "1"]), facts)["f"] == '["z"]'


def test_a_decimal_too_great_for_a_sum_in_sql_is_added_by_the_fold(engine: DuckDBEngine) -> None:
    amounts = ["9" * 30, "1.5", "x"]
    facts = [build_fact(number, data={"a": amount}) for number, amount in enumerate(amounts)]
    state = agree(engine, declare("sum", kind="decimal", scale=2), facts)
    assert str(state["f"]) == "1000000000000000000000000000000.50"
    assert state["notes"] == '{"f":{"failed":1}}'


def test_a_sum_beyond_38_digits_names_the_event(engine: DuckDBEngine) -> None:
    facts = [build_fact(number, data={"a": "9" * 38}) for number in range(2)]
    with pytest.raises(ProjectionError, match="from the event at position 1"):
        find_states(ask_facts(engine, facts), declare("sum", kind="decimal"))


@pytest.mark.parametrize("rule", ["list", "set"])
def test_ten_thousand_items_are_kept_and_the_others_counted(engine: DuckDBEngine, rule: str) -> None:
    facts = [build_fact(number, data={"a": number}) for number in range(10_002)]
    state = agree(engine, declare(rule, kind="integer"), facts)
    assert json.loads(state["f"]) == list(range(10_000))
    assert state["notes"] == '{"f":{"capped":10002}}'


def test_ten_thousand_illegal_moves_are_listed_and_the_others_counted(engine: DuckDBEngine) -> None:
    facts = [build_fact(number, data={"a": "on"}) for number in range(10_003)]
    notes = json.loads(agree(engine, declare("machine", moves={"on": ["off"], "off": []}), facts)["notes"])
    assert notes["f"]["illegal_count"] == 10_002
    assert notes["f"]["illegal"][::9_999] == [[1, "on", "on"], [10_000, "on", "on"]]


CANCELLING: Final = {"event_types": ["Cancelled"], "target": "data.t"}


def cancel_cancels() -> tuple[Projection, list[Fact]]:
    """A projection, and a log whose event 1 is cancelled, restored, and cancelled again."""
    table = {
        "name": "sum",
        "cancels": CANCELLING,
        "fields": {"f": {"rule": "sum", "kind": "integer", "value": "data.a"}},
    }
    cancels = [build_fact(2 + n, event_type="Cancelled", data={"t": t}) for n, t in enumerate(["e1", "e2", "e1", "e4"])]
    return make_projection(table), [build_fact(0, data={"a": 1}), build_fact(1, data={"a": 10}), *cancels]


@pytest.mark.parametrize(("up_to", "total"), [(1, 11), (2, 1), (3, 11), (4, 1), (5, 11)])
def test_a_cancel_of_a_cancel_restores(engine: DuckDBEngine, up_to: int, total: int) -> None:
    projection, facts = cancel_cancels()
    assert agree(engine, projection, facts[: up_to + 1])["f"] == total


def test_where_all_events_are_restored_an_entity_is_there_again(engine: DuckDBEngine) -> None:
    projection, facts = cancel_cancels()
    assert agree(engine, projection, [fact for fact in facts[:4] if fact.position])["f"] == 10


def test_more_corrections_than_a_statement_holds_are_left_to_the_fold(
    engine: DuckDBEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.replay.sql.cancelling.MOST_CORRECTED", 0)
    projection, facts = cancel_cancels()
    assert agree(engine, projection, facts[:4])["f"] == 11


def sum_with_cancels(*, in_stream: bool = True, order: str = "position") -> Projection:
    """The sum of data.a, by stream, without what is cancelled."""
    table = {
        "name": "sum",
        "order": order,
        "cancels": {**CANCELLING, "in_stream": in_stream},
        "fields": {"f": {"rule": "sum", "kind": "integer", "value": "data.a"}},
    }
    return make_projection(table)


def test_an_id_that_two_sources_have_is_cancelled_in_the_cancels_own(engine: DuckDBEngine) -> None:
    facts = [
        build_fact(0, event_id="1", data={"a": 1}),
        build_fact(1, event_id="1", source="others", data={"a": 10}),
        build_fact(2, event_type="Cancelled", data={"t": "1"}),
    ]
    assert agree(engine, sum_with_cancels(), facts)["f"] == 10


@pytest.mark.parametrize(("in_stream", "total"), [(True, 11), (False, 10)])
def test_a_cancel_reaches_into_another_stream_where_that_is_declared(
    engine: DuckDBEngine, *, in_stream: bool, total: int
) -> None:
    facts = [build_fact(0, data={"a": 1}), build_fact(1, data={"a": 10})]
    facts.append(build_fact(2, stream_id="b", event_type="Cancelled", data={"t": "e0"}))
    assert agree(engine, sum_with_cancels(in_stream=in_stream), facts)["f"] == total
    own = find_states(ask_facts(engine, facts), sum_with_cancels(in_stream=in_stream), entity="a")
    assert own["f"].to_list() == [total]


def test_a_cancel_may_name_its_target_in_the_envelope(engine: DuckDBEngine) -> None:
    table = {
        "name": "sum",
        "cancels": {"event_types": ["Cancelled"], "target": "causation_id"},
        "fields": {"f": {"rule": "sum", "kind": "integer", "value": "data.a"}},
    }
    facts = [build_fact(number, data={"a": 1 + number * 9}) for number in range(2)]
    facts.append(build_fact(2, event_type="Cancelled", causation_id="e0"))
    assert agree(engine, make_projection(table), facts)["f"] == 10


@pytest.mark.parametrize("order", ["position", "occurred"])
def test_a_cancel_that_stands_before_its_target_changes_nothing(engine: DuckDBEngine, order: str) -> None:
    facts = [build_fact(0, event_type="Cancelled", data={"t": "e1"}), build_fact(1, data={"a": 1})]
    assert agree(engine, sum_with_cancels(order=order), facts)["f"] == 1


def test_fields_of_other_event_types_leave_each_other_alone(engine: DuckDBEngine) -> None:
    fields = {
        "paid": {"rule": "last", "kind": "integer", "event_types": ["Paid"], "value": "data.a"},
        "name": {"rule": "last", "kind": "text", "event_types": ["Named"], "value": "data.b"},
        "seen": {"rule": "last", "kind": "text", "event_types": ["Seen"], "value": "data.c", "takes_absent": True},
    }
    facts = [
        build_fact(0, event_type="Paid", data={"a": "7", "b": "x", "c": "x"}),
        build_fact(1, event_type="Named", data={"a": "8", "b": "y"}),
        build_fact(2, event_type="Seen", data={"c": "z"}),
        build_fact(3, event_type="Paid", data={"a": "no number"}),
    ]
    state = agree(engine, make_projection({"name": "three", "fields": fields}), facts)
    assert (state["paid"], state["name"], state["seen"]) == (7, "y", "z")
    assert state["notes"] == '{"paid":{"failed":1}}'
