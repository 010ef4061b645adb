"""The pairing of real logs and of the demo log: the figures that a right reader finds."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from shutil import copyfile

import polars as pl
import pytest

from tests.published import RealLogs
from workbench.session import Session, connect

pytestmark = pytest.mark.data


@pytest.fixture(scope="module")
def writers(real_logs: RealLogs) -> Iterator[Session]:
    with connect(real_logs.take("writers").folder) as session:
        yield session


@pytest.fixture(scope="module")
def proposals(writers: Session) -> pl.DataFrame:
    return writers.sql("select * from proposals order by position")


def test_every_list_shown_to_a_writer_is_a_proposal(proposals: pl.DataFrame) -> None:
    assert Counter(proposals["decision"]) == {"accepted": 4645, "rejected": 1659, "expired": 44}
    assert Counter(proposals["version"]) == {"0.9": 3244, "0.2": 3104}
    assert proposals["position"].is_sorted()


def test_the_text_applied_tells_which_one_was_taken(proposals: pl.DataFrame) -> None:
    taken = proposals.filter(decision="accepted")
    assert taken["taken"].null_count() == taken["applied_position"].null_count() == taken["value"].null_count() == 0
    assert taken.filter(pl.col("hovered").ne_missing(pl.col("taken"))).height == 4649 - 4596 == 53


def test_second_decisions_and_unanswered_requests_are_listed(writers: Session, proposals: pl.DataFrame) -> None:
    counts = writers.sql("select decision, ordinal, count(*) as n from decisions group by 1, 2 order by 1, 2")
    assert counts.rows() == [("accepted", 1, 4645), ("accepted", 2, 4), ("rejected", 1, 1659)]
    asked = writers.sql("select count(*) as asked, count(proposal_position) as shown from requests")
    assert asked.row(0) == (7050, 6348)
    assert proposals["requested_position"].null_count() == 0


def test_acceptance_is_as_published(writers: Session, proposals: pl.DataFrame) -> None:
    """Of selections, second ones included, in all and as the mean of each session's percentage."""
    selected = writers.sql(
        "select stream_id, count(*) as n from decisions where decision = 'accepted' group by stream_id"
    )
    shown = proposals.group_by("stream_id").len("shown").join(selected, on="stream_id", how="left")
    percentages = shown["n"].fill_null(0) / shown["shown"] * 100
    assert round(4649 / proposals.height, 4) == 0.7324
    # 31 of the 615 sessions asked for nothing, and count as none.
    assert round(percentages.sum() / 615, 2) == 67.64


def test_a_decision_is_of_the_writer_of_its_session(proposals: pl.DataFrame) -> None:
    assert proposals["person"].null_count() == 0
    assert proposals["person"].n_unique() == 47
    assert proposals.group_by("stream_id").agg(pl.col("person").n_unique())["person"].max() == 1


def test_the_proposal_of_the_picture_stands_at_its_position(proposals: pl.DataFrame) -> None:
    one = proposals.row(by_predicate=pl.col("position") == 782_057, named=True)
    assert (one["decision_position"], one["applied_position"], one["requested_position"]) == (782_065, 782_067, 782_056)
    assert (one["person"], one["taken"], one["alternative_count"], one["latency"]) == ("W031", 1, 3, 4.812)
    assert one["fields"] == '{"topic":"school"}'


def test_no_latency_is_below_zero(proposals: pl.DataFrame) -> None:
    decided = proposals.drop_nulls("decided_at")
    assert decided["latency"].null_count() == 0
    assert decided["latency"].min() >= 0  # type: ignore[operator] # a column of floats


def test_every_second_look_at_a_completion_is_no_new_one(real_logs: RealLogs) -> None:
    """One session of CUPS starts within a completion: what was accepted there was never shown to the log."""
    with connect(real_logs.take("completions").folder) as session:
        counts = session.sql("select decision, count(*) as n from decisions group by decision order by 1")
        assert counts.rows() == [("accepted", 386), ("rejected", 710)]
        assert round(386 / (386 + 710), 4) == 0.3522
        shown = session.sql("select decision, count(*) as n from proposals group by decision order by 1")
        assert shown.rows() == [("accepted", 385), ("expired", 55), ("rejected", 710)]
        assert session.sql("select position from decisions where proposal_position is null").height == 1


def test_a_pair_of_a_row_is_a_proposal_and_its_decision(real_logs: RealLogs) -> None:
    with connect(real_logs.take("translations").folder) as session:
        pairs = session.sql("select * from proposals order by position")
        assert pairs["position"].to_list() == list(range(0, 72_000, 2))
        assert (pairs["decision_position"] - pairs["position"]).unique().to_list() == [1]
        unchanged = pairs.filter(decision="accepted").with_columns(lp=pl.col("fields").str.json_path_match("$.lp"))
        assert Counter(unchanged["lp"]) == {"en-de": 2937, "en-zh": 353, "et-en": 1166, "ro-en": 1289}
        assert pairs.filter(decision="edited", value=pl.col("content")).is_empty()


def test_the_desk_is_counted_as_its_events_are(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "deltas").mkdir()
    copyfile(repository / "datasets" / "deltas" / "loan-desk.toml", tmp_path / "deltas" / "loan-desk.toml")
    with connect(tmp_path) as session:
        session.ingest(repository / "datasets" / "samples" / "loan-desk.ndjson")
        events = session.events()
        found = session.sql(
            "select kind, model, version, count(*) as shown, count_if(decision = 'accepted') as accepted, "
            "count_if(decision = 'edited') as edited, count_if(decision = 'rejected') as rejected "
            "from proposals group by kind, model, version order by 1, 2, 3"
        )
        assert found.rows() == count_desk(events)
        assert session.sql("select count(*) as n from decisions where proposal_position is null").item() == 0


def count_desk(events: pl.DataFrame) -> list[tuple[object, ...]]:
    """Return what is proposed and decided by kind, model and prompt, counted by looking each decision's name up."""
    read = events.with_columns(
        *(pl.col("data").str.json_path_match(f"$.{name}").alias(name) for name in ("model", "prompt", "proposal")),
        kind=pl.col("event_type").str.extract(r"^(Decision|Price|Letter)(?:Proposed|Accepted|Edited|Rejected)$"),
        what=pl.col("event_type").str.extract("(Proposed|Accepted|Edited|Rejected)$"),
    ).drop_nulls("kind")
    shown = read.filter(what="Proposed").select("event_id", "kind", "model", "prompt")
    decided = read.filter(pl.col("what") != "Proposed").select("proposal", "what")
    joined = shown.join(decided, left_on="event_id", right_on="proposal", how="left")
    counts = joined.group_by("kind", "model", "prompt").agg(
        pl.len(), *((pl.col("what") == word).sum().alias(word) for word in ("Accepted", "Edited", "Rejected"))
    )
    return [(str(row[0]).lower(), *row[1:]) for row in counts.sort("kind", "model", "prompt").rows()]
