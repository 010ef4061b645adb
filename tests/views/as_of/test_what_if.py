"""What would be otherwise, and what would undo it. Nothing is written."""

import json
from collections.abc import Iterator

import pytest

from tests.loans import make_loans
from workbench.errors import ArgumentError
from workbench.session import Session, connect
from workbench.views.as_of.choices import AsOfChoices
from workbench.views.as_of.export import export_moment
from workbench.views.as_of.what_if import Preview, preview_change, write_proposals


@pytest.fixture(scope="module")
def loans(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    with connect(make_loans(tmp_path_factory.mktemp("loans"))) as session:
        yield session


def preview(session: Session, **chosen: object) -> Preview:
    return preview_change(session, AsOfChoices(**{"mode": "what_if", "entity": "loan-1", **chosen}))  # type: ignore[arg-type] # each is checked by the choices


def differing(found: Preview) -> dict[str, tuple[str | None, str | None, str | None]]:
    return {each.field: (each.true, each.imagined, each.compensated) for each in found.contrasts if each.differs}


def test_a_rollback_leaves_out_everything_from_its_point_on(loans: Session) -> None:
    found = preview(loans, point=8)
    assert differing(found)["status"] == ('"accepted"', '"offered"', '"offered"')
    assert [each.fact.position for each in found.affected] == [8, 11, 13, 14]
    assert [proposal.fact.position for proposal in found.proposals] == [14, 11]
    assert found.expected_version == 9


def test_compensating_events_come_as_json_lines_the_newest_undone_first(loans: Session) -> None:
    lines = [json.loads(line) for line in write_proposals(preview(loans, point=8).proposals).splitlines()]
    assert [line["data"] for line in lines] == [{"cancels": "e14"}, {"cancels": "e11"}]
    assert {line["event_type"] for line in lines} == {"Withdrawn"}
    assert [line["causation_id"] for line in lines] == ["e14", "e11"]


def test_an_event_set_aside_names_what_came_of_it_here_and_elsewhere(loans: Session) -> None:
    found = preview(loans, change="without", without=(7,))
    assert [(each.fact.position, each.cause) for each in found.affected] == [(7, None), (8, "e7"), (11, "e8")]
    assert found.elsewhere == 1
    assert found.has_causes


def test_added_events_stand_behind_the_last_one(loans: Session) -> None:
    found = preview(
        loans, change="added", added='{"event_type": "LetterSent"}\n\n{"event_type": "LetterSent", "data": {}}'
    )
    assert differing(found) == {"letters": ("0", "2", "0")}
    assert (found.proposals, found.affected) == ([], [])


@pytest.mark.parametrize(
    ("line", "words"), [("{", "is no JSON"), ("[]", "names no type"), ('{"data": 1}', "names no type")]
)
def test_added_lines_that_are_no_events_are_refused(loans: Session, line: str, words: str) -> None:
    with pytest.raises(ArgumentError, match=f"Line 1 of the added events {words}"):
        preview(loans, change="added", added=line)


def test_another_projection_folds_the_same_events(loans: Session) -> None:
    found = preview(loans, change="other", other="document")
    assert (
        differing(found)["amount"] == ('"1200.00"', '"1200.00"', '"1200.00"') if "amount" in differing(found) else True
    )
    assert found.imagined.projection.is_open


def test_what_is_not_there_is_refused(loans: Session) -> None:
    with pytest.raises(ArgumentError, match="without=1"):
        preview(loans, change="without", without=(1,))
    with pytest.raises(ArgumentError, match="has no event"):
        preview(loans, entity="nobody")


def test_nothing_is_written(loans: Session) -> None:
    before = loans.head()
    preview(loans, point=0)
    preview(loans, change="added", added='{"event_type": "LetterSent"}')
    assert loans.head() == before
    assert export_moment(loans, AsOfChoices(mode="what_if", entity="loan-1", point=8)).columns == [
        "field",
        "true",
        "imagined",
        "compensated",
    ]
