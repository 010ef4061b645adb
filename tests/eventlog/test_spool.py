"""Batches wait for their commit in the order they came, in memory or not."""

from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.eventlog import spool
from workbench.eventlog.spool import Spool


@given(sizes=st.lists(st.integers(0, 40), max_size=12), memory=st.integers(0, 400), batch=st.integers(1, 50))
def test_rows_come_out_in_the_order_they_went_in(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], memory: int, batch: int
) -> None:
    folder: Path = tmp_path_factory.mktemp("spool")
    with pytest.MonkeyPatch.context() as patch, Spool(folder) as waiting:
        patch.setattr(spool, "IN_MEMORY", memory)
        patch.setattr(spool, "BATCH", batch)
        start = 0
        for size in sizes:
            waiting.put(pa.table({"n": pa.array(range(start, start + size), pa.int64())}))
            start += size
        for _ in range(2):
            assert [n for rows in waiting for n in rows.column("n").to_pylist()] == list(range(start))
    assert not any(folder.iterdir())
