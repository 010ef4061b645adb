"""What stands at a path of a lifted payload, out of the payload as it was written: what the lifted one says there."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chains import make_question, make_type
from tests.golden import FILES, load_cases, read_compiled, read_lifted, write_events, write_schemas
from workbench.decode.registry import EMPTY, EventType, Hop, load_registry, make_registry, read_step
from workbench.query.duckdb.engine import DuckDBEngine
from workbench.query.upcast.sql import compile_path
from workbench.session import connect


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


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDBEngine]:
    made = DuckDBEngine([tmp_path_factory.mktemp("none")])
    yield made
    made.close()


@pytest.mark.parametrize("seed", range(40))
def test_generated_chains_say_the_same_lifted_and_compiled(seed: int, engine: DuckDBEngine) -> None:
    statement, asked = make_question(seed)
    answer = engine.query(statement, {}, {})
    for at, told in enumerate(asked):
        assert answer[f"a{at}"].to_list() == answer[f"b{at}"].to_list(), told


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
