"""Statements that try to read, write or learn more than the session's relations hold: each is refused."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import duckdb
import polars as pl
import pytest

from workbench.errors import QueryRefusedError
from workbench.query.duckdb.engine import DuckDBEngine

secret_rows = pl.DataFrame({"secret": [1]})

# {inside} is a Parquet file of the warehouse, {outside} a text file beside it, {target} a path to be written.
ATTACKS = [
    "select * from '{inside}'",
    'select * from "{inside}"',
    "from '{inside}'",
    "from events",
    "select * from read_parquet('{inside}')",
    "select * from parquet_scan('{inside}')",
    "select * from READ_PARQUET(['{inside}'])",
    "select * from read_csv('{outside}')",
    "select * from read_csv_auto('{outside}')",
    "select * from read_json('{outside}')",
    "select * from read_text('{outside}')",
    "select * from read_blob('{inside}')",
    "select * from glob('/*')",
    "select * from parquet_metadata('{inside}')",
    "select * from parquet_schema('{inside}')",
    "select * from parquet_file_metadata('{inside}')",
    "select * from sniff_csv('{outside}')",
    "select * from duckdb_settings()",
    "select * from duckdb_secrets()",
    "select * from duckdb_functions()",
    "select * from duckdb_tables",
    "select * from pragma_table_info('events')",
    "select * from information_schema.tables",
    "select * from pg_catalog.pg_class",
    "select * from pg_class",
    "select * from sqlite_master",
    "select * from memory.main.events",
    "select * from query('select 1')",
    "select * from query_table('events')",
    "select * from json_execute_serialized_sql('x')",
    "select * from range(10)",
    "select * from generate_series(1, 3)",
    "select * from table(read_text('{outside}'))",
    "select * from table(sequence(1, 3))",
    "select * from lateral (select * from read_text('{outside}'))",
    "select read_text('{outside}')",
    "select getenv('HOME')",
    "select current_setting('home_directory')",
    "select current_user",
    "select current_schema",
    "select current_catalog",
    "select version()",
    "select nextval('s')",
    "select write_log('x')",
    "select wb_json_number('1', '$')",
    "select lower_text(event_type) from events",
    "select * from (select * from read_blob('{inside}')) as t",
    "with t as (select * from read_text('{outside}')) select * from t",
    "select (select content from read_text('{outside}')) as c",
    "select 1 where exists (select 1 from glob('/*'))",
    "select 1 as a union all select * from read_text('{outside}')",
    "select * from events e join read_parquet('{inside}') p on true",
    "select transform(array['{outside}'], x -> read_text(x))",
    "select * from /* hidden */ read_text('{outside}')",
    "select * from\n-- hidden\nread_text('{outside}')",
    "select * from \"read_text\"('{outside}')",
    "select \"getenv\"('HOME')",
    "select * from \uff52ead_text('{outside}')",
    "select * from read_text\u200b('{outside}')",
    "select * from secret_rows",
    "select * from ask",
    "select 1; select 2",
    "select 1; drop table events",
    "select 1; copy (select 1) to '{target}'",
    "copy (select 1) to '{target}'",
    "copy events to '{target}' (format parquet)",
    "export database '{target}'",
    "attach '{target}' as stolen",
    "detach memory",
    "install httpfs",
    "load httpfs",
    "set enable_external_access = true",
    "set session time_zone = 'UTC'",
    "reset lock_configuration",
    "pragma database_list",
    "call pragma_version()",
    "checkpoint",
    "vacuum",
    "use memory",
    "prepare p as select 1",
    "execute p",
    "explain select 1",
    "explain analyze select * from events",
    "describe events",
    "summarize events",
    "show tables",
    "show all",
    "table events",
    "values (1)",
    "create table t as select 1",
    "create view v as select 1",
    "create macro m() as 1",
    "create secret s (type s3)",
    "insert into events select * from events",
    "update events set position = 1",
    "delete from events",
    "merge into events using events on true when matched then delete",
    "truncate table events",
    "alter table events drop column data",
    "grant select on events to public",
    "begin transaction",
    "select * into t from events",
    "select * from events for version as of 1",
    "select * from events tablesample bernoulli (10)",
    "select * from events match_recognize (pattern (a))",
    "with recursive t(a) as (select 1 union all select a + 1 from t) select * from t",
    "select * exclude (data) from events",
    "select columns('.*') from events",
    "select event_type from events qualify row_number() over () = 1",
    "select * from events pivot (count(*) for event_type in ('a'))",
    "select $1",
    "select ?",
    "select :missing",
    "select '",
    "",
    ";",
    "select" + " (" * 5000,
]


def _contents(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize("attack", ATTACKS, ids=[attack[:60] for attack in ATTACKS])
def test_an_attack_is_refused_before_anything_runs(
    ask: Callable[..., pl.DataFrame], warehouse: Path, tmp_path: Path, attack: str
) -> None:
    outside = tmp_path / "outside.txt"
    outside.write_text("secret", encoding="utf-8")
    before = _contents(tmp_path), _contents(warehouse)
    statement = (
        attack.replace("{inside}", str(warehouse / "first.parquet"))
        .replace("{outside}", str(outside))
        .replace("{target}", str(warehouse / "stolen.parquet"))
    )
    with pytest.raises(QueryRefusedError):
        ask(statement)
    assert (_contents(tmp_path), _contents(warehouse)) == before


NATIVE_ATTACKS = [
    attack
    for attack in ATTACKS
    if not attack.startswith(
        (
            "from events",
            "select * from range",
            "select * from generate_series",
            "table events",
            "values (1)",
            "with recursive",
            "select * exclude",
            "select columns",
            "select event_type from events qualify",
            "select * from events pivot",
            "select * from events tablesample",
            "select $1",
            "select ?",
        )
    )
]


@pytest.mark.parametrize("attack", NATIVE_ATTACKS, ids=[attack[:60] for attack in NATIVE_ATTACKS])
def test_a_native_attack_gives_nothing_and_changes_nothing(
    ask: Callable[..., pl.DataFrame], warehouse: Path, tmp_path: Path, attack: str
) -> None:
    outside = tmp_path / "outside.txt"
    outside.write_text("secret", encoding="utf-8")
    before = _contents(tmp_path), _contents(warehouse)
    statement = (
        attack.replace("{inside}", str(warehouse / "first.parquet"))
        .replace("{outside}", str(outside))
        .replace("{target}", str(warehouse / "stolen.parquet"))
    )
    with pytest.raises(QueryRefusedError):
        ask(statement, native=True)
    assert (_contents(tmp_path), _contents(warehouse)) == before


SECOND_LAYER = [
    "select * from read_text('{outside}')",
    "select * from read_csv('{outside}')",
    "select * from glob('{outside}')",
    "copy (select 1) to '{elsewhere}'",
    "attach '{elsewhere}' as stolen",
    "export database '{elsewhere}'",
    "install httpfs",
    "load '{outside}'",
    "set enable_external_access = true",
    "set global enable_external_access = true",
    "set lock_configuration = false",
    "set allowed_directories = ['/']",
    "set python_enable_replacements = true",
    "reset enable_external_access",
    "select * from secret_rows",
    "pragma enable_profiling",
]


@pytest.mark.parametrize("attack", SECOND_LAYER)
def test_the_locked_connection_itself_refuses_too(engine: DuckDBEngine, tmp_path: Path, attack: str) -> None:
    outside = tmp_path / "outside.txt"
    outside.write_text("a,b", encoding="utf-8")
    statement = attack.replace("{outside}", str(outside)).replace("{elsewhere}", str(tmp_path / "elsewhere"))
    with engine._cursor() as cursor, pytest.raises(duckdb.Error):
        cursor.execute(statement).fetchall()
    assert [path.name for path in tmp_path.iterdir() if path.name == "elsewhere"] == []
