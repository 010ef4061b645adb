from pathlib import Path
from typing import Any

import pytest

from workbench.config import load_settings
from workbench.deltas.mapping import hash_mappings, load_mapping, load_mappings, make_mapping
from workbench.errors import ConfigError, DeltaMappingError

LETTER: dict[str, Any] = {"proposed": ["P"], "accepted": ["A"], "content": "data.text"}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"proposed": []}, "proposed is empty"),
        ({"propsed": ["P"]}, "propsed"),
        ({"accepted": ["P"]}, "'P' stands in proposed and in accepted"),
        ({"content": None}, "nowhere what was proposed"),
        ({"content": "text"}, "'text' is no path"),
        ({"content": "event_id"}, "a column of the envelope"),
        ({"content": {}}, "names no path"),
        ({"content": ["data.a.x", "data.b.x"]}, "end alike"),
        ({"model": "data"}, "model is data"),
        ({"model": "occurred_at"}, "model is occurred_at"),
        ({"model": 'data.a"b'}, "cannot be read"),
        ({"pair": "next", "names": "data.x"}, "no meaning"),
        ({"pair": "later"}, "later"),
        ({"hovered": "data.at"}, "index of alternatives"),
        ({"edited_within": 0}, "edited_within is 0"),
        ({"expires_after": float("inf")}, "expires_after is inf"),
        ({"applied": {"events": [], "delta": "data.d"}}, "applied lists no events"),
        ({"text": {"events": [], "delta": "data.d"}}, "text lists no events"),
        ({"fields": {"x": "first.nothing"}}, "'nothing' is no path"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_value(changes: dict[str, Any], words: str) -> None:
    table = {name: value for name, value in (LETTER | changes).items() if value is not None}
    with pytest.raises(DeltaMappingError, match=r"\[deltas\.letter\]: .*") as error:
        make_mapping("letter", table)
    assert words in str(error.value)


def test_a_name_is_letters_and_digits() -> None:
    with pytest.raises(DeltaMappingError, match="'a b' is no name"):
        make_mapping("a b", LETTER)


def test_a_hash_changes_with_what_a_mapping_means() -> None:
    one, other = make_mapping("letter", LETTER), make_mapping("letter", LETTER | {"expires_after": 5})
    assert one.hash != other.hash
    assert hash_mappings({"a": one, "b": other}) == hash_mappings({"b": other, "a": one})
    assert hash_mappings({"a": one}) != hash_mappings({"a": other})


def test_every_mapping_that_comes_along_can_be_read(repository: Path) -> None:
    folder = repository / "datasets" / "deltas"
    names = {file.stem for file in folder.glob("*.toml")}
    assert names == {"agents", "coauthor", "cups", "loan-desk", "mlqe-pe"}
    assert load_mapping(folder / "coauthor.toml").name == "coauthor"


def test_mappings_stand_in_the_settings_and_in_files(tmp_path: Path, repository: Path) -> None:
    (tmp_path / "deltas").mkdir()
    (tmp_path / "workbench.toml").write_text('[deltas.letter]\nproposed = ["P"]\ncontent = "data.text"\n')
    for name in ("loan-desk.toml", "cups.toml"):
        text = (repository / "datasets" / "deltas" / name).read_text(encoding="utf-8")
        (tmp_path / "deltas" / name).write_text(text.replace("[deltas.letter]", "[deltas.mail]"), encoding="utf-8")
    found = load_mappings(load_settings(tmp_path).deltas)
    assert sorted(found) == ["cups", "decision", "letter", "mail", "price"]
    (tmp_path / "deltas" / "mail.toml").write_text('proposed = ["P"]\n')
    with pytest.raises(ConfigError, match="the deltas 'mail' are there already"):
        load_settings(tmp_path)


@pytest.mark.parametrize("text", ["deltas = 5", "[deltas]\nletter = 5"])
def test_deltas_that_are_no_tables_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "workbench.toml").write_text(text)
    with pytest.raises(ConfigError, match="deltas is no table of tables"):
        load_settings(tmp_path)


def test_a_file_that_is_no_toml_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "letter.toml"
    file.write_text("proposed = [")
    with pytest.raises(DeltaMappingError, match="cannot be read as TOML"):
        load_mapping(file)
