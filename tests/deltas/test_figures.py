"""Figures over many deltas: each equals what the rows of `deltas` and `takings` give when counted in Python."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import polars as pl
import pytest

import workbench
from workbench.deltas.figures.aggregates import (
    count_distances,
    count_values,
    find_medians,
    histogram_distances,
    split_decisions,
    split_over_time,
)
from workbench.deltas.figures.changes import change_by_place, count_lives, rank_edits
from workbench.deltas.figures.comparison import compare_release, compare_versions
from workbench.deltas.figures.filters import DeltaFilter, choose
from workbench.deltas.figures.people import (
    Watch,
    calibrate_confidence,
    count_orphans,
    list_orphans,
    measure_agreement,
    watch_stamps,
)
from workbench.errors import ArgumentError
from workbench.session import Session

EVERY = choose(DeltaFilter())
LETTERS = choose(DeltaFilter(kinds=["letter"]))


@pytest.fixture(scope="module")
def desk(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """The loan desk of a thousand events, with its mappings, and a clerk who decides a second time."""
    folder = tmp_path_factory.mktemp("desk")
    (folder / "deltas").mkdir()
    mapping = repository / "datasets" / "deltas" / "loan-desk.toml"
    (folder / "deltas" / mapping.name).write_bytes(mapping.read_bytes())
    with workbench.connect(folder) as session:
        session.ingest(repository / "datasets" / "samples" / "loan-desk.jsonl")
        yield session


@pytest.fixture(scope="module")
def deltas(desk: Session) -> pl.DataFrame:
    """Every row of `deltas`."""
    return desk.deltas()


def test_a_split_counts_every_proposal_once(desk: Session, deltas: pl.DataFrame) -> None:
    """By kind and model, each decision adds up to what was shown."""
    split = split_decisions(desk.ask, EVERY, ["kind", "model"])
    for row in split.iter_rows(named=True):
        mine = deltas.filter((pl.col("kind") == row["kind"]) & (pl.col("model") == row["model"]))
        found = Counter(mine["decision"].to_list())
        names = ("accepted", "edited", "rejected", "expired", "pending", "superseded")
        assert [row[name] for name in names] == [found[name] for name in names]
        assert row["shown"] == mine.height == sum(row[name] for name in names)
        assert row["taken"] == row["accepted"] + row["edited"]
        assert row["people"] == mine["person"].drop_nulls().n_unique()
    assert split["shown"].sum() == deltas.height
    assert split_decisions(desk.ask, EVERY).item(0, "shown") == deltas.height


def test_a_split_goes_by_a_field_of_the_mapping_too(desk: Session, deltas: pl.DataFrame) -> None:
    """A further field is a group like a column."""
    purposes = [msgspec.json.decode(fields)["purpose"] for fields in deltas["fields"].to_list()]
    counted = dict(count_values(desk.ask, EVERY, "purpose").iter_rows())
    assert counted == Counter(purposes)
    assert split_decisions(desk.ask, EVERY, ["purpose"])["shown"].sum() == deltas.height


def test_decisions_over_time_add_up_to_the_split(desk: Session, deltas: pl.DataFrame) -> None:
    """By week and version."""
    over = split_over_time(desk.ask, LETTERS, "week")
    letters = deltas.filter(pl.col("kind") == "letter")
    assert over["shown"].sum() == letters.height
    assert over["edited"].sum() == letters.filter(pl.col("decision") == "edited").height
    assert over["start"].dt.weekday().unique().to_list() == [1]


def test_a_grain_that_is_none_is_refused(desk: Session) -> None:
    """The error lists those there are."""
    with pytest.raises(ArgumentError, match="grain='fortnight' is not possible"):
        split_over_time(desk.ask, EVERY, "fortnight")


def test_distances_fall_into_bins_closed_on_the_right(desk: Session, deltas: pl.DataFrame) -> None:
    """Changed and unchanged together are what was measured."""
    taken = deltas.filter(pl.col("decision").is_in(["accepted", "edited"]))["distance"].drop_nulls()
    bins = histogram_distances(desk.ask, EVERY)
    for low, high, takings in bins.iter_rows():
        assert takings == ((taken - low > 1e-12) & (taken - high <= 1e-12)).sum()
    counts = count_distances(desk.ask, EVERY).row(0, named=True)
    assert (counts["unchanged"], counts["changed"]) == ((taken == 0).sum(), (taken > 0).sum())
    assert counts["measured"] == len(taken)
    assert counts["mean_distance"] == pytest.approx(taken.mean())


def test_medians_are_those_of_the_rows(desk: Session, deltas: pl.DataFrame) -> None:
    """Of an even number it is the mean of the middle two."""
    groups = {"taken": ["accepted", "edited"], "rejected": ["rejected"]}
    medians = {decided: (median, count) for decided, median, count in find_medians(desk.ask, EVERY).iter_rows()}
    for name, decisions in groups.items():
        latency = deltas.filter(pl.col("decision").is_in(decisions))["latency"].drop_nulls()
        assert medians[name] == (pytest.approx(latency.median()), len(latency))
    with pytest.raises(ArgumentError, match="There is no median of 'person'"):
        find_medians(desk.ask, EVERY, "person")


def test_the_same_edit_in_many_takings_comes_first(desk: Session, deltas: pl.DataFrame) -> None:
    """A substitution counts once a taking."""
    texts = deltas.filter(pl.col("edits").is_not_null())["edits"].to_list()
    counted = Counter(edit for text in texts for edit in {tuple(edit) for edit in msgspec.json.decode(text)})
    ranked = rank_edits(desk.ask, EVERY, limit=5)
    assert [takings for *_, takings in ranked.iter_rows()] == [takings for _, takings in counted.most_common(5)]
    for removed, inserted, takings in ranked.iter_rows():
        assert counted[(removed, inserted)] == takings
        held = choose(DeltaFilter(edited=(removed, inserted)))
        assert desk.ask(held.select("count(*) as n"), held.parameters).item() == takings


def test_changes_by_place_count_the_words_proposed(desk: Session, deltas: pl.DataFrame) -> None:
    """All tenths together are all words proposed."""
    places = change_by_place(desk.ask, LETTERS)
    measured = deltas.filter(pl.col("places").is_not_null())
    assert places["place"].to_list() == list(range(10))
    assert places["words"].sum() == measured["words_proposed"].sum()
    assert places["changed"].sum() == (measured["words_proposed"] - measured["words_kept"]).sum()


def test_nothing_lives_where_no_document_is_followed(desk: Session) -> None:
    """The desk's letters are not followed."""
    assert not count_lives(desk.ask, EVERY).height


def test_versions_are_compared_over_people(desk: Session, deltas: pl.DataFrame) -> None:
    """Shares are of what was shown, and the interval holds the difference."""
    compared = compare_versions(desk.ask, EVERY, "desk-1", "desk-2")
    for row in compared.filter(pl.col("measure") != "retained").iter_rows(named=True):
        for side, version in (("one", "desk-1"), ("other", "desk-2")):
            mine = deltas.filter(pl.col("version") == version)
            assert row[f"{side}_of"] == mine.height
            assert row[side] == (mine["decision"] == row["measure"]).sum()
        assert row["difference"] == pytest.approx(row["other"] / row["other_of"] - row["one"] / row["one_of"])
        assert row["low"] <= row["difference"] <= row["high"]
    assert compared.equals(compare_versions(desk.ask, EVERY, "desk-1", "desk-2"))
    with pytest.raises(ArgumentError, match="No proposal chosen is of version 'desk-9'"):
        compare_versions(desk.ask, EVERY, "desk-1", "desk-9")


def test_before_and_after_a_moment_is_every_proposal(desk: Session, deltas: pl.DataFrame) -> None:
    """Nothing is on both sides, nothing on none."""
    moment = datetime(2025, 6, 1, tzinfo=UTC)
    row = compare_release(desk.ask, EVERY, moment).row(0, named=True)
    assert row["one_of"] == (deltas["shown_at"] < moment).sum()
    assert row["one_of"] + row["other_of"] == deltas.height


def test_who_takes_everything_for_long_is_an_alarm(desk: Session, deltas: pl.DataFrame) -> None:
    """The share is of what was decided; a few decisions are no alarm."""
    loose = watch_stamps(desk.ask, EVERY, Watch(share=0.5, least=1))
    decided = deltas.filter(pl.col("decision").is_in(["accepted", "edited", "rejected", "expired"]))
    for row in loose.iter_rows(named=True):
        mine = decided.filter(pl.col("person") == row["person"])
        assert (row["shown"], row["unchanged"]) == (mine.height, (mine["decision"] == "accepted").sum())
        lasts = row["until"] - row["since"] >= Watch().during
        assert row["is_alarm"] == (row["share"] > 0.5 and lasts)
    assert not watch_stamps(desk.ask, EVERY, Watch(least=10_000))["is_alarm"].any()


def test_confidence_falls_into_bins(desk: Session, deltas: pl.DataFrame) -> None:
    """Each proposal with a confidence counts once."""
    bins = calibrate_confidence(desk.ask, EVERY)
    sure = deltas.filter(pl.col("confidence").is_not_null())
    assert bins["shown"].sum() == sure.height
    for row in bins.iter_rows(named=True):
        mine = sure.filter((pl.col("confidence") * 10).round(9).floor() == round(row["low"] * 10))
        assert row["shown"] == mine.height
        taken = mine.filter(pl.col("decision").is_in(["accepted", "edited"]))["distance"]
        assert row["mean_distance"] == (None if not len(taken) else pytest.approx(taken.mean()))


MAPPING = """
proposed = ["Proposed"]
accepted = ["Accepted"]
edited = ["Edited"]
rejected = ["Rejected"]
requested = ["Asked"]
names = "data.of"
content = "data.text"
alternatives = { list = "data.options", content = "text" }
hovered = "data.hovered"
"""


def make_event(number: int, event_type: str, actor: str, data: dict[str, object]) -> workbench.Event:
    """Return an event of one stream, a minute after the one before."""
    return workbench.Event(
        event_id=f"e{number}",
        stream_id="letter-1",
        event_type=event_type,
        occurred_at=datetime(2026, 1, 1, 9, number, tzinfo=UTC),
        actor=workbench.Actor(actor, "ai" if actor == "model" else "human"),
        data=data,
    )


@pytest.fixture(scope="module")
def panel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """Three people on one proposal, a decision on nothing, a request nobody answered, and another option hovered."""
    folder = tmp_path_factory.mktemp("panel")
    (folder / "deltas").mkdir()
    (folder / "deltas" / "letter.toml").write_text(MAPPING)
    options = [{"text": "Dear all"}, {"text": "Hello all"}]
    told: list[tuple[str, str, dict[str, object]]] = [
        ("Asked", "ann", {}),
        ("Proposed", "model", {"options": options}),
        ("Accepted", "ann", {"of": "e1", "text": "Hello all", "hovered": 0}),
        ("Edited", "bob", {"of": "e1", "text": "Hello friends"}),
        ("Edited", "cid", {"of": "e1", "text": "Hello friends"}),
        ("Rejected", "dan", {"of": "nothing"}),
        ("Asked", "ann", {}),
    ]
    with workbench.connect(folder) as session:
        session.append([make_event(number, *each) for number, each in enumerate(told)])
        yield session


def test_what_is_no_delta_of_its_own_is_counted_and_listed(panel: Session) -> None:
    """A request without an answer, second decisions, a decision without a proposal."""
    counts = dict(count_orphans(panel.ask).iter_rows())
    assert counts["request never shown"] == 1
    assert counts["second decision"] == 2
    assert counts["decision without a proposal"] == 1
    listed = list_orphans(panel.ask)
    assert listed.height == sum(counts.values())
    assert listed.filter(pl.col("what") == "second decision")["person"].to_list() == ["bob", "cid"]
    assert list_orphans(panel.ask, after=4)["position"].to_list() == [5, 6]


def test_agreement_is_counted_over_pairs_of_people(panel: Session) -> None:
    """Of three decisions two edit alike: one pair of three agrees."""
    row = measure_agreement(panel.ask).row(0, named=True)
    assert (row["position"], row["pairs"], row["same_decision"], row["same_value"]) == (1, 3, 1, 1)
    assert row["agreement"] == pytest.approx(1 / 3)
    assert not measure_agreement(panel.ask, "price").height


def test_every_taking_is_measured_and_a_proposal_has_one_row(panel: Session) -> None:
    """Second decisions are takings; the proposal's row shows the one that counts."""
    (row,) = panel.deltas().iter_rows(named=True)
    assert (row["decision"], row["person"], row["decision_count"]) == ("accepted", "ann", 3)
    takings = panel.sql("select person, decision, words_kept, words_inserted from takings order by decision_position")
    assert takings.select("person", "decision").rows() == [("ann", "accepted"), ("bob", "edited"), ("cid", "edited")]
    assert takings["words_kept"].null_count() == 0


def test_one_delta_brings_all_that_lies_behind_it(panel: Session) -> None:
    """Its decisions in their order, its request, and what the person saw."""
    delta = panel.delta(1)
    assert [each["person"] for each in delta.decisions] == ["ann", "bob", "cid"]
    assert delta.request is not None
    assert delta.request["position"] == 0
    assert delta.saw is not None
    assert delta.saw.position == 1
    with pytest.raises(ArgumentError, match="No proposal stands at position 3"):
        panel.delta(3)
