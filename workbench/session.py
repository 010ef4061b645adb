"""The composition root: settings in, a session out. Nothing else wires catalog, log and engine together."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import msgspec

from workbench.config import Settings, load_settings
from workbench.deltas.exporting import Exports
from workbench.errors import QueryFailedError, UnsupportedOnThisLogError
from workbench.event import Basis, Event

if TYPE_CHECKING:
    import polars as pl

    from workbench.decode import DecodeContext, Decoded
    from workbench.decode.registry import Registry
    from workbench.eventlog import Head, IngestReport, Log, MaintenanceReport, Span
    from workbench.eventlog.upkeep.cluster import Cluster
    from workbench.eventlog.writing.ingest import Progress
    from workbench.query.base import Engine, QueryProgress, Relation
    from workbench.query.trace import Trace
    from workbench.sources import Source

Instant = datetime | str
# How often a statement may find that files of its list were merged away meanwhile.
LISTINGS = 3
_progress: "ContextVar[Callable[[QueryProgress], None] | None]" = ContextVar("progress", default=None)


class AppendReceipt(msgspec.Struct, frozen=True, kw_only=True):
    """Where each event given to append stands in the log; a known event keeps its first position."""

    positions: Sequence[int]
    appended_count: int
    duplicate_count: int
    snapshot_id: int | None


def connect(target: str | Path | None = None, *, engine: str | None = None) -> "Session":
    """Return a session on a log: ``./workbench.toml``, else ``./.workbench``, made on first use; or the one named.

    ``target`` is a folder, a workbench.toml, or the name of a catalog that PyIceberg's configuration knows. ``engine``
    is "duckdb" or "trino". Raises ConfigError and ReadOnlyLogError.
    """
    return open_session(load_settings(target, engine=engine))


def open_session(settings: Settings) -> "Session":
    """Return a session for settings already read."""
    from workbench.decode.registry import load_registry
    from workbench.eventlog import open_log
    from workbench.query.engines import open_engine
    from workbench.query.subset.mapped import check_mapping

    registry = load_registry(settings.schemas, python_steps=settings.python_steps)
    log = open_log(settings)
    if settings.log.mapping is not None:
        check_mapping(settings.log.mapping, log.shapes()["mapped_table"].columns)
    return Session(settings, log=log, engine=open_engine(settings, registry, log), registry=registry)


class Session(Exports):
    """Everything one can ask of a log, and the two ways to add to it. Close it, or use it as a context."""

    def __init__(self, settings: Settings, *, log: "Log", engine: "Engine", registry: "Registry") -> None:
        self.settings = settings
        self.registry = registry
        self.engine = engine
        self._log = log
        self._writing = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Give back the engine. The log itself needs no closing."""
        self.engine.close()

    def head(self) -> "Head":
        """Return up to where the log reaches. Raises ForeignWriteError."""
        return self._log.head()

    @property
    def order(self) -> tuple[str, ...]:
        """The columns that order the log: its position, or, on a mapped log without one, time, source and id."""
        return self._log.order

    def append(
        self, events: Sequence[Event], *, expected_version: int | Mapping[str, int] | None = None
    ) -> AppendReceipt:
        """Append events as one commit and return where each stands.

        A known event with equal content is acknowledged with its first position. ``expected_version`` is the
        version one stream must be at, or a version by stream; -1 means it must not exist. Raises InvalidEventError,
        EventConflictError, ExpectedVersionError, ClockSkewError, LogBusyError, ForeignWriteError, StorageError and
        CommitUnknownError; after each of them nothing of the batch is in the log, after the last it may be.
        """
        from workbench.decode import encode_events

        rows = encode_events(events, self.settings.log.source)
        with self._writing:
            written = self._log.append([rows], expected=expected_version)
        return AppendReceipt(
            positions=written.positions.tolist(),
            appended_count=written.appended_count,
            duplicate_count=written.duplicate_count,
            snapshot_id=written.snapshot_id,
        )

    def ingest(
        self,
        path: str | Path,
        source: str | None = None,
        mapping: str | Path | None = None,
        *,
        format: str | None = None,  # noqa: A002 - the word users know
        progress: "Progress | None" = None,
        commit_every: int | None = None,
    ) -> "IngestReport":
        """Take in a whole file and return what became of its records; it is one commit.

        ``source`` names the producer where the records do not, by default the file's name; ``mapping`` is a TOML file
        of SQL expressions; ``format`` names the format instead of guessing it; ``commit_every`` commits in parts of at
        least so many records. Raises SourceError, MappingError and
        what append raises; then nothing of the file is in the log.
        """
        from workbench.sources import open_source

        opened = open_source(Path(path), format=format, mapping=None if mapping is None else Path(mapping))
        context = self._context(source or opened.name)
        with self._writing:
            return self._log.ingest(opened, context, path=Path(path), progress=progress, commit_every=commit_every)

    def drain_inbox(self, *, progress: "Progress | None" = None) -> "IngestReport":
        """Take in what others inserted into `events_inbox`, as one commit, and return what became of its rows."""
        with self._writing:
            return self._log.drain_inbox(self._context("events_inbox"), progress=progress)

    def adopt(self, snapshot_id: int | None = None) -> "IngestReport":
        """Take in what others appended to `events` itself, as a source, and return what became of its rows.

        ``snapshot_id`` is the last foreign snapshot that was looked at; without it all are meant. Raises
        ForeignWriteError where rows were changed or removed, saying how to roll back.
        """
        with self._writing:
            return self._log.adopt(self._context("events_inbox"), snapshot_id=snapshot_id)

    def _context(self, source: str) -> "DecodeContext":
        from workbench.decode import DecodeContext

        return DecodeContext(source_name=source, registry=self.registry)

    def quarantine(self) -> "pl.DataFrame":
        """Return the records that wait: source, byte_offset, line, reason, detail, remedy, raw as text."""
        import polars as pl

        return pl.DataFrame(self._log.quarantine())

    def retry_quarantine(self) -> "IngestReport":
        """Decode the waiting records again, now that the cause is mended, and return what became of them."""
        with self._writing:
            return self._log.retry_quarantine(self._context)

    def maintain(self, *, older_than: float = 0.0) -> "MaintenanceReport":
        """Merge small files, expire old snapshots, remove what nothing reaches; answers do not change."""
        with self._writing:
            return self._log.maintain(older_than=older_than, cluster=self._cluster())

    def _cluster(self) -> "Cluster | None":
        """Return the cluster that works for the log, None where the engine reads its files in process."""
        from workbench.eventlog.upkeep.cluster import Cluster

        name = self.settings.trino.catalog
        return Cluster(self.engine.command, name) if self.engine.reads_tables and name is not None else None

    def events(  # noqa: PLR0913 - the filters of DESIGN's public surface, all keyword-only
        self,
        *,
        event_types: str | Sequence[str] | None = None,
        stream_ids: str | Sequence[str] | None = None,
        actor_ids: str | Sequence[str] | None = None,
        since: Instant | None = None,
        until: Instant | None = None,
        as_of: Instant | None = None,
        known_at: Instant | None = None,
        text: str | None = None,
        after: int | None = None,
        limit: int | None = None,
    ) -> "pl.DataFrame":
        """Return events in the order of the log, lifted to their current schema versions.

        ``since``, ``until`` cut on occurred_at, [since, until); ``as_of`` keeps what had happened by then, ``known_at``
        what the log held by then; ``after`` is a position, exclusive; ``text`` is looked for ignoring case. Columns
        are those of the log. Raises ArgumentError for a time without a zone, RowLimitError, QueryTimeoutError.
        """
        from workbench.query.events import EventFilter, read_instant, read_names, select_events

        streams = read_names(stream_ids)
        up_to, span = self._cut(known_at)
        chosen = EventFilter(
            event_types=read_names(event_types),
            stream_ids=streams,
            actor_ids=read_names(actor_ids),
            since=read_instant("since", since),
            until=read_instant("until", until),
            as_of=read_instant("as_of", as_of),
            up_to=up_to,
            after=after,
            text=text,
        )
        if after is not None and self._log.order != ("position",):
            raise UnsupportedOnThisLogError(
                f"after={after} is a position, and this mapped log has none. Use since, or tail(after=a snapshot's id)."
            )
        statement, parameters = select_events(chosen, order=self._log.order, limit=limit)
        return self._query(statement, parameters, stream_ids=streams, span=span)

    def _cut(self, known_at: Instant | None) -> "tuple[int | None, Span | None]":
        """Return up to which position an answer reaches, or which snapshot it reads where there are no such."""
        from workbench.eventlog import Span
        from workbench.query.events import read_instant

        instant = read_instant("known_at", known_at)
        if instant is None:
            return None, None
        if self._log.has_recording_times:
            return self.resolve_known_at(instant), None
        return None, Span(until=self._log.snapshot_at(instant))

    def resolve_known_at(self, known_at: Instant) -> int:
        """Return the position of the last event the log had recorded at a time, -1 before the first."""
        from workbench.query.cuts import reached_by
        from workbench.query.events import read_instant

        head = self.head()
        if head.position is None or not self._log.has_recording_times:
            raise UnsupportedOnThisLogError(
                "known_at resolves to a position by recorded_at, and this mapped log has not both. Map them, or ask "
                "events(known_at=…), which reads the snapshot of that time."
            )
        instant = read_instant("known_at", known_at)
        if head.recorded_at is not None and instant is not None and instant >= head.recorded_at:
            return head.position
        low = reached_by(self.relations()["events_stored"], instant)
        found = "select coalesce(max(position), -1) as position from events_stored where recorded_at <= :at"
        return int(self._query(f"{found} and position >= :low", {"at": instant, "low": low}).item())

    def sql(
        self,
        text: str,
        params: Mapping[str, Any] | None = None,
        *,
        native: bool = False,
        row_limit: int | None = None,
        time_limit: float | None = None,
        progress: "Callable[[QueryProgress], None] | None" = None,
    ) -> "pl.DataFrame":
        """Return the rows of one SELECT over the session's views, in the declared subset of Trino's SQL.

        ``:name`` parameters are bound. Limits default to the settings'; 0 lifts one. ``native`` sends the statement
        as written to this engine; ``progress`` is told how far it is, and what it raises stops it there.
        Raises QueryRefusedError before anything runs, QueryFailedError, QueryTimeoutError and RowLimitError.
        """
        limits = {"row_limit": row_limit, "time_limit": time_limit}
        return self._query(text, dict(params or {}), limits=limits, options={"native": native, "progress": progress})

    def _query(
        self,
        statement: str,
        parameters: Mapping[str, Any],
        *,
        stream_ids: Sequence[str] | None = None,
        span: "Span | None" = None,
        limits: Mapping[str, Any] | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> "pl.DataFrame":
        chosen = {name: value for name, value in (limits or {}).items() if value is not None}
        limit = chosen.get("row_limit", self.settings.query.row_limit) or None
        seconds = chosen.get("time_limit", self.settings.query.time_limit) or None
        how = {**(options or {}), "row_limit": limit, "time_limit": seconds}
        how["progress"] = how.get("progress") or _progress.get()
        self._prepare_deltas(statement)
        relations = self.relations(stream_ids=stream_ids, span=span)
        for attempt in range(LISTINGS):
            try:
                return self.engine.query(statement, parameters, relations, **how)
            except QueryFailedError:
                # Files may have been merged away since they were listed: ask again only when the list has changed.
                fresh = self.relations(stream_ids=stream_ids, span=span)
                if attempt == LISTINGS - 1 or all(fresh[name].version == relations[name].version for name in fresh):
                    raise
                relations = fresh
        raise AssertionError

    def _ask(
        self, statement: str, parameters: Mapping[str, Any], stream_ids: Sequence[str] | None = None
    ) -> "pl.DataFrame":
        return self._query(statement, parameters, stream_ids=stream_ids, limits={"row_limit": 0})

    @contextmanager
    def watching(self, progress: "Callable[[QueryProgress], None]") -> Iterator[None]:
        """Tell ``progress`` how far each statement is that this thread asks within the block.

        What it raises stops the statement on the engine, and is raised where the statement was asked.
        """
        before = _progress.set(progress)
        try:
            yield
        finally:
            _progress.reset(before)

    def verify(self) -> "pl.DataFrame":
        """Return what a check of the whole log found, one row a check: check, found, detail, holds.

        Gaps, duplicates, order, versions, digests recomputed from the content, foreign writes, index and layouts.
        """
        from workbench.audit import verify_log

        return verify_log(self._log, lambda statement: self.sql(statement, row_limit=0, time_limit=0))

    def doctor(self) -> "pl.DataFrame":
        """Return how the log stands, one row a figure: check, verdict (good, note, bad), found, remedy."""
        from workbench.audit import examine_log

        return examine_log(self._log, cluster=self._cluster())

    def relations(
        self, *, stream_ids: Sequence[str] | None = None, span: "Span | None" = None
    ) -> "dict[str, Relation]":
        """Return what may stand in FROM, at the current snapshot; for given streams, from the layout by stream.

        ``span`` names other snapshots of a mapped log.
        """
        from workbench.query.relations import make_relations

        shapes = self._log.shapes(stream_ids) if span is None else self._log.shapes_of(span)
        lifted = partial(self._log.lift, self.registry) if self.engine.reads_tables else None
        return self._with_deltas(make_relations(shapes, self.registry, lifted=lifted) | self._model_relations())

    def dbapi(self) -> Any:
        """Return a DB-API 2.0 connection on this session, read-only; marimo's SQL cells take it as an engine."""
        from workbench.query.dbapi import open_dbapi

        return open_dbapi(self.sql)

    def tail(
        self, after: int = -1, *, follow: bool = False, batch: int = 10_000, pause: float = 0.5
    ) -> "Iterator[pl.DataFrame]":
        """Yield the events behind position ``after`` in batches, none skipped and none twice.

        ``follow`` waits for more, looking every ``pause`` seconds. On a mapped log without positions ``after`` is a
        snapshot's id (-1: from the beginning) and a batch is what its writers added since; raises
        UnsupportedOnThisLogError when that cannot be told.
        """
        from workbench.eventlog import Span

        reached: int | None = after
        while True:
            head = self.head()
            if head.position is not None:
                events = self.events(after=reached, limit=batch)
                reached = int(events["position"][-1]) if events.height else reached
            else:
                span = Span(until=head.snapshot_id, since=None if reached == -1 else reached)
                events, reached = self._added(span), head.snapshot_id
            if events.height:
                yield events
            elif follow:
                time.sleep(pause)
            else:
                return

    def _added(self, span: "Span") -> "pl.DataFrame":
        from workbench.query.events import EventFilter, select_events

        statement, parameters = select_events(EventFilter(), order=self._log.order)
        return self._query(statement, parameters, span=span)

    def trace(
        self,
        record: str,
        *,
        source: str | None = None,
        mapping: str | Path | None = None,
        format: str | None = None,  # noqa: A002 - the word users know
    ) -> "Trace":
        """Return what became of a record, named as ``FILE:LINE``, or of an event, named by its id.

        A file that was ingested with ``source``, ``mapping`` or ``format`` is traced with the same. Raises
        UnknownEventError, and SourceError for a file that cannot be read.
        """
        from workbench.query.trace import find_record, trace_event, trace_record
        from workbench.sources import open_source

        name, _, line = record.rpartition(":")
        path = Path(name)
        if not (name and line.isdigit() and path.is_file()):
            return trace_event(record, self.sql)
        opened = open_source(path, format=format, mapping=None if mapping is None else Path(mapping))
        found = find_record(path, int(line), self._decode(opened, source or opened.name))
        return trace_record(found, self._log.quarantined_record(path, found.offset), self.sql)

    def _decode(self, opened: "Source", source: str) -> "Iterator[Decoded]":
        from workbench.decode import decode_source

        return decode_source(opened, self._context(source))

    def basis(
        self,
        answer: "pl.DataFrame | None" = None,
        *,
        position: int | None = None,
        as_of: datetime | None = None,
        known_at: datetime | None = None,
        order: str = "position",
    ) -> Basis:
        """Return what an answer given now rests on; for an ``answer`` its rows' hash too.

        ``position`` is the last one the answer counts, the head's when it is left out.
        """
        from workbench.query.canonical import hash_rows

        head = self.head()
        return Basis(
            position=head.position if position is None else position,
            as_of=as_of,
            known_at=known_at,
            order="occurred" if head.position is None else order,
            registry_hash=self.registry.hash,
            engine=self.engine.name,
            snapshot_id=head.snapshot_id,
            left_out={"quarantined": self._log.quarantined_count()},
            sha256=None if answer is None else hash_rows(answer),
        )
