"""The published figures of real logs, through the whole of it: ingest, pairing, measures, figures, exports."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

import workbench
from tests.published import RealLogs
from workbench.deltas.export.rules import ExportPlan
from workbench.deltas.figures.aggregates import count_distances, find_medians, histogram_distances, split_decisions
from workbench.deltas.figures.changes import count_lives, rank_edits
from workbench.deltas.figures.comparison import compare_versions
from workbench.deltas.figures.filters import DeltaFilter, choose
from workbench.deltas.figures.people import count_orphans, watch_stamps
from workbench.deltas.figures.statistics import kaplan_meier, survive, wilson
from workbench.session import Session

pytestmark = pytest.mark.data

EVERY = choose(DeltaFilter())


@pytest.fixture(scope="module")
def writers(real_logs: RealLogs) -> Iterator[Session]:
    """People writing with GPT-3."""
    with workbench.connect(real_logs.take("writers").folder) as session:
        yield session


@pytest.fixture(scope="module")
def translations(real_logs: RealLogs) -> Iterator[Session]:
    """Machine translations and their post-edits."""
    with workbench.connect(real_logs.take("translations").folder) as session:
        yield session


def test_the_writers_decisions_are_those_of_the_screens(writers: Session) -> None:
    """Of 6,348 shown, and by version."""
    whole = split_decisions(writers.ask, EVERY).row(0, named=True)
    assert [whole[name] for name in ("shown", "accepted", "edited", "rejected", "expired")] == [
        6_348,
        2_868,
        1_777,
        1_659,
        44,
    ]
    assert (whole["people"], whole["characters_taken"], whole["retained_end"]) == (47, 360_494, 328_589)
    assert [round(100 * bound, 1) for bound in wilson(whole["accepted"], whole["shown"])] == [44.0, 46.4]
    versions = split_decisions(writers.ask, EVERY, ["version"])
    names = ("version", "accepted", "edited", "rejected", "expired", "shown")
    assert versions.select(names).rows() == [("0.2", 1_274, 886, 921, 23, 3_104), ("0.9", 1_594, 891, 738, 21, 3_244)]
    retained = versions.select((100 * pl.col("retained_end") / pl.col("characters_taken")).round(1)).to_series()
    assert retained.to_list() == [90.7, 91.4]


def test_the_writers_versions_differ_as_published(writers: Session) -> None:
    """0.9 - 0.2 in points, with the interval of 2,000 draws of people, seed 7."""
    compared = compare_versions(writers.ask, EVERY, "0.2", "0.9")
    points = [[round(100 * value, 1) for value in row] for row in compared.select("difference", "low", "high").rows()]
    assert points[:3] == [[8.1, 4.0, 13.2], [-1.1, -4.6, 1.5], [-6.9, -10.0, -3.5]]
    assert points[3][0] == 0.7
    assert points[3][1] < 0 < points[3][2]
    assert set(compared["people"]) == {47}


def test_the_writers_texts_live_as_long_as_published(writers: Session) -> None:
    """Kaplan-Meier at 0, 30, 120 and 600 seconds, and how many are at risk."""
    lives = count_lives(writers.ask, EVERY)
    curves = {version: kaplan_meier(lives.filter(pl.col("version") == version)) for version in ("0.9", "0.2")}
    shares = {
        version: [round(survive(curve, at)[1], 2) for at in (0, 30, 120, 600)] for version, curve in curves.items()
    }
    assert shares == {"0.9": [1, 0.66, 0.63, 0.57], "0.2": [1, 0.61, 0.58, 0.54]}
    at_risk = {version: [survive(curve, at)[0] for at in (0, 120, 300, 600)] for version, curve in curves.items()}
    assert at_risk == {"0.9": [2_486, 1_325, 874, 79], "0.2": [2_163, 1_050, 705, 71]}


def test_the_writers_edits_are_those_of_the_screens(writers: Session) -> None:
    """How far texts are from what was taken, which words go most, and how long people thought."""
    counts = count_distances(writers.ask, EVERY).row(0, named=True)
    assert (counts["taken"], counts["unchanged"], counts["changed"]) == (4_649, 2_882, 1_767)
    assert histogram_distances(writers.ask, EVERY)["takings"].to_list()[-1] == 247
    ranked = {(removed, inserted): takings for removed, inserted, takings in rank_edits(writers.ask, EVERY, 200).rows()}
    assert [ranked[edit] for edit in ((".", ""), (",", ""), ("also", ""))] == [432, 11, 9]
    medians = dict(find_medians(writers.ask, EVERY).select("decided", "median").rows())
    assert {name: round(seconds, 1) for name, seconds in medians.items()} == {"taken": 6.8, "rejected": 5.9}
    untouched = writers.sql("select count(*) as n from takings where first_change is null").item()
    assert untouched == 2_768


def test_nobody_stamps_and_everything_else_is_counted(writers: Session) -> None:
    """The highest share of anyone, and what is no delta of its own."""
    first = watch_stamps(writers.ask, EVERY).row(0, named=True)
    assert (first["person"], first["shown"], first["unchanged"], first["is_alarm"]) == ("W060", 369, 261, False)
    orphans = dict(count_orphans(writers.ask).rows())
    assert (orphans["request never shown"], orphans["second decision"]) == (702, 4)


def test_one_of_the_writers_deltas_reads_as_in_the_picture(writers: Session) -> None:
    """The proposal at position 782,057: measures, moments, steps, and what the person saw."""
    delta = writers.delta(782_057)
    row = delta.row
    assert (row["ter_edits"], row["ter_words"], row["levenshtein_words"], row["levenshtein_words_of"]) == (
        35,
        55,
        36,
        55,
    )
    assert (row["levenshtein_characters"], row["levenshtein_characters_of"]) == (182, 302)
    assert (round(row["chrf"], 2), row["retained_end"], row["characters_taken"]) == (39.95, 81, 153)
    assert (row["words_kept"], row["words_moved"], row["words_deleted"], row["words_inserted"]) == (15, 2, 10, 38)
    spans = [(step.first_position, step.last_position, round(step.seconds, 1)) for step in delta.steps]
    assert spans == [
        (782_077, 782_099, 12.5),
        (782_101, 782_102, 16.4),
        (782_103, 782_244, 46.8),
        (782_250, 782_361, 95.1),
    ]
    assert [(each.name, each.is_censored) for each in delta.moments[:3]] == [
        ("taken", False),
        ("30", False),
        ("120", True),
    ]
    assert delta.saw is not None
    assert (delta.saw.position, len(delta.saw.text or "")) == (782_064, 2_681)
    assert delta.request is not None
    assert delta.request["position"] == 782_056


def test_translations_are_exported_by_the_rules_of_the_screens(translations: Session) -> None:
    """36,000 pairs in; what each rule drops, and what is left in each part."""
    plan = ExportPlan(format="dpo", split="log", prompt="Translate {lp}: {context}")
    preview = translations.preview_export(plan, DeltaFilter())
    assert preview.proposals == 36_000
    dropped = {each.rule: each.dropped for each in preview.rules if each.dropped}
    assert dropped == {"unchanged": 5_745, "blank": 665, "near": 835, "far": 1_349}
    assert preview.formats == {"sft": 36_000, "dpo": 27_406, "kto": 63_406, "openai": 27_406}
    assert preview.rows == {"dev": 2_743, "test": 2_812, "train": 21_851}
    assert not preview.wrong


def test_translations_are_as_far_from_their_edits_as_published(translations: Session, shared_data: Path) -> None:
    """The column of the set, but for four; means, unchanged pairs and correlations by language pair."""
    measured = translations.sql("select event_id, hter, distance from deltas order by position", row_limit=0)
    pairs = pl.read_parquet(shared_data / "mlqe-pe" / "pairs.parquet")
    pairs = pairs.with_columns(event_id=pl.format("{}/{}/{}/mt", "lp", "split", "idx")).join(
        measured, on="event_id", suffix="_ours"
    )
    assert pairs.height == 36_000
    assert ((pairs["hter"] - pairs["hter_ours"]).abs() > 1e-6).sum() == 4
    table = pairs.group_by("lp").agg(
        pl.col("hter_ours").mean().round(4).alias("mean"),
        (pl.col("mt") == pl.col("pe")).sum().alias("unchanged"),
        pl.corr("hter_ours", "da_mean").round(3).alias("correlation"),
    )
    assert sorted(table.rows()) == [
        ("en-de", 0.1776, 2_937, -0.239),
        ("en-zh", 0.4117, 353, -0.232),
        ("et-en", 0.2788, 1_166, -0.546),
        ("ro-en", 0.3158, 1_289, -0.605),
    ]
