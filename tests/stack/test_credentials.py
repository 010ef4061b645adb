"""What the store's policies keep from a writer, and what `verify` shows of one who holds the catalog's credentials."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError

from docker.packages.layout import REGION, ROOT, Stack
from tests.eventlog.logs import make_events
from tests.stack.conftest import OpenLake
from tests.stack.proxy import load_lake
from workbench.errors import ForeignWriteError, StorageError, WorkbenchError
from workbench.session import Session

POLICIES = ROOT / "docker" / "minio"


@pytest.fixture
def store_as(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """A maker of the store's client under one of our policies; PyIceberg's credentials become the same ones."""

    def become(policy: str) -> Any:
        given = assume_role(stack, POLICIES / f"{policy}.json")
        for name, value in given.items():
            monkeypatch.setenv(f"PYICEBERG_CATALOG__LAKE__S3__{name}", value)
        return open_client(stack, "s3", given)

    return become


def assume_role(stack: Stack, policy: Path) -> dict[str, str]:
    """Credentials for an hour that may do what the policy says and no more."""
    sts = open_client(
        stack, "sts", {"ACCESS_KEY_ID": stack.secrets["access_key"], "SECRET_ACCESS_KEY": stack.secrets["secret_key"]}
    )
    compact = json.dumps(json.loads(policy.read_text(encoding="utf-8")), separators=(",", ":"))
    made = sts.assume_role(RoleArn="arn:minio:iam:::role/any", RoleSessionName="test", Policy=compact)["Credentials"]
    return {
        "ACCESS_KEY_ID": made["AccessKeyId"],
        "SECRET_ACCESS_KEY": made["SecretAccessKey"],
        "SESSION_TOKEN": made["SessionToken"],
    }


def open_client(stack: Stack, service: str, given: dict[str, str]) -> Any:
    return botocore.session.get_session().create_client(
        service,
        region_name=REGION,
        endpoint_url=stack.s3_url,
        aws_access_key_id=given["ACCESS_KEY_ID"],
        aws_secret_access_key=given["SECRET_ACCESS_KEY"],
        aws_session_token=given.get("SESSION_TOKEN"),
    )


def list_files(client: Any, namespace: str) -> list[str]:
    return [
        found["Key"] for found in client.list_objects(Bucket="lake", Prefix=f"{namespace}/events/").get("Contents", [])
    ]


def test_a_writer_appends_and_reads_and_can_take_no_file_away(
    store_as: Callable[[str], Any], open_lake: OpenLake, namespace: str
) -> None:
    client = store_as("writer")
    session = open_lake()
    session.append(make_events(0, 5))
    session.append(make_events(5, 5))
    assert session.events().height == 10
    files = list_files(client, namespace)
    assert len(files) > 4
    for key in files:
        with pytest.raises(ClientError, match="AccessDenied"):
            client.delete_object(Bucket="lake", Key=key)
    with pytest.raises(ClientError, match="AccessDenied"):
        client.put_bucket_versioning(Bucket="lake", VersioningConfiguration={"Status": "Suspended"})
    assert list_files(client, namespace) == files


def test_a_reader_reads_and_cannot_add_a_file(
    store_as: Callable[[str], Any], open_lake: OpenLake, namespace: str
) -> None:
    open_lake().append(make_events(0, 5))
    client = store_as("reader")
    reading = open_lake()
    assert reading.events().height == 5
    with pytest.raises(WorkbenchError, match=r"[Aa]ccess"):
        reading.append(make_events(5, 1))
    assert reading.head().position == 4
    with pytest.raises(ClientError, match="AccessDenied"):
        client.put_object(Bucket="lake", Key=f"{namespace}/events/data/more.parquet", Body=b"")
    with pytest.raises(ClientError, match="AccessDenied"):
        client.delete_object(Bucket="lake", Key=list_files(client, namespace)[0])


def test_dashboards_need_no_more_than_a_reader_and_an_analyst_even_before_the_first_event(
    store_as: Callable[[str], Any], open_lake: OpenLake, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_as("reader")
    monkeypatch.setenv("TRINO_USER", "analyst")
    dashboard = open_lake(engine="trino")
    assert dashboard.events().height == 0
    monkeypatch.undo()  # a writer elsewhere has credentials of his own
    open_lake(engine="duckdb").append(make_events(0, 5))
    assert dashboard.sql("select count(*) as n from events").item() == 5


def test_a_maintainer_may_remove_files(store_as: Callable[[str], Any], namespace: str) -> None:
    client = store_as("maintainer")
    client.put_object(Bucket="lake", Key=f"{namespace}/left-over", Body=b"x")
    client.delete_object(Bucket="lake", Key=f"{namespace}/left-over")
    with pytest.raises(ClientError, match="AccessDenied"):
        client.list_objects(Bucket="spool")


@pytest.fixture
def session(open_lake: OpenLake) -> Session:
    """A log of ten events in two commits that verify finds nothing in."""
    log = open_lake()
    log.append(make_events(0, 5))
    log.append(make_events(5, 5))
    assert broken_checks(log) == set()
    return log


@pytest.fixture
def run(trino_as: Callable[[str], Any], namespace: str) -> Iterator[Callable[[str], list[list[Any]]]]:
    """Run a statement on the test's log as Trino's admin, whom no rule holds back."""
    cursor = trino_as("admin").cursor()

    def run_one(statement: str) -> list[list[Any]]:
        cursor.execute(statement.format(log=namespace))
        rows: list[list[Any]] = cursor.fetchall()
        return rows

    yield run_one
    cursor.close()


def broken_checks(session: Session) -> set[str]:
    found = session.verify()
    return set(found.filter(~found["holds"])["check"].to_list())


COPIED = "source, stream_id, stream_version, event_type, schema_version, occurred_at, recorded_at, actor_id, actor_kind"
ACTS = {
    "UPDATE {log}.events SET data = '{{\"amount\": 99}}' WHERE position = 3": {"foreign writes", "digests", "head"},
    "UPDATE {log}.events SET data = NULL, digest = lower(to_hex(sha256(to_utf8('x')))) WHERE position = 3": {
        "foreign writes",
        "head",
    },
    "DELETE FROM {log}.events WHERE position = 3": {"foreign writes", "snapshots"},
    "DELETE FROM {log}.events WHERE position = 9": {"foreign writes", "snapshots"},
    f"INSERT INTO {{log}}.events SELECT 10, 'new', {COPIED}, correlation_id, causation_id, data, metadata, digest, "
    "erased_at_position FROM {log}.events WHERE position = 3": {"foreign writes", "digests", "head"},
}


@pytest.mark.parametrize(("statement", "expected"), ACTS.items())
def test_what_an_admin_changes_is_shown_by_verify_even_once_the_snapshots_have_expired(
    statement: str, expected: set[str], session: Session, namespace: str, run: Callable[[str], list[list[Any]]]
) -> None:
    run(statement)
    assert broken_checks(session) >= expected
    with pytest.raises(ForeignWriteError, match="by admin"):
        session.append(make_events(10, 1))
    expire_all(namespace)
    assert broken_checks(session) >= expected


def test_a_log_set_back_to_an_older_snapshot_is_shown_by_verify(
    session: Session, run: Callable[[str], list[list[Any]]]
) -> None:
    history = run('SELECT snapshot_id FROM {log}."events$history" ORDER BY made_current_at')
    run(f"ALTER TABLE {{log}}.events EXECUTE rollback_to_snapshot({history[-2][0]})")
    assert broken_checks(session) >= {"foreign writes", "head"}
    with pytest.raises(ForeignWriteError, match="set back"):
        session.append(make_events(10, 1))


def test_a_file_overwritten_in_the_store_is_shown_by_verify(session: Session, stack: Stack, namespace: str) -> None:
    root = {"ACCESS_KEY_ID": stack.secrets["access_key"], "SECRET_ACCESS_KEY": stack.secrets["secret_key"]}
    client = open_client(stack, "s3", root)
    one, other = [key for key in list_files(client, namespace) if key.endswith(".parquet")][:2]
    body = client.get_object(Bucket="lake", Key=one)["Body"].read()
    client.put_object(Bucket="lake", Key=other, Body=body)
    assert broken_checks(session) & {"positions", "head", "files"}


def test_who_sets_back_the_log_and_its_head_alike_is_shown_only_by_what_was_known_elsewhere(
    open_lake: OpenLake,
    namespace: str,
    run: Callable[[str], list[list[Any]]],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """The limit: the newest events and every trace of them in the catalog. A basis or a copy of the head tells."""
    session = open_lake()
    session.append(make_events(0, 5))
    table = load_lake().load_table((namespace, "events"))
    before, kept = dict(table.properties), table.metadata.current_snapshot_id
    session.append(make_events(5, 5))
    basis = session.basis()
    run(f"ALTER TABLE {{log}}.events EXECUTE rollback_to_snapshot({kept})")
    with load_lake().load_table((namespace, "events")).transaction() as change:
        change.set_properties(before)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))  # a machine that never saw the log
    other = open_lake()
    assert broken_checks(other) == set()
    assert other.head().position == 4
    assert basis.position == 9


def test_a_dropped_table_is_named_and_not_made_anew(session: Session, namespace: str, open_lake: OpenLake) -> None:
    load_lake().drop_table((namespace, "events"))
    with pytest.raises(StorageError, match=rf"no table {namespace}\.events"):
        session.verify()
    with pytest.raises(StorageError, match=rf"no table {namespace}\.events"):
        open_lake().verify()


def expire_all(namespace: str) -> None:
    """Expire every snapshot but the current one, as one would who hides a trace."""
    table = load_lake().load_table((namespace, "events"))
    expiry = table.maintenance.expire_snapshots()
    for snapshot in table.snapshots():
        if snapshot.snapshot_id != table.metadata.current_snapshot_id:
            expiry = expiry.by_id(snapshot.snapshot_id)
    expiry.commit()
