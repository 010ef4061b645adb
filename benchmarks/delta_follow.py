"""A new event's delta made visible in CoAuthor's log, against pairing and measuring everything anew."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import workbench
from benchmarks.delta_pairing import open_writers
from benchmarks.harness import MIN_PAIRS, Part, Scale, clock, compare_times, measure_pairs, require_equal
from workbench.deltas.measures.following import measure_since
from workbench.deltas.measures.frames import KEYS
from workbench.deltas.pairing.relations import relate_lifecycle

if TYPE_CHECKING:
    import polars as pl

    from workbench.session import Session

RATIO = 0.05


def run(scale: Scale) -> list[Part]:
    """Return the ratio of a look at a delta just changed to a rebuild of all."""
    with open_writers("coauthor-followed") as session:
        session.bring_up_measures()
        last = session.sql("select stream_id, position from deltas where document_seconds > 0e0 order by position").row(
            -1
        )
        strokes = iter(range(1_000_000))

        def follow() -> float:
            type_letter(session, last[0], next(strokes))
            return clock(lambda: look(session, last[1]))

        type_letter(session, last[0], next(strokes))
        look(session, last[1])
        kept = session.sql("select * from measures", row_limit=0).select([*KEYS, "human_inserted_share", "value_end"])
        require_equal("measures", kept.sort(*KEYS).rows(), rebuild(session).select(kept.columns).sort(*KEYS).rows())
        pairs = measure_pairs(follow, lambda: clock(lambda: rebuild(session)), pairs=MIN_PAIRS, seconds=scale.seconds)
        detail = {
            "peer": "pairing and measuring every proposal anew",
            "events": session.head().event_count,
            "takings": kept.height,
        }
    return [compare_times("delta_follow / rebuild", pairs, RATIO, detail=detail)]


def type_letter(session: "Session", stream_id: str, number: int) -> None:
    """Append one key stroke at the beginning of a document."""
    ends = session.sql("select max(occurred_at) as at from events_stored where stream_id = :s", {"s": stream_id}).item()
    session.append(
        [
            workbench.Event(
                event_id=f"typed-{session.head().last}-{number}",
                stream_id=stream_id,
                event_type="text-insert",
                occurred_at=ends + timedelta(milliseconds=100),
                actor=workbench.Actor("writer", "human"),
                data={"text_delta": {"ops": [{"insert": "x"}]}},
            )
        ]
    )


def look(session: "Session", position: int) -> "pl.DataFrame":
    """Return what a person looks at: the delta's measures."""
    return session.sql("select value_end, human_inserted_share from deltas where position = :p", {"p": position})


def rebuild(session: "Session") -> "pl.DataFrame":
    """Return the measures of everything, of proposals paired anew."""
    relations = session.relations() | relate_lifecycle(session.delta_mappings, session.registry)

    def ask(statement: str, parameters: Any, _streams: Any = None) -> "pl.DataFrame":
        return session.engine.query(statement, parameters, relations)

    return measure_since(ask, session.delta_mappings, -1, session.head().last)
