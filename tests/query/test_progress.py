"""A statement under way tells how far it is, and ends where its listener says so."""

import pytest

from workbench.query.base import QueryProgress
from workbench.query.duckdb.engine import DuckDBEngine

# Eight thousand million pairs: no machine counts them before it is stopped.
ENDLESS = (
    "select count(*) as n from unnest(sequence(1, 90000)) as a (x), unnest(sequence(1, 90000)) as b (y) "
    "where strpos(cast(x * y as varchar), '77') > 0"
)


class StoppedError(Exception):
    """What a listener raises."""


def test_what_a_listener_raises_stops_the_statement_and_the_next_is_answered() -> None:
    told: list[QueryProgress] = []

    def listen(progress: QueryProgress) -> None:
        told.append(progress)
        if len(told) == 3:
            raise StoppedError

    engine = DuckDBEngine()
    try:
        with pytest.raises(StoppedError):
            engine.query(ENDLESS, {}, {}, progress=listen)
        assert engine.query("select 1 as one", {}, {}, progress=listen)["one"].to_list() == [1]
    finally:
        engine.close()
    assert len(told) == 3
    assert told[0].seconds < told[2].seconds


def test_a_statement_tells_its_share_in_hundred_splits() -> None:
    shares: list[tuple[int, int]] = []

    def listen(progress: QueryProgress) -> None:
        shares.append((progress.splits_done, progress.splits_known))
        if progress.splits_known or len(shares) == 1_000:
            raise StoppedError

    engine = DuckDBEngine()
    try:
        with pytest.raises(StoppedError):
            engine.query(ENDLESS, {}, {}, progress=listen)
    finally:
        engine.close()
    done, known = shares[-1]
    assert known == 100
    assert 0 <= done <= known
