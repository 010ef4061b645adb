"""Payloads of one shape, read at once, have the very canonical texts that they have one by one, or are left alone."""

import json

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.decode.canonical import FORMS
from workbench.decode.payloads import write_forms
from workbench.decode.uniform import find_shape, write_uniform

NUMBERS = ["0", "-0", "7", "-12", "9223372036854775807", "9223372036854775808", "-9223372036854775809", "1" * 23]
NUMBERS += ["1.5", "1.0", "1e2", "1E400", "0.1e-7", "123456789012345678901.5", "1e16"]
TEXTS = [
    '"a"',
    '""',
    '"{"',
    '"\\u0041"',
    '"\\u0000"',
    '"\\n"',
    '"é"',
    '"\\ud83d\\ude00"',
    '"\ue000"',
    '"😀"',
    '"\\u003a"',
]
OTHERS = ["true", "false", "null", "[]", "[1,[2]]", "[" * 130 + "]" * 130, "{}", '{"a":1}', '{"a":1,"a":2}', "NaN", "x"]
NAMES = ["a", "b", "é", "\ue000", "😀", 'q\\"', "b c", "\\u0062"]
VALUES = st.sampled_from([*NUMBERS, *TEXTS, *OTHERS])
ODD = ["", "{}", "[1]", "null", '{"a":1}{"a":2}', ' {"a":1}', '{"a" :1}', '{"a":1}}', '{"b":2,"a":1,"a":1}', "{"]


@st.composite
def columns(draw: st.DrawFn) -> list[str]:
    """Payloads of one shape, of which some are spoilt."""
    members = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True))
    kinds = [draw(st.sampled_from([NUMBERS[:4], NUMBERS, TEXTS[:3], TEXTS, OTHERS])) for _ in members]
    texts = []
    for _ in range(draw(st.integers(1, 6))):
        values = [draw(st.sampled_from(kind) if draw(st.integers(0, 9)) else VALUES) for kind in kinds]
        pairs = [f'"{name}":{value}' for name, value in zip(members, values, strict=True)]
        texts.append("{" + ",".join(pairs) + "}" if draw(st.integers(0, 19)) else draw(st.sampled_from(ODD)))
    return texts


@given(texts=columns())
def test_what_is_read_at_once_is_what_is_read_one_by_one(texts: list[str]) -> None:
    uniform = write_uniform(pa.array(texts))
    if uniform is None:
        return
    kept, forms, strays = write_forms([text.encode() for text in texts])
    assert strays == []
    assert kept == [text.encode() for text in texts]
    assert uniform.cast(pa.binary()).to_pylist() == forms


@pytest.mark.parametrize(
    "texts",
    [
        ['{"b":2,"a":"x"}', '{"b":-3,"a":"é"}'],
        ['{"amount":5,"note":{}}'.replace("{}", "true"), '{"amount":6,"note":null}'],
        ['{"z":1.5,"y":[1,2]}', '{"z":2.25,"y":[]}'],
    ],
)
def test_plain_payloads_of_one_shape_are_read_at_once(texts: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FORMS, "longer", False)
    expected = [
        json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"), ensure_ascii=False) for text in texts
    ]
    uniform = write_uniform(pa.array(texts))
    assert uniform is not None
    assert uniform.to_pylist() == expected


@pytest.mark.parametrize(
    "texts",
    [
        ['{"a":1}{"a":2}', "", '{"a":3}'],  # as many values as lines, at other places
        ['{"a":1}', '{"a":1,"a":1}', '{"a":1}'],
        ['{"a":1}', '{"a":1,"b":1}', '{"a":1}'],
        ['{"a":1}', "{}", '{"a":1}'],
        ['{"a":1}', '{"a":1.5}', '{"a":1}'],
        ['{"a":1}', '{"a":' + "9" * 19 + "}", '{"a":1}'],
        ['{"a":1.5}', '{"a":' + "9" * 19 + "}", '{"a":1.5}'],
        ['{"a":true}', '{"a":{"b":1,"b":1}}', '{"a":true}'],
        ['{"a":[]}', '{"a":' + "[" * 140 + "]" * 140 + "}", '{"a":[]}'],
        ['{"a":"\\u0000"}', '{"a":"x"}'],
        ['{"a":"' + "x" * (1 << 20) + '"}', '{"a":"x"}'],
        ['{"\ue000":1,"😀":2}', '{"\ue000":1,"😀":2}'],
        ["{}", "{}"],
        ['{"a":1}', '{"b":1}'],
        ["[1]", "[1]"],
        ["nonsense", "nonsense"],
        ['{"a":1e16}', '{"a":1e16}'],
        ['{"a":100000000,"b":2}', '{"a":1e8,"b":1,"b":2}', '{"a":100000000,"b":2}'],  # as long without the first b
    ],
)
def test_whatever_may_break_a_rule_is_left_to_be_read_one_by_one(texts: list[str]) -> None:
    assert write_uniform(pa.array(texts)) is None


def test_an_object_of_many_members_or_of_odd_names_has_no_shape() -> None:
    assert find_shape(json.dumps({str(number): number for number in range(65)})) is None
    assert find_shape('{"a\\"b":1}') is None
    assert find_shape('{"a":1,"b":"x"}') is not None


def test_once_a_number_got_longer_only_texts_and_whole_numbers_are_read_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(FORMS, "longer", True)
    assert write_uniform(pa.array(['{"a":1.5}', '{"a":2.5}'])) is None
    assert write_uniform(pa.array(['{"a":1,"b":"x"}', '{"a":2,"b":"y"}'])) is not None
