import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.cli.output import UNSAFE, escape_text, format_table, print_fields, print_rows, to_json

DRIVING = [
    ("\x1b]0;owned\x07", r"\x1b]0;owned\x07"),
    ("\x9b31m", r"\x9b31m"),
    ("two\r\nlines", r"two\r\nlines"),
    ("back\x08\x7f", r"back\x08\x7f"),
    ("\u202egnp.exe", r"\u202egnp.exe"),
    ("\u2066left\u2069", r"\u2066left\u2069"),
    ("\u2028next", r"\u2028next"),
    ("\ud800", r"\ud800"),
]


@pytest.mark.parametrize(("text", "shown"), DRIVING)
def test_text_that_could_drive_a_terminal_stands_as_its_escape(text: str, shown: str) -> None:
    assert escape_text(text) == shown


@pytest.mark.parametrize("text", ["plain", "Größe", "日本", "a ◆ b", ""])
def test_text_to_be_read_stays_as_it_is(text: str) -> None:
    assert escape_text(text) == text


@given(st.text())
def test_no_printed_character_is_a_control(text: str) -> None:
    import unicodedata

    assert not {unicodedata.category(sign) for sign in escape_text(text)} & UNSAFE


@given(st.text(st.characters(codec="utf-8")))
def test_json_is_ascii_without_controls_and_comes_back_the_same(text: str) -> None:
    line = to_json({"text": text})
    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line) == {"text": text}


def test_json_writes_times_in_utc_and_decimals_as_text() -> None:
    moment = datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=1)))
    assert to_json([moment, Decimal("1.50"), b"\xff"]) == '["2026-01-01T00:00:00.000000Z", "1.50", "\\\\xff"]'


def test_a_table_is_never_wider_than_the_terminal() -> None:
    lines = list(format_table(["position", "data"], iter([(1, "x" * 500), (22, None)]), width=60))
    assert max(map(len, lines)) <= 60
    assert lines[0].split() == ["position", "data"]
    assert lines[2].endswith("…")


def test_a_column_that_fits_keeps_its_width_when_another_does_not() -> None:
    lines = list(format_table(["id", "data"], iter([("account-00008", "y" * 300)]), width=50))
    assert lines[2].startswith("account-00008  yyy")


def test_rows_are_one_json_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    rows = pl.DataFrame({"a": [1, 2], "at": [datetime(2026, 1, 1, tzinfo=UTC), None]})
    print_rows(rows, as_json=True)
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == [
        {"a": 1, "at": "2026-01-01T00:00:00.000000Z"},
        {"a": 2, "at": None},
    ]


def test_fields_stand_one_a_line_with_readable_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    print_fields({"read": 1_000_000, "ok": True}, as_json=False)
    assert capsys.readouterr().out == "read  1,000,000\nok    True\n"
