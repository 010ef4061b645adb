"""The golden files of the upcasters' steps: what each step makes of a payload, for Python, DuckDB and Trino alike."""

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from workbench.query.upcast.sql import compile_path
from workbench.query.upcast.text import quote_path
from workbench.session import Session

FOLDER = Path(__file__).parent / "decode" / "golden"
FORMS = ("scalar", "json")
FILES = sorted(file.stem for file in FOLDER.glob("*.json"))


class Case(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A payload of version 1 as it was written, and lifted by one step, or by the hops of a chain.

    ``values`` are the scalars at paths of the lifted payload, ``json`` the JSON there; ``beyond`` are paths of which
    SQL cannot say the JSON (of a Python step: cannot say anything). With ``fails`` the payload stays at its version.
    """

    stored: msgspec.Raw
    lifted: msgspec.Raw
    values: dict[str, str | None]
    step: dict[str, Any] | None = None
    hops: list[list[dict[str, Any]]] = []
    json: dict[str, str | None] = {}
    beyond: list[str] = []
    fails: bool = False

    @property
    def chain(self) -> list[list[dict[str, Any]]]:
        """The steps of each hop."""
        return [[self.step]] if self.step is not None else self.hops


def load_cases(name: str) -> list[Case]:
    """Return the cases of a golden file."""
    return msgspec.json.decode((FOLDER / f"{name}.json").read_bytes(), type=list[Case])


def name_type(number: int) -> str:
    """Return the event type that stands for a case."""
    return f"Case {number}"


def write_schemas(folder: Path, cases: Sequence[Case]) -> Path:
    """Return a folder of schemas in which each case is an event type."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(FOLDER / "cents.py", folder)
    for number, case in enumerate(cases):
        lines = [f'event_type = "{name_type(number)}"', f"current = {len(case.chain) + 1}"]
        for start, steps in enumerate(case.chain, 1):
            lines += ["[[hop]]", f"from = {start}", f"to = {start + 1}", "steps = ["]
            lines += [f"  {write_toml(step)}," for step in steps] + ["]"]
        (folder / f"case-{number}.toml").write_text("\n".join(lines), encoding="utf-8")
    return folder


def write_toml(value: Any) -> str:
    """Return a JSON value as TOML; null, which TOML lacks, is refused."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(name)} = {write_toml(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(write_toml, value)) + "]"
    assert value is not None, "TOML has no null"
    return json.dumps(value, ensure_ascii=False)


def write_events(folder: Path, cases: Sequence[Case]) -> Path:
    """Return a file of JSON lines with the event of each case, of version 1, its payload as it is written."""
    envelope = '{"event_id":"e%d","stream_id":"s","event_type":"%s","occurred_at":"2026-01-01T00:00:00Z","data":%s}\n'
    file = folder / "events.jsonl"
    lines = (envelope % (number, name_type(number), bytes(case.stored).decode()) for number, case in enumerate(cases))
    file.write_text("".join(lines), encoding="utf-8")
    return file


def read_lifted(session: Session, cases: Sequence[Case]) -> list[dict[str, Any]]:
    """Return what `events` shows of each case: version, payload, and the values and JSON at the case's paths."""
    return _ask(session, cases, "events", "schema_version, data", lambda _, path, form: show_member(path, form))


def read_compiled(session: Session, cases: Sequence[Case]) -> list[dict[str, Any]]:
    """Return the values and JSON at the case's paths, out of the payloads as they were written."""

    def write(number: int, path: str, form: Any) -> str:
        found = compile_path(session.registry, path.split("."), event_types=[name_type(number)], form=form)
        assert found is not None, (cases[number], path, form)
        return found

    return _ask(session, cases, "events_stored", "schema_version", write)


def show_member(path: str, form: str) -> str:
    """Return the plain expression of what stands at a path."""
    place = f"data, {quote_path(path.split('.'))}"
    return f"json_extract_scalar({place})" if form == "scalar" else f"json_format(json_extract({place}))"


def _ask(
    session: Session, cases: Sequence[Case], relation: str, columns: str, write: Callable[[int, str, str], str]
) -> list[dict[str, Any]]:
    asked = [[*((path, "scalar") for path in case.values), *((path, "json") for path in case.json)] for case in cases]
    selected = []
    for place in range(max(map(len, asked))):
        branches = " ".join(
            f"when event_type = '{name_type(number)}' then {write(number, *paths[place])}"
            for number, paths in enumerate(asked)
            if place < len(paths)
        )
        selected.append(f"case {branches} end as v{place}")
    statement = f"select event_type, {columns}, {', '.join(selected)} from {relation}"  # noqa: S608 - our own text
    rows = {row["event_type"]: row for row in session.sql(statement).rows(named=True)}
    found = []
    for number, paths in enumerate(asked):
        row = rows[name_type(number)]
        told = {form: {path: row[f"v{at}"] for at, (path, kind) in enumerate(paths) if kind == form} for form in FORMS}
        found.append({"schema_version": row["schema_version"], "data": row.get("data"), **told})
    return found
