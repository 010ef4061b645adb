"""What a person chose in Deltas, as a value that goes into a link and comes back the same."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Literal, get_args

import msgspec

from workbench.views.links import Query, Reader, one_of, read_position, read_query, read_value, write_value
from workbench.views.place import LARGEST, read_time, write_time
from workbench.views.timeline.choices import THEMES, ZONES

Order = Literal["position", "shown", "decision", "person", "version", "latency", "distance", "retained"]
Layout = Literal["inline", "side", "both", "path", "patch"]
ORDERS: Final = get_args(Order)
LAYOUTS: Final = get_args(Layout)
DECISIONS: Final = ("accepted", "edited", "rejected", "expired", "pending", "superseded")
AGAINST: Final = ("taken", "30", "120", "300", "600", "900", "today")
TIME: Final = "a time with its zone, such as 2026-01-31T08:00:00Z"
PLACE: Final = "a position, 0 or more"
NUMBER: Final = "a number, 0 or more"

Value = str | None


class DeltasChoices(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a person can choose in Deltas.

    The lists hold values of which one must match, None for "none recorded"; ``field`` pairs a field of the mapping with
    a value. ``since`` and ``until`` cut on when a proposal was shown, [since, until). ``low`` to ``high`` is the edit
    distance, ``removed`` and ``inserted`` a substitution, ``place`` a tenth of the proposal. A text changed first
    ``by`` so many seconds, or not before ``after``. ``within`` puts the mapping's own seconds for "edited" aside; 0
    takes decisions as the log has them. ``position`` is the log's that the link was made at. ``one`` is compared with
    ``other``, or what comes before and after ``moment``. ``first`` is where the page of the list begins. ``delta`` is
    the one that is open, ``against`` what its proposal is held to. ``export`` is the plan of an export, as JSON.
    """

    kind: tuple[str, ...] = ()
    decision: tuple[str, ...] = ()
    version: tuple[Value, ...] = ()
    model: tuple[Value, ...] = ()
    person: tuple[Value, ...] = ()
    reason: tuple[Value, ...] = ()
    field: tuple[tuple[str, Value], ...] = ()
    stream: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    text: str | None = None
    low: float | None = None
    high: float | None = None
    removed: str | None = None
    inserted: str | None = None
    place: int | None = None
    after: float | None = None
    by: float | None = None
    within: float | None = None
    position: int | None = None
    one: Value = None
    other: Value = None
    moment: datetime | None = None
    order: Order = "position"
    down: bool = False
    first: int = 0
    delta: int | None = None
    against: str = "today"
    view: Layout | None = None
    event: int | None = None
    export: str | None = None
    zone: Literal["utc", "local", "relative"] = "utc"
    theme: Literal["light", "dark"] | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The names of what narrows the answer; each is one that `drop` takes."""
        single = ("kind", "decision", "version", "model", "person", "reason", "stream", "text", "place")
        pairs = {"shown": ("since", "until"), "distance": ("low", "high"), "edit": ("removed", "inserted")}
        fields = tuple(dict.fromkeys(f"field:{name}" for name, _ in self.field))
        return (
            *(name for name in single if getattr(self, name) not in ((), None)),
            *fields,
            *(name for name, parts in pairs.items() if any(getattr(self, part) is not None for part in parts)),
            *(("first change",) if self.after is not None or self.by is not None else ()),
        )

    def drop(self, name: str) -> "DeltasChoices":
        """Return the choices without one of `names`."""
        if name.startswith("field:"):
            kept = tuple(each for each in self.field if each[0] != name.removeprefix("field:"))
            return msgspec.structs.replace(self, field=kept)
        parts = DROPS.get(name, (name,))
        return msgspec.structs.replace(self, **{part: _DEFAULTS[part] for part in parts})

    def to_query(self) -> dict[str, list[str]]:
        """Return the choices as the parameters of a link; what is as it would be anyway is left out."""
        query: dict[str, list[str]] = {}
        for name, value in msgspec.structs.asdict(self).items():
            if value != _DEFAULTS[name]:
                query[name] = [_write(name, each) for each in (value if isinstance(value, tuple) else (value,))]
        return query

    @classmethod
    def from_query(cls, query: Query) -> "DeltasChoices":
        """Return the choices a link holds; parameters of others are left alone.

        Raises ArgumentError naming the parameter and the value that cannot be read.
        """
        return cls(**read_query(query, _READERS, LISTS))


LISTS: Final = ("kind", "decision", "version", "model", "person", "reason", "field", "stream")
# Among these None is a value of its own, "none recorded".
NULLABLE: Final = ("version", "model", "person", "reason", "one", "other")
DROPS: Final[Mapping[str, tuple[str, ...]]] = {
    "shown": ("since", "until"),
    "distance": ("low", "high"),
    "edit": ("removed", "inserted"),
    "first change": ("after", "by"),
}
_DEFAULTS: Final = msgspec.structs.asdict(DeltasChoices())


def _write(name: str, value: Any) -> str:
    if isinstance(value, tuple):
        return f"{value[0]}={write_value(value[1])}"
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, datetime):
        return write_time(value)
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    return write_value(value) if name in NULLABLE else str(value)


def _read_field(text: str) -> tuple[str, Value]:
    name, found, value = text.partition("=")
    if not found or not name:
        raise ValueError(text)
    return name, read_value(value)


def _read_number(text: str) -> float:
    number = float(text)
    if not 0 <= number < LARGEST:
        raise ValueError(text)
    return number


def _read_place(text: str) -> int:
    number = int(text)
    if not 0 <= number < 10:  # noqa: PLR2004 - a proposal's words are counted in ten parts
        raise ValueError(text)
    return number


_TEXT: Final[tuple[Reader, str]] = (str, "a text")
_READERS: Final[Mapping[str, tuple[Reader, str]]] = {
    **dict.fromkeys(("kind", "stream", "text", "removed", "inserted", "export"), _TEXT),
    **dict.fromkeys(("version", "model", "person", "reason", "one", "other"), (read_value, "a text")),
    "decision": one_of(DECISIONS),
    "field": (_read_field, "a field and its value, such as topic=school"),
    **dict.fromkeys(("since", "until", "moment"), (read_time, TIME)),
    **dict.fromkeys(("low", "high", "after", "by", "within"), (_read_number, NUMBER)),
    "place": (_read_place, "a tenth of the proposal, 0 to 9"),
    **dict.fromkeys(("position", "delta", "event", "first"), (read_position, PLACE)),
    "order": one_of(ORDERS),
    "down": (lambda text: {"0": False, "1": True}[text] if text in {"0", "1"} else _read_number("-1"), "0 or 1"),
    "against": one_of(AGAINST),
    "view": one_of(LAYOUTS),
    "zone": one_of(ZONES),
    "theme": one_of(THEMES),
}
