"""The golden files of the steps on Trino: lifted beside the log, and compiled into SQL over what was written."""

from pathlib import Path

import msgspec
import pytest

from tests.chains import make_question
from tests.golden import FILES, load_cases, read_compiled, read_lifted, write_events, write_schemas
from tests.stack.conftest import MakeSettings, OpenLake
from workbench.session import Session, open_session


@pytest.mark.parametrize("name", FILES)
def test_both_ways_say_on_trino_what_the_golden_file_says(
    name: str, lake_settings: MakeSettings, tmp_path: Path
) -> None:
    cases = load_cases(name)
    schemas = write_schemas(tmp_path / "schemas", cases)

    def open_one(engine: str) -> Session:
        settings = lake_settings(engine=engine)
        return open_session(msgspec.structs.replace(settings, schemas=schemas, python_steps=name == "python"))

    with open_one("duckdb") as duckdb, open_one("trino") as trino:
        duckdb.ingest(write_events(tmp_path, cases))
        lifted = read_lifted(trino, cases)
        assert lifted == read_lifted(duckdb, cases)
        for case, row in zip(cases, lifted, strict=True):
            assert row["data"] == bytes(case.lifted).decode()
            assert row["schema_version"] == (1 if case.fails else len(case.chain) + 1)
            assert (row["scalar"], row["json"]) == (case.values, case.json)
        if name != "python":
            for case, row in zip(cases, read_compiled(trino, cases), strict=True):
                assert (row["scalar"], row["json"]) == (case.values, case.json)


def test_generated_chains_say_on_trino_the_same_lifted_and_compiled(open_lake: OpenLake) -> None:
    engine = open_lake(engine="trino").engine
    for seed in range(100, 112):
        statement, asked = make_question(seed)
        answer = engine.query(statement, {}, {})
        for at, told in enumerate(asked):
            assert answer[f"a{at}"].to_list() == answer[f"b{at}"].to_list(), told
