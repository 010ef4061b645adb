"""The lifecycle of proposals in memory, for an engine in process: paired once a version of the log."""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

import msgspec
import polars as pl

from workbench.deltas.mapping import DeltaMapping
from workbench.deltas.pairing.rows import is_named
from workbench.deltas.reasons import EVENT_TYPE
from workbench.query.base import Relation
from workbench.replay.sql.expressions import quote_texts

# Above so many proposals they are paired anew for each question: a row with its texts is some kilobytes.
MOST: Final = 250_000
# Streams that are paired anew by themselves; above that a whole pass is quicker.
STREAMS: Final = 512
NAMES: Final = ("proposals", "decisions", "requests", "reasons")
# A statement and its parameters in, all its rows out; of the log, or of a log that had these streams alone.
Read = Callable[[str, Mapping[str, object], Sequence[str] | None], pl.DataFrame]
Rows = Mapping[str, pl.DataFrame]


class Paired(msgspec.Struct, frozen=True):
    """What was paired: of which version of the log, up to which position; no rows where there are too many."""

    version: str
    position: int
    rows: Rows | None


class Lifecycle:
    """The rows of the four relations, as the log had them when they were last asked for."""

    def __init__(self, mappings: Mapping[str, DeltaMapping], relations: Mapping[str, Relation]) -> None:
        self._mappings = mappings
        self._relations = {name: relations[name] for name in NAMES}
        self._lock = threading.Lock()
        self._paired: Paired | None = None

    def relate(self, version: str) -> dict[str, Relation]:
        """Return the relations: over rows in memory where they are of this version of the log, else as they select."""
        paired = self._paired
        if paired is None or paired.version != version or paired.rows is None:
            return dict(self._relations)
        return {name: _keep(relation, paired.rows[name]) for name, relation in self._relations.items()}

    def pair(self, version: str, position: int, read: Read) -> None:
        """Pair what this version of the log holds up to its head, where that is not done yet.

        Where decisions are next to their proposals, only the streams with new events that a mapping names are paired
        anew, and those with a proposal that waits, as time may have made it expire.
        """
        with self._lock:
            before = self._paired
            if before is None or before.version != version:
                rows = None if before is None else self._pair_grown(before, position, read)
                self._paired = Paired(version, position, self._pair_all(read) if rows is None else rows)

    def _pair_all(self, read: Read) -> Rows | None:
        proposals = read(f"select * from proposals limit {MOST + 1}", {}, None)  # noqa: S608 - a number
        if proposals.height > MOST:
            return None
        others = {name: read(f"select * from {name}", {}, None) for name in NAMES[1:]}  # noqa: S608 - our own names
        return {"proposals": proposals, **others}

    def _pair_grown(self, before: Paired, position: int, read: Read) -> Rows | None:
        if (
            before.rows is None
            or before.position > position
            or not all(_is_next(each) for each in self._mappings.values())
        ):
            return None
        grown = read(_select_grown(self._mappings.values()), {"after": before.position}, None)
        waiting = before.rows["proposals"].filter(pl.col("decision") == "pending")["stream_id"]
        streams = sorted({*grown["stream_id"].to_list(), *waiting.to_list()})
        if len(streams) > STREAMS:
            return None
        # A reason's stream has nothing but reasons; most logs grow without one.
        names = [name for name in NAMES if name != "reasons" or grown["reasons"].sum()] if streams else []
        others = {name: before.rows[name].filter(~pl.col("stream_id").is_in(streams)) for name in names}
        return {**before.rows} | {
            name: pl.concat([rows, read(f"select * from {name}", {}, streams)]).sort("position", maintain_order=True)  # noqa: S608 - our own names
            for name, rows in others.items()
        }


def _select_grown(mappings: Iterable[DeltaMapping]) -> str:
    """Return the SELECT of the streams to pair anew: most of what people write is no event of the lifecycle."""
    added = f"e.event_type = '{EVENT_TYPE}'"
    named = " or ".join([*(f"({is_named(mapping)})" for mapping in mappings), added])
    return (
        f"select e.stream_id, count_if({added}) as reasons from events_stored as e "  # noqa: S608 - our own words, texts quoted
        f"where e.position > :after and ({named}) group by e.stream_id order by e.stream_id"
    )


def _is_next(mapping: DeltaMapping) -> bool:
    return mapping.pair == "next"


def _keep(relation: Relation, rows: pl.DataFrame) -> Relation:
    return msgspec.structs.replace(relation, select=None, arrow=rows.to_arrow)


def narrow_events(relations: Mapping[str, Relation], stream_ids: Sequence[str]) -> dict[str, Relation]:
    """Return relations whose events are those of some streams alone, so that whatever is made of them is of these."""
    narrowed = dict(relations)
    for name in ("events_stored", "events"):
        whole = relations[name]
        if whole.select is None:
            columns = ", ".join(whole.columns)
            select = f"select {columns} from whole_{name} where stream_id in ({quote_texts(stream_ids)})"  # noqa: S608 - our own words; names quoted
            narrowed[f"whole_{name}"] = msgspec.structs.replace(whole, name=f"whole_{name}")
            narrowed[name] = Relation(name=name, columns=whole.columns, version=whole.version, select=select)
    return narrowed
