"""An object-centric log: what its object tables hold over time is what replay gives for any moment."""

import gzip
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.published import RealLogs
from workbench.errors import UnknownEntityError
from workbench.replay.declaration import make_projection
from workbench.session import Session, connect

pytestmark = pytest.mark.data
Values = dict[str, Any]
OBJECT = make_projection(
    {
        "name": "object",
        "order": "occurred",
        "fields": {
            "attributes": {
                "rule": "merge",
                "event_types": ["ObjectCreated", "ObjectChanged"],
                "value": "data.attributes",
            },
            "type": {"rule": "last", "kind": "text", "event_types": ["ObjectCreated"], "value": "data.type"},
        },
    }
)


class Row(NamedTuple):
    """A row of an object table: since when its values hold, None for initial ones, which bear a time in 1970."""

    object_id: str
    since: datetime | None
    values: Values


@pytest.fixture(scope="module")
def tables(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    """The log itself, read without the package."""
    file = tmp_path_factory.mktemp("ocel") / "log.sqlite"
    (packed,) = (shared_data / "ocel2-logistics").glob("*.sqlite*")
    file.write_bytes(gzip.decompress(packed.read_bytes()))
    with closing(sqlite3.connect(file)) as opened:
        yield opened


@pytest.fixture(scope="module")
def session(real_logs: RealLogs) -> Iterator[Session]:
    """The same log, taken in."""
    with connect(real_logs.take("logistics").folder) as opened:
        yield opened


def read_table(tables: sqlite3.Connection, kind: str) -> list[Row]:
    found = tables.execute(f'select * from "object_{kind}" order by rowid')  # noqa: S608 - the log's own names
    names = [column[0] for column in found.description]
    rows = []
    for cells in found:
        row = dict(zip(names, cells, strict=True))
        moment = datetime.fromisoformat(row.pop("ocel_time")).replace(tzinfo=UTC)
        object_id, changed = row.pop("ocel_id"), row.pop("ocel_changed_field")
        values = {name: value for name, value in row.items() if value is not None and changed in (None, name)}
        rows.append(Row(object_id, moment if moment.year > 1970 else None, values))
    return rows


def hold_at(rows: list[Row], heard_of: dict[str, datetime], moment: datetime) -> dict[str, Values]:
    """What a table says of a moment: initial values first, then each change up to it, in the order of time."""
    held: dict[str, Values] = {}
    for row in sorted(rows, key=lambda row: row.since or datetime.min.replace(tzinfo=UTC)):
        since = heard_of[row.object_id] if row.since is None else row.since
        if since <= moment:
            held.setdefault(row.object_id, {}).update(row.values)
    return held


def hear_of(tables: sqlite3.Connection, rows: list[Row]) -> dict[str, datetime]:
    """When each object is first heard of: its first event or change; else the first event of all."""
    times: dict[str, datetime] = {}
    for (kind,) in tables.execute("select ocel_type_map from event_map_type").fetchall():
        statement = f'select ocel_id, ocel_time from "event_{kind}"'  # noqa: S608 - the log's own names
        times |= {name: datetime.fromisoformat(time).replace(tzinfo=UTC) for name, time in tables.execute(statement)}
    heard: dict[str, datetime] = {}
    links = tables.execute("select ocel_object_id, ocel_event_id from event_object").fetchall()
    changes = [(row.object_id, row.since) for row in rows if row.since is not None]
    for object_id, moment in [(name, times[event]) for name, event in links] + changes:
        heard[object_id] = min(moment, heard.get(object_id, moment))
    for row in rows:
        heard.setdefault(row.object_id, min(times.values()))
    return heard


@pytest.mark.parametrize("kind", ["Container", "CustomerOrder", "TransportDocument", "Vehicle", "Truck", "Forklift"])
def test_the_values_of_a_table_at_any_moment_are_the_states(
    session: Session, tables: sqlite3.Connection, kind: str
) -> None:
    rows = read_table(tables, kind)
    own = {row.object_id for row in rows}
    heard_of = {name: moment for name, moment in hear_of(tables, rows).items() if name in own}
    moments = sorted({*(row.since for row in rows if row.since is not None), *heard_of.values()})
    picked = [moments[0] - timedelta(seconds=1), *moments[:: max(1, len(moments) // 20)], moments[-1]]
    for moment in picked:
        states = session.state(OBJECT, as_of=moment)
        shown = {
            row["entity_id"]: json.loads(row["attributes"]) for row in states.to_dicts() if row["entity_id"] in own
        }
        assert shown == hold_at(rows, heard_of, moment), moment


def test_initial_values_are_not_there_in_1970(session: Session, tables: sqlite3.Connection) -> None:
    (container,) = tables.execute("select min(ocel_id) from object_Container").fetchone()
    with pytest.raises(UnknownEntityError, match="has no events that count before 2023"):
        session.state(OBJECT, stream_id=container, as_of="1970-01-02T00:00:00Z")
    assert session.state(OBJECT, as_of="2023-01-01T00:00:00Z").is_empty()
