"""What was decoded waits for its commit in the order it came, in memory or not, and is taken in once."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.decode import Decoded
from workbench.event import Rejection
from workbench.eventlog.writing import spool
from workbench.eventlog.writing.spool import Spool


def decode(sizes: list[int]) -> Iterator[Decoded]:
    """Yield parts of so many rows each, a rejection with every third."""
    start = 0
    for number, size in enumerate(sizes):
        rows = pa.table({"n": pa.array(range(start, start + size), pa.int64())})
        start += size
        refused = Rejection(raw=b"", offset=number, media_type="application/json", reason="", detail="", remedy="")
        yield Decoded(rows, [refused] if number % 3 == 0 else [])


@given(
    sizes=st.lists(st.integers(0, 40), max_size=12),
    memory=st.integers(0, 400),
    batch=st.integers(1, 50),
    seen=st.integers(0, 5),
    filled=st.booleans(),
)
def test_rows_come_out_in_the_order_they_went_in(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], memory: int, batch: int, *, seen: int, filled: bool
) -> None:
    folder: Path = tmp_path_factory.mktemp("spool")
    with pytest.MonkeyPatch.context() as patch, Spool(folder, decode(sizes)) as waiting:
        patch.setattr(spool, "IN_MEMORY", memory)
        patch.setattr(spool, "BATCH", batch)
        if filled:
            waiting.fill()
        assert len(list(islice(waiting, seen))) <= seen  # a commit that breaks off in the middle begins anew
        for _ in range(2):
            assert [n for rows in waiting for n in rows.column("n").to_pylist()] == list(range(sum(sizes)))
        refused = list(range(0, len(sizes), 3))
        assert [rejection.offset for rejection in waiting.rejections] == refused
        assert waiting.read == sum(sizes) + len(refused)
    assert not any(folder.iterdir())
