"""A relation gives the same rows whatever columns of it are asked for, and reads no others where that can be told."""

from itertools import combinations

import pytest

from workbench.query.base import Relation
from workbench.query.duckdb.engine import DuckDBEngine
from workbench.query.duckdb.narrowing import Narrow, cut_columns, find_needs
from workbench.query.duckdb.rewrites import write_duckdb
from workbench.query.subset.annotate import annotate_types
from workbench.query.subset.dialect import read_statement
from workbench.query.subset.types import parse_type

EVENTS = {
    "position": "bigint",
    "event_type": "varchar",
    "occurred_at": "timestamp(6) with time zone",
    "data": "varchar",
}
BIGINTS = {"a": "bigint", "b": "bigint", "c": "bigint"}

# A relation's own SELECT, and the columns it declares.
SELECTS = {
    "plain": "select position as a, position * 2 as b, length(data) as c from events_stored",
    "nested": (
        "select o.a, o.b + o.x as b, o.c from (select i.a, i.b, i.b as c, i.x from (select position as a, "
        "length(data) as b, position % 3 as x, position % 2 as y from events_stored) as i where i.y = 1) as o"
    ),
    "summary": "select count(*) as a, max(position) as b, sum(length(data)) as c from events_stored",
    "summary beside a constant": "select 1 as a, max(position) as b, 2 as c from events_stored",
    "joined with a summary": (
        "select e.position as a, h.last as b, h.first as c from events_stored e "
        "cross join (select max(position) as last, min(position) as first from events_stored) as h"
    ),
    "grouped": "select position % 3 as a, count(*) as b, max(position) as c from events_stored group by position % 3",
    "grouped by number": "select position % 3 as a, count(*) as b, max(position) as c from events_stored group by 1",
    "having": "select max(position) as a, min(position) as b, 1 as c from events_stored having count(*) > 3",
    "distinct": "select distinct position % 2 as a, position % 3 as b, position % 2 as c from events_stored",
    "distinct within": (
        "select d.a, d.b, d.a + d.b as c from (select distinct position % 2 as a, position % 3 as b "
        "from events_stored) as d"
    ),
    "one below the other": (
        "select position as a, 1 as b, length(data) as c from events_stored "
        "union all select 0 - position as x, 2 as y, 3 as z from events_stored where position > 4"
    ),
    "three below each other": (
        "select u.a, u.b, u.c from (select position as a, 1 as b, 2 as c from events_stored union all "
        "(select position, 3, 4 from events_stored) union all select position, 5, length(data) from events_stored) u"
    ),
    "sides in an order of their own": (
        "(select 1 as a, 2 as b, position as c from events_stored order by c desc limit 2) union all "
        "(select position as a, 5 as b, 6 as c from events_stored order by a limit 3)"
    ),
    "one below the other by number": (
        "select * from (select 1 as a, length(data) as b, position as c from events_stored "
        "union all select 2, 7, 0 - position from events_stored order by 3 limit 7) as u"
    ),
    "the last of one below the other": (
        "select * from (select position as a, length(data) as b, position as c from events_stored "
        "union all select 0 - position, 7, 8 from events_stored order by b desc, a limit 7) as u"
    ),
    "united": (
        "select position % 2 as a, 1 as b, 2 as c from events_stored union select 0, 1, position from events_stored"
    ),
    "without others": (
        "select position % 4 as a, position % 2 as b, 1 as c from events_stored "
        "except select 1, 1, 1 from events_stored"
    ),
    "the last three": (
        "select position as a, length(data) as b, 1 as c from events_stored order by position desc limit 3"
    ),
    "ordered by another": (
        "select l.a, l.b, l.c from (select position % 3 as a, position as b, length(event_type) as c "
        "from events_stored order by c, b desc limit 4) as l"
    ),
    "ordered by number": (
        "select l.a, l.b, l.c from (select position % 3 as a, position as b, 0 - position as c "
        "from events_stored order by 3 limit 4) as l"
    ),
    "ordered outside": (
        "select l.a, l.b, l.c from ((select position % 3 as a, position as b, 0 - position as c "
        "from events_stored) order by c limit 4) as l"
    ),
    "named before": (
        "with one as (select position as a, length(data) as b, position % 2 as c from events_stored), "
        "two as (select x.a, y.b, x.c from one x join one y on y.a = x.c) select * from two"
    ),
    "named by place": (
        "with t (a, b, c) as (select position, 1, length(data) from events_stored) select t.a, t.b, t.c from t"
    ),
    "derived by place": (
        "select t.a, t.b, t.c from (select position, 2, length(data) from events_stored) as t (c, b, a)"
    ),
    "windows": (
        "select w.a, w.b, w.c from (select position as a, lag(position) over (order by position) as b, "
        "count(*) over (partition by event_type) as c from events_stored) as w"
    ),
    "a named window": (
        "select position as a, row_number() over v as b, max(length(data)) over v as c from events_stored "
        "window v as (partition by event_type order by position desc)"
    ),
    "a question within": (
        "select o.a, (select max(i.position) from events_stored i where i.position < o.b) as b, o.c from "
        "(select position as a, position + 1 as b, length(data) as c from events_stored) as o"
    ),
    "a row within": (
        "select o.a, (select i.position from (select e.position, e.data from events_stored e) as i "
        "where i.position = o.b) as b, o.c from (select position as a, position + 1 as b, length(data) as c "
        "from events_stored) as o"
    ),
    "a condition within": (
        "select o.a, o.b, o.c from "
        "(select position as a, position as b, 3 as c, position % 2 as odd from events_stored) as o "
        "where exists (select 1 from (select position as p, data from events_stored) as i where i.p = o.odd) "
        "and o.a in (select position from events_stored where position > 2)"
    ),
    "spread": (
        "select s.a, t.item as b, t.place as c from (select position as a, sequence(1, position % 3 + 1) as listed "
        "from events_stored) as s cross join unnest(s.listed) with ordinality as t (item, place)"
    ),
    "written": "select v.a, v.b, v.c from (values (1, 2, 3), (4, 5, 6)) as v (a, b, c)",
    "joined by name": (
        "select a, x.b, y.c from (select position as a, length(data) as b from events_stored) as x "
        "left join (select position + 3 as a, position as c, event_type as d from events_stored) as y using (a)"
    ),
    "from another": (
        "select n.position as a, length(n.note) as b, e.position as c from noted n join events e on e.position = 2"
    ),
}


@pytest.fixture(scope="module", params=SELECTS)
def relation(request: pytest.FixtureRequest) -> Relation:
    return Relation(name="asked", columns=BIGINTS, version="1", select=SELECTS[request.param])


def test_any_columns_of_a_relation_are_those_of_all(
    engine: DuckDBEngine, relations: dict[str, Relation], relation: Relation
) -> None:
    known = relations | {"asked": relation}
    whole = engine.query("select * from asked", {}, known)
    for count in (1, 2, 3):
        for names in combinations(BIGINTS, count):
            some = engine.query(f"select {', '.join(names)} from asked", {}, known)  # noqa: S608 - our own names
            assert some.sort(some.columns).equals(whole.select(names).sort(names))
    counted = engine.query("select count(*) as n, count(x.b) as b from asked x", {}, known)
    assert counted.row(0) == (whole.height, whole["b"].count())


def test_relations_over_relations_are_narrowed_alike(
    engine: DuckDBEngine, relations: dict[str, Relation], relation: Relation
) -> None:
    outer = Relation(
        name="outer_asked",
        columns={"a": "bigint", "twice": "bigint", "most": "bigint"},
        version="1",
        select="select x.a, y.b * 2 as twice, max(x.c) over () as most from asked x left join asked y on y.b = x.c",
    )
    known = relations | {"asked": relation, "outer_asked": outer}
    whole = engine.query("select * from outer_asked", {}, known)
    for name in outer.columns:
        assert engine.query(f"select {name} from outer_asked order by {name}", {}, known)[name].equals(  # noqa: S608 - our own names
            whole[name].sort(nulls_last=True)
        )


@pytest.mark.parametrize(
    "statement",
    [
        "select * from asked where b is not null order by a, b, c",
        "select x.* from asked x join asked y using (a, b, c) order by a, b, c",
        "with t as (select * from asked) select max(t.c) as c, count(*) as n from t",
        "select count(*) as n from asked where exists (select 1 from asked y where y.a > 0)",
        "select b from (select * from asked order by c limit 2) as t order by b",
    ],
)
def test_a_statement_means_the_same_of_a_relation_and_of_its_rows(
    engine: DuckDBEngine, relations: dict[str, Relation], relation: Relation, statement: str
) -> None:
    rows = engine.query("select * from asked", {}, relations | {"asked": relation}).to_arrow()
    made = Relation(name="asked", columns=BIGINTS, version="1", arrow=lambda: rows)
    asked = [engine.query(statement, {}, relations | {"asked": each}) for each in (relation, made)]
    if "limit" in statement:
        assert asked[0].height == asked[1].height
    else:
        assert asked[0].equals(asked[1])


def narrow(select: str) -> Narrow:
    """Return the pieces of a relation's SELECT over events_stored."""
    tables = {"events_stored": {name: parse_type(kind) for name, kind in EVENTS.items()}}
    read = read_statement(select, tables, {})
    annotate_types(read, select, tables)
    needs = find_needs(read.tree, "mark")
    return cut_columns(write_duckdb(read.tree, {"events_stored": "stored"}), needs, "mark")


def test_a_column_that_nobody_asks_for_is_not_written() -> None:
    found = narrow(
        "select i.a, upper(i.b) as b, i.c from (select position as a, lower(data) as b, event_type as c, "
        "row_number() over (order by occurred_at) as place from events_stored) as i where i.place > 2"
    )
    sql, read = found.write({"a"})
    assert "LOWER" not in sql.upper()
    assert "UPPER" not in sql.upper()
    assert "ROW_NUMBER" in sql.upper()
    assert read["events_stored"] - {""} == {"position", "occurred_at"}
    assert found.write({"b"})[1]["events_stored"] - {""} == {"data", "occurred_at"}
    assert found.write()[1]["events_stored"] - {""} == set(EVENTS)


def test_a_statement_reads_of_a_relation_what_its_answer_needs() -> None:
    found = narrow("with t as (select * from events_stored) select max(t.position) as n from t where t.data is null")
    sql, read = found.write()
    assert "occurred_at" not in sql
    assert read["events_stored"] - {""} == {"position", "data"}


def test_where_the_columns_cannot_be_told_apart_all_are_written() -> None:
    found = narrow("((select position as a, event_type as b from events_stored) order by b limit 3)")
    assert found.needs is None
    assert found.write({"a"}) == (found.head, {})


@pytest.mark.parametrize("statement", ["select count(*) as n from asked", "select sum(1) as n from asked, noted"])
def test_rows_are_counted_where_no_column_is_asked(
    engine: DuckDBEngine, relations: dict[str, Relation], relation: Relation, statement: str
) -> None:
    known = relations | {"asked": relation}
    rows = engine.query("select * from asked", {}, known).height
    assert engine.query(statement, {}, known).item() == rows * (2 if "noted" in statement else 1)
