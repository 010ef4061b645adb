"""What a projection is: fields, each with the rule that makes its value of events. Values only; no I/O."""

from collections.abc import Callable, Mapping
from functools import cached_property
from hashlib import sha256
from typing import Any, Final, Literal

import msgspec

from workbench.decode.canonical import encode_sorted
from workbench.replay.folding.paths import Path

Rule = Literal["last", "first", "sum", "count", "min", "max", "set", "list", "machine", "text", "merge"]
Kind = Literal["json", "text", "integer", "decimal", "boolean", "time"]
Order = Literal["position", "occurred"]
# Rules that no engine runs: Python folds them, over events that the engine selects and orders.
FOLDED: Final = frozenset({"text", "merge"})
# A list and a set hold at most so many items an entity; the notes say how many there were.
LONGEST: Final = 10_000


class Condition(msgspec.Struct, frozen=True, kw_only=True):
    """What must hold at a path for an event to count: its scalar's text is one of ``texts``; with None it is there."""

    path: Path
    texts: tuple[str, ...] | None = None
    is_negated: bool = False


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """Where a field takes a value from: the events of some types (None: of all), and there a path or a constant.

    ``values`` replaces a scalar by its text; what it does not list stays. ``removes`` takes the value out of a set, or
    off a sum.
    """

    event_types: tuple[str, ...] | None = None
    path: Path | None = None
    constant: Any = msgspec.UNSET
    values: Mapping[str, Any] | None = None
    removes: bool = False
    when: tuple[Condition, ...] = ()


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One field of the state: its rule, the kind of its values, its sources; of one event the first that fits counts.

    ``takes_null``: to last and first a JSON null is a value (the field has none from there on), else it changes
    nothing; ``takes_absent``: the same for a path that leads nowhere. Other rules pass both over. ``scale``: digits
    behind a decimal's point. ``moves``: the legal moves of a state machine, from a state to the next ones, ``initial``
    the state before the first (None: any first move is legal). ``by``: whose the characters of a text are.
    """

    name: str
    rule: Rule
    kind: Kind
    sources: tuple[Source, ...]
    scale: int = 0
    takes_null: bool = True
    takes_absent: bool = False
    moves: Mapping[str, tuple[str, ...]] | None = None
    initial: str | None = None
    by: Path | None = None


class Cancels(msgspec.Struct, frozen=True, kw_only=True):
    """Which events cancel another, and the path that holds its target's event_id; the source is the same.

    ``in_stream``: a target stands in the stream of its cancel; else it may stand anywhere in the log.
    """

    event_types: tuple[str, ...]
    target: Path
    in_stream: bool = True


class Compensation(msgspec.Struct, frozen=True, kw_only=True):
    """What undoes an event of a type: an event of another type, whose payload names the event undone at ``target``."""

    event_type: str
    target: Path


class Projection(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """What becomes of the events of each entity.

    ``entity`` are the paths that name the entities an event touches. ``order`` is "position" (the later record wins) or
    "occurred" (by occurred_at, then position: a back-dated fact takes its place in time).
    """

    name: str
    version: int = 1
    order: Order = "position"
    entity: tuple[Path, ...] = (Path("stream_id"),)
    fields: tuple[Field, ...] = ()
    cancels: Cancels | None = None
    # By event type, what a rollback proposes; a type that is not there is undone by a cancel, where there are such.
    compensations: Mapping[str, Compensation] = {}
    # A projection by a Python function has these instead of fields; see reducers.py.
    reduce: Callable[[Any, dict[str, Any]], Any] | None = None
    initial: Any = None
    reads: tuple[str, ...] | None = None
    code: str | None = None

    @property
    def is_by_stream(self) -> bool:
        """Tell whether an entity is a stream, so that one entity is read from the layout by stream."""
        return self.entity == (Path("stream_id"),)

    @property
    def is_folded(self) -> bool:
        """Tell whether Python folds it, because a rule of it has no SQL."""
        return self.is_open or any(needs_fold(field) for field in self.fields)

    @property
    def is_open(self) -> bool:
        """Tell whether its fields are whatever members its state has: the document's, or a function's."""
        return not self.fields

    @cached_property
    def event_types(self) -> tuple[str, ...] | None:
        """The types of the events that count, sorted; None when all do."""
        named: set[str] = set()
        for source in (source for field in self.fields for source in field.sources):
            if source.event_types is None:
                return None
            named.update(source.event_types)
        return tuple(sorted(named)) if self.fields else self.reads

    @cached_property
    def hash(self) -> str:
        """The SHA-256 of the declaration: it changes whenever a state may."""
        declared = msgspec.structs.asdict(self)
        del declared["reduce"]
        return sha256(encode_sorted(declared)).hexdigest()

    def field(self, name: str) -> Field:
        """Return a field by its name."""
        return next(field for field in self.fields if field.name == name)


def needs_fold(field: Field) -> bool:
    """Tell whether a field's rule has no SQL: texts and merges, and items of any kind, which must be made canonical."""
    return field.rule in FOLDED or (field.rule in ("set", "list") and field.kind == "json")


# The last value of every top-level member: works on any log without a declaration.
DOCUMENT: Final = Projection(name="document")
