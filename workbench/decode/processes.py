"""Worker processes that decode chunks: they read requests from stdin, answer on stdout, and end when stdin ends.

They are started as plain subprocesses: multiprocessing would run the caller's main script again unless it is guarded,
and its queues keep workers alive when their parent is killed. Here the kernel closes the pipe, and they end.
"""

import gc
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from typing import Any, BinaryIO, Final, cast
from uuid import uuid4

import pyarrow as pa
from pyarrow import ipc

from workbench.decode.chunks import Chunk, decode_chunk
from workbench.decode.columns import DECODED
from workbench.decode.rows import DecodeContext, Decoded
from workbench.errors import SourceError

START: Final = (
    "import pickle, sys; sys.path[:] = pickle.load(sys.stdin.buffer); "
    "from workbench.decode.processes import serve; serve(sys.stdin.buffer, sys.stdout.buffer)"
)
# Memory that a chunk gave back is kept for the next one: Arrow's own allocator, and the system's beyond some size, give
# it back to the system, which clears it anew: 0.3 µs an event. The threads of numpy's algebra, which nothing here
# calls, spin for 0.1 s when they start.
SETTINGS: Final = {
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "MALLOC_MMAP_THRESHOLD_": str(1 << 30),
    "MALLOC_TRIM_THRESHOLD_": str((1 << 31) - 1),
    "OPENBLAS_NUM_THREADS": "1",
}
# Requests a worker has at a time: it begins the next while this process, busy itself, has yet to take the answer.
AHEAD: Final = 2


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Decode chunk after chunk until the requests end; the first request is the context.

    The collector is off: decoding makes no cycles, and looking for them costs a tenth of the time.
    """
    sys.stdout = sys.stderr
    gc.disable()
    context = pickle.load(requests)  # noqa: S301 - from the process that started this one
    arrived: SimpleQueue[tuple[Chunk, Sequence[int] | None, Path | None] | None] = SimpleQueue()
    # A thread of its own takes requests in, else both sides might wait with a full pipe.
    threading.Thread(target=_receive, args=(requests, arrived), daemon=True).start()
    while (request := arrived.get()) is not None:
        chunk, indexes, file = request
        pickle.dump(_answer(chunk, indexes, context, file), answers, protocol=5)
        answers.flush()


def _receive(requests: BinaryIO, arrived: SimpleQueue[Any]) -> None:
    with suppress(EOFError, pickle.UnpicklingError):
        while True:
            arrived.put(pickle.load(requests))  # noqa: S301 - from the process that started this one
    arrived.put(None)


def _answer(
    chunk: Chunk, indexes: Sequence[int] | None, context: DecodeContext, file: Path | None
) -> Decoded | Exception:
    try:
        decoded = decode_chunk(chunk, context, indexes=indexes)
        if file is None:
            return decoded
        with ipc.new_file(file, DECODED) as writer:
            writer.write_table(decoded.events)
        return Decoded(DECODED.empty_table(), decoded.rejections, file)
    except Exception as error:  # noqa: BLE001 - whatever it is, the process that asked must know
        return error


class WorkerPool:
    """Some worker processes, each fed by as many threads as it has requests at a time.

    With a ``folder``, events come back in a file there each, mapped: what is read where it lies is copied once, through
    a pipe four times.
    """

    def __init__(self, count: int, context: DecodeContext, folder: Path | None = None) -> None:
        self.folder = folder
        self.asked: list[Future[Decoded]] = []
        self.workers = [_start(context) for _ in range(count)]
        self.ready: SimpleQueue[Channel] = SimpleQueue()
        for channel in [*map(Channel, self.workers)] * AHEAD:
            self.ready.put(channel)
        self.threads = ThreadPoolExecutor(count * AHEAD, thread_name_prefix="decode")

    def submit(self, chunk: Chunk, indexes: Sequence[int] | None) -> Future[Decoded]:
        """Return the promise of what becomes of a chunk."""
        asked = self.threads.submit(self._ask, chunk, indexes)
        self.asked.append(asked)
        return asked

    @property
    def is_hungry(self) -> bool:
        """Whether there are fewer chunks asked for than keep the workers busy: those they have, and one more each."""
        self.asked = [asked for asked in self.asked if not asked.done()]
        return len(self.asked) < (AHEAD + 1) * len(self.workers)

    def _ask(self, chunk: Chunk, indexes: Sequence[int] | None) -> Decoded:
        channel = self.ready.get()
        file = None if self.folder is None else self.folder / f"{uuid4().hex}.arrow"
        try:
            answer = channel.ask((chunk, indexes, file))
        except (OSError, EOFError, ValueError, pickle.UnpicklingError) as error:
            raise SourceError(
                f"Decoding stopped: a worker process ended by itself (exit code {channel.end()}), perhaps for want of "
                "memory. Nothing was committed; try again, or with workers=1."
            ) from error
        finally:
            self.ready.put(channel)
        if isinstance(answer, Exception):
            raise answer
        decoded: Decoded = answer
        return decoded if decoded.file is None else Decoded(map_file(decoded.file), decoded.rejections, decoded.file)

    def close(self) -> None:
        """End all workers, also those at work; nothing is left running."""
        for worker in self.workers:
            worker.kill()
        self.threads.shutdown(wait=True, cancel_futures=True)
        for worker in self.workers:
            worker.wait()
            for pipe in (worker.stdin, worker.stdout):
                with suppress(OSError):  # what was still to be written has no reader any more
                    cast("BinaryIO", pipe).close()


def map_file(file: Path) -> pa.Table:
    """Return the rows of an Arrow file where they lie; they are read as they are used."""
    with pa.memory_map(str(file)) as mapped:
        return ipc.open_file(mapped).read_all()


def _start(context: DecodeContext) -> "subprocess.Popen[bytes]":
    worker = subprocess.Popen(  # noqa: S603 - our own interpreter and our own code
        [sys.executable, "-c", START],
        env=SETTINGS | os.environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C reaches the parent only, which then ends its workers
    )
    _send(worker, sys.path)
    _send(worker, context)
    return worker


def _send(worker: "subprocess.Popen[bytes]", value: Any) -> None:
    requests = cast("BinaryIO", worker.stdin)
    pickle.dump(value, requests, protocol=5)
    requests.flush()


class Channel:
    """What is asked of one worker, and its answers in the same order, whichever threads ask."""

    def __init__(self, worker: "subprocess.Popen[bytes]") -> None:
        self.worker = worker
        self._sending = threading.Lock()
        self._last = threading.Event()
        self._last.set()

    def ask(self, request: Any) -> Any:
        """Return the answer to a request, once those to the requests before it are taken."""
        with self._sending:
            _send(self.worker, request)
            before, mine = self._last, threading.Event()
            self._last = mine
        before.wait()
        try:
            return pickle.load(cast("BinaryIO", self.worker.stdout))  # noqa: S301 - from our own worker
        finally:
            mine.set()

    def end(self) -> int:
        """End the worker, if it has not ended by itself, and return its exit code."""
        self.worker.kill()  # has no effect on one that ended, which it has when its pipe is closed
        return self.worker.wait()
