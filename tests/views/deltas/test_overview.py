"""The overview of deltas over a log with letters, prices and lines of a document: each figure from its own question."""

from collections.abc import Iterator

import pytest

from tests.views.deltas_log import EDITED, LINE, TEXT, make_log
from workbench.errors import ArgumentError
from workbench.session import Session
from workbench.views.deltas.chain import list_chain
from workbench.views.deltas.changes import show_changes, show_distances, show_survival
from workbench.views.deltas.choices import DeltasChoices
from workbench.views.deltas.listing import export_deltas, find_neighbours, load_page
from workbench.views.deltas.one import (
    choose_moment,
    cut_seen,
    draw_redline,
    draw_retained,
    list_alternatives,
    list_measures,
    list_moments,
    load_one,
)
from workbench.views.deltas.over_time import show_compare, show_split
from workbench.views.deltas.overview import count_figures, list_beside, list_menus, look_beside, suggest_drops
from workbench.views.deltas.stood import find_hint, find_stood, load_seen

LETTERS = DeltasChoices(kind=("letter",))
OPEN_LINE = 123


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """The log of letters, prices and lines."""
    with make_log(tmp_path_factory.mktemp("desk") / "log") as session:
        yield session


def test_the_figures_name_their_denominator(desk: Session) -> None:
    figures = count_figures(desk, LETTERS)
    assert (figures.shown, figures.every, figures.people) == (60, 64, 3)
    assert [(share.name, share.count) for share in figures.shares] == [
        ("accepted", 21),
        ("edited", 27),
        ("rejected", 6),
        ("pending", 6),
    ]
    assert all(share.low < share.count / 60 < share.high for share in figures.shares)
    assert figures.medians == {"taken": (60.0, 48), "rejected": (60.0, 6)}
    assert figures.characters is None
    assert "from (select * from deltas where kind = :kind_0)" in figures.asked.sql


def test_what_is_retained_counts_only_where_a_document_is_followed(desk: Session) -> None:
    figures = count_figures(desk, DeltasChoices())
    assert (figures.kept, figures.characters) == (len(LINE) - 4, len(LINE))


def test_edited_may_mean_what_the_log_says(desk: Session) -> None:
    lines = DeltasChoices(kind=("line",))
    assert count_figures(desk, lines).shares[1].count == 1
    assert count_figures(desk, DeltasChoices(kind=("line",), within=0.0)).shares[0].count == 1
    assert count_figures(desk, DeltasChoices(kind=("line",), within=5.0)).shares[0].count == 1


def test_each_menu_is_counted_under_the_other_filters(desk: Session) -> None:
    menus = {menu.name: menu for menu in list_menus(desk, DeltasChoices(kind=("letter",), version=("p1",)))}
    assert dict(menus["version"].values.iter_rows()) == {"p1": 30, "p2": 30}
    assert dict(menus["decision"].values.iter_rows()) == {"accepted": 18, "edited": 6, "rejected": 3, "pending": 3}
    assert menus["field:topic"].field == "topic"
    assert dict(menus["field:topic"].values.iter_rows()) == {"yes": 15, None: 15}
    assert menus["reason"].total == 1
    assert "model" not in menus


def test_the_filters_of_a_mapping_field_and_of_a_reason_hold(desk: Session) -> None:
    assert count_figures(desk, DeltasChoices(field=(("topic", "yes"),))).shown == 30
    assert count_figures(desk, DeltasChoices(reason=("<b>rude</b>",))).shown == 6
    assert count_figures(desk, DeltasChoices(text="small loan")).shown >= 27
    assert count_figures(desk, DeltasChoices(removed="", inserted="small")).shown == 27
    assert count_figures(desk, DeltasChoices(by=30.0)).shown == 1
    assert count_figures(desk, DeltasChoices(low=0.5)).shown == 1


def test_a_link_from_an_earlier_position_counts_what_stood_then(desk: Session) -> None:
    assert count_figures(desk, DeltasChoices(position=2)).shown == 2


def test_no_match_says_what_dropping_each_filter_would_give(desk: Session) -> None:
    choices = DeltasChoices(kind=("price",), version=("p2",))
    assert count_figures(desk, choices).shown == 0
    assert suggest_drops(desk, choices) == [("kind", 30), ("version", 2)]


def test_the_split_has_a_row_a_version_and_a_column_an_hour(desk: Session) -> None:
    picture = show_split(desk, LETTERS, width=900)
    told = picture.told
    assert [row["words"] for row in told["rows"]] == ["p1", "p2"]
    assert sum(column["shown"] for row in told["rows"] for column in row["columns"]) == 60
    assert len(told["times"]) == len(told["places"]) + 1
    assert picture.view is not None
    assert picture.view.chart.to_dict()["width"] == 900
    assert show_split(desk, DeltasChoices(text="nothing like it"), width=900).view is None


def test_the_later_version_is_compared_with_the_one_before_over_people(desk: Session) -> None:
    picture = show_compare(desk, LETTERS, width=200)
    accepted = next(each for each in picture.told["measures"] if each["measure"] == "accepted")
    assert picture.told["words"] == ["p2", "p1"]
    assert (accepted["one"], accepted["one_of"], accepted["other"], accepted["other_of"]) == (3, 30, 18, 30)
    assert accepted["difference"] == pytest.approx(-0.5)
    assert accepted["low"] <= accepted["difference"] <= accepted["high"]
    swapped = show_compare(desk, DeltasChoices(kind=("letter",), one="p1", other="p2"), width=200)
    assert swapped.told["measures"][0]["difference"] == pytest.approx(0.5)


def test_one_version_is_compared_before_and_after_a_moment(desk: Session) -> None:
    picture = show_compare(desk, DeltasChoices(kind=("letter",), version=("p1",)), width=200)
    assert (picture.told["mode"], picture.told["words"]) == ("moment", ["after", "before"])
    assert picture.told["moment"] is not None
    assert show_compare(desk, DeltasChoices(text="nothing like it"), width=200).told["measures"] == []


def test_the_unchanged_are_a_count_beside_the_histogram(desk: Session) -> None:
    told = show_distances(desk, LETTERS, width=400).told
    assert (told["changed"], told["unchanged"], sum(told["counts"])) == (27, told["taken"] - 27, 27)
    assert show_distances(desk, DeltasChoices(decision=("pending",)), width=400).view is None


def test_only_a_followed_document_has_a_curve(desk: Session) -> None:
    picture = show_survival(desk, DeltasChoices(kind=("line",)), width=400)
    assert [(curve["words"], curve["last"]) for curve in picture.told["curves"]] == [("0.2", 0.0)]
    assert picture.view is not None
    assert picture.view.chart.to_dict()["width"] == 400
    assert show_survival(desk, LETTERS, width=400).view is None


def test_repeated_edits_are_ranked_and_places_counted(desk: Session) -> None:
    told = show_changes(desk, LETTERS, width=400).told
    assert {(each["removed"], each["inserted"]) for each in told["edits"]} == {("", "small"), ("", "today")}
    assert len(told["shares"]) == 10
    assert show_changes(desk, DeltasChoices(kind=("price",)), width=400).told["shares"] == []


def test_the_list_comes_a_page_at_a_time_in_any_order(desk: Session) -> None:
    page = load_page(desk, LETTERS)
    assert (len(page.rows), page.before, page.total) == (12, 0, 60)
    assert page.rows[0].redline is not None
    assert [part.text for part in page.rows[0].redline if part.kind == "insert"] == ["small ", " today"]
    last = load_page(desk, DeltasChoices(kind=("letter",), first=48, order="distance", down=True))
    assert (last.before, len(last.rows)) == (48, 12)
    assert last.rows[-1].row["distance"] is None
    assert load_page(desk, DeltasChoices(kind=("letter",), first=10_000)).before == 48


def test_a_structured_row_shows_its_paths_and_an_untaken_one_its_first_text(desk: Session) -> None:
    rows = load_page(desk, DeltasChoices(kind=("price", "line"))).rows
    assert [None if each.paths is None else [path.path for path in each.paths] for each in rows] == [
        ["/rate"],
        [],
        None,
        None,
    ]
    assert rows[3].text == "something else"


def test_what_is_in_no_delta_is_counted_and_listed(desk: Session) -> None:
    beside = look_beside(desk, DeltasChoices())
    assert dict(beside.orphans) == {"request never shown": 1, "second decision": 1, "decision without a proposal": 1}
    listed, total = list_beside(desk, DeltasChoices())
    assert (listed.height, total) == (3, 3)
    assert set(beside.people["person"]) == {"clerk-0", "clerk-1", "clerk-2"}


def test_the_open_delta_knows_its_neighbours_in_the_list(desk: Session) -> None:
    first = find_neighbours(desk, DeltasChoices(kind=("letter",), delta=0))
    assert (first["number"], first["total"], first["before"]) == (1, 60, None)
    outside = find_neighbours(desk, DeltasChoices(kind=("price",), delta=0))
    assert outside == {"number": None, "total": None, "before": None, "after": None}


def test_a_letter_is_held_to_what_was_taken(desk: Session) -> None:
    one = load_one(desk, DeltasChoices(delta=0))
    moment = choose_moment(list_moments(one), "30")
    redline = draw_redline(one, moment)
    assert moment is not None
    assert moment.value == EDITED
    columns = list_measures(one, moment, redline)
    assert [name for name, _, _ in columns[0]] == ["words kept", "words moved", "words deleted", "words inserted"]
    assert columns[0][3][1] == "2"
    assert columns[2][0][:2] == ("decision latency", "60.0 s")
    assert draw_retained(one, DeltasChoices(), width=500) is None
    assert list_alternatives(desk, one) == []
    assert len(one.delta.decisions) == 2


def test_a_letter_nobody_decided_stands_alone(desk: Session) -> None:
    pending = load_page(desk, DeltasChoices(kind=("letter",), decision=("pending",))).rows[0].row["position"]
    one = load_one(desk, DeltasChoices(delta=pending))
    assert choose_moment(list_moments(one), "today") is None
    assert [part.text for part in draw_redline(one, None).operations] == [TEXT]
    assert list_measures(one, None, draw_redline(one, None)) == []
    assert next(link.what for link in list_chain(one, [])) == "decision"


def test_a_line_has_its_alternatives_and_the_document_they_saw(desk: Session) -> None:
    one = load_one(desk, DeltasChoices(delta=OPEN_LINE))
    alternatives = list_alternatives(desk, one)
    assert [(each.confidence, each.is_taken, each.is_hovered) for each in alternatives] == [
        (0.25, False, False),
        (3.4e-4, True, True),
    ]
    titles = [link.title for link in list_chain(one, alternatives)]
    assert "Decision: accepted, alternative 2 of 2" in titles
    assert titles[-1] == "Proposal requested"
    assert cut_seen(one) is not None


def test_no_delta_at_a_position_is_refused(desk: Session) -> None:
    with pytest.raises(ArgumentError, match="No proposal stands at position 1"):
        load_one(desk, DeltasChoices(delta=1))
    with pytest.raises(ArgumentError, match="No delta is chosen"):
        load_one(desk, DeltasChoices())


def test_a_price_stood_in_the_note_before_it(desk: Session) -> None:
    price = load_page(desk, DeltasChoices(kind=("price",))).rows[0].row["position"]
    one = load_one(desk, DeltasChoices(delta=price))
    assert one.is_structure
    seen = load_seen(one.asked, one.row)
    assert getattr(find_stood(seen, 4.25), "words", None) == "NoteWritten"
    assert find_hint(one.asked, one.row, [], seen) is None


def test_the_rows_go_along_with_all_columns(desk: Session) -> None:
    assert export_deltas(desk, LETTERS).height == 60
