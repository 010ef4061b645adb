from pathlib import Path

import pytest
from lxml import etree

from benchmarks import duck, sdk, stock
from benchmarks.__main__ import main
from benchmarks.data import Story
from benchmarks.ingest_cloudevents import DUCK_TOTALS, write_lines
from benchmarks.ingest_xes import write_xes

STORY = Story(total=10_000, streams=200)


def test_the_stock_table_keeps_every_snapshot_it_was_built_with(tmp_path: Path) -> None:
    batches = [STORY.rows_of_batch(number, 10) for number in range(2 * stock.BLOCK + 3)]
    stock.build_table(tmp_path, batches)
    table = stock.open_table(tmp_path, batches[0].schema)
    table.append(batches[0])
    assert len(table.snapshots()) == len({snapshot.snapshot_id for snapshot in table.snapshots()}) == len(batches) + 1
    assert table.scan().count() == 10 * (len(batches) + 1)


def test_duckdb_and_the_sdk_read_the_same_lines(tmp_path: Path) -> None:
    lines = write_lines(tmp_path, 500)
    with duck.open_duck() as connection:
        duck.copy_cloud_events(connection, lines, tmp_path / "copy.parquet")
        copied = duck.fetch_rows(connection, f"{DUCK_TOTALS} from '{tmp_path}/copy.parquet' group by all")
    table = stock.open_table(tmp_path / "stock", sdk.SCHEMA)
    assert sdk.ingest_lines(lines, table) == 500
    rows = stock.open_table(tmp_path / "stock", sdk.SCHEMA).scan().to_arrow().group_by("event_type")
    counts = rows.aggregate([("data", "count")]).to_pydict()
    assert sorted(zip(*counts.values(), strict=True)) == [row[:2] for row in copied]


def test_the_made_up_xes_log_is_whole(tmp_path: Path) -> None:
    log = etree.parse(write_xes(tmp_path / "made.xes.gz", 400)).getroot()
    assert len(log.findall("trace/event")) == 400
    assert len(log.findall("trace")) == len({trace.find("string").get("value") for trace in log.findall("trace")})


def test_a_task_that_is_not_there_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["nothing"])
    assert "there is no task 'nothing'" in capsys.readouterr().err
