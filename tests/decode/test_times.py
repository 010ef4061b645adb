import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.decode.normalise import FaultError
from workbench.decode.times import read_time, read_times, write_time

GOOD = {
    "2026-01-31T12:00:00Z": "2026-01-31T12:00:00.000000Z",
    "2026-01-31T12:00:00.5Z": "2026-01-31T12:00:00.500000Z",
    "2026-01-31T12:00:00.123456Z": "2026-01-31T12:00:00.123456Z",
    "2026-01-31T12:00:00.123456000Z": "2026-01-31T12:00:00.123456Z",
    "2026-01-31t12:00:00z": "2026-01-31T12:00:00.000000Z",
    "2026-01-31T12:00:00+01:00": "2026-01-31T11:00:00.000000Z",
    "2026-01-31T00:30:00.25+05:45": "2026-01-30T18:45:00.250000Z",
    "2026-01-31T12:00:00-00:00": "2026-01-31T12:00:00.000000Z",
    "2024-02-29T23:59:59-23:59": "2024-03-01T23:58:59.000000Z",
    "0001-01-01T00:00:00Z": "0001-01-01T00:00:00.000000Z",
    "9999-12-31T23:59:59.999999Z": "9999-12-31T23:59:59.999999Z",
    "1969-12-31T23:59:59.999999Z": "1969-12-31T23:59:59.999999Z",
}
BAD = {
    "": "malformed_time",
    "yesterday": "malformed_time",
    "2026-01-31": "malformed_time",
    "2026-01-31T12:00Z": "malformed_time",
    "2026-01-31T12Z": "malformed_time",
    "2026-01-31 12:00:00Z": "malformed_time",
    "2026-1-31T12:00:00Z": "malformed_time",
    "2026-02-30T12:00:00Z": "malformed_time",
    "2026-01-31T24:00:00Z": "malformed_time",
    "2026-01-31T12:60:00Z": "malformed_time",
    "2026-01-31T12:00:61Z": "malformed_time",
    "2026-01-31T12:00:00.Z": "malformed_time",
    "2026-01-31T12:00:00,5Z": "malformed_time",
    "2026-01-31T12:00:00+0100": "malformed_time",
    "2026-01-31T12:00:00+24:00": "malformed_time",
    "2026-01-31T12:00:00+01:60": "malformed_time",
    " 2026-01-31T12:00:00Z": "malformed_time",
    "2026-01-31T12:00:00Z\n": "malformed_time",
    "0000-01-01T00:00:00Z": "malformed_time",
    "0001-01-01T00:00:00+01:00": "malformed_time",
    "9999-12-31T23:59:59-01:00": "malformed_time",
    "+2026-01-31T12:00:00Z": "malformed_time",
    "\u0662026-01-31T12:00:00Z": "malformed_time",
    "2026-01-31T12:00:00": "time_without_zone",
    "2026-01-31T12:00:00.1234567Z": "time_too_fine",
    "2026-06-30T23:59:60Z": "leap_second",
    "2026-07-01T00:59:60+01:00": "leap_second",
}


@pytest.mark.parametrize("text", GOOD)
def test_a_time_becomes_utc_with_six_digits(text: str) -> None:
    assert read_time(text) == GOOD[text]
    assert read_times([text]) == ([GOOD[text]], [])
    assert read_times([text, None, "x"]) == ([GOOD[text], None, None], [2])


@pytest.mark.parametrize("text", BAD)
def test_a_time_that_the_log_cannot_hold_is_refused(text: str) -> None:
    with pytest.raises(FaultError) as caught:
        read_time(text)
    assert caught.value.code == BAD[text]
    canonical, wrong = read_times(["2026-01-31T12:00:00Z", text])
    assert canonical == ["2026-01-31T12:00:00.000000Z", None]
    assert wrong == [1]
    if caught.value.repaired is not None:
        assert read_time(caught.value.repaired.decode())


def test_a_column_without_times_is_read() -> None:
    assert read_times([]) == ([], [])
    assert read_times([None, None]) == ([None, None], [])


@given(st.lists(st.datetimes(timezones=st.timezones()) | st.none(), max_size=5))
def test_whole_columns_and_single_times_agree(moments: list[object]) -> None:
    texts: list[str | None] = []
    for moment in moments:
        try:
            texts.append(None if moment is None else write_time(moment))  # type: ignore[arg-type]  # datetimes, as drawn
        except OverflowError:
            texts.append(None)
    assert read_times(texts) == (texts, [])
    assert [None if text is None else read_time(text) for text in texts] == texts
