"""The index: derived, and whatever happens to it, never a wrong answer."""

import shutil
import zlib
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.eventlog.logs import append, assert_whole, event_ids, make_events, open_folder, read_events
from workbench.eventlog import NativeLog
from workbench.eventlog.index.records import EVENT_RECORD, STREAM_RECORD, sort_records
from workbench.eventlog.index.runs import BLOCK, DamagedRunError, Mark, Run, write_run

SIZE = 700  # eleven blocks, several runs


def fill(folder: Path, *, source: str = "e") -> NativeLog:
    """Return a log of a few commits whose index has several runs."""
    log = open_folder(folder)
    for start, size in [(0, 600), (600, 80), (680, 15), (695, 5)]:
        append(log, make_events(start, size, name=source, streams=300))
    return log


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a log of 700 events, to be copied."""
    folder = tmp_path_factory.mktemp("filled") / "bank"
    fill(folder)
    return folder


@pytest.fixture
def copy(filled: Path) -> Path:
    """The folder of the same log again, its index to be damaged; put back where its paths say it lies."""
    index = filled / "derived" / "index"
    kept = filled.parent / "kept"
    if not kept.exists():
        shutil.copytree(filled, kept)
    shutil.rmtree(filled)
    shutil.copytree(kept, filled)
    assert (index / "mark").exists()
    return filled


def assert_right(folder: Path) -> None:
    """Assert that every known event is known, every stream goes on from its last version, and nothing is doubled."""
    log = open_folder(folder)
    known = append(log, make_events(0, SIZE, streams=300))
    assert known.positions.tolist() == list(range(SIZE))
    assert (known.appended_count, known.duplicate_count) == (0, SIZE)
    append(log, make_events(SIZE, 300, streams=300))
    assert_whole(log)


def read_mark(folder: Path) -> Mark:
    return msgspec.json.decode((folder / "derived/index/mark").read_bytes()[8:], type=Mark)


def write_mark(folder: Path, mark: Mark) -> None:
    text = msgspec.json.encode(mark)
    (folder / "derived/index/mark").write_bytes(f"{zlib.crc32(text):08x}".encode() + text)


def runs_of(folder: Path) -> list[Path]:
    return sorted((folder / "derived/index").glob("*.run"), key=lambda path: path.stat().st_size)


def flip_bit(path: Path, byte: int, bit: int = 3) -> None:
    content = bytearray(path.read_bytes())
    content[byte] ^= 1 << bit
    path.write_bytes(content)


def delete_index(folder: Path) -> None:
    shutil.rmtree(folder / "derived/index")


def delete_mark(folder: Path) -> None:
    (folder / "derived/index/mark").unlink()


def delete_run(folder: Path) -> None:
    runs_of(folder)[-1].unlink()


def truncate_run(folder: Path) -> None:
    path = runs_of(folder)[-1]
    path.write_bytes(path.read_bytes()[:-9])


def empty_run(folder: Path) -> None:
    runs_of(folder)[-1].write_bytes(b"")


def lengthen_run(folder: Path) -> None:
    path = runs_of(folder)[0]
    path.write_bytes(path.read_bytes() + bytes(56))


def truncate_mark(folder: Path) -> None:
    path = folder / "derived/index/mark"
    path.write_bytes(path.read_bytes()[:20])


def garble_mark(folder: Path) -> None:
    (folder / "derived/index/mark").write_bytes(b"\xff\x00garbage")


def garble_runs(folder: Path) -> None:
    for path in runs_of(folder):
        path.write_bytes(np.random.default_rng(1).bytes(path.stat().st_size))


def swap_runs(folder: Path) -> None:
    first, *_, last = runs_of(folder)
    content = first.read_bytes()
    first.write_bytes(last.read_bytes())
    last.write_bytes(content)


def claim_too_much(folder: Path) -> None:
    mark = read_mark(folder)
    write_mark(folder, msgspec.structs.replace(mark, position=mark.position + 5000))


def claim_all_with_runs_left_out(folder: Path) -> None:
    mark = read_mark(folder)
    write_mark(folder, msgspec.structs.replace(mark, events=mark.events[:1]))


def claim_all_with_no_runs(folder: Path) -> None:
    write_mark(folder, msgspec.structs.replace(read_mark(folder), events=(), streams=()))


def claim_too_little(folder: Path) -> None:
    mark = read_mark(folder)
    write_mark(folder, msgspec.structs.replace(mark, position=mark.position - 100))


def claim_another_sum(folder: Path) -> None:
    mark = read_mark(folder)
    write_mark(folder, msgspec.structs.replace(mark, digest_sum=mark.digest_sum + 1))


def put_anothers_index(folder: Path) -> None:
    other = folder.parent / "other"
    if not other.exists():
        fill(other, source="x")
    shutil.rmtree(folder / "derived/index")
    shutil.copytree(other / "derived/index", folder / "derived/index")


def put_a_folder_in_the_way(folder: Path) -> None:
    (folder / "derived/index/mark.new").mkdir()


@pytest.mark.parametrize(
    "damage",
    [
        delete_index,
        delete_mark,
        delete_run,
        truncate_run,
        empty_run,
        lengthen_run,
        truncate_mark,
        garble_mark,
        garble_runs,
        swap_runs,
        claim_too_much,
        claim_all_with_runs_left_out,
        claim_all_with_no_runs,
        claim_too_little,
        claim_another_sum,
        put_anothers_index,
        put_a_folder_in_the_way,
    ],
    ids=lambda damage: damage.__name__,
)
def test_a_damaged_index_never_gives_a_wrong_answer(copy: Path, damage: Callable[[Path], None]) -> None:
    damage(copy)
    assert_right(copy)


def test_a_flipped_bit_in_any_block_never_gives_a_wrong_answer(copy: Path) -> None:
    largest = max(path.stat().st_size for path in runs_of(copy))
    for name in [
        path.name for path in runs_of(copy) if path.stat().st_size in {largest, runs_of(copy)[0].stat().st_size}
    ]:
        size = (copy / "derived/index" / name).stat().st_size
        log = open_folder(copy)
        for byte in [0, 9, 17, 25, 40, *range(100, size, max(1, size // 14))]:
            path = copy / "derived/index" / name
            content = path.read_bytes()
            flip_bit(path, byte)
            known = append(open_folder(copy), make_events(0, SIZE, streams=300))
            assert (known.appended_count, known.positions.tolist()) == (0, list(range(SIZE)))
            restore(copy, name, content)
        assert event_ids(log) == [f"e{number}" for number in range(SIZE)]


def restore(folder: Path, name: str, content: bytes) -> None:
    """Put the whole index back as it was before a flip had it made anew."""
    shutil.rmtree(folder / "derived/index")
    shutil.copytree(folder.parent / "kept/derived/index", folder / "derived/index")
    assert (folder / "derived/index" / name).read_bytes() == content


def test_a_bit_flipped_under_an_open_session_never_gives_a_wrong_answer(copy: Path) -> None:
    log = open_folder(copy)
    assert append(log, make_events(0, SIZE, streams=300)).appended_count == 0
    for path in runs_of(copy):
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        with path.open("r+b") as stream:
            stream.write(content)
    assert append(log, make_events(0, SIZE, streams=300)).positions.tolist() == list(range(SIZE))


def test_a_run_cut_short_under_an_open_session_never_gives_a_wrong_answer(copy: Path) -> None:
    log = open_folder(copy)
    assert append(log, make_events(0, SIZE, streams=300)).appended_count == 0
    for path in runs_of(copy):
        with path.open("r+b") as stream:
            stream.truncate(200)
    assert append(log, make_events(0, SIZE, streams=300)).positions.tolist() == list(range(SIZE))
    assert_right(copy)


def test_an_older_index_restored_reads_what_it_has_not_seen(copy: Path) -> None:
    older = copy.parent / "older"
    shutil.rmtree(older, ignore_errors=True)
    shutil.copytree(copy / "derived/index", older)
    log = open_folder(copy)
    append(log, make_events(SIZE, 50, streams=300))
    for _ in range(2):
        shutil.rmtree(copy / "derived/index")
        shutil.copytree(older, copy / "derived/index")
        assert append(log, make_events(SIZE, 50, streams=300)).positions.tolist() == list(range(SIZE, SIZE + 50))
        assert append(open_folder(copy), make_events(SIZE, 50, streams=300)).appended_count == 0
    assert_whole(log)


def test_an_index_deleted_under_an_open_session_is_made_anew(copy: Path) -> None:
    log = open_folder(copy)
    append(log, make_events(SIZE, 1))
    delete_index(copy)
    assert append(log, make_events(0, SIZE, streams=300)).appended_count == 0
    assert read_mark(copy).position == SIZE


def test_known_events_are_known_after_compaction(copy: Path) -> None:
    log = open_folder(copy)
    log.maintain()
    assert_right(copy)
    delete_index(copy)
    assert append(open_folder(copy), make_events(0, SIZE + 300, streams=300)).appended_count == 0


def test_a_session_notices_what_another_appended_meanwhile(folder: Path) -> None:
    first, second = open_folder(folder), open_folder(folder)
    for start in range(0, 60, 4):
        append(first, make_events(start, 3, streams=1))
        append(second, make_events(start + 1, 3, streams=1))
    assert_whole(first)
    assert read_events(second).num_rows == 60


def test_runs_stay_few_over_many_appends(log: NativeLog, folder: Path) -> None:
    for start in range(0, 200, 5):
        append(log, make_events(start, 5))
    mark = read_mark(folder)
    assert len(mark.events) <= 6
    assert len(runs_of(folder)) == len(mark.events) + len(mark.streams)


words = st.integers(0, 2**64 - 1) | st.sampled_from([0, 1, 5, 2**63, 2**64 - 1])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    held=st.lists(st.tuples(words, st.integers(0, 3)), max_size=4 * BLOCK, unique=True),
    asked=st.lists(st.tuples(words, st.integers(0, 3)), max_size=30),
)
def test_a_run_finds_exactly_the_keys_it_holds(
    tmp_path: Path, held: list[tuple[int, int]], asked: list[tuple[int, int]]
) -> None:
    records = np.zeros(len(held), EVENT_RECORD)
    records["hi"] = [hi for hi, _ in held]
    records["lo"] = [lo for _, lo in held]
    records["position"] = np.arange(len(held))
    run = Run(write_run(tmp_path, sort_records(records)), EVENT_RECORD)
    keys = np.array([*asked, *held[::7]], dtype="u8").reshape(-1, 2)
    which, found = run.find(keys[:, 0], keys[:, 1])
    places = {key: place for place, key in enumerate(held)}
    wanted = [(at, places[tuple(key)]) for at, key in enumerate(keys.tolist()) if tuple(key) in places]
    assert list(zip(which.tolist(), found["position"].tolist(), strict=True)) == wanted


def test_a_flip_far_from_the_key_asked_for_does_not_lead_the_search_astray(tmp_path: Path) -> None:
    records = np.zeros(16 * BLOCK, EVENT_RECORD)
    records["hi"] = np.arange(len(records), dtype="u8") << 40
    path = write_run(tmp_path, records)
    start = path.stat().st_size - records.nbytes
    middle = start + len(records) // 2 * EVENT_RECORD.itemsize
    flip_bit(path, middle + 7, 7)  # the highest bit of the key a binary search over everything looks at first
    run = Run(path, EVENT_RECORD)
    which, _ = run.find(records["hi"][-1:], records["lo"][-1:])
    assert which.tolist() == [0]
    with pytest.raises(DamagedRunError):
        run.find(records["hi"][len(records) // 2 :][:1], records["lo"][:1])


def test_an_empty_run_finds_nothing(tmp_path: Path) -> None:
    run = Run(write_run(tmp_path, np.empty(0, STREAM_RECORD)), STREAM_RECORD)
    which, found = run.find(np.array([1], dtype="u8"), np.array([1], dtype="u8"))
    assert (len(which), len(found), len(run.read())) == (0, 0, 0)
