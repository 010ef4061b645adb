"""TER's edits are sacrebleu's, for any two texts, within the beam and beyond it."""

import random
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sacrebleu.metrics.ter import TER

from workbench.deltas.text import ter
from workbench.deltas.text.edit_distance import align_freely, align_in_beam, is_free, measure_beam
from workbench.deltas.text.ter import count_edits

WORDS = st.lists(st.sampled_from("abcdefgh"), max_size=30)


def count_sacrebleu(proposed: list[str], value: list[str]) -> int:
    return int(TER().sentence_score(" ".join(proposed), [" ".join(value)]).num_edits)


def move_blocks(words: list[str], draw: random.Random) -> list[str]:
    moved = list(words)
    for _ in range(draw.randrange(1, 4)):
        start, length = draw.randrange(len(moved)), draw.randrange(1, len(moved) // 2)
        block = moved[start : start + length]
        del moved[start : start + length]
        place = draw.randrange(len(moved) + 1)
        moved[place:place] = block
    for _ in range(draw.randrange(6)):
        moved[draw.randrange(len(moved))] = f"new{draw.randrange(9)}"
    return moved


@given(WORDS, WORDS)
def test_edits_are_sacrebleus(proposed: list[str], value: list[str]) -> None:
    assert count_edits(proposed, value) == count_sacrebleu(proposed, value)


@pytest.mark.parametrize("seed", range(12))
def test_edits_are_sacrebleus_where_blocks_move_farther_than_the_beam_is_wide(seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311 - a case, made up
    words = [f"w{draw.randrange(12 if seed % 2 else 200)}" for _ in range(draw.choice([40, 70, 100]))]
    moved = move_blocks(words, draw)
    assert count_edits(words, moved) == count_sacrebleu(words, moved)


@pytest.mark.parametrize(("proposed", "value"), [(2, 120), (120, 2), (1, 60), (90, 30), (30, 30)])
def test_edits_are_sacrebleus_where_lengths_are_far_apart(proposed: int, value: int) -> None:
    draw = random.Random(proposed)  # noqa: S311 - a case, made up
    ours, theirs = ([f"w{draw.randrange(9)}" for _ in range(count)] for count in (proposed, value))
    assert count_edits(ours, theirs) == count_sacrebleu(ours, theirs)


@given(
    st.lists(st.sampled_from("abc"), min_size=1, max_size=20), st.lists(st.sampled_from("abc"), min_size=1, max_size=20)
)
def test_both_ways_to_align_choose_the_same_edits(ones: list[str], others: list[str]) -> None:
    hypothesis, reference = "".join(ones), "".join(others)
    aligned = align_in_beam(hypothesis, reference)
    assert aligned == align_freely(hypothesis, reference)
    assert measure_beam([hypothesis], reference) == [aligned.distance]
    assert aligned.wrong_reference[-1] == sum(
        not (0 <= one < len(hypothesis)) or hypothesis[one] != reference[other] or repeated
        for other, one in enumerate(aligned.aligned)
        for repeated in [other > 0 and aligned.aligned[other - 1] == one]
    )


def test_the_beam_touches_no_short_text_and_no_small_change() -> None:
    assert is_free(500, 24, 500)
    assert is_free(500, 500, 44)
    assert not is_free(500, 500, 45)
    assert not is_free(520, 500, 25)


def test_five_hundred_words_with_a_quarter_moved_are_answered() -> None:
    draw = random.Random(3)  # noqa: S311 - a case, made up
    words = [f"w{draw.randrange(5000)}" for _ in range(500)]
    assert count_edits(words, [*words[125:250], *words[:125], *words[250:]]) == 250


def test_a_search_that_would_take_too_long_is_left_off(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = random.Random(3)  # noqa: S311 - a case, made up
    words = [f"w{draw.randrange(300)}" for _ in range(120)]
    moved = [*words[60:], *words[:60]]
    assert count_edits(words, moved) is not None
    for limit in ("MAX_CELLS", "MAX_STEPS", "MAX_BEAM_ROWS"):
        with monkeypatch.context() as patch:
            patch.setattr(ter, limit, 10)
            assert count_edits(words, moved) is None


@pytest.mark.data
def test_hter_is_the_published_one_but_for_four_pairs(shared_data: Path) -> None:
    pairs = pl.read_parquet(shared_data / "mlqe-pe" / "pairs.parquet")
    differing = []
    for pair, split, index, proposed, value, hter in pairs.select("lp", "split", "idx", "mt", "pe", "hter").iter_rows():
        ours, theirs = proposed.lower().split(), value.lower().split()
        edits = count_edits(ours, theirs)
        assert edits is not None
        if abs(min(1, edits / len(theirs)) - hter) > 1e-6:
            differing.append((pair, split, index))
            assert edits == count_sacrebleu(ours, theirs)
    assert differing == [
        ("en-zh", "train", 3841),
        ("en-zh", "train", 4663),
        ("et-en", "dev", 606),
        ("et-en", "test", 401),
    ]


@pytest.mark.data
@pytest.mark.long
def test_edits_are_sacrebleus_on_all_36000_pairs(shared_data: Path) -> None:
    pairs = pl.read_parquet(shared_data / "mlqe-pe" / "pairs.parquet").select("mt", "pe").rows()
    metric = TER()
    for proposed, value in pairs:
        score = metric.sentence_score(proposed, [value])
        ours, theirs = proposed.lower().split(), value.lower().split()
        assert (count_edits(ours, theirs), len(theirs)) == (score.num_edits, score.ref_length)
    assert len(pairs) == 36_000
