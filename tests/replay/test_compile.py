"""Projections in SQL: for whatever log and declaration, what the fold in Python says."""

from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given, settings
from polars.testing import assert_frame_equal

from tests.replay.generated import ask_facts, cuts, expect, logs, projections
from workbench.errors import ProjectionError
from workbench.query.duckdb import DuckDBEngine
from workbench.replay.cut import Cut
from workbench.replay.fact import Fact
from workbench.replay.projection import Projection
from workbench.replay.states import find_states


@pytest.fixture(scope="module")
def engine() -> Iterator[DuckDBEngine]:
    opened = DuckDBEngine(threads=1)
    yield opened
    opened.close()


@given(facts=logs(), projection=projections(), cut=cuts())
@settings(max_examples=300, deadline=None)
def test_sql_gives_the_states_that_the_fold_gives(
    engine: DuckDBEngine, facts: Sequence[Fact], projection: Projection, cut: Cut
) -> None:
    expected = expect(projection, facts, cut)
    if expected is None:
        with pytest.raises(ProjectionError, match="has more than 38 digits"):
            find_states(ask_facts(engine, facts), projection, cut)
        return
    assert_frame_equal(find_states(ask_facts(engine, facts), projection, cut), expected, check_exact=True)
