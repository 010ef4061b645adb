"""Flat payloads of one layout, put in order as they stand, have the very canonical texts that they have one by one."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.decode import flat
from workbench.decode.arrays import join_pieces
from workbench.decode.flat import MOST_MEMBERS, order_flat
from workbench.decode.layouts import find_lines, match_layouts, open_lines
from workbench.decode.payloads import write_forms

NUMBERS = ["0", "7", "10", "123456789012345678"]
ODD_NUMBERS = ["-0", "-12", "00", "01", "1234567890123456789", "9223372036854775808", "1.5", "1e2", "1,2", ""]
TEXTS = ['"a"', '"b c"', '"{x}"', '"a:1,2"', '"é"', '"\ue000😀"', '"\x7f"', '"' + "long" * 30 + '"']
ODD_TEXTS = ['""', '"\\n"', '"\\u0061"', '"\\""', '"\x01"', '"a"b"', '"a', "a", "null", "true", "{}", "[]", '{"a":1}']
NAMES = ["a", "B", "_c", "d1", "dd", "0"]
ODD_NAMES = ["", "é", "b c", "a\\u0062", "a"]
OTHERS = ["", "{}", "null", '{"a":1}}', '{"a":1},"b":2', ' {"a":1}', '{"a": 1}', '{"a":1 }', '{"a":"x"']


@st.composite
def columns(draw: st.DrawFn) -> list[str]:
    """Payloads of one layout, of which some are spoilt."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True))
    kinds = [draw(st.sampled_from([(NUMBERS, ODD_NUMBERS), (TEXTS, ODD_TEXTS)])) for _ in names]
    is_odd = draw(st.booleans())
    spoils = st.integers(0, 19).map(lambda number: is_odd and number == 0)
    texts = []
    for _ in range(draw(st.integers(1, 6))):
        pairs = []
        for name, (plain, odd) in zip(names, kinds, strict=True):
            written = draw(st.sampled_from(ODD_NAMES)) if draw(spoils) else name
            pairs.append(f'"{written}":{draw(st.sampled_from(odd if draw(spoils) else plain))}')
        texts.append(draw(st.sampled_from(OTHERS)) if draw(spoils) else "{" + ",".join(pairs) + "}")
    return texts


def order(texts: list[str]) -> list[tuple[list[bytes], list[bytes] | None]]:
    """Return the payloads of each layout, and their canonical texts where they are all flat."""
    text = "\n".join(f'{{"id":"e","data":{text}}}' for text in texts).encode()
    lines = open_lines(text, *find_lines(text))
    assert lines is not None
    found = []
    for matched in match_layouts(lines):
        bounds = zip(matched.payload_begins, matched.payload_ends, strict=True)
        payloads = [text[begin:end] for begin, end in bounds]
        pieces = order_flat(lines, matched)
        ends = pa.array([""] * len(payloads))
        found.append((payloads, None if pieces is None else join_pieces([*pieces, ends]).to_pylist()))
    return found


@given(texts=columns())
def test_what_is_put_in_order_is_what_is_read_one_by_one(texts: list[str]) -> None:
    for payloads, ordered in order(texts):
        if ordered is not None:
            kept, forms, strays = write_forms([*payloads])
            assert (kept, forms, strays) == (payloads, ordered, [])


@pytest.mark.parametrize(
    "texts",
    [
        ['{"b":2,"a":"x"}', '{"b":123456789012345678,"a":"é"}', '{"b":0,"a":"x y"}'],
        ['{"n":1}', '{"n":10}'],
        ['{"n":"1"}', '{"n":"{,}"}'],
        ['{"b":"x","a":5,"B":"y"}'] * 3,
    ],
)
def test_flat_payloads_are_put_in_order(texts: list[str]) -> None:
    [(payloads, ordered)] = order(texts)
    assert ordered is not None
    assert ordered == write_forms([*payloads])[1]


@pytest.mark.parametrize(
    "other",
    [
        *('{"b":01,"a":"x"}', '{"b":-1,"a":"x"}', '{"b":1.0,"a":"x"}', '{"b":1234567890123456789,"a":"x"}'),
        *('{"b":1,"a":""}', '{"b":1,"a":"\\n"}', '{"b":1,"a":"x","b":1}', '{"b":1,"a":"x"}}', '{"b":1,"a":"x","c":2}'),
        *('{"a":"x","b":1}', '{"b": 1,"a":"x"}', '{"b":"1","a":"x"}', '{"b":1,"a":1}', "null", "{}", '{"b":1}', "{"),
        *('{"b":1,"a":"x"', '{"b":1,"a":"x","data":"y"', '{"b":1,"a":null}', "{" + '"a":1,' * MOST_MEMBERS + '"b":1}'),
    ],
)
def test_a_payload_of_another_kind_leaves_all_to_others(other: str) -> None:
    plain = '{"b":1,"a":"x"}'
    for texts in ([plain, other], [other, plain]):
        assert [ordered for payloads, ordered in order(texts) if other.encode() in payloads] in ([], [None])


@pytest.mark.parametrize(
    "odd", ['{"b":1,"a":"x","b":1}', '{"b":01}', '{"b":-1}', '{"a":""}', '{"a":"\\n"}', "{}", "[1]"]
)
def test_payloads_of_another_kind_are_left_to_others(odd: str) -> None:
    assert [ordered for _, ordered in order([odd, odd])] == [None]


def test_payloads_that_may_be_too_large_are_left_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ['{"a":"x"}', '{"a":"xxxx"}']
    monkeypatch.setattr(flat, "MAX_PAYLOAD", 12)
    assert order(texts)[0][1] is not None
    monkeypatch.setattr(flat, "MAX_PAYLOAD", 11)
    assert order(texts)[0][1] is None
