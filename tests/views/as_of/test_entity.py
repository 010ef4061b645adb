"""One entity at any moment: every value at every event, from one answer."""

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.loans import HOSTILE, MONDAY, make_loans
from workbench.errors import ArgumentError
from workbench.replay.history.history import join_state
from workbench.session import Session, connect
from workbench.views.as_of.choices import AsOfChoices
from workbench.views.as_of.entity import EntityHistory, choose_lanes, load_history
from workbench.views.as_of.export import export_moment, write_question
from workbench.views.as_of.log import choose_projection, count_entities, find_cut, find_entities, list_projections
from workbench.views.as_of.waves import frame_bands, show_history


@pytest.fixture(scope="module")
def loans(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    with connect(make_loans(tmp_path_factory.mktemp("loans"))) as session:
        yield session


def history(session: Session, **chosen: object) -> EntityHistory:
    return load_history(session, AsOfChoices(**{"entity": "loan-1", **chosen}))  # type: ignore[arg-type] # each is checked by the choices


def value(told: EntityHistory, field: str, index: int) -> str | None:
    return [band.text for band in told.bands[field] if band.start <= index][-1]


def test_the_bands_hold_the_state_after_every_event(loans: Session) -> None:
    told = history(loans)
    asked = loans.history("loan", "loan-1")
    assert [moment.fact.position for moment in told.moments] == asked["position"].to_list()
    for index, state in enumerate(asked["state"]):
        texts = {name: value(told, name, index) for name in told.bands}
        assert join_state({name: text for name, text in texts.items() if text is not None}) == state


def test_each_value_names_the_event_that_set_it(loans: Session) -> None:
    told = history(loans)
    blamed = dict(loans.blame("loan", "loan-1").select("field", "position").iter_rows())
    for field, position in blamed.items():
        setter = told.bands[field][-1].setter
        assert (None if setter < 0 else told.facts[setter].position) == position


def test_an_event_that_cannot_be_read_is_told_of_and_history_goes_on(loans: Session) -> None:
    told = history(loans)
    failed = next(moment for moment in told.moments if moment.errors)
    assert (failed.fact.position, dict(failed.errors)) == (4, {"amount": "'12x' is no decimal"})
    assert value(told, "amount", 5) == '"1200.00"'


def test_a_move_outside_the_machine_is_marked(loans: Session) -> None:
    told = history(loans)
    assert [(moment.fact.position, list(moment.illegal)) for moment in told.moments if moment.illegal] == [
        (8, [("status", "offered", "offered")])
    ]


def test_a_late_fact_stands_where_it_was_recorded_so_time_is_no_place(loans: Session) -> None:
    told = history(loans)
    assert not told.in_time
    assert told.facts[-1].occurred_at < told.facts[-2].occurred_at


def test_a_cut_counts_only_what_had_happened(loans: Session) -> None:
    moment = MONDAY + timedelta(hours=30)
    cut = load_history(loans, AsOfChoices(entity="loan-1", as_of=moment), is_cut=True)
    state = loans.state("loan", as_of=moment, stream_id="loan-1").row(0, named=True)
    assert (value(cut, "calls", 99), value(cut, "status", 99)) == (str(state["calls"]), f'"{state["status"]}"')


def test_what_the_log_did_not_know_then_is_left_out(loans: Session) -> None:
    then = history(loans, known_at=MONDAY + timedelta(hours=50))
    assert value(then, "calls", 99) == "1"
    assert value(history(loans), "calls", 99) == "2"


def test_the_basis_of_a_link_keeps_later_events_out(loans: Session) -> None:
    assert [fact.position for fact in history(loans, basis=4).facts] == [0, 2, 3, 4]


def test_a_cancelled_event_sets_nothing(loans: Session) -> None:
    told = history(loans, entity="loan-3")
    assert told.moments[-1].effect == "cancels position 9"
    assert (told.bands["status"][-1].text, told.bands["status"][-1].setter) == ("null", -1)


def test_an_unknown_entity_has_the_ids_beside_it(loans: Session) -> None:
    told = history(loans, entity="loan-2b")
    assert (list(told.moments), list(told.nearest)) == ([], ["loan-1", "loan-2", "loan-3", "loan-4"])


def test_entities_are_found_by_the_beginning_of_their_id_and_by_their_size(loans: Session) -> None:
    projection = choose_projection(loans, None)
    cut = find_cut(loans, AsOfChoices())
    assert find_entities(loans, projection, cut, "")["entity"].to_list()[0] == "loan-1"
    assert find_entities(loans, projection, cut, "loan-3")["entity"].to_list() == ["loan-3"]
    assert find_entities(loans, projection, cut, "%").height == 0
    assert count_entities(loans, projection, cut) == 4


def test_declared_projections_come_before_the_document(loans: Session) -> None:
    assert list(list_projections(loans)) == ["loan@2", "document@1"]
    assert choose_projection(loans, "document").is_open
    with pytest.raises(ArgumentError, match="projection=nothing"):
        choose_projection(loans, "nothing")


def test_the_document_works_on_any_log(loans: Session) -> None:
    told = history(loans, projection="document")
    assert value(told, "amount", 99) == '"1200.00"'
    assert value(told, HOSTILE, 99) == json.dumps(HOSTILE)


def test_lanes_are_prefixes_of_types_else_the_kinds_of_actors(loans: Session) -> None:
    assert choose_lanes(history(loans).facts)[0] == ["ai", "human"]


def test_rows_and_the_question_ask_for_the_same_again(loans: Session) -> None:
    choices = AsOfChoices(entity="loan-1", basis=8)
    assert export_moment(loans, choices)["position"].to_list() == [0, 2, 3, 4, 5, 7, 8]
    question = write_question(loans, choices)
    assert question.call == "session.history('loan@2', 'loan-1', position=8)"
    asked = loans.sql(question.sql, {"up_to": 8, "entity": "loan-1"})
    assert asked["position"].to_list() == [0, 2, 3, 4, 5, 7, 8]


def test_choices_come_back_from_their_link_the_same() -> None:
    choices = AsOfChoices(
        mode="what_if", entity="loan-1", as_of=MONDAY, without=(3, 4), change="without", speed=4, zone="local"
    )
    assert AsOfChoices.from_query(choices.to_query()) == choices
    assert AsOfChoices().to_query() == {}


@pytest.mark.parametrize(
    ("name", "word"), [("as_of", "yesterday"), ("position", "-1"), ("mode", "all"), ("speed", "3"), ("without", "x")]
)
def test_a_link_that_cannot_be_read_names_what_is_at_fault(name: str, word: str) -> None:
    with pytest.raises(ArgumentError, match=f"{name}={word}"):
        AsOfChoices.from_query({name: [word]})


def test_a_history_is_a_view_with_its_rows_its_picture_and_its_basis(loans: Session) -> None:
    view = show_history(loans, AsOfChoices(entity="loan-1", basis=8))
    assert view.frame["position"].to_list() == [0, 2, 3, 4, 5, 7, 8]
    assert (view.basis.position, view.basis.order) == (8, "position")
    assert view.caption == "loan@2 of loan-1: values after each of 7 events, in the order by position"
    assert view.chart.to_dict()["layer"]
    assert loans.sql(view.sql, {"up_to": 8, "entity": "loan-1"}).height == 7


def test_the_picture_of_a_history_has_a_band_for_each_value_that_was_set(loans: Session) -> None:
    bands = frame_bands(history(loans))
    status = bands.filter(bands["field"] == "status").select("start", "end", "words", "holds").rows()
    assert status == [(0, 5, "requested", False), (5, 7, "offered", False), (7, 10, "accepted", True)]
    assert "letters" not in bands["field"].to_list()
