"""Object-centric event logs (OCEL 2.0 in SQLite, plain or compressed): events, and objects whose values change.

Three kinds of events come of a file, in the order of their times; at one instant objects come first, changes last:

- An **event** of the file keeps its id and type. ``data`` is ``{"objects": [{"id", "type", "qualifier"}],
  "attributes": {…}}``. Its stream is the object that the file lists first for it, which is the one it is about; the
  others, such as the truck and the forklift of a container, are in ``objects``. An event without objects is a stream of
  its own, ``event/<id>``.
- An **object** is an ``ObjectCreated`` in the stream of its id: ``{"type", "attributes": {…}, "relations": [{"id",
  "type", "qualifier"}]}``, the attributes being its initial values, the relations those that lead from it.
- A **change** of an object is an ``ObjectChanged`` in the same stream: ``{"type", "attributes": {field: value}}``.

An attribute that has no value yet is absent; a change to null is null. ``metadata.ocel`` names table and row, and of an
object's rows the time and changed field as they are written.

**Times.** OCEL's SQLite names no zone: such a time is UTC, and one with an offset is that instant. **Initial values**
bear a time in 1970, which is none. They hold from the first time the object is heard of: its first event, or its first
change where that is earlier; an object that has neither is heard of with the file's first event. So for any T the
values of an object are, field by field, those of the last row up to T in the order of time, then row, its initial row
counting as the first; and before it was heard of there is no object. A row of initial values with a time of its own,
more than a day off 1970-01-01, keeps it.

What the file refers to without having it is kept: a related object that stands in no table has no type. What cannot be
an event is quarantined: an event without a time, a row or a relation whose event or object the file does not have.
"""

import heapq
import json
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any, ClassVar, Final

import msgspec
import pyarrow as pa

from workbench.sources.base import MappedChunk
from workbench.sources.ocel_tables import (
    DAY,
    UNMAPPED,
    Tables,
    TypeTable,
    open_tables,
    quote_name,
    read_value,
    show_moment,
    write_time,
)
from workbench.sources.rows import MappedSource, complete_rows
from workbench.sources.tabular import number_rows

BATCH: Final = 20_000
CREATED: Final = "ObjectCreated"
CHANGED: Final = "ObjectChanged"
_LAST: Final = 1 << 63
_ENVELOPE: Final = ("event_id", "stream_id", "event_type", "occurred_at")
_OBJECTS: Final = ("data", "metadata")
_NO_EVENT: Final = "ocel_event_id is null or ocel_event_id not in (select ocel_id from event where ocel_id is not null)"
_NO_OBJECT: Final = "ocel_source_id is null or ocel_source_id not in (select object from created)"
_UNCLAIMED: Final = "ocel_id is null or ocel_id not in (select ocel_id from event where ocel_id is not null)"
_LINKED: Final = {
    "links": "select object, type, qualifier from links where event = ? order by rowid",
    "relations": "select target, type, qualifier from relations where source = ? order by rowid",
}


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """One record of the file, in its ``order``: moment, kind, number of its type, and row."""

    order: tuple[int, int, int, int]
    raw: dict[str, Any]
    event_id: str | None = None
    stream_id: str | None = None
    event_type: str | None = None
    occurred_at: str | None = None
    data: dict[str, Any] | None = None
    metadata: dict[str, Any] | None = None
    fault: str | None = None


class OcelSource(MappedSource):
    """An OCEL 2.0 file. A record's offset is its number from 0 in the order above, its line its number from 1."""

    format: ClassVar[str] = "ocel"
    media_type: ClassVar[str] = "application/vnd.sqlite3"

    def __init__(self, path: Path, *, name: str | None = None) -> None:
        self.path = path
        self.name = name or path.name

    def chunks(self) -> Iterator[MappedChunk]:
        """Yield 20,000 records at a time; raises SourceError where the file is not whole or not OCEL 2.0."""
        with open_tables(self.path) as tables:
            records = list_records(tables)
            first = 0
            while batch := list(islice(records, BATCH)):
                rows = [_write_row(found) for found in batch]
                names = (*_ENVELOPE, *_OBJECTS, "fault")
                columns: dict[str, Any] = {
                    name: pa.array([row.get(name) for row in rows], pa.string()) for name in names
                }
                columns["raw"] = pa.array([row["raw"] for row in rows], pa.binary())
                places = {"offset": number_rows(first, len(rows)), "line": number_rows(first + 1, len(rows))}
                yield MappedChunk(rows=complete_rows(columns | places, len(rows), self.media_type))
                first += len(rows)


def list_records(tables: Tables) -> Iterator[Found]:
    """Yield every record of a file in the order of its moment; those without one come last."""
    objects = list(enumerate(tables.objects))
    readers = [
        *(_list_created(tables, number, kind) for number, kind in objects),
        *(_list_events(tables, number, kind) for number, kind in enumerate(tables.events)),
        *(_list_changes(tables, number, kind) for number, kind in objects),
    ]
    return chain(heapq.merge(*readers, key=lambda found: found.order), _list_strays(tables))


def _list_events(tables: Tables, number: int, kind: TypeTable) -> Iterator[Found]:
    rows = tables.database.execute(
        f"""select moment(cast(t.ocel_time as blob)) as at, t._rowid_, e.ocel_id, t.ocel_time{kind.columns}
            from event e left join {kind.source} t on t.ocel_id = e.ocel_id
            where e.ocel_type = ? order by at is null, at, t._rowid_, e._rowid_""",  # noqa: S608 - names are quoted
        (kind.type,),
    )
    for at, place, event, time, *values in rows:
        objects = _find_linked(tables, "links", event)
        attributes = _read_given(kind, values)
        yield Found(
            order=_order(at, 1, number, place),
            raw={"ocel_id": event, "ocel_type": kind.type, "ocel_time": time, **attributes, "objects": objects},
            event_id=event,
            stream_id=objects[0]["id"] if objects else f"event/{event}",
            event_type=kind.type,
            occurred_at=write_time(time),
            data={"objects": objects, "attributes": attributes},
            metadata=_write_place(kind, place),
            fault="its ocel_id is null" if event is None else None,
        )


def _list_created(tables: Tables, number: int, kind: TypeTable) -> Iterator[Found]:
    rows = tables.database.execute(
        f"""select c.at, c.place, c.object, t.ocel_time, abs(moment(cast(t.ocel_time as blob))) > {DAY}{kind.columns}
            from created c left join {kind.source} t on t._rowid_ = c.place
            where c.number = ? order by c.at is null, c.at, c.place, c.object""",  # noqa: S608 - names are quoted
        (number,),
    )
    for at, place, name, time, has_own_time, *values in rows:
        attributes, relations = _read_given(kind, values), _find_linked(tables, "relations", name)
        yield Found(
            order=_order(at, 0, number, place),
            raw={"ocel_id": name, "ocel_type": kind.type, "ocel_time": time, **attributes, "relations": relations},
            event_id=f"object/{name}",
            stream_id=name,
            event_type=CREATED,
            occurred_at=write_time(time) if has_own_time else None if at is None else show_moment(at),
            data={"type": kind.type, "attributes": attributes, "relations": relations},
            metadata=_write_place(kind, place, time=time, changed_field=None),
        )


def _list_changes(tables: Tables, number: int, kind: TypeTable) -> Iterator[Found]:
    rows = tables.database.execute(
        f"""select p.at, p.place, p.object, p.twin, t.ocel_time, p.field{kind.columns}
            from pointers p join {kind.source} t on t._rowid_ = p.place
            where p.number = ? and (p.object is null or p.field is not null or p.nth > 1)
            order by p.at is null, p.at, p.place""",  # noqa: S608 - names are quoted
        (number,),
    )
    for at, place, name, twin, time, field, *values in rows:
        attributes = _read_given(kind, values, changed=field)
        moment = write_time(time)
        yield Found(
            order=_order(at, 2, number, place),
            raw={"ocel_id": name, "ocel_type": kind.type, "ocel_time": time, "ocel_changed_field": field, **attributes},
            event_id=f"object/{name}/{moment}/{'' if field is None else field}{f'/{twin}' if twin > 1 else ''}",
            stream_id=name,
            event_type=CHANGED,
            occurred_at=moment,
            data={"type": kind.type, "attributes": attributes},
            metadata=_write_place(kind, place, time=time, changed_field=field),
            fault="its ocel_id is null" if name is None else None,
        )


def _list_strays(tables: Tables) -> Iterator[Found]:
    """Yield the rows that belong to no event and no object of the file."""
    asked = [(kind.table, _UNCLAIMED, "its event is not in the table event") for kind in tables.events]
    asked.append(("event_object", _NO_EVENT, "its event is not in the table event"))
    asked.append(("object_object", _NO_OBJECT, "its source is in no table of objects"))
    for table, condition, fault in dict.fromkeys(asked):
        rows = tables.database.execute(f"select * from {quote_name(table)} where {condition} order by _rowid_")  # noqa: S608 - the name is quoted
        names = [column[0] for column in rows.description]
        for row in rows:
            raw = {name: read_value(value) for name, value in zip(names, row, strict=True)}
            yield Found(order=_order(None, 3, 0, None), raw={"table": table, **raw}, fault=fault)


def _order(at: int | None, kind: int, number: int, place: int | None) -> tuple[int, int, int, int]:
    return _LAST if at is None else at, kind, number, place or 0


def _read_given(kind: TypeTable, values: Sequence[Any], *, changed: str | None = None) -> dict[str, Any]:
    """Return the attributes of a row that have a value, and the one it changes also where that is null."""
    given = zip(kind.attributes, values, strict=True)
    return {name: read_value(value) for name, value in given if value is not None or name == changed}


def _find_linked(tables: Tables, table: str, name: Any) -> list[dict[str, Any]]:
    try:
        rows = tables.database.execute(_LINKED[table], (name,)).fetchall()
    except UnicodeEncodeError:  # such a name makes the whole record a rejection
        return []
    return [{"id": target, "type": kind, "qualifier": qualifier} for target, kind, qualifier in rows]


def _write_place(kind: TypeTable, place: int | None, **told: Any) -> dict[str, Any]:
    return {"ocel": {"table": None if kind.table == UNMAPPED else kind.table, "row": place, **told}}


def _write_row(found: Found) -> dict[str, Any]:
    """Return a record's columns; text that is not UTF-8 leaves only its bytes and the fault."""
    raw = json.dumps({name: read_value(value) for name, value in found.raw.items()}, ensure_ascii=False)
    try:
        encoded, fault = raw.encode(), found.fault
    except UnicodeEncodeError:
        encoded, fault = raw.encode("utf-8", "surrogateescape"), "it holds text that is not UTF-8"
    if fault is not None:
        return {"raw": encoded, "fault": fault}
    texts = {name: None if (value := getattr(found, name)) is None else str(value) for name in _ENVELOPE}
    objects = {name: json.dumps(getattr(found, name), ensure_ascii=False, separators=(",", ":")) for name in _OBJECTS}
    return texts | objects | {"raw": encoded}
