"""A file is written while it is decoded, or decoded first: what becomes of its records is the same."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from tests.eventlog.logs import append, assert_whole, event_ids, make_events, open_folder
from workbench.decode import DecodeContext, decode_source, workers
from workbench.errors import SourceError
from workbench.eventlog import NativeLog, files
from workbench.eventlog.index import index
from workbench.eventlog.writing import ingest, output, spool
from workbench.sources import jsonlines
from workbench.sources.jsonlines import JsonLines

CONTEXT = DecodeContext(source_name="lines")
RECORDS = 400


def write_lines(path: Path, count: int = RECORDS) -> bytes:
    """Write so many records, each tenth of them no JSON, and each seventh one that came before."""
    lines = []
    for number in range(count):
        at = f"2026-01-01T00:{number // 60 % 60:02}:{number % 60:02}Z"
        name = number - 3 if number % 7 == 6 else number
        fields = {"event_id": f"e{name}", "stream_id": f"s{name % 5}", "event_type": "T", "data": {"n": name}}
        at = at if name == number else f"2026-01-01T00:{name // 60 % 60:02}:{name % 60:02}Z"
        lines.append("nonsense" if number % 10 == 9 else json.dumps({**fields, "occurred_at": at}))
    text = "\n".join(lines).encode()
    path.write_bytes(text)
    return text


def take_in(log: NativeLog, path: Path) -> ingest.IngestReport:
    return log.ingest(JsonLines(path, "lines"), CONTEXT, path=path)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks, batches, row groups, files and runs so small that a few hundred records are many of each."""
    monkeypatch.setattr(jsonlines, "CHUNK", 2_000)
    monkeypatch.setattr(spool, "BATCH", 30)
    monkeypatch.setattr(output, "ROW_GROUP", 20)
    monkeypatch.setattr(files, "ROW_GROUP", 20)
    monkeypatch.setattr(output, "ROWS_PER_FILE", 100)
    monkeypatch.setattr(index, "MOST", 120)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("short", [0, 1 << 29])
@pytest.mark.parametrize("cores", [1, 2])
def test_a_file_taken_in_while_it_is_decoded_is_a_file_decoded_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, short: int, cores: int
) -> None:
    monkeypatch.setattr(ingest, "SHORT", short)
    monkeypatch.setattr(workers, "count_cores", lambda: cores)
    log, path = open_folder(tmp_path / "log"), tmp_path / "lines.jsonl"
    write_lines(path)
    decoded = list(decode_source(JsonLines(path, "lines"), CONTEXT, workers=1))
    ids = np.concatenate([part.events.column("event_id").to_numpy(zero_copy_only=False) for part in decoded]).tolist()
    expected = [*dict.fromkeys(ids)]
    report = take_in(log, path)
    assert (report.read, report.appended) == (RECORDS, len(expected))
    assert (report.duplicates, report.quarantined) == (len(ids) - len(expected), RECORDS - len(ids))
    assert event_ids(log) == expected
    again = take_in(log, path)
    assert (again.appended, again.duplicates) == (0, len(ids))
    assert_whole(log)


@pytest.mark.usefixtures("small")
def test_a_source_that_fails_half_way_leaves_nothing_of_what_was_written(tmp_path: Path) -> None:
    log, path = open_folder(tmp_path / "log"), tmp_path / "lines.jsonl.gz"
    append(log, make_events(0, 3))
    before = {*(tmp_path / "log").rglob("*.parquet")}
    path.write_bytes(gzip.compress(write_lines(path, 4_000))[:-200])
    with pytest.raises(SourceError, match="truncated"):
        take_in(log, path)
    assert {*(tmp_path / "log").rglob("*.parquet")} == before
    assert log._store.index.position == 2
    assert append(log, make_events(3, 2)).positions.tolist() == [3, 4]
    assert_whole(log)
