"""The engine keeps the views it uses and drops the others: a log that grows all day does not grow the engine."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from workbench.query.base import Part, Relation
from workbench.query.duckdb import view_cache
from workbench.query.duckdb.engine import DuckDBEngine


def make_relation(folder: Path, version: int) -> Relation:
    path = folder / f"{version}.parquet"
    pq.write_table(pa.table({"n": [version]}), path)
    return Relation(name="events", columns={"n": "bigint"}, version=str(version), parts=(Part(files=(str(path),)),))


def count_views(engine: DuckDBEngine) -> int:
    cursor = engine._connection.cursor()
    return int(
        cursor.execute("select count(*) from duckdb_views() where view_name like 'wb\\_%' escape '\\'").fetchall()[0][0]
    )


def test_views_of_old_versions_are_dropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(view_cache, "KEPT", 3)
    engine = DuckDBEngine([tmp_path])
    for version in range(8):
        answer = engine.query("select n from events", {}, {"events": make_relation(tmp_path, version)})
        assert answer["n"].to_list() == [version]
    assert count_views(engine) == 3
    engine.close()


def test_a_view_in_use_outlives_newer_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(view_cache, "KEPT", 3)
    engine = DuckDBEngine([tmp_path])
    first = make_relation(tmp_path, 0)
    for version in range(1, 8):
        assert engine.query("select n from events", {}, {"events": first})["n"].to_list() == [0]
        engine.query("select n from events", {}, {"events": make_relation(tmp_path, version)})
    assert engine.query("select n from events", {}, {"events": first})["n"].to_list() == [0]
    engine.close()
