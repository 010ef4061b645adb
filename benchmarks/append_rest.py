"""Appending 100 events through the REST catalog, against PyIceberg's own append to a table of the same history."""

from typing import TYPE_CHECKING

from benchmarks.data import Story
from benchmarks.harness import MIN_PAIRS, Part, Scale, clock, compare_times, measure_pairs, require_equal
from benchmarks.logs import make_events
from benchmarks.stack import CATALOG, open_lake, open_stack, scratch_namespace

if TYPE_CHECKING:
    from workbench.session import Session

EVENTS = 100
LIMIT = 1.5
STORY = Story(total=200_000, streams=2_000)
PAIRS = {Scale.SMOKE: MIN_PAIRS, Scale.DEFAULT: 4 * MIN_PAIRS, Scale.FULL: 8 * MIN_PAIRS}
# PyIceberg keeps every snapshot and grows slower with each; the log keeps eight. Both stand behind so many commits.
BEFORE = {Scale.SMOKE: 20, Scale.DEFAULT: 100, Scale.FULL: 300}


def run(scale: Scale) -> list[Part]:
    """Return the ratio to a table of as many snapshots as the log keeps, and to one that keeps those of all commits."""
    with open_stack(), scratch_namespace() as namespace, open_lake(namespace, engine="duckdb") as session:
        product, keep = Appended(session), session.settings.log.snapshots_kept
        few, every = Stock(namespace, "few", keep=keep), Stock(namespace, "every")
        for _ in range(BEFORE[scale]):
            product(), few(), every()
        parts = [
            measure_against(f"append / append_at_{keep}_snapshots", product, few, scale),
            measure_against(f"append / append_after_{BEFORE[scale]}_commits", product, every, scale),
        ]
        for side in (product, few, every):
            require_equal(f"events of {side.name}", side.count(), side.commits * EVENTS)
    return parts


class Appended:
    """Appends the next batch to the log each time, and returns its seconds."""

    name = "the log"

    def __init__(self, session: "Session") -> None:
        self._session, self.commits = session, 0

    def __call__(self) -> float:
        """Return how long one append took."""
        events = make_events(STORY.rows_of_batch(self.commits, EVENTS))
        self.commits += 1
        return clock(lambda: self._session.append(events))

    def count(self) -> int:
        """Return how many events the log holds."""
        return self._session.head().event_count


class Stock:
    """Appends the next batch to a table of PyIceberg's own, leaving it ``keep`` snapshots (all when None)."""

    def __init__(self, namespace: str, name: str, *, keep: int | None = None) -> None:
        from pyiceberg.catalog import load_catalog

        self.name, self.commits, self._keep = name, 0, keep
        schema = STORY.rows_of_batch(0, 1).schema
        self._table = load_catalog(CATALOG).create_table((namespace, f"stock_{name}"), schema=schema)

    def __call__(self) -> float:
        """Return how long one append took; what expires is not counted."""
        rows = STORY.rows_of_batch(self.commits, EVENTS)
        self.commits += 1
        seconds = clock(lambda: self._table.append(rows))
        if self._keep is not None:
            # As many stay as the log keeps, which expires in the commit itself and is timed with it.
            ordered = sorted(self._table.snapshots(), key=lambda snapshot: snapshot.sequence_number or 0)
            for snapshot in ordered[: -self._keep]:
                self._table.maintenance.expire_snapshots().by_id(snapshot.snapshot_id).commit()
        return seconds

    def count(self) -> int:
        """Return how many events the table holds."""
        return int(self._table.scan().count())


def measure_against(name: str, product: Appended, peer: Stock, scale: Scale) -> Part:
    """Return the part of one peer."""
    pairs = measure_pairs(product, peer, pairs=PAIRS[scale], again=PAIRS[scale] // 3, seconds=scale.seconds)
    worst = {"product_worst_ms": round(max(pairs.product) * 1000), "peer_worst_ms": round(max(pairs.peer) * 1000)}
    detail = {"peer": "PyIceberg Table.append through the same catalog", "events": EVENTS, **worst}
    return compare_times(name, pairs, LIMIT, detail=detail)
