"""The tables for what replay keeps: one commit each, marked, refused where it cannot be, cleaned up."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyiceberg.manifest import DataFile

from tests.builders import build_events
from tests.eventlog.logs import open_folder
from workbench.errors import LogBusyError, ReadOnlyLogError
from workbench.eventlog import models
from workbench.eventlog.models import ModelTable
from workbench.session import Session, connect


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with connect(tmp_path / "bank") as opened:
        opened.append(build_events(3))
        yield opened


@pytest.fixture
def kept(session: Session) -> ModelTable:
    found = session._log.model_table("populations")
    assert found is not None
    return found


def write_steps(kept: ModelTable, model: str) -> DataFile:
    rows = {"model": model, "field": "f", "part": "steps", "segment": 1, "value": '"x"', "count": 1}
    table = pa.table({name: [value] for name, value in rows.items()})
    moment = pa.array([0], pa.timestamp("us", tz="UTC"))
    return kept.write(kept.open(), (model, "f", "steps", 1), table.append_column("occurred_at", moment))


def path_of(file: DataFile) -> Path:
    return Path(file.file_path.removeprefix("file://"))


def test_nothing_is_there_before_it_is_written(kept: ModelTable) -> None:
    assert kept.read() is None


def test_a_models_rows_and_mark_come_in_one_commit(kept: ModelTable) -> None:
    assert kept.commit("m", "mark", seen=None, added=[write_steps(kept, "m")], replaced=[])
    reading = kept.read()
    assert reading is not None
    assert reading.marks == {"m": "mark"}
    assert [file.key for file in reading.files] == [("m", "f", "steps", "1")]
    part = reading.part(("m", "f"))
    assert (len(part.files), part.bounds) == (1, ({"occurred_at": (0, 0)},))
    assert kept.read() is reading
    assert reading.part(("m", "g")).files == ()
    assert kept.read_rows(reading, ("m",)).column("count").to_pylist() == [1]


def test_whoever_comes_later_with_the_same_model_leaves_nothing(kept: ModelTable) -> None:
    kept.commit("m", "mark", seen=None, added=[write_steps(kept, "m")], replaced=[])
    late = write_steps(kept, "m")
    assert not kept.commit("m", "other", seen=None, added=[late], replaced=[])
    assert not path_of(late).exists()


def test_other_models_committed_meanwhile_stay(kept: ModelTable, monkeypatch: pytest.MonkeyPatch) -> None:
    stale = kept.open()
    kept.commit("m", "mark", seen=None, added=[write_steps(kept, "m")], replaced=[])
    fresh = kept.open()
    tables = iter([stale, fresh])
    added = [write_steps(kept, "n")]
    monkeypatch.setattr(kept, "open", lambda: next(tables))
    assert kept.commit("n", "other", seen=None, added=added, replaced=[])
    reading = kept.read()
    assert reading is not None
    assert reading.marks == {"m": "mark", "n": "other"}


def test_a_commit_that_others_always_precede_is_given_up(kept: ModelTable, monkeypatch: pytest.MonkeyPatch) -> None:
    stale = kept.open()
    added = write_steps(kept, "n")
    kept.commit("m", "mark", seen=None, added=[write_steps(kept, "m")], replaced=[])
    monkeypatch.setattr(kept, "open", lambda: stale)
    monkeypatch.setattr(models, "ATTEMPTS", 2)
    with pytest.raises(LogBusyError, match="always quicker"):
        kept.commit("n", "other", seen=None, added=[added], replaced=[])
    assert not path_of(added).exists()


def refuse(*_: Any, **__: Any) -> Any:
    raise PermissionError(13, "Permission denied")


def test_a_session_that_may_not_write_says_so(
    session: Session, kept: ModelTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session._log._store.tables.catalog, "create_table_if_not_exists", refuse)  # type: ignore[attr-defined] # the log of an embedded session
    with pytest.raises(ReadOnlyLogError, match=r"log_derived\.populations cannot be written by this session"):
        kept.open()
    with pytest.raises(ReadOnlyLogError, match="folded from the events"):
        session.materialise("document")
    assert session.state("document").height == 1


@pytest.mark.parametrize("doing", ["write_file", "commit_change"])
def test_a_file_or_commit_that_is_refused_is_told_of(
    kept: ModelTable, doing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    added = [write_steps(kept, "m")]
    monkeypatch.setattr(models, doing, refuse)
    with pytest.raises(ReadOnlyLogError, match="cannot be written"):
        kept.commit("m", "mark", seen=None, added=[*added, write_steps(kept, "m")], replaced=[])


def test_a_model_can_be_taken_out(kept: ModelTable) -> None:
    kept.commit("m", "mark", seen=None, added=[write_steps(kept, "m")], replaced=[])
    reading = kept.read()
    assert reading is not None
    files = [file.file for file in reading.files]
    assert kept.commit("m", None, seen="mark", added=[], replaced=files)
    after = kept.read()
    assert after is not None
    assert (after.marks, after.files) == ({}, [])


def test_maintenance_removes_what_nothing_reaches_any_more(session: Session, tmp_path: Path) -> None:
    for _ in range(4):
        session.materialise("document", rebuild=True)
    files = list((tmp_path / "bank").rglob("log_derived/checkpoints/data/*.parquet"))
    for file in files:
        os.utime(file, (0, 0))
    before = session.state("document")
    assert session.maintain().removed_files >= 2
    assert len(list((tmp_path / "bank").rglob("log_derived/checkpoints/data/*.parquet"))) < len(files)
    assert session.state("document").equals(before)
    assert open_folder(tmp_path / "bank").model_table("checkpoints").read() is not None
