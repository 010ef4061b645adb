"""A disk that fills up and a folder that is read-only: one clear sentence, nothing half-written, all of it readable."""

import json
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.eventlog.logs import append, assert_whole, files_below, live_files, make_events, open_folder
from tests.eventlog.writers import ROOT
from workbench import connect
from workbench.errors import ReadOnlyLogError, StorageError, WorkbenchError
from workbench.eventlog import NativeLog

NOISE = {"noise": "".join(f"{number * 7919 % 65521:04x}" for number in range(3000))}


def mount(*arguments: str) -> None:
    """Mount, or skip loudly: only root may."""
    done = subprocess.run(["mount", *arguments], capture_output=True, check=False)  # noqa: S607 - of this system
    if done.returncode:
        pytest.skip(f"STORAGE NOT TESTED: this user may not mount ({done.stderr.decode().strip()})")


def unmount(folder: Path) -> None:
    subprocess.run(["umount", "--lazy", str(folder)], capture_output=True, check=True)  # noqa: S607 - of this system


class Disk:
    """A disk of 4 MB, of which a test leaves free as much as it likes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filler = folder / "filler"

    def leave(self, size: int) -> None:
        """Fill the disk up to ``size`` bytes."""
        self.clear()
        with self._filler.open("wb", buffering=0) as stream:
            try:
                while True:
                    stream.write(bytes(4096))
            except OSError:
                stream.truncate(max(0, stream.tell() - size))

    def clear(self) -> None:
        """Give the space back."""
        self._filler.unlink(missing_ok=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """A small disk of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount("-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder))
    yield Disk(folder)
    unmount(folder)


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Make a folder read-only, for root as well."""
    mount("--bind", str(folder), str(folder))
    try:
        mount("-o", "remount,ro,bind", str(folder))
        yield
    finally:
        unmount(folder)


def assert_sentence(error: WorkbenchError) -> None:
    """Assert that a message is plain sentences: no driver's statement, no traceback."""
    text = str(error)
    assert text.endswith(".")
    assert "\n" not in text
    assert not any(word in text for word in ("SQL:", "sqlalche", "Traceback", "Detail", "rrno"))


@pytest.mark.parametrize("free", [0, 8, 16, 24, 32, 40, 48, 64, 80, 100, 140])
def test_an_append_to_a_full_disk_is_whole_or_not_at_all(disk: Disk, free: int) -> None:
    log = open_folder(disk.folder / "bank")
    append(log, make_events(0, 20))
    disk.leave(free * 1024)
    events = make_events(20, 20, data=NOISE)
    try:
        append(log, events)
        landed = True
    except StorageError as error:
        assert_sentence(error)
        landed = False
    assert assert_whole(log).num_rows == (40 if landed else 20)
    assert assert_whole(open_folder(disk.folder / "bank")).num_rows == (40 if landed else 20)
    disk.clear()
    again = append(log, events)
    assert (again.positions.tolist(), again.appended_count) == (list(range(20, 40)), 0 if landed else 20)
    assert append(open_folder(disk.folder / "bank"), events).appended_count == 0
    log.maintain()
    assert {path for path in files_below(disk.folder) if path.suffix == ".parquet"} == live_files(log)
    assert_whole(log)


def test_a_disk_that_stays_full_is_not_filled_further_by_trying_again(disk: Disk) -> None:
    log = open_folder(disk.folder / "bank")
    append(log, make_events(0, 20))
    disk.leave(30 * 1024)
    before = len([path for path in files_below(disk.folder) if path.suffix in {".parquet", ".run"}])
    for _ in range(6):
        with pytest.raises(StorageError):
            append(log, make_events(20, 200, data=NOISE))
    assert len([path for path in files_below(disk.folder) if path.suffix in {".parquet", ".run"}]) == before
    disk.clear()
    assert append(log, make_events(20, 20)).appended_count == 20


@pytest.mark.parametrize("free", [0, 12, 30, 60, 120])
def test_maintaining_on_a_full_disk_changes_no_row(disk: Disk, free: int) -> None:
    log = open_folder(disk.folder / "bank")
    for number in range(6):
        append(log, make_events(number * 10, 10, data=NOISE | {"n": number}))
    disk.leave(free * 1024)
    try:
        log.maintain()
    except StorageError as error:
        assert_sentence(error)
    assert assert_whole(log).num_rows == 60
    disk.clear()
    append(log, make_events(60, 5))
    log.maintain()
    assert assert_whole(log).num_rows == 65
    assert {path for path in files_below(disk.folder) if path.suffix == ".parquet"} == live_files(log)


@pytest.mark.parametrize("free", [0, 30, 60, 200])
def test_ingesting_onto_a_full_disk_takes_in_all_or_nothing(disk: Disk, tmp_path: Path, free: int) -> None:
    path = tmp_path / "events.jsonl"
    lines = [
        {"specversion": "1.0", "id": f"i{number}", "source": "/bank", "type": "MoneyDeposited", "subject": "account-1"}
        | {"time": "2026-01-01T00:00:00Z", "data": NOISE | {"n": number}}
        for number in range(50)
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in [*lines, {"specversion": "1.0"}]), encoding="utf-8")
    with connect(disk.folder / "bank") as session:
        log = session._log
        assert isinstance(log, NativeLog)
        append(log, make_events(0, 5))
        disk.leave(free * 1024)
        try:
            session.ingest(path)
        except StorageError as error:
            assert_sentence(error)
            assert assert_whole(log).num_rows == 5
        disk.clear()
        session.ingest(path)
        report = session.ingest(path)
        assert (report.appended, report.duplicates, report.quarantined) == (0, 50, 1)
        assert session.quarantine().height == 1
        assert assert_whole(log).num_rows == 55


LIMITED = """
import resource, sys
from pathlib import Path
from tests.eventlog.logs import append, make_events, open_folder
from workbench.errors import WorkbenchError
folder, noise = Path(sys.argv[1]), {"noise": sys.argv[2]}
log = open_folder(folder)
append(log, make_events(0, 20))
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
for size in (0, 500, 3000, 6000, 9000, 14000, 20000, 30000, 60000):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        append(log, make_events(1000 + size, 20, data=noise))
        said = "done"
    except WorkbenchError as error:
        said = f"{type(error).__name__}: {error}"
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    print(size, log.head().position, said)
append(log, make_events(20, 20))
"""


def test_a_limit_on_the_size_of_files_refuses_in_one_sentence_and_the_log_goes_on(folder: Path) -> None:
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] == resource.RLIM_INFINITY
    command = [sys.executable, "-W", "error", "-c", LIMITED, str(folder), NOISE["noise"]]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    last = 19
    for line in done.stdout.splitlines():
        _, position, said = line.split(" ", 2)
        if said == "done":
            last += 20
        else:
            assert said.startswith("StorageError: ")
            assert said.endswith(".")
            assert "SQL:" not in said
        assert int(position) == last
    assert "StorageError" in done.stdout
    rows = assert_whole(open_folder(folder))
    assert rows.num_rows == last + 1 + 20


def test_a_read_only_log_can_be_read_and_says_in_one_sentence_that_it_cannot_be_written(folder: Path) -> None:
    log = open_folder(folder)
    append(log, make_events(0, 12))
    log.maintain()
    append(log, make_events(12, 3))
    with read_only(folder):
        for opened in (log, open_folder(folder)):
            assert opened.head().position == 14
            assert assert_whole(opened).num_rows == 15
            with pytest.raises(ReadOnlyLogError, match=r"cannot be written: Read-only file system\. .* not added to\."):
                append(opened, make_events(15, 1))
            with pytest.raises(ReadOnlyLogError):
                opened.maintain()
        with connect(folder) as session:
            assert session.events(stream_ids="account-1").height == 5
            assert session.sql("select count(*) as n from events").item() == 15
    append(log, make_events(15, 1))
    assert_whole(log)


def test_a_read_only_folder_without_a_log_is_refused_in_one_sentence(tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir()
    with read_only(place), pytest.raises(ReadOnlyLogError, match="Read-only file system") as caught:
        open_folder(place / "bank")
    assert_sentence(caught.value)


def test_a_file_in_the_place_of_the_folder_is_refused_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "bank").write_text("not a folder", encoding="utf-8")
    with pytest.raises(WorkbenchError) as caught:
        open_folder(tmp_path / "bank")
    assert_sentence(caught.value)


def test_a_catalog_file_that_is_no_database_is_refused_in_one_sentence(folder: Path) -> None:
    folder.mkdir()
    (folder / "catalog.db").write_bytes(b"this is no database" * 500)
    with pytest.raises(StorageError) as caught:
        open_folder(folder)
    assert_sentence(caught.value)
