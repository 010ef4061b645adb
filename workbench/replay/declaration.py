"""Projections as TOML files: read, checked as a whole, and refused with the file and the word at fault."""

import tomllib
from collections.abc import Mapping
from pathlib import Path as File
from typing import Any, Final

import msgspec

from workbench.errors import ProjectionError
from workbench.replay.folding.paths import INTEGERS, TIMES, Path, read_path
from workbench.replay.folding.values import DIGITS, write_scalar
from workbench.replay.projection import (
    DOCUMENT,
    Cancels,
    Compensation,
    Condition,
    Field,
    Kind,
    Order,
    Projection,
    Rule,
    Source,
)

Written = str | tuple[str, ...]
# The columns that stand beside the fields in frames of states.
TAKEN: Final = frozenset({"entity_id", "event_count", "position", "occurred_at", "notes"})


class _Condition(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"among": "in"}):
    path: Written
    equals: Any = msgspec.UNSET
    among: tuple[Any, ...] | msgspec.UnsetType = msgspec.UNSET
    exists: bool = True
    negated: bool = False


class _Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    event_types: tuple[str, ...] | None = None
    value: Written | None = None
    constant: Any = msgspec.UNSET
    clears: bool = False
    values: dict[str, Any] | None = None
    removes: bool = False
    when: tuple[_Condition, ...] = ()


class _Field(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"sources": "from"}):
    rule: Rule
    kind: Kind | None = None
    sources: tuple[_Source, ...] = ()
    event_types: tuple[str, ...] | None = None
    value: Written | None = None
    scale: int = 0
    takes_null: bool = True
    takes_absent: bool = False
    moves: dict[str, tuple[str, ...]] | None = None
    initial: str | None = None
    by: Written | None = None


class _Cancels(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    event_types: tuple[str, ...]
    target: Written
    in_stream: bool = True


class _Compensation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    event_type: str
    target: Written = "data.compensates"


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    fields: dict[str, _Field]
    version: int = 1
    order: Order = "position"
    entity: str | tuple[Written, ...] = "stream_id"
    cancels: _Cancels | None = None
    compensations: dict[str, _Compensation] = {}


def load_projections(folder: str | File | None) -> dict[str, Projection]:
    """Return the projections of a folder's TOML files, by ``name``, and by ``name@version`` where there are several.

    The plain name is the newest version; ``document`` is always there. Raises ProjectionError naming the file.
    """
    found: dict[str, Projection] = {"document": DOCUMENT}
    if folder is not None and not File(folder).is_dir():
        raise ProjectionError(f"{folder} is not a folder. Name the folder with the TOML files of the projections.")
    for file in sorted(File(folder).glob("*.toml")) if folder is not None else ():
        projection = load_projection(file)
        name = f"{projection.name}@{projection.version}"
        if name in found or projection.name == DOCUMENT.name:
            raise ProjectionError(f"{file}: the projection {name} is there already. Give it another name or version.")
        found[name] = projection
        if projection.name not in found or found[projection.name].version < projection.version:
            found[projection.name] = projection
    return found


def load_projection(file: str | File) -> Projection:
    """Return the projection that a TOML file declares. Raises ProjectionError."""
    try:
        table = tomllib.loads(File(file).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ProjectionError(f"{file} cannot be read as TOML: {error}. Mend what is named.") from error
    try:
        return make_projection(table)
    except ProjectionError as error:
        raise ProjectionError(f"{file}: {error}") from error


def make_projection(table: Mapping[str, Any]) -> Projection:
    """Return the projection that a table declares. Raises ProjectionError naming the word at fault.

    >>> balance = make_projection({"name": "account", "fields": {"balance": {"rule": "sum", "kind": "decimal",
    ...     "scale": 2, "event_types": ["MoneyDeposited"], "value": "data.amount"}}})
    >>> balance.event_types
    ('MoneyDeposited',)
    """
    try:
        read = msgspec.convert(table, _Table, strict=True)
    except msgspec.ValidationError as error:
        raise ProjectionError(f"{error}. Mend what is named; docs/projections.md lists what is possible.") from error
    if not read.name or "@" in read.name or read.version < 1 or not read.fields:
        raise ProjectionError("A projection has a name without @, a version from 1 on, and at least one field.")
    entity = (read.entity,) if isinstance(read.entity, str) else read.entity
    cancels = read.cancels
    return Projection(
        name=read.name,
        version=read.version,
        order=read.order,
        entity=tuple(read_path(written) for written in entity),
        fields=tuple(_field(name, field) for name, field in read.fields.items()),
        cancels=None
        if cancels is None
        else Cancels(
            event_types=tuple(sorted(cancels.event_types)),
            target=read_target(cancels.target) if cancels.target != "causation_id" else read_path("causation_id"),
            in_stream=cancels.in_stream,
        ),
        compensations={
            undone: Compensation(event_type=read.event_type, target=read_target(read.target))
            for undone, read in read.compensations.items()
        },
    )


def read_target(written: Written) -> Path:
    """Return the path at which a compensating event names the event it undoes. Raises ProjectionError."""
    path = read_path(written)
    if path.column != "data" or not path.members:
        raise ProjectionError(
            f"{path} cannot name the event undone. Give a member of the payload, as data.compensates."
        )
    return path


def _field(name: str, read: _Field) -> Field:
    """Return a field, its parts checked against one another."""
    sources = read.sources
    if read.event_types is not None or read.value is not None:
        sources = (*sources, _Source(event_types=read.event_types, value=read.value))
    made = tuple(_source(name, read.rule, source) for source in sources)
    field = Field(
        name=name,
        rule=read.rule,
        kind=read.kind or _kind(read.rule, made),
        sources=made,
        scale=read.scale,
        takes_null=read.takes_null,
        takes_absent=read.takes_absent,
        moves=read.moves,
        initial=read.initial,
        by=None if read.by is None else read_path(read.by),
    )
    _check(field, read)
    return field


def _source(name: str, rule: str, read: _Source) -> Source:
    given = [read.value is not None, read.constant is not msgspec.UNSET, read.clears]
    if sum(given) > 1 or (not any(given) and rule != "count"):
        raise ProjectionError(f"A source of the field {name} has exactly one of value, constant and clears.")
    if read.clears and rule != "last":
        raise ProjectionError(f"The field {name} has the rule {rule}, and only last can be cleared.")
    if read.removes and rule not in ("set", "sum"):
        raise ProjectionError(
            f"The field {name} has the rule {rule}, and values can be removed from a set or a sum only."
        )
    return Source(
        event_types=None if read.event_types is None else tuple(sorted(read.event_types)),
        path=None if read.value is None else read_path(read.value),
        constant=None if read.clears else read.constant,
        values=read.values,
        removes=read.removes,
        when=tuple(_condition(condition) for condition in read.when),
    )


def _condition(read: _Condition) -> Condition:
    among = () if read.among is msgspec.UNSET else read.among
    if read.equals is not msgspec.UNSET:
        among = (*among, read.equals)
    texts = tuple(str(write_scalar(value)) for value in among)
    return Condition(path=read_path(read.path), texts=texts or None, is_negated=read.negated or not read.exists)


def _kind(rule: Rule, sources: tuple[Source, ...]) -> Kind:
    """Return the kind of a field that names none: by its rule, else by the column its first path names."""
    if rule == "count":
        return "integer"
    if rule == "machine":
        return "text"
    path = next((source.path for source in sources if source.path is not None), Path("data"))
    if path.in_json:
        return "json"
    return "integer" if path.column in INTEGERS else "time" if path.column in TIMES else "text"


_KINDS: Final[Mapping[str, tuple[Kind, ...]]] = {
    "sum": ("integer", "decimal"),
    "count": ("integer",),
    "min": ("integer", "decimal", "text", "time"),
    "max": ("integer", "decimal", "text", "time"),
    "set": ("text", "integer", "json"),
    "list": ("text", "integer", "json"),
    "machine": ("text",),
    "text": ("json",),
    "merge": ("json",),
}


def _check(field: Field, read: _Field) -> None:
    """Raise ProjectionError where a field's parts do not fit one another."""
    kinds = _KINDS.get(field.rule)
    if kinds is not None and field.kind not in kinds:
        raise ProjectionError(
            f"The field {field.name} is a {field.rule} of kind {field.kind}. Possible is {', '.join(kinds)}."
        )
    if not field.sources:
        raise ProjectionError(f"The field {field.name} takes its values from nowhere. Give event_types and value.")
    if field.name in TAKEN or not field.name.isidentifier():
        raise ProjectionError(
            f"{field.name!r} cannot be a field's name: letters, digits and _ are possible, and not "
            f"{', '.join(sorted(TAKEN))}."
        )
    if not 0 <= field.scale < DIGITS or (field.scale and field.kind != "decimal"):
        raise ProjectionError(f"The field {field.name} has scale {field.scale}; a decimal has 0 to {DIGITS - 1}.")
    if field.rule != "machine" and (read.moves is not None or read.initial is not None):
        raise ProjectionError(f"The field {field.name} has moves or a first state, and only a machine has those.")
    if field.rule != "text" and read.by is not None:
        raise ProjectionError(f"The field {field.name} says whose its characters are, and only a text has those.")
    for path in (source.path for source in field.sources if source.path is not None):
        if (path.column in TIMES) != (field.kind == "time") and field.rule != "count":
            raise ProjectionError(
                f"The field {field.name} of kind {field.kind} reads {path}. Kind time is for occurred_at and "
                "recorded_at, and these are for kind time; a time in a payload is a text."
            )
