"""A whole source to events and rejections: in this process when it is small, over worker processes when it is not."""

import os
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Final, Protocol

from workbench.decode.chunks import Chunk, decode_chunk
from workbench.decode.numbering import StreamIndexes
from workbench.decode.processes import WorkerPool
from workbench.decode.rows import DecodeContext, Decoded

# A worker starts in 0.4 s, the time of three chunks; they are decoded here meanwhile.
STARTING: Final = 3


class Chunks(Protocol):
    """Anything that yields its records in bulk, as `workbench.sources.base.Source` does."""

    def chunks(self) -> Iterable[Chunk]:
        """Yield chunks in the order of the input."""


def decode_source(
    source: Chunks, context: DecodeContext, *, workers: int | None = None, folder: Path | None = None
) -> Generator[Decoded, None, None]:
    """Yield what becomes of each chunk of the source, in its order, the same whatever the number of workers.

    ``workers`` is by default the number of cores this process may use; with fewer than two, or a source of a few
    chunks, all is done in this process. At most ``workers + 4`` chunks are held. Raises what the source raises, and
    SourceError when a worker process ends by itself. Closing the iterator ends the workers. With a ``folder``, what
    workers decode lies in Arrow files there, which are the caller's to remove.
    """
    count = workers if workers is not None else count_cores()
    tasks = number_chunks(source.chunks(), context.source_name)
    first = list(islice(tasks, STARTING))
    if count < 2 or len(first) < STARTING:  # noqa: PLR2004 - one worker is what this process can do as well
        for chunk, indexes in first:
            yield decode_chunk(chunk, context, indexes=indexes)
        for chunk, indexes in tasks:
            yield decode_chunk(chunk, context, indexes=indexes)
        return
    with closing(WorkerPool(count, context, folder)) as pool:
        waiting = deque(pool.submit(chunk, indexes) for chunk, indexes in islice(tasks, count + 1))
        for chunk, indexes in first:
            yield decode_chunk(chunk, context, indexes=indexes)
        while waiting:
            decoded = waiting.popleft().result()
            waiting.extend(pool.submit(chunk, indexes) for chunk, indexes in islice(tasks, 1))
            yield decoded


def number_chunks(chunks: Iterable[Chunk], source_name: str) -> Iterator[tuple[Chunk, Sequence[int] | None]]:
    """Yield each chunk with the indexes of its records that came without an id."""
    numbers = StreamIndexes(source_name)
    for chunk in chunks:
        yield chunk, numbers.number(chunk)


def count_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
