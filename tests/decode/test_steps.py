"""Each step in Python: what the golden files say it makes of a payload."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.golden import FILES, Case, load_cases, write_schemas
from workbench.decode.registry import load_registry, read_kept
from workbench.decode.steps import STEPS

GOLDEN = [(name, number, case) for name in FILES for number, case in enumerate(load_cases(name))]


def test_every_step_has_a_golden_file() -> None:
    assert {*FILES} == {*STEPS, "python", "chain"}
    for name in STEPS:
        assert all(case.step is not None and name in case.step for case in load_cases(name))


@pytest.mark.parametrize(("name", "number", "case"), GOLDEN)
def test_a_step_changes_what_it_names_and_nothing_else(name: str, number: int, case: Case, tmp_path: Path) -> None:
    registry = load_registry(write_schemas(tmp_path, [case]), python_steps=name == "python")
    version, lifted = registry.upcast("Case 0", 1, bytes(case.stored).decode())
    assert lifted == bytes(case.lifted).decode(), number
    assert version == (1 if case.fails else len(case.chain) + 1)
    assert case.values == {path: find_scalar(lifted, path) for path in case.values}


def find_scalar(text: str, path: str) -> str | None:
    """The text of the scalar at a path, read plainly."""
    value = read_kept(text.encode())
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    if value is None or isinstance(value, dict | list):
        return None
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def apply(table: dict[str, Any], before: str) -> str:
    [verb] = [name for name in STEPS if name in table]
    payload = read_kept(before.encode())
    msgspec.convert(table, STEPS[verb]).apply(payload)
    return msgspec.json.encode(payload).decode()


def test_a_step_may_say_null_where_it_is_not_written_in_toml() -> None:
    assert apply({"map": "a", "values": {"x": "y"}, "otherwise": None}, '{"a":"z"}') == '{"a":null}'
    assert apply({"default": "a", "value": {"b": None}}, "{}") == '{"a":{"b":null}}'


def test_a_default_is_not_shared_between_payloads() -> None:
    step = msgspec.convert({"default": "a", "value": {}}, STEPS["default"])
    first: dict[str, Any] = {}
    second: dict[str, Any] = {}
    step.apply(first)
    first["a"]["x"] = 1
    step.apply(second)
    assert second == {"a": {}}
