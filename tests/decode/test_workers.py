import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from workbench.decode import DecodeContext, decode_source, processes
from workbench.errors import SourceError
from workbench.sources.base import RecordChunk

CONTEXT = DecodeContext(source_name="file")


def make_line(at: int) -> bytes:
    record = {
        "specversion": "1.0",
        "id": f"e{at}",
        "source": "s",
        "type": "T",
        "time": "2026-01-31T12:00:00Z",
        "data": {"n": at / 4} if at % 50 else float("nan"),
    }
    return json.dumps(record).encode()


class Lines:
    """Chunks of twenty lines; counts how many were asked for."""

    def __init__(self, count: int, fails_after: int | None = None) -> None:
        self.count = count
        self.fails_after = fails_after
        self.asked = 0

    def chunks(self) -> Iterator[RecordChunk]:
        for chunk in range(self.count):
            if chunk == self.fails_after:
                raise SourceError("the file is truncated")
            self.asked += 1
            numbers = list(range(chunk * 20, chunk * 20 + 20))
            raws = [make_line(at) for at in numbers]
            yield RecordChunk(media_type="application/cloudevents+json", raws=raws, offsets=numbers, lines=numbers)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Iterator[list["subprocess.Popen[bytes]"]]:
    """Collect the workers that a test starts, and check that none is left."""
    workers: list[subprocess.Popen[bytes]] = []
    start = processes._start

    def collect(context: DecodeContext) -> "subprocess.Popen[bytes]":
        workers.append(start(context))
        return workers[-1]

    monkeypatch.setattr(processes, "_start", collect)
    yield workers
    assert all(worker.returncode is not None for worker in workers)


def outcome(workers: int, count: int = 20) -> list[object]:
    found: list[object] = []
    for decoded in decode_source(Lines(count), CONTEXT, workers=workers):
        found += [(row["offset"], row["event_id"], row["data"]) for row in decoded.events.to_pylist()]
        found += [(rejection.offset, rejection.reason) for rejection in decoded.rejections]
    return found


def test_workers_give_what_one_process_gives(started: list["subprocess.Popen[bytes]"]) -> None:
    alone = outcome(1)
    assert not started
    assert outcome(2) == alone
    assert len(started) == 1
    assert len(alone) == 400


def test_workers_may_leave_events_in_files(tmp_path: Path, started: list["subprocess.Popen[bytes]"]) -> None:
    parts = list(decode_source(Lines(20), CONTEXT, workers=2, folder=tmp_path))
    assert [row["offset"] for part in parts for row in part.events.to_pylist()] == [at for at in range(400) if at % 50]
    assert {part.file for part in parts if part.file} == set(tmp_path.iterdir())
    assert all(part.events.equals(processes.map_file(part.file)) for part in parts if part.file)
    assert len(started) == 1


def test_a_small_source_starts_no_worker(started: list["subprocess.Popen[bytes]"]) -> None:
    assert len(outcome(2, count=2)) == 40
    assert not started


def test_a_process_decodes_on_each_core_by_default(started: list["subprocess.Popen[bytes]"]) -> None:
    cores = len(os.sched_getaffinity(0))
    assert sum(decoded.events.num_rows for decoded in decode_source(Lines(4), CONTEXT)) == 78
    assert len(started) == cores - 1


def test_only_a_few_chunks_are_held(started: list["subprocess.Popen[bytes]"]) -> None:
    source = Lines(100)
    stream = decode_source(source, CONTEXT, workers=2)
    for _ in range(10):
        next(stream)
    assert source.asked <= 10 + 2 + 4
    stream.close()
    assert len(started) == 1


def test_a_source_that_fails_ends_the_workers(started: list["subprocess.Popen[bytes]"]) -> None:
    with pytest.raises(SourceError, match="truncated"):
        list(decode_source(Lines(20, fails_after=10), CONTEXT, workers=2))
    assert len(started) == 1


def test_a_worker_that_is_killed_ends_the_decoding_with_an_error(started: list["subprocess.Popen[bytes]"]) -> None:
    stream = decode_source(Lines(200), CONTEXT, workers=2)
    for _ in range(6):
        next(stream)
    for worker in started:
        worker.kill()
        worker.wait()
    with pytest.raises(SourceError, match=r"worker process ended by itself \(exit code -9\)"):
        list(stream)


def test_an_error_inside_a_worker_is_raised_here(started: list["subprocess.Popen[bytes]"]) -> None:
    class Broken(Lines):
        def chunks(self) -> Iterator[RecordChunk]:
            for chunk in super().chunks():
                yield RecordChunk(media_type=chunk.media_type, raws=chunk.raws, offsets=[])

    pool = processes.WorkerPool(1, CONTEXT)
    try:
        [chunk] = Broken(1).chunks()
        with pytest.raises((IndexError, ValueError)):
            pool.submit(chunk, None).result()
        [whole] = Lines(1).chunks()
        assert pool.submit(whole, None).result().events.num_rows == 19
    finally:
        pool.close()
    assert len(started) == 1


def test_workers_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(
        "import sys, time\n"
        "from workbench.decode import DecodeContext, processes\n"
        "pool = processes.WorkerPool(2, DecodeContext(source_name='x'))\n"
        "print(*[worker.pid for worker in pool.workers], flush=True)\n"
        "time.sleep(600)\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    parent = subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, env=environment)
    assert parent.stdout is not None
    pids = [int(word) for word in parent.stdout.readline().split()]
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert len(pids) == 2
    deadline = time.monotonic() + 60
    while any(is_running(pid) for pid in pids) and time.monotonic() < deadline:
        os.sched_yield()
    assert not any(is_running(pid) for pid in pids)


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_the_server_answers_until_its_requests_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import gc
    import pickle

    monkeypatch.setattr(sys, "stdout", sys.stdout)
    [chunk] = Lines(1).chunks()
    with (tmp_path / "requests").open("wb") as requests:
        for value in (CONTEXT, (chunk, None, None), (chunk, None, tmp_path / "events"), ("no chunk", None, None)):
            pickle.dump(value, requests)
    with (tmp_path / "requests").open("rb") as requests, (tmp_path / "answers").open("wb") as answers:
        processes.serve(requests, answers)
    gc.enable()
    with (tmp_path / "answers").open("rb") as written:
        assert pickle.load(written).events.num_rows == 19  # noqa: S301 - our own
        answer = pickle.load(written)  # noqa: S301 - our own
        assert (answer.events.num_rows, len(answer.rejections)) == (0, 1)
        assert processes.map_file(answer.file).num_rows == 19
        assert isinstance(pickle.load(written), AttributeError)  # noqa: S301 - our own
