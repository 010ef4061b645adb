"""Words of texts in many scripts: together with the white space between them they are the text."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.deltas.text.words import encode_words, find_words, is_spaceless, split_words


@given(st.text(), st.booleans())
def test_words_and_the_white_space_between_them_are_the_text(text: str, tokenised: bool) -> None:  # noqa: FBT001 - a case
    parts = split_words(text, tokenised=tokenised)
    assert "".join(parts) == text
    found = find_words(text, tokenised=tokenised)
    assert found.words == [part for part in parts if not part.isspace()]
    assert [text[start:end] for start, end in zip(found.starts, found.ends, strict=True)] == found.words


def test_every_character_but_white_space_is_in_a_word() -> None:
    lost = [
        code
        for code in range(sys.maxunicode + 1)
        if split_words(chr(code)) != [chr(code)] or (not find_words(chr(code)).words) != chr(code).isspace()
    ]
    assert lost == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Don't stop, it\u2019s the 1990's!", ["Don't", "stop", ",", "it\u2019s", "the", "1990's", "!"]),
        ("10,000", ["10", ",", "000"]),
        ("\u2018quoted\u2019", ["\u2018", "quoted", "\u2019"]),
        ("well-known U.S.", ["well", "-", "known", "U", ".", "S", "."]),
        ("\u4eca\u5929\u5f88\u597d\u3002OK", ["\u4eca", "\u5929", "\u5f88", "\u597d", "\u3002", "OK"]),
        ("cafe\u0301 bar", ["cafe\u0301", "bar"]),
        (
            "\u0939\u093f\u0928\u094d\u0926\u0940 \u092e\u0947\u0902",
            ["\u0939\u093f\u0928\u094d\u0926\u0940", "\u092e\u0947\u0902"],
        ),
        ("\u0e14\u0e35\u0e21\u0e32\u0e01", ["\u0e14\u0e35", "\u0e21", "\u0e32", "\u0e01"]),
        (
            "\u05e9\u05dc\u05d5\u05dd, \u05e2\u05d5\u05dc\u05dd",
            ["\u05e9\u05dc\u05d5\u05dd", ",", "\u05e2\u05d5\u05dc\u05dd"],
        ),
        ("ok\U0001f44d\U0001f3fd\U0001f44d", ["ok", "\U0001f44d\U0001f3fd", "\U0001f44d"]),
        ("\U0001f468\u200d\U0001f469\u200d\U0001f467!", ["\U0001f468\u200d\U0001f469\u200d\U0001f467", "!"]),
        ("\U0001f1e9\U0001f1ea\U0001f1eb\U0001f1f7", ["\U0001f1e9\U0001f1ea", "\U0001f1eb\U0001f1f7"]),
    ],
)
def test_a_word_is_what_a_reader_takes_for_one(text: str, words: list[str]) -> None:
    assert find_words(text).words == words


def test_words_of_a_tokenised_text_stand_between_white_space() -> None:
    assert split_words("it 's 1.5 %, 中文", tokenised=True) == ["it", " ", "'s", " ", "1.5", " ", "%,", " ", "中文"]


@given(st.lists(st.sampled_from(["a", "b", "ab", "é"])), st.lists(st.sampled_from(["a", "b", "c"])))
def test_encoded_words_are_equal_where_words_are(ones: list[str], others: list[str]) -> None:
    encoded, against = encode_words(ones, others)
    assert (len(encoded), len(against)) == (len(ones), len(others))
    for place, word in enumerate(ones):
        for other, that in enumerate(others):
            assert (encoded[place] == against[other]) == (word == that)


def test_a_text_is_spaceless_by_its_share_of_such_characters() -> None:
    assert is_spaceless("我 喜欢 Python", "我")
    assert not is_spaceless("The word 好 in a sentence of English, which is long enough", "")
    assert not is_spaceless("", "한국어에는 띄어쓰기가 있다")
