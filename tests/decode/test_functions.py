"""Python steps: run where allowed, part of the hash, and never the end of a query."""

import pickle
from pathlib import Path
from typing import Any

import pytest

from workbench.decode import Registry, load_registry
from workbench.errors import RegistryError

TYPE = """
event_type = "T"
current = 2
[[hop]]
from = 1
to = 2
steps = [{ python = "own:lift" }]
"""
LIFT = "def lift(payload):\n    return {body}\n"


def write(folder: Path, body: str = "{**payload, 'n': 1}", text: str | None = None, *, toml: str = TYPE) -> Path:
    (folder / "t.toml").write_text(toml, encoding="utf-8")
    (folder / "own.py").write_text(LIFT.format(body=body) if text is None else text, encoding="utf-8")
    return folder


def load(folder: Path, *arguments: Any, **options: Any) -> Registry:
    return load_registry(write(folder, *arguments, **options), python_steps=True)


def test_code_of_a_registry_is_not_run_unasked(tmp_path: Path) -> None:
    write(tmp_path, text="raise SystemExit('it was run')")
    with pytest.raises(
        RegistryError, match=r"own\.py, and no code of a registry is run unasked.*WORKBENCH_PYTHON_STEPS"
    ):
        load_registry(tmp_path)


def test_a_function_lifts_where_it_is_allowed(tmp_path: Path) -> None:
    registry = load(tmp_path)
    assert registry.upcast("T", 1, '{"a":1.50}') == (2, '{"a":1.50,"n":1}')
    assert registry.types["T"].may_fail
    assert not load_registry(None).types


def test_what_the_function_does_not_touch_keeps_its_text(tmp_path: Path) -> None:
    registry = load(tmp_path, "{'b': payload['a'], 'c': [payload['z']], 'd': payload['z'] + 0.5}")
    text = '{"a":{"x":1.50,"y":-0,"w":1e2},"z":10.0}'
    assert registry.upcast("T", 1, text)[1] == '{"b":{"x":1.50,"y":-0,"w":1e2},"c":[10.0],"d":10.5}'


@pytest.mark.parametrize(
    "body",
    [
        "1 / 0",
        "None",
        "[payload]",
        "exit()",
        "{1: 2}",
        "{'a': float('nan')}",
        "{'a': 10 ** 30}",
        "{'a': {1, 2}}",
        "{'a': (1, 2)}",
        "{'a': '\\ud800'}",
        "{'\\ud800': 1}",
        "lift(payload)",
    ],
)
def test_where_the_function_fails_the_event_keeps_its_payload_and_its_version(body: str, tmp_path: Path) -> None:
    assert load(tmp_path, body).upcast("T", 1, '{"a": 1.50}') == (1, '{"a": 1.50}')


def test_what_changed_before_the_failure_is_not_kept(tmp_path: Path) -> None:
    toml = TYPE.replace("steps = [", 'steps = [{ rename = "a", to = "b" }, ')
    registry = load(tmp_path, "payload.clear() or 1 / 0", toml=toml)
    assert registry.upcast("T", 1, '{"a":1}') == (1, '{"a":1}')
    assert registry.upcast("T", 1, None) == (2, None)
    assert registry.upcast("T", 1, "[1]") == (2, "[1]")


def test_the_text_of_the_file_is_in_the_hash(tmp_path: Path) -> None:
    first = load(tmp_path)
    assert load(tmp_path).hash == first.hash
    assert load(tmp_path, "{**payload, 'n': 2}").hash != first.hash
    other = tmp_path / "elsewhere"
    other.mkdir()
    assert load(other).hash == first.hash


def test_a_function_goes_to_a_worker_with_its_text(tmp_path: Path) -> None:
    sent = pickle.dumps(load(tmp_path))
    (tmp_path / "own.py").unlink()
    assert pickle.loads(sent).upcast("T", 1, "{}") == (2, '{"n":1}')  # noqa: S301 - our own


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("os:system", None, r"os\.py cannot be read"),
        ("../own:lift", None, "names no function"),
        ("own.lift", None, "names no function"),
        ("own:lift:x", None, "names no function"),
        ("own:other", None, "defines no function other"),
        ("own:lift", "lift = 5", "defines no function lift"),
        ("own:lift", "def lift(", "cannot be run: SyntaxError"),
        ("own:lift", "raise SystemExit", "cannot be run: SystemExit"),
        ("own:lift", "import nothing_of_that_name", "cannot be run: ModuleNotFoundError"),
    ],
)
def test_a_function_that_cannot_be_had_is_refused_when_loaded(
    name: str, text: str | None, message: str, tmp_path: Path
) -> None:
    with pytest.raises(RegistryError, match=message):
        load(tmp_path, text=text, toml=TYPE.replace("own:lift", name))


def test_a_python_step_says_nothing_else(tmp_path: Path) -> None:
    for step in ('python = "own:lift", source = "x"', 'python = "own:lift", drop = "a"', "python = 1"):
        with pytest.raises(RegistryError, match=r"not exactly one of|names no function|cannot be used"):
            load(tmp_path, toml=TYPE.replace('python = "own:lift"', step))


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    folder = tmp_path / "schemas"
    folder.mkdir()
    write(tmp_path)
    write(folder)
    (folder / "own.py").unlink()
    (folder / "own.py").symlink_to(tmp_path / "own.py")
    with pytest.raises(RegistryError, match="leads elsewhere"):
        load_registry(folder, python_steps=True)
