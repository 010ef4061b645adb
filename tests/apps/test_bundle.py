from pathlib import Path

import pytest

from workbench.apps.bundle import SCRIPTS, STATIC, load_bundle


def test_the_scripts_never_read_markup() -> None:
    for name in {name for names in SCRIPTS.values() for name in names}:
        text = (STATIC / name).read_text(encoding="utf-8")
        for word in (
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "new Function",
            "fetch(",
        ):
            assert word not in text, f"{name} uses {word}"


@pytest.mark.parametrize("app", SCRIPTS)
def test_the_bundle_is_one_module_that_loads_nothing_from_elsewhere(app: str) -> None:
    bundle = load_bundle(app)
    assert bundle.rstrip().endswith("as default};")
    assert 'from "http' not in bundle
    assert 'import("' not in bundle


def test_the_bundle_is_kept_and_made_anew_where_it_cannot_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    load_bundle.cache_clear()
    first = load_bundle()
    assert [file.read_text(encoding="utf-8") for file in tmp_path.rglob("*.js")] == [first]
    blocked = tmp_path / "blocked"
    blocked.write_text("a file, not a folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(blocked))
    load_bundle.cache_clear()
    assert load_bundle() == first
    load_bundle.cache_clear()


def test_every_script_is_in_the_bundle() -> None:
    assert sorted({name for names in SCRIPTS.values() for name in names}) == sorted(
        file.name for file in STATIC.glob("*.js")
    )
