"""Schemas and versions of event types: a folder with one TOML file a type, checked as a whole when it is loaded."""

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import msgspec

from workbench.decode.canonical import encode_json, encode_sorted
from workbench.decode.functions import Python, StepError, read_python
from workbench.decode.scan import scan_json
from workbench.decode.steps import STEPS, Step
from workbench.errors import RegistryError


def keep_float(text: str) -> msgspec.Raw:
    """Return a float as it is written."""
    return msgspec.Raw(text.encode())


# Floats come back as they are written; of integers only "-0" would not, so such a text takes the scanner.
decode_kept: Final = msgspec.json.Decoder(float_hook=keep_float).decode


class Hop(msgspec.Struct, frozen=True):
    """How a payload of one schema version becomes one of a later version."""

    start: int
    end: int
    steps: tuple[Step, ...]


class EventType(msgspec.Struct, frozen=True):
    """One event type: its current schema version, JSON Schemas as text and hops, both by the version they start at."""

    name: str
    first: int
    current: int
    schemas: Mapping[int, bytes]
    hops: Mapping[int, Hop]

    @property
    def may_fail(self) -> bool:
        """Tell whether a payload may stay as it was written, because a step is a Python function."""
        return any(isinstance(step, Python) for hop in self.hops.values() for step in hop.steps)


class Registry(msgspec.Struct, frozen=True):
    """All event types that have schemas or versions, by name. ``hash`` changes whenever an answer may."""

    types: Mapping[str, EventType]
    hash: str

    @property
    def is_empty(self) -> bool:
        """Tell whether no event type is registered, so that nothing is to be checked."""
        return not self.types

    def current_version(self, event_type: str) -> int | None:
        """Return the version that events of a type are lifted to, or None for a type that is not registered."""
        known = self.types.get(event_type)
        return known.current if known else None

    def find_mismatch(self, event_type: str, version: int, text: bytes) -> str | None:
        """Return what the schema of this type and version refuses in a payload, or None when it allows it."""
        known = self.types.get(event_type)
        schema = known.schemas.get(version) if known else None
        if schema is None:
            return None
        validator = load_validator(schema)
        value = msgspec.json.decode(text)
        if validator.is_valid(value):
            return None
        error = next(iter(validator.iter_errors(value)))
        place = "".join(f"/{part}" for part in error.instance_path) or "the payload"
        return f"{place}: {error.message[:200]}"

    def upcast(self, event_type: str, schema_version: int, text: str | None) -> tuple[int, str | None]:
        """Return the schema version and payload text after all hops to the current version.

        A type that is not registered, a version that is newer than the current one, or a payload that is not an object
        keeps its text; numbers keep theirs in every step. Where a Python step fails, the event keeps its payload and
        its version, so that it can be told from the lifted ones.
        """
        known = self.types.get(event_type)
        if known is None or not known.first <= schema_version < known.current:
            return schema_version, text
        payload = None if text is None else read_kept(text.encode())
        version = schema_version
        while version < known.current:
            hop = known.hops[version]
            if isinstance(payload, dict):
                try:
                    for step in hop.steps:
                        step.apply(payload)
                except StepError:
                    return schema_version, text
            version = hop.end
        return version, encode_json(payload).decode() if isinstance(payload, dict) else text


def read_kept(text: bytes) -> Any:
    """Return a payload's value with every number's text as written."""
    return scan_json(text).value if b"-0" in text else decode_kept(text)


@lru_cache(maxsize=1024)
def load_validator(schema: bytes) -> Any:
    """Return the compiled schema; references to other documents are refused, as nothing is fetched."""
    import jsonschema_rs

    return jsonschema_rs.validator_for(msgspec.json.decode(schema), retriever=_refuse_reference)


def _refuse_reference(uri: str) -> Any:
    message = f"{uri} is another document, and none is fetched"
    raise ValueError(message)


def load_registry(folder: str | Path | None, *, python_steps: bool = False) -> Registry:
    """Return the registry that a folder of TOML files describes; without a folder an empty one.

    ``python_steps`` allows steps that are Python functions, which runs code of the folder. Raises RegistryError naming
    the file at fault: a chain of versions with a gap, a cycle or a duplicate, one that does not reach the current
    version, an unknown step or key, a schema that is absent or not valid, a Python step where none is allowed.
    """
    types: dict[str, EventType] = {}
    if folder is not None and not Path(folder).is_dir():
        raise RegistryError(f"{folder} is not a folder. Name the folder with the TOML files of the event types.")
    for file in sorted(Path(folder).glob("*.toml")) if folder is not None else ():
        kind = load_type(file, python_steps=python_steps)
        if kind.name in types:
            raise RegistryError(f"{file}: the event type {kind.name} is a duplicate. Keep it in one file.")
        types[kind.name] = kind
    return make_registry(types)


def make_registry(types: Mapping[str, EventType]) -> Registry:
    """Return a registry of these types, with its hash."""
    shapes = [
        [
            kind.name,
            kind.first,
            kind.current,
            [[at, kind.schemas[at].decode()] for at in sorted(kind.schemas)],
            [[at, kind.hops[at].end, kind.hops[at].steps] for at in sorted(kind.hops)],
        ]
        for _, kind in sorted(types.items())
    ]
    return Registry(types, sha256(encode_sorted(shapes)).hexdigest())


EMPTY: Final = make_registry({})


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    event_type: str
    current: int
    first: int = 1
    schema: dict[str, str] = {}
    hop: tuple["_HopTable", ...] = ()


class _HopTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"start": "from", "end": "to"}):
    start: int
    end: int
    steps: tuple[dict[str, Any], ...] = ()


def load_type(file: Path, *, python_steps: bool = False) -> EventType:
    """Return the event type that one TOML file describes, with its chain of versions checked."""
    try:
        table = msgspec.convert(tomllib.loads(file.read_text(encoding="utf-8")), _Table, strict=True)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise RegistryError(f"{file} cannot be used: {error}. Mend what is named.") from error
    if not table.event_type or not 1 <= table.first <= table.current:
        raise RegistryError(f"{file}: event_type must not be empty, and 1 <= first <= current. Mend the values.")
    hops: dict[int, Hop] = {}
    for entry in table.hop:
        if entry.start in hops:
            raise RegistryError(f"{file}: a duplicate hop starts at version {entry.start}. Keep one of them.")
        steps = tuple(read_step(step, file, python_steps=python_steps) for step in entry.steps)
        hops[entry.start] = Hop(entry.start, entry.end, steps)
    check_chain(hops, table.first, table.current, file)
    schemas = {read_number(key, table, file): load_schema(file, path) for key, path in table.schema.items()}
    return EventType(table.event_type, table.first, table.current, schemas, hops)


def check_chain(hops: Mapping[int, Hop], first: int, current: int, file: Path) -> None:
    """Raise RegistryError unless the hops lead from every version to the current one."""
    for hop in hops.values():
        if hop.end <= hop.start:
            raise RegistryError(f"{file}: the hop {hop.start} to {hop.end} makes a cycle. Let hops lead upwards.")
        if hop.start < first or hop.end > current:
            raise RegistryError(
                f"{file}: the hop {hop.start} to {hop.end} leaves the versions {first} to {current}. "
                "Change the hop, or first and current."
            )
    missing = [version for version in range(first, current) if version not in hops]
    if missing and missing == list(range(missing[0], current)):
        raise RegistryError(
            f"{file}: the chain ends at version {missing[0]} and does not reach the current version {current}. "
            f"Add a hop from {missing[0]}."
        )
    if missing:
        raise RegistryError(f"{file}: there is a gap: no hop starts at version {missing[0]}. Add one.")


def read_number(key: str, table: _Table, file: Path) -> int:
    """Return the version that a schema is given for."""
    version = int(key) if key.isascii() and key.isdigit() else 0
    if not table.first <= version <= table.current:
        raise RegistryError(
            f"{file}: a schema is given for version {key!r}, which is none of {table.first} to {table.current}. "
            "Change the version, or first and current."
        )
    return version


def load_schema(file: Path, name: str) -> bytes:
    """Return the compact text of a JSON Schema beside the TOML file, found to be valid."""
    path = file.parent / name
    try:
        text = encode_sorted(msgspec.json.decode(path.read_bytes()))
        load_validator(text)
    except (OSError, ValueError, msgspec.MsgspecError) as error:
        raise RegistryError(f"{file}: the schema {name} cannot be used: {str(error)[:200]}. Mend it.") from error
    return text


def read_step(table: Mapping[str, Any], file: Path, *, python_steps: bool = False) -> Step:
    """Return one step; its verb is the one key that names a kind of step."""
    if table.keys() == {"python"}:
        return read_python(table["python"], file, allowed=python_steps)
    verbs = [key for key in STEPS if key in table]
    if len(verbs) != 1:
        raise RegistryError(
            f"{file}: the step {dict(table)} has not exactly one of {', '.join(STEPS)}, and is not python alone. "
            "Split it, or name the change."
        )
    try:
        step: Step = msgspec.convert(table, STEPS[verbs[0]], strict=True)
        encode_json(step)
    except (msgspec.ValidationError, TypeError) as error:
        raise RegistryError(f"{file}: the step {dict(table)} cannot be used: {error}. Mend it.") from error
    return step
