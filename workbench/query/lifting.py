"""`events` is `events_stored` lifted: a payload of an old schema version is shown as its type's current version."""

from collections.abc import Mapping

import pyarrow as pa

from workbench.decode.registry import Registry
from workbench.query.duckdb import ArrowFunction

LIFT_DATA = "lift_data"


def lifting_functions(registry: Registry) -> Mapping[str, ArrowFunction]:
    """Return the function that lifts payloads, for an engine in process."""

    def lift(types: pa.Array, versions: pa.Array, payloads: pa.Array) -> pa.Array:
        rows = zip(types.to_pylist(), versions.to_pylist(), payloads.to_pylist(), strict=True)
        lifted = [
            text
            if text is None or event_type is None or version is None
            else registry.upcast(event_type, version, text)[1]
            for event_type, version, text in rows
        ]
        return pa.array(lifted, pa.string())

    return {LIFT_DATA: ArrowFunction(call=lift, arguments=("varchar", "integer", "varchar"), result="varchar")}


def lifting_select(registry: Registry, columns: Mapping[str, str], source: str) -> str | None:
    """Return the SELECT that lifts ``source``, None where no type has an older version.

    Only rows of such a type and version reach the function; the envelope is never computed, so filters on it do not
    touch payloads.
    """
    older = {kind.name: kind for kind in registry.types.values() if kind.current > kind.first}
    if not older:
        return None
    conditions = {
        name: f"event_type = '{_quoted(name)}' and schema_version between {kind.first} and {kind.current - 1}"
        for name, kind in sorted(older.items())
    }
    old = " or ".join(f"({condition})" for condition in conditions.values())
    versions = " ".join(f"when {condition} then {older[name].current}" for name, condition in conditions.items())
    lifted = {
        "schema_version": f"case {versions} else schema_version end as schema_version",
        "data": f"case when {old} then {LIFT_DATA}(event_type, schema_version, data) else data end as data",
    }
    return f"select {', '.join(lifted.get(name, name) for name in columns)} from {source}"  # noqa: S608 - our own names


def _quoted(name: str) -> str:
    return name.replace("'", "''")
