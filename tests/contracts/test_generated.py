"""Calls of every function of the subset, casts and operators, over awkward values: both engines say the same.

What an expression means nobody wrote down here: Trino says it, and the embedded engine has to say it too.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.contracts.conftest import open_server_engine
from tests.contracts.samples import scalar_signatures, write_calls, write_operations
from tests.stack.conftest import stack  # noqa: F401 - the stack's own fixture
from workbench.errors import QueryFailedError, QueryRefusedError
from workbench.query.base import Engine
from workbench.query.duckdb.engine import DuckDBEngine

pytestmark = [pytest.mark.stack, pytest.mark.usefixtures("stack")]

# Expressions of which the embedded engine is known to say something else, each with the reason.
GAPS: dict[str, str] = {
    **dict.fromkeys(
        [f"try_cast('\uff11\uff12' as {kind})" for kind in ("bigint", "decimal(10,2)")],
        "Java takes the digits of every script for numbers, DuckDB those of ASCII alone",
    )
}
# Asked in statements of their own: Trino takes 0e0 and -0e0 beside each other for one, and 40 subqueries for a minute.
ALONE = ("-0e0", "(select ")
Answer = tuple[Any, ...]
Both = Callable[[list[str]], list[tuple[str, Answer, Answer]]]


def ask_one(engine: Engine, expression: str) -> Answer:
    """Return type and value of an expression, or how it went wrong."""
    try:
        column = engine.query(f"select {expression} as v", {}, {})["v"]
    except (QueryRefusedError, QueryFailedError) as error:
        return (type(error).__name__,)
    return column.dtype, repr(column.to_list())


def ask_together(engine: Engine, expressions: list[str]) -> list[Answer]:
    """Return types and values of expressions that are thought to have some, in one statement where they do."""
    named = ", ".join(f"{expression} as v{place}" for place, expression in enumerate(expressions))
    try:
        answer = engine.query(f"select {named}", {}, {})
    except (QueryRefusedError, QueryFailedError):
        return [ask_one(engine, expression) for expression in expressions]
    return [(column.dtype, repr(column.to_list())) for column in answer]


@pytest.fixture(scope="module")
def both(stack: object) -> Iterator[Both]:  # noqa: ARG001, F811 - its variables must be set
    """A function that asks both engines and pairs what they say."""
    trino, duckdb = open_server_engine(), DuckDBEngine()

    def ask(expressions: list[str]) -> list[tuple[str, Answer, Answer]]:
        embedded = {text: ask_one(duckdb, text) for text in expressions}
        fine = [text for text, answer in embedded.items() if len(answer) > 1 and not any(map(text.count, ALONE))]
        said = dict(zip(fine, ask_together(trino, fine) if fine else [], strict=True))
        said |= {text: ask_one(trino, text) for text in embedded if text not in said}
        return [(text, said[text], embedded[text]) for text in embedded]

    yield ask
    trino.close()
    duckdb.close()


def check_alike(both: Both, expressions: list[str]) -> None:
    """Compare type and value, and that both refuse or both fail."""
    differing = [found for found in both(expressions) if found[1] != found[2] and found[0] not in GAPS]
    assert differing == []


@pytest.mark.parametrize("signature", list(scalar_signatures()), ids=str)
def test_a_function_gives_the_same_on_both_engines(both: Both, signature: Any) -> None:
    check_alike(both, write_calls(signature))


@pytest.mark.parametrize(("name", "expressions"), list(write_operations().items()), ids=list(write_operations()))
def test_an_operation_gives_the_same_on_both_engines(both: Both, name: str, expressions: list[str]) -> None:
    del name
    check_alike(both, expressions)


ROWS = """(values
    (1, 'a', 1.50, 0.1e0, true, date '2026-01-01', timestamp '2026-01-01 10:00:00 UTC'),
    (2, null, -2.25, 0.2e0, null, null, null),
    (null, 'b', null, null, false, date '2026-02-01', timestamp '2026-01-01 10:00:00.5 UTC'),
    (2, 'a', 1.50, 0.3e0, true, date '2026-01-01', timestamp '2025-01-01 10:00:00 UTC')
) as t(i, s, d, f, b, a, z)"""
AGGREGATES = """
count(*); count(i); count(distinct s); count_if(b); sum(i); sum(d); sum(f); sum(cast(f as real)); sum(distinct d);
avg(i); avg(d); avg(f); avg(cast(f as real)); min(i); max(s); min(z); max(a); max(d); max(b); min_by(s, i);
max_by(s, i); max_by(i, z); min_by(z, d); array_agg(s order by i, s);
array_agg(distinct s order by s); array_agg(i order by i desc);
array_agg(i order by i) filter (where i > 1); listagg(s, ',') within group (order by i, s); histogram(s); bool_and(b);
listagg(s) within group (order by s desc); bool_or(b); every(b); sum(i) filter (where b); sum(f) filter (where i = 2);
avg(d) filter (where i = 99); max(array[i]); min(row(i, s)); sum(cast(i as decimal(38,10)));
avg(cast(d as decimal(38,20))); sum(i * 1000000000000); count(distinct z); max_by(row(i, s), z)"""
WINDOWS = """
row_number() over (order by i, s); rank() over (order by i); dense_rank() over (order by i);
percent_rank() over (order by i); cume_dist() over (order by i); ntile(3) over (order by i, s);
lag(s) over (order by i, f); lag(s, 2, 'z') over (order by i, f); lead(i) over (partition by s order by i);
first_value(s) over (order by i desc, f); last_value(f) over (order by f);
last_value(f) over (order by f rows between unbounded preceding and unbounded following);
nth_value(s, 2) over (order by i, f); lag(s) ignore nulls over (order by i, f); avg(d) over (partition by s);
first_value(s) ignore nulls over (order by f); sum(i) over (order by i); min(s) over ();
sum(d) over (order by i range between unbounded preceding and current row);
count(*) over (order by i rows between 1 preceding and 1 following); max(z) over (order by f rows 1 preceding);
sum(i) over (order by f groups between 1 preceding and current row); count(s) filter (where b) over (order by f)"""


@pytest.mark.parametrize("rows", [ROWS, f"{ROWS} where i > 5"], ids=["four rows", "no rows"])
def test_an_aggregate_gives_the_same_on_both_engines(both: Both, rows: str) -> None:
    check_alike(both, [f"(select {text.strip()} from {rows})" for text in AGGREGATES.split(";")])  # noqa: S608 - our own text


def test_a_window_gives_the_same_on_both_engines(both: Both) -> None:
    check_alike(
        both,
        [
            f"(select array_agg(v order by f) from (select f, {text.strip()} as v from {ROWS}) as q)"  # noqa: S608 - our own text
            for text in WINDOWS.split(";")
        ],
    )
