"""How a state came to be: every event with what it did, and every value with the event behind it."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from tests.builders import START
from tests.replay.facts import build_fact
from tests.replay.generated import logs, projections
from workbench.errors import ProjectionError
from workbench.replay.declaration import make_projection
from workbench.replay.folding.fact import Fact
from workbench.replay.folding.fold import Folder, fold_facts, name_entities
from workbench.replay.folding.values import write_value
from workbench.replay.history.history import find_history, find_origins, join_state, order_facts
from workbench.replay.history.telling import tell_events, tell_own_events
from workbench.replay.projection import DOCUMENT, Projection


def declare(order: str = "position") -> Projection:
    return make_projection(
        {
            "name": "account",
            "order": order,
            "cancels": {"event_types": ["C"], "target": "data.cancels"},
            "fields": {
                "total": {"rule": "sum", "kind": "integer", "event_types": ["A"], "value": "data.n"},
                "name": {"rule": "last", "kind": "text", "event_types": ["A", "B"], "value": "data.name"},
                "stage": {
                    "rule": "machine",
                    "moves": {"open": ["closed"]},
                    "event_types": ["B"],
                    "value": "data.stage",
                },
                "names": {"rule": "set", "kind": "text", "event_types": ["A"], "value": "data.name"},
            },
        }
    )


def test_each_event_has_the_state_after_it_and_what_it_changed() -> None:
    facts = [build_fact(0, data={"n": 1, "name": "x"}), build_fact(1, data={"n": 2, "name": "x"})]
    one, two = find_history(declare(), facts, "a")
    assert join_state(one.state) == '{"name":"x","names":["x"],"stage":null,"total":"1"}'
    assert two.changed == {"total": ('"1"', '"3"')}
    assert set(two.touched) == {"total", "name", "names"}


def test_events_that_a_projection_does_not_read_are_there_and_change_nothing() -> None:
    (moment,) = find_history(declare(), [build_fact(0, event_type="Z", data={"n": 1})], "a")
    assert (moment.changed, moment.touched) == ({}, ())


def test_events_of_other_entities_are_left_out() -> None:
    facts = [build_fact(0, data={"n": 1}), build_fact(1, stream_id="b", data={"n": 2})]
    assert [moment.fact.position for moment in find_history(declare(), facts, "a")] == [0]


def test_history_goes_on_past_an_event_that_cannot_be_taken() -> None:
    facts = [build_fact(0, data={"n": "1.5"}), build_fact(1, data={"n": 2})]
    one, two = find_history(declare(), facts, "a")
    assert one.errors == {"total": "'1.5' is no integer"}
    assert two.state["total"] == '"2"'


def test_a_move_outside_a_machine_is_marked_at_its_event() -> None:
    facts = [build_fact(n, event_type="B", data={"stage": stage}) for n, stage in enumerate(["open", "closed", "open"])]
    assert [moment.illegal for moment in find_history(declare(), facts, "a")] == [
        [],
        [],
        [("stage", "closed", "open")],
    ]


@given(logs(), projections())
def test_events_looked_at_once_tell_what_they_tell_when_they_are_held(
    facts: list[Fact], projection: Projection
) -> None:
    own = [fact for fact in order_facts(projection, facts) if "s1" in name_entities(projection, fact)]
    try:
        held = tell_events(projection, own, "s1", judged=True)
    except ProjectionError:
        return
    once = tell_own_events(projection, iter(own), "s1")
    assert list(once.kept) == list(held.kept)
    assert (once.touched, once.illegal, once.errors) == (held.touched, held.illegal, held.errors)
    assert {name: (list(each.rows), each.texts.to_list()) for name, each in once.changes.items()} == {
        name: (list(each.rows), each.texts.to_list()) for name, each in held.changes.items()
    }


def test_a_cancel_takes_effect_at_its_place_and_its_cancelling_restores() -> None:
    facts = [
        build_fact(0, data={"n": 1, "name": "x"}),
        build_fact(1, event_type="C", data={"cancels": "e0"}),
        build_fact(2, event_type="C", data={"cancels": "e1"}),
        build_fact(3, event_type="C", data={"cancels": "e1"}),
        build_fact(4, event_type="C", data={"cancels": "nope"}),
        build_fact(5, event_type="C", data={"cancels": "e6"}),
        build_fact(6, data={"n": 1, "name": "y"}),
    ]
    moments = list(find_history(declare(), facts, "a"))
    assert [moment.effect for moment in moments] == [
        None,
        "cancels position 0",
        "cancels position 1, restores position 0",
        "changes nothing: its target is already cancelled",
        "changes nothing: its target is unknown",
        "changes nothing: its target is later",
        None,
    ]
    assert [moment.state["total"] for moment in moments] == ['"1"', "null", '"1"', '"1"', '"1"', '"1"', '"2"']


def test_in_the_order_of_time_a_late_fact_takes_its_place() -> None:
    late = build_fact(2, data={"name": "late"}, occurred_at=START - timedelta(days=1))
    facts = [build_fact(0, data={"name": "x"}), build_fact(1, data={"name": "y"}), late]
    assert [m.state["name"] for m in find_history(declare("position"), facts, "a")] == ['"x"', '"y"', '"late"']
    assert [m.state["name"] for m in find_history(declare("occurred"), facts, "a")] == ['"late"', '"x"', '"y"']


def test_members_of_an_open_state_appear_and_keep_a_null() -> None:
    facts = [build_fact(0, data={"a": 1}), build_fact(1, data={"b": None}), build_fact(2, data=[1])]
    assert [moment.changed for moment in find_history(DOCUMENT, facts, "a")] == [
        {"a": (None, "1")},
        {"b": (None, "null")},
        {},
    ]


def test_a_value_has_the_event_that_set_it_those_before_and_the_last_that_set_it_again() -> None:
    facts = [build_fact(n, data={"name": name}) for n, name in enumerate(["x", "y", "y"])]
    (name,) = (origin for origin in find_origins(declare(), facts, "a") if origin.field == "name")
    assert name.fact is not None
    assert name.again is not None
    assert (name.value, name.fact.position, name.again.position, name.earlier) == ('"y"', 1, 2, [(0, '"x"')])


def test_a_cancelled_event_has_set_nothing() -> None:
    facts = [
        build_fact(0, data={"name": "x"}),
        build_fact(1, data={"name": "y"}),
        build_fact(2, event_type="C", data={"cancels": "e1"}),
    ]
    origins = {origin.field: origin for origin in find_origins(declare(), facts, "a")}
    assert origins["name"].fact is not None
    assert (origins["name"].value, origins["name"].fact.position) == ('"x"', 0)
    assert (origins["stage"].value, origins["stage"].fact) == ("null", None)


PAYLOADS = st.fixed_dictionaries(
    {},
    optional={
        "n": st.integers(-5, 5) | st.sampled_from(["1", "x", None, 1.5]),
        "name": st.sampled_from(["x", "y", None, 3]),
        "stage": st.sampled_from(["open", "closed", None]),
        "cancels": st.integers(0, 12).map("e{}".format),
    },
)


@st.composite
def make_log(draw: st.DrawFn) -> list[Fact]:
    rows = draw(
        st.lists(st.tuples(st.sampled_from("AABCZ"), PAYLOADS, st.integers(0, 6), st.sampled_from("aab")), max_size=12)
    )
    return [
        build_fact(n, event_type=kind, data=data, occurred_at=START + timedelta(hours=hour), stream_id=stream)
        for n, (kind, data, hour, stream) in enumerate(rows)
    ]


@given(make_log(), st.sampled_from(["position", "occurred"]))
def test_the_last_state_of_a_history_is_the_state_and_each_is_the_fold_up_to_there(
    facts: list[Fact], order: str
) -> None:
    projection = declare(order)
    folder = Folder(projection)
    moments = list(find_history(projection, facts, "a"))
    for number, moment in enumerate(moments):
        place = [one.fact.position for one in moments[: number + 1]]
        so_far = [fact for fact in facts if fact.position in place or fact.stream_id == "b"]
        entity = fold_facts(projection, so_far).get("a") or folder.start()
        assert join_state(moment.state) == folder.write(entity)


@given(logs(), projections())
def test_histories_of_any_rules_end_in_the_state(facts: list[Fact], projection: Projection) -> None:
    try:
        states = fold_facts(projection, facts)
    except ProjectionError:
        return
    for name, state in states.items():
        written = Folder(projection).write(state)
        assert join_state(list(find_history(projection, facts, name))[-1].state) == written
        origins = find_origins(projection, facts, name)
        assert join_state({one.field: one.value for one in origins if one.value is not None}) == written


@given(make_log(), st.sampled_from(["position", "occurred"]))
def test_blame_and_state_agree_on_every_value(facts: list[Fact], order: str) -> None:
    projection = declare(order)
    entity = fold_facts(projection, facts).get("a")
    if entity is not None:
        shown = {name: write_value(value) for name, value in Folder(projection).show(entity).items()}
        assert {origin.field: origin.value for origin in find_origins(projection, facts, "a")} == shown


def test_true_and_one_are_told_apart() -> None:
    facts = [build_fact(number, data={"v": value}) for number, value in enumerate([1, True, 1, "1", 0, False])]
    told = [join_state(moment.state) for moment in find_history(DOCUMENT, facts, "a")]
    assert told == ['{"v":1}', '{"v":true}', '{"v":1}', '{"v":"1"}', '{"v":0}', '{"v":false}']
