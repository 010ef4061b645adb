"""Worker processes that measure texts: they read pairs from stdin, answer on stdout, and end when stdin ends.

Plain subprocesses, as those that decode: multiprocessing would run the caller's main script again unless it is guarded.
"""

import gc
import os
import pickle
import subprocess
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import BinaryIO, Final, cast

from workbench.deltas.text.metrics import TextMeasures, measure_texts

START: Final = (
    "import pickle, sys; sys.path[:] = pickle.load(sys.stdin.buffer); "
    "from workbench.deltas.measures.processes import serve; serve(sys.stdin.buffer, sys.stdout.buffer)"
)
# Characters that go to a worker at once: a tenth of a second's work.
CHUNK_CHARACTERS: Final = 100_000

Pairs = Sequence[tuple[str, str]]
Worker = subprocess.Popen[bytes]


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Measure list after list of pairs until the requests end. The collector is off: measuring makes no cycles."""
    sys.stdout = sys.stderr
    gc.disable()
    while True:
        try:
            pairs, tokenised = pickle.load(requests)  # noqa: S301 - from the process that started this one
        except EOFError:
            return
        pickle.dump(_measure(pairs, tokenised=tokenised), answers, protocol=5)
        answers.flush()


def measure_in_processes(pairs: Pairs, workers: int, *, tokenised: bool) -> list[TextMeasures]:
    """Return the measures of pairs in their order, measured by so many processes, this one among them."""
    chunks = list(split_pairs(pairs))
    waiting = deque(range(len(chunks)))
    measured: list[list[TextMeasures]] = [[] for _ in chunks]
    started = [_start() for _ in range(min(workers, len(chunks)) - 1)]
    try:
        with ThreadPoolExecutor(max(1, len(started)), thread_name_prefix="measure") as threads:
            feeding = [threads.submit(_feed, worker, chunks, waiting, measured, tokenised) for worker in started]
            while (index := _take(waiting)) is not None:
                measured[index] = _measure(chunks[index], tokenised=tokenised)
            lost = [index for fed in feeding for index in fed.result()]
    finally:
        for worker in started:
            worker.kill()
            worker.wait()
            for pipe in (worker.stdin, worker.stdout):
                with suppress(OSError):  # what was still to be written has no reader any more
                    cast("BinaryIO", pipe).close()
    for index in lost:  # a worker that ended by itself leaves its chunk to this process
        measured[index] = _measure(chunks[index], tokenised=tokenised)
    return [one for chunk in measured for one in chunk]


def split_pairs(pairs: Pairs) -> Iterator[Pairs]:
    """Yield pairs in chunks of much the same work."""
    begin = characters = 0
    for end, (proposed, value) in enumerate(pairs, start=1):
        characters += len(proposed) + len(value)
        if characters >= CHUNK_CHARACTERS:
            yield pairs[begin:end]
            begin, characters = end, 0
    if begin < len(pairs):
        yield pairs[begin:]


def _measure(pairs: Pairs, *, tokenised: bool) -> list[TextMeasures]:
    return [measure_texts(proposed, value, tokenised=tokenised) for proposed, value in pairs]


def _take(waiting: deque[int]) -> int | None:
    try:
        return waiting.popleft()
    except IndexError:  # another thread was quicker
        return None


def _feed(
    worker: Worker,
    chunks: Sequence[Pairs],
    waiting: deque[int],
    measured: list[list[TextMeasures]],
    tokenised: bool,  # noqa: FBT001 - handed to a thread
) -> list[int]:
    """Have a worker measure chunk after chunk; return the one it ended over, if it did."""
    while (index := _take(waiting)) is not None:
        try:
            _send(worker, (chunks[index], tokenised))
            measured[index] = pickle.load(cast("BinaryIO", worker.stdout))  # noqa: S301 - from our own worker
        except (OSError, EOFError, pickle.UnpicklingError):
            return [index]
    return []


def _start() -> Worker:
    worker = subprocess.Popen(  # noqa: S603 - our own interpreter and our own code
        [sys.executable, "-c", START],
        env=dict(os.environ),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C reaches the parent only, which then ends its workers
    )
    _send(worker, sys.path)
    return worker


def _send(worker: Worker, value: object) -> None:
    requests = cast("BinaryIO", worker.stdin)
    pickle.dump(value, requests, protocol=5)
    requests.flush()
