"""What a person chose in As of, as a value that goes into a link and comes back the same."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, Literal, get_args

import msgspec

from workbench.views.links import Query, Reader, one_of, read_position, read_query
from workbench.views.place import read_time, write_time
from workbench.views.timeline.choices import THEMES, ZONES

Mode = Literal["entity", "compare", "population", "what_if"]
Step = Literal["event", "change", "instant", "day", "hour", "week"]
Change = Literal["without", "back", "added", "other"]
MODES: Final = get_args(Mode)
STEPS: Final = get_args(Step)
CHANGES: Final = get_args(Change)
SPEEDS: Final = (1, 4, 16)
TIME: Final = "a time with its zone, such as 2026-01-31T08:00:00Z"
PLACE: Final = "a position, 0 or more"


class AsOfChoices(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a person can choose in As of.

    The moment is ``as_of``, a time, or ``position``, up to which events count; with neither it is the end. ``known_at``
    is what the log knew. ``before`` and ``after`` are the instants that are compared. ``basis`` is the log's position
    that the link was made at, ``hash`` the projection's. ``field`` and ``value`` (JSON text) are picked among the
    population. ``change`` says what is otherwise in What if: ``without`` the events at these positions, rolled
    ``back`` to just before ``point``, with ``added`` events (JSON Lines) or by the ``other`` projection.
    """

    mode: Mode = "entity"
    projection: str | None = None
    hash: str | None = None
    entity: str | None = None
    as_of: datetime | None = None
    position: int | None = None
    known_at: datetime | None = None
    basis: int | None = None
    before: datetime | None = None
    after: datetime | None = None
    field: str | None = None
    value: str | None = None
    change: Change = "back"
    point: int | None = None
    without: tuple[int, ...] = ()
    added: str | None = None
    other: str | None = None
    event: int | None = None
    step: Step = "event"
    speed: int = 1
    zone: Literal["utc", "local", "relative"] = "utc"
    theme: Literal["light", "dark"] | None = None

    def to_query(self) -> dict[str, list[str]]:
        """Return the choices as the parameters of a link; what is as it would be anyway is left out."""
        query: dict[str, list[str]] = {}
        for name, value in msgspec.structs.asdict(self).items():
            if value == _DEFAULTS[name]:
                continue
            values = value if isinstance(value, tuple) else (value,)
            query[name] = [write_time(each) if isinstance(each, datetime) else str(each) for each in values]
        return query

    @classmethod
    def from_query(cls, query: Query) -> "AsOfChoices":
        """Return the choices a link holds; parameters of others are left alone.

        Raises ArgumentError naming the parameter and the value that cannot be read.
        """
        return cls(**read_query(query, _READERS, ("without",)))


_DEFAULTS: Final = msgspec.structs.asdict(AsOfChoices())


_READERS: Final[Mapping[str, tuple[Reader, str]]] = {
    "mode": one_of(MODES),
    **dict.fromkeys(("projection", "hash", "entity", "field", "value", "added", "other"), (str, "a text")),
    **dict.fromkeys(("as_of", "known_at", "before", "after"), (read_time, TIME)),
    **dict.fromkeys(("position", "basis", "point", "without", "event"), (read_position, PLACE)),
    "change": one_of(CHANGES),
    "step": one_of(STEPS),
    "speed": one_of(SPEEDS),
    "zone": one_of(ZONES),
    "theme": one_of(THEMES),
}
