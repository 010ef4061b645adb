"""A link from an earlier position holds: whatever the page says is as the log had it then."""

from collections.abc import Iterator

import pytest

from tests.views.deltas_log import PEOPLE, Writer, make_log, write_letters, write_prices
from workbench.deltas.past import Past
from workbench.errors import UnsupportedOnThisLogError
from workbench.query.base import Relation
from workbench.session import Session
from workbench.views.deltas.asking import Asking, holds_past
from workbench.views.deltas.chain import list_chain
from workbench.views.deltas.choices import DeltasChoices
from workbench.views.deltas.listing import export_deltas, load_page
from workbench.views.deltas.one import list_moments, load_one
from workbench.views.deltas.overview import count_figures, list_beside, list_menus, look_beside
from workbench.views.deltas.reason import add_reason

# The line that was taken into the document, and changed in the events right after it.
LINE_TAKEN = 123


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """The log of letters, prices and lines, grown since its last event: a decision, a letter, a reason."""
    with make_log(tmp_path_factory.mktemp("grown") / "log") as session:
        later = Writer()
        write_letters(later)
        write_prices(later)
        known = len(later.events)
        pending = session.sql(
            "select event_id, stream_id from proposals where decision = 'pending' and kind = 'letter'"
        )
        proposal, stream = pending.row(0)
        later.write("LetterAccepted", stream, PEOPLE[0], proposal=proposal)
        later.write("LetterProposed", "loan-88", PEOPLE[0], text="too late", prompt="p9")
        late = [
            type(event)(**{name: getattr(event, name) for name in event.__struct_fields__} | {"event_id": f"late-{n}"})
            for n, event in enumerate(later.events[known:])
        ]
        session.append(late)
        add_reason(session, 0, "it was wrong")
        yield session


@pytest.fixture(scope="module")
def then(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """The log as it was before."""
    with make_log(tmp_path_factory.mktemp("then") / "log") as session:
        yield session


def at(session: Session) -> int:
    return session.head().last


def test_the_figures_the_menus_and_the_list_are_those_of_then(grown: Session, then: Session) -> None:
    choices, head = DeltasChoices(position=at(then)), DeltasChoices()
    figures, was = count_figures(grown, choices), count_figures(then, head)
    assert [(each.name, each.count) for each in figures.shares] == [(each.name, each.count) for each in was.shares]
    assert (figures.shown, figures.every, figures.medians) == (was.shown, was.every, was.medians)
    menus = [(menu.name, menu.values.rows()) for menu in list_menus(grown, choices)]
    assert menus == [(menu.name, menu.values.rows()) for menu in list_menus(then, head)]
    assert load_page(grown, choices).rows == load_page(then, head).rows
    assert export_deltas(grown, choices).drop("recorded_at").equals(export_deltas(then, head).drop("recorded_at"))
    assert count_figures(grown, head).shown == was.shown + 1


def test_what_stands_beside_the_list_is_of_then(grown: Session, then: Session) -> None:
    choices = DeltasChoices(position=at(then))
    assert look_beside(grown, choices).people.equals(look_beside(then, DeltasChoices()).people)
    assert list_beside(grown, choices)[1] == list_beside(then, DeltasChoices())[1]


def test_a_reason_added_since_is_not_seen_from_before_it(grown: Session, then: Session) -> None:
    assert load_one(grown, DeltasChoices(delta=0, position=at(then))).added == []
    assert load_one(grown, DeltasChoices(delta=0)).added[0].text == "it was wrong"


def test_a_document_is_followed_to_the_position_and_no_further(grown: Session) -> None:
    now = load_one(grown, DeltasChoices(delta=LINE_TAKEN))
    taken = now.row["decision_position"] + 1
    one = load_one(grown, DeltasChoices(delta=LINE_TAKEN, position=taken))
    assert now.row["decision"] == "edited"
    assert (one.row["decision"], one.at, list(one.delta.steps)) == ("accepted", taken, [])
    assert [each.words for each in list_moments(one)][-1] == f"the value at position {taken}"
    assert "Value today" not in [link.title for link in list_chain(one, [])]


def test_what_an_earlier_position_takes_is_worked_out_once(grown: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    make = Past._make

    def note(past: Past, position: int, relations: dict[str, Relation]) -> dict[str, Relation]:
        made.append(position)
        return make(past, position, relations)

    monkeypatch.setattr(Past, "_make", note)
    for position in (50, 50, 40, 40):
        Asking(grown, position)("select count(*) as n from deltas", {})
    assert made == [50, 40]


def test_an_engine_that_reads_tables_answers_for_today(grown: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grown.engine, "reads_tables", True)
    assert not holds_past(grown)
    with pytest.raises(UnsupportedOnThisLogError, match="Deltas at position 3 are measured in process"):
        grown.asking_at(3)
