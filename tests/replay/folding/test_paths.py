"""Paths that SQL can name, and those that it cannot."""

import pytest

from workbench.errors import ProjectionError
from workbench.replay.folding.paths import Path
from workbench.replay.sql.expressions import scalar_at


def test_a_column_is_read_as_text() -> None:
    assert scalar_at(Path("actor_id"), "e") == "e.actor_id"
    assert scalar_at(Path("position"), "e") == "cast(e.position as varchar)"


def test_a_name_that_engines_read_differently_is_refused() -> None:
    with pytest.raises(ProjectionError, match="SQL cannot name the path"):
        scalar_at(Path("data", ('a"b',)), "e")
