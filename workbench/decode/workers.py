"""A whole source to events and rejections: in this process when it is small, over worker processes when it is not."""

import os
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import closing
from itertools import chain, islice
from pathlib import Path
from typing import Final, Protocol

from workbench.decode.chunks import Chunk, decode_chunk
from workbench.decode.numbering import StreamIndexes
from workbench.decode.processes import WorkerPool
from workbench.decode.rows import DecodeContext, Decoded

# A worker starts in 0.4 s, the time of some chunks; the first are decoded here meanwhile.
STARTING: Final = 3
# Chunks held beyond one for each process that decodes.
HELD: Final = 6

Task = tuple[Chunk, Sequence[int] | None]


class Chunks(Protocol):
    """Anything that yields its records in bulk, as `workbench.sources.base.Source` does."""

    def chunks(self) -> Iterable[Chunk]:
        """Yield chunks in the order of the input."""


def decode_source(
    source: Chunks, context: DecodeContext, *, workers: int | None = None, folder: Path | None = None
) -> Generator[Decoded, None, None]:
    """Yield what becomes of each chunk of the source, in its order, the same whatever the number of workers.

    ``workers`` is how many processes decode, this one among them, by default as many as the cores it may use; a source
    of a few chunks is decoded here alone. At most ``workers + 6`` chunks are held. Raises what the source raises, and
    SourceError when a worker process ends by itself. Closing the iterator ends the workers. With a ``folder``, what
    workers decode lies in Arrow files there, which are the caller's to remove.
    """
    count = workers if workers is not None else count_cores()
    tasks = number_chunks(source.chunks(), context.source_name)
    first = list(islice(tasks, STARTING))
    if count < 2 or len(first) < STARTING:  # noqa: PLR2004 - one process is this one
        for chunk, indexes in chain(first, tasks):
            yield decode_chunk(chunk, context, indexes=indexes)
        return
    with closing(WorkerPool(count - 1, context, folder)) as pool:
        waiting: deque[tuple[Future[Decoded], Task]] = deque()
        for number, task in enumerate(chain(first, tasks)):
            is_given = number >= STARTING and pool.is_hungry
            waiting.append((pool.submit(*task) if is_given else decode_here(task, context), task))
            while waiting and (waiting[0][0].done() or len(waiting) >= count + HELD - 1):
                yield waiting.popleft()[0].result()
        while waiting:
            take_back(waiting, context)
            yield waiting.popleft()[0].result()


def decode_here(task: Task, context: DecodeContext) -> "Future[Decoded]":
    """Return what becomes of a chunk, decoded in this process."""
    done: Future[Decoded] = Future()
    chunk, indexes = task
    done.set_result(decode_chunk(chunk, context, indexes=indexes))
    return done


def take_back(waiting: deque[tuple[Future[Decoded], Task]], context: DecodeContext) -> None:
    """Decode in this process the last chunk that no worker has begun, rather than wait for all of them."""
    for place in reversed(range(len(waiting))):
        asked, task = waiting[place]
        if asked.cancel():
            waiting[place] = (decode_here(task, context), task)
            return


def number_chunks(chunks: Iterable[Chunk], source_name: str) -> Iterator[Task]:
    """Yield each chunk with the indexes of its records that came without an id."""
    numbers = StreamIndexes(source_name)
    for chunk in chunks:
        yield chunk, numbers.number(chunk)


def count_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
