"""What is written for Trino: tables at their snapshots, markers for values, and the few things said otherwise."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from workbench.errors import QueryRefusedError
from workbench.query.base import Part, Relation, Table
from workbench.query.trino.plans import TrinoPlans
from workbench.query.trino.values import bind_statement, write_value

COLUMNS = {"position": "bigint", "occurred_at": "timestamp(6) with time zone", "data": "varchar", "score": "double"}
EVENTS = Relation(
    name="events",
    columns=COLUMNS,
    version="1",
    parts=(
        Part(table=Table(namespace="log_derived", name="events_by_stream", snapshot_id=5)),
        Part(table=Table(namespace="log", name="events", snapshot_id=7), after=41),
    ),
)
TABLE = Relation(name="table", columns={"n": "bigint"}, version="1")
OWN = Relation(
    name="waiting",
    columns={"raw": "varchar"},
    version="now",
    select="select from_utf8(q.raw) as raw from kept q, events e",
    tables={"kept": lambda: Table(namespace="log", name="quarantine")},
)
VIEW = Relation(
    name="view",
    columns={"day": "timestamp(6) with time zone"},
    version="1",
    select="select with_timezone(cast(occurred_at as timestamp(6)), 'Asia/Tokyo') as day from events",
)
MADE = Relation(name="made", columns={"n": "bigint"}, version="1", arrow=lambda: pa.table({}))
FILES = Relation(name="files", columns={"n": "bigint"}, version="1", parts=(Part(files=("a.parquet",)),))
RELATIONS = {relation.name: relation for relation in (EVENTS, TABLE, OWN, VIEW, MADE, FILES)}


def write(statement: str, values: dict[str, Any] | None = None, **options: Any) -> str:
    plans = TrinoPlans("lake")
    explain = options.pop("explain", False)
    template = plans.compile(statement, values or {}, RELATIONS, **options)
    return plans.fill(template, RELATIONS, values or {}, explain=explain)


def test_a_relation_is_its_parts_each_at_its_snapshot() -> None:
    text = write("select position from events")
    assert 'FROM "lake"."log_derived"."events_by_stream" FOR VERSION AS OF 5 UNION ALL SELECT' in text
    assert 'FROM "lake"."log"."events" FOR VERSION AS OF 7 WHERE position > 41) AS "events"' in text


def test_a_relation_without_parts_has_its_columns_and_no_rows() -> None:
    assert '(SELECT CAST(NULL AS bigint) AS "n" WHERE false) AS "table"' in write('select n from "table"')


def test_a_select_of_our_own_reads_tables_of_its_own_and_other_relations() -> None:
    text = write("select raw from waiting")
    assert 'FROM "lake"."log"."quarantine" AS q' in text
    assert "FROM_UTF8(q.raw)" in text
    assert "FOR VERSION AS OF 7 WHERE position > 41) AS e" in text


def test_a_view_shows_its_zoned_times_in_utc() -> None:
    assert "AT_TIMEZONE(WITH_TIMEZONE(" in write("select day from view")


@pytest.mark.parametrize("name", ["made", "files"])
def test_rows_that_trino_cannot_reach_are_refused(name: str) -> None:
    with pytest.raises(QueryRefusedError, match=name):
        write(f"select n from {name}")  # noqa: S608 - our own names


def test_values_are_bound_in_the_order_of_their_markers() -> None:
    text = write(
        "select :b as b, position from events where position in (:l) and data = :a", {"a": "it's", "b": 1, "l": [2, 3]}
    )
    assert text.startswith("EXECUTE IMMEDIATE 'SELECT ? AS")
    assert 'IN (?, ?) AND "events"."data" = ?' in text
    assert text.endswith("' USING BIGINT '1', BIGINT '2', BIGINT '3', 'it''s'")


def test_nothing_is_in_an_empty_list() -> None:
    assert "IN (SELECT NULL WHERE false)" in write("select position from events where position in (:l)", {"l": []})


def test_a_list_stands_alone_after_in() -> None:
    with pytest.raises(QueryRefusedError, match="one list parameter"):
        write("select position from events where position in (:l, 4)", {"l": [1]})


def test_a_plan_is_asked_for_with_its_values_in_place() -> None:
    text = write("select position from events where data = :a", {"a": "x"}, explain=True)
    assert text.startswith("EXPLAIN SELECT")
    assert text.endswith("\"data\" = 'x'")


def test_a_grouping_by_an_expression_with_values_points_to_its_column() -> None:
    text = write(
        "select date_trunc('day', at_timezone(occurred_at, :z)) as d, count(*) as n from events group by "
        "date_trunc('day', at_timezone(occurred_at, :z)) order by date_trunc('day', at_timezone(occurred_at, :z))",
        {"z": "Asia/Tokyo"},
    )
    assert "GROUP BY 1 ORDER BY" in text.replace("''", "'")
    assert text.count("?") == 1


def test_zoned_times_of_a_union_are_shown_in_utc_and_stay_in_order() -> None:
    zoned = "select at_timezone(occurred_at, 'Asia/Tokyo') as w, position from events"
    text = write(f"{zoned} union all {zoned} order by w limit 3")
    assert text.startswith('SELECT AT_TIMEZONE("w", \'UTC\') AS "w", "position" AS "position" FROM (')
    assert text.endswith('AS answer ORDER BY "w" LIMIT 3')


def test_doubles_are_added_in_their_order() -> None:
    text = write("select sum(score) filter (where position > 1) as s, avg(score) as a from events")
    assert text.count("reduce(ARRAY_AGG(") == 2
    assert "FILTER(WHERE" in text
    with pytest.raises(QueryRefusedError, match="order of addition"):
        write("select avg(score) over (order by position) as s from events")


def test_the_row_limit_asks_for_one_row_more() -> None:
    assert write("select position from events", row_limit=5).endswith("LIMIT 6")
    assert write("select position from events limit 3", row_limit=5).endswith("LIMIT 3")
    assert write("select position from events union all select 1", row_limit=5).endswith("LIMIT 6")
    assert write("select data, count(*) as n from events group by 1 order by 1", row_limit=5).endswith("LIMIT 6")


@pytest.mark.parametrize(
    "text", ["select data, count(*) as n from events group by 1", "select max(data) as m from events"]
)
def test_groups_in_no_order_are_counted_as_they_come(text: str) -> None:
    assert "LIMIT" not in write(text, row_limit=5)


def test_what_the_embedded_engine_has_no_form_for_is_refused_here_too() -> None:
    with pytest.raises(QueryRefusedError, match="WITHIN GROUP"):
        write("select listagg(data, ',') from events")


def test_a_statement_is_written_once() -> None:
    plans = TrinoPlans("lake")
    first = plans.compile("select position from events", {}, RELATIONS)
    assert plans.compile("select position from events", {}, RELATIONS) is first
    for number in range(300):
        plans.compile(f"select {number} as n", {}, RELATIONS)
    assert plans.compile("select position from events", {}, RELATIONS) is not first


def test_a_native_statement_stays_as_it_is_written() -> None:
    text = write("select  Position from Events where data = ':a' and position > :n -- why;", {"n": 4}, native=True)
    assert text.startswith("EXECUTE IMMEDIATE 'select  Position from (SELECT ")
    assert text.endswith("""AS "events" where data = '':a'' and position > ? -- why;' USING BIGINT '4'""")


def test_a_native_alias_is_kept() -> None:
    assert "41) e join (SELECT" in write("select 1 from events e join events f on e.position = f.position", native=True)


def test_a_native_name_given_anew_is_refused() -> None:
    with pytest.raises(QueryRefusedError, match="anew"):
        write("with events as (select 1 as n) select * from events", native=True)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "NULL"),
        (True, "true"),
        (False, "false"),
        (-7, "BIGINT '-7'"),
        (2.5, "DOUBLE '2.5'"),
        (float("nan"), "nan()"),
        (float("inf"), "infinity()"),
        (float("-inf"), "-infinity()"),
        (Decimal("-1.50"), "DECIMAL '-1.50'"),
        (Decimal("1E+2"), "DECIMAL '100'"),
        (date(2026, 1, 31), "DATE '2026-01-31'"),
        (datetime(2026, 1, 31, 10, tzinfo=UTC), "TIMESTAMP '2026-01-31 10:00:00.000000 UTC'"),
        ("it's", "'it''s'"),
        ([1, None], "ARRAY[BIGINT '1', NULL]"),
        ([], "ARRAY[]"),
    ],
)
def test_a_value_is_a_literal_of_its_type(value: object, text: str) -> None:
    assert write_value(value) == text


def test_half_a_surrogate_pair_is_no_text() -> None:
    with pytest.raises(QueryRefusedError, match="surrogate"):
        write_value("\ud800")


def test_a_statement_without_values_is_sent_as_it_is() -> None:
    assert bind_statement("select 1", []) == "select 1"
