"""Words of a text: what a redline strikes and underlines, and what word measures count. Pure."""

import re
from collections.abc import Sequence
from itertools import accumulate, chain
from operator import add
from typing import Any, Final

import msgspec
import numpy as np

# Scripts that are written without spaces, a character a word: Thai, Lao, Tibetan, Myanmar, Khmer, Han and its radicals,
# kana, Bopomofo, Yi. Hangul has spaces.
_SPACELESS: Final = (
    "\u0e01-\u0e30\u0e32-\u0e33\u0e40-\u0e46\u0e81-\u0eb0\u0eb2-\u0eb3\u0ec0-\u0ec6\u0f40-\u0f6c\u1000-\u102a\u103f"
    "\u1050-\u1055\u1780-\u17b3\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3031-\u303c\u3041-\u3096\u309d-\u309f"
    "\u30a1-\u30fa\u30fc-\u318f\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uf900-\ufaff\uff66-\uff9d"
    "\U0001b000-\U0001b16f\U00020000-\U0003fffd"
)
# What stands on the character before it and never begins a word where one can be had: accents, vowel signs, selectors.
_MARKS: Final = (
    "\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f\u0670"
    "\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ece\u0f18\u0f19\u0f71-\u0f84\u0f90-\u0fbc"
    "\u102b-\u103e\u1056-\u1059\u17b4-\u17d3\u1ab0-\u1aff\u1dc0-\u1dff\u200c\u200d\u20d0-\u20ff\u3099\u309a"
    "\ufe00-\ufe0f\ufe20-\ufe2f\U000e0100-\U000e01ef"
)
_PICTURES: Final = "\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff"
_SKIN: Final = "\U0001f3fb-\U0001f3ff"
_FLAGS: Final = "\U0001f1e6-\U0001f1ff"
_SIGNS: Final = (
    "!-/:-@\\[-\\^`{-~\u00a1-\u00a9\u00ab-\u00b1\u00b4\u00b6-\u00b8\u00bb\u00bf\u00d7\u00f7\u037e\u0387\u055a-\u055f"
    "\u0589\u058a\u05be\u05c0\u05c3\u05c6\u05f3\u05f4\u0609-\u060d\u061b-\u061f\u066a-\u066d\u06d4\u0700-\u070d"
    "\u0964\u0965\u0970\u0e2f\u0e3f\u0e4f\u0e5a\u0e5b\u104a-\u104f\u17d4-\u17da\u2010-\u2027\u2030-\u205e\u20a0-\u20c0"
    "\u2100-\u214f\u2190-\u25ff\u2e00-\u2e5d\u3001-\u3004\u3008-\u3020\u3030\u303d\u30a0\u30fb\ufe10-\ufe19"
    "\ufe30-\ufe6b\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65\uffe0-\uffee"
)
_LETTER: Final = f"[^\\s{_SPACELESS}{_PICTURES}{_SIGNS}]"
# A word; an apostrophe between letters or digits is inside of it.
_WORD: Final = re.compile(
    f"{_LETTER}+(?:(?<=\\w)['\u2019](?=\\w){_LETTER}+)*"
    f"|[{_SPACELESS}][{_MARKS}]*"
    f"|[{_FLAGS}]{{2}}"
    f"|[{_PICTURES}][{_MARKS}{_SKIN}]*(?:(?<=\u200d)[{_PICTURES}][{_MARKS}{_SKIN}]*)*"
    f"|[{_SIGNS}][{_MARKS}]*"
)
_BETWEEN_SPACES: Final = re.compile(r"\S+")
_SPACELESS_CHARACTER: Final = re.compile(f"[{_SPACELESS}]")
# MLQE-PE: above it lie all but 4 of 8,000 Chinese pairs and 2 of 28,000 others.
SPACELESS_SHARE: Final = 0.05
_NO_CODE_LEFT: Final = 0x10FFFF


class Words(msgspec.Struct, frozen=True, gc=False):
    """A text and where its words stand: word ``i`` is ``text[starts[i]:ends[i]]``."""

    text: str
    words: list[str]
    starts: list[int]
    ends: list[int]

    def between(self, first: int, last: int) -> str:
        """Return the text from word ``first`` to before word ``last``, without the white space around it."""
        return self.text[self.starts[first] : self.ends[last - 1]] if first < last else ""


def split_words(text: str, *, tokenised: bool = False) -> list[str]:
    """Return the words of a text and the white space between them, so that all together are the text.

    A punctuation mark is a word of its own, an emoji with all that belongs to it is one; scripts that are written
    without spaces count by character. With ``tokenised`` a word is whatever stands between white space.

    >>> split_words("Don't, she  said.")
    ["Don't", ',', ' ', 'she', '  ', 'said', '.']
    """
    found, parts, reached = find_words(text, tokenised=tokenised), [], 0
    for word, start, end in zip(found.words, found.starts, found.ends, strict=True):
        if start > reached:
            parts.append(text[reached:start])
        parts.append(word)
        reached = end
    return [*parts, text[reached:]] if reached < len(text) else parts


def find_words(text: str, *, tokenised: bool = False) -> Words:
    """Return the words of a text and where they stand; between them is white space only."""
    if tokenised and text == " ".join(words := text.split()):  # as corpora write it: places follow from lengths
        lengths = list(map(len, words))
        starts = [end - length for end, length in zip(accumulate(lengths, _behind_space), lengths, strict=True)]
        return Words(text, words, starts, list(map(add, starts, lengths)))
    pattern = _BETWEEN_SPACES if tokenised else _WORD
    words = pattern.findall(text)
    starts = [match.start() for match in pattern.finditer(text)]
    return Words(text, words, starts, list(map(add, starts, map(len, words))))


def _behind_space(reached: int, length: int) -> int:
    return reached + 1 + length


def encode_words(*texts: Sequence[str]) -> list[str]:
    """Return each list of words as a string of one character a word: equal words, equal characters.

    Libraries compare such strings in C, and a slice of one is a slice of words.
    """
    distinct = dict.fromkeys(chain.from_iterable(texts))
    codes = {word: chr(min(code, _NO_CODE_LEFT)) for code, word in enumerate(distinct)}
    return ["".join([codes[word] for word in words]) for words in texts]


def read_codes(text: str) -> np.ndarray[Any, np.dtype[np.uint32]]:
    """Return the code of each character."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)


def is_spaceless(*texts: str) -> bool:
    """Whether texts are written in a script without spaces: more than a twentieth of all characters but white space."""
    if all(map(str.isascii, texts)):
        return False
    found = sum(len(_SPACELESS_CHARACTER.findall(text)) for text in texts)
    return found > 0 and found > SPACELESS_SHARE * sum(len("".join(text.split())) for text in texts)
