import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone

import pytest

from benchmarks import trino_queries
from benchmarks.__main__ import main
from benchmarks.data import Story
from benchmarks.harness import StackMissingError


@contextmanager
def missing_stack() -> Iterator[None]:
    raise StackMissingError("Java 24 cannot be had.")
    yield


def test_a_task_without_its_stack_is_skipped_aloud_and_misses_no_goal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trino_queries, "open_stack", missing_stack)
    assert main(["trino_queries", "--smoke"]) == 0
    told = capsys.readouterr()
    assert told.err == "SKIPPED: trino_queries: Java 24 cannot be had.\n"
    assert json.loads(told.out)["detail"]["skipped"] == "Java 24 cannot be had."


def test_the_dashboards_are_asked_twelve_different_questions() -> None:
    assert len({question.name for question in trino_queries.list_questions(Story(total=100, streams=2))}) == 12


def test_rows_are_equal_whatever_their_order_and_zone() -> None:
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    there = noon.astimezone(timezone(timedelta(hours=2)))
    assert trino_queries.list_values([(1, noon), (2, None)]) == trino_queries.list_values([[2, None], [1, there]])
    assert trino_queries.list_values([(1, noon)]) != trino_queries.list_values([(1, noon + timedelta(seconds=1))])
