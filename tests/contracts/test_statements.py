"""An analyst's day, asked of every engine: joins, windows, grouping sets, unnest, set operations, parameters."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest

from workbench.errors import QueryRefusedError

Ask = Callable[..., pl.DataFrame]

STATEMENTS: list[tuple[str, list[tuple[Any, ...]]]] = [
    ("select count(*) as n, count(actor_id) as a, count(distinct event_type) as t from events", [(12, 9, 3)]),
    (
        "select event_type, count(*) as n from events group by event_type having count(*) > 3 order by n desc",
        [("Paid", 6)],
    ),
    (
        (
            "select event_type, count(*) as n from events group by event_type "
            "having event_type = 'Paid' and count(*) > 3"
        ),
        [("Paid", 6)],
    ),
    (
        (
            "select event_type, stream_id, count(*) as n from events where position < 4 "
            "group by grouping sets ((event_type), (stream_id), ()) order by n desc, event_type, stream_id limit 3"
        ),
        [(None, None, 4), ("Paid", None, 2), (None, "s0", 2)],
    ),
    (
        (
            "select event_type, grouping(event_type) as g, count(*) filter (where position > 5) as n from events "
            "group by rollup (event_type) order by g, event_type"
        ),
        [("Closed", 0, 2), ("Opened", 0, 1), ("Paid", 0, 3), (None, 1, 6)],
    ),
    ("select count(*) as n from events group by cube (event_type, actor_id) order by n desc limit 1", [(12,)]),
    (
        (
            "select position, lag(position) over w as before, row_number() over w as place, "
            "sum(position) over (order by position rows between 1 preceding and current row) as pair "
            "from events where position < 3 window w as (order by position) order by position"
        ),
        [(0, None, 1, 0), (1, 0, 2, 1), (2, 1, 3, 3)],
    ),
    (
        (
            "select position, last_value(actor_id) ignore nulls over (order by position rows between unbounded"
            " preceding and current row) as who from events where position between 1 and 2 order by position"
        ),
        [(1, "a1"), (2, "a1")],
    ),
    (
        (
            "select first_value(event_type) over (partition by stream_id order by position desc) as f, "
            "rank() over (order by event_type) as r, ntile(2) over (order by position) as h, "
            "lead(position, 2, -1) over (order by position) as l from events order by position limit 1"
        ),
        [("Paid", 4, 1, 2)],
    ),
    (
        (
            "select a.position as a, b.position as b from events a left join events b "
            "on b.position = a.position + 11 where a.position < 2 order by a"
        ),
        [(0, 11), (1, None)],
    ),
    ("select count(*) as n from events a join events b using (position)", [(12,)]),
    ("select count(*) as n from events a full join events b on a.position = b.position + 6", [(18,)]),
    (
        (
            "with paid as (select stream_id, amount from events where event_type = 'Paid'), "
            "totals as (select stream_id, sum(amount) as total from paid group by stream_id) "
            "select max(cast(total as varchar)) as m from totals"
        ),
        [("810.00",)],
    ),
    (
        (
            "select event_type from events where position = 0 union select event_type from events where position = 4 "
            "union all select 'x' order by 1"
        ),
        [("Opened",), ("x",)],
    ),
    ("select position from events intersect select 3", [(3,)]),
    ("select position from events except select position from events where position > 0", [(0,)]),
    (
        (
            "select e.position, json_extract_scalar(i.item, '$.sku') as sku, i.place from events e cross join "
            "unnest(cast(json_extract(e.data, '$.items') as array(json))) with ordinality as i(item, place) "
            "where e.position = 0 order by place"
        ),
        [(0, "a", 1), (0, "b", 2)],
    ),
    (
        (
            "select position, (select max(b.position) from events b where b.stream_id = a.stream_id) as last "
            "from events a where exists (select 1 from events c where c.position = a.position + 10) order by 1"
        ),
        [(0, 9), (1, 10)],
    ),
    ("select position from events where position in (select max(position) from events)", [(11,)]),
    ("select position from events order by position offset 10 fetch first 1 rows only", [(10,)]),
    ("select distinct event_type as t from events order by t", [("Closed",), ("Opened",), ("Paid",)]),
    ("select t.a, t.b from (values (1, 'x'), (2, 'y')) as t(a, b) where t.a = 2", [(2, "y")]),
    (
        "select date_trunc('hour', occurred_at) as h, count(*) as n from events group by 1 order by 1 limit 1",
        [(datetime(2026, 1, 31, 22, tzinfo=UTC), 2)],
    ),
    (
        "select max_by(actor_id, position) as last, min_by(data, position) as first from events where position < 3",
        [(None, '{"amount":10.5,"items":[{"sku":"a","n":1},{"sku":"b","n":2}]}')],
    ),
    ("select actor_id from events where position < 3 order by actor_id desc", [("a1",), ("a0",), (None,)]),
    ("select actor_id from events where position < 3 order by actor_id nulls first", [(None,), ("a0",), ("a1",)]),
    ("select sum(try_cast(json_extract_scalar(data, '$.amount') as decimal(18,2))) > 0 as v from events", [(True,)]),
    (
        "select occurred_at - min(occurred_at) over () > interval '4' hour as v from events where position = 1",
        [(False,)],
    ),
    (
        "select count(*) as n from events where position in (1, 2) and not (event_type like 'P%' or actor_id = 'b')",
        [(0,)],
    ),
]


@pytest.mark.parametrize(("statement", "rows"), STATEMENTS, ids=[case[0][:70] for case in STATEMENTS])
def test_a_statement_gives_these_rows(ask: Ask, statement: str, rows: list[tuple[Any, ...]]) -> None:
    assert ask(statement).rows() == rows


REFUSED = [
    ("select event_type, position from events where lower(position) = 'a'", "lower takes"),
    ("select row_number() from events", "needs OVER"),
    ("select abs(position) over () from events", "no window function"),
    ("select sum(score) over (order by position) from events", "order of addition"),
    ("select position + event_type from events", "does not take"),
    ("select occurred_at - date '2026-01-01' from events", "date_diff"),
    ("select case when true then 1 else 'a' end", "do not fit"),
    ("select array[1, 'a']", "not possible"),
    ("select position[1] from events", "takes an array or a map"),
    ("select 1 in ('a')", "in IN"),
    ("select 1 between 'a' and 'b'", "in BETWEEN"),
    ("select position || 'a' from events", "joins texts or arrays"),
    ("select 1 as a union select 'x'", "on one side"),
    ("select 1 as a union select 1, 2", "columns"),
    ("select * from unnest(3) as t(a)", "UNNEST takes"),
    ("select * from unnest(array[1], array[2]) as t(a, b)", "several arrays"),
    ("select * from unnest(map(array[1], array[2])) as t(a, b)", "UNNEST of map"),
    ("select cast(1 as uuid)", "type"),
    ("select cast(array[1] as bigint)", "cast from array"),
    ("select date_trunc(event_type, occurred_at) from events", "written as a text"),
    ("select date_trunc('fortnight', occurred_at) from events", "fortnight"),
    ("select at_timezone(occurred_at, event_type) from events", "one zone for all rows"),
    ("select coalesce(at_timezone(occurred_at, 'Asia/Tokyo'), occurred_at) from events", "coalesce takes"),
    ("select at_timezone(occurred_at, 'Asia/Tokyo') + interval '1' day from events", "date_add"),
    ("select count(distinct position, event_type) from events", "one value"),
    ("select min(json_parse('1'))", "cannot be compared"),
    ("select map(array[1], array[1]) = map(array[1], array[1])", "Maps cannot be compared"),
    ("select listagg(event_type, ',') from events", "WITHIN GROUP"),
    ("select regexp_replace('a', 'a', event_type) from events", "written as a text"),
    ("select json_extract(data, 'amount') from events", "must begin with"),
    ("select extract(timezone_hour from occurred_at) from events", "EXTRACT"),
    ("select 'a' at time zone 'UTC'", "for timestamps"),
    ("select row(1, 2).x", "no field"),
]


@pytest.mark.parametrize(("statement", "words"), REFUSED, ids=[case[0][:70] for case in REFUSED])
def test_what_trino_would_not_take_is_refused_with_the_reason(ask: Ask, statement: str, words: str) -> None:
    with pytest.raises(QueryRefusedError, match=words):
        ask(statement)


def test_a_zone_may_be_a_parameter_and_is_kept_through_a_subquery(ask: Ask) -> None:
    statement = (
        "select date_trunc('day', w) as d from (select at_timezone(occurred_at, :zone) as w from events "
        "where position = 11) as t"
    )
    assert ask(statement, {"zone": "Europe/Berlin"}).item() == datetime(2026, 1, 31, 23, tzinfo=UTC)
    assert ask(statement, {"zone": "America/New_York"}).item() == datetime(2026, 1, 31, 5, tzinfo=UTC)
