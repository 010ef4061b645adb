"""DuckDB over the object store: offline, locked to the log's own places, and no key in anything one can see."""

import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import msgspec
import pyarrow as pa
import pytest

from tests.eventlog.logs import make_events
from tests.query.test_attacks import ATTACKS, NATIVE_ATTACKS
from tests.stack.conftest import MakeSettings, OpenLake
from workbench.errors import QueryRefusedError, StorageError
from workbench.eventlog.catalog import open_catalog
from workbench.eventlog.storage.objects import ObjectFiles
from workbench.session import Session, open_session

SIZE = 500


@pytest.fixture
def lake(open_lake: OpenLake) -> Session:
    """A log of three files in the object store."""
    session = open_lake()
    for start in range(0, SIZE, 200):
        session.append(make_events(start, min(200, SIZE - start)))
    return session


@pytest.fixture
def files(lake: Session) -> tuple[str, ...]:
    """The files of the log."""
    return tuple(path for part in lake._log.shapes()["events_stored"].parts for path in part.files)


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The addresses off this machine that something asked for; each is refused."""
    asked: list[str] = []
    connect = socket.socket.connect

    def guarded(own: socket.socket, address: Any) -> None:
        if isinstance(address, tuple) and not str(address[0]).startswith(("127.", "::1", "localhost")):
            asked.append(str(address[0]))
            raise OSError(f"no network: {address[0]}")
        connect(own, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)
    yield asked
    assert not asked


def test_sql_reads_the_object_store_without_any_other_network(lake: Session, no_network: list[str]) -> None:
    counted = lake.sql("select count(*) as n, sum(position) as total from events")
    assert counted.row(0) == (SIZE, SIZE * (SIZE - 1) // 2)
    assert lake.events(stream_ids="account-1", limit=2)["position"].to_list() == [1, 4]
    assert no_network == []


def test_each_attack_is_refused_over_the_object_store_too(lake: Session, files: tuple[str, ...]) -> None:
    before = lake.head()
    for attack in ATTACKS:
        with pytest.raises(QueryRefusedError):
            lake.sql(_aim(attack, files))
    for attack in NATIVE_ATTACKS:
        with pytest.raises(QueryRefusedError):
            lake.sql(_aim(attack, files), native=True)
    assert lake.head() == before


def _aim(attack: str, files: tuple[str, ...]) -> str:
    elsewhere = files[0].replace("/events/", "/other/")
    return attack.replace("{inside}", files[0]).replace("{outside}", elsewhere).replace("{target}", elsewhere)


def test_the_connection_itself_reads_the_logs_files_and_no_others(lake: Session, files: tuple[str, ...]) -> None:
    connection = lake.engine._connection  # type: ignore[attr-defined]  # what lies under the statements' own check
    assert connection.execute(f"select count(*) from read_parquet('{files[0]}')").fetchone() == (200,)
    bucket = "/".join(files[0].split("/")[:3])
    for path in (f"{bucket}/x.parquet", f"{files[0]}/../../../x", f"{bucket}/*", "/etc/passwd", "http://127.0.0.1/x"):
        with pytest.raises(duckdb.Error):
            connection.execute(f"select * from read_blob('{path}')").fetchall()
    for statement in (f"copy (select 1) to '{files[0]}.new'", "set enable_external_access = true"):
        with pytest.raises(duckdb.Error):
            connection.execute(statement)


def test_the_stores_keys_stand_in_no_text_one_can_see(lake: Session, lake_settings: MakeSettings) -> None:
    settings = lake_settings()
    secret = str(open_catalog(settings).properties["s3.secret-access-key"])
    objects = lake._log.objects()
    seen = [repr(one) for one in (settings, lake, lake.engine, lake._log, objects, lake.relations(), lake.basis())]
    seen += [str(one) for one in (objects, lake.doctor(), vars(lake))]
    connection = lake.engine._connection  # type: ignore[attr-defined]  # as above
    seen.append(str(connection.execute("select * from duckdb_settings()").fetchall()))
    assert not any(secret in text for text in seen)


def test_a_missing_file_and_wrong_keys_are_told_in_one_clear_sentence(
    lake: Session, lake_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch, files: tuple[str, ...]
) -> None:
    objects = lake._log.objects()
    assert isinstance(objects, ObjectFiles)
    assert not objects.exists(f"{files[0]}.gone")
    wrong = "wrong-key-0123456789"
    monkeypatch.setenv("PYICEBERG_CATALOG__LAKE__S3__SECRET_ACCESS_KEY", wrong)
    with open_session(lake_settings()) as session, pytest.raises(StorageError, match="refuses these keys") as told:
        session.sql("select count(*) from events")
    assert wrong not in str(told.value)
    assert "\n" not in str(told.value)


def test_bytes_come_from_the_store_once(lake: Session, files: tuple[str, ...]) -> None:
    objects = lake._log.objects()
    assert isinstance(objects, ObjectFiles)
    asked: list[str] = []
    ask: Callable[..., Any] = objects._ask

    def count(question: Callable[[Any], Any], path: str) -> Any:
        asked.append(path)
        return ask(question, path)

    objects._ask = count  # type: ignore[method-assign]  # counts what goes over the wire
    with objects.open(files[0]) as first:
        whole = first.read()
    with objects.open(files[0]) as second:
        second.seek(-100, 2)
        assert second.read() == whole[-100:]
        second.seek(10)
        assert second.read(20) == whole[10:30]
        assert second.read(0) == b""
    assert len(asked) == 2


def test_a_table_that_others_write_is_read_where_it_lies(lake_settings: MakeSettings) -> None:
    settings = lake_settings()
    catalog = open_catalog(settings)
    namespace = settings.log.namespace
    catalog.create_namespace_if_not_exists(namespace)
    rows = pa.table(
        {
            "id": [f"a{number}" for number in range(9)],
            "order_no": ["o1", "o2", "o3"] * 3,
            "kind": ["Made"] * 9,
            "happened": [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=number) for number in range(9)],
        }
    )
    catalog.create_table(f"{namespace}.history", rows.schema).append(rows)
    mapping = {"event_id": "id", "stream_id": "order_no", "event_type": "kind", "occurred_at": "happened"}
    log = msgspec.structs.replace(settings.log, table=f"{namespace}.history", mapping=mapping)
    with open_session(msgspec.structs.replace(settings, log=log)) as session:
        assert session.events(stream_ids="o2")["event_id"].to_list() == ["a1", "a4", "a7"]
        parts = session._log.shapes()["mapped_table"].parts
        assert parts[0].files[0].startswith("s3://")
        with pytest.raises(duckdb.Error):
            session.engine._connection.execute(  # type: ignore[attr-defined]  # as above
                f"select * from read_blob('{parts[0].files[0].replace('/history/', '/other/')}')"
            )
