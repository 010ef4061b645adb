"""An OCEL 2.0 file as SQLite has it: opened read-only, its tables checked, and what its rows refer to made findable.

Beside the file's own tables there are temporary ones, which SQLite keeps on disk when they are large:

- ``links`` (event, object, qualifier, type) and ``relations`` (source, target, qualifier, type);
- ``pointers`` (number, object, place, at, nth, twin, field): each row of the object tables, ``nth`` of its object with
  initial values first, then by time and place, ``twin`` among those that change the same field at the same moment;
- ``created`` (number, object, place, at): each object, the place of its initial values, and since when they hold.

Moments are microseconds since 1970, places are row ids, and a number is that of the type in its map.
"""

import base64
import re
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from math import isfinite
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import msgspec

from workbench.errors import SourceError
from workbench.sources.compression import GZIP_MAGIC, ZSTD_MAGIC, open_bytes

MAGIC: Final = b"SQLite format 3\0"
# Within this of 1970-01-01T00:00Z a row of initial values has no time of its own, whichever zone it was written in.
DAY: Final = 86_400_000_000
NEEDED: Final = {
    "event": ("ocel_id", "ocel_type"),
    "object": ("ocel_id", "ocel_type"),
    "event_object": ("ocel_event_id", "ocel_object_id", "ocel_qualifier"),
    "object_object": ("ocel_source_id", "ocel_target_id", "ocel_qualifier"),
    "event_map_type": ("ocel_type", "ocel_type_map"),
    "object_map_type": ("ocel_type", "ocel_type_map"),
}
OWN: Final = {"event": ("ocel_id", "ocel_time"), "object": ("ocel_id", "ocel_time", "ocel_changed_field")}
# The table of a type that the map does not name: temporary, and empty.
UNMAPPED: Final = "unmapped"
_PARTS: Final = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})[ Tt]([0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?) ?(\S*)")
_ZONE: Final = re.compile(r"([+-][0-9]{2}):?([0-9]{2})")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_HEADER: Final = 100
_LINKS: Final = """
    create temp table unmapped(ocel_id, ocel_time, ocel_changed_field);
    create temp table kinds(object text primary key, type text);
    insert into kinds select ocel_id, min(ocel_type) from object where ocel_id is not null group by ocel_id;
    create temp table links(event text, object text, qualifier text, type text);
    insert into links select r.ocel_event_id, r.ocel_object_id, r.ocel_qualifier, k.type
        from event_object r left join kinds k on k.object = r.ocel_object_id order by r._rowid_;
    create index temp.links_by_event on links(event);
    create temp table relations(source text, target text, qualifier text, type text);
    insert into relations select r.ocel_source_id, r.ocel_target_id, r.ocel_qualifier, k.type
        from object_object r left join kinds k on k.object = r.ocel_target_id order by r._rowid_;
    create index temp.relations_by_source on relations(source);
    create temp table moments(event text primary key, at integer);
    create temp table pointers(
        number integer, object text, place integer, at integer, nth integer, twin integer, field
    );
    create temp table created(number integer, object text, place integer, at integer);
"""
_MOMENTS: Final = """insert or ignore into moments
    select ocel_id, moment(cast(ocel_time as blob)) from {} where ocel_id is not null order by 2"""
_POINTERS: Final = """insert into pointers
    select ?1, ocel_id, _rowid_, at,
        row_number() over (partition by ocel_id order by ocel_changed_field is not null, at, _rowid_),
        row_number() over (partition by ocel_id, at, ocel_changed_field order by _rowid_), ocel_changed_field
    from (select ocel_id, _rowid_, moment(cast(ocel_time as blob)) as at, ocel_changed_field from {})"""
_CREATED: Final = f"""
    create temp table sightings(object text, at integer);
    insert into sightings select object, at from links join moments using (event);
    insert into sightings select object, at from pointers where field is not null;
    create temp table seen(object text primary key, at integer);
    insert into seen select object, min(at) from sightings where object is not null group by object;
    create index temp.pointers_by_object on pointers(object, nth);
    insert into created
        select o.number, o.object, p.place,
            case when abs(p.at) > {DAY} then p.at else coalesce(s.at, (select min(at) from moments)) end
        from owners o
        left join pointers p on p.number = o.number and p.object = o.object and p.nth = 1 and p.field is null
        left join seen s on s.object = o.object;
"""  # noqa: S608 - a number of ours
_OWNERS: Final = """insert or ignore into owners
    select ?1, ocel_id from object where ocel_type = ?2 and ocel_id is not null
    union select ?1, object from pointers
    where number = ?1 and object is not null and object not in (select object from kinds)"""


class TypeTable(msgspec.Struct, frozen=True):
    """One type of events or objects, the table of its rows, and the columns of it that are attributes."""

    type: str
    table: str
    attributes: tuple[str, ...] = ()

    @property
    def source(self) -> str:
        """The table as it stands in FROM."""
        return quote_name(self.table)

    @property
    def columns(self) -> str:
        """The attributes as they stand after other columns of a SELECT from ``t``."""
        return "".join(f", t.{quote_name(name)}" for name in self.attributes)


class Tables(msgspec.Struct, frozen=True):
    """An opened file: the connection and the tables of its types, each in the order of the map."""

    database: sqlite3.Connection
    events: tuple[TypeTable, ...]
    objects: tuple[TypeTable, ...]


@contextmanager
def open_tables(path: Path) -> Iterator[Tables]:
    """Yield the tables of a file, which is unpacked to a temporary one where it is compressed.

    Raises SourceError where it is not SQLite, truncated, damaged, or has not the tables of OCEL 2.0.
    """
    with _unpack(path) as file:
        _check_whole(path, file)
        try:
            with closing(_connect(file)) as database:
                tables = Tables(database, *(_find_types(database, kind, path) for kind in ("event", "object")))
                _make_tables(tables)
                yield tables
        except (sqlite3.Error, UnicodeEncodeError) as error:
            raise SourceError(f"{path} is damaged, or not as SQLite left it: {error}. Get a whole copy.") from error


def quote_name(name: str) -> str:
    """Return a name as SQLite reads it, whatever is in it."""
    return '"' + name.replace('"', '""') + '"'


def read_value(value: Any) -> Any:
    """Return a value of SQLite as JSON has it: bytes in base64, an infinite number as text."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return str(value) if isinstance(value, float) and not isfinite(value) else value


def write_time(value: Any) -> str | None:
    """Return a time as RFC 3339 writes it, UTC where it names no zone; what is no such time stays as it is.

    >>> write_time("2023-05-30 09:14:34"), write_time("2023-05-30T09:14:34.5 +0200"), write_time("soon")
    ('2023-05-30T09:14:34Z', '2023-05-30T09:14:34.5+02:00', 'soon')
    """
    text = None if value is None else str(read_value(value))
    parts = None if text is None else _PARTS.fullmatch(text.strip())
    return text if parts is None else f"{parts[1]}T{parts[2]}" + (_ZONE.sub("\\1:\\2", parts[3]) or "Z")


def show_moment(moment: int) -> str:
    """Return microseconds since 1970 as RFC 3339."""
    return (_EPOCH + timedelta(microseconds=moment)).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _read_moment(raw: bytes | None) -> int | None:
    """Return a time in microseconds since 1970, None where it is no time. SQLite calls it."""
    try:
        moment = datetime.fromisoformat(write_time((raw or b"").decode()) or "")
        return (moment - _EPOCH) // timedelta(microseconds=1)
    except (TypeError, ValueError, OverflowError):
        return None


@contextmanager
def _unpack(path: Path) -> Iterator[Path]:
    with open_bytes(path), path.open("rb") as file:  # the first says what is wrong with a path that cannot be read
        magic = file.read(4)
    if not magic.startswith(GZIP_MAGIC) and magic != ZSTD_MAGIC:
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="workbench-ocel-") as folder:
        unpacked = Path(folder) / "log.sqlite"
        with open_bytes(path) as packed, unpacked.open("wb") as target:
            shutil.copyfileobj(packed, target, 1 << 20)
        yield unpacked


def _check_whole(path: Path, file: Path) -> None:
    """Raise SourceError where the header is not SQLite's, or counts more pages than there are."""
    with file.open("rb") as opened:
        head = opened.read(_HEADER)
    if not head.startswith(MAGIC):
        raise SourceError(f"{path} is no SQLite database, the form in which OCEL 2.0 is read. Name another format.")
    size = int.from_bytes(head[16:18])
    page = 1 << 16 if size == 1 else size
    # The count of pages is up to date only where both change counters agree.
    if head[24:28] == head[92:96] and file.stat().st_size < page * int.from_bytes(head[28:32]):
        raise SourceError(f"{path} is truncated: its last pages are missing. Copy it again.")


def _connect(file: Path) -> sqlite3.Connection:
    database = sqlite3.connect(f"file:{quote(str(file.resolve()))}?mode=ro", uri=True, check_same_thread=False)
    database.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
    # The schema is the file's: nothing that a generated column or an index names may reach further than SQL's own.
    database.execute("pragma trusted_schema = off")
    database.execute("pragma cell_size_check = on")
    database.create_function("moment", 1, _read_moment, deterministic=True)
    return database


def _find_types(database: sqlite3.Connection, kind: str, path: Path) -> tuple[TypeTable, ...]:
    """Return the table of each type; one that has rows and no entry in the map has an empty one."""
    for needed, own in NEEDED.items():
        _check_columns(database, needed, own, path)
    types = {}
    for name, table in database.execute(f"select ocel_type, ocel_type_map from {kind}_map_type order by _rowid_"):  # noqa: S608 - our own names
        found = f"{kind}_{table}"
        columns = _check_columns(database, found, OWN[kind], path)
        types[str(name)] = TypeTable(str(name), found, tuple(name for name in columns if name not in OWN[kind]))
    others = [str(name) for (name,) in database.execute(f"select distinct ocel_type from {kind} order by 1")]  # noqa: S608 - our own names
    return *types.values(), *(TypeTable(name, UNMAPPED) for name in others if name not in types)


def _check_columns(database: sqlite3.Connection, table: str, needed: Sequence[str], path: Path) -> list[str]:
    """Return the columns of a table; a view is none, as it is SQL of the file's, nor is a virtual one."""
    known = "select count(*) from sqlite_master where type = 'table' and lower(name) = lower(?) and rootpage > 0"
    if not database.execute(known, (table,)).fetchone()[0]:
        raise SourceError(f"{path} has no table {table}, so it is not OCEL 2.0. Export the log as OCEL 2.0 SQLite.")
    columns = [str(row[1]) for row in database.execute(f"pragma table_info({quote_name(table)})")]
    for name in needed:
        if name not in columns:
            raise SourceError(
                f"{path} has no column {name} in the table {table}; it has {', '.join(columns)}. "
                "Export the log as OCEL 2.0 SQLite."
            )
    return columns


def _make_tables(tables: Tables) -> None:
    run = tables.database.execute
    for statement in _LINKS.split(";"):
        run(statement)
    for source in {kind.source: None for kind in tables.events}:
        run(_MOMENTS.format(source))
    run("create temp table owners(number integer, object text, primary key (number, object))")
    for number, kind in enumerate(tables.objects):
        run(_POINTERS.format(kind.source), (number,))
        run(_OWNERS, (number, kind.type))
    for statement in _CREATED.split(";"):
        run(statement)
