"""What a person chose on the timeline, as a value that goes into a link and comes back the same."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

import msgspec

from workbench.errors import ArgumentError
from workbench.views.links import Query, read_position, read_value, write_value
from workbench.views.place import Place, read_place, read_time, write_place, write_time

FIELDS: Final = ("event_type", "actor_kind", "actor_id", "stream_id", "source")
ZONES: Final = ("utc", "local", "relative")
THEMES: Final = ("light", "dark")
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
TIME: Final = "a time with its zone, such as 2026-01-31T08:00:00Z"
EVENT: Final = "a position, 0 or more, or time/source/event_id where the log has none"
WANTED: Final = {"since": TIME, "until": TIME, "event": EVENT, "row": EVENT}


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Values of one envelope field that are wanted, or, when ``negated``, not wanted. None stands for no value."""

    field: str
    values: tuple[str | None, ...]
    negated: bool = False


class TimelineChoices(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a person can choose on the timeline.

    ``since`` and ``until`` cut on occurred_at, [since, until). ``text`` is looked for in payloads and ids, whatever its
    case.
    ``position`` is the basis: events up to it count, all when None. ``event`` is the place of the event that is open in
    the inspector, ``row`` the place at which the page of rows begins.
    """

    filters: tuple[Filter, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    text: str | None = None
    position: int | None = None
    event: Place | None = None
    row: Place | None = None
    zone: Literal["utc", "local", "relative"] = "utc"
    theme: Literal["light", "dark"] | None = None

    def __post_init__(self) -> None:
        """Keep one filter a field and sign, in the order of the fields, so that equal choices are equal values."""
        values: dict[tuple[str, bool], dict[str | None, None]] = {}
        for each in self.filters:
            values.setdefault((each.field, each.negated), {}).update(dict.fromkeys(each.values))
        kept = [
            Filter(field=field, values=tuple(values[field, negated]), negated=negated)
            for field in FIELDS
            for negated in (False, True)
            if values.get((field, negated))
        ]
        msgspec.structs.force_setattr(self, "filters", tuple(kept))

    @property
    def names(self) -> tuple[str, ...]:
        """The names of what narrows the answer, in the order of the chips."""
        fields = tuple(dict.fromkeys(chosen.field for chosen in self.filters))
        window = ("window",) if self.since or self.until else ()
        return (*fields, *window, *(("text",) if self.text else ()))

    def drop(self, name: str) -> "TimelineChoices":
        """Return the choices without one of `names`."""
        if name == "window":
            return msgspec.structs.replace(self, since=None, until=None)
        if name == "text":
            return msgspec.structs.replace(self, text=None)
        return msgspec.structs.replace(self, filters=tuple(each for each in self.filters if each.field != name))

    def to_query(self) -> dict[str, list[str]]:
        """Return the choices as the parameters of a link."""
        query: dict[str, list[str]] = {}
        for chosen in self.filters:
            name = f"not_{chosen.field}" if chosen.negated else chosen.field
            query.setdefault(name, []).extend(write_value(value) for value in chosen.values)
        times = {"since": self.since, "until": self.until}
        places = {"position": self.position, "event": self.event, "row": self.row}
        query |= {name: [write_time(moment)] for name, moment in times.items() if moment is not None}
        query |= {name: [write_place(place)] for name, place in places.items() if place is not None}
        words = {"text": self.text, "theme": self.theme, "zone": None if self.zone == "utc" else self.zone}
        return query | {name: [word] for name, word in words.items() if word}

    @classmethod
    def from_query(cls, query: Query) -> "TimelineChoices":
        """Return the choices a link holds; parameters of others are left alone.

        Raises ArgumentError naming the parameter and the value that cannot be read.
        """
        filters = [
            Filter(field=field, values=tuple(map(read_value, query[name])), negated=negated)
            for field in FIELDS
            for name, negated in ((field, False), (f"not_{field}", True))
            if query.get(name)
        ]
        return cls(
            filters=tuple(filters),
            since=_read(query, "since", read_time),
            until=_read(query, "until", read_time),
            text=_read(query, "text", str) or None,
            position=_read(query, "position", read_position),
            event=_read(query, "event", read_place),
            row=_read(query, "row", read_place),
            zone=_one_of(query, "zone", ZONES) or "utc",
            theme=_one_of(query, "theme", THEMES),
        )


def to_microseconds(moment: datetime) -> int:
    """Return a time as whole microseconds since 1970, exactly."""
    return (moment - EPOCH) // MICROSECOND


def from_microseconds(count: int) -> datetime:
    """Return the UTC time that lies ``count`` microseconds after 1970 began."""
    return EPOCH + timedelta(microseconds=count)


def _read(query: Query, name: str, reader: Any) -> Any:
    values = query.get(name)
    if not values:
        return None
    try:
        return reader(values[-1])
    except (ValueError, OverflowError) as error:
        wanted = WANTED.get(name, "a position, 0 or more")
        raise ArgumentError(
            f"The link says {name}={values[-1]}, and {name} must be {wanted}. Nothing was asked of the log."
        ) from error


def _one_of(query: Query, name: str, possible: tuple[str, ...]) -> Any:
    values = query.get(name)
    if values and values[-1] not in possible:
        raise ArgumentError(
            f"The link says {name}={values[-1]}, and {name} can be {', '.join(possible)}. Nothing was asked of the log."
        )
    return values[-1] if values else None
