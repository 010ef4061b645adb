"""Go through the whole log once, a few rows at a time, and say whether it still is what its writers made of it."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray
from pyiceberg.manifest import DataFile
from pyiceberg.table import Table
from pyiceberg.table.snapshots import ancestors_of

from workbench.decode.columns import TIMESTAMP
from workbench.decode.digests import digest_rows
from workbench.errors import ForeignWriteError, ReadOnlyLogError, StorageError
from workbench.eventlog.by_stream import stream_progress
from workbench.eventlog.files import read_file
from workbench.eventlog.head import DIGEST_SUM_BITS, Head, read_head, sum_digests
from workbench.eventlog.index.index import Index, digest_halves, key_words
from workbench.eventlog.index.keys import add_keys
from workbench.eventlog.index.runs import DamagedRunError
from workbench.eventlog.layout import planned_files
from workbench.eventlog.storage.parts import is_unavailable
from workbench.eventlog.store import Store, first_position, last_position
from workbench.eventlog.writing.commit import PROVEN, adopted_snapshots, prove_snapshot
from workbench.eventlog.writing.lock import hold_lock

# 65,536 rows with 1 kB payloads are 70 MB: the check of a log of any size fits beside other work.
ROWS_AT_ONCE: Final = 65_536
ERASED: Final = "erased_at_position"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One check: how many places broke it, what was seen (the first place where it broke), and whether it holds."""

    check: str
    found: int
    detail: str
    holds: bool


class Tally(msgspec.Struct, kw_only=True):
    """How often a check was broken, and where first."""

    found: int = 0
    first: str = ""

    def add(self, count: int, place: str) -> None:
        """Count places; the first one is kept."""
        self.first = self.first if self.found or not count else place
        self.found += count

    def finding(self, check: str, good: str, bad: str) -> Finding:
        """Return the finding; ``bad`` is followed by the first place."""
        detail = f"{bad} {self.first}." if self.found else good
        return Finding(check=check, found=self.found, detail=detail, holds=not self.found)


def verify_store(store: Store) -> list[Finding]:
    """Return what one reading of every file shows: positions, head, recording times, digests, index, both layouts.

    Nothing is changed, and writers go on meanwhile: what is verified is the snapshot that was current at the start.
    """
    with _lock(store):
        table, by_stream = store.tables.events, store.tables.by_stream
        index, is_damaged = _open_index(store, table)
    head = read_head(table)
    walk = Walk(index, stream_progress(by_stream, table))
    for rows in _read(table, walk.files, None):
        walk.take(rows)
    if walk.files.found and table.metadata.current_snapshot_id not in _kept(store):
        raise StorageError(
            "The log's files were merged and removed while they were verified. Nothing is wrong; verify again."
        )
    if is_damaged:
        walk.index_faults.add(1, "its mark or a run is damaged; the next append makes it anew")
    return [
        _check_foreign(store, table),
        _check_snapshots(table),
        *walk.findings(head),
        _check_by_stream(by_stream, walk),
    ]


@contextmanager
def _lock(store: Store) -> Iterator[None]:
    """Hold off this machine's writers while table and index are looked at; a read-only folder has none."""
    path = store.folder.parent / "writer.lock"
    with ExitStack() as held:
        if path.exists():
            with suppress(ReadOnlyLogError):
                held.enter_context(hold_lock(path, store.settings.log.lock_timeout))
        yield


def _kept(store: Store) -> set[int]:
    return {snapshot.snapshot_id for snapshot in store.tables.events.snapshots()}


def _open_index(store: Store, table: Table) -> tuple[Index, bool]:
    """Return the index as it stands, apart from the writers' own, and whether there was one that cannot be used."""
    there = (store.folder / "index" / "mark").exists()
    index = Index(store.folder / "index", str(table.metadata.table_uuid))
    if there:
        index.load()
    return index, there and index.position < 0 and read_head(table).last >= 0


def _read(table: Table, faults: Tally, columns: Sequence[str] | None) -> Iterator[pa.Table]:
    is_log = table.name()[-1] == "events"
    groups = _overlapping(planned_files(table)) if is_log else [[file] for file in _all_files(table)]
    for group in groups:
        try:
            if is_log and not _is_ordered(table, group):
                yield from _read_ordered(table, group)
                continue
            with table.io.new_input(group[0].file_path).open() as stream:
                for batch in pq.ParquetFile(stream).iter_batches(ROWS_AT_ONCE, columns=columns):
                    yield pa.Table.from_batches([batch])
        except (OSError, pa.ArrowException) as error:
            if is_unavailable(error):
                raise
            faults.add(len(group), f"{group[0].file_path}: {str(error).splitlines()[0]}")


def _overlapping(files: Sequence[DataFile]) -> list[list[DataFile]]:
    """Return files by position, together those whose ranges meet: ours never do, another engine's may."""
    groups: list[list[DataFile]] = []
    reached = -1
    for file in files:
        if groups and first_position(file) <= reached:
            groups[-1].append(file)
        else:
            groups.append([file])
        reached = max(reached, last_position(file))
    return groups


def _is_ordered(table: Table, group: Sequence[DataFile]) -> bool:
    if len(group) > 1:
        return False
    positions = read_file(table, group[0].file_path, ["position"]).column("position").to_numpy()
    return bool((positions[1:] > positions[:-1]).all())


def _read_ordered(table: Table, group: Sequence[DataFile]) -> Iterator[pa.Table]:
    """Yield the rows of a few files in the order of the log; they are in memory at once."""
    rows = pa.concat_tables(read_file(table, file.file_path) for file in group).sort_by("position")
    for start in range(0, rows.num_rows, ROWS_AT_ONCE):
        yield rows.slice(start, ROWS_AT_ONCE).combine_chunks()


def _all_files(table: Table) -> list[DataFile]:
    return [] if table.current_snapshot() is None else [task.file for task in table.scan().plan_files()]


class Walk:
    """What is remembered from batch to batch: a few numbers, and the first place of each fault."""

    def __init__(self, index: Index, progress: int) -> None:
        self._index = index
        self.progress = progress
        self.files, self.positions, self.order, self.digests = Tally(), Tally(), Tally(), Tally()
        self.index_faults = Tally()
        self.count = self.erased = 0
        self.by_stream_count = self.by_stream_sum = 0
        self._next = self.digest_sum = 0
        self._last_recorded = np.iinfo(np.int64).min

    def take(self, rows: pa.Table) -> None:
        """Check one batch against what came before it."""
        rows = add_keys(rows)
        positions = rows.column("position").to_numpy()
        self._check_positions(positions)
        self._check_order(rows, positions)
        self._check_digests(rows, positions)
        self._check_index(rows, positions)
        self.count += rows.num_rows
        self.digest_sum = (self.digest_sum + sum_digests(rows.column("digest"))) % (1 << DIGEST_SUM_BITS)
        covered = rows.filter(pa.array(positions <= self.progress))
        self.by_stream_count += covered.num_rows
        self.by_stream_sum = (self.by_stream_sum + sum_digests(covered.column("digest"))) % (1 << DIGEST_SUM_BITS)

    def _check_positions(self, positions: NDArray[np.int64]) -> None:
        steps = np.diff(positions, prepend=self._next - 1)
        broken = np.flatnonzero(steps != 1)
        if len(broken):
            at = int(broken[0])
            self.positions.add(len(broken), f"{positions[at]} after {positions[at] - steps[at]}")
        self._next = int(positions[-1]) + 1

    def _check_order(self, rows: pa.Table, positions: NDArray[np.int64]) -> None:
        times = rows.column("recorded_at").cast(pa.int64()).to_numpy()
        back = np.flatnonzero(np.diff(times, prepend=self._last_recorded if self.count else times[0]) < 0)
        self.order.add(len(back), f"position {positions[back[0]]}" if len(back) else "")
        self._last_recorded = int(times[-1])

    def _check_digests(self, rows: pa.Table, positions: NDArray[np.int64]) -> None:
        is_erased = rows.column(ERASED).is_valid()
        self.erased += pc.sum(is_erased).as_py() or 0
        kept = rows.filter(pc.invert(is_erased))
        places = positions[~is_erased.to_numpy()]
        recomputed = recompute_digests(kept)
        stored = kept.column("digest").to_pylist()
        wrong = [place for place, *pair in zip(places, stored, recomputed, strict=True) if pair[0] != pair[1]]
        self.digests.add(len(wrong), f"position {wrong[0]}" if wrong else "")

    def _check_index(self, rows: pa.Table, positions: NDArray[np.int64]) -> None:
        covered = rows.filter(pa.array(positions <= self._index.position))
        if not covered.num_rows:
            return
        try:
            which, records = self._index.find_events(key_words(covered.column("key")))
        except DamagedRunError:
            self.index_faults.add(covered.num_rows, f"a damaged run, looked up for position {positions[0]}")
            return
        found = np.full(covered.num_rows, -1, dtype=np.int64)
        found[which] = records["position"]
        halves = digest_halves(covered.column("digest"))
        agrees = found == covered.column("position").to_numpy()
        agrees[which] &= records["digest"] == halves[which]
        wrong = np.flatnonzero(~agrees)
        self.index_faults.add(len(wrong), f"position {positions[wrong[0]]}" if len(wrong) else "")

    def findings(self, head: Head) -> list[Finding]:
        """Return what the whole reading showed."""
        erased = f" {self.erased:,} erased events have no content to recompute from." if self.erased else ""
        behind = head.last - self._index.position
        stale = f", {behind:,} events behind, which costs the next append time only" if behind > 0 else ""
        return [
            self.files.finding("files", "every file of the snapshot can be read.", "cannot be read:"),
            self.positions.finding("positions", f"{self.count:,} events, 0 to {self._next - 1}, no gap.", "broken at"),
            self._check_head(head),
            self.order.finding("recorded_at", "never decreases with position.", "goes back at"),
            self.digests.finding(
                "digests", f"content and digests agree.{erased}", "content differs from its digest at"
            ),
            self.index_faults.finding(
                "index", f"agrees with the log up to {self._index.position}{stale}.", "differs at"
            ),
        ]

    def _check_head(self, head: Head) -> Finding:
        recorded = (
            None if head.recorded_at is None else int(pa.scalar(head.recorded_at, TIMESTAMP).cast(pa.int64()).as_py())
        )
        seen = (self._next - 1, self.count, self._last_recorded if self.count else None, self.digest_sum)
        said = (head.last, head.event_count, recorded, head.digest_sum)
        names = ("position", "event count", "recorded_at", "digest sum")
        wrong = [name for name, one, other in zip(names, seen, said, strict=True) if one != other]
        detail = (
            f"{', '.join(wrong)} of the head are not those of the rows."
            if wrong
            else f"says what the rows say: {head.last}."
        )
        return Finding(check="head", found=len(wrong), detail=detail, holds=not wrong)


def recompute_digests(rows: pa.Table) -> list[str]:
    """Return the digests that the rows' content has under their own ``salt``; empty text where it cannot be read."""
    salts = rows.column("salt").to_pylist()
    try:
        return digest_rows(rows, salts)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return [_recompute_one(rows.slice(row, 1), salt) for row, salt in enumerate(salts)]


def _recompute_one(row: pa.Table, salt: bytes) -> str:
    try:
        return digest_rows(row, [salt])[0]
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return ""


def _check_foreign(store: Store, table: Table) -> Finding:
    """Return whether all rows are ours. What was adopted is ours."""
    try:
        store.head()
    except ForeignWriteError as error:
        return Finding(check="foreign writes", found=1, detail=str(error), holds=False)
    adopted = len(adopted_snapshots(table))
    detail = f"none but {adopted} adopted." if adopted else "none."
    return Finding(check="foreign writes", found=0, detail=detail, holds=True)


def _check_snapshots(table: Table) -> Finding:
    """Return whether every snapshot since the proven position is an append, a compaction or an adoption of ours."""
    faults, kept = Tally(), 0
    for snapshot in ancestors_of(table.current_snapshot(), table.metadata):
        kept += 1
        if snapshot.snapshot_id in adopted_snapshots(table):
            continue
        try:
            prove_snapshot(snapshot)
        except ForeignWriteError as error:
            faults.add(1, str(error))
    expired = int(table.properties.get(PROVEN, "-1"))
    past = "none has expired" if expired < 0 else f"those that expired are proven up to position {expired}"
    good = f"all {kept} kept are ours; {past}."
    return faults.finding("snapshots", good, "not proven:")


def _check_by_stream(by_stream: Table, walk: Walk) -> Finding:
    """Return whether the layout by stream holds the same rows, up to the position it has reached."""
    faults, count, total = Tally(), 0, 0
    for rows in _read(by_stream, faults, ["digest"]):
        count += rows.num_rows
        total = (total + sum_digests(rows.column("digest"))) % (1 << DIGEST_SUM_BITS)
    if (count, total) != (walk.by_stream_count, walk.by_stream_sum):
        faults.add(1, f"it has {count:,} rows where events has {walk.by_stream_count:,}, or others")
    reached = walk.progress
    good = f"events_by_stream holds the same rows up to position {reached}." if reached >= 0 else "not made yet."
    return faults.finding("by stream", good, "differs:")
