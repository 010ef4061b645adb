"""What stands at a path of a lifted payload, out of the payload as it was written: what the lifted one says there."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.golden import FILES, load_cases, read_compiled, read_lifted, write_events, write_schemas
from workbench.decode.registry import EMPTY, EventType, Hop, Registry, load_registry, make_registry, read_step
from workbench.query.duckdb import DuckDBEngine
from workbench.query.upcast_sql import compile_path
from workbench.query.upcast_text import quote_path, quote_text
from workbench.session import connect

NAMES = ("a", "b", "o", "x y")
SCALARS = (
    *("1", "-7", "1.50", "1e2", "12345678.125", "true", "false", "null", '""', '"x"', '"x y z"', '"null"', '"true"'),
    *('"1"', '"1.50"', '"1e400"', '"1e-400"', '"0e-5"', '"-0"', '"01"', '" 1"', '"12\\n"', '"9223372036854775808"'),
    *('"a\\"b\\né"', '"12345678.125"', '"-9223372036854775808"'),
)


@pytest.mark.parametrize("name", [name for name in FILES if name != "python"])
def test_both_ways_say_what_the_golden_file_says(name: str, tmp_path: Path) -> None:
    cases = load_cases(name)
    write_schemas(tmp_path / "log" / "schemas", cases)
    with connect(tmp_path / "log") as session:
        session.ingest(write_events(tmp_path, cases))
        lifted, compiled = read_lifted(session, cases), read_compiled(session, cases)
        for number, case in enumerate(cases):
            assert lifted[number]["data"] == bytes(case.lifted).decode()
            assert lifted[number]["schema_version"] == len(case.chain) + 1
            assert lifted[number]["scalar"] == compiled[number]["scalar"] == case.values
            assert lifted[number]["json"] == compiled[number]["json"] == case.json
            for path in case.beyond:
                found = compile_path(session.registry, path.split("."), event_types=[f"Case {number}"], form="json")
                assert found is None


def make_type(*steps: dict[str, Any], name: str = "T", start: int = 1) -> Registry:
    hop = Hop(start, start + 1, tuple(read_step(step, Path("t.toml")) for step in steps))
    return make_registry({name: EventType(name, start, start + 1, {}, {start: hop})})


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDBEngine]:
    made = DuckDBEngine([tmp_path_factory.mktemp("none")])
    yield made
    made.close()


class Maker:
    """Steps and payloads by chance, out of few names, so that they meet."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311 - no secret

    def path(self) -> str:
        return ".".join(self.chance.choices(NAMES, k=self.chance.choice((1, 1, 1, 2, 2, 3))))

    def value(self, depth: int = 2) -> str:
        kind = self.chance.random()
        if depth and kind < 0.35:
            return self.payload(depth - 1)
        if depth and kind < 0.42:
            return f"[{self.value(0)},{self.value(0)}]"
        return self.chance.choice(SCALARS)

    def payload(self, depth: int = 2) -> str:
        names = self.chance.sample(NAMES, self.chance.randrange(4))
        return "{" + ",".join(f'"{name}":{self.value(depth)}' for name in names) + "}"

    def constant(self) -> Any:
        import json

        return json.loads(self.value(1))

    def step(self) -> dict[str, Any]:
        pick, path = self.chance.choice, self.path()
        keys = self.chance.sample(("1", "1.50", "x", "null", "true", ""), self.chance.randrange(3))
        otherwise = {"otherwise": self.constant()} if pick((True, False)) else {}
        return pick(
            (
                {"rename": path, "to": pick(NAMES)},
                {"move": path, "to": self.path()},
                {"default": path, "value": self.constant()},
                {"map": path, "values": {key: self.constant() for key in keys}, **otherwise},
                {
                    "cast": path,
                    "as": pick(("string", "integer", "number", "boolean")),
                    "on_failure": pick(("keep", "null", "absent")),
                },
                {"split": path, "by": pick((" ", "\n", "x")), "into": self.chance.sample(NAMES, pick((1, 2, 3)))},
                {"drop": path},
            )
        )


@pytest.mark.parametrize("seed", range(40))
def test_generated_chains_say_the_same_lifted_and_compiled(seed: int, engine: DuckDBEngine) -> None:
    maker = Maker(seed)
    registry = make_type(*(maker.step() for _ in range(maker.chance.choice((1, 1, 2, 3)))))
    payloads = [*(maker.payload() for _ in range(12)), "{}", "[1]", "5", "null"]
    rows = [(text, registry.upcast("T", 1, text)[1] or "") for text in payloads]
    values = ", ".join(f"('T', 1, {quote_text(text)}, {quote_text(lifted)})" for text, lifted in rows)
    asked = {}
    for path in sorted({maker.path() for _ in range(6)}):
        place = f"lifted, {quote_path(path.split('.'))}"
        plain = {
            "scalar": f"json_extract_scalar({place})",
            "json": f"json_format(json_extract({place}))",
            "exists": f"json_extract({place}) is not null",
        }
        for form, written in plain.items():
            compiled = compile_path(registry, path.split("."), form=form)  # type: ignore[arg-type]  # a key of the above
            assert compiled is not None or form == "json"
            if compiled is not None:
                asked[path, form] = (compiled, written)
    columns = ", ".join(f"{one} as a{at}, {other} as b{at}" for at, (one, other) in enumerate(asked.values()))
    statement = f"select {columns} from (values {values}) as t(event_type, schema_version, data, lifted)"  # noqa: S608 - our own text
    answer = engine.query(statement, {}, {})
    for at, (path, form) in enumerate(asked):
        assert answer[f"a{at}"].to_list() == answer[f"b{at}"].to_list(), (path, form, asked[path, form][0])


def test_a_path_without_older_versions_is_plain_access() -> None:
    registry = make_type({"rename": "a", "to": "b"})
    assert compile_path(EMPTY, ["b"]) == "json_extract_scalar(data, '$.b')"
    assert compile_path(registry, ["c"]) == "json_extract_scalar(data, '$.c')"
    assert compile_path(registry, ["b"], event_types=["Other"]) == "json_extract_scalar(data, '$.b')"
    assert compile_path(registry, ["b"], event_types=[]) == "json_extract_scalar(data, '$.b')"
    assert compile_path(registry, ["c d"], form="json") == """json_format(json_extract(data, '$["c d"]'))"""
    assert compile_path(registry, ["c"], form="exists", alias="e") == "json_extract(e.data, '$.c') is not null"


def test_one_type_alone_is_not_asked_for_and_an_alias_goes_before_each_column() -> None:
    registry = make_type({"drop": "a"}, name="It's")
    plain = "json_extract_scalar({}data, '$.a')"
    assert compile_path(registry, ["a"], event_types=["It's"], alias="e") == (
        f"case when e.schema_version in (1) then null else {plain.format('e.')} end"
    )
    assert compile_path(registry, ["a"]) == (
        f"case when (event_type = 'It''s') and (schema_version in (1)) then null else {plain.format('')} end"
    )


def test_versions_of_one_expression_share_it() -> None:
    drop = read_step({"drop": "a"}, Path("t.toml"))
    hops = {1: Hop(1, 2, ()), 2: Hop(2, 3, (drop,)), 3: Hop(3, 4, ())}
    registry = make_registry({"T": EventType("T", 1, 4, {}, hops)})
    found = compile_path(registry, ["a"], event_types=["T"])
    assert found == "case when schema_version in (1, 2) then null else json_extract_scalar(data, '$.a') end"


@pytest.mark.parametrize("name", ["0", "-1", 'a"b', "a\\b", "a\nb"])
def test_a_name_that_the_engines_read_differently_is_not_compiled(name: str) -> None:
    assert compile_path(EMPTY, [name]) is None
    assert compile_path(EMPTY, [""]) is None
    assert compile_path(make_type({"rename": name, "to": "b"}), ["b"]) is None


def test_an_expression_that_would_be_dearer_than_lifting_is_not_made() -> None:
    swaps = [{"rename": "a", "to": "t"}, {"rename": "b", "to": "a"}, {"rename": "t", "to": "b"}] * 9
    assert compile_path(make_type(*swaps), ["a"]) is None
    hop = make_type({"rename": "a", "to": "b"}).types["T"].hops
    kinds = {f"T{number}": EventType(f"T{number}", 1, 2, {}, hop) for number in range(600)}
    assert compile_path(make_registry(kinds), ["b"]) is None
    assert compile_path(make_registry(kinds), ["b"], event_types=["T7"]) is not None


def test_a_python_step_is_not_compiled_and_others_of_the_registry_are(tmp_path: Path) -> None:
    cases = load_cases("python")
    registry = load_registry(write_schemas(tmp_path, [*cases, *load_cases("rename")]), python_steps=True)
    for number, case in enumerate(cases):
        for path in (*case.beyond, *case.values):
            assert compile_path(registry, path.split("."), event_types=[f"Case {number}"]) is None
    assert compile_path(registry, ["b"], event_types=[f"Case {len(cases)}"]) is not None
    assert compile_path(registry, ["b"]) is None
