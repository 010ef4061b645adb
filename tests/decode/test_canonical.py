import struct

import msgspec
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from workbench.decode import canonical
from workbench.decode.canonical import NumberForms, write_number


@given(st.integers(0, 2**64 - 1).map(lambda bits: struct.unpack("<d", struct.pack("<Q", bits))[0]))
def test_every_double_is_written_as_rfc_8785_writes_it(number: float) -> None:
    if number - number == 0:
        assert write_number(repr(number)) == rfc8785.dumps(number)


@given(st.integers(-(2**63), 2**63 - 1))
def test_integers_keep_their_digits(number: int) -> None:
    assert write_number(str(number)) == str(number).encode()


def test_minus_zero_is_zero() -> None:
    assert [write_number(text) for text in ("-0", "-0.0", "-0e-5", "0.000")] == [b"0"] * 4


@pytest.mark.parametrize("text", ["1e400", "-1e400", "1e-400", "-0.1e-400"])
def test_a_number_that_a_double_cannot_hold_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=text):
        write_number(text)


def test_the_memory_of_numbers_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(canonical, "REMEMBERED", 3)
    forms = NumberForms()
    assert [forms[f"{at}.50"] for at in range(10)] == [msgspec.Raw(f"{at}.5".encode()) for at in range(10)]
    assert len(forms) <= 3
    assert not forms.longer
    assert forms["1e5"] == msgspec.Raw(b"100000")
    assert forms.longer
