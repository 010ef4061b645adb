"""Kept states as rows of a table beside the log, and what a model's mark says of them."""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Self

import msgspec
import pyarrow as pa

from workbench.errors import ProjectionError
from workbench.replay.folding.fold import Entity, Folder
from workbench.replay.folding.rules import write_state
from workbench.replay.models.checkpoints import Checkpoint, Kept, read_slots, write_slots
from workbench.replay.projection import Projection

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
INSTANT: Final = pa.timestamp("us", tz="UTC")
# What a row's digest covers, in this order; the rest of a row follows from its model.
DIGESTED: Final = (
    "model",
    "checkpoint_position",
    "entity_id",
    "state",
    "event_count",
    "position",
    "occurred_at",
    "notes",
    "slots",
    "failed",
    "reached_position",
    "reached_at",
    "left_out",
)


class DamagedRowError(ValueError):
    """A row is not as it was written."""


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """What a model is made of, and up to where: its mark in a snapshot's summary.

    ``log`` is the log's table; ``segments`` are the positions at which sets of steps were added, ``fields`` those that
    steps were counted for. ``started_at`` is when the first of them was made.
    """

    projection: str
    version: int
    projection_hash: str
    registry_hash: str
    as_of: datetime | None
    log: str
    position: int = -1
    entities: int = 0
    has_cancels: bool = False
    segments: tuple[int, ...] = ()
    fields: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """The model's name in tables: the same for the same declaration, registry, log and cut in time."""
        parts = (self.projection, self.version, self.projection_hash, self.registry_hash, self.as_of, self.log)
        return hashlib.blake2b(msgspec.json.encode(parts), digest_size=8).hexdigest()

    @property
    def named(self) -> str:
        """The projection's name and version."""
        return f"{self.projection}@{self.version}"

    @property
    def checkpoint(self) -> Checkpoint:
        """The cut whose states are kept."""
        return Checkpoint(position=self.position, as_of=self.as_of, has_cancels=self.has_cancels)

    def write(self) -> str:
        """Return the mark's text."""
        return msgspec.json.encode(self).decode()

    @classmethod
    def read(cls, text: str) -> Self:
        """Return what a mark says. Raises msgspec.ValidationError, msgspec.DecodeError."""
        return msgspec.json.decode(text, type=cls)


def name_model(projection: Projection, registry_hash: str, as_of: datetime | None, log: str) -> Model:
    """Return the model of a projection that nothing is kept of yet."""
    return Model(
        projection=projection.name,
        version=projection.version,
        projection_hash=projection.hash,
        registry_hash=registry_hash,
        as_of=as_of,
        log=log,
    )


def write_rows(projection: Projection, model: Model, kept: Mapping[str, Kept]) -> pa.Table:
    """Return kept states as rows, sorted by entity. Raises ProjectionError where text cannot hold what they are."""
    folder = Folder(projection)
    rows = [_write_row(projection, folder, model, name, kept[name]) for name in sorted(kept)]
    types = {"event_count": pa.int64(), "position": pa.int64(), "reached_position": pa.int64()}
    types |= {"checkpoint_position": pa.int64(), "as_of": INSTANT, "occurred_at": INSTANT, "reached_at": INSTANT}
    names = ("projection", "projection_hash", "registry_hash", "as_of", "digest", *DIGESTED)
    return pa.table({name: pa.array([row[name] for row in rows], types.get(name, pa.string())) for name in names})


def _write_row(projection: Projection, folder: Folder, model: Model, name: str, kept: Kept) -> dict[str, Any]:
    entity = kept.entity or folder.start()
    slots, notes = write_slots(projection, entity), folder.note(entity)
    if slots is None:
        raise ProjectionError(
            f"The state that {projection.name} makes of {name} is no JSON value, so it cannot be kept. Let the reducer "
            "return objects, lists, texts, numbers, booleans and None."
        )
    row = {
        "model": model.id,
        "checkpoint_position": model.position,
        "entity_id": name,
        "state": folder.write(entity),
        "event_count": entity.event_count,
        "position": entity.position if entity.event_count else None,
        "occurred_at": entity.occurred_at,
        "notes": write_state(notes) if notes else None,
        "slots": slots,
        "failed": msgspec.json.encode(entity.failed).decode(),
        "reached_position": kept.position,
        "reached_at": kept.occurred_at,
        "left_out": msgspec.json.encode(kept.left_out).decode(),
    }
    named = {"projection": model.named, "projection_hash": model.projection_hash, "registry_hash": model.registry_hash}
    return {**row, **named, "as_of": model.as_of, "digest": digest_row(row)}


def digest_row(row: Mapping[str, Any]) -> str:
    """Return the digest of a row's values: a row that others changed, or that lost a bit, is not relied on."""
    written = [_plain(row[name]) for name in DIGESTED]
    return hashlib.blake2b(msgspec.json.encode(written), digest_size=8).hexdigest()


def _plain(value: Any) -> Any:
    return (value - _EPOCH) // _MICROSECOND if isinstance(value, datetime) else value


def read_rows(projection: Projection, rows: Iterable[Mapping[str, Any]]) -> dict[str, Kept]:
    """Return the states that rows hold, the latest of each entity. Raises DamagedRowError, and what text raises."""
    latest: dict[str, Mapping[str, Any]] = {}
    for row in rows:
        known = latest.get(row["entity_id"])
        if known is None or known["checkpoint_position"] < row["checkpoint_position"]:
            latest[row["entity_id"]] = row
    return {name: _read_row(projection, row) for name, row in latest.items()}


def _read_row(projection: Projection, row: Mapping[str, Any]) -> Kept:
    if digest_row(row) != row["digest"]:
        raise DamagedRowError(row["entity_id"])
    entity = Entity(
        slots=read_slots(projection, row["slots"]),
        event_count=row["event_count"],
        position=-1 if row["position"] is None else row["position"],
        occurred_at=row["occurred_at"],
        failed=msgspec.json.decode(row["failed"]),
    )
    return Kept(
        entity=entity,
        position=row["reached_position"],
        occurred_at=row["reached_at"],
        left_out=tuple(msgspec.json.decode(row["left_out"])),
    )
