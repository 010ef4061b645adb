"""Old payloads on Trino: lifted beside the log by our own upcasters, equal to what the embedded engine lifts."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from polars.testing import assert_frame_equal

from tests.builders import build_event, declare_type
from tests.stack.conftest import MakeSettings
from tests.stack.proxy import Machines, load_lake
from workbench.errors import ReadOnlyLogError
from workbench.event import Event
from workbench.session import Session, open_session

TYPE = declare_type("LoanRequested")
LIFTED = "select position, schema_version, data from events order by position"


@pytest.fixture
def schemas(tmp_path: Path) -> Path:
    folder = tmp_path / "schemas"
    folder.mkdir()
    (folder / "loan.toml").write_text(TYPE, encoding="utf-8")
    return folder


def requests(count: int) -> list[Event]:
    """Requests of the three versions in turn, among deposits."""
    kinds = [("LoanRequested", 1), ("LoanRequested", 2), ("LoanRequested", 3), ("MoneyDeposited", 1)]
    return [
        build_event(event_type=kind, schema_version=version, data={"sum" if version == 1 else "amount": number})
        for number, (kind, version) in enumerate((kinds * count)[:count])
    ]


@pytest.fixture
def open_pair(lake_settings: MakeSettings, schemas: Path) -> Callable[[], tuple[Session, Session]]:
    """A maker of one log's sessions, embedded and on Trino, under a registry."""

    def open_both() -> tuple[Session, Session]:
        made = [
            msgspec.structs.replace(lake_settings(engine=engine), schemas=schemas) for engine in ("duckdb", "trino")
        ]
        return open_session(made[0]), open_session(made[1])

    return open_both


def test_events_on_trino_are_the_ones_the_embedded_engine_lifts(
    open_pair: Callable[[], tuple[Session, Session]],
) -> None:
    duckdb, trino = open_pair()
    for size in (9, 1, 14):
        duckdb.append(requests(size))
        assert_frame_equal(trino.sql(LIFTED), duckdb.sql(LIFTED))
    assert_frame_equal(trino.events(stream_ids="account-1"), duckdb.events(stream_ids="account-1"))
    euros = "select count(*) as n from events where json_extract_scalar(data, '$.currency') = 'EUR'"
    assert trino.sql(euros).item() == duckdb.sql(euros).item() == 14


def test_stored_events_are_read_without_lifting_any(
    open_pair: Callable[[], tuple[Session, Session]], namespace: str
) -> None:
    duckdb, trino = open_pair()
    duckdb.append(requests(4))
    assert trino.sql("select sum(schema_version) as n from events_stored").item() == 7
    assert (f"{namespace}_derived", "events_lifted") not in load_lake().list_tables(f"{namespace}_derived")


def test_another_registry_lifts_beside_the_first(
    open_pair: Callable[[], tuple[Session, Session]], schemas: Path
) -> None:
    duckdb, trino = open_pair()
    duckdb.append(requests(8))
    euros = trino.sql(LIFTED)
    (schemas / "loan.toml").write_text(TYPE.replace("EUR", "CHF"), encoding="utf-8")
    francs_duckdb, francs = open_pair()
    assert_frame_equal(francs.sql(LIFTED), francs_duckdb.sql(LIFTED))
    assert "CHF" in str(francs.sql(LIFTED)["data"].to_list())
    assert_frame_equal(trino.sql(LIFTED), euros)


def test_a_side_table_that_others_rewrote_is_made_anew(
    open_pair: Callable[[], tuple[Session, Session]], trino_as: Callable[[str], Any], namespace: str
) -> None:
    duckdb, trino = open_pair()
    for _ in range(3):
        duckdb.append(requests(4))
        trino.sql(LIFTED)
    trino_as("admin").cursor().execute(f'alter table "{namespace}_derived".events_lifted execute optimize').fetchall()
    duckdb.append(requests(2))
    assert_frame_equal(trino.sql(LIFTED), duckdb.sql(LIFTED))


def test_several_sessions_that_lift_at_once_lift_each_event_once(
    open_pair: Callable[[], tuple[Session, Session]],
) -> None:
    from concurrent.futures import ThreadPoolExecutor

    duckdb, _ = open_pair()
    duckdb.append(requests(12))
    readers = [open_pair()[1] for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda reader: reader.sql(LIFTED), readers))
    for answer in answers:
        assert_frame_equal(answer, duckdb.sql(LIFTED))


def test_a_session_that_may_not_write_there_says_how_far_it_is_behind(machines: Machines, schemas: Path) -> None:
    machine = machines.add(engine="trino")
    machine.session.append(requests(7))
    machine.catalog.judge = lambda request: 403 if request.is_commit or "_derived" in request.path else "pass"
    held = open_reader(machine.session, schemas)
    with pytest.raises(ReadOnlyLogError, match=r"events_lifted, which is 7 events behind position 6, .* events_stored"):
        held.sql(LIFTED)
    assert held.sql("select count(*) as n from events_stored").item() == 7


def open_reader(session: Session, schemas: Path) -> Session:
    """The same session under a registry."""
    from workbench.decode.registry import load_registry

    return Session(session.settings, log=session._log, engine=session.engine, registry=load_registry(schemas))
