"""Read documents out of the log: a mapping's events of text, stream by stream."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec
import polars as pl

from workbench.deltas.document.documents import Document
from workbench.deltas.mapping import DeltaMapping
from workbench.replay.folding.paths import Path
from workbench.replay.sql.expressions import quote_path, quote_texts

AskStreams = Callable[[str, Mapping[str, Any], Sequence[str] | None], pl.DataFrame]
# Documents read at once: a long one has some thousand events.
STREAMS: Final = 128
_TIME: Final = "us"


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """A document of a stream, with the type and the actor of each of its events."""

    stream_id: str
    document: Document
    types: Sequence[str]
    actors: Sequence[str | None]


def read_documents(ask: AskStreams, mapping: DeltaMapping, stream_ids: Sequence[str], up_to: int) -> Iterator[Written]:
    """Yield the documents of streams, up to a position, in the order given; a mapping without a text has none."""
    if mapping.text is None:
        return
    for first in range(0, len(stream_ids), STREAMS):
        batch = list(stream_ids[first : first + STREAMS])
        events = _read_events(ask, mapping, batch, up_to)
        starts, ends = _read_starts(ask, mapping, batch), _read_ends(ask, batch, up_to)
        parts = events.partition_by("stream_id", as_dict=True, maintain_order=True)
        for stream_id in batch:
            rows = parts.get((stream_id,), events.clear())
            yield Written(
                stream_id=stream_id,
                document=Document(
                    positions=rows["position"].to_list(),
                    moments=rows["occurred_at"].dt.epoch(_TIME).to_list(),
                    kinds=rows["actor_kind"].to_list(),
                    deltas=rows["delta"].to_list(),
                    start=starts.get(stream_id) or "",
                    ended_at=ends.get(stream_id),
                ),
                types=rows["event_type"].to_list(),
                actors=rows["actor_id"].to_list(),
            )


def _read_events(ask: AskStreams, mapping: DeltaMapping, batch: Sequence[str], up_to: int) -> pl.DataFrame:
    assert mapping.text is not None  # noqa: S101 - asked above
    streams, parameters = _among(batch)
    delta = f"json_format(json_extract(data, {_quoted(mapping.text.delta)}))"
    statement = (
        f"select stream_id, position, occurred_at, actor_kind, actor_id, event_type, {delta} as delta "  # noqa: S608 - our own words; names quoted, values bound
        f"from events where {streams} and event_type in ({quote_texts(mapping.text.events)}) "
        "and position <= :up_to order by stream_id, position"
    )
    return ask(statement, {**parameters, "up_to": up_to}, batch)


def _read_starts(ask: AskStreams, mapping: DeltaMapping, batch: Sequence[str]) -> dict[str, str | None]:
    """Return the text each document starts with, where its first event says so."""
    if mapping.text is None or mapping.text.start is None:
        return {}
    streams, parameters = _among(batch)
    start = f"json_extract_scalar(data, {_quoted(mapping.text.start)})"
    statement = f"select stream_id, {start} as start from events where {streams} and stream_version = 0"  # noqa: S608 - the same
    return dict(ask(statement, parameters, batch).iter_rows())


def _read_ends(ask: AskStreams, batch: Sequence[str], up_to: int) -> dict[str, int]:
    """Return the moment of the last event of any kind."""
    streams, parameters = _among(batch)
    statement = (
        f"select stream_id, max(occurred_at) as ended_at from events_stored where {streams} "  # noqa: S608 - the same
        "and position <= :up_to group by stream_id"
    )
    ends = ask(statement, {**parameters, "up_to": up_to}, batch)
    return dict(ends.with_columns(pl.col("ended_at").dt.epoch(_TIME)).iter_rows())


def _among(batch: Sequence[str]) -> tuple[str, dict[str, str]]:
    parameters = {f"stream_{number}": stream_id for number, stream_id in enumerate(batch)}
    return f"stream_id in ({', '.join(f':{name}' for name in parameters)})", parameters


def _quoted(path: Path) -> str:
    """Return a path as a mapping may hold it, which SQL can name."""
    return quote_path(path) or "'$'"
