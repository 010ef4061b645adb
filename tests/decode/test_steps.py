from typing import Any

import msgspec
import pytest

from workbench.decode.registry import read_kept
from workbench.decode.steps import STEPS

CASES: list[tuple[dict[str, Any], str, str]] = [
    ({"rename": "a", "to": "b"}, '{"x":1,"a":2,"y":3}', '{"x":1,"b":2,"y":3}'),
    ({"rename": "a", "to": "b"}, '{"b":1,"a":2}', '{"b":2}'),
    ({"rename": "a", "to": "b"}, '{"c":1}', '{"c":1}'),
    ({"rename": "o.a", "to": "b"}, '{"o":{"a":1.0}}', '{"o":{"b":1.0}}'),
    ({"rename": "o.a", "to": "b"}, '{"o":1}', '{"o":1}'),
    ({"rename": "o.p.a", "to": "b"}, '{"o":1}', '{"o":1}'),
    ({"move": "a", "to": "o.p.b"}, '{"a":1e2}', '{"o":{"p":{"b":1e2}}}'),
    ({"move": "o.a", "to": "a"}, '{"o":{"a":1}}', '{"o":{},"a":1}'),
    ({"move": "a", "to": "o.b"}, '{"a":1,"o":2}', '{"a":1,"o":2}'),
    ({"move": "a", "to": "b"}, '{"c":1}', '{"c":1}'),
    ({"move": "a", "to": "o.b"}, '{"c":1}', '{"c":1}'),
    ({"move": "o.a", "to": "b"}, '{"o":1}', '{"o":1}'),
    ({"move": "a", "to": "a.b"}, '{"a":1}', '{"a":1}'),
    ({"move": "a", "to": "a.b"}, '{"a":{"c":1}}', '{"a":{"c":1}}'),
    ({"default": "a", "value": [1]}, "{}", '{"a":[1]}'),
    ({"default": "a", "value": 1}, '{"a":null}', '{"a":null}'),
    ({"default": "o.a", "value": 1}, "{}", '{"o":{"a":1}}'),
    ({"default": "o.a", "value": 1}, '{"o":2}', '{"o":2}'),
    ({"map": "a", "values": {"x": "y"}}, '{"a":"x"}', '{"a":"y"}'),
    ({"map": "a", "values": {"x": "y"}}, '{"a":"z"}', '{"a":"z"}'),
    ({"map": "a", "values": {"x": "y"}, "otherwise": None}, '{"a":"z"}', '{"a":null}'),
    ({"map": "a", "values": {"1.50": 1}}, '{"a":1.50}', '{"a":1}'),
    ({"map": "a", "values": {"true": 1, "null": 2}}, '{"a":true}', '{"a":1}'),
    ({"map": "a", "values": {"null": 2}}, '{"a":null}', '{"a":2}'),
    ({"map": "a", "values": {"x": 1}, "otherwise": 0}, '{"a":{}}', '{"a":{}}'),
    ({"map": "a", "values": {"x": 1}, "otherwise": 0}, "{}", "{}"),
    ({"cast": "a", "as": "string"}, '{"a":1.50}', '{"a":"1.50"}'),
    ({"cast": "a", "as": "string"}, '{"a":true}', '{"a":"true"}'),
    ({"cast": "a", "as": "string"}, '{"a":null}', '{"a":null}'),
    ({"cast": "a", "as": "string"}, '{"a":[1]}', '{"a":[1]}'),
    ({"cast": "a", "as": "string"}, "{}", "{}"),
    ({"cast": "a", "as": "integer"}, '{"a":"12"}', '{"a":12}'),
    ({"cast": "a", "as": "integer"}, '{"a":"1.5"}', '{"a":"1.5"}'),
    ({"cast": "a", "as": "integer"}, '{"a":"9223372036854775808"}', '{"a":"9223372036854775808"}'),
    ({"cast": "a", "as": "integer"}, '{"a":"x"}', '{"a":"x"}'),
    ({"cast": "a", "as": "number"}, '{"a":"1.50"}', '{"a":1.50}'),
    ({"cast": "a", "as": "number"}, '{"a":"1e400"}', '{"a":"1e400"}'),
    ({"cast": "a", "as": "number"}, '{"a":"12345678901234567890123"}', '{"a":"12345678901234567890123"}'),
    ({"cast": "a", "as": "number"}, '{"a":" 1"}', '{"a":" 1"}'),
    ({"cast": "a", "as": "boolean"}, '{"a":"true"}', '{"a":true}'),
    ({"cast": "a", "as": "boolean"}, '{"a":"yes"}', '{"a":"yes"}'),
    ({"cast": "o.a", "as": "string"}, '{"o":1}', '{"o":1}'),
    ({"split": "a", "by": " ", "into": ["b", "c"]}, '{"a":"x y z"}', '{"b":"x","c":"y z"}'),
    ({"split": "a", "by": " ", "into": ["b", "c"]}, '{"a":"x"}', '{"b":"x"}'),
    ({"split": "a", "by": " ", "into": ["a", "c"]}, '{"a":"x y"}', '{"a":"x","c":"y"}'),
    ({"split": "a", "by": " ", "into": ["b"]}, '{"a":1}', '{"a":1}'),
    ({"split": "o.a", "by": " ", "into": ["b"]}, '{"o":1}', '{"o":1}'),
    ({"drop": "a"}, '{"a":1,"b":2}', '{"b":2}'),
    ({"drop": "o.a"}, '{"o":{"a":1}}', '{"o":{}}'),
    ({"drop": "o.a"}, '{"o":1}', '{"o":1}'),
    ({"drop": "a"}, "{}", "{}"),
]


@pytest.mark.parametrize(("table", "before", "after"), CASES)
def test_a_step_changes_what_it_names_and_nothing_else(table: dict[str, Any], before: str, after: str) -> None:
    [verb] = [name for name in STEPS if name in table]
    step = msgspec.convert(table, STEPS[verb])
    payload = read_kept(before.encode())
    step.apply(payload)
    assert msgspec.json.encode(payload).decode() == after
    assert table.keys() >= msgspec.to_builtins(step).keys()


def test_a_default_is_not_shared_between_payloads() -> None:
    step = msgspec.convert({"default": "a", "value": {}}, STEPS["default"])
    first: dict[str, Any] = {}
    second: dict[str, Any] = {}
    step.apply(first)
    first["a"]["x"] = 1
    step.apply(second)
    assert second == {"a": {}}
