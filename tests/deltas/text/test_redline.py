"""The redline: applied to a proposal it gives the value, whatever the two texts, and a person can read it."""

from collections import Counter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from workbench.deltas.text import alignment, moves
from workbench.deltas.text.redline import PROPOSED, VALUE, Redline, apply_operations, compare_texts
from workbench.deltas.text.words import find_words
from workbench.errors import ArgumentError

TAKEN = (
    "In conclusion, I think that the most important thing students should learn in school is how to think critically "
    "and creatively, while also learning how"
)
TODAY = (
    "In conclusion, I think that is why knowing ones strengths and weaknesses and learning how to apply oneself is the "
    "most important thing students should learn in school, given how universal such knowledge can be applied to the "
    "lives of students, both in their career and also in their personal interests."
)
WORDS = st.one_of(
    st.sampled_from(["a", "b", "the", "plan", ",", ".", "'", "1,5", " ", "  ", "\r\n", "\n", "\u00a0", "\t"]),
    st.sampled_from(
        ["שלום", "عالم", "\u202e", "今", "天", "が", "か\u3099", "👍", "👍🏽", "👨\u200d👩\u200d👧", "e\u0301"]
    ),
    st.sampled_from(["\u0301", "\u200b", "\ud800", "한국", "ไทย"]),
)
TEXTS = st.one_of(st.lists(WORDS, max_size=40).map("".join), st.text(max_size=40))
MARKS = {"keep": "{}", "delete": "[-{}-]", "insert": "[+{}+]", "move_from": "[-{}-]{}", "move_to": "[+{}+]{}"}


def draw(redline: Redline) -> str:
    return "".join([MARKS[part.kind].format(part.text, part.move) for part in redline.operations])


def check(proposed: str, value: str, redline: Redline, *, tokenised: bool = False) -> None:
    parts = redline.operations
    assert apply_operations(proposed, redline) == value
    assert "".join(part.text for part in parts if part.kind in PROPOSED) == proposed
    assert "".join(part.text for part in parts if part.kind in VALUE) == value
    kept, moved = redline.words_kept, redline.words_moved
    assert kept + moved + redline.words_deleted == len(find_words(proposed, tokenised=tokenised).words)
    assert kept + moved + redline.words_inserted == len(find_words(value, tokenised=tokenised).words)
    assert redline.characters_kept + redline.characters_moved + redline.characters_deleted == len(proposed)
    assert redline.characters_kept + redline.characters_moved + redline.characters_inserted == len(value)
    leaving = {part.move: part for part in parts if part.kind == "move_from"}
    arriving = {part.move: part for part in parts if part.kind == "move_to"}
    assert {move: part.text for move, part in leaving.items()} == {move: part.text for move, part in arriving.items()}
    assert all(part.words >= moves.SHORTEST for part in leaving.values())
    assert all(part.text for part in parts)
    assert [number for number in dict.fromkeys(part.move for part in parts) if number] == sorted(leaving)  # type: ignore[type-var]  # a move has a number


WAYS = st.fixed_dictionaries({"readable": st.booleans(), "tokenised": st.booleans()})
READABLE = {"readable": True, "tokenised": False}


@given(TEXTS, TEXTS, WAYS)
@example("a  b", "a b", READABLE)
@example(" a ", "", READABLE)
@example("one two three x y four five six", "uno due tre x y quattro cinque sei", READABLE)
@example("a b c d e f g h", "e f g h a b c d", READABLE)
def test_applying_the_operations_to_the_proposal_gives_the_value(
    proposed: str, value: str, ways: dict[str, bool]
) -> None:
    check(proposed, value, compare_texts(proposed, value, **ways), tokenised=ways["tokenised"])


@given(st.lists(st.sampled_from("abcdefgh"), max_size=60), st.lists(st.sampled_from("abcdefgh"), max_size=60))
def test_it_holds_too_where_texts_are_too_long_for_the_exact_way(ones: list[str], others: list[str]) -> None:
    proposed, value = " ".join(ones), " ".join(others)
    with pytest.MonkeyPatch.context() as patch:
        for cells in (10**9, 40, 0):
            patch.setattr(alignment, "MAX_PAIRS", 3)
            patch.setattr(alignment, "MAX_CELLS", cells)
            patch.setattr(moves, "MAX_PAIRS", 0)
            check(proposed, value, compare_texts(proposed, value))


def test_the_reference_is_drawn_as_in_the_picture() -> None:
    redline = compare_texts(TAKEN, TODAY)
    assert draw(redline) == (
        "In conclusion, I think that [+is why knowing ones strengths and weaknesses and +][+learning how+]1"
        "[+ to apply oneself is +]the most important thing students should learn in school"
        "[- is how to think critically and creatively, while also -][-learning how-]1[+, given how universal such "
        "knowledge can be applied to the lives of students, both in their career and also in their personal "
        "interests.+]"
    )
    counts = redline.words_kept, redline.words_moved, redline.words_deleted, redline.words_inserted
    assert counts == (15, 2, 10, 38)
    assert redline.fallback is None


@pytest.mark.parametrize(
    ("proposed", "value", "drawn"),
    [
        (
            (
                "No one suffered from the fire but , in order to deliver passengers to Tallinn , the company had to "
                "use a replacement plane ."
            ),
            (
                "No one was injured in the fire but the company had to use a replacement plane in order to deliver "
                "passengers to Tallinn ."
            ),
            (
                "No one [-suffered from-][+was injured in+] the fire but [-, -][-in order to deliver passengers to "
                "Tallinn-]1[- , -]the company had to use a replacement plane [+in order to deliver passengers to "
                "Tallinn+]1[+ +]."
            ),
        ),
        (
            "It sent a threshold to the priests on 15 September 2001 .",
            "On 15 September 2001 he sent a message to priests .",
            (
                "[-It -][-sent a-]1[- threshold to the priests on-][+On+] 15 September 2001 [+he +][+sent a+]1"
                "[+ message to priests +]."
            ),
        ),
        (
            "Evelina is full of measurement and is fleeing Tallinn Georgi .",
            "Evelin is fed up and she escapes to Georg in Tallinn .",
            (
                "[-Evelina-][+Evelin+] is [-full of measurement and is fleeing-][+fed up and she escapes to Georg in+] "
                "Tallinn [-Georgi -]."
            ),
        ),
    ],
)
def test_redlines_of_translations_are_drawn_as_in_the_pictures(proposed: str, value: str, drawn: str) -> None:
    assert draw(compare_texts(proposed, value)) == drawn


def test_a_short_run_between_two_changes_is_drawn_as_changed_and_is_no_move() -> None:
    proposed, value = "one two three x y four five six", "uno due tre x y quattro cinque sei"
    assert draw(compare_texts(proposed, value)) == f"[-{proposed}-][+{value}+]"
    assert compare_texts(proposed, value, readable=False).words_kept == 2


def test_beside_a_small_change_a_short_run_stays() -> None:
    assert draw(compare_texts("a x b c d e", "b x f g h i")) == "[-a-][+b+] x [-b c d e-][+f g h i+]"


def test_the_longest_phrase_moves_first_and_what_is_left_of_others_after_it() -> None:
    redline = compare_texts("k l m n o p q r s t. a b c d", "c d b c d k l m n o p q r s t. a", readable=False)
    texts = Counter(part.text for part in redline.operations if part.kind == "move_to")
    assert texts == {"b c d": 1}


def test_words_in_other_letters_or_spaces_are_other_words() -> None:
    assert draw(compare_texts("The plan", "the  plan")) == "[-The -][+the  +]plan"
    assert draw(compare_texts("a b", "a\r\nb")) == "a[- -][+\r\n+]b"


def test_operations_of_another_proposal_are_refused() -> None:
    with pytest.raises(ArgumentError, match="not that text"):
        apply_operations("another", compare_texts("one", "two"))


def test_a_text_of_100000_words_moved_in_blocks_is_drawn_between_anchors() -> None:
    words = [f"w{number % 50_000}x{number // 50_000}" for number in range(100_000)]
    proposed, value = " ".join(words), " ".join([*words[60000:], "new", *words[:60000]])
    redline = compare_texts(proposed, value)
    check(proposed, value, redline)
    assert (redline.words_kept, redline.words_moved, redline.words_inserted) == (60_000, 40_000, 1)
    assert redline.fallback == "blocks"


def test_where_equal_words_are_many_moves_are_looked_for_around_runs_that_stand_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(moves, "MAX_PAIRS", 0)
    rest, block = [f"r{number}" for number in range(40)], ["z"] * 10 + [f"w{number}" for number in range(20)]
    spaced = "q0 q1 q2 q3 q4  q5 q6 q7 q8 q9"
    proposed, value = " ".join([*rest, *block, spaced]), " ".join([spaced.replace("  ", " "), *block, *rest])
    redline = compare_texts(proposed, value)
    check(proposed, value, redline)
    assert (redline.words_kept, redline.words_moved, redline.words_deleted) == (40, 30, 10)
    assert redline.fallback == "blocks"
