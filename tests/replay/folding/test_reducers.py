"""Reducers in Python: pure ones fold like any projection, others are refused with the reason."""

import datetime as dt
import functools
import math
import os
import random
import time
from decimal import Decimal
from json import dumps
from math import isqrt
from random import random as draw_number
from typing import Any
from uuid import uuid4

import pytest

from tests.replay.facts import build_fact
from workbench.errors import ProjectionError
from workbench.replay.folding.fold import Folder, fold_facts
from workbench.replay.folding.reducers import make_reducer
from workbench.replay.history.history import find_history
from workbench.replay.projection import Projection

LEVELS = {"low": 10}


def count_high(state: dict[str, Any], event: dict[str, Any]) -> dict[str, Any]:
    return {"high": state["high"] + (event["data"]["amount"] > limit())}


def limit() -> int:
    return LEVELS["low"]


def read_clock(state: Any, _event: Any) -> Any:
    return state, time.time()


def ask_today(_state: Any, _event: Any) -> Any:
    return dt.datetime.now(dt.UTC).isoformat()


def draw(_state: Any, _event: Any) -> Any:
    return random.random()  # noqa: S311 - what must be refused


def draw_by_another(state: Any, event: Any) -> Any:
    return draw(state, event)


def open_file(_state: Any, _event: Any) -> Any:
    return open("/etc/hostname").read()  # noqa: PTH123 - what must be refused


def ask_system(_state: Any, _event: Any) -> Any:
    return os.environ


def import_late(_state: Any, _event: Any) -> Any:
    import socket

    return socket.gethostname()


def change_global(_state: Any, _event: Any) -> Any:
    global LEVELS  # noqa: PLW0603 - what must be refused
    LEVELS = {}


def sum_roots(state: Any, event: dict[str, Any]) -> str:
    return str(Decimal(state or 0) + Decimal(math.isqrt(event["data"]["amount"])))


def draw_bare(_state: Any, _event: Any) -> Any:
    return draw_number()  # noqa: S311 - what must be refused


def make_token(_state: Any, _event: Any) -> Any:
    return uuid4().hex


@pytest.mark.parametrize(
    ("function", "why"),
    [
        (draw_bare, "it uses the module random"),
        (make_token, "it uses the module uuid"),
        (read_clock, "it uses the module time"),
        (ask_today, r"it asks for \.now"),
        (draw, "it uses the module random"),
        (draw_by_another, "it uses the module random"),
        (open_file, "it calls open"),
        (ask_system, "it uses the module os"),
        (import_late, "it uses the module socket"),
        (change_global, "it changes the global LEVELS"),
        (functools.partial(draw, 1), "is no Python function"),
    ],
)
def test_a_reducer_that_may_answer_otherwise_is_refused_with_the_reason(function: Any, why: str) -> None:
    with pytest.raises(ProjectionError, match=why):
        make_reducer(function)


def test_a_reducer_sees_events_in_order_and_its_members_are_fields() -> None:
    facts = [build_fact(position, data={"amount": amount}) for position, amount in enumerate([5, 50, 500])]
    projection = make_reducer(count_high, initial={"high": 0})
    (entity,) = fold_facts(projection, facts).values()
    assert Folder(projection).write(entity) == '{"high":2}'


def test_a_state_that_is_no_object_is_the_field_state() -> None:
    facts = [build_fact(0, data={"amount": 9}), build_fact(1, data={"amount": 17})]
    projection = make_reducer(sum_roots)
    (entity,) = fold_facts(projection, facts).values()
    assert Folder(projection).show(entity) == {"state": "7"}


def test_an_event_at_which_it_fails_is_told_of_and_passed_over() -> None:
    facts = [build_fact(0, data={"amount": 50}), build_fact(1, data={}), build_fact(2, data={"amount": 60})]
    moments = list(find_history(make_reducer(count_high, initial={"high": 0}), facts, "a"))
    assert [moment.state for moment in moments] == [{"high": "1"}, {"high": "1"}, {"high": "2"}]
    assert moments[1].errors == {"state": "KeyError: 'amount'"}


def test_the_code_it_runs_identifies_it() -> None:
    def make(factor: int) -> Projection:
        def scaled(_state: Any, event: dict[str, Any]) -> int:
            return int(event["data"]["amount"]) * factor

        return make_reducer(scaled)

    assert make(2).hash == make(2).hash != make(3).hash


def test_a_reducer_may_call_itself_others_and_libraries_that_are_pure() -> None:
    def halve(number: int) -> int:
        return number if number < 2 else halve(number // 2)

    def step(_state: Any, event: dict[str, Any]) -> str:
        return dumps([halve(event["data"]["amount"]), isqrt(9)])

    (entity,) = fold_facts(make_reducer(step), [build_fact(0, data={"amount": 9})]).values()
    assert Folder(make_reducer(step)).show(entity) == {"state": "[1, 3]"}


def test_what_it_finds_in_its_module_identifies_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    before = make_reducer(count_high, initial={"high": 0})
    monkeypatch.setitem(LEVELS, "low", 11)
    assert make_reducer(count_high, initial={"high": 0}).hash != before.hash


class Counter:
    """A class of the reducer's own module is looked into as its functions are."""

    def count(self) -> float:
        return time.time()


def count_by_class(_state: Any, _event: Any) -> float:
    return Counter().count()


def test_a_class_beside_it_is_looked_into() -> None:
    with pytest.raises(ProjectionError, match="it uses the module time"):
        make_reducer(count_by_class)


def test_only_the_types_it_reads_count() -> None:
    facts = [build_fact(0, event_type="A", data={"amount": 50}), build_fact(1, event_type="B", data={"amount": 50})]
    projection = make_reducer(count_high, initial={"high": 0}, event_types=("A",))
    (entity,) = fold_facts(projection, facts).values()
    assert entity.event_count == 1
