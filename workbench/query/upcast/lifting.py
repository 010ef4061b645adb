"""`events` is `events_stored` lifted: a payload of an old schema version is shown as its type's current version."""

from collections.abc import Mapping
from typing import Final

import pyarrow as pa

from workbench.decode.registry import EventType, Registry
from workbench.query.duckdb.engine import ArrowFunction

LIFT_DATA: Final = "lift_data"
LIFT_VERSION: Final = "lift_version"
# The name under which an engine without our functions reads what was lifted for it.
LIFTED: Final = "events_lifted"


def lifting_functions(registry: Registry) -> Mapping[str, ArrowFunction]:
    """Return the functions that lift payloads, and say to which version, for an engine in process."""

    def lift(types: pa.Array, versions: pa.Array, payloads: pa.Array) -> pa.Array:
        rows = zip(types.to_pylist(), versions.to_pylist(), payloads.to_pylist(), strict=True)
        return pa.array([_lift(registry, *row)[1] for row in rows], pa.string())

    def find_version(types: pa.Array, versions: pa.Array, payloads: pa.Array) -> pa.Array:
        rows = zip(types.to_pylist(), versions.to_pylist(), payloads.to_pylist(), strict=True)
        return pa.array([_lift(registry, *row)[0] for row in rows], pa.int32())

    arguments = ("varchar", "integer", "varchar")
    return {
        LIFT_DATA: ArrowFunction(call=lift, arguments=arguments, result="varchar"),
        LIFT_VERSION: ArrowFunction(call=find_version, arguments=arguments, result="integer"),
    }


def _lift(
    registry: Registry, event_type: str | None, version: int | None, text: str | None
) -> tuple[int | None, str | None]:
    return (version, text) if event_type is None or version is None else registry.upcast(event_type, version, text)


def lifting_select(registry: Registry, columns: Mapping[str, str], source: str) -> str | None:
    """Return the SELECT that lifts ``source``, None where no type has an older version.

    Only rows of such a type and version reach the functions; the envelope is never computed, so filters on it do not
    touch payloads, but for the version of a type that a Python step may fail to lift.
    """
    older = _older_types(registry)
    if not older:
        return None
    conditions = {
        name: f"event_type = '{_quoted(name)}' and schema_version between {kind.first} and {kind.current - 1}"
        for name, kind in sorted(older.items())
    }
    old = " or ".join(f"({condition})" for condition in conditions.values())
    asked = f"{LIFT_VERSION}(event_type, schema_version, data)"
    versions = " ".join(
        f"when {condition} then {asked if older[name].may_fail else older[name].current}"
        for name, condition in conditions.items()
    )
    lifted = {
        "schema_version": f"case {versions} else schema_version end as schema_version",
        "data": f"case when {old} then {LIFT_DATA}(event_type, schema_version, data) else data end as data",
    }
    return f"select {', '.join(lifted.get(name, name) for name in columns)} from {source}"  # noqa: S608 - our own names


def joining_select(registry: Registry, columns: Mapping[str, str], source: str) -> str | None:
    """Return the SELECT that takes lifted payloads from their side table, None where no type has an older version."""
    if not _older_types(registry):
        return None
    lifted = {
        "schema_version": "coalesce(l.schema_version, s.schema_version) as schema_version",
        "data": "if(l.position is null, s.data, l.data) as data",
    }
    chosen = ", ".join(lifted.get(name, f"s.{name} as {name}") for name in columns)
    on = f"l.position = s.position and l.registry_hash = '{registry.hash}'"
    return f"select {chosen} from {source} as s left join {LIFTED} as l on {on}"  # noqa: S608 - our own names


def _older_types(registry: Registry) -> dict[str, EventType]:
    return {kind.name: kind for kind in registry.types.values() if kind.current > kind.first}


def _quoted(name: str) -> str:
    return name.replace("'", "''")
