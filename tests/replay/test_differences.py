"""Where two states, or two ways of folding one entity, differ."""

from datetime import UTC, datetime
from typing import Any

import polars as pl

from tests.replay.facts import build_fact
from workbench.replay.declaration import make_projection
from workbench.replay.differences import compare_states, find_parting
from workbench.replay.projection import DOCUMENT, Projection


def declare(rule: str) -> Projection:
    fields = {
        "n": {"rule": rule, "kind": "integer", "event_types": ["A"], "value": "data.n"},
        "at": {"rule": "last", "event_types": ["A"], "value": "occurred_at"},
    }
    return make_projection({"name": rule, "fields": fields})


def test_values_are_compared_as_canonical_texts_and_an_entity_may_be_new() -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    schema: dict[str, Any] = {"entity_id": pl.String, "n": pl.Int64, "at": pl.Datetime("us", "UTC")}
    before = pl.DataFrame([("a", 1, None)], schema=schema, orient="row")
    after = pl.DataFrame([("a", 1, moment), ("b", 2, None)], schema=schema, orient="row")
    assert compare_states(before, after, declare("last")).rows() == [
        ("a", "at", "null", '"2026-01-01T00:00:00.000000Z"'),
        ("b", "at", None, "null"),
        ("b", "n", None, "2"),
    ]


def test_documents_are_compared_as_they_are() -> None:
    before, after = (pl.DataFrame({"entity_id": ["a"], "document": [text]}) for text in ('{"n":1}', '{"n":2}'))
    assert compare_states(before, after, DOCUMENT).rows() == [("a", "document", '{"n":1}', '{"n":2}')]


def test_two_folds_part_where_the_last_stretch_of_difference_begins() -> None:
    facts = [build_fact(place, data={"n": number}) for place, number in enumerate([5, 7, 5, 9, 9])]
    (parting,) = find_parting(declare("last"), declare("first"), facts, "a")
    assert (parting.field, parting.fact.position, parting.one, parting.other) == ("n", 3, "9", "5")


def test_an_entity_without_events_parts_nowhere() -> None:
    assert find_parting(declare("last"), declare("first"), [], "a") == []
