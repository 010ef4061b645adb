"""A run's filter: it lets every key pass that is there, and few that are not."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench.eventlog.index.filters import LEAST, PIECE, SLICE, count_pieces
from workbench.eventlog.index.records import EVENT_RECORD, MERGED, STREAM_RECORD, Records, Words, sort_records
from workbench.eventlog.index.runs import DamagedRunError, Run, find_keys, write_merged, write_run


def make_keys(count: int, seed: int) -> Words:
    return np.random.default_rng(seed).integers(0, 2**64, (count, 2), dtype=np.uint64)


def make_records(keys: Words) -> Records:
    records = np.zeros(len(keys), STREAM_RECORD)
    records["hi"], records["lo"] = keys[:, 0], keys[:, 1]
    records["version"] = np.arange(len(keys))
    return sort_records(records)


def open_run(folder: Path, keys: Words) -> Run:
    return Run(write_run(folder, make_records(keys)), STREAM_RECORD)


@pytest.mark.parametrize("count", [LEAST, 3277, 40_000, SLICE + 1000])
def test_every_key_passes_that_is_there_and_few_that_are_not(tmp_path: Path, count: int) -> None:
    keys = make_keys(count, seed=1)
    run = open_run(tmp_path, keys)
    held = make_records(keys)
    assert run.admit(held["hi"], held["lo"]).tolist() == list(range(count))
    others = make_records(make_keys(10_000, seed=2))
    assert len(run.admit(others["hi"], others["lo"])) < 200


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    held=st.lists(
        st.tuples(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1)), min_size=LEAST, max_size=LEAST + 8, unique=True
    ),
    crowded=st.integers(0, 2**64 - 1),
)
def test_keys_that_crowd_together_are_found(tmp_path: Path, held: list[tuple[int, int]], crowded: int) -> None:
    keys = np.array([*held, *((crowded, lo) for lo in range(3)), (2**64 - 1, 2**64 - 1), (0, 0)], dtype=np.uint64)
    keys = np.unique(keys, axis=0)
    which, records = open_run(tmp_path, keys).find(keys[:, 0], keys[:, 1])
    assert which.tolist() == list(range(len(keys)))
    assert sorted(records["version"].tolist()) == list(range(len(keys)))


def test_a_key_that_is_not_there_costs_no_read_of_records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = open_run(tmp_path, make_keys(50_000, seed=1))
    read: list[int] = []
    monkeypatch.setattr(run, "_read_blocks", lambda start, stop: read.append(stop - start))
    keys = make_keys(20, seed=3)
    assert [len(records) for _, records in find_keys([run], keys[:, 0], keys[:, 1])] == [0]
    assert not read


def test_a_small_run_has_no_filter(tmp_path: Path) -> None:
    assert count_pieces(LEAST - 1) == 0
    keys = make_keys(LEAST - 1, seed=1)
    assert len(open_run(tmp_path, keys).find(keys[:, 0], keys[:, 1])[0]) == LEAST - 1


@pytest.mark.parametrize("kind", [EVENT_RECORD, STREAM_RECORD], ids=["event", "stream"])
def test_a_flipped_bit_of_a_filter_is_noticed(tmp_path: Path, kind: np.dtype[np.void]) -> None:
    keys = make_keys(10_000, seed=1)
    records = np.zeros(len(keys), kind)
    records["hi"], records["lo"] = keys[:, 0], keys[:, 1]
    path = write_run(tmp_path, sort_records(records))
    content = bytearray(path.read_bytes())
    filter_end = len(content) - records.nbytes
    for at in (filter_end - 1, filter_end - count_pieces(len(keys)) * PIECE):
        flipped = content.copy()
        flipped[at] ^= 4
        path.write_bytes(flipped)
        run = Run(path, kind)
        with pytest.raises(DamagedRunError):
            run.find(keys[:, 0], keys[:, 1])


@pytest.mark.parametrize("sizes", [(5,), (0, 700), (3 * MERGED, MERGED + 5, 70), (100, 100, 100)])
def test_a_run_of_several_arrays_is_the_run_of_all_their_records(tmp_path: Path, sizes: tuple[int, ...]) -> None:
    parts = [make_records(make_keys(size, seed=seed)) for seed, size in enumerate(sizes)]
    merged = write_merged(tmp_path, parts)
    whole = write_run(tmp_path, sort_records(np.concatenate(parts)))
    assert merged.read_bytes() == whole.read_bytes()
