"""Measures of texts: those with published definitions equal them; none depends on order or number of processes."""

import gc
import io
import pickle
import random
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import Levenshtein
from sacrebleu.metrics.chrf import CHRF
from sacrebleu.metrics.ter import TER

from tests.deltas.text.test_redline import TAKEN, TEXTS, TODAY
from workbench.deltas.measures import processes
from workbench.deltas.text import chrf, metrics, ter
from workbench.deltas.text.metrics import TextMeasures, measure_pairs, measure_texts
from workbench.errors import MissingExtraError

SENTENCES = st.lists(st.sampled_from(["the", "plan", "is", "a", "good", "one", ",", "."]), max_size=20).map(" ".join)


@given(TEXTS, TEXTS)
def test_measures_of_any_two_texts_add_up(proposed: str, value: str) -> None:
    measured = measure_texts(proposed, value)
    ours, theirs = measured.words_proposed, measured.words_value
    assert measured.words_kept + measured.words_moved + measured.words_deleted == ours
    assert measured.words_kept + measured.words_moved + measured.words_inserted == theirs
    assert sum(measured.places.kept) == measured.words_kept
    assert sum(measured.places.kept) + sum(measured.places.changed) == ours
    assert 0 <= measured.hter <= 1
    assert 0 <= measured.distance <= 1
    assert measured.levenshtein_characters == Levenshtein.distance(proposed, value)
    assert measured.fallback is None
    assert (measured.levenshtein_characters == 0) == (proposed == value)


@given(TEXTS, TEXTS)
def test_chrf_is_sacrebleus(proposed: str, value: str) -> None:
    assert measure_texts(proposed, value).chrf == CHRF().sentence_score(proposed, [value]).score


@given(SENTENCES, SENTENCES)
def test_hter_of_a_tokenised_text_is_sacrebleus(proposed: str, value: str) -> None:
    score = TER().sentence_score(proposed, [value])
    measured = measure_texts(proposed, value, tokenised=True)
    assert (measured.ter_edits, measured.ter_words) == (score.num_edits, score.ref_length)
    assert measured.hter == pytest.approx(min(1, score.score / 100), abs=1e-12)  # it goes by hundred and back


def test_the_reference_has_the_figures_of_the_picture() -> None:
    measured = measure_texts(TAKEN, TODAY)
    assert (measured.ter_edits, measured.ter_words, round(measured.hter, 4)) == (35, 55, 0.6364)
    assert (measured.levenshtein_words, measured.levenshtein_words_of) == (36, 55)
    assert (measured.levenshtein_characters, measured.levenshtein_characters_of) == (182, 302)
    assert measured.chrf == pytest.approx(39.95, abs=0.005)
    assert (measured.words_kept, measured.words_moved, measured.words_deleted, measured.words_inserted) == (
        15,
        2,
        10,
        38,
    )
    assert (measured.words_proposed, measured.words_value) == (27, 55)


def test_edits_pair_what_was_deleted_with_what_stands_there_now() -> None:
    measured = measure_texts("I like your old plan, also the rest. End.", "I like their old plan, the rest! End")
    assert measured.edits == (("your", "their"), ("also", ""), (".", "!"), (".", ""))
    assert measure_texts("a  b", "a b").edits == ()
    assert measure_texts("x y one two three four", "one two three four x y").edits == ()


def test_places_count_words_by_tenth_of_the_proposal() -> None:
    proposed = " ".join(f"w{number}" for number in range(20))
    measured = measure_texts(proposed, proposed.replace("w19", "new").replace("w0 ", ""))
    assert measured.places.changed == (1, 0, 0, 0, 0, 0, 0, 0, 0, 1)
    assert measured.places.kept == (1, 2, 2, 2, 2, 2, 2, 2, 2, 1)


def test_distance_of_chinese_counts_characters_and_of_other_scripts_words() -> None:
    assert measure_texts("我 喜欢 这个 计划", "我 喜欢 那个 计划", tokenised=True).distance == 1 / 7
    assert measure_texts("un deux trois été", "un deux quatre été").distance == 1 / 4


def test_texts_without_words_have_measures() -> None:
    nothing, added, taken = measure_texts("", ""), measure_texts(" ", "a"), measure_texts("a", "")
    assert (nothing.hter, nothing.distance, nothing.chrf, nothing.fallback) == (0, 0, 0, None)
    assert (added.hter, added.distance, added.edits) == (1, 1, (("", "a"),))
    assert (taken.hter, taken.ter_edits, taken.ter_words, taken.edits) == (1, 1, 0, (("a", ""),))


def test_where_texts_are_too_long_the_fallback_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = random.Random(2)  # noqa: S311 - a case, made up
    proposed = " ".join(draw.choices("abcdefgh", k=60))
    value = " ".join(draw.choices("abcdefgh", k=60))
    monkeypatch.setattr(ter, "MAX_CELLS", 10)
    measured = measure_texts(proposed, value)
    assert measured.fallback == "levenshtein-words"
    assert measured.ter_edits == measured.levenshtein_words
    monkeypatch.setattr(chrf, "MAX_CHARACTERS", 10)
    monkeypatch.setattr(metrics, "MAX_CELLS", 10)
    measured = measure_texts(proposed, value)
    assert measured.fallback == "levenshtein-words,levenshtein-as-drawn,no-chrf"
    assert measured.chrf is None
    assert Levenshtein.distance(proposed.split(), value.split()) <= measured.levenshtein_words <= 60
    assert Levenshtein.distance(proposed, value) <= measured.levenshtein_characters <= len(proposed)
    chinese = measure_texts("我喜欢这个计划和那个", "他们喜欢我的计划和你的")
    assert Levenshtein.distance("我喜欢这个计划和那个", "他们喜欢我的计划和你的") <= chinese.levenshtein_words <= 11


@pytest.mark.parametrize(
    ("proposed", "value"),
    [
        ("word " * 200_000, "other " * 170_000),
        ("a" * 1_000_000, "b" * 1_000_000),
        ("a b " * 250_000, "b a " * 250_000),
        (" ".join(map(str, range(150_000))), " ".join(map(str, [*range(50_000, 150_000), *range(50_000)]))),
    ],
    ids=["other", "one word", "two words", "block"],
)
def test_a_megabyte_against_a_megabyte_is_answered_with_named_fallbacks(proposed: str, value: str) -> None:
    measured = measure_texts(proposed, value)
    assert measured.fallback is not None
    assert measured.words_kept + measured.words_moved + measured.words_deleted == measured.words_proposed
    assert 0 < measured.distance <= 1


def some_pairs(count: int) -> list[tuple[str, str]]:
    draw = random.Random(5)  # noqa: S311 - a case, made up
    words = ["alpha", "beta", "gamma,", "delta.", "\ud800", "שלום"]
    return [(" ".join(draw.choices(words, k=12)), " ".join(draw.choices(words, k=12))) for _ in range(count)]


def test_measures_depend_neither_on_order_nor_on_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = some_pairs(300)
    alone = measure_pairs(pairs, workers=1)
    assert alone == [measure_texts(*pair) for pair in pairs] == measure_pairs(pairs)
    assert measure_pairs(pairs[::-1]) == alone[::-1]
    monkeypatch.setattr(metrics, "MIN_CHARACTERS", 100)
    monkeypatch.setattr(processes, "CHUNK_CHARACTERS", 2000)
    assert measure_pairs(pairs, workers=3) == alone
    assert measure_pairs(pairs) == alone
    assert measure_pairs(some_pairs(2), workers=3) == alone[:2]


def test_a_worker_that_ends_by_itself_costs_no_pair(monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = some_pairs(300)
    monkeypatch.setattr(metrics, "MIN_CHARACTERS", 100)
    monkeypatch.setattr(processes, "CHUNK_CHARACTERS", 2000)
    monkeypatch.setattr(processes, "START", "import sys; sys.exit(3)")
    assert measure_pairs(pairs, workers=2) == measure_pairs(pairs, workers=1)


@pytest.mark.parametrize("characters", [1, 100, 10**9])
def test_chunks_hold_every_pair_once_and_in_order(characters: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "CHUNK_CHARACTERS", characters)
    pairs = some_pairs(7)
    assert [pair for chunk in processes.split_pairs(pairs) for pair in chunk] == pairs


def test_a_worker_answers_until_its_requests_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", sys.stdout)
    monkeypatch.setattr(gc, "disable", lambda: None)
    requests, answers = io.BytesIO(), io.BytesIO()
    for pairs in ([("a b", "b")], [("c", "c")]):
        pickle.dump((pairs, False), requests)
    requests.seek(0)
    processes.serve(requests, answers)
    answers.seek(0)
    assert pickle.load(answers) == [measure_texts("a b", "b")]  # noqa: S301 - what was just written
    assert pickle.load(answers) == [measure_texts("c", "c")]  # noqa: S301 - the same


def test_without_rapidfuzz_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rapidfuzz", None)
    with pytest.raises(MissingExtraError, match=r"eventlog-workbench\[metrics\]"):
        measure_texts("a", "b")


def test_importing_the_measures_loads_no_toolkit() -> None:
    code = (
        "import sys, workbench.deltas.text.metrics, workbench.deltas.measures.processes; "
        "sys.exit(any(name in sys.modules for name in ('rapidfuzz', 'sacrebleu', 'duckdb', 'polars', 'pyarrow')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.fixture(scope="module")
def translations(shared_data: Path) -> tuple[pl.DataFrame, list[TextMeasures]]:
    frame = pl.read_parquet(shared_data / "mlqe-pe" / "pairs.parquet")
    return frame, measure_pairs(frame.select("mt", "pe").rows(), tokenised=True)


@pytest.mark.data
def test_hter_of_translations_has_the_means_counts_and_correlations_of_the_source(
    translations: tuple[pl.DataFrame, Sequence[TextMeasures]],
) -> None:
    frame, measured = translations
    table = (
        frame.with_columns(measured=pl.Series([one.hter for one in measured]))
        .group_by("lp")
        .agg(
            pl.col("measured").mean().round(4).alias("mean"),
            (pl.col("mt") == pl.col("pe")).sum().alias("unchanged"),
            pl.corr("measured", "da_mean").round(3).alias("correlation"),
        )
        .sort("lp")
    )
    assert table.rows() == [
        ("en-de", 0.1776, 2937, -0.239),
        ("en-zh", 0.4117, 353, -0.232),
        ("et-en", 0.2788, 1166, -0.546),
        ("ro-en", 0.3158, 1289, -0.605),
    ]


@pytest.mark.data
def test_distances_of_translations_drop_what_the_picture_of_the_export_drops(
    translations: tuple[pl.DataFrame, Sequence[TextMeasures]],
) -> None:
    frame, measured = translations
    sides = [tuple(" ".join(text.split()).casefold() for text in pair) for pair in frame.select("mt", "pe").iter_rows()]
    unchanged = (frame["mt"] == frame["pe"]).to_list()
    left = [one.distance for one, (ours, theirs) in zip(measured, sides, strict=True) if ours != theirs]
    assert sum(unchanged) == 5745
    assert 36_000 - 5745 - len(left) == 665
    assert sum(distance < 0.05 for distance in left) == 835
    assert sum(distance > 0.80 for distance in left) == 1349
    assert sum(0.05 <= distance <= 0.80 for distance in left) == 27_406
