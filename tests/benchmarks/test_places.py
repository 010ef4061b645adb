from pathlib import Path

import pytest

from benchmarks.places import cached_folder, folder_bytes, is_cached, restore, temporary_folder


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WORKBENCH_BENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_a_folder_is_built_once_for_the_same_parameters() -> None:
    built: list[Path] = []
    first = cached_folder("log", {"total": 1}, built.append)
    assert cached_folder("log", {"total": 1}, built.append) == first
    assert cached_folder("log", {"total": 2}, built.append) != first
    assert len(built) == 2
    assert is_cached("log", {"total": 1})
    assert not is_cached("log", {"total": 3})


def test_a_build_that_broke_off_is_built_anew() -> None:
    def break_off(folder: Path) -> None:
        (folder / "half").touch()
        raise OSError

    with pytest.raises(OSError):  # noqa: PT011 — any will do
        cached_folder("log", {}, break_off)
    assert not is_cached("log", {})
    folder = cached_folder("log", {}, lambda folder: (folder / "whole").touch())
    assert sorted(path.name for path in folder.iterdir()) == ["complete.json", "whole"]


def test_a_temporary_folder_lies_in_the_cache_and_is_gone_afterwards(cache: Path) -> None:
    with temporary_folder() as folder:
        (folder / "file").write_bytes(b"12345")
        assert folder_bytes(folder) == 5
        assert folder.is_relative_to(cache)
    assert not folder.exists()


def test_a_restored_place_holds_what_was_kept_and_nothing_else(tmp_path: Path) -> None:
    kept, place = tmp_path / "kept", tmp_path / "place"
    kept.mkdir()
    (kept / "then").touch()
    place.mkdir()
    (place / "since").touch()
    restore(kept, place)
    assert [path.name for path in place.iterdir()] == ["then"]
