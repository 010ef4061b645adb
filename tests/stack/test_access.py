"""Who may do what on Trino: every statement by every role against the running server, as the table declares it.

A + in a row is a statement that goes through, a - one the server refuses. Refused statements run on one shared log,
which must stand untouched after all of them; those that go through and take something away run on a log of their own.
"""

import json
import secrets
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from docker.packages.layout import ROOT, Stack

ROLES = ("admin", "analyst", "masked_analyst", "producer", "materialiser", "maintainer", "purger")
RULES = ROOT / "docker" / "trino" / "etc" / "rules.json"
# Trino's rules know no right to run ALTER TABLE … EXECUTE; a row filter keeps it from those who have one.
KEPT_BY_FILTER = "not supported for table with row filter"

# Roles in the order of ROLES: admin, analyst, masked analyst, producer, materialiser, maintainer, purger.
STATEMENTS = {
    "SELECT position FROM {log}.events": "+++-+++",
    "SELECT data, metadata FROM {log}.events": "+++-+-+",
    "SELECT data FROM {log}.events FOR VERSION AS OF {first}": "+++-+-+",
    "SELECT data FROM {log}.events_inbox": "+++-+-+",
    "SELECT raw FROM {log}.quarantine": "++--+-+",
    'SELECT snapshot_id FROM {log}."events$snapshots"': "+++-+++",
    'SELECT lower_bounds FROM {log}."events$files"': "++--+++",
    "SELECT data FROM {derived}.events_by_stream": "+++-+-+",
    "SELECT data FROM {derived}.states": "++--+-+",
    "SELECT query FROM system.runtime.queries": "+++++++",
    "INSERT INTO {log}.events SELECT * FROM {log}.events": "+------",
    "INSERT INTO {log}.events_inbox (event_id) VALUES ('x')": "+--+---",
    "INSERT INTO {log}.quarantine SELECT * FROM {log}.quarantine": "+------",
    "INSERT INTO {derived}.states (event_id) VALUES ('x')": "+---+--",
    "UPDATE {log}.events SET data = NULL": "+-----+",
    "UPDATE {log}.events_inbox SET data = NULL": "+-----+",
    "UPDATE {derived}.states SET data = NULL": "+---+-+",
    "DELETE FROM {log}.events WHERE position >= 0": "+------",
    "DELETE FROM {log}.events_inbox WHERE event_id = 'x'": "+-----+",
    "DELETE FROM {log}.quarantine WHERE line = 1": "+-----+",
    "DELETE FROM {derived}.states WHERE event_id = 'x'": "+---+-+",
    "MERGE INTO {log}.events e USING (VALUES 0) AS n (p) ON e.position = n.p WHEN MATCHED THEN DELETE": "+------",
    "MERGE INTO {log}.events e USING (VALUES 0) AS n (p) ON e.position = n.p WHEN MATCHED THEN UPDATE SET data = '1'": (
        "+-----+"
    ),
    "TRUNCATE TABLE {log}.events": "+------",
    "TRUNCATE TABLE {log}.events_inbox": "+-----+",
    "DROP TABLE {log}.events": "+------",
    "DROP TABLE {derived}.states": "+---+--",
    "DROP SCHEMA {log}_empty": "+------",
    "ALTER TABLE {log}.events ADD COLUMN extra integer": "+------",
    "ALTER TABLE {log}.events DROP COLUMN actor_kind": "+------",
    "ALTER TABLE {log}.events RENAME TO {log}.old": "+------",
    "ALTER TABLE {log}.events SET PROPERTIES sorted_by = ARRAY['event_id']": "+------",
    "ALTER TABLE {log}.events EXECUTE optimize": "+----++",
    "ALTER TABLE {log}.quarantine EXECUTE optimize": "+----++",
    "ALTER TABLE {derived}.events_by_stream EXECUTE optimize": "+---+++",
    "ALTER TABLE {log}.events EXECUTE expire_snapshots(retention_threshold => '8d')": "+----++",
    "ALTER TABLE {log}.events EXECUTE remove_orphan_files(retention_threshold => '8d')": "+----++",
    # Trino cannot tell this from optimize: docs/security.md says so, and `verify` finds it.
    "ALTER TABLE {log}.events EXECUTE rollback_to_snapshot({first})": "+----++",
    "ANALYZE {log}.events": "+------",
    "COMMENT ON TABLE {log}.events IS 'x'": "+------",
    "CREATE TABLE {log}.extra (a integer)": "+------",
    "CREATE TABLE {derived}.extra (a integer)": "+---+--",
    "CREATE VIEW {log}.extra_view AS SELECT 1 AS a": "+------",
    "CREATE SCHEMA {log}_other": "+------",
    "SET SESSION lake.expire_snapshots_min_retention = '1h'": "+----++",
}
# After one of these a log is no longer what the next statement expects.
ENDS_A_LOG = ("DROP ", "TRUNCATE ", "RENAME ", "rollback_to_snapshot")
CELLS = [
    (statement, role, allowed == "+")
    for statement, row in STATEMENTS.items()
    for role, allowed in zip(ROLES, row, strict=True)
]


RunAs = Callable[[str, str], list[list[Any]]]


class TestLog(msgspec.Struct, frozen=True):
    """A log's tables, made by the admin, with one event, one row of the inbox and one of quarantine."""

    __test__ = False
    name: str
    first: int


@pytest.fixture(scope="module")
def run_as(stack: Stack) -> RunAs:
    """Run a statement as a user, each on a fresh connection of the driver."""
    from trino.dbapi import connect

    def run(user: str, statement: str) -> list[list[Any]]:
        connection = connect(  # type: ignore[no-untyped-call]  # the driver has no types
            host="127.0.0.1", port=stack.ports.trino, user=user, catalog="lake"
        )
        cursor = connection.cursor()
        cursor.execute(statement)
        rows: list[list[Any]] = cursor.fetchall()
        return rows

    return run


@pytest.fixture(scope="module")
def make_log(run_as: RunAs) -> Iterator[Callable[[], TestLog]]:
    from tests.stack.conftest import drop_namespace
    from tests.stack.proxy import load_lake
    from workbench.eventlog.schema import EVENTS, INBOX, QUARANTINE

    made: list[str] = []

    def make() -> TestLog:
        catalog, name = load_lake(), f"t{secrets.token_hex(5)}"
        made.append(name)
        for space in (name, f"{name}_derived", f"{name}_empty"):
            catalog.create_namespace(space)
        for table, schema in (("events", EVENTS), ("events_inbox", INBOX), ("quarantine", QUARANTINE)):
            catalog.create_table((name, table), schema)
        catalog.create_table((f"{name}_derived", "events_by_stream"), EVENTS)
        catalog.create_table((f"{name}_derived", "states"), INBOX)
        fill_log(run_as, name)
        first = run_as("admin", f'SELECT min_by(snapshot_id, committed_at) FROM {name}."events$snapshots"')
        return TestLog(name, first[0][0])

    yield make
    for name in made:
        run_as("admin", f"DROP VIEW IF EXISTS {name}.extra_view")
        for space in (f"{name}_other", f"{name}_empty", name):
            drop_namespace(space)


def fill_log(run_as: RunAs, name: str) -> None:
    now = "TIMESTAMP '2026-01-01 00:00:00 UTC'"
    event = (
        f"0, 'e', 's', 'st', 0, 'T', 1, {now}, {now}, 'anna', NULL, NULL, NULL, '{{\"secret\": 1}}', '{{}}', 'd', NULL"
    )
    run_as("admin", f"INSERT INTO {name}.events VALUES ({event})")
    run_as("admin", f"INSERT INTO {name}_derived.events_by_stream VALUES ({event})")
    run_as("admin", f"INSERT INTO {name}.events_inbox (event_id, data) VALUES ('x', '{{\"secret\": 1}}')")
    raw = f"'q', 's', 0, 1, 'm', 'r', 'd', 'y', X'00', NULL, {now}, NULL, NULL, NULL"
    run_as("admin", f"INSERT INTO {name}.quarantine VALUES ({raw})")


@pytest.fixture(scope="module")
def logs() -> dict[str, TestLog]:
    """The log each role writes to, once it has."""
    return {}


@pytest.fixture(scope="module")
def shared_log(make_log: Callable[[], TestLog]) -> TestLog:
    return make_log()


def write_statement(statement: str, log: TestLog) -> str:
    return statement.format(log=log.name, derived=f"{log.name}_derived", first=log.first)


def is_refusal(error: Any) -> bool:
    return error.error_name == "PERMISSION_DENIED" or KEPT_BY_FILTER in error.message


def test_the_matrix_is_thirty_statements_by_seven_roles_at_least() -> None:
    assert len(STATEMENTS) >= 30
    groups = (ROOT / "docker" / "trino" / "etc" / "groups.txt").read_text(encoding="utf-8").split()
    assert tuple(line.partition(":")[2] for line in groups) == ROLES


@pytest.mark.parametrize(("statement", "role"), [(s, r) for s, r, allowed in CELLS if not allowed])
def test_a_role_is_refused(statement: str, role: str, shared_log: TestLog, run_as: RunAs) -> None:
    from trino.exceptions import TrinoUserError

    with pytest.raises(TrinoUserError) as refused:
        run_as(role, write_statement(statement, shared_log))
    assert is_refusal(refused.value), refused.value


def test_nothing_that_was_refused_left_a_trace(shared_log: TestLog, run_as: RunAs) -> None:
    name = shared_log.name
    for table in (f"{name}.events", f"{name}.events_inbox", f"{name}.quarantine", f"{name}_derived.events_by_stream"):
        space, _, short = table.partition(".")
        assert run_as("admin", f'SELECT count(*) FROM {space}."{short}$history"') == [[1]]
        assert run_as("admin", f"SELECT count(*) FROM {table}") == [[1]]
    tables = run_as("admin", f"SHOW TABLES FROM {name}")
    assert tables == [["events"], ["events_inbox"], ["quarantine"]]


@pytest.mark.parametrize(("statement", "role"), [(s, r) for s, r, allowed in CELLS if allowed and s.startswith("SE")])
def test_a_role_may_ask(statement: str, role: str, shared_log: TestLog, run_as: RunAs) -> None:
    run_as(role, write_statement(statement, shared_log))


@pytest.mark.parametrize(
    ("statement", "role"), [(s, r) for s, r, allowed in CELLS if allowed and not s.startswith("SE")]
)
def test_a_role_may_write(
    statement: str,
    role: str,
    logs: dict[str, TestLog],
    make_log: Callable[[], TestLog],
    run_as: RunAs,
) -> None:
    if any(words in statement for words in ENDS_A_LOG):
        run_as(role, write_statement(statement, make_log()))
    else:
        logs[role] = log = logs.get(role) or make_log()
        run_as(role, write_statement(statement, log))


@pytest.mark.parametrize("table", ["{log}.events", "{log}.events_inbox", "{log}_derived.events_by_stream"])
def test_a_masked_analyst_sees_no_payload_and_an_analyst_does(table: str, shared_log: TestLog, run_as: RunAs) -> None:
    statement = f"SELECT event_id, data FROM {table.format(log=shared_log.name)}"
    assert [row[1] for row in run_as("analyst", statement)] == ['{"secret": 1}']
    assert [row[1] for row in run_as("masked_analyst", statement)] == [None]
    hidden = run_as("masked_analyst", f"{statement} WHERE data LIKE '%secret%'")
    assert hidden == []


def test_who_is_in_no_group_sees_nothing(shared_log: TestLog, run_as: RunAs) -> None:
    from trino.exceptions import TrinoUserError

    for statement in ("SELECT 1", f"SELECT position FROM {shared_log.name}.events", "SHOW SCHEMAS FROM lake"):
        with pytest.raises(TrinoUserError, match="Access Denied"):
            run_as("nobody", statement)


def test_nobody_but_the_admin_sees_the_statements_of_others(shared_log: TestLog, run_as: RunAs) -> None:
    run_as("producer", f"INSERT INTO {shared_log.name}.events_inbox (event_id) VALUES ('by producer')")
    listed = run_as("analyst", "SELECT DISTINCT user FROM system.runtime.queries")
    assert listed == [["analyst"]]


def test_every_table_rule_ends_in_one_that_gives_nothing() -> None:
    rules = json.loads(RULES.read_text(encoding="utf-8"))
    assert rules["tables"][-1] == {"privileges": [], "filter": "false"}
